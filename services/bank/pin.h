// Pin: the digits that a customer knows, for as short a time as they are in memory.
#pragma once

#include <array>
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "ledger/refusal.h"

namespace bank {

inline constexpr std::size_t pin_size_min = 4;
inline constexpr std::size_t pin_size_max = 12;

// Overwrites the text before it is emptied, so that it is not found in memory afterwards.
void wipe(std::string& text) noexcept;

// 4 to 12 digits. Moving wipes what was moved from, destroying wipes: never in a std::string, never
// in a log. A value, for any thread.
class Pin {
 public:
  // Takes the digits out of `text`, and wipes it in any case. The error is what makes it no PIN.
  static std::expected<Pin, ledger::ShapeFault> take(std::string& text);

  Pin(const Pin& other) = delete;
  Pin& operator=(const Pin& other) = delete;
  Pin(Pin&& other) noexcept;
  Pin& operator=(Pin&& other) noexcept;
  ~Pin();

  std::string_view digits() const { return {digits_.data(), size_}; }

  // What everybody tries first: one digit only ("0000"), or a run up or down ("1234", "9876",
  // "7890").
  bool is_easily_guessed() const;

  // Takes as long whichever digits differ.
  bool is_same_as(const Pin& other) const;

 private:
  Pin() = default;
  void wipe() noexcept;

  std::array<char, pin_size_max> digits_{};
  std::size_t size_ = 0;
};

}  // namespace bank
