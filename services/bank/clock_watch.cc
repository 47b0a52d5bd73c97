#include "bank/clock_watch.h"

#include <string>

#include <fmt/format.h>

namespace bank {
namespace {

std::string utc(ledger::Instant at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(at - day));
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace

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
      {{"ahead_s", std::chrono::floor<std::chrono::seconds>(ahead).count()}, {"until", utc(last)}});
}

}  // namespace bank
