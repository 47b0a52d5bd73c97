#include "bank/pin_desk.h"

#include <array>
#include <expected>
#include <span>
#include <utility>
#include <variant>

namespace bank {

using ledger::Outcome;
using ledger::Refusal;
using ledger::RefusalCode;

// A card's turnstile for as long as somebody is at it.
class PinDesk::Turn {
 public:
  Turn(PinDesk& desk, const std::string& card_number)
      : desk_(desk), place_(desk.turnstiles_.try_emplace(card_number, desk.loop_, 1).first) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    pass_.reset();
    if (place_->second.is_idle()) desk_.turnstiles_.erase(place_);
  }

  Turnstile::Entering wait() { return place_->second.enter(); }
  void begin(Turnstile::Pass pass) { pass_.emplace(std::move(pass)); }

 private:
  PinDesk& desk_;
  std::map<std::string, Turnstile, std::less<>>::iterator place_;
  std::optional<Turnstile::Pass> pass_;
};

async::Task<Outcome> PinDesk::attempt(std::string card_number, std::string terminal_id, Pin pin) {
  const async::Instant refusal_at = loop_.now() + refused_pin_time_min;
  Outcome tried =
      co_await try_in_turn(std::move(card_number), std::move(terminal_id), std::move(pin));
  if (!tried) co_await loop_.sleep_until(refusal_at);
  co_return tried;
}

async::Task<Outcome> PinDesk::try_in_turn(std::string card_number, std::string terminal_id,
                                          Pin pin) {
  Turn turn(*this, card_number);
  Turnstile::Pass pass = co_await turn.wait();
  turn.begin(std::move(pass));
  const bool is_right = co_await hasher_.matches(hash_of(card_number), std::move(pin));
  if (is_right && has_all_tries(card_number)) {
    co_return ledger::Receipt{.ledger_seq = store_.books().last_seq(),
                              .tries_left = ledger::pin_tries_max};
  }
  // No deadline: a PIN that was tried is counted, whoever still waits.
  ledger::Operation tried{
      .id = make_id(),
      .principal = std::move(terminal_id),
      .change = ledger::RecordPinAttempt{.card = card_number, .right = is_right}};
  Outcome counted = co_await changes_.make(std::move(tried));
  if (!counted && counted.error().code == RefusalCode::card_not_found) {
    co_return answer_stranger(card_number);
  }
  if (!counted || is_right) co_return counted;
  co_return std::unexpected(
      Refusal{.code = RefusalCode::pin_wrong, .left_count = counted->tries_left});
}

async::Task<bool> PinDesk::is_pin_of(std::string hash, Pin pin) {
  co_return co_await hasher_.matches(std::move(hash), std::move(pin));
}

async::Task<Outcome> PinDesk::change(ledger::Operation operation, Pin old_pin, Pin new_pin) {
  auto& change = std::get<ledger::SetPin>(operation.change);
  Turn turn(*this, change.card);
  Turnstile::Pass pass = co_await turn.wait();
  turn.begin(std::move(pass));
  const bool is_right = co_await hasher_.matches(hash_of(change.card), std::move(old_pin));
  change.old_pin = is_right ? ledger::OldPin::right : ledger::OldPin::wrong;
  if (is_right) change.pin_hash = co_await hasher_.hash(std::move(new_pin));
  Outcome changed = co_await changes_.make(std::move(operation));
  co_return changed;
}

// The right PIN changes nothing then, and is taken also while the bank takes no changes (rule 26).
bool PinDesk::has_all_tries(const std::string& card_number) const {
  const ledger::Card* const card = store_.books().find_card(card_number);
  return card != nullptr && card->state == ledger::CardState::active && card->wrong_pins == 0;
}

const std::string& PinDesk::hash_of(const std::string& card_number) const {
  const ledger::Card* const card = store_.books().find_card(card_number);
  return card == nullptr ? hasher_.of_nobody() : card->pin_hash;
}

Outcome PinDesk::answer_stranger(const std::string& card_number) {
  const auto [stranger, is_new] = strangers_.try_emplace(card_number, 0);
  if (is_new) strangers_in_order_.push_back(card_number);
  if (stranger->second == ledger::pin_tries_max) {
    return std::unexpected(Refusal{.code = RefusalCode::pin_tries_exceeded});
  }
  ++stranger->second;
  Refusal wrong{.code = RefusalCode::pin_wrong,
                .left_count = ledger::pin_tries_max - stranger->second};
  if (strangers_.size() > strangers_max) {
    strangers_.erase(strangers_in_order_.front());
    strangers_in_order_.pop_front();
  }
  return std::unexpected(wrong);
}

ledger::OperationId PinDesk::make_id() {
  std::array<std::uint8_t, 10> chance{};
  random_.fill(std::as_writable_bytes(std::span(chance)));
  return ledger::OperationId::make(loop_.wall_now(), chance);
}

}  // namespace bank
