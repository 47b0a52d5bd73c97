// Which notes make an amount (rule 14).
#pragma once

#include <expected>
#include <span>
#include <vector>

#include "atm/notes.h"

namespace atm {

// A cassette as the books have it.
struct Cassette {
  std::uint32_t position = 0;  // From 1.
  Cents denomination;
  std::int64_t count = 0;

  friend bool operator==(const Cassette&, const Cassette&) = default;
};

inline constexpr std::uint32_t cassettes_max = 8;
// What one dispense may move.
inline constexpr std::uint32_t notes_per_dispense_max = 100;
// An amount is planned in units of the denominations' greatest common divisor. More units than this
// are not planned, so that a plan takes milliseconds at worst: with notes from 5.00 to 500.00 EUR
// the largest dispense has 10,000.
inline constexpr std::int64_t units_max = 20'000;

// The amounts next to one that cannot be made: at most one below it and one above.
using NearestAmounts = std::vector<Cents>;

// The fewest notes that make exactly `amount`; among equals those that leave the cassettes most
// even, which is the smallest sum of squares of what stays in them. Or, when the cassettes cannot
// make it with notes_per_dispense_max notes, the nearest amounts that they can. Pure; its time is
// bounded by units_max x cassettes_max x notes_per_dispense_max.
std::expected<Picks, NearestAmounts> plan_mix(std::span<const Cassette> cassettes, Cents amount);

// Those of `amounts` that the cassettes can make, each alone, in the order given. Pure; takes the time
// of one plan, of the largest of them, however many there are.
std::vector<Cents> makeable(std::span<const Cassette> cassettes, std::span<const Cents> amounts);

}  // namespace atm
