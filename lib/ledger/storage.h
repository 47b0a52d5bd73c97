#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "ledger/executor.h"
#include "ledger/journal.h"
#include "ledger/ledger.h"
#include "ledger/store.h"

namespace ledger {

// Operations that are being fetched into the processor's caches before their turn.
inline constexpr std::size_t fetched_at_once_max = 16;

// What one step of the storage hands to the loop, all of it durable: records to apply, answers in the order in which their
// operations were queued, and how far the tables have come.
struct Committed {
  std::vector<Record> records;
  std::vector<Answer> answers;
  RecentTransfers::Block movements;  // Null: no record moved money.
  ChainHead head;
  std::uint64_t projected_through = 0;
};

// The storage's side of the store: owns the ledger, and the journal's use. `queue`, `give_back` and `quiet` are for the loop's
// thread; all else happens in `step`, on the executor, and the syncs of large batches beside it.
//
// Always true: an answer leaves when the record that holds it is durable, in the order of the records, and after a failure nothing
// leaves any more.
class Storage {
 public:
  // Called in `step`, to reach the loop.
  struct Outlets {
    std::function<void(Committed)> committed;
    std::function<void(std::exception_ptr)> failed;
    // Executor::beside. There, too, the others are called.
    std::function<void(std::function<void()>)> beside;
  };

  Storage(Journal& journal, const StoreClock& clock, const StoreOptions& options, Outlets outlets);

  // At start, before the first step.
  const Books& books() const { return ledger_.books(); }

  // Takes all of `operations`, leaves it empty.
  void queue(std::vector<Operation>& operations);
  // What was handed over and has been dealt with: the next batches use its memory.
  void give_back(Committed&& committed);
  // It will be quiet for a while: time to bring the tables up to date.
  void quiet() { quiet_.store(true, std::memory_order_relaxed); }

  // Decides what is queued, makes it durable, hands it over; then brings the tables forward if nothing waits. True: there is
  // more to do.
  bool step();

 private:
  void decide_and_commit();
  std::size_t next_batch_size() const;
  void hand_over(Committed committed, bool needs_sync);
  void deliver(Committed&& committed);
  void sync_all();
  bool is_syncing() const;
  Committed spare();
  bool bring_tables_forward();
  bool may_project(std::uint64_t lag, bool is_quiet);
  bool has_waiting();
  Moment moment() const;

  Journal& journal_;
  const StoreClock& clock_;
  const StoreOptions options_;
  const Outlets outlets_;
  Ledger ledger_;
  Batch batch_;
  // Of the operations whose turn comes next, each at its number modulo the size.
  std::array<Fetched, fetched_at_once_max> fetched_{};
  std::vector<Operation> taken_;
  std::size_t taken_done_ = 0;
  std::size_t batch_size_ = 0;  // Of the last batch.
  async::Instant project_again_at_ = async::Instant::min();
  std::atomic<bool> failed_ = false;
  std::atomic<bool> quiet_ = false;
  // Everything up to this record is durable, and was delivered.
  std::atomic<std::uint64_t> durable_through_;

  mutable std::mutex sync_mutex_;  // Guards what follows.
  bool syncing_ = false;           // Something was not delivered yet.
  std::vector<Committed> unsynced_;

  std::mutex mutex_;  // Guards what follows.
  std::vector<Operation> queued_;
  std::vector<Committed> spares_;  // Empty, but for their memory.
};

}  // namespace ledger
