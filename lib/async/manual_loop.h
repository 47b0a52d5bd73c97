// ManualLoop: a loop whose world is in memory and whose time the test drives.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "async/loop.h"
#include "async/stream.h"

namespace async {

// Time stands still until advance(). Connections are pairs in memory: connect() reaches whoever
// listens on the same endpoint of the same loop. Offloaded work runs at once in a coming turn, on
// the loop's own thread. So a test is the same every time it runs.
class ManualLoop final : public Loop {
 public:
  ManualLoop() = default;
  ~ManualLoop() override;

  Instant now() const override { return now_; }
  WallTime wall_now() const override { return wall_now_; }
  void post(std::move_only_function<void()> callback,
            const detail::Place& place = detail::Place::current()) override;
  Task<Stream> connect(Endpoint endpoint) override;
  Listener listen(const Endpoint& endpoint) override;
  void run_in_pool(std::unique_ptr<PoolWork> work) override;

  // Runs everything that can run without time passing. Throws the errors that nobody awaits.
  void settle();
  // Lets time pass, timer by timer.
  void advance(Duration duration);
  // The wall clock alone jumps.
  void set_wall_clock(WallTime now) { wall_now_ = now; }

 protected:
  // Throws when nothing is left that could happen without time passing.
  void turn() override;

 private:
  class MemoryListener;
  bool step();
  bool run_posted();

  Instant now_{std::chrono::hours(1)};
  WallTime wall_now_{std::chrono::hours(24 * 365 * 56)};
  std::mutex mutex_;  // Guards posted_ only.
  std::deque<std::move_only_function<void()>> posted_;
  std::deque<std::unique_ptr<PoolWork>> pool_;
  std::map<std::string, MemoryListener*> listeners_;
  std::uint16_t port_next_ = 40000;
};

}  // namespace async
