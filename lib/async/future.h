// Promise and Future: a value that a callback sets once and a task awaits.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "async/check.h"
#include "async/loop.h"

namespace async {

// The promise was destroyed without a value.
class BrokenPromise : public std::logic_error {
 public:
  BrokenPromise() : std::logic_error("a promise was dropped before it was kept") {}
};

namespace detail {

template <typename T>
struct FutureState : Pooled {
  using Stored = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

  explicit FutureState(Loop& owner) : loop(owner) {}
  FutureState(const FutureState&) = delete;
  FutureState& operator=(const FutureState&) = delete;
  ~FutureState() {
    if (error) [[unlikely]] {
      end_with_error();
    }
  }

  void complete() noexcept {
    if (ready == nullptr) return;
    loop.make_ready(*ready);
  }
  void release() noexcept {
    if (--references == 0) delete this;
  }

  [[gnu::cold, gnu::noinline]] void end_with_error() noexcept {
    if (!taken && is_debugging()) debug_lost("a future that was dropped", std::move(error));
  }

  Loop& loop;
  int references = 1;
  Ready* ready = nullptr;  // Of the task that awaits.
  std::optional<Stored> value;
  std::exception_ptr error;
  bool done = false;
  bool taken = false;
};

}  // namespace detail

template <typename T>
class Future;

// Sets a value, or an error, once. Move-only; loop thread only. The awaiting task goes on in the
// loop's ready queue, never inside set(), so whoever sets may hold what it likes.
template <typename T = void>
class Promise {
 public:
  explicit Promise(Loop& loop) : state_(new detail::FutureState<T>(loop)) {}
  Promise(Promise&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Promise& operator=(Promise&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Promise() {
    if (state_ == nullptr) return;
    if (!state_->done && is_awaited()) fail(std::make_exception_ptr(BrokenPromise()));
    state_->release();
  }

  // Once.
  Future<T> future();

  template <typename... Value>
  void set(Value&&... value) {
    check(!state_->done, "a promise is kept once");
    state_->value.emplace(std::forward<Value>(value)...);
    state_->done = true;
    state_->complete();
  }
  void fail(std::exception_ptr error) {
    check(!state_->done, "a promise is kept once");
    state_->error = std::move(error);
    state_->done = true;
    state_->complete();
  }
  bool is_set() const noexcept { return state_->done; }
  // False: whoever asked for the value no longer waits.
  bool is_awaited() const noexcept { return state_->references > 1; }

 private:
  detail::FutureState<T>* state_;
};

// A value that is still to come. Awaited once, by one task; move-only; loop thread only. Dropping
// it means no longer waiting.
template <typename T = void>
class [[nodiscard]] Future {
 public:
  Future(Future&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Future& operator=(Future&& other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Future() {
    if (state_ == nullptr) return;
    state_->ready = nullptr;
    state_->release();
  }

  bool is_ready() const noexcept { return state_->done; }

  class Awaiter {
   public:
    explicit Awaiter(detail::FutureState<T>& state) : state_(state) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (state_.ready == &ready_) state_.ready = nullptr;
    }
    bool await_ready() const noexcept { return state_.done; }
    void await_suspend(std::coroutine_handle<> waiter) {
      check(state_.ready == nullptr, "a future is awaited by one task");
      ready_.handle = waiter;
      state_.ready = &ready_;
    }
    T await_resume() {
      check(!std::exchange(state_.taken, true), "a future is awaited once");
      if (state_.error) std::rethrow_exception(state_.error);
      if constexpr (!std::is_void_v<T>) return std::move(*state_.value);
    }

   private:
    detail::FutureState<T>& state_;
    Ready ready_;
  };

  // The future must outlive the await: name it.
  Awaiter operator co_await() {
    check(state_ != nullptr, "a future is awaited where it was moved to");
    return Awaiter(*state_);
  }

 private:
  friend class Promise<T>;
  explicit Future(detail::FutureState<T>* state) : state_(state) {}

  detail::FutureState<T>* state_;
};

template <typename T>
Future<T> Promise<T>::future() {
  check(state_->references == 1, "a promise has one future");
  ++state_->references;
  return Future<T>(state_);
}

// A flag that tasks wait for, as asyncio's Event. Loop thread only; outlives who waits.
class Event {
 public:
  explicit Event(Loop& loop) : loop_(loop) {}

  void set() noexcept {
    set_ = true;
    while (waiters_.linked()) loop_.make_ready(static_cast<Ready&>(*waiters_.next()));
  }
  void clear() noexcept { set_ = false; }
  bool is_set() const noexcept { return set_; }

  // co_await event: goes on at once when set, else when it is set next.
  class Awaiter {
   public:
    explicit Awaiter(Event& event) : event_(event) {}
    bool await_ready() const noexcept { return event_.set_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      ready_.handle = waiter;
      ready_.insert_before(event_.waiters_);
    }
    void await_resume() const noexcept {}

   private:
    Event& event_;
    Ready ready_;
  };
  Awaiter operator co_await() { return Awaiter(*this); }

 private:
  Loop& loop_;
  detail::Link waiters_;
  bool set_ = false;
};

}  // namespace async
