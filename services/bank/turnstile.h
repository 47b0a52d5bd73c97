// Turnstile: lets a number of tasks in at a time.
#pragma once

#include <coroutine>
#include <cstddef>
#include <utility>

#include "async/loop.h"

namespace bank {

// Lets at most `places` tasks in; the others wait in the order in which they came. Loop thread
// only; outlives whoever waits or is inside.
//
//   Turnstile::Pass inside = co_await turnstile.enter();
//
// Invariant: a place is free, or inside, or on its way to the one who waited longest; so places are
// free only while nobody waits.
class Turnstile {
  struct Waiter : async::Ready {
    bool admitted = false;
  };

 public:
  Turnstile(async::Loop& loop, std::size_t places) : loop_(loop), free_(places), places_(places) {}
  Turnstile(const Turnstile&) = delete;
  Turnstile& operator=(const Turnstile&) = delete;

  // A place inside. Destroying it leaves.
  class [[nodiscard]] Pass {
   public:
    Pass(Pass&& other) noexcept : turnstile_(std::exchange(other.turnstile_, nullptr)) {}
    Pass& operator=(Pass&& other) noexcept {
      std::swap(turnstile_, other.turnstile_);
      return *this;
    }
    ~Pass() {
      if (turnstile_ != nullptr) turnstile_->leave();
    }

   private:
    friend class Turnstile;
    explicit Pass(Turnstile& turnstile) : turnstile_(&turnstile) {}
    Turnstile* turnstile_;
  };

  class Entering {
   public:
    explicit Entering(Turnstile& turnstile) : turnstile_(turnstile) {}
    Entering(const Entering&) = delete;
    Entering& operator=(const Entering&) = delete;
    // Cancelled after it was let in and before it went on: the place goes to the next.
    ~Entering() {
      if (waiter_.admitted) {
        turnstile_.leave();
      } else if (waiter_.linked()) {
        --turnstile_.waiting_;
      }
    }
    bool await_ready() noexcept {
      if (turnstile_.free_ == 0) return false;
      --turnstile_.free_;
      waiter_.admitted = true;
      return true;
    }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      waiter_.handle = handle;
      waiter_.insert_before(turnstile_.queue_);
      ++turnstile_.waiting_;
    }
    Pass await_resume() noexcept {
      waiter_.admitted = false;
      return Pass(turnstile_);
    }

   private:
    Turnstile& turnstile_;
    Waiter waiter_;
  };

  Entering enter() { return Entering(*this); }

  std::size_t waiting() const noexcept { return waiting_; }
  // Whether nobody is inside or on the way in.
  bool is_idle() const noexcept { return free_ == places_; }

 private:
  void leave() noexcept {
    if (!queue_.linked()) {
      ++free_;
      return;
    }
    auto& next = static_cast<Waiter&>(*queue_.next());
    next.admitted = true;
    --waiting_;
    loop_.make_ready(next);
  }

  async::Loop& loop_;
  async::detail::Link queue_;
  std::size_t free_;
  std::size_t places_;
  std::size_t waiting_ = 0;
};

}  // namespace bank
