#include "ops/time_zone.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace ops {
namespace {

// What a file of rules begins with (RFC 9636): beside them the folder has lists and tables.
constexpr std::string_view rules_begin = "TZif";

bool has_rules(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::ifstream file(path, std::ios::binary);
  std::string beginning(rules_begin.size(), '\0');
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  return file.good() && beginning == rules_begin;
}

}  // namespace

Parsed<TimeZone> Value<TimeZone>::parse(std::string_view text) {
  TimeZone zone{.name = std::string(text)};
  if (zone.name == "UTC") return zone;
  const char* const directory = std::getenv("TZDIR");
  const std::filesystem::path zones = directory == nullptr ? "/usr/share/zoneinfo" : directory;
  const bool is_plain = !text.empty() && text.front() != '/' &&
                        text.find("..") == std::string_view::npos &&
                        text.find('\0') == std::string_view::npos;
  if (!is_plain || !has_rules(zones / zone.name)) {
    return BadValue("must be a time zone of this machine, such as Europe/Vienna (package tzdata)");
  }
  if (text.starts_with("right/")) return BadValue("must be a time zone without leap seconds");
  return zone;
}

}  // namespace ops
