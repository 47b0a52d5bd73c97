// Debug mode of the loop: who held it, what was forgotten, and what it is doing.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "async/time.h"

namespace async {

struct DebugOptions {
  static constexpr Duration held_max_default = std::chrono::milliseconds(100);

  // A callback or a resume that takes longer is reported.
  Duration held_max = held_max_default;
  // Is given each report: a line, or for live_tasks() several. Not set: standard error. May be
  // called on any thread that has a loop; throws nothing.
  std::function<void(std::string_view)> report = {};
};

// Debug mode, from its making to its end, for all loops of the process: made by main before its
// loop and its threads, or by the first UvLoop when LOOP_DEBUG=1 is in the environment. There is one at a time. It
// reports
//
// - who held the loop for too long: a callback, or a task that went on;
// - a task that was destroyed without ever being awaited;
// - an error that nobody took, when the last who could take it is gone;
// - on SIGUSR1, and whenever live_tasks() is asked, the tree of live tasks: who awaits whom.
//
// A task is named by its coroutine, with the place of that in the source; a task of a scope also by
// the place where it was spawned. Tasks that were made before debug mode are not known to it.
//
// When it is off, which is always but for these two, what it would watch costs a branch.
class DebugMode {
 public:
  explicit DebugMode(DebugOptions options = {});
  DebugMode(const DebugMode&) = delete;
  DebugMode& operator=(const DebugMode&) = delete;
  ~DebugMode();

  static bool is_on() noexcept;
  // What LOOP_DEBUG asks for, until the process ends.
  static void begin_if_wanted();
};

// The tasks of this thread that have not ended, each below who awaits it. Empty without debug mode.
std::string live_tasks();
// Reports them.
void report_live_tasks();

}  // namespace async
