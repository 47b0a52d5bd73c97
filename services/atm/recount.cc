#include "atm/recount.h"

#include <algorithm>

namespace atm {

Task<> Recount::begin(Terminal& terminal) {
  const bool dispenser_is_counted = co_await count_dispenser(terminal);
  if (!dispenser_is_counted) machinery_.queue.spawn(count_dispenser_later(terminal));
  const bool bin_is_counted = co_await count_bin(terminal);
  if (!bin_is_counted) machinery_.queue.spawn(count_bin_later(terminal));
}

Task<> Recount::count_dispenser_later(Terminal& terminal) {
  bool is_counted = false;
  while (!is_counted) {
    co_await machinery_.loop.sleep_for(machinery_.settings.device_retry);
    is_counted = co_await count_dispenser(terminal);
  }
}

Task<> Recount::count_bin_later(Terminal& terminal) {
  bool is_counted = false;
  while (!is_counted) {
    co_await machinery_.loop.sleep_for(machinery_.settings.device_retry);
    is_counted = co_await count_bin(terminal);
  }
}

bool Recount::knows_dispenser(const Terminal& terminal) const {
  if (terminal.is_moving_notes()) return false;
  const auto may_have_moved_notes = [](const ItemPointer<Withdrawal>& item) {
    return item->record.may_have_moved_notes();
  };
  return std::ranges::none_of(known_.withdrawals.open(terminal), may_have_moved_notes);
}

bool Recount::knows_bin(const Terminal& terminal) const {
  if (terminal.is_moving_notes()) return false;
  const auto is_not_kept = [](const ItemPointer<Deposit>& item) { return !item->record.kept; };
  return std::ranges::none_of(known_.deposits.open(terminal), is_not_kept);
}

// What began while the device was counting is not in its count, and so the books are not compared.
Task<bool> Recount::count_dispenser(Terminal& terminal) {
  if (!knows_dispenser(terminal)) co_return false;
  const Cents before = terminal.stock().inside();
  const Told<Dispenser::Inside> inside = co_await terminal.dispenser().count();
  const bool is_quiet = knows_dispenser(terminal) && terminal.stock().inside() == before;
  if (!inside || !is_quiet) co_return false;
  Notes found = inside->rejected;
  for (const Cassette& cassette : inside->cassettes)
    found.add(cassette.denomination, cassette.count);
  terminal.dispenser_was_counted(found);
  co_return true;
}

Task<bool> Recount::count_bin(Terminal& terminal) {
  if (!knows_bin(terminal)) co_return false;
  const Cents before = terminal.stock().inside();
  const Told<Acceptor::Inside> inside = co_await terminal.acceptor().count();
  const bool is_quiet = knows_bin(terminal) && terminal.stock().inside() == before;
  if (!inside || !is_quiet) co_return false;
  terminal.bin_was_counted(inside->bin);
  co_return true;
}

}  // namespace atm
