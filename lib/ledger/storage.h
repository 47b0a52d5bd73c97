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

// The storage's side of the store: owns the ledger, and the journal's use. `queue`, `give_back` and `quiet` are for the loop's thread;
// all else happens in `step`, on the executor.
//
// Always true: an answer leaves after the append that holds its record, and in a batch that failed nothing leaves at all.
class Storage {
 public:
  // Called in `step`, to reach the loop.
  struct Outlets {
    std::function<void(Committed)> committed;
    std::function<void(std::exception_ptr)> failed;
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
  bool failed_ = false;
  std::atomic<bool> quiet_ = false;

  std::mutex mutex_;  // Guards what follows.
  std::vector<Operation> queued_;
  std::vector<Committed> spares_;  // Empty, but for their memory.
};

}  // namespace ledger
