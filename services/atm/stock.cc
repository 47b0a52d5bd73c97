#include "atm/stock.h"

#include <algorithm>
#include <utility>

namespace atm {

void Stock::restore(const StockRow& row) {
  counts_[{row.pot, row.position, row.denomination}] = row.count;
}

void Stock::add(Pot pot, std::uint32_t position, Cents denomination, std::int64_t count) {
  if (count == 0) return;
  const Key key{pot, position, denomination};
  counts_[key] += count;
  changed_.insert(key);
}

void Stock::add(Pot pot, const Notes& notes) {
  for (const Notes::Entry& entry : notes) add(pot, 0, entry.denomination, entry.count);
}

std::int64_t Stock::take(Pot pot, Cents denomination, std::int64_t count) {
  const std::int64_t taken = std::clamp<std::int64_t>(notes(pot).of(denomination), 0, count);
  add(pot, 0, denomination, -taken);
  return taken;
}

void Stock::empty(Pot pot) {
  for (auto& [key, count] : counts_) {
    if (key.pot != pot || count == 0) continue;
    count = 0;
    changed_.insert(key);
  }
}

void Stock::load(const Pick& notes) {
  add(Pot::loaded, 0, notes.denomination, notes.count);
  add(Pot::cassette, notes.position, notes.denomination, notes.count);
}

void Stock::dispense(const Picks& presented, const Picks& rejected) {
  for (const Pick& pick : presented) {
    add(Pot::cassette, pick.position, pick.denomination, -pick.count);
    add(Pot::presented, 0, pick.denomination, pick.count);
  }
  for (const Pick& pick : rejected) {
    add(Pot::cassette, pick.position, pick.denomination, -pick.count);
    add(Pot::rejected, 0, pick.denomination, pick.count);
  }
}

void Stock::lose_track(const Picks& picks) {
  for (const Pick& pick : picks) {
    add(Pot::cassette, pick.position, pick.denomination, -pick.count);
    add(Pot::unknown, 0, pick.denomination, pick.count);
  }
}

void Stock::decide(const Picks& unknown, const Notes& presented, bool never_taken) {
  add(Pot::presented, presented);
  Notes left = presented;
  for (const Pick& pick : unknown) {
    const std::int64_t out = std::min(pick.count, left.of(pick.denomination));
    left.add(pick.denomination, -out);
    const std::int64_t stayed = pick.count - out;
    const std::int64_t inside = stayed - take(Pot::found, pick.denomination, stayed);
    add(Pot::unknown, 0, pick.denomination, -inside);
    const Pot pot = never_taken ? Pot::cassette : Pot::rejected;
    add(pot, never_taken ? pick.position : 0, pick.denomination, inside);
    // Where found notes are said to be paid, presented and unloaded both have them, and the audit
    // names that.
    const std::int64_t found = out - take(Pot::unknown, pick.denomination, out);
    add(Pot::found, 0, pick.denomination, -found);
  }
}

void Stock::keep(const Notes& notes) {
  add(Pot::deposited, notes);
  add(Pot::deposit_bin, notes);
}

void Stock::unload(const Notes& found) {
  if (is_untouched()) add(Pot::loaded, found);
  const Notes expected = notes(Pot::cassette) + notes(Pot::deposit_bin) + notes(Pot::rejected);
  empty(Pot::cassette);
  empty(Pot::deposit_bin);
  empty(Pot::rejected);
  add(Pot::unloaded, found);
  for (const Notes::Entry& more : found - expected) {
    if (more.count < 0) continue;
    add(Pot::found, 0, more.denomination, take(Pot::unknown, more.denomination, more.count));
  }
}

std::vector<Cassette> Stock::cassettes() const {
  std::vector<Cassette> cassettes;
  for (const auto& [key, count] : counts_) {
    if (key.pot != Pot::cassette) continue;
    const Cassette found{
        .position = key.position, .denomination = key.denomination, .count = count};
    if (cassettes.empty() || cassettes.back().position != key.position) {
      cassettes.push_back(found);
    } else if (count != 0) {
      cassettes.back() = found;  // It held other notes before it was emptied.
    }
  }
  return cassettes;
}

Notes Stock::notes(Pot pot) const {
  Notes notes;
  for (const auto& [key, count] : counts_) {
    if (key.pot == pot) notes.add(key.denomination, count);
  }
  return notes;
}

Cents Stock::inside() const {
  return notes(Pot::cassette).amount() + notes(Pot::deposit_bin).amount() +
         notes(Pot::rejected).amount() + notes(Pot::unknown).amount();
}

std::vector<StockRow> Stock::take_changes() {
  std::vector<StockRow> rows;
  for (const Key& key : std::exchange(changed_, {})) {
    rows.push_back({.terminal = terminal_,
                    .pot = key.pot,
                    .position = key.position,
                    .denomination = key.denomination,
                    .count = counts_[key]});
  }
  return rows;
}

}  // namespace atm
