// Settings: the named limits and times of an ATM, and the clock that counts a hold's life.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "async/time.h"
#include "atm/notes.h"

namespace atm {

struct Settings {
  Currency currency;
  // The notes that are loaded and accepted, and no others; smallest first.
  std::vector<Cents> denominations;
  // How long the bank reserves the money. Dispensing begins within half of it, or not at all.
  std::chrono::milliseconds hold_time_to_live = std::chrono::minutes(2);
  // A customer who does nothing for so long loses the session.
  async::Duration session_idle_max = std::chrono::seconds(60);
  // Kept of a customer's deadline for telling the answer, but never more than a quarter of it.
  async::Duration answer_reserve = std::chrono::milliseconds(500);
  // A device that does not answer is asked again for so long; then it is unknown what it did.
  async::Duration device_patience = std::chrono::seconds(10);
  async::Duration device_retry = std::chrono::seconds(1);
  // How often the bank is asked what its operator decided, and what a device says by now.
  async::Duration decision_poll = std::chrono::seconds(5);
  // How often each terminal signs on again, to see what changed at the bank.
  async::Duration heartbeat = std::chrono::seconds(2);
  // How long the queue waits for one answer before it asks again.
  async::Duration bank_patience = std::chrono::seconds(5);
  // Below so much free space no change is begun (rule 26).
  std::uint64_t free_space_reserve_bytes = 64ULL * 1024 * 1024;
};

// Of one atmd. They sign on to the bank side by side, each of them with a call of one connection.
inline constexpr std::size_t terminals_max = 100;

// Items that have ended are kept in memory for their retries; older ones are read from the journal.
inline constexpr std::size_t ended_items_kept_max = 10'000;
inline constexpr std::size_t ended_items_forgotten_at_once = 1'000;
static_assert(ended_items_forgotten_at_once <= ended_items_kept_max);

// How many of the bank's chain heads are kept, to find where its history parted from ours. Backups of
// any age are met to within a third of what they lack.
inline constexpr std::size_t bank_heads_kept_max = 64;

// Time that runs while the machine sleeps: a hold's life at the bank does not stop when the ATM is
// suspended, as the loop's clock does (rule 16).
class BootClock {
 public:
  virtual ~BootClock() = default;
  virtual std::chrono::nanoseconds now() const = 0;
};

class SystemBootClock final : public BootClock {
 public:
  std::chrono::nanoseconds now() const override;
};

// How much the journal's disk can still take. An interface, so that a test can fill it.
class FreeSpace {
 public:
  virtual ~FreeSpace() = default;
  virtual std::uint64_t bytes() const = 0;
};

// Rule 26: below the reserve nothing is begun, and then not before a margin above it is free: space
// that hovers at the reserve must not put terminals out of service and back again each time. Loop
// thread only; outlived by `free`.
class DiskRoom {
 public:
  static constexpr std::uint64_t margin_bytes = 8ULL * 1024 * 1024;

  DiskRoom(const FreeSpace& free, std::uint64_t reserve_bytes)
      : free_(free), reserve_bytes_(reserve_bytes) {}
  bool is_left() const {
    was_left_ = free_.bytes() >= reserve_bytes_ + (was_left_ ? 0 : margin_bytes);
    return was_left_;
  }
  std::uint64_t free_bytes() const { return free_.bytes(); }
  std::uint64_t reserve_bytes() const { return reserve_bytes_; }

 private:
  const FreeSpace& free_;
  std::uint64_t reserve_bytes_;
  mutable bool was_left_ = true;
};

}  // namespace atm
