#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/money.h"

namespace ledger {

// Every way the ledger says no, in the order in which it checks (rule 7): the first that applies is
// the answer. The numbers are journalled, so they never change.
enum class RefusalCode : std::uint8_t {
  // Shape. Not pinned to the id.
  malformed = 1,
  amount_must_be_positive = 2,
  accounts_must_differ = 3,

  // Idempotency. Not pinned: the id has its answer already.
  id_belongs_to_another = 10,
  id_used_with_other_fields = 11,
  id_fenced = 12,

  // From here on a refusal is pinned to the id.
  account_not_found = 20,
  card_not_found = 21,
  terminal_not_found = 22,
  transfer_not_found = 23,
  exception_not_found = 24,
  account_already_exists = 25,
  card_already_exists = 26,
  terminal_already_exists = 27,
  account_of_wrong_kind = 28,
  card_not_unique = 29,

  hold_not_found = 30,
  hold_already_captured = 31,
  hold_already_voided = 32,
  capture_exceeds_hold = 33,
  already_reversed = 34,
  exception_already_resolved = 35,
  account_has_holds = 36,
  account_not_empty = 37,
  cash_has_moved = 38,

  account_closed = 40,
  account_frozen = 41,
  card_blocked = 42,
  terminal_out_of_service = 43,
  card_replaced = 44,

  currency_mismatch = 50,

  withdrawal_limit = 60,
  daily_amount_limit = 61,
  daily_count_limit = 62,

  balance_overflow = 70,

  insufficient_funds = 80,

  // Of cards and PINs.
  pin_wrong = 90,
  pin_tries_exceeded = 91,

  // Not the bank's no, but the machine's, never pinned and never journalled. A service answers
  // these with a status of the call: DEADLINE_EXCEEDED and RESOURCE_EXHAUSTED, which leave the outcome unknown to the caller, and
  // FAILED_PRECONDITION for the last, which is said only of an id that has no answer yet.
  deadline_passed = 200,
  queue_full = 201,
  disk_nearly_full = 202,
};

// True for the machine's no's: the answer is a status of the call and not a refusal by the bank.
constexpr bool is_call_status(RefusalCode code) { return code >= RefusalCode::deadline_passed; }

// What is wrong with a name or a number that must have a certain shape.
enum class ShapeFault : std::uint8_t {
  none,
  empty,
  too_short,
  too_long,
  letter,     // One that it must not have.
  reserved,   // It is the bank's own.
  unlisted,   // Of a currency: ISO 4217 has none of that code.
  unpayable,  // Of what was paid: the notes in question do not make it. `left`: the nearest below.
};

// A definite no. A value, for any thread, and a small one without memory of its own: every outcome has room for it.
struct Refusal {
  RefusalCode code = RefusalCode::malformed;
  // True: this is the first answer to this id, told again.
  bool replayed = false;
  // For malformed, where the field is a name or a number: what breaks its rule.
  ShapeFault fault = ShapeFault::none;
  // For a count's limit and for PINs: how many are left.
  std::optional<std::uint32_t> left_count{};
  // For an amount's limit and for funds: what is left.
  std::optional<Money> left{};
  // For malformed and id_used_with_other_fields, which are never pinned: the first field that is wrong or differs, as the wire names
  // it. A literal, which lasts as long as the program.
  std::string_view field{};
  // The number of the journal record that pins it to its id; 0: not pinned.
  std::uint64_t ledger_seq = 0;

  friend bool operator==(const Refusal&, const Refusal&) = default;
};

template <typename T>
using Result = std::expected<T, Refusal>;

// False for a number that no version of this ledger wrote.
bool is_known(RefusalCode code);
// "insufficient_funds".
std::string_view name(RefusalCode code);
// One sentence for people, with what is left: "The account does not have that much: 12.00 EUR is
// available."
std::string describe(const Refusal& refusal);
// The same as the end of a sentence, without what is left: "the account does not have that much".
std::string reason(RefusalCode code);

}  // namespace ledger
