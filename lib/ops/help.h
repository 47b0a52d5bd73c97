// What --help prints: examples first. Private to lib/ops.
#pragma once

#include <string>

#include "ops/options.h"

namespace ops {

class Help {
 public:
  explicit Help(const std::string& prefix) : prefix_(prefix) {}
  std::string text(const Command& command) const;

 private:
  std::string usage(const Command& command) const;
  std::string commands(const Command& command) const;
  std::string arguments(const Command& command) const;
  std::string options(const Command& command, const std::string& title) const;

  std::string prefix_;
};

}  // namespace ops
