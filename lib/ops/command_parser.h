// Reads the words of a command line into a Command's options, with CLI11. Private to lib/ops.
#pragma once

#include <string>
#include <vector>

#include "ops/options.h"

namespace ops {

// Made for one command line.
class Parser {
 public:
  explicit Parser(Command& root) : root_(root) {}

  // Returns the command that was named; what was given lies in its options and those of its parents.
  // Throws Failure(usage).
  Command& parse(const std::vector<std::string>& words);

  // The deepest command that the words name, whatever else is wrong with them: whose help is
  // wanted.
  Command& named_by(const std::vector<std::string>& words);

 private:
  void fail_unexpected(const Command& command, const std::string& word) const;
  void fail_unknown_option(const Command& command, const std::string& word) const;
  // The commands that have this option, from this one down.
  static void find_owners(const Command& command, const std::string& given,
                          std::vector<const Command*>& owners);
  [[noreturn]] void fail_mismatch(const Command& command, const std::string& what) const;
  void hand_out_arguments(Command& command) const;

  Command& root_;
};

}  // namespace ops
