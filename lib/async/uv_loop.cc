#include "async/uv_loop.h"

#include <algorithm>
#include <cstdio>

#include "async/future.h"
#include "async/stream.h"
#include "async/uv_impl.h"

namespace async {

namespace {

template <typename Handle>
uv_handle_t* as_handle(Handle* handle) {
  return reinterpret_cast<uv_handle_t*>(handle);
}

constexpr std::uint64_t nanoseconds_per_millisecond = 1'000'000;

}  // namespace

UvLoop::Impl::Impl(UvLoop& loop) : owner(loop) {
  require(uv_loop_init(&uv), "make an event loop");
  uv.data = this;
  require(uv_prepare_init(&uv, &before_wait_), "make an event loop");
  require(uv_check_init(&uv, &after_wait_), "make an event loop");
  require(uv_idle_init(&uv, &dont_wait_), "make an event loop");
  require(uv_timer_init(&uv, &alarm_), "make an event loop");
  const auto woken = [](uv_async_t* handle) {
    static_cast<Impl*>(handle->loop->data)->run_posted();
  };
  require(uv_async_init(&uv, &wake_up_, woken), "make an event loop");
  const auto prepared = [](uv_prepare_t* handle) {
    static_cast<Impl*>(handle->loop->data)->run_ready();
  };
  require(uv_prepare_start(&before_wait_, prepared), "start an event loop");
  const auto checked = [](uv_check_t* handle) {
    static_cast<Impl*>(handle->loop->data)->run_ready();
  };
  require(uv_check_start(&after_wait_, checked), "start an event loop");
}

UvLoop::Impl::~Impl() {
  if (open_handles > 0) {
    std::fprintf(stderr, "an event loop was closed with these handles open:\n");
    uv_print_all_handles(&uv, stderr);
  }
  check(open_handles == 0, "a loop is closed after everything that was made on it");
  for (uv_handle_t* const handle :
       {as_handle(&before_wait_), as_handle(&after_wait_), as_handle(&dont_wait_),
        as_handle(&alarm_), as_handle(&wake_up_)}) {
    uv_close(handle, nullptr);
  }
  // Lets pool work end, writes fail and closed handles go.
  uv_run(&uv, UV_RUN_DEFAULT);
  check(uv_loop_close(&uv) == 0, "an event loop closes when nothing is left on it");
}

void UvLoop::Impl::run_posted() {
  std::vector<std::move_only_function<void()>> posted;
  {
    const std::lock_guard lock(mutex_);
    posted.swap(posted_);
  }
  for (auto& callback : posted) callback();
}

void UvLoop::Impl::run_ready() {
  const bool more = owner.run_ready();
  if (more == (uv_is_active(as_handle(&dont_wait_)) != 0)) return;
  if (more) {
    uv_idle_start(&dont_wait_, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&dont_wait_);
  }
}

UvLoop::UvLoop() : impl_(std::make_unique<Impl>(*this)) {}
UvLoop::~UvLoop() = default;

std::size_t UvLoop::open_handles() const noexcept { return impl_->open_handles; }

Instant UvLoop::now() const {
  // libuv's clock is the monotonic one, cached once a turn, in milliseconds; its zero is the
  // system's.
  return Instant(std::chrono::milliseconds(uv_now(&impl_->uv)));
}

WallTime UvLoop::wall_now() const {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

void UvLoop::post(std::move_only_function<void()> callback) {
  bool first = false;
  {
    const std::lock_guard lock(impl_->mutex_);
    first = impl_->posted_.empty();
    impl_->posted_.push_back(std::move(callback));
  }
  if (first) uv_async_send(&impl_->wake_up_);
}

void UvLoop::turn() { uv_run(&impl_->uv, UV_RUN_ONCE); }

void UvLoop::wake_at(Instant when) {
  const Duration left = std::max(when - now(), Duration::zero());
  // Rounded up: an alarm that comes early would only be set again.
  const auto milliseconds =
      (static_cast<std::uint64_t>(left.count()) + nanoseconds_per_millisecond - 1) /
      nanoseconds_per_millisecond;
  const auto rung = [](uv_timer_t* alarm) {
    UvLoop& loop = static_cast<Impl*>(alarm->loop->data)->owner;
    loop.run_timers();
    if (loop.next_timer() != Instant::max()) loop.wake_at(loop.next_timer());
  };
  uv_timer_start(&impl_->alarm_, rung, milliseconds, 0);
}

void UvLoop::run_in_pool(std::unique_ptr<PoolWork> work) {
  auto request = std::make_unique<uv_work_t>();
  request->data = work.get();
  const auto run = [](uv_work_t* item) { static_cast<PoolWork*>(item->data)->run(); };
  const auto done = [](uv_work_t* item, int) {
    const std::unique_ptr<uv_work_t> owned_request(item);
    const std::unique_ptr<PoolWork> owned_work(static_cast<PoolWork*>(item->data));
    owned_work->done();
  };
  require(uv_queue_work(&impl_->uv, request.get(), run, done), "start work on a thread");
  (void)request.release();  // Both are owned by libuv until `done`.
  (void)work.release();
}

namespace {

// One task's wait for any of several signals.
class SignalWatch {
 public:
  SignalWatch(UvLoop& loop, UvLoop::Impl& impl, const std::vector<int>& signals)
      : impl_(impl), arrived_(loop) {
    for (const int signal : signals) {
      auto holder = std::make_unique<Holder>();
      require(uv_signal_init(&impl.uv, &holder->uv), "watch for a signal");
      ++impl.open_handles;
      holder->uv.data = this;
      const auto received = [](uv_signal_t* handle, int number) {
        SignalWatch& watch = *static_cast<SignalWatch*>(handle->data);
        if (!watch.arrived_.is_set()) watch.arrived_.set(number);
      };
      require(uv_signal_start(&holder->uv, received, signal), "watch for a signal");
      holders_.push_back(std::move(holder));
    }
  }
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch() {
    for (auto& holder : holders_) impl_.close(std::move(holder));
  }
  Future<int> future() { return arrived_.future(); }

 private:
  struct Holder {
    uv_signal_t uv{};
    uv_handle_t* handle() { return as_handle(&uv); }
  };
  UvLoop::Impl& impl_;
  Promise<int> arrived_;
  std::vector<std::unique_ptr<Holder>> holders_;
};

}  // namespace

Task<int> UvLoop::next_signal(std::vector<int> signals) {
  SignalWatch watch(*this, *impl_, signals);
  Future<int> arrived = watch.future();
  co_return co_await arrived;
}

}  // namespace async
