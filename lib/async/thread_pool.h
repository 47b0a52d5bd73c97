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

// Replaces libuv's pool, whose completion wake-up makes the loop spin, and which ends the process if
// the system refuses it a thread.
//
// Owned by a loop; that loop's thread only. A thread is started when there is work and the others
// are busy, and stays. If the system refuses another thread, the work waits for those there are.
class ThreadPool {
 public:
  static constexpr std::size_t threads_max = 4;

  // `ran` is given work that has run. On a thread of the pool.
  using Ran = std::function<void(std::unique_ptr<PoolWork>)>;
  explicit ThreadPool(Ran ran) : ran_(std::move(ran)) { threads_.reserve(threads_max); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // Waits until all work has run.
  ~ThreadPool();

  // Throws IoError if there is no thread at all and the system refuses one; the work then never
  // runs.
  void run(std::unique_ptr<PoolWork> work);

 private:
  void start_thread_if_short();
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
