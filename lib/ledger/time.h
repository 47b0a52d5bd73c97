#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

#include "async/time.h"

namespace ledger {

// A point in time as people count it, and as it is journalled: microseconds since 1970 in UTC. The
// journal's times never go back, whatever the machine's clock does (rule 11).
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

constexpr std::int64_t microseconds_of(Instant at) { return at.time_since_epoch().count(); }
constexpr Instant instant_of(std::int64_t microseconds) {
  return Instant(std::chrono::microseconds(microseconds));
}

// When to stop waiting, by the clock that nobody sets: never journalled, never compared.
using async::Deadline;

// A day of the bank's own calendar (its configured time zone), counted from 1970-01-01. Daily
// limits count by it.
struct BusinessDay {
  std::int32_t number = 0;

  friend constexpr auto operator<=>(BusinessDay, BusinessDay) = default;
};

// When a batch is decided: one instant for all of it. The store makes sure that `at` and `day`
// never go back.
struct Moment {
  Instant at;
  BusinessDay day;
  // What deadlines are held against.
  async::Instant clock = async::Instant::min();
};

}  // namespace ledger
