#include "async/uv_loop.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <sys/eventfd.h>
#include <unistd.h>

#include "async/debug.h"
#include "async/stream.h"
#include "async/uv_impl.h"

namespace async {

namespace {

template <typename Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

}  // namespace

UvLoop::Impl::Impl(UvLoop& loop) : owner(loop) {
  const auto post_done = [this](std::unique_ptr<PoolWork> ran) {
    post([work = std::move(ran)] { work->done(); });
  };
  pool_ = std::make_unique<ThreadPool>(post_done);
  look_ups_ = std::make_unique<ThreadPool>(post_done, ThreadPool::End::leaves);
  // A peer that went away is an error of the write, not the end of the process. libuv leaves that
  // to the program.
  std::signal(SIGPIPE, SIG_IGN);
  require(uv_loop_init(&uv), "make an event loop");
  uv.data = this;
  require(uv_timer_init(&uv, &alarm_), "make an event loop");
  wake_up_descriptor_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_up_descriptor_ < 0) throw IoError(-errno, "make an event loop");
  require(uv_poll_init(&uv, &wake_up_, wake_up_descriptor_), "make an event loop");
  const auto woken = [](uv_poll_t* handle, int, int) {
    Impl& impl = *static_cast<Impl*>(handle->loop->data);
    std::uint64_t times = 0;
    while (read(impl.wake_up_descriptor_, &times, sizeof times) < 0 && errno == EINTR) {
    }
    impl.run_posted();
  };
  require(uv_poll_start(&wake_up_, UV_READABLE, woken), "make an event loop");
}

UvLoop::Impl::~Impl() {
  if (open_handles > 0) {
    std::fprintf(stderr, "an event loop was closed with this left open:\n%s",
                 list_open_handles().c_str());
  }
  check(open_handles == 0, "a loop is closed after everything that was made on it");
  pool_.reset();
  look_ups_.reset();
  {
    const std::lock_guard lock(mutex_);
    posted_.clear();
  }
  uv_close(as_handle(&alarm_), nullptr);
  uv_close(as_handle(&wake_up_), nullptr);
  if (tree_signal_) uv_close(as_handle(tree_signal_.get()), nullptr);
  // Lets writes fail and closed handles go.
  uv_run(&uv, UV_RUN_DEFAULT);
  check(uv_loop_close(&uv) == 0, "an event loop closes when nothing is left on it");
  ::close(wake_up_descriptor_);
}

void UvLoop::Impl::wake_up() const {
  const std::uint64_t once = 1;
  // Full would be as good as written.
  while (write(wake_up_descriptor_, &once, sizeof once) < 0 && errno == EINTR) {
  }
}

void UvLoop::Impl::post(std::move_only_function<void()> callback) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(callback));
  }
  if (first) wake_up();
}

void UvLoop::Impl::run_posted() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  for (auto& callback : running_) owner.call(callback);
  running_.clear();
}

Instant UvLoop::Impl::now() {
  if (!time_is_known_) {
    time_ = Instant(std::chrono::nanoseconds(uv_hrtime()));
    time_is_known_ = true;
  }
  return time_;
}

void UvLoop::Impl::set_alarm(Instant when) {
  // An alarm for what was cancelled rings for nothing, once: cheaper than to set it in each turn
  // again, as deadlines come and go with every call.
  if (when >= alarm_at_) return;
  alarm_at_ = when;
  // libuv counts whole milliseconds of the same clock. Rounded up: an alarm that comes early would
  // only be set again.
  uv_update_time(&uv);
  const auto due = static_cast<std::uint64_t>(
      std::chrono::ceil<std::chrono::milliseconds>(when.time_since_epoch()).count());
  const std::uint64_t milliseconds = due > uv_now(&uv) ? due - uv_now(&uv) : 0;
  // libuv before 1.45 runs what is due before it waits, and then waits as if nothing had run: an
  // alarm that was due by then must end that wait, too.
  const auto rung = [](uv_timer_t* alarm) {
    Impl& impl = *static_cast<Impl*>(alarm->loop->data);
    impl.alarm_at_ = Instant::max();
    impl.wake_up();
  };
  uv_timer_start(&alarm_, rung, milliseconds, 0);
}

UvLoop::UvLoop() {
  DebugMode::begin_if_wanted();
  impl_ = std::make_unique<Impl>(*this);
  if (DebugMode::is_on()) impl_->print_tasks_on_signal();
}
UvLoop::~UvLoop() = default;

std::size_t UvLoop::open_handles() const noexcept { return impl_->open_handles; }

Instant UvLoop::now() const { return impl_->now(); }

WallTime UvLoop::wall_now() const {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

void UvLoop::post(std::move_only_function<void()> callback, const detail::Place& place) {
  if (detail::is_debugging()) callback = detail::debug_posted(std::move(callback), place);
  impl_->post(std::move(callback));
}

void UvLoop::wake() { impl_->time_is_known_ = false; }

// Everything runs outside of libuv's frames but what its callbacks bring.
void UvLoop::turn() {
  run_timers();
  const bool more = run_ready();
  if (is_finished()) return;
  const bool is_due = next_timer() <= now();
  if (!is_due) impl_->set_alarm(next_timer());
  impl_->time_is_known_ = false;
  uv_run(&impl_->uv, more || is_due ? UV_RUN_NOWAIT : UV_RUN_ONCE);
}

void UvLoop::run_in_pool(std::unique_ptr<PoolWork> work) { impl_->pool_->run(std::move(work)); }

}  // namespace async
