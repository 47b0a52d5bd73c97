// Task: a coroutine that somebody awaits.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include "async/check.h"
#include "async/debug_hooks.h"
#include "async/frame_pool.h"

namespace async {

template <typename T>
class Task;

namespace detail {

// At the end of a task its waiter goes on. The task's frame stays until the Task object is
// destroyed.
struct ResumeWaiter {
  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> finished) const noexcept {
    Promise& promise = finished.promise();
    promise.finished = true;
    return promise.waiter ? promise.waiter : std::noop_coroutine();
  }
  void await_resume() const noexcept {}
};

// Style rule 7: a coroutine's frame outlives the expression that called it, so what it takes by
// `&&` would dangle.
template <typename... Arguments>
inline constexpr bool takes_rvalue_reference = (std::is_rvalue_reference_v<Arguments> || ...);

struct TaskPromiseBase : Pooled {
  std::coroutine_handle<> waiter;
  bool finished = false;

  std::suspend_always initial_suspend() const noexcept { return {}; }
  ResumeWaiter final_suspend() const noexcept { return {}; }

 protected:
  // Out of line, so that the code around it stays as it would be without debug mode.
  [[gnu::cold, gnu::noinline]] void begin_watch(std::coroutine_handle<> frame,
                                                Place place) const noexcept {
    debug_made(frame, {.place = place, .waiter = &waiter, .finished = &finished});
  }
};

template <typename T>
std::coroutine_handle<> frame_of(const Task<T>& task) noexcept;

// A task that is not awaited on purpose, because an earlier one decided.
template <typename T>
void never_mind(Task<T>& task) noexcept;

template <typename T>
struct TaskPromise : TaskPromiseBase {
  std::variant<std::monostate, T, std::exception_ptr> result;

  Task<T> get_return_object(Place place = Place::current()) noexcept;
  void unhandled_exception() noexcept { result.template emplace<2>(std::current_exception()); }
  template <typename Value>
    requires std::constructible_from<T, Value&&>
  void return_value(Value&& value) {
    result.template emplace<1>(std::forward<Value>(value));
  }
  T take() {
    if (result.index() == 2) std::rethrow_exception(std::get<2>(std::move(result)));
    return std::get<1>(std::move(result));
  }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  std::exception_ptr error;

  Task<void> get_return_object(Place place = Place::current()) noexcept;
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void return_void() const noexcept {}
  void take() {
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }
};

}  // namespace detail

// A coroutine that runs when it is awaited, once, and returns a T or throws.
//
// It is lazy: nothing runs before `co_await`, so nothing runs that nobody owns. It is move-only,
// owned by whoever holds it, and belongs to its loop's thread. Destroying it while it is suspended
// cancels it: its locals are destroyed at the `co_await` where it stands, and the awaited thing
// forgets it. A task must not destroy itself while it runs.
//
// Invariant: the frame is alive as long as the Task is, finished or not.
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      destroy();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Task() { destroy(); }

  bool await_ready() const noexcept { return false; }

  // A task that finishes without suspending costs neither stack nor queue: a loop of a million such
  // awaits runs in one frame on every compiler and under every sanitizer, which symmetric transfer
  // here would not.
  bool await_suspend(std::coroutine_handle<> waiter) {
    check(frame_ != nullptr && !frame_.promise().finished, "a task is awaited once");
    frame_.resume();
    if (frame_.promise().finished) return false;
    frame_.promise().waiter = waiter;
    return true;
  }

  T await_resume() { return frame_.promise().take(); }

 private:
  friend promise_type;
  template <typename Result>
  friend std::coroutine_handle<> detail::frame_of(const Task<Result>& task) noexcept;
  template <typename Result>
  friend void detail::never_mind(Task<Result>& task) noexcept;
  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  void destroy() noexcept {
    if (!frame_) return;
    if (detail::is_debugging()) [[unlikely]] {
      end_watch(frame_);
    }
    std::exchange(frame_, nullptr).destroy();
  }

  [[gnu::cold, gnu::noinline]] static void end_watch(
      std::coroutine_handle<promise_type> frame) noexcept {
    detail::debug_destroyed(frame, frame.promise().finished || frame.promise().waiter);
  }

  std::coroutine_handle<promise_type> frame_;
};

template <typename T>
Task<T> detail::TaskPromise<T>::get_return_object(Place place) noexcept {
  const auto frame = std::coroutine_handle<TaskPromise<T>>::from_promise(*this);
  if (is_debugging()) [[unlikely]] {
    begin_watch(frame, place);
  }
  return Task<T>(frame);
}

inline Task<void> detail::TaskPromise<void>::get_return_object(Place place) noexcept {
  const auto frame = std::coroutine_handle<TaskPromise<void>>::from_promise(*this);
  if (is_debugging()) [[unlikely]] {
    begin_watch(frame, place);
  }
  return Task<void>(frame);
}

template <typename T>
std::coroutine_handle<> detail::frame_of(const Task<T>& task) noexcept {
  return task.frame_;
}

template <typename T>
void detail::never_mind(Task<T>& task) noexcept {
  task.frame_.promise().waiter = std::noop_coroutine();
}

}  // namespace async

// Reads a coroutine's parameters, to refuse those that would dangle.
template <typename T, typename... Arguments>
struct std::coroutine_traits<async::Task<T>, Arguments...> {
  static_assert(!async::detail::takes_rvalue_reference<Arguments...>,
                "A coroutine takes its arguments by value: its frame outlives what && refers to.");
  using promise_type = typename async::Task<T>::promise_type;
};
