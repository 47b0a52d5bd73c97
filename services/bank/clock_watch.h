// ClockWatch: tells the operator when the journal's time is ahead of the machine's clock.
#pragma once

#include <chrono>
#include <utility>

#include "async/loop.h"
#include "async/task.h"
#include "ledger/executor.h"
#include "ledger/store.h"
#include "ops/log.h"

namespace bank {

// The journal's time does not go back (rule 11), so after a clock that was ahead it stands still until
// the clock has reached it: no business day begins, and no hold expires. That is a line of the log at
// the start, or when it is first seen; another says when it is over. Owned by main; loop thread only;
// outlived by everything that it is given.
class ClockWatch {
 public:
  ClockWatch(async::Loop& loop, const ledger::Store& store, const ledger::StoreClock& clock,
             ops::Log log)
      : loop_(loop), store_(store), clock_(clock), log_(std::move(log)) {}

  // Runs until it is cancelled.
  async::Task<> run();

 private:
  void look();

  async::Loop& loop_;
  const ledger::Store& store_;
  const ledger::StoreClock& clock_;
  ops::Log log_;
  bool is_told_ = false;
};

inline constexpr async::Duration clock_look = std::chrono::seconds(10);
// Clocks are put right by less than this all the time.
inline constexpr std::chrono::microseconds clock_behind_max = std::chrono::minutes(1);

}  // namespace bank
