#include "bank/pin_hasher.h"

#include <array>
#include <new>
#include <string_view>
#include <utility>

#include <sodium.h>

#include "async/check.h"
#include "rpc/status.h"

namespace bank {
namespace {

std::string hash_of(std::string_view secret, const PinCost& cost) {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const int failed = crypto_pwhash_str_alg(text.data(), secret.data(), secret.size(), cost.passes,
                                           cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) throw std::bad_alloc();  // The only way it can fail.
  return text.data();
}

}  // namespace

PinHasher::PinHasher(async::Loop& loop, PinCost cost)
    : loop_(loop), cost_(cost), turnstile_(loop, pin_hashes_at_once_max) {
  async::check(sodium_init() >= 0, "libsodium works on this machine");
  std::array<char, 32> secret{};
  randombytes_buf(secret.data(), secret.size());
  of_nobody_ = hash_of({secret.data(), secret.size()}, cost_);
}

async::Task<std::string> PinHasher::hash(Pin pin) {
  require_room();
  const Turnstile::Pass inside = co_await turnstile_.enter();
  auto work = [pin = std::move(pin), cost = cost_] { return hash_of(pin.digits(), cost); };
  co_return co_await loop_.offload(std::move(work));
}

async::Task<bool> PinHasher::matches(std::string hash, Pin pin) {
  require_room();
  const Turnstile::Pass inside = co_await turnstile_.enter();
  auto work = [hash = std::move(hash), pin = std::move(pin)] {
    return crypto_pwhash_str_verify(hash.c_str(), pin.digits().data(), pin.digits().size()) == 0;
  };
  co_return co_await loop_.offload(std::move(work));
}

void PinHasher::require_room() const {
  if (turnstile_.waiting() < pin_hashes_waiting_max) return;
  throw rpc::Error(rpc::StatusCode::resource_exhausted,
                   "Too many PINs are being checked; try again in a few seconds.");
}

}  // namespace bank
