#include "ledger/planned_notes.h"

#include <algorithm>
#include <charconv>
#include <numeric>

#include "ledger/check.h"

namespace ledger {
namespace {

template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || number < Number{1}) return false;
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  return true;
}

bool take(std::string_view& text, char letter) {
  if (!text.starts_with(letter)) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t unit_of(const std::vector<PlannedNotes>& planned) {
  std::int64_t unit = 0;
  for (const PlannedNotes& each : planned) unit = std::gcd(unit, each.denomination.value);
  return unit;
}

bool is_bounded(const std::vector<PlannedNotes>& planned) {
  if (planned.size() > planned_kinds_max) return false;
  const std::int64_t unit = unit_of(planned);
  std::uint32_t notes = 0;
  std::int64_t units = 0;
  for (const PlannedNotes& each : planned) {
    const std::int64_t size = each.denomination.value / unit;
    if (each.count > planned_notes_max - notes || size > planned_units_max) return false;
    notes += each.count;
    units += size * each.count;
    if (units > planned_units_max) return false;
  }
  return true;
}

}  // namespace

std::string to_text(const std::vector<PlannedNotes>& planned) {
  std::string text;
  for (const PlannedNotes& each : planned) {
    if (!text.empty()) text += ',';
    text += std::to_string(each.count) + "x" + std::to_string(each.denomination.value);
  }
  return text;
}

std::optional<std::vector<PlannedNotes>> parse_planned(std::string_view text) {
  std::vector<PlannedNotes> planned;
  do {
    PlannedNotes notes;
    if (!take_number(text, notes.count) || !take(text, 'x')) return std::nullopt;
    if (!take_number(text, notes.denomination.value)) return std::nullopt;
    planned.push_back(notes);
  } while (planned.size() <= planned_kinds_max && take(text, ','));
  if (!text.empty() || !is_bounded(planned)) return std::nullopt;
  return planned;
}

Cents nearest_below(std::string_view planned, Cents wanted) {
  const std::optional<std::vector<PlannedNotes>> notes = parse_planned(planned);
  check(notes.has_value());
  const std::int64_t unit = unit_of(*notes);
  std::int64_t units = 0;
  for (const PlannedNotes& each : *notes) units += each.denomination.value / unit * each.count;
  std::vector<bool> makes(static_cast<std::size_t>(units) + 1);
  makes[0] = true;
  // How many of the notes at hand a sum takes at least, so one pass does for all of them.
  std::vector<std::uint32_t> taken(makes.size());
  for (const PlannedNotes& each : *notes) {
    std::ranges::fill(taken, 0);
    const auto size = static_cast<std::size_t>(each.denomination.value / unit);
    for (std::size_t sum = size; sum < makes.size(); ++sum) {
      if (makes[sum] || !makes[sum - size] || taken[sum - size] == each.count) continue;
      makes[sum] = true;
      taken[sum] = taken[sum - size] + 1;
    }
  }
  auto nearest = static_cast<std::size_t>(std::min(wanted.value / unit, units));
  while (!makes[nearest]) --nearest;
  return Cents{static_cast<std::int64_t>(nearest) * unit};
}

}  // namespace ledger
