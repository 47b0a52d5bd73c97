// Items: the changes that the ATM knows by id, those under way and those that have ended.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "atm/journal_file.h"
#include "atm/settings.h"
#include "rpc/trace.h"

namespace atm {

class Terminal;

// One change and who waits for it.
template <Record T>
struct Item {
  Item(async::Loop& loop, Terminal& at, T of)
      : record(std::move(of)), terminal(at), answered(loop) {}

  T record;
  Terminal& terminal;
  async::Event answered;    // Its first answer is known, to the customer and to whoever asks again.
  std::string waiting_for;  // For staff: a clause.
  rpc::Trace trace;         // Of the request that it began with; of none after a restart.
  bool is_repeated = false;  // Of a relay: its request came more than once.
  bool has_ended = false;    // Kept by Items.
};

template <Record T>
using ItemPointer = std::shared_ptr<Item<T>>;

// Every open item, and the latest that ended. Loop thread only.
//
// Invariant: what was begun or has ended since the journal's view was taken is here. So an id that is
// neither here nor in that view was never used for this kind of change.
template <Record T>
class Items {
 public:
  Items(async::Loop& loop, JournalFile& file) : loop_(loop), file_(file) {}

  // A new item, or one that the journal held open.
  ItemPointer<T> add(Terminal& terminal, T record) {
    auto item = std::make_shared<Item<T>>(loop_, terminal, std::move(record));
    items_[item->record.id] = item;
    return item;
  }

  // Returns null if the id is new. What the journal alone knows has ended; `at` is where it is shown.
  ItemPointer<T> find(const OperationId& id, Terminal& at) {
    const auto found = items_.find(id);
    if (found != items_.end()) return found->second;
    std::optional<T> record = file_.find<T>(id);
    if (!record) return nullptr;
    auto item = std::make_shared<Item<T>>(loop_, at, *std::move(record));
    item->answered.set();
    return item;
  }
  // The record of an item that is in memory, where it may change; null when the journal alone has it.
  T* in_memory(const OperationId& id) {
    const auto found = items_.find(id);
    return found == items_.end() ? nullptr : &found->second->record;
  }
  bool knows(const OperationId& id) { return items_.contains(id) || file_.find<T>(id).has_value(); }

  // The item has ended: it stays for its retries, for a while; also one that the journal alone knew.
  void ended(const ItemPointer<T>& item) {
    ItemPointer<T>& known = items_[item->record.id];
    // It may end again, and then stays from now on.
    if (known != nullptr && known->has_ended) std::erase(ended_, item->record.id);
    known = item;
    known->has_ended = true;
    ended_.push_back(item->record.id);
    if (ended_.size() <= ended_items_kept_max) return;
    for (std::size_t count = 0; count < ended_items_forgotten_at_once; ++count) {
      items_.erase(ended_.front());
      ended_.pop_front();
    }
    file_.see_newest();
  }

  // One that had ended goes on.
  ItemPointer<T> reopen(Terminal& terminal, T record) {
    std::erase(ended_, record.id);
    ItemPointer<T>& item = items_[record.id];
    if (item == nullptr) {
      item = std::make_shared<Item<T>>(loop_, terminal, std::move(record));
      item->answered.set();
    }
    item->has_ended = false;
    return item;
  }

  std::vector<ItemPointer<T>> open(const Terminal& terminal) const {
    std::vector<ItemPointer<T>> open;
    for (const auto& [id, item] : items_) {
      if (&item->terminal == &terminal && item->record.is_open()) open.push_back(item);
    }
    return open;
  }
  // Those that the bank refused, as far as they are here; the journal has all, but the latest a
  // moment later.
  std::vector<T> refused(const Terminal& terminal) const {
    std::vector<T> refused;
    for (const auto& [id, item] : items_) {
      const bool is_here = &item->terminal == &terminal;
      if (is_here && !item->record.exception.empty()) refused.push_back(item->record);
    }
    return refused;
  }

 private:
  async::Loop& loop_;
  JournalFile& file_;
  std::map<OperationId, ItemPointer<T>> items_;
  std::deque<OperationId> ended_;
};

}  // namespace atm
