// The configuration file: the part of TOML that a flat list of options needs, and nothing that it
// does not understand.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ops {

// One `key = value`. An array has several values, in order.
struct ConfigEntry {
  std::vector<std::string> values;
  int line = 0;
};

// By key. Strings "..." (with TOML's escapes) and '...', whole numbers, true, false, and arrays of
// those, over several lines if need be. Keys are option names, each at most once; there are no
// tables. Everything else is an error: CLI11's own reader takes `port = [1,` for granted and cuts
// strings at a '#'.
using ConfigFile = std::map<std::string, ConfigEntry, std::less<>>;

// Throws Failure(config) that names `path` and the line.
ConfigFile parse_config(std::string_view text, std::string_view path);
// Throws Failure(config) when there is no such file or it cannot be read.
ConfigFile read_config_file(const std::string& path);

// As a value is written in the file: "quoted".
std::string quote_config_string(std::string_view text);

}  // namespace ops
