#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ledger/check.h"

namespace ledger {

// An amount in the smallest unit of some currency. A plain value, for any thread.
//
// Nothing wraps: `plus` and `minus` say when a sum does not fit, so that the ledger can refuse it;
// the operators are for sums that were bounded before, and stop the process when they were not.
struct Cents {
  std::int64_t value = 0;

  friend constexpr auto operator<=>(Cents, Cents) = default;
};

constexpr std::optional<Cents> plus(Cents a, Cents b) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(a.value, b.value, &sum)) return std::nullopt;
  return Cents{sum};
}

constexpr std::optional<Cents> minus(Cents a, Cents b) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(a.value, b.value, &difference)) return std::nullopt;
  return Cents{difference};
}

constexpr Cents operator+(Cents a, Cents b) {
  const std::optional<Cents> sum = plus(a, b);
  check(sum.has_value());
  return *sum;
}

constexpr Cents operator-(Cents a, Cents b) {
  const std::optional<Cents> difference = minus(a, b);
  check(difference.has_value());
  return *difference;
}

constexpr Cents operator-(Cents a) { return Cents{0} - a; }
constexpr Cents& operator+=(Cents& a, Cents b) { return a = a + b; }
constexpr Cents& operator-=(Cents& a, Cents b) { return a = a - b; }

// An ISO 4217 code, three capital letters in one word. The default is no currency, which no account
// has.
class Currency {
 public:
  constexpr Currency() = default;

  // "EUR". Nothing else: no lower case, no blanks, no numbers.
  static constexpr std::optional<Currency> parse(std::string_view text) {
    if (text.size() != 3) return std::nullopt;
    std::uint32_t packed = 0;
    for (const char letter : text) {
      if (letter < 'A' || letter > 'Z') return std::nullopt;
      packed = (packed << 8U) | static_cast<std::uint32_t>(static_cast<unsigned char>(letter));
    }
    return Currency(packed);
  }

  // For a code that the program itself spells.
  static constexpr Currency of(std::string_view text) {
    const std::optional<Currency> currency = parse(text);
    check(currency.has_value());
    return *currency;
  }

  constexpr bool is_set() const { return packed_ != 0; }
  // ISO 4217 lists it as money, and says how many digits follow its point. XTS, which is for tests,
  // counts; gold does not.
  bool is_listed() const;
  // "EUR", or "" when not set.
  std::string text() const;
  // How many digits follow the point: 2 for EUR, 0 for JPY, 3 for KWD.
  int minor_digits() const;

  constexpr std::uint32_t packed() const { return packed_; }

  friend constexpr auto operator<=>(Currency, Currency) = default;

 private:
  explicit constexpr Currency(std::uint32_t packed) : packed_(packed) {}

  std::uint32_t packed_ = 0;
};

// A currency that ISO 4217 lists. Else what follows the name of an option that should be one, without
// a full stop: "must be one of ISO 4217, …".
std::expected<Currency, std::string> parse_listed(std::string_view text);

// An amount and what it is an amount of.
struct Money {
  Cents amount;
  Currency currency;

  friend constexpr bool operator==(const Money&, const Money&) = default;
};

// What a person typed, in major units: "60", "60.5" and "60.00" are 6000 cents. The error is one
// sentence that says what is wrong with it: a sign, an exponent, too many digits after the point,
// more than 64 bits hold. 0 parses: who forbids it says so.
std::expected<Cents, std::string> parse_major_units(std::string_view text, Currency currency);

// The same of no currency yet: a sentence that says why it is an amount of none, or nothing.
std::optional<std::string> why_not_major_units(std::string_view text);

// "60.00", "-0.05": all minor digits, no grouping.
std::string major_units(Cents amount, Currency currency);

// "60.00 EUR".
std::string to_text(const Money& money);

// "5, 10 and 20 EUR": what notes there are. Whole amounts are without their minor digits.
std::string to_text(std::span<const Cents> amounts, Currency currency);

}  // namespace ledger
