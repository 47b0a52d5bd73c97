// Random: where chance comes from. Ids, trace ids and the jitter of back-off are drawn from one
// that is handed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace async {

// Owned by main or by a test, and outlives who draws from it. Loop thread only.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::byte> bytes) = 0;

  std::uint64_t next();
  // From 0 to `bound` - 1, without bias that anyone could measure. `bound` is at least 1.
  std::uint64_t below(std::uint64_t bound);
};

// The system's: nobody can guess what comes. A process whose system gives none stops.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::byte> bytes) override;
};

// The same numbers for the same seed, for tests and simulation (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> bytes) override;

 private:
  std::uint64_t state_;
};

}  // namespace async
