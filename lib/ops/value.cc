#include "ops/value.h"

#include <array>

namespace ops {
namespace {

struct Unit {
  std::string_view name;
  async::Duration length;
};

// Longest first: what is written back uses the first unit that divides the time.
constexpr std::array units = {
    Unit{"h", std::chrono::hours(1)},         Unit{"m", std::chrono::minutes(1)},
    Unit{"s", std::chrono::seconds(1)},       Unit{"ms", std::chrono::milliseconds(1)},
    Unit{"us", std::chrono::microseconds(1)}, Unit{"ns", std::chrono::nanoseconds(1)},
};

}  // namespace

Parsed<async::Duration> Value<async::Duration>::parse(std::string_view text) {
  const BadValue wrong("must be a time such as 250ms, 4s, 15m or 2h");
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  if (error != std::errc() || count < 0) return wrong;
  const std::string_view name(rest, static_cast<std::size_t>(end - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    std::int64_t length = 0;
    if (__builtin_mul_overflow(count, unit.length.count(), &length)) return wrong;
    return async::Duration(length);
  }
  return wrong;
}

Parsed<async::Endpoint> Value<async::Endpoint>::parse(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  constexpr std::size_t path_size_max = async::Endpoint::unix_path_size_max;
  if (text.starts_with(unix_prefix) && text.size() - unix_prefix.size() > path_size_max) {
    return BadValue("must have a path of at most " + std::to_string(path_size_max) +
                    " bytes after unix:");
  }
  try {
    return async::Endpoint::parse(text);
  } catch (const std::invalid_argument&) {
    const std::string_view port = text.substr(text.rfind(':') + 1);
    const bool is_number =
        !port.empty() && port.find_first_not_of("0123456789") == std::string_view::npos;
    const bool is_too_large = is_number && !Value<std::uint16_t>::parse(port);
    if (is_too_large) return BadValue("must have a port of at most 65535");
    return BadValue("must be HOST:PORT, [ADDRESS]:PORT or unix:PATH");
  }
}

std::string Value<async::Duration>::text(async::Duration value) {
  for (const Unit& unit : units) {
    if (value != async::Duration::zero() && value % unit.length == async::Duration::zero()) {
      return std::to_string(value / unit.length) + std::string(unit.name);
    }
  }
  return "0s";
}

}  // namespace ops
