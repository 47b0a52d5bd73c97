#include "bank/sentences.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "bank/pages.h"
#include "bank/pin.h"
#include "ledger/operation.h"
#include "ledger/planned_notes.h"

namespace bank {
namespace {

// Those that need no figure.
struct FixedSentence {
  ledger::RefusalCode code;
  std::string_view text;
};
using enum ledger::RefusalCode;
constexpr auto fixed_sentences = std::to_array<FixedSentence>({
    {amount_must_be_positive, "The amount must be more than 0."},
    {accounts_must_differ, "Source and target are the same account."},
    {id_belongs_to_another, "Another caller has used this id."},
    {id_fenced, "This id was settled as not done, and can never be done."},
    {account_not_found, "There is no such account."},
    {card_not_found, "There is no such card."},
    {terminal_not_found, "The bank does not know this terminal."},
    {transfer_not_found, "There is no transfer of that number."},
    {exception_not_found, "There is no exception of that number."},
    {account_already_exists, "There is an account of that name already."},
    {card_already_exists, "There is a card of that number already."},
    {terminal_already_exists, "There is a terminal of that name already."},
    {account_of_wrong_kind, "This cannot be done with an account of that kind."},
    {card_not_unique,
     "Several cards of the account end in these digits; name one by its id, as card-17."},
    {hold_not_found, "There is no such hold."},
    {hold_already_captured, "The hold was captured already."},
    {hold_already_voided, "The hold was released already."},
    {capture_exceeds_hold, "That is more than was reserved."},
    {already_reversed, "That transfer was taken back already."},
    {exception_already_resolved, "That exception was resolved already."},
    {account_has_holds, "The account still has money reserved."},
    {account_not_empty, "The account still has money on it, or owes some."},
    {cash_has_moved,
     "Notes moved at a terminal for that transfer, and taking it back would move none: the "
     "terminal's cash account would be wrong. Move the money between the customer's "
     "account and equity instead: bankctl adjust."},
    {account_closed, "The account is closed."},
    {account_frozen, "The account is frozen."},
    {card_blocked, "The card is blocked."},
    {terminal_out_of_service, "The terminal is out of service."},
    {card_replaced, "The card was replaced, and stays blocked for ever."},
    {currency_mismatch, "The account has another currency."},
    {balance_overflow, "That is more than an account can hold."},
    {pin_tries_exceeded, "The card is locked after too many wrong PINs."},
    {deadline_passed, "The time was over before it was decided."},
    {queue_full, "The bank has too much to do; try again with the same id."},
    {disk_nearly_full, "The bank's disk is nearly full; it takes no changes."},
});

// Empty: the refusal's sentence has a figure in it.
std::string_view fixed_sentence(ledger::RefusalCode code) {
  const auto* const found = std::ranges::find(fixed_sentences, code, &FixedSentence::code);
  return found == fixed_sentences.end() ? "" : found->text;
}

// What a field must be, and what that is called; nothing for fields that only a broken caller gets
// wrong.
struct Rule {
  std::string_view says;
  std::string_view thing;
};
struct FieldRule {
  std::string_view field;
  Rule rule;
};
constexpr auto field_rules = std::to_array<FieldRule>({
    {"reason", {"A reason is 1 to 1024 bytes", "this one"}},
    {"evidence", {"Evidence is at most 1024 bytes", "this"}},
    {"name", {"A customer's name is at most 128 bytes", "this one"}},
    {"id", {"An id is 16 bytes, not all of them zero", "this one"}},
    {"hold_id",
     {"A hold's id is 16 bytes, not all of them zero, and another than the request's", "this one"}},
    {"receipt_id", {"A receipt's id is 16 bytes, not all of them zero", "this one"}},
    {"time_to_live_ms", {"A hold's time to live is 1 to 604800000 ms", "this one"}},
    {"page_size", {"A page is at most 200 rows, and of a statement 100", "this one"}},
    {"page_token", {"A page token is as the same list gave it", "this one"}},
    {"currency", {"A currency is three capital letters, as EUR", "this one"}},
    {"amount", {"An amount must be there, with its currency", "this one"}},
    {"overdraft", {"An overdraft is 0 or more, in its account's currency", "this one"}},
    {"limits.withdrawal_max", {"A limit is 0 or more, in its card's currency", "this one"}},
    {"limits.daily_amount_max", {"A limit is 0 or more, in its card's currency", "this one"}},
    {"transfer_seq", {"A number of the journal is 1 or more", "this one"}},
    {"exception_seq", {"A number of the journal is 1 or more", "this one"}},
});

std::optional<Rule> rule_of(std::string_view field) {
  const auto* const fixed = std::ranges::find(field_rules, field, &FieldRule::field);
  if (fixed != field_rules.end()) return fixed->rule;
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
      return "is not";
  }
}

std::string ill_formed(const ledger::Refusal& refusal) {
  if (refusal.field == "paid" && refusal.fault == ledger::ShapeFault::empty) {
    return "Say what the customer got of the suspended hold: --paid AMOUNT, 0 if nothing was paid.";
  }
  if (refusal.fault == ledger::ShapeFault::unpayable) {
    return fmt::format(
        "The notes that may have been paid cannot make that; the nearest amount below that they "
        "make is {}.",
        refusal.left ? ledger::to_text(*refusal.left) : "0");
  }
  if (refusal.field == "paid") {
    return "What was paid is said of a suspended hold alone: 0 or more, in its account's currency.";
  }
  if (refusal.fault == ledger::ShapeFault::unlisted) {
    return "ISO 4217 has no currency of that code; one that it has is EUR.";
  }
  const std::optional<Rule> rule = rule_of(refusal.field);
  if (!rule) {
    return fmt::format("The request's {} is not well formed.", refusal.field);
  }
  return fmt::format("{}, and {} {}.", rule->says, rule->thing, words_of(refusal.fault));
}

static_assert(ledger::card_digits_min == 8 && ledger::card_digits_max == 19);
static_assert(ledger::text_size_max == 1024 && ledger::name_size_max == 128);
static_assert(ledger::hold_time_to_live_max == std::chrono::milliseconds(604'800'000));
static_assert(operator_page_sizes.max == 200 && statement_page_sizes.max == 100);
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

// "" where the refusal is not about this account, as far as the books still know.
std::string sentence_about(const std::string& id, const ledger::Account* account,
                           const ledger::Refusal& refusal, const Parties& parties) {
  if (account == nullptr) {
    return refusal.code == account_not_found ? fmt::format("There is no account {}.", id) : "";
  }
  if (refusal.code == account_closed && account->closed) {
    return fmt::format("The account {} is closed.", id);
  }
  if (refusal.code == account_frozen && account->frozen) {
    return fmt::format("The account {} is frozen.", id);
  }
  const std::string own = account->currency.text();
  if (refusal.code != currency_mismatch || parties.currency.empty() || own == parties.currency) {
    return "";
  }
  if (!parties.asked_by_operator) {
    return fmt::format("The account {} is not in {}.", id, parties.currency);
  }
  return fmt::format("The account {} is in {}, and not in {}.", id, own, parties.currency);
}

}  // namespace

Parties about(std::string account, std::string currency, bool asked_by_operator) {
  Parties parties;
  parties.accounts.push_back(std::move(account));
  parties.currency = std::move(currency);
  parties.asked_by_operator = asked_by_operator;
  return parties;
}

std::string sentence(const ledger::Refusal& refusal, const ledger::Books& books,
                     const Parties& parties) {
  for (const std::string& id : parties.accounts) {
    std::string about = sentence_about(id, books.find_account(id), refusal, parties);
    if (!about.empty()) return about;
  }
  return sentence(refusal);
}

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

std::string sentence_of_planned(const ledger::ExceptionEntry& exception) {
  std::string notes;
  for (const ledger::PlannedNotes& each :
       ledger::parse_planned(exception.planned).value_or(std::vector<ledger::PlannedNotes>())) {
    const ledger::Money denomination{each.denomination, exception.currency};
    notes += fmt::format("{}{}x{}", notes.empty() ? "" : ", ", each.count,
                         ledger::to_text(denomination));
  }
  return "They are " + notes + ".";
}

}  // namespace bank
