// How the peers' own clients tell what they measured, in the same words as our load generator.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

class Latency {
 public:
  using Clock = std::chrono::steady_clock;

  Latency(double warm_up_seconds, double seconds)
      : begin_(Clock::now() + to_duration(warm_up_seconds)),
        end_(begin_ + to_duration(seconds)),
        seconds_(seconds) {
    nanoseconds_.reserve(4'000'000);
  }

  // One call ended. False: it is time to stop.
  bool ended(Clock::time_point began) {
    const Clock::time_point now = Clock::now();
    ++all_;
    if (now >= end_) return false;
    if (now >= begin_) nanoseconds_.push_back(static_cast<std::uint32_t>((now - began).count()));
    return true;
  }

  void print() {
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    const auto at = [&](double share) {
      if (nanoseconds_.empty()) return 0.0;
      const auto last = static_cast<double>(nanoseconds_.size() - 1);
      return nanoseconds_[static_cast<std::size_t>(share * last)] / 1e3;
    };
    std::printf(
        "{\"seconds\": %.3f, \"all_calls\": %zu, \"flows\": [{\"done\": %zu, \"per_second\": %.1f, "
        "\"p50_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f}]}\n",
        seconds_, all_, nanoseconds_.size(), static_cast<double>(nanoseconds_.size()) / seconds_,
        at(0.5), at(0.99), at(0.999));
  }

 private:
  static Clock::duration to_duration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  Clock::time_point begin_;
  Clock::time_point end_;
  double seconds_;
  std::size_t all_ = 0;
  std::vector<std::uint32_t> nanoseconds_;
};
