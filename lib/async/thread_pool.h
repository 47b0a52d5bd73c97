// ThreadPool: threads beside the loop's, for work that blocks. For lib/async itself.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "async/loop.h"

namespace async {

// Replaces libuv's pool, whose completion wake-up makes the loop spin, and which ends the process if
// the system refuses it a thread.
//
// Owned by a loop; that loop's thread only. A thread is started when there is work and the others
// are busy, and stays. If the system refuses another thread, the work waits for those there are.
class ThreadPool {
 public:
  static constexpr std::size_t threads_max = 4;

  // What the destructor does about work that has not run.
  enum class End : std::uint8_t {
    waits,   // Until all of it has run.
    leaves,  // What runs goes on alone (PoolWork::leave()), and what is queued never runs.
  };
  // `ran` is given work that has run. On a thread of the pool.
  using Ran = std::function<void(std::unique_ptr<PoolWork>)>;
  explicit ThreadPool(Ran ran, End end = End::waits);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  // Throws IoError if there is no thread at all and the system refuses one; the work then never
  // runs.
  void run(std::unique_ptr<PoolWork> work);

 private:
  // Outlives the pool where its threads do.
  struct Shared {
    const Ran ran;
    const End end;
    std::mutex mutex = {};
    std::condition_variable changed = {};
    std::deque<std::unique_ptr<PoolWork>> queued = {};  // Guarded by the mutex, as are the others.
    std::vector<PoolWork*> running = {};
    std::size_t idle = 0;
    bool ending = false;
  };

  void start_thread_if_short();
  static void serve(const std::shared_ptr<Shared>& shared);

  const std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

}  // namespace async
