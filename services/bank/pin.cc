#include "bank/pin.h"

#include <algorithm>

#include <sodium.h>

namespace bank {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

// Whether each digit is the one before plus `step`; 0 follows 9.
bool goes_in_steps_of(int step, std::string_view digits) {
  for (std::size_t i = 1; i < digits.size(); ++i) {
    const int expected = (digits[i - 1] - '0' + step + 10) % 10;
    if (digits[i] - '0' != expected) return false;
  }
  return true;
}

}  // namespace

void wipe(std::string& text) noexcept {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

std::expected<Pin, ledger::ShapeFault> Pin::take(std::string& text) {
  Pin pin;
  ledger::ShapeFault fault = ledger::ShapeFault::none;
  if (!std::ranges::all_of(text, is_digit)) fault = ledger::ShapeFault::letter;
  if (text.size() < pin_size_min) fault = ledger::ShapeFault::too_short;
  if (text.size() > pin_size_max) fault = ledger::ShapeFault::too_long;
  if (text.empty()) fault = ledger::ShapeFault::empty;
  if (fault == ledger::ShapeFault::none) {
    std::ranges::copy(text, pin.digits_.begin());
    pin.size_ = text.size();
  }
  bank::wipe(text);
  if (fault != ledger::ShapeFault::none) return std::unexpected(fault);
  return pin;
}

Pin::Pin(Pin&& other) noexcept : digits_(other.digits_), size_(other.size_) { other.wipe(); }

Pin& Pin::operator=(Pin&& other) noexcept {
  if (this == &other) return *this;
  digits_ = other.digits_;
  size_ = other.size_;
  other.wipe();
  return *this;
}

Pin::~Pin() { wipe(); }

void Pin::wipe() noexcept {
  sodium_memzero(digits_.data(), digits_.size());
  size_ = 0;
}

bool Pin::is_easily_guessed() const {
  return goes_in_steps_of(0, digits()) || goes_in_steps_of(1, digits()) ||
         goes_in_steps_of(-1, digits());
}

bool Pin::is_same_as(const Pin& other) const {
  return size_ == other.size_ && sodium_memcmp(digits_.data(), other.digits_.data(), size_) == 0;
}

}  // namespace bank
