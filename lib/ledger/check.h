#pragma once

#include <source_location>

namespace ledger {

// Prints where, and aborts. Never returns.
[[noreturn]] void check_failed(std::source_location where);

// Stops the process when what must be true is not, in release builds too: a wrong sum must never
// reach the disk. Expected outcomes are not checked with this: those are refusals.
constexpr void check(bool condition, std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]] {
    check_failed(where);
  }
}

}  // namespace ledger
