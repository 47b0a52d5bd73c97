#include "atm/described.h"

#include <chrono>

#include "ops/calendar.h"
#include "ops/log.h"

namespace atm {

namespace {

std::string at_text(std::int64_t at_us) {
  return ops::utc_text(async::WallTime(std::chrono::microseconds(at_us)));
}

std::string amount_text(Cents amount, Currency currency) {
  return ledger::to_text({.amount = amount, .currency = currency});
}

}  // namespace

std::string described(const Withdrawal& withdrawal, Currency currency) {
  const Cents paid = notes_of(withdrawal.presented).amount();
  std::string text = amount_text(withdrawal.amount, currency);
  if (paid != Cents{0} && paid != withdrawal.amount) {
    text += ", of which " + amount_text(paid, currency) + " was paid";
  }
  return text + ", card " + ops::mask_card(withdrawal.card) + ", " +
         at_text(withdrawal.requested_at_us) + ", hold " + withdrawal.hold_id.text();
}

std::string described(const Deposit& deposit, Currency currency) {
  return amount_text(deposit.counted.amount(), currency) + ", card " +
         ops::mask_card(deposit.card) + ", " + at_text(deposit.counted_at_us) + ", at the bank " +
         deposit.post_id.text();
}

std::string described(const Movement& movement, Currency currency) {
  return std::string(name(movement.direction)) + " of " +
         amount_text(movement.notes.amount(), currency) + ", " + at_text(movement.requested_at_us) +
         ", at the bank " + movement.bank_id.text();
}

}  // namespace atm
