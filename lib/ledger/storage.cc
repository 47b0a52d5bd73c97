#include "ledger/storage.h"

#include <algorithm>
#include <utility>

#include "ledger/check.h"
#include "ledger/memory.h"

namespace ledger {
namespace {

// Holds whose time is over that one batch ends: the rest waits for the next.
constexpr std::size_t expiries_per_batch_max = 256;
// When fewer records than these are missing, the tables wait for quiet: large transactions are cheaper.
constexpr std::uint64_t project_lag_min = 256;
// While changes come, the tables get this part of the storage's time, in the gaps between batches, so what is steady is kept up
// with. The further they lag, the more they get, so that a lag does not grow for long.
constexpr int project_share = 16;
// Behind batches as large as those that overlap, hundreds wait for each step of the tables: in such a burst they get this part,
// and the rest when it is over, or when they lag too far.
constexpr int project_share_in_burst = 256;
// So many operations before its turn, what one needs is fetched: memory answers about as fast as that many are decided.
constexpr std::size_t fetch_ahead = 4;
// What a record needs in memory until the tables have it: its answer, its place in the index of answers, its movement.
constexpr std::size_t record_bytes = 100;
// A batch as large as this is made durable beside the decisions of the next; a smaller one is answered sooner at once.
constexpr std::size_t overlap_min = 256;
// One is being filled, one synced, and the loop reads one.
constexpr std::size_t spares_max = 3;
static_assert(3 * fetch_ahead < fetched_at_once_max);

}  // namespace

Storage::Storage(Journal& journal, const StoreClock& clock, const StoreOptions& options,
                 Outlets outlets)
    : journal_(journal),
      clock_(clock),
      options_(options),
      outlets_(std::move(outlets)),
      ledger_(journal, options.memory_horizon) {
  journal_.load(ledger_);
  durable_through_ = ledger_.books().last_seq();
}

void Storage::queue(std::vector<Operation>& operations) {
  const std::lock_guard lock(mutex_);
  if (queued_.empty()) {
    queued_.swap(operations);
    return;
  }
  std::ranges::move(operations, std::back_inserter(queued_));
  operations.clear();
}

void Storage::give_back(Committed&& committed) {
  committed.records.clear();
  committed.answers.clear();
  const std::lock_guard lock(mutex_);
  if (committed.records.capacity() > 0 && spares_.size() < spares_max)
    spares_.push_back(std::move(committed));
}

Committed Storage::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) return {};
  Committed spare = std::move(spares_.back());
  spares_.pop_back();
  return spare;
}

bool Storage::has_waiting() {
  if (taken_done_ < taken_.size()) return true;
  const std::lock_guard lock(mutex_);
  return !queued_.empty();
}

// Neither time nor the calendar goes back, whatever the machine's clock does.
Moment Storage::moment() const {
  const Books& books = ledger_.books();
  const Instant at = std::max(clock_.now(), books.last_at());
  return Moment{at, std::max(clock_.day_of(at), books.last_day()), clock_.steady_now()};
}

bool Storage::step() {
  if (failed_) return false;
  try {
    decide_and_commit();
    if (failed_) return false;
    const bool tables_lag = bring_tables_forward();
    return has_waiting() || tables_lag;
  } catch (...) {
    // The edge of the thread. Nobody knows what is on disk, so nobody is answered any more.
    failed_ = true;
    outlets_.failed(std::current_exception());
    return false;
  }
}

void Storage::decide_and_commit() {
  if (taken_done_ == taken_.size()) {
    taken_.clear();
    taken_done_ = 0;
    const std::lock_guard lock(mutex_);
    taken_.swap(queued_);
  }
  if (!taken_.empty()) quiet_.store(false, std::memory_order_relaxed);
  const Moment now = moment();
  const bool has_expiries = ledger_.books().first_expired(now.at) != nullptr;
  if (taken_.empty() && !has_expiries) return;
  const bool has_room = journal_.has_room();
  if (taken_.empty() && !has_room) return;

  Committed committed = spare();
  batch_.clear();
  batch_.records.swap(committed.records);
  fetched_ = {};
  if (has_room) ledger_.expire_holds(now, expiries_per_batch_max, batch_);
  const std::size_t end = taken_done_ + next_batch_size();
  committed.answers.reserve(end - taken_done_);
  batch_.records.reserve(batch_.records.size() + end - taken_done_);
  if (end - taken_done_ >= overlap_min) expect_memory((end - taken_done_) * record_bytes);
  for (; taken_done_ < end; ++taken_done_) {
    for (const Fetch step : {Fetch::slots, Fetch::entries, Fetch::names}) {
      const std::size_t ahead = taken_done_ + fetch_ahead * (3 - std::to_underlying(step));
      if (ahead < end) ledger_.prefetch(taken_[ahead], step, fetched_[ahead % fetched_.size()]);
    }
    Operation& operation = taken_[taken_done_];
    committed.answers.push_back(has_room ? ledger_.execute(std::move(operation), now, batch_)
                                         : ledger_.answer_on_full_disk(operation, now));
  }
  const bool overlaps = batch_.records.size() >= overlap_min || is_syncing();
  if (!batch_.empty() && overlaps) journal_.append_unsynced(batch_);
  if (!batch_.empty() && !overlaps) journal_.append(batch_);
  batch_size_ = batch_.records.size();
  committed.records = std::move(batch_.records);
  committed.movements = ledger_.share_transfers();
  committed.head = journal_.head();
  committed.projected_through = journal_.projected_through();
  hand_over(std::move(committed), overlaps);
}

// When all that is under way waits here, half of it is made durable while the other half is decided: so both go on in turn.
std::size_t Storage::next_batch_size() const {
  const std::size_t waiting = taken_.size() - taken_done_;
  const bool halves = waiting >= 2 * overlap_min && !is_syncing();
  return std::min(halves ? waiting / 2 : waiting, options_.batch_max);
}

bool Storage::is_syncing() const {
  const std::lock_guard lock(sync_mutex_);
  return syncing_;
}

// In the order in which they come here: behind one that waits for a sync, each waits.
void Storage::hand_over(Committed committed, bool needs_sync) {
  if (!needs_sync && !is_syncing()) return deliver(std::move(committed));
  {
    const std::lock_guard lock(sync_mutex_);
    unsynced_.push_back(std::move(committed));
    if (std::exchange(syncing_, true)) return;
  }
  outlets_.beside([this] { sync_all(); });
}

void Storage::deliver(Committed&& committed) {
  const std::uint64_t through = committed.head.ledger_seq;
  outlets_.committed(std::move(committed));
  durable_through_ = through;
}

// On the thread beside. One sync makes everything durable that was appended before it.
void Storage::sync_all() {
  try {
    while (true) {
      std::vector<Committed> synced;
      {
        const std::lock_guard lock(sync_mutex_);
        synced.swap(unsynced_);
        if (synced.empty()) {
          syncing_ = false;
          return;
        }
      }
      const auto has_records = [](const Committed& one) { return !one.records.empty(); };
      if (std::ranges::any_of(synced, has_records)) journal_.sync();
      for (Committed& committed : synced) deliver(std::move(committed));
    }
  } catch (...) {
    // The edge of the thread, as in `step`. What is appended from now on is never handed over.
    failed_ = true;
    outlets_.failed(std::current_exception());
  }
}

bool Storage::bring_tables_forward() {
  // What the tables lack the journal has. They wait for room, as changes do, so that a full disk ends nothing.
  if (!journal_.has_room()) return false;
  const std::uint64_t lag = durable_through_ - journal_.projected_through();
  const bool is_quiet = quiet_.load(std::memory_order_relaxed);
  if (!may_project(lag, is_quiet)) {
    const bool tidies = lag == 0 && quiet_.exchange(false, std::memory_order_relaxed);
    const bool is_more = journal_.tidy(tidies);
    if (is_more) quiet();
    return is_more;
  }
  const async::Instant began = clock_.steady_now();
  // More than came with the last batch, so that who is late catches up.
  const bool is_late = lag > options_.lag_max;
  const std::size_t wanted = std::max(options_.project_step_max, is_late ? 2 * batch_size_ : 0);
  journal_.project(std::min<std::uint64_t>(wanted, lag));
  const async::Instant ended = clock_.steady_now();
  const std::uint64_t lag_left = is_late ? 0 : options_.lag_max - lag;
  const int share = batch_size_ < overlap_min ? project_share : project_share_in_burst;
  const double others = (share - 1) * static_cast<double>(lag_left) /
                        static_cast<double>(std::max<std::size_t>(options_.lag_max, 1));
  project_again_at_ = ended + std::chrono::duration_cast<async::Duration>(others * (ended - began));
  journal_.tidy(false);
  const std::uint64_t through = journal_.projected_through();
  ledger_.forget(through);
  hand_over(Committed{.records = {},
                      .answers = {},
                      .movements = {},
                      .head = journal_.head(),
                      .projected_through = through},
            false);
  return durable_through_ > through || is_quiet;
}

bool Storage::may_project(std::uint64_t lag, bool is_quiet) {
  if (lag == 0) return false;
  if (lag > options_.lag_max) return true;
  if (has_waiting()) return false;
  return is_quiet || (lag >= project_lag_min && clock_.steady_now() >= project_again_at_);
}

}  // namespace ledger
