// Signals on libuv's signal handles.

#include <algorithm>
#include <memory>
#include <vector>

#include "async/signals.h"
#include "async/uv_impl.h"
#include "async/waiting_place.h"

namespace async {

class Signals::Watch {
 public:
  Watch(UvLoop& loop, UvLoop::Impl& impl) : impl_(impl), waiting_(loop) {}
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() {
    for (auto& holder : holders_) impl_.close(std::move(holder));
  }

  // Not in the constructor: a handle that libuv knows can only be given back by closing it, also
  // when it or the next one cannot be used.
  void add(int signal) {
    auto holder = std::make_unique<Holder>();
    require(uv_signal_init(&impl_.uv, &holder->uv), "watch for a signal");
    ++impl_.open_handles;
    holder->uv.data = this;
    uv_signal_t* const handle = &holder->uv;
    holders_.push_back(std::move(holder));
    const auto received = [](uv_signal_t* from, int number) {
      static_cast<Watch*>(from->data)->arrive(number);
    };
    require(uv_signal_start(handle, received, signal), "watch for a signal");
  }

  WaitingPlace& waiting() noexcept { return waiting_; }
  bool has_arrived() const noexcept { return !arrived_.empty(); }
  int take() {
    const int signal = arrived_.front();
    arrived_.erase(arrived_.begin());
    return signal;
  }

 private:
  struct Holder {
    uv_signal_t uv{};
    uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv); }
  };

  void arrive(int signal) {
    if (std::ranges::find(arrived_, signal) != arrived_.end()) return;
    arrived_.push_back(signal);
    waiting_.wake();
  }

  UvLoop::Impl& impl_;
  std::vector<std::unique_ptr<Holder>> holders_;
  std::vector<int> arrived_;  // In their order.
  WaitingPlace waiting_;
};

Signals::Signals(UvLoop& loop, const std::vector<int>& signals)
    : watch_(std::make_unique<Watch>(loop, *loop.impl_)) {
  for (const int signal : signals) watch_->add(signal);
}

Signals::~Signals() = default;

Task<int> Signals::next() {
  Watch& watch = *watch_;
  while (!watch.has_arrived()) {
    const bool is_there = co_await watch.waiting();
    if (!is_there) throw IoError(UV_ECANCELED, "wait for a signal");
  }
  co_return watch.take();
}

Task<int> UvLoop::next_signal(std::vector<int> signals) {
  Signals watched(*this, signals);
  co_return co_await watched.next();
}

}  // namespace async
