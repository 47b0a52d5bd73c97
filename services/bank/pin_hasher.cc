#include "bank/pin_hasher.h"

#include <array>
#include <new>
#include <string_view>
#include <utility>

#include <fmt/format.h>
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

// Bytes that nobody chose, as argon2 writes them.
template <std::size_t size>
std::string random_text() {
  std::array<unsigned char, size> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  constexpr int alphabet = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
  std::array<char, sodium_base64_ENCODED_LEN(size, alphabet)> text{};
  return sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), alphabet);
}

// Salt and hash are made up: to look for a PIN behind them takes as long as for any other, and to
// make them takes no time.
std::string hash_of_nobody(const PinCost& cost) {
  constexpr std::size_t salt_size = crypto_pwhash_argon2id_SALTBYTES;
  constexpr std::size_t hash_size = 32;
  return fmt::format("$argon2id$v=19$m={},t={},p=1${}${}", cost.memory_bytes / 1024, cost.passes,
                     random_text<salt_size>(), random_text<hash_size>());
}

}  // namespace

PinHasher::PinHasher(async::Loop& loop, PinCost cost)
    : loop_(loop), cost_(cost), turnstile_(loop, pin_hashes_at_once_max) {
  async::check(sodium_init() >= 0, "libsodium works on this machine");
  of_nobody_ = hash_of_nobody(cost_);
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
