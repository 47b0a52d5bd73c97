// A configuration file is read, or one sentence names the line; what was read can be written back.
#include <string>

#include "fuzz/require.h"
#include "ops/config_file.h"
#include "ops/failure.h"

namespace {

std::string written(const ops::ConfigFile& file) {
  std::string text;
  for (const auto& [key, entry] : file) {
    text += ops::quote_config_string(key) + " = [";
    for (const std::string& value : entry.values) text += ops::quote_config_string(value) + ",";
    text += "]\n";
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  ops::ConfigFile file;
  try {
    file = ops::parse_config(text, "f");
  } catch (const ops::Failure& failure) {
    const std::string_view sentence = failure.what();
    fuzz::require(sentence.starts_with("f line "), "an error names the file and the line");
    return 0;
  }
  const ops::ConfigFile again = ops::parse_config(written(file), "f");
  fuzz::require(again.size() == file.size(), "as many options come back");
  for (const auto& [key, entry] : file) {
    fuzz::require(again.at(key).values == entry.values, "the values come back");
  }
  return 0;
}
