#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ledger {

// A short text that is kept in place: it needs no memory of its own, and is copied with what holds it. A value.
//
// What is longer than `size_max` is cut after one letter more: so it stays too long, and equals nothing that is short enough.
template <std::size_t size_max>
class InlineText {
 public:
  constexpr InlineText() = default;
  constexpr InlineText(std::string_view text)
      : size_(static_cast<std::uint8_t>(std::min(text.size(), letters_.size()))) {
    std::copy_n(text.begin(), size_, letters_.begin());
  }
  template <typename Text>
    requires std::convertible_to<const Text&, std::string_view>
  constexpr InlineText(const Text& text) : InlineText(std::string_view(text)) {}

  constexpr std::string_view view() const { return {letters_.data(), size_}; }
  constexpr operator std::string_view() const { return view(); }
  constexpr std::size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }

  friend constexpr bool operator==(const InlineText& a, const InlineText& b) {
    return a.view() == b.view();
  }

 private:
  static_assert(size_max < 255);

  std::array<char, size_max + 1> letters_{};
  std::uint8_t size_ = 0;
};

}  // namespace ledger
