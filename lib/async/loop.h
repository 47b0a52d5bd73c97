// Loop: takes turns. What runs, when it goes on, and what time it is.
#pragma once

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/check.h"
#include "async/debug_hooks.h"
#include "async/endpoint.h"
#include "async/task.h"
#include "async/time.h"

namespace async {

class Listener;
class Loop;
class Stream;

namespace detail {

// A link of an intrusive ring. Destroying it takes it out: whoever waits can be cancelled at any
// time.
class Link {
 public:
  Link() noexcept : next_(this), previous_(this) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() { unlink(); }

  bool linked() const noexcept { return next_ != this; }
  Link* next() const noexcept { return next_; }
  Link* previous() const noexcept { return previous_; }
  void unlink() noexcept {
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = this;
  }
  void insert_before(Link& place) noexcept {
    unlink();
    next_ = &place;
    previous_ = place.previous_;
    previous_->next_ = this;
    place.previous_ = this;
  }

 private:
  Link* next_;
  Link* previous_;
};

}  // namespace detail

// A coroutine that can go on, waiting in the loop's ready queue for its turn. Lives in whatever
// waits.
struct Ready : detail::Link {
  std::coroutine_handle<> handle;
};

// Something that happens once at a time. Lives in whatever waits, and may be destroyed, set and
// cancelled at any time, also while it fires.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer();

  // Calls `fired()` on the loop's thread in the first turn at or after `when`; never in the turn's
  // timers that are running now. Setting again replaces.
  void set(Loop& loop, Instant when);
  void cancel() noexcept;
  bool is_set() const noexcept { return loop_ != nullptr; }

 private:
  friend class Loop;
  virtual void fired() = 0;  // What it throws ends Loop::run().

  Loop* loop_ = nullptr;
  Instant when_{};
  std::uint64_t order_ = 0;  // Two timers of one instant fire in the order they were set.
  std::size_t heap_index_ = 0;
};

// Something to be done once, when the current turn has nothing else left to do (or has had its fair
// share of time): how all replies of a turn leave in one write.
class TurnEnd : public detail::Link {
 public:
  TurnEnd() = default;
  virtual ~TurnEnd() = default;

 private:
  friend class Loop;
  virtual void turn_ended() = 0;  // What it throws ends Loop::run().
};

// Work for the thread pool. `run()` is called on a pool thread; the object is destroyed on the
// loop's thread, after `done()` or with the loop.
class PoolWork {
 public:
  virtual ~PoolWork() = default;
  virtual void run() noexcept = 0;   // Pool thread.
  virtual void done() noexcept = 0;  // Loop's thread.
  // The loop ends and does not wait for `run()`, which goes on: let go of all that is the loop's.
  // `done()` never comes, and the object is destroyed on the pool thread. Loop's thread; only in a
  // pool that leaves its work.
  virtual void leave() noexcept {}
};

// Runs tasks on one thread, taking turns: what is ready, then whatever the world brought in, then
// timers.
//
// Made by main (UvLoop) or by a test (ManualLoop), and outlives everything that was made on it.
// Only `post` may be called from another thread. There is no default loop and no current loop: who
// needs one is given it.
class Loop {
 public:
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop();

  // Constant within one turn.
  virtual Instant now() const = 0;
  virtual WallTime wall_now() const = 0;

  Deadline in(Duration duration) const { return Deadline::at(after(now(), duration)); }

  // Awaitable; cancelled by destroying the task that awaits.
  auto sleep_until(Instant when);
  auto sleep_for(Duration duration);
  // Lets everything else that is ready run first.
  auto yield();

  // Runs `work` on a thread of the pool and returns its result. Cancelling the wait does not stop the
  // work: whatever it needs must be in `work` by value. Throws IoError if there is no thread for it.
  template <std::invocable Work>
  Task<std::invoke_result_t<Work>> offload(Work work);

  // Any thread: calls `callback` in a coming turn. Keeps their order. What a callback throws ends
  // run().
  virtual void post(std::move_only_function<void()> callback,
                    const detail::Place& place = detail::Place::current()) = 0;

  // Connects to `endpoint`, looking its name up anew. Throws IoError.
  virtual Task<Stream> connect(Endpoint endpoint) = 0;
  // Throws IoError when the address cannot be taken.
  virtual Listener listen(const Endpoint& endpoint) = 0;

  // Runs turns until `task` is done, ends that turn, and returns its result. Not from within a task.
  template <typename T>
  T run(Task<T> task);

  // An error that nobody awaits: ends run(), which throws it.
  void fail(std::exception_ptr error);

  // For those who make awaitables. `ready.handle` goes on in this turn or the next.
  void make_ready(Ready& ready) noexcept { ready.insert_before(ready_); }
  void at_turn_end(TurnEnd& end) noexcept { end.insert_before(turn_ends_); }
  // Throws IoError if no thread can run it; it then never runs.
  virtual void run_in_pool(std::unique_ptr<PoolWork> work) = 0;

 protected:
  Loop() = default;

  // run() begins: time may have passed since the last turn.
  virtual void wake() {}
  // One turn. Waits for the world only when nothing is ready and is_finished() is false.
  virtual void turn() = 0;
  // run() has what it waited for, or an error to throw.
  bool is_finished() const noexcept { return failure_ || (done_ != nullptr && *done_); }

  // Runs what is ready until nothing is, or a fair share was done; then what is to be done at the
  // turn's end. True: there is more.
  bool run_ready();
  // Fires each timer that is due, once.
  void run_timers();
  bool has_ready() const noexcept { return ready_.linked() || turn_ends_.linked(); }
  // When the earliest timer is due; Instant::max() when there is none.
  Instant next_timer() const noexcept;
  // Calls back who must not stop the loop: what it throws is an error that nobody awaits.
  template <std::invocable Callback>
  void call(Callback&& callback) noexcept {
    try {
      callback();
    } catch (...) {
      fail(std::current_exception());
    }
  }
  void throw_failure();

 private:
  friend class Timer;
  void add(Timer& timer);
  void remove(Timer& timer) noexcept;
  void sift_up(std::size_t index) noexcept;
  void sift_down(std::size_t index) noexcept;
  void place(Timer* timer, std::size_t index) noexcept;
  bool earlier(const Timer* a, const Timer* b) const noexcept;
  static void begin(Task<>& runner, std::coroutine_handle<> task);
  void run_until(Task<>& runner, std::coroutine_handle<> task, const bool& done);
  void resume_ready();
  void end_turn();

  detail::Link ready_;
  detail::Link turn_ends_;
  std::vector<Timer*> timers_;  // A binary heap, earliest first.
  std::uint64_t timer_order_next_ = 0;
  Instant timers_ran_at_ = Instant::min();
  std::exception_ptr failure_;
  const bool* done_ = nullptr;  // Whether run() is done; null while it does not run.
};

namespace detail {

class SleepAwaiter : Timer {
 public:
  SleepAwaiter(Loop& loop, Instant when) : loop_(loop), when_(when) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    set(loop_, when_);
  }
  void await_resume() const noexcept {}

 private:
  void fired() override { resume(waiter_); }

  Loop& loop_;
  Instant when_;
  std::coroutine_handle<> waiter_;
};

class YieldAwaiter {
 public:
  explicit YieldAwaiter(Loop& loop) : loop_(loop) {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    ready_.handle = waiter;
    loop_.make_ready(ready_);
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Ready ready_;
};

// The pool's thread writes the result into the work, which the loop owns: cancelling the waiter
// frees nothing that a thread uses.
template <typename Work, typename Result>
class OffloadWork;

template <typename Work, typename Result>
class OffloadAwaiter {
 public:
  OffloadAwaiter(Loop& loop, Work work) : loop_(loop), work_(std::in_place, std::move(work)) {}
  OffloadAwaiter(const OffloadAwaiter&) = delete;
  OffloadAwaiter& operator=(const OffloadAwaiter&) = delete;
  ~OffloadAwaiter();

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter);
  Result await_resume();

 private:
  friend class OffloadWork<Work, Result>;
  using Stored = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

  Loop& loop_;
  std::optional<Work> work_;
  OffloadWork<Work, Result>* running_ = nullptr;
  std::coroutine_handle<> waiter_;
  std::optional<Stored> result_;
  std::exception_ptr error_;
};

template <typename Work, typename Result>
class OffloadWork final : public PoolWork {
 public:
  using Awaiter = OffloadAwaiter<Work, Result>;
  OffloadWork(Awaiter& awaiter, Work work) : awaiter_(&awaiter), work_(std::move(work)) {}

  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Result>) {
        work_();
        result_.emplace();
      } else {
        result_.emplace(work_());
      }
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  void done() noexcept override {
    if (awaiter_ == nullptr) {
      if (error_ && is_debugging()) [[unlikely]] {
        debug_lost("work on the pool that nobody waits for", error_);
      }
      return;
    }
    Awaiter& awaiter = *awaiter_;
    awaiter.running_ = nullptr;
    awaiter.result_ = std::move(result_);
    awaiter.error_ = error_;
    resume(awaiter.waiter_);
  }
  void forget() noexcept { awaiter_ = nullptr; }

 private:
  Awaiter* awaiter_;
  Work work_;
  std::optional<typename Awaiter::Stored> result_;
  std::exception_ptr error_;
};

template <typename Work, typename Result>
OffloadAwaiter<Work, Result>::~OffloadAwaiter() {
  if (running_ != nullptr) running_->forget();
}

template <typename Work, typename Result>
void OffloadAwaiter<Work, Result>::await_suspend(std::coroutine_handle<> waiter) {
  waiter_ = waiter;
  auto work = std::make_unique<OffloadWork<Work, Result>>(*this, std::move(*work_));
  work_.reset();
  auto* const running = work.get();
  loop_.run_in_pool(std::move(work));  // Done in a later turn. If this throws, it never runs.
  running_ = running;
}

template <typename Work, typename Result>
Result OffloadAwaiter<Work, Result>::await_resume() {
  if (error_) std::rethrow_exception(error_);
  if constexpr (!std::is_void_v<Result>) return std::move(*result_);
}

// Awaits the task that run() was given, and remembers that it is done.
template <typename T>
struct RunResult {
  std::optional<std::conditional_t<std::is_void_v<T>, std::monostate, T>> value;
  std::exception_ptr error;
  bool done = false;
};

template <typename T>
Task<> run_into(Task<T> task, RunResult<T>* result) {
  try {
    if constexpr (std::is_void_v<T>) {
      co_await task;
      result->value.emplace();
    } else {
      result->value.emplace(co_await task);
    }
  } catch (...) {
    result->error = std::current_exception();
  }
  result->done = true;
}

}  // namespace detail

inline auto Loop::sleep_until(Instant when) { return detail::SleepAwaiter(*this, when); }
inline auto Loop::sleep_for(Duration duration) {
  return detail::SleepAwaiter(*this, after(now(), duration));
}
inline auto Loop::yield() { return detail::YieldAwaiter(*this); }

template <std::invocable Work>
Task<std::invoke_result_t<Work>> Loop::offload(Work work) {
  detail::OffloadAwaiter<Work, std::invoke_result_t<Work>> awaiter(*this, std::move(work));
  co_return co_await awaiter;
}

template <typename T>
T Loop::run(Task<T> task) {
  detail::RunResult<T> result;
  const std::coroutine_handle<> frame = detail::frame_of(task);
  Task<> runner = detail::run_into(std::move(task), &result);
  run_until(runner, frame, result.done);
  if (result.error) std::rethrow_exception(result.error);
  if constexpr (!std::is_void_v<T>) return std::move(*result.value);
}

}  // namespace async
