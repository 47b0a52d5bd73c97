// check(): an assertion that stays in release builds. What is checked must be true whatever a peer,
// a disk or a user does; where it is not, going on could lose money, so the process stops at once
// and says where.
#pragma once

#include <source_location>

namespace async {

[[noreturn]] void check_failed(const char* what, const std::source_location& where);

// Any thread. One condition a call, in positive form.
constexpr void check(bool condition, const char* what = "a condition that must hold does not",
                     const std::source_location& where = std::source_location::current()) {
  if (!condition) [[unlikely]] {
    check_failed(what, where);
  }
}

}  // namespace async
