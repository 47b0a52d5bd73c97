// ThreadPool: threads beside the loop's, for work that blocks. For lib/async itself.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "async/loop.h"

namespace async {

// Not libuv's: whom its threads tell that they are done spins until they have come back from telling
// it, and each of them is as urgent as the loop.
//
// Owned by a loop; that loop's thread only. A thread is begun when there is work and the others are
// busy, and stays.
class ThreadPool {
 public:
  static constexpr std::size_t threads_max = 4;

  // `ran` is given work that has run. On a thread of the pool.
  using Ran = std::function<void(std::unique_ptr<PoolWork>)>;
  explicit ThreadPool(Ran ran) : ran_(std::move(ran)) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // Waits until all work has run.
  ~ThreadPool();

  void run(std::unique_ptr<PoolWork> work);

 private:
  void serve();

  const Ran ran_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<PoolWork>> queued_;  // Guarded by mutex_, as are the next two.
  std::size_t idle_ = 0;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace async
