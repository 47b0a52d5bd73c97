// Scopes own background work; combinators wait for several things at once.
#pragma once

#include <array>
#include <cstddef>
#include <exception>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "async/loop.h"
#include "async/task.h"

namespace async {

namespace detail {
class ScopedTask;
}

// Owns tasks that run beside their owner. Destroying it cancels them, in the reverse of the order
// in which they began. So it is its owner's last member: no task outlives what it uses. Loop thread
// only.
//
// A task that ends leaves the scope by itself. One that throws is told to `on_error`; without one
// its error ends Loop::run(), because nobody else would ever see it; so does what `on_error`
// throws. A task must not cancel or destroy the scope that it runs in; `on_error` may do both,
// as the task that failed has left the scope by then.
class TaskScope {
 public:
  using OnError = std::function<void(std::exception_ptr)>;

  explicit TaskScope(Loop& loop, OnError on_error = {});
  TaskScope(const TaskScope&) = delete;
  TaskScope& operator=(const TaskScope&) = delete;
  ~TaskScope();

  // Starts the task: it runs until it first waits before this returns.
  void spawn(Task<> task, const detail::Place& place = detail::Place::current());
  std::size_t size() const noexcept { return size_; }
  // Cancels every task.
  void cancel() noexcept;
  // Done when no task is left. One task may wait.
  Task<> join();
  bool has_error_handler() const noexcept { return on_error_ != nullptr; }

 private:
  friend class detail::ScopedTask;
  void ended() noexcept;

  Loop& loop_;
  OnError on_error_;
  detail::Link tasks_;
  std::size_t size_ = 0;
  Ready* joiner_ = nullptr;
};

namespace detail {

class Latch;

// A coroutine that was started and is owned: what gather, first_of and with_deadline run their
// tasks in.
class Started {
 public:
  struct promise_type : Pooled {
    template <typename T, typename Store>
    promise_type(const Task<T>&, const Latch* latch, const Store&) noexcept {
      if (is_debugging()) [[unlikely]] {
        watch(*latch);
      }
    }
    Started get_return_object() noexcept {
      return Started(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() const noexcept { return {}; }
    struct Final {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(
          std::coroutine_handle<promise_type> ended) const noexcept {
        return ended.promise().next ? ended.promise().next : std::noop_coroutine();
      }
      void await_resume() const noexcept {}
    };
    Final final_suspend() const noexcept { return {}; }
    void unhandled_exception() const noexcept { std::terminate(); }
    // The coroutine that goes on when this one ends.
    void return_value(std::coroutine_handle<> handle) noexcept { next = handle; }
    void watch(const Latch& latch) const noexcept;
    std::coroutine_handle<> next;
  };

  Started() = default;
  Started(Started&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Started& operator=(Started&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Started() {
    if (!frame_) return;
    if (is_debugging()) [[unlikely]] {
      debug_gone(frame_);
    }
    frame_.destroy();
  }

 private:
  explicit Started(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  std::coroutine_handle<promise_type> frame_;
};

// How many are still awaited, and who waits for them.
class Latch {
 public:
  explicit Latch(std::size_t count) : count_(count) {}

  // Returns the coroutine that goes on, if this was the last that was awaited.
  std::coroutine_handle<> arrive() noexcept {
    if (count_ > 0) --count_;
    return count_ == 0 ? std::exchange(waiter_, nullptr) : nullptr;
  }
  std::coroutine_handle<> fail(std::exception_ptr error) noexcept {
    if (!error_) error_ = std::move(error);
    count_ = 0;
    return std::exchange(waiter_, nullptr);
  }
  bool has_failed() const noexcept { return error_ != nullptr; }
  bool await_ready() const noexcept { return count_ == 0; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  void await_resume() {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  friend class Started;
  std::size_t count_;
  std::coroutine_handle<> waiter_;
  std::exception_ptr error_;
};

inline void Started::promise_type::watch(const Latch& latch) const noexcept {
  const auto frame = std::coroutine_handle<const promise_type>::from_promise(*this);
  debug_made(frame, {.kind = Watched::Kind::started, .waiter = &latch.waiter_});
}

template <typename T>
using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

template <typename T, typename Store>
Started start_into(Task<T> task, Latch* latch, Store store) {
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<T>) {
      co_await task;
      store(std::monostate{});
    } else {
      store(co_await task);
    }
  } catch (...) {
    error = std::current_exception();
  }
  if (error) co_return latch->fail(error);
  co_return latch->arrive();
}

template <typename... T, std::size_t... Index>
Task<std::tuple<Stored<T>...>> gather_each(std::index_sequence<Index...>, Task<T>... tasks) {
  Latch latch(sizeof...(T));
  std::tuple<std::optional<Stored<T>>...> results;
  std::array<Started, sizeof...(T)> running;
  auto start = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, auto task) {
    if (latch.has_failed()) return never_mind(task);  // An earlier one failed at once.
    auto* const slot = &std::get<I>(results);
    running[I] = start_into(std::move(task), &latch,
                            [slot](auto value) { slot->emplace(std::move(value)); });
  };
  (start(std::integral_constant<std::size_t, Index>{}, std::move(tasks)), ...);
  co_await latch;
  std::tuple<Stored<T>...> values(std::move(*std::get<Index>(results))...);
  co_return values;
}

template <typename... T, std::size_t... Index>
Task<std::variant<Stored<T>...>> first_of_each(std::index_sequence<Index...>, Task<T>... tasks) {
  Latch latch(1);
  std::optional<std::variant<Stored<T>...>> result;
  std::array<Started, sizeof...(T)> running;
  auto start = [&]<std::size_t I>(std::integral_constant<std::size_t, I>, auto task) {
    if (latch.await_ready()) return never_mind(task);  // An earlier one finished at once.
    auto* const slot = &result;
    running[I] = start_into(std::move(task), &latch, [slot](auto value) {
      if (!*slot) slot->emplace(std::in_place_index<I>, std::move(value));
    });
  };
  (start(std::integral_constant<std::size_t, Index>{}, std::move(tasks)), ...);
  co_await latch;
  co_return std::move(*result);
}

inline Task<> sleep_task(Loop* loop, Instant when) { co_await loop->sleep_until(when); }

}  // namespace detail

// Runs the tasks side by side and returns all results, in order. The first error cancels the others
// and is thrown. Void tasks give std::monostate.
template <typename... T>
Task<std::tuple<detail::Stored<T>...>> gather(Task<T>... tasks) {
  return detail::gather_each<T...>(std::index_sequence_for<T...>{}, std::move(tasks)...);
}

// The same for many of one kind.
template <typename T>
Task<std::vector<detail::Stored<T>>> gather(std::vector<Task<T>> tasks) {
  detail::Latch latch(tasks.size());
  std::vector<std::optional<detail::Stored<T>>> results(tasks.size());
  std::vector<detail::Started> running;
  running.reserve(tasks.size());
  for (std::size_t i = 0; i < tasks.size() && !latch.has_failed(); ++i) {
    auto* const slot = &results[i];
    auto store = [slot](auto value) { slot->emplace(std::move(value)); };
    running.push_back(detail::start_into(std::move(tasks[i]), &latch, store));
  }
  for (std::size_t i = running.size(); i < tasks.size(); ++i) detail::never_mind(tasks[i]);
  co_await latch;
  std::vector<detail::Stored<T>> values;
  values.reserve(results.size());
  for (auto& result : results) values.push_back(std::move(*result));
  co_return values;
}

// Runs the tasks side by side until one is done, cancels the others, and returns its result
// (index() says whose). An error counts as being done, and is thrown.
template <typename... T>
Task<std::variant<detail::Stored<T>...>> first_of(Task<T>... tasks) {
  return detail::first_of_each<T...>(std::index_sequence_for<T...>{}, std::move(tasks)...);
}

// The task's result, or nothing when the deadline passed first; then the task is cancelled. For
// work that must not be cancelled half-way, await a Future of it instead.
template <typename T>
Task<std::optional<detail::Stored<T>>> with_deadline(Loop& loop, Deadline deadline, Task<T> task) {
  std::optional<detail::Stored<T>> result;
  if (deadline.is_never()) {
    if constexpr (std::is_void_v<T>) {
      co_await task;
      result.emplace();
    } else {
      result.emplace(co_await task);
    }
    co_return result;
  }
  Task<> alarm = detail::sleep_task(&loop, deadline.when());
  auto either = co_await first_of(std::move(task), std::move(alarm));
  if (either.index() == 0) result.emplace(std::get<0>(std::move(either)));
  co_return result;
}

}  // namespace async
