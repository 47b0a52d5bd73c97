// What the libuv parts of lib/async share. Not for others.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <uv.h>

#include "async/thread_pool.h"
#include "async/uv_loop.h"

namespace async {

// Throws IoError when libuv said no. Costs nothing when it did not: the text is a view.
inline void require(int result, std::string_view what_was_tried) {
  if (result < 0) [[unlikely]] {
    throw IoError(result, std::string(what_was_tried));
  }
}

// What UvLoop is made of. Lives on the heap, as libuv keeps pointers into it.
class UvLoop::Impl {
 public:
  // libuv reads at most this much at once, and all streams of a loop read into the same buffer:
  // what was read is handled before the next stream reads.
  static constexpr std::size_t read_buffer_size = 64 * 1024;

  explicit Impl(UvLoop& owner);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  // The monotonic clock, as it was when it was first asked for in this turn.
  Instant now();

  // Closes a handle and destroys what it lives in when libuv has let go of it.
  template <typename Holder>
  void close(std::unique_ptr<Holder> holder) {
    auto* const handle = holder->handle();
    --open_handles;
    handle->data = holder.release();
    uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Holder*>(closed->data); });
  }

  // For name look-ups alone: those that wait for a server must keep neither other work waiting nor
  // the end of the loop.
  ThreadPool& look_ups() { return *look_ups_; }

  UvLoop& owner;
  uv_loop_t uv{};
  std::vector<char> read_buffer = std::vector<char>(read_buffer_size);
  std::size_t open_handles = 0;

 private:
  friend class UvLoop;
  // Any thread.
  void post(std::move_only_function<void()> callback);
  void run_posted();
  // Ends the wait for the world. Any thread.
  void wake_up() const;
  void set_alarm(Instant when);
  // What is open, a line each, for whoever forgot to close it.
  std::string list_open_handles();
  void print_tasks_on_signal();

  Instant time_;
  bool time_is_known_ = false;
  uv_timer_t alarm_{};  // Ends the wait for the world when the earliest timer is due.
  Instant alarm_at_ = Instant::max();
  // An eventfd of our own. Who is woken by uv_async_send spins until the sender has come back from it, which takes long where both
  // share a processor: the one that is woken runs first.
  uv_poll_t wake_up_{};
  int wake_up_descriptor_ = -1;
  std::unique_ptr<uv_signal_t> tree_signal_;  // SIGUSR1, in debug mode.
  std::mutex mutex_;                          // Guards posted_ only.
  std::vector<std::move_only_function<void()>> posted_;
  std::vector<std::move_only_function<void()>> running_;  // Were posted; kept for their memory.
  std::unique_ptr<ThreadPool> pool_;                      // Its threads post, as do
  std::unique_ptr<ThreadPool> look_ups_;                  // these.
};

}  // namespace async
