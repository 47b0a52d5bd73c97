#include "bank/sentences.h"

#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "bank/pin.h"
#include "ledger/operation.h"

namespace bank {
namespace {

// What does not depend on what is left.
std::string_view fixed_sentence(ledger::RefusalCode code) {
  using enum ledger::RefusalCode;
  switch (code) {
    case amount_must_be_positive:
      return "The amount must be more than 0.";
    case accounts_must_differ:
      return "Source and target are the same account.";
    case id_belongs_to_another:
      return "Another caller has used this id.";
    case id_fenced:
      return "This id was settled as not done, and can never be done.";
    case account_not_found:
      return "There is no such account.";
    case card_not_found:
      return "There is no such card.";
    case terminal_not_found:
      return "The bank does not know this terminal.";
    case transfer_not_found:
      return "There is no transfer of that number.";
    case exception_not_found:
      return "There is no exception of that number.";
    case account_already_exists:
      return "There is an account of that name already.";
    case card_already_exists:
      return "There is a card of that number already.";
    case terminal_already_exists:
      return "There is a terminal of that name already.";
    case account_of_wrong_kind:
      return "This cannot be done with an account of that kind.";
    case card_not_unique:
      return "Several cards of the account end in these digits; name one by its id, as card-17.";
    case hold_not_found:
      return "There is no such hold.";
    case hold_already_captured:
      return "The hold was captured already.";
    case hold_already_voided:
      return "The hold was released already.";
    case capture_exceeds_hold:
      return "That is more than was reserved.";
    case already_reversed:
      return "That transfer was taken back already.";
    case exception_already_resolved:
      return "That exception was resolved already.";
    case account_has_holds:
      return "The account still has money reserved.";
    case account_not_empty:
      return "The account still has money on it, or owes some.";
    case cash_has_moved:
      return "Notes moved at a terminal for that transfer, and taking it back would move none: the "
             "terminal's cash account would be wrong. Move the money between the customer's "
             "account and equity instead: bankctl adjust.";
    case account_closed:
      return "The account is closed.";
    case account_frozen:
      return "The account is frozen.";
    case card_blocked:
      return "The card is blocked.";
    case terminal_out_of_service:
      return "The terminal is out of service.";
    case currency_mismatch:
      return "The account has another currency.";
    case balance_overflow:
      return "That is more than an account can hold.";
    case pin_tries_exceeded:
      return "The card is locked after too many wrong PINs.";
    case deadline_passed:
      return "The time was over before it was decided.";
    case queue_full:
      return "The bank has too much to do; try again with the same id.";
    case disk_nearly_full:
      return "The bank's disk is nearly full; it takes no changes.";
    default:
      return "";
  }
}

// What a field's name or number must be, and what that is called; nothing for other fields.
struct Rule {
  std::string_view says;
  std::string_view thing;
};
std::optional<Rule> rule_of(std::string_view field) {
  if (field.ends_with("card_number")) {
    return Rule{"A card number is 8 to 19 digits", "this number"};
  }
  if (field.ends_with("pin")) return Rule{"A PIN is 4 to 12 digits", "this one"};
  if (field.ends_with("account_id")) {
    return Rule{"An account is called 1 to 64 of a-z, 0-9, '-', '_', '.' and ':'", "this name"};
  }
  if (field == "terminal_id") {
    return Rule{"A terminal is called 1 to 59 of a-z, 0-9, '-', '_', '.' and ':'", "this name"};
  }
  return std::nullopt;
}

std::string_view words_of(ledger::ShapeFault fault) {
  switch (fault) {
    case ledger::ShapeFault::empty:
      return "is empty";
    case ledger::ShapeFault::too_short:
      return "is shorter";
    case ledger::ShapeFault::too_long:
      return "is longer";
    case ledger::ShapeFault::letter:
      return "has something else in it";
    case ledger::ShapeFault::reserved:
      return "is the bank's own";
    default:
      return "is not well formed";
  }
}

std::string ill_formed(const ledger::Refusal& refusal) {
  if (refusal.field == "paid" && refusal.fault == ledger::ShapeFault::empty) {
    return "Say what the customer got of the suspended hold: --paid AMOUNT, 0 if nothing was paid.";
  }
  if (refusal.field == "paid") {
    return "What was paid is said of a suspended hold alone: 0 or more, in its account's currency.";
  }
  if (refusal.fault == ledger::ShapeFault::unlisted) {
    return "ISO 4217 has no currency of that code; one that it has is EUR.";
  }
  const std::optional<Rule> rule = rule_of(refusal.field);
  if (!rule || refusal.fault == ledger::ShapeFault::none) {
    return fmt::format("The request's {} is not well formed.", refusal.field);
  }
  return fmt::format("{}, and {} {}.", rule->says, rule->thing, words_of(refusal.fault));
}

static_assert(ledger::card_digits_min == 8 && ledger::card_digits_max == 19);
static_assert(pin_size_min == 4 && pin_size_max == 12);
static_assert(ledger::identifier_size_max == 64 && ledger::terminal_id_size_max == 59);

// "1 time", "2 times".
std::string times(std::uint32_t count) {
  return fmt::format("{} {}", count, count == 1 ? "time" : "times");
}

std::string daily_count(std::uint32_t left) {
  if (left == 0) return "The card was used as often as it can be today.";
  return fmt::format("The card can be used {} more today.", times(left));
}

std::string wrong_pin(std::uint32_t left) {
  if (left == 0) return "The PIN is wrong, and the card is locked now.";
  return fmt::format("The PIN is wrong; it can be tried {} more.", times(left));
}

}  // namespace

std::string sentence(const ledger::Refusal& refusal) {
  using enum ledger::RefusalCode;
  const std::string left = refusal.left ? ledger::to_text(*refusal.left) : "0";
  switch (refusal.code) {
    case malformed:
      return ill_formed(refusal);
    case id_used_with_other_fields:
      return fmt::format("This id was used for a change with another {}.", refusal.field);
    case withdrawal_limit:
      return fmt::format("The card can take at most {} at a time.", left);
    case daily_amount_limit:
      return fmt::format("The card can take only {} more today.", left);
    case daily_count_limit:
      return daily_count(refusal.left_count.value_or(0));
    case insufficient_funds:
      return fmt::format("Only {} are available.", left);
    case pin_wrong:
      return wrong_pin(refusal.left_count.value_or(0));
    default:
      return std::string(fixed_sentence(refusal.code));
  }
}

}  // namespace bank
