// UvLoop: the loop on libuv, for real clocks, threads and sockets.
#pragma once

#include <memory>
#include <vector>

#include "async/loop.h"

namespace async {

// Owned by main, or by a test that wants the real world. Destroyed last: what was made on it must
// be gone by then, and the destructor stops the process with a list when a stream, listener or
// signal watcher is still open.
//
// SIGPIPE is ignored from the first loop on, in the whole process: a peer that went away is an
// error of the write.
class UvLoop final : public Loop {
 public:
  UvLoop();
  ~UvLoop() override;

  Instant now() const override;
  WallTime wall_now() const override;
  void post(std::move_only_function<void()> callback,
            const detail::Place& place = detail::Place::current()) override;
  Task<Stream> connect(Endpoint endpoint) override;
  Listener listen(const Endpoint& endpoint) override;
  // As listen(), but on every address that a name has on this machine, all on one port: localhost has
  // two. Never empty. Throws IoError when one of them cannot be taken.
  std::vector<Listener> listen_on_all(const Endpoint& endpoint);
  void run_in_pool(std::unique_ptr<PoolWork> work) override;

  // The next of these signals to arrive. While the task waits, they do nothing else; before and
  // after they do what they always do. Who waits again and again uses Signals.
  Task<int> next_signal(std::vector<int> signals);

  // How many streams, listeners and signal watchers are open.
  std::size_t open_handles() const noexcept;

  // For lib/async itself.
  class Impl;
  Impl& impl() noexcept { return *impl_; }

 protected:
  void wake() override;
  void turn() override;

 private:
  friend class Impl;
  friend class Signals;
  std::unique_ptr<Impl> impl_;
};

}  // namespace async
