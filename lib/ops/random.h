// Where chance comes from: an interface, so that a test decides it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ops {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  std::uint64_t next_u64();
  // Evenly from 0 to `bound` - 1. `bound` is at least 1.
  std::uint64_t below(std::uint64_t bound);
};

// The operating system's, through libsodium: unpredictable, for keys and tokens too. Any thread.
class SystemRandom final : public Random {
 public:
  SystemRandom();
  void fill(std::span<std::byte> bytes) override;
};

}  // namespace ops
