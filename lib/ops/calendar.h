// Days as people count them: the business day of a moment, in the configured time zone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "async/time.h"

namespace ops {

// Days since 1970-01-01 of the local calendar. Limits per day count by this number.
using DayNumber = std::int32_t;

// The calendar of one time zone. libstdc++ 12 has no zones, so it is the process's: made once, at
// the start of main, before any thread. All copies mean the same zone. Afterwards any thread.
class Calendar {
 public:
  // An IANA name: "UTC", "Europe/Vienna". Throws Failure(config) for one that this machine does not
  // know.
  static Calendar of_zone(const std::string& name);

  DayNumber day_of(async::WallTime time) const;
  // "2026-11-23 14:05:09", for people.
  std::string local_text(async::WallTime time) const;

 private:
  Calendar() = default;
};

// "2026-11-23".
std::string day_text(DayNumber day);
// "2026-11-23T13:05:09.123456Z".
std::string utc_text(async::WallTime time);

}  // namespace ops
