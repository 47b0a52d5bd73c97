// PinDesk: where PINs are tried.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>

#include "async/loop.h"
#include "async/random.h"
#include "async/task.h"
#include "bank/changes.h"
#include "bank/pin.h"
#include "bank/pin_hasher.h"
#include "bank/turnstile.h"
#include "ledger/store.h"

namespace bank {

// How many unknown cards' tries are remembered; the one first seen is forgotten for another.
inline constexpr std::size_t strangers_max = 10'000;

// No refusal of a PIN is told sooner after it came: time enough for the hash and for the journal, so
// that the time tells nothing about what was done.
inline constexpr async::Duration refused_pin_time_min = std::chrono::milliseconds(100);

// Tries PINs, one after the other for each card, so that guesses sent side by side are no more than
// pin_tries_max. A wrong one is in the journal before its answer is told.
//
// A card that the bank does not know is answered like one whose PIN was wrong: after the same work,
// with the same words, and locked after as many tries (until a restart, which an asker does not
// see). Owned by main or a test; loop thread only.
class PinDesk {
 public:
  PinDesk(async::Loop& loop, ledger::Store& store, Changes& changes, PinHasher& hasher,
          async::Random& random)
      : loop_(loop), store_(store), changes_(changes), hasher_(hasher), random_(random) {}

  // Yes; or pin_wrong with the tries that are left, pin_tries_exceeded, or card_blocked.
  async::Task<ledger::Outcome> attempt(std::string card_number, std::string terminal_id, Pin pin);

  // Whether a PIN is the one of this hash. Counts nothing: only for who has proven to know the card's PIN.
  async::Task<bool> is_pin_of(std::string hash, Pin pin);

  // Makes a SetPin: with the new PIN's hash if the old PIN is right.
  async::Task<ledger::Outcome> change(ledger::Operation operation, Pin old_pin, Pin new_pin);

 private:
  class Turn;

  async::Task<ledger::Outcome> try_in_turn(std::string card_number, std::string terminal_id,
                                           Pin pin);
  bool has_all_tries(const std::string& card_number) const;
  const std::string& hash_of(const std::string& card_number) const;
  ledger::Outcome answer_stranger(const std::string& card_number);
  ledger::OperationId make_id();

  async::Loop& loop_;
  ledger::Store& store_;
  Changes& changes_;
  PinHasher& hasher_;
  async::Random& random_;
  std::map<std::string, Turnstile, std::less<>> turnstiles_;  // Of cards being tried.
  std::map<std::string, std::uint32_t> strangers_;            // Wrong tries of unknown cards.
  std::deque<std::string> strangers_in_order_;
};

}  // namespace bank
