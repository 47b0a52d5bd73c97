// PinHasher: turns PINs into what may be stored, and tells whether a PIN is the one that was.
#pragma once

#include <cstddef>
#include <string>

#include "async/loop.h"
#include "async/task.h"
#include "bank/pin.h"
#include "bank/turnstile.h"

namespace bank {

// What a hash costs, ours and a thief's of the database: OWASP's smallest argon2id.
struct PinCost {
  unsigned long long passes = 2;
  std::size_t memory_bytes = 19 * 1024 * 1024;
};

// Each takes a core and PinCost's memory for as long as 20 to 40 ms.
inline constexpr std::size_t pin_hashes_at_once_max = 2;
// A few seconds of work; further calls fail with RESOURCE_EXHAUSTED at once.
inline constexpr std::size_t pin_hashes_waiting_max = 256;

// Computes argon2id (libsodium's crypto_pwhash) on the pool, at most pin_hashes_at_once_max at a
// time, so that the loop never stops for one. Owned by main or a test; loop thread only.
class PinHasher {
 public:
  PinHasher(async::Loop& loop, PinCost cost);

  // In the form that argon2 gives itself, with cost and salt: "$argon2id$v=19$m=19456,t=2,p=1$...".
  async::Task<std::string> hash(Pin pin);
  // Takes the same time for every hash of the same cost, whatever the PIN.
  async::Task<bool> matches(std::string hash, Pin pin);

  // A hash of the same cost that no PIN has: an unknown card is compared with it.
  const std::string& of_nobody() const { return of_nobody_; }

 private:
  void require_room() const;

  async::Loop& loop_;
  PinCost cost_;
  std::string of_nobody_;
  Turnstile turnstile_;
};

}  // namespace bank
