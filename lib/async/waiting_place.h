// Where one task waits for a thing that may be destroyed meanwhile. Not for others.
#pragma once

#include <coroutine>
#include <utility>

#include "async/check.h"
#include "async/loop.h"

namespace async {

// Owned by what is waited for; loop thread only. Destroying it lets the waiting task go on, which
// learns that the place is gone and must not touch its owner any more.
class WaitingPlace {
 public:
  explicit WaitingPlace(Loop& loop) : loop_(loop) {}
  WaitingPlace(const WaitingPlace&) = delete;
  WaitingPlace& operator=(const WaitingPlace&) = delete;
  ~WaitingPlace() {
    if (awaiter_ == nullptr) return;
    awaiter_->place_ = nullptr;
    loop_.make_ready(awaiter_->ready_);
  }

  bool is_taken() const noexcept { return awaiter_ != nullptr; }
  // The task goes on in the loop's ready queue; or now, within this call.
  void wake() noexcept {
    if (awaiter_ != nullptr) loop_.make_ready(awaiter_->ready_);
  }
  void resume() { detail::resume(awaiter_->ready_.handle); }

  // True when the task was woken, false when the place is gone.
  class Awaiter {
   public:
    explicit Awaiter(WaitingPlace& place) : place_(&place) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() { leave(); }
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      check(!place_->is_taken(), "one task waits in a place");
      place_->awaiter_ = this;
      ready_.handle = waiter;
    }
    bool await_resume() noexcept {
      const bool is_there = place_ != nullptr;
      leave();
      return is_there;
    }

   private:
    friend class WaitingPlace;
    void leave() noexcept {
      if (place_ != nullptr && place_->awaiter_ == this) place_->awaiter_ = nullptr;
      place_ = nullptr;
    }
    WaitingPlace* place_;
    Ready ready_;
  };
  Awaiter operator co_await() { return Awaiter(*this); }

 private:
  Loop& loop_;
  Awaiter* awaiter_ = nullptr;
};

}  // namespace async
