// Sets each option from the strongest source that has one. Private to lib/ops.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ops/config_file.h"
#include "ops/options.h"

namespace ops {

// Made for one reading of environment and file.
class Resolver {
 public:
  Resolver(const std::string& prefix, const Environment& environment)
      : prefix_(prefix), environment_(environment) {}

  // Empty: no file. Throws Failure(config).
  void read_file(const std::string& path);
  // Every key of the file and every variable with the prefix must be an option's. Throws
  // Failure(config).
  void refuse_unknown(const Command& root) const;
  // Sets the options of the command and its parents. Throws Failure(usage) or Failure(config).
  void resolve(Command& command) const;
  // Throws Failure(usage) if the command's option must have a value and has none now.
  void require(const Command& command, const Option& option) const;
  // What the option would be set to now, as it prints itself. Throws as resolve() does.
  std::vector<std::string> texts_now(const Option& option) const;
  // Throws Failure that says this of where the option's value is from.
  [[noreturn]] void refuse(const Option& option, const std::string& why) const;
  // "BANKD_LOG_LEVEL".
  std::string variable(std::string_view option) const;

  struct Found {
    Source source;
    std::string origin;  // "--data", "BANKD_DATA", "data in /etc/bankd.toml (line 3)".
    std::vector<std::string> texts;
  };
  // From the environment or the file.
  std::optional<Found> find(const std::string& name, bool is_list) const;

 private:
  std::optional<Found> find(const Option& option) const;
  std::optional<Found> find_secret(const Option& option) const;
  void set(Option& option) const;
  static std::string name_of(const Option& option, const Found& found);
  static void require_one_value(const Option& option, const Found& found);
  [[noreturn]] static void fail(const Option& option, const Found& found, const std::string& why);

  std::string prefix_;
  const Environment& environment_;
  std::string path_;
  ConfigFile file_;
};

}  // namespace ops
