// Histogram: how long things took, in nanoseconds, each within 1 % of what is told. A value.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace load {

// As HdrHistogram does it: 128 equal buckets for every power of two, so recording is a shift and an
// increment, whatever the value.
class Histogram {
 public:
  void record(std::uint64_t nanoseconds) noexcept {
    ++counts_[bucket_of(nanoseconds)];
    ++count_;
    largest_ = std::max(largest_, nanoseconds);
    sum_ += nanoseconds;
  }

  std::uint64_t count() const noexcept { return count_; }
  std::uint64_t largest() const noexcept { return largest_; }
  double mean() const noexcept {
    return count_ == 0 ? 0.0 : static_cast<double>(sum_) / static_cast<double>(count_);
  }

  // The value that this share (0 to 1) of all stay at or below; 0 when there are none.
  std::uint64_t at(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen >= wanted && seen > 0) return std::min(largest_of(bucket), largest_);
    }
    return largest_;
  }

 private:
  static constexpr std::size_t precision_bits = 7;
  static constexpr std::size_t half = std::size_t{1} << precision_bits;
  static constexpr std::size_t bucket_count = half * (64 - precision_bits + 1);

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < half) return static_cast<std::size_t>(value);
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - precision_bits - 1;
    return half * shift + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t largest_of(std::size_t bucket) noexcept {
    if (bucket < 2 * half) return bucket;
    const std::size_t shift = bucket / half - 1;
    const std::uint64_t first = (half + bucket % half) << shift;
    return first + (std::uint64_t{1} << shift) - 1;
  }

  std::array<std::uint64_t, bucket_count> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
  std::uint64_t sum_ = 0;
};

}  // namespace load
