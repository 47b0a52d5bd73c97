// Where the runtime tells debug mode what it does. Not for others. When it is off, each hook costs
// a load and a branch, no clock is read and nothing is allocated.
#pragma once

#include <array>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <functional>
#include <source_location>
#include <string_view>
#include <typeinfo>

namespace async::detail {

inline constinit bool debug_mode_is_on = false;

// Debug mode begins before the threads and tasks that it watches: a plain bool is enough.
inline bool is_debugging() noexcept { return debug_mode_is_on; }

using Place = std::source_location;

// A coroutine that debug mode knows.
struct Watched {
  enum class Kind : std::uint8_t {
    task,
    spawned,  // Runs a task for a scope: `place` is where it was spawned.
    started,  // Runs a task for gather, first_of or loop.run(): not shown.
  };

  Kind kind = Kind::task;
  Place place = {};
  const std::coroutine_handle<>* waiter = nullptr;  // Where the handle of who awaits it is kept.
  const bool* finished = nullptr;
};

void debug_made(std::coroutine_handle<> frame, const Watched& watched) noexcept;
void debug_gone(std::coroutine_handle<> frame) noexcept;
// A task is destroyed.
void debug_destroyed(std::coroutine_handle<> frame, bool was_awaited) noexcept;
// An error is destroyed without having been thrown at anybody, or ends the loop.
void debug_lost(std::string_view what, std::exception_ptr error) noexcept;
// The same, of a task that a scope owns.
void debug_failed(std::coroutine_handle<> frame, const Place& spawned,
                  std::exception_ptr error) noexcept;

// A stretch of time in which the loop runs somebody's code and nothing else: made only while
// is_debugging(). Reports itself at its end if it was too long, less what stretches within it have
// reported.
class Stretch {
 public:
  explicit Stretch(std::coroutine_handle<> task) noexcept;  // Begins, or goes on.
  explicit Stretch(const std::type_info& callback) noexcept;
  explicit Stretch(const Place& posted_at) noexcept;
  Stretch(const Stretch&) = delete;
  Stretch& operator=(const Stretch&) = delete;
  ~Stretch();

  static constexpr std::size_t chain_max = 8;

 private:
  std::array<Place, chain_max> chain_;  // The task, who awaits it, who awaits that.
  std::size_t chain_size_ = 0;
  const std::type_info* callback_ = nullptr;
  Place posted_at_;
  bool is_posted_ = false;
  std::chrono::nanoseconds reported_before_;
  std::chrono::steady_clock::time_point begun_;
};

// The callback that `callback` is, and where it was posted.
std::move_only_function<void()> debug_posted(std::move_only_function<void()> callback,
                                             const Place& place);

// Lets a task go on, as everything in lib/async does that is not itself within that task.
void resume_watched(std::coroutine_handle<> task);
inline void resume(std::coroutine_handle<> task) {
  if (is_debugging()) [[unlikely]] {
    return resume_watched(task);
  }
  task.resume();
}

// Calls a thing of the loop back: one that fires, or is to be done at the turn's end.
template <typename Thing>
void call_back(Thing& thing, void (Thing::*function)()) {
  if (is_debugging()) [[unlikely]] {
    const Stretch stretch(typeid(thing));
    return (thing.*function)();
  }
  (thing.*function)();
}

}  // namespace async::detail
