#include "ledger/refusal.h"

#include <algorithm>
#include <array>

namespace ledger {
namespace {

struct Wording {
  RefusalCode code;
  std::string_view name;
  std::string_view sentence;
};

using enum RefusalCode;

constexpr std::array wordings = {
    Wording{malformed, "malformed", "The request is not well formed"},
    Wording{amount_must_be_positive, "amount_must_be_positive", "The amount must be more than 0"},
    Wording{accounts_must_differ, "accounts_must_differ", "Source and target are the same account"},
    Wording{id_belongs_to_another, "id_belongs_to_another", "The id was used first by another"},
    Wording{id_used_with_other_fields, "id_used_with_other_fields",
            "The id was used before for something else"},
    Wording{id_fenced, "id_fenced", "The id was fenced and can never be used"},
    Wording{account_not_found, "account_not_found", "There is no such account"},
    Wording{card_not_found, "card_not_found", "There is no such card"},
    Wording{terminal_not_found, "terminal_not_found", "There is no such terminal"},
    Wording{transfer_not_found, "transfer_not_found", "There is no such transfer"},
    Wording{exception_not_found, "exception_not_found", "There is no such exception"},
    Wording{account_already_exists, "account_already_exists", "There is such an account already"},
    Wording{card_already_exists, "card_already_exists", "There is such a card already"},
    Wording{terminal_already_exists, "terminal_already_exists", "There is such a terminal already"},
    Wording{account_of_wrong_kind, "account_of_wrong_kind",
            "Only a customer's account can be asked for this"},
    Wording{card_not_unique, "card_not_unique",
            "The account has several cards that end in these digits"},
    Wording{hold_not_found, "hold_not_found", "There is no such hold"},
    Wording{hold_already_captured, "hold_already_captured", "The hold was captured already"},
    Wording{hold_already_voided, "hold_already_voided", "The hold was voided already"},
    Wording{capture_exceeds_hold, "capture_exceeds_hold", "The hold is for less than that"},
    Wording{already_reversed, "already_reversed", "The transfer was taken back already"},
    Wording{exception_already_resolved, "exception_already_resolved",
            "The exception was resolved already"},
    Wording{account_has_holds, "account_has_holds",
            "The account has a hold that was neither captured nor voided"},
    Wording{account_not_empty, "account_not_empty", "The account's balance is not 0"},
    Wording{cash_has_moved, "cash_has_moved",
            "Notes moved at a terminal for that transfer, and taking it back moves none"},
    Wording{account_closed, "account_closed", "The account is closed"},
    Wording{account_frozen, "account_frozen", "The account is frozen"},
    Wording{card_blocked, "card_blocked", "The card is blocked"},
    Wording{terminal_out_of_service, "terminal_out_of_service", "The terminal is out of service"},
    Wording{card_replaced, "card_replaced", "The card was replaced, and stays blocked for ever"},
    Wording{currency_mismatch, "currency_mismatch", "The account has another currency"},
    Wording{withdrawal_limit, "withdrawal_limit", "That is more than the card can take at once"},
    Wording{daily_amount_limit, "daily_amount_limit", "That is more than the card can take today"},
    Wording{daily_count_limit, "daily_count_limit",
            "The card was used as often as it can be today"},
    Wording{balance_overflow, "balance_overflow", "The amount is larger than an account can hold"},
    Wording{insufficient_funds, "insufficient_funds", "The account does not have that much"},
    Wording{pin_wrong, "pin_wrong", "The PIN is wrong"},
    Wording{pin_tries_exceeded, "pin_tries_exceeded",
            "The PIN was wrong too often, and the card is locked"},
    Wording{deadline_passed, "deadline_passed", "The deadline passed before it was decided"},
    Wording{queue_full, "queue_full", "Too many changes are waiting to be decided"},
    Wording{disk_nearly_full, "disk_nearly_full", "The bank's disk is nearly full"},
};

const Wording* wording_of(RefusalCode code) {
  const auto* const found = std::ranges::find(wordings, code, &Wording::code);
  return found == wordings.end() ? nullptr : found;
}

}  // namespace

bool is_known(RefusalCode code) { return wording_of(code) != nullptr; }

std::string_view name(RefusalCode code) {
  const Wording* const wording = wording_of(code);
  return wording == nullptr ? "unknown" : wording->name;
}

std::string reason(RefusalCode code) {
  const Wording* const wording = wording_of(code);
  if (wording == nullptr) return "the ledger refused it";
  std::string words(wording->sentence);
  words.front() = static_cast<char>(words.front() + ('a' - 'A'));
  return words;
}

std::string describe(const Refusal& refusal) {
  const Wording* const wording = wording_of(refusal.code);
  std::string text(wording == nullptr ? "The ledger refused it" : wording->sentence);
  if (!refusal.field.empty()) text.append(": ").append(refusal.field);
  if (refusal.left.has_value()) text += ": " + to_text(*refusal.left) + " is left";
  if (refusal.left_count.has_value()) text += ": " + std::to_string(*refusal.left_count) + " left";
  text += '.';
  return text;
}

}  // namespace ledger
