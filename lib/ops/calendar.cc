#include "ops/calendar.h"

#include <chrono>
#include <cstdlib>
#include <ctime>

#include <spdlog/fmt/fmt.h>

#include "ops/failure.h"
#include "ops/time_zone.h"

namespace ops {
namespace {

std::tm local_time(async::WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  return local;
}

}  // namespace

Calendar Calendar::of_zone(const std::string& name) {
  // The C library takes a name that it does not know for UTC, silently.
  const Parsed<TimeZone> known = Value<TimeZone>::parse(name);
  if (!known) {
    throw Failure(ExitCode::config, "The time zone " + known.error() + ", not \"" + name + "\".");
  }
  ::setenv("TZ", name == "UTC" ? "UTC0" : (":" + name).c_str(), 1);
  ::tzset();
  return {};
}

DayNumber Calendar::day_of(async::WallTime time) const {
  const std::tm local = local_time(time);
  const std::chrono::year_month_day date{
      std::chrono::year(local.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(local.tm_mon + 1)),
      std::chrono::day(static_cast<unsigned>(local.tm_mday))};
  return static_cast<DayNumber>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::string Calendar::local_text(async::WallTime time) const {
  const std::tm local = local_time(time);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                     local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
}

std::string day_text(DayNumber day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string utc_text(async::WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{}T{:02}:{:02}:{:02}.{:06}Z",
                     day_text(static_cast<DayNumber>(day.time_since_epoch().count())),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

}  // namespace ops
