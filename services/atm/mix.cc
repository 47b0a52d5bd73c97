#include "atm/mix.h"

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace atm {

namespace {

struct Cost {
  std::int32_t notes = std::numeric_limits<std::int32_t>::max();
  std::int64_t unevenness = 0;

  bool is_possible() const { return notes != std::numeric_limits<std::int32_t>::max(); }
  friend auto operator<=>(const Cost&, const Cost&) = default;
};

// For every amount up to a limit the cheapest way to make it, cassette by cassette: after round i,
// best_[u] is the cheapest way to make u units of cassettes 0..i, and taken_[i][u] says how many
// notes of cassette i it takes.
class Table {
 public:
  Table(std::span<const Cassette> cassettes, std::int64_t unit, std::int64_t units)
      : cassettes_(cassettes), unit_(unit), best_(static_cast<std::size_t>(units) + 1) {
    best_[0] = Cost{.notes = 0};
    for (const Cassette& cassette : cassettes_) add(cassette);
  }

  bool can_make(std::int64_t units) const {
    const Cost& cost = best_[static_cast<std::size_t>(units)];
    return cost.is_possible() && cost.notes <= std::int32_t{notes_per_dispense_max};
  }

  Picks picks(std::int64_t units) const {
    Picks picks;
    for (std::size_t i = cassettes_.size(); i-- > 0;) {
      const std::int64_t count = taken_[i][static_cast<std::size_t>(units)];
      if (count == 0) continue;
      const Cassette& from = cassettes_[i];
      picks.push_back(
          {.position = from.position, .denomination = from.denomination, .count = count});
      units -= count * (from.denomination.value / unit_);
    }
    std::ranges::reverse(picks);
    return picks;
  }

  std::int64_t units() const { return static_cast<std::int64_t>(best_.size()) - 1; }

 private:
  void add(const Cassette& cassette) {
    const std::int64_t step = cassette.denomination.value / unit_;
    const std::int64_t most = std::min<std::int64_t>(cassette.count, notes_per_dispense_max);
    std::vector<Cost> next(best_.size());
    std::vector<std::uint16_t> taken(best_.size());
    for (std::int64_t units = 0; units <= this->units(); ++units) {
      const auto at = static_cast<std::size_t>(units);
      for (std::int64_t count = 0; count <= most && count * step <= units; ++count) {
        Cost cost = best_[static_cast<std::size_t>(units - count * step)];
        if (!cost.is_possible()) continue;
        const std::int64_t stays = cassette.count - count;
        cost.notes += static_cast<std::int32_t>(count);
        cost.unevenness += stays * stays;
        if (cost >= next[at]) continue;
        next[at] = cost;
        taken[at] = static_cast<std::uint16_t>(count);
      }
    }
    best_ = std::move(next);
    taken_.push_back(std::move(taken));
  }

  std::span<const Cassette> cassettes_;
  std::int64_t unit_;
  std::vector<Cost> best_;
  std::vector<std::vector<std::uint16_t>> taken_;
};

NearestAmounts nearest(const Table& table, Cents amount, std::int64_t unit) {
  NearestAmounts amounts;
  for (std::int64_t units = std::min(amount.value / unit, table.units()); units > 0; --units) {
    if (!table.can_make(units)) continue;
    amounts.push_back(Cents{units * unit});
    break;
  }
  for (std::int64_t units = amount.value / unit + 1; units <= table.units(); ++units) {
    if (!table.can_make(units)) continue;
    amounts.push_back(Cents{units * unit});
    break;
  }
  return amounts;
}

// The cassettes that have notes, and what can be planned with them.
struct Filled {
  explicit Filled(std::span<const Cassette> all) {
    std::int64_t worth_of_all = 0;
    std::int64_t largest = 0;
    for (const Cassette& cassette : all) {
      if (cassette.count <= 0) continue;
      cassettes.push_back(cassette);
      unit = std::gcd(unit, cassette.denomination.value);
      worth_of_all += worth(cassette.denomination, cassette.count).value;
      largest = std::max(largest, cassette.denomination.value);
    }
    ledger::check(cassettes.size() <= cassettes_max);
    if (cassettes.empty()) return;
    units = std::min(
        {worth_of_all / unit, std::int64_t{notes_per_dispense_max} * largest / unit, units_max});
  }

  bool may_make(Cents amount) const {
    return amount.value % unit == 0 && amount.value / unit <= units;
  }

  std::vector<Cassette> cassettes;
  std::int64_t unit = 0;   // The greatest common divisor of their denominations.
  std::int64_t units = 0;  // Of the largest amount.
};

}  // namespace

std::expected<Picks, NearestAmounts> plan_mix(std::span<const Cassette> cassettes, Cents amount) {
  ledger::check(amount > Cents{0});
  const Filled filled(cassettes);
  if (filled.cassettes.empty()) return std::unexpected(NearestAmounts());
  if (filled.may_make(amount)) {
    const Table table(filled.cassettes, filled.unit, amount.value / filled.unit);
    if (table.can_make(table.units())) return table.picks(table.units());
  }
  const Table table(filled.cassettes, filled.unit, filled.units);
  return std::unexpected(nearest(table, amount, filled.unit));
}

std::vector<Cents> makeable(std::span<const Cassette> cassettes, std::span<const Cents> amounts) {
  const Filled filled(cassettes);
  std::vector<Cents> possible;
  if (filled.cassettes.empty()) return possible;
  for (const Cents amount : amounts) {
    ledger::check(amount > Cents{0});
    if (filled.may_make(amount)) possible.push_back(amount);
  }
  if (possible.empty()) return possible;
  const Table table(filled.cassettes, filled.unit, std::ranges::max(possible).value / filled.unit);
  std::erase_if(possible,
                [&](Cents amount) { return !table.can_make(amount.value / filled.unit); });
  return possible;
}

}  // namespace atm
