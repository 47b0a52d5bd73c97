#include "ops/random.h"

#include <limits>

#include <sodium.h>

#include "async/check.h"

namespace ops {

std::uint64_t Random::next_u64() {
  std::uint64_t number = 0;
  fill(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

std::uint64_t Random::below(std::uint64_t bound) {
  async::check(bound > 0, "there is a number below the bound");
  // What lies above the largest multiple of the bound would make small numbers likelier.
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t fair_max = max - max % bound;
  std::uint64_t number = next_u64();
  while (number >= fair_max) number = next_u64();
  return number % bound;
}

SystemRandom::SystemRandom() {
  const bool ready = sodium_init() >= 0;
  async::check(ready, "libsodium can be used");
}

void SystemRandom::fill(std::span<std::byte> bytes) { randombytes_buf(bytes.data(), bytes.size()); }

}  // namespace ops
