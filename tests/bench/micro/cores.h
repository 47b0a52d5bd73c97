// The pieces of work that are measured one by one: by their time (micro) and by the number of their
// instructions (counted).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace bench {

// Does something over and over. What it needs for that is made by its constructor and not measured.
class Work {
 public:
  virtual ~Work() = default;
  virtual void run(std::size_t times) = 0;
};

struct Core {
  std::string_view name;
  std::string_view what;
  std::unique_ptr<Work> (*make)();
};

// Frames, envelopes, coroutines.
std::span<const Core> wire_cores();
// The rules, and the store on a disk.
std::span<const Core> ledger_cores();
// Whole requests against a bank in memory: the fixed script of CI.
std::span<const Core> request_cores();

template <typename Does>
std::unique_ptr<Work> make() {
  return std::make_unique<Does>();
}

}  // namespace bench
