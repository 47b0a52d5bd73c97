// Notes: how many banknotes of each denomination. Picks: the same, by cassette.
#pragma once

#include <compare>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/money.h"

namespace atm {

using ledger::Cents;
using ledger::Currency;

// Bounds on what staff and customers may name, so that no sum of notes overflows.
inline constexpr Cents denomination_max{1'000'000'000};
inline constexpr std::uint32_t notes_per_cassette_max = 10'000;
inline constexpr std::uint32_t notes_per_deposit_max = 200;

// `count` notes worth `denomination` each. The counts were bounded on their way in.
Cents worth(Cents denomination, std::int64_t count);

// A heap of notes. A plain value.
//
// Invariant: sorted by denomination, largest first; no entry counts 0. A count is negative only
// where a device moved notes that the books did not have.
class Notes {
 public:
  struct Entry {
    Cents denomination;
    std::int64_t count = 0;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  Notes() = default;
  Notes(std::initializer_list<Entry> entries);

  void add(Cents denomination, std::int64_t count);
  Notes& operator+=(const Notes& other);
  Notes& operator-=(const Notes& other);
  friend Notes operator+(Notes a, const Notes& b) { return a += b; }
  friend Notes operator-(Notes a, const Notes& b) { return a -= b; }

  std::int64_t of(Cents denomination) const;
  Cents amount() const;
  std::int64_t count() const;
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  // As the journal writes it: "5000*1 2000*3", in minor units. Reads only what it wrote.
  std::string encoded() const;
  static std::optional<Notes> decode(std::string_view text);
  // For people: "1 x 50.00, 3 x 20.00", "none".
  std::string text(Currency currency) const;

  friend bool operator==(const Notes&, const Notes&) = default;

 private:
  std::vector<Entry> entries_;
};

// Notes to be taken, or that were taken, from one cassette.
struct Pick {
  std::uint32_t position = 0;
  Cents denomination;
  std::int64_t count = 0;

  friend bool operator==(const Pick&, const Pick&) = default;
};
using Picks = std::vector<Pick>;

Notes notes_of(const Picks& picks);
// "1:2000*3 2:5000*1".
std::string encoded(const Picks& picks);
std::optional<Picks> decode_picks(std::string_view text);

}  // namespace atm
