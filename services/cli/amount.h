// Amounts and notes as people type them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atm/v1/atm.pb.h"
#include "bank/v1/money.pb.h"
#include "ledger/money.h"
#include "ops/options.h"

namespace cli {

// "EUR". Throws Failure(usage).
ledger::Currency parse_currency(const std::string& text);
// What is wrong with a --currency; none may be named.
std::optional<ops::Mistake> mistake_in_currency(const std::string& text);

// Before the currency is known: throws Failure(usage) for what is an amount in none of them, and for
// 0 and less. require_amount_or_zero() lets 0 pass: an overdraft, what was paid of a hold.
void require_amount(std::string_view text);
void require_amount_or_zero(std::string_view text);
// The same of notes, "2x50"; and of a list of them, "2x50 1x20", or an amount that notes make,
// "120".
void require_notes(std::string_view text);
void require_note_list(const std::vector<std::string>& typed);

// "60", "60.5" or "60.00", more than 0. Throws Failure(usage) with one sentence.
bank::v1::Money parse_amount(std::string_view text, ledger::Currency currency);
// The same, or 0.
bank::v1::Money parse_amount_or_zero(std::string_view text, ledger::Currency currency);

// Notes of one kind, as a cassette holds them: "2x50", two of 50, also as "2X50" or "2 x 50".
// Throws Failure(usage).
atm::v1::Notes parse_notes(std::string_view text, ledger::Currency currency);

// "2x50", "1x20": such notes, also as "2x50,1x20", "2X50" or "2 x 50"; or one amount, "120": the fewest
// notes of `denominations` that make it. Throws Failure(usage).
std::vector<atm::v1::Notes> parse_note_list(const std::vector<std::string>& typed,
                                            ledger::Currency currency,
                                            std::span<const ledger::Cents> denominations);

// What they are worth together. Throws Failure(usage) when no number holds it.
bank::v1::Money sum_of(const std::vector<atm::v1::Notes>& notes, ledger::Currency currency);

// "2 x 50.00 EUR".
std::string notes_text(const atm::v1::Notes& notes);

}  // namespace cli
