// Time: instants of the monotonic clock, deadlines, and the wall clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace async {

using Duration = std::chrono::nanoseconds;

// The monotonic clock, as the loop sees it: constant within one turn. Never shown to people, never
// stored.
struct SteadyClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<SteadyClock>;
  static constexpr bool is_steady = true;
};
using Instant = SteadyClock::time_point;

// `duration` after `start`; the end of time when it lies beyond, so that "no deadline" can be added
// to.
constexpr Instant after(Instant start, Duration duration) {
  if (duration > Duration::zero() && start > Instant::max() - duration) return Instant::max();
  return start + duration;
}

// The wall clock, in UTC. It can jump; it orders nothing.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// Until when somebody waits: an absolute time within the process, so that it cannot grow on its
// way. On the wire it travels as the time left (proto/FRAMING.md). It ends the waiting, never work
// that moves money.
class Deadline {
 public:
  // No deadline.
  static constexpr Deadline never() { return Deadline(Instant::max()); }
  static constexpr Deadline at(Instant when) { return Deadline(when); }

  constexpr Instant when() const { return when_; }
  constexpr bool is_never() const { return when_ == Instant::max(); }
  constexpr bool has_passed(Instant now) const { return now >= when_; }
  constexpr Duration left(Instant now) const {
    if (is_never()) return Duration::max();
    return now >= when_ ? Duration::zero() : when_ - now;
  }
  // The nearer of two.
  friend constexpr Deadline earlier(Deadline a, Deadline b) { return a.when_ < b.when_ ? a : b; }
  friend constexpr auto operator<=>(Deadline, Deadline) = default;

 private:
  constexpr explicit Deadline(Instant when) : when_(when) {}
  Instant when_;
};

}  // namespace async
