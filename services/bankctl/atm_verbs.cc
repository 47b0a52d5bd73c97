// What the staff asks of an ATM: atm.v1.StaffService.
#include "bankctl/verb.h"

namespace bankctl {
namespace {

const Input terminal = {"--terminal", "terminal_id", Kind::text,
                        "Which of the ATM's terminals, if it has several", false};

// All terminals of an ATM are of one currency.
const CurrencySource of_atm = {"ListTerminals", "", "", "terminals.cash.currency"};

const VerbTable verbs = {
    "atm.v1.StaffService",
    {
        {"atm terminals", "ListTerminals", "List the ATM's terminals and their state",
         "atm terminals"},
        {"atm cassettes",
         "ListCassettes",
         "Show what the ATM believes is inside",
         "atm cassettes",
         {terminal}},
        {"atm load",
         "Load",
         "Put notes into a cassette",
         "atm load 1 100x50",
         {{"CASSETTE", "position", Kind::cassette, "its position, from 1 to 8"},
          {"NOTES", "notes", Kind::notes, "how many of which one kind of note, as 100x50"},
          terminal},
         "",
         &of_atm},
        {"atm unload",
         "Unload",
         "Take everything out: cassettes and bins",
         "atm unload",
         {terminal},
         "This empties the ATM. Do it?"},
        {"atm count",
         "Count",
         "Compare what the devices hold with the ATM's journal; 65 if they differ",
         "atm count",
         {terminal}},
        {"atm day-totals",
         "GetDayTotals",
         "Sum up a day",
         "atm day-totals --day 2026-11-23",
         {{"--day", "day", Kind::day, "As 2026-11-23; today without it", false}, terminal}},
        {"atm audit",
         "Audit",
         "Compare the ATM's journal with the bank's books, not with the devices (count does); "
         "65 if they differ, 69 without the bank",
         "atm audit",
         {terminal}},
        {"atm in-service",
         "SetService",
         "Let the ATM serve customers; you have looked that no notes lie in its slot",
         "atm in-service",
         {{"", "in_service", Kind::yes}, terminal}},
        {"atm out-of-service",
         "SetService",
         "Take the ATM out of service",
         "atm out-of-service",
         {terminal}},
        {"atm items",
         "ListOpenItems",
         "List what has not ended, and waits for the bank",
         "atm items",
         {terminal}},
        {"atm declined",
         "ListDeclines",
         "List what the ATM declined by itself, newest first",
         "atm declined 0190b5c4-7a3e-7c1d-9f00-0123456789ab",
         {{"ID", "attempt_id", Kind::id, "only the attempt with this id", false}, terminal}},
        {"atm accept-bank-history",
         "AcceptBankHistory",
         "Go on with a bank that was restored from a backup",
         "atm accept-bank-history --reason 'restored the backup of 23 November'",
         {{"--reason", "reason", Kind::text, "Why, for the journal"}},
         "The ATM will send the bank again what the backup lacks. Go on?"},
        {"atm fault",
         "SetFault",
         "Break a simulated device, or mend it (none)",
         "atm fault dispenser jam --after-notes 3",
         {{"DEVICE", "device", Kind::choice, "dispenser or acceptor"},
          {"FAULT", "fault", Kind::choice, "none, jam, present-unknown, slow or dead"},
          {"--after-notes", "after_notes", Kind::number,
           "Of a jam: after so many notes; without it at once", false},
          {"--delay-ms", "delay_ms", Kind::number, "How slow, in milliseconds; slow needs it",
           false},
          terminal}},
    }};

}  // namespace

const VerbTable& atm_verbs() { return verbs; }

}  // namespace bankctl
