#include "ledger/storage.h"

#include <algorithm>

#include "ledger/check.h"

namespace ledger {
namespace {

// Holds whose time is over that one batch ends: the rest waits for the next.
constexpr std::size_t expiries_per_batch_max = 256;
// When fewer records than these are missing, the tables wait for quiet: large transactions are cheaper.
constexpr std::uint64_t project_lag_min = 256;

}  // namespace

Storage::Storage(Journal& journal, const StoreClock& clock, const StoreOptions& options,
                 Outlets outlets)
    : journal_(journal),
      clock_(clock),
      options_(options),
      outlets_(std::move(outlets)),
      ledger_(journal, options.memory_horizon) {
  journal_.load(ledger_);
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
  const Moment now = moment();
  const bool has_expiries = ledger_.books().first_expired(now.at) != nullptr;
  if (taken_.empty() && !has_expiries) return;
  const bool has_room = journal_.has_room();
  if (taken_.empty() && !has_room) return;

  Committed committed;
  batch_.clear();
  if (has_room) ledger_.expire_holds(now, expiries_per_batch_max, batch_);
  const std::size_t end = std::min(taken_.size(), taken_done_ + options_.batch_max);
  committed.answers.reserve(end - taken_done_);
  for (; taken_done_ < end; ++taken_done_) {
    if (has_room) {
      Operation& operation = taken_[taken_done_];
      committed.answers.push_back(ledger_.execute(std::move(operation), now, batch_));
    } else {
      committed.answers.push_back(
          Answer{std::unexpected(Refusal{.code = RefusalCode::disk_nearly_full})});
    }
  }
  if (!batch_.empty()) journal_.append(batch_);
  committed.records = std::move(batch_.records);
  committed.head = journal_.head();
  committed.projected_through = journal_.projected_through();
  outlets_.committed(std::move(committed));
}

bool Storage::bring_tables_forward() {
  const std::uint64_t before = journal_.projected_through();
  const std::uint64_t lag = ledger_.books().last_seq() - before;
  const bool is_late = lag > options_.lag_max;
  const bool is_quiet = quiet_.load(std::memory_order_relaxed);
  if (!is_late && has_waiting()) {
    journal_.tidy(false);
    return false;
  }
  if (lag > 0 && (is_late || is_quiet || lag >= project_lag_min)) {
    journal_.project(options_.project_step_max);
    const std::uint64_t through = journal_.projected_through();
    ledger_.forget(through);
    outlets_.committed(Committed{
        .records = {}, .answers = {}, .head = journal_.head(), .projected_through = through});
    return ledger_.books().last_seq() > through || is_quiet;
  }
  journal_.tidy(lag == 0 && quiet_.exchange(false, std::memory_order_relaxed));
  return false;
}

}  // namespace ledger
