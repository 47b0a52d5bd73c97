#include "bank/clock_watch.h"

#include <chrono>

#include "ops/calendar.h"

namespace bank {

async::Task<> ClockWatch::run() {
  while (true) {
    look();
    co_await loop_.sleep_for(clock_look);
  }
}

void ClockWatch::look() {
  const ledger::Instant last = store_.books().last_at();
  const std::chrono::microseconds ahead = last - clock_.now();
  if (is_told_ && ahead <= std::chrono::microseconds(0)) {
    is_told_ = false;
    log_.info("the clock has reached the journal's time, which goes on");
  }
  if (is_told_ || ahead <= clock_behind_max) return;
  is_told_ = true;
  log_.warn(
      "the journal's time is ahead of the clock, and stands still until the clock reaches it: "
      "no business day begins, no limit is renewed and no hold expires before",
      {{"ahead_s", std::chrono::floor<std::chrono::seconds>(ahead).count()},
       {"until", ops::utc_text(last)}});
}

}  // namespace bank
