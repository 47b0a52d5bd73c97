// Signals of the process, awaited.
#pragma once

#include <memory>
#include <vector>

#include "async/task.h"
#include "async/uv_loop.h"

namespace async {

// Watches for these signals from its making to its end: meanwhile they do nothing else, and what
// arrives between two waits is kept. Before and after they do what they always do, which for most
// is to end the process. Loop thread only; the loop outlives it.
//
// Invariant: each signal is kept at most once, as the system does.
class Signals {
 public:
  // Throws IoError.
  Signals(UvLoop& loop, const std::vector<int>& signals);
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals();

  // The first that has arrived and was not told yet, or the next to arrive. One task may wait;
  // destroying this under it makes it throw IoError(ECANCELED).
  Task<int> next();

 private:
  class Watch;
  std::unique_ptr<Watch> watch_;
};

}  // namespace async
