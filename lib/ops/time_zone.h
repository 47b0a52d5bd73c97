// TimeZone: whose days are business days, as an option names it.
#pragma once

#include <string>
#include <string_view>

#include "ops/value.h"

namespace ops {

// An IANA name that this machine knows: "UTC", "Europe/Vienna".
struct TimeZone {
  std::string name = "UTC";
};

// Refuses names without a file of rules, files that are none (leapseconds, zone.tab), and zones that
// count leap seconds (right/...), whose days begin half a minute late.
template <>
struct Value<TimeZone> {
  static Parsed<TimeZone> parse(std::string_view text);
  static std::string text(const TimeZone& zone) { return zone.name; }
};

}  // namespace ops
