// Random: where chance comes from. Ids, trace ids and the jitter of back-off are drawn from one
// that is handed in.
#pragma once

#include <array>
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
//
// Takes it in pieces, since most who draw want little. What is in hand nobody has seen, and what was
// given is wiped: a look into this memory tells what comes, as any look into it would, but not what
// was. A child that goes on after fork() would draw the same.
class SystemRandom final : public Random {
 public:
  SystemRandom() = default;
  SystemRandom(const SystemRandom&) = delete;
  SystemRandom& operator=(const SystemRandom&) = delete;

  void fill(std::span<std::byte> bytes) override;

 private:
  std::array<std::byte, 512> in_hand_{};
  std::size_t left_ = 0;  // The last so many of them.
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
