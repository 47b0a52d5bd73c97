#include "async/standard_output.h"

#include <cerrno>
#include <memory>
#include <sys/epoll.h>
#include <unistd.h>
#include <utility>

#include "async/future.h"
#include "async/uv_impl.h"
#include "async/waiting_place.h"

namespace async {

namespace {

// Waits for what happens to standard output by itself: libuv would switch a descriptor that it polls
// to another mode, which whoever shares it would notice, so it polls an epoll of our own.
struct Poll {
  Poll() : descriptor(::epoll_create1(EPOLL_CLOEXEC)) {
    if (descriptor < 0) throw IoError(-errno, "watch standard output");
  }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  ~Poll() { ::close(descriptor); }

  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv); }
  // False: nothing ever happens to it.
  bool add_output() const {
    epoll_event errors_alone{};
    return ::epoll_ctl(descriptor, EPOLL_CTL_ADD, STDOUT_FILENO, &errors_alone) == 0;
  }

  uv_poll_t uv{};
  const int descriptor;
};

class OutputWatch {
 public:
  OutputWatch(UvLoop::Impl& loop, std::unique_ptr<Poll> poll) : loop_(loop), place_(loop.owner) {
    require(uv_poll_init(&loop.uv, &poll->uv, poll->descriptor), "watch standard output");
    poll_ = std::move(poll);
    ++loop_.open_handles;
    poll_->uv.data = this;
    const auto happened = [](uv_poll_t* from, int, int) {
      auto& watch = *static_cast<OutputWatch*>(from->data);
      uv_poll_stop(from);
      watch.has_happened_ = true;
      watch.place_.wake();
    };
    uv_poll_start(&poll_->uv, UV_READABLE, happened);
  }
  OutputWatch(const OutputWatch&) = delete;
  OutputWatch& operator=(const OutputWatch&) = delete;
  ~OutputWatch() { loop_.close(std::move(poll_)); }

  bool has_happened() const noexcept { return has_happened_; }
  WaitingPlace& place() noexcept { return place_; }

 private:
  UvLoop::Impl& loop_;
  std::unique_ptr<Poll> poll_;
  WaitingPlace place_;
  bool has_happened_ = false;
};

}  // namespace

Task<> output_abandoned(UvLoop& loop) {
  auto poll = std::make_unique<Poll>();
  if (!poll->add_output()) {
    Event never(loop);
    co_await never;
  }
  OutputWatch watch(loop.impl(), std::move(poll));
  while (!watch.has_happened()) co_await watch.place();
}

}  // namespace async
