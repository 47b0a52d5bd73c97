// What the operator asks of the bank: bank.v1.OperatorService.
#include "bankctl/verb.h"

namespace bankctl {
namespace {

const Input account = {"ACCOUNT", "account_id", Kind::text, "the account, as jane"};
const Input card = {"CARD", "card_number", Kind::card, "the card's number"};
const Input named_card = {
    "CARD", "card_number", Kind::card,
    "its number, its id as card-17, or its account and last digits as jane/0010"};
const Input terminal = {"TERMINAL", "terminal_id", Kind::text, "the terminal, as atm-1"};
const Input reason = {"--reason", "reason", Kind::text, "Why, for the books"};
const Input booking_reason = {"--reason", "reason", Kind::text,
                              "Why, for the books; customers read it on their statements"};
const Input decision_reason = {
    "--reason", "reason", Kind::text,
    "Why, for the books; where --paid is more than 0, the customer reads it on the statement"};
const Input in_currency = {"", "currency", Kind::currency};

Input optional(Input input) {
  input.required = false;
  return input;
}

const Input withdrawal_max = {"--withdrawal-max", "limits.withdrawal_max", Kind::limit,
                              "The largest withdrawal, or none", false};
const Input daily_amount_max = {"--daily-amount-max", "limits.daily_amount_max", Kind::limit,
                                "The most on one day, or none", false};
const Input daily_count_max = {"--daily-count-max", "limits.daily_count_max", Kind::count_limit,
                               "Withdrawals on one day, or none", false};

const CurrencySource of_books = {"GetBank", "", "", "currency"};
const CurrencySource of_account = {"GetAccount", "account_id", "account_id",
                                   "account.balance.currency"};
const CurrencySource of_source = {"GetAccount", "source_account_id", "account_id",
                                  "account.balance.currency"};
const CurrencySource of_card = {"GetCard", "card_number", "card_number",
                                "card.limits.withdrawal_max.currency"};
const CurrencySource of_exception = {"GetException", "exception_seq", "exception_seq",
                                     "exception.amount.currency"};

const Subject of_transfer = {"FindChange", "ledger_seq", "id", "transfer_seq", {"summary"}};
const Subject of_open_exception = {
    "GetException",
    "exception_seq",
    "",
    "",
    {"exception.kind", "exception.account_id", "exception.terminal_id", "exception.amount",
     "exception.hold_id"}};

const VerbTable verbs = {
    "bank.v1.OperatorService",
    {
        {"bank", "GetBank", "Show the currencies of the bank's books", "bank"},
        {"account open",
         "OpenAccount",
         "Open a customer's account",
         "account open jane --name 'Jane Doe'",
         {account,
          {"--name", "name", Kind::text, "The customer's name"},
          {"--overdraft", "overdraft", Kind::amount_or_zero, "How far it may fall below 0", false},
          in_currency},
         "",
         &of_books},
        {"account fund",
         "FundAccount",
         "Put money into an account, out of equity",
         "account fund jane 100.00",
         {account, {"AMOUNT", "amount", Kind::amount, "how much, as 100.00"}},
         "",
         &of_account},
        {"account freeze",
         "FreezeAccount",
         "Let nothing leave an account",
         "account freeze jane --reason 'card reported stolen'",
         {account, reason}},
        {"account unfreeze",
         "UnfreezeAccount",
         "Let money leave an account again",
         "account unfreeze jane --reason 'new card issued'",
         {account, reason}},
        {"account close",
         "CloseAccount",
         "Close an empty account for ever",
         "account close jane --reason 'asked for by the customer'",
         {account, reason},
         "A closed account cannot be opened again. Close it?"},
        {"account overdraft",
         "SetOverdraft",
         "Set how far an account may fall below 0",
         "account overdraft jane 50.00",
         {account, {"AMOUNT", "overdraft", Kind::amount_or_zero, "how far, as 50.00, or 0"}},
         "",
         &of_account},
        {"account show", "GetAccount", "Show an account", "account show jane", {account}},
        {"account list", "ListAccounts", "List the accounts", "account list"},

        {"terminal add",
         "AddTerminal",
         "Make a terminal and its cash account known",
         "terminal add atm-1",
         {terminal, in_currency},
         "",
         &of_books},
        {"terminal in-service",
         "SetTerminalService",
         "Let a terminal serve customers",
         "terminal in-service atm-1",
         {terminal, {"", "in_service", Kind::yes}}},
        {"terminal out-of-service",
         "SetTerminalService",
         "Take a terminal out of service",
         "terminal out-of-service atm-1",
         {terminal}},
        {"terminal list", "ListTerminals", "List the terminals", "terminal list"},

        {"card issue",
         "IssueCard",
         "Issue a card with its PIN for an account",
         "card issue 4000000000000002 jane --pin-file pin.txt",
         {card,
          account,
          {"--pin-file", "pin", Kind::pin},
          withdrawal_max,
          daily_amount_max,
          daily_count_max},
         "",
         &of_account},
        {"card block",
         "BlockCard",
         "Block a card",
         "card block jane/0002 --reason lost",
         {named_card, reason}},
        {"card unblock",
         "UnblockCard",
         "Unblock a card, and forget its wrong PINs",
         "card unblock card-17 --reason found",
         {named_card, reason}},
        {"card replace",
         "ReplaceCard",
         "Issue another card and block the old one for ever",
         "card replace 4000000000000002 4000000000000010 --reason stolen --pin-file pin.txt",
         {{"OLD", "old_card_number", Kind::card,
           "the old card: its number, its id, or its account and last digits"},
          {"NEW", "new_card_number", Kind::card, "the new card's number"},
          {"--pin-file", "pin", Kind::pin},
          reason},
         "The old card can never be used again. Replace it?"},
        {"card limits",
         "SetCardLimits",
         "Show a card's limits, or set those that are named",
         "card limits 4000000000000002 --daily-amount-max 500 --daily-count-max none",
         {named_card, withdrawal_max, daily_amount_max, daily_count_max},
         "",
         &of_card,
         "GetCard"},
        {"card show", "GetCard", "Show a card", "card show 4000000000000002", {named_card}},
        {"card list", "ListCards", "List cards", "card list jane", {optional(account)}},

        {"adjust",
         "Adjust",
         "Move money between two accounts by hand",
         "adjust equity:eur jane 12.50 --reason 'fee charged twice'",
         {{"SOURCE", "source_account_id", Kind::text, "the account that pays"},
          {"TARGET", "target_account_id", Kind::text, "the account that gets it"},
          {"AMOUNT", "amount", Kind::amount, "how much"},
          booking_reason},
         "This moves money. Do it?",
         &of_source},
        {"reverse",
         "Reverse",
         "Take a transfer back, whole; not what moved notes at an ATM, which adjust settles",
         "reverse 1742 --reason 'wrong account'",
         {{"TRANSFER", "transfer_seq", Kind::named,
           "its number in the journal, its id, or the id on its receipt"},
          booking_reason},
         "This moves money back. Do it?",
         nullptr,
         "",
         "",
         &of_transfer},
        {"trial-balance", "GetTrialBalance", "Sum up the books: every sum must be 0",
         "trial-balance"},
        {"transfers list",
         "ListTransfers",
         "List transfers, newest first",
         "transfers list jane",
         {optional(account)}},
        {"transfers watch",
         "WatchTransfers",
         "Print each transfer as it is committed",
         "transfers watch --json",
         {{"--from", "from_ledger_seq", Kind::ordinal, "Begin with this number of the journal",
           false}}},
        {"watch",
         "WatchTransfers",
         "The same as transfers watch",
         "watch",
         {{"--from", "from_ledger_seq", Kind::ordinal, "Begin with this number of the journal",
           false}}},
        {"holds list", "ListHolds", "List holds that were neither captured nor voided",
         "holds list"},
        {"exceptions list",
         "ListExceptions",
         "List open exceptions",
         "exceptions list --all",
         {{"--all", "with_resolved", Kind::yes, "Those that are resolved, too", false}}},
        {"exceptions show",
         "GetException",
         "Show an exception",
         "exceptions show 1742",
         {{"EXCEPTION", "exception_seq", Kind::ordinal, "its number, from exceptions list"}}},
        {"exceptions resolve",
         "ResolveException",
         "Settle an exception",
         "exceptions resolve 1742 --paid 60.00 --reason 'the camera shows it'",
         {{"EXCEPTION", "exception_seq", Kind::ordinal, "its number, from exceptions list"},
          {"--paid", "paid", Kind::amount_or_zero,
           "Of a suspended hold: what the customer got, or 0", false},
          decision_reason},
         "This cannot be taken back. Settle it?",
         &of_exception,
         "",
         "",
         &of_open_exception},
        {"resolve",
         "ResolveChange",
         "Tell what became of a change or a receipt; if nothing, fence its id",
         "resolve 0190b5c4-7a3e-7c1d-9f00-0123456789ab",
         {{"ID", "id", Kind::id, "the id of the change, or on the receipt"}},
         "The bank has never seen this id. `bankctl atm declined ID` tells whether the ATM "
         "declined "
         "it by itself, and an ATM may still be about to tell the bank of a change with it. "
         "Fencing the id makes sure "
         "that it is not done: no change with it, and no withdrawal with it on its receipt, can be "
         "made any more. A deposit whose notes are inside the ATM is credited all the same. Fence "
         "it?",
         nullptr,
         "",
         "FindChange"},
        {"changes show",
         "FindChange",
         "Show what became of a change or a receipt",
         "changes show 0190b5c4-7a3e-7c1d-9f00-0123456789ab",
         {{"ID", "id", Kind::id, "the id of the change, or on the receipt", false},
          {"--seq", "ledger_seq", Kind::ordinal, "Instead of an id: its number in the journal",
           false}},
         "",
         nullptr,
         "",
         "",
         nullptr,
         true},
        {"changes declined",
         "ListDeclines",
         "List what was declined, newest first",
         "changes declined jane",
         {optional(account)}},
        {"backup",
         "Backup",
         "Copy the bank's database while it serves",
         "backup /var/lib/bankd/bank-2026-11-23.db",
         {{"PATH", "path", Kind::text, "a new file on the bank's machine"}}},
    }};

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {"account", "Customers' accounts: open, fund, freeze, close, list"},
      {"terminal", "ATMs as the bank knows them: add, take in and out of service"},
      {"card", "Cards: issue, block, replace, limits"},
      {"transfers", "What was moved: list, watch"},
      {"holds", "What is reserved"},
      {"changes", "What was asked for, and what became of it: show, declined"},
      {"exceptions", "What the rules could not settle by themselves"},
      {"atm", "An ATM's cash and devices: load, count, audit, service"},
  };
  return all;
}

const VerbTable& bank_verbs() { return verbs; }

const CurrencySource& of_bank() { return of_books; }

}  // namespace bankctl
