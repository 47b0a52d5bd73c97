// The notes that a terminal may have paid, all or some of them, without knowing which.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/money.h"

namespace ledger {

struct PlannedNotes {
  Cents denomination;
  std::uint32_t count = 0;
};

// Bounds on what a terminal may name: so many entries, so many notes in all of them, and so many of
// their largest common unit. A decision takes planned_kinds_max x planned_units_max steps at worst.
inline constexpr std::uint32_t planned_kinds_max = 16;
inline constexpr std::uint32_t planned_notes_max = 1'000;
inline constexpr std::int64_t planned_units_max = 100'000;

// "3x2000,1x1000", in minor units. What parse_planned() does not take is none.
std::string to_text(const std::vector<PlannedNotes>& planned);
std::optional<std::vector<PlannedNotes>> parse_planned(std::string_view text);

// The largest amount of at most `wanted`, 0 or more, that some of these notes make. parse_planned()
// must take `planned`.
Cents nearest_below(std::string_view planned, Cents wanted);

}  // namespace ledger
