#include "async/thread_pool.h"

#include <pthread.h>
#include <sched.h>
#include <system_error>
#include <utility>

namespace async {

namespace {

// A thread that wakes then does not interrupt the loop where they share a processor, but gets the
// same share of it as everybody else: one that was nicer would starve beside a busy neighbour.
void never_interrupt_others() {
  const sched_param no_priority{};
  // What the system does not grant is no reason not to serve.
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &no_priority);
}

}  // namespace

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::run(std::unique_ptr<PoolWork> work) {
  start_thread_if_short();  // First: work that is queued is sure to run.
  {
    const std::lock_guard lock(mutex_);
    queued_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void ThreadPool::start_thread_if_short() {
  {
    const std::lock_guard lock(mutex_);
    if (queued_.size() < idle_ || threads_.size() == threads_max) return;
  }
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error& refused) {
    if (threads_.empty()) throw IoError(-refused.code().value(), "start a thread");
  }
}

void ThreadPool::serve() {
  pthread_setname_np(pthread_self(), "pool");
  never_interrupt_others();
  std::unique_lock lock(mutex_);
  ++idle_;
  while (true) {
    changed_.wait(lock, [this] { return !queued_.empty() || ending_; });
    --idle_;
    if (queued_.empty()) return;
    std::unique_ptr<PoolWork> work = std::move(queued_.front());
    queued_.pop_front();
    lock.unlock();
    work->run();
    lock.lock();
    // Who is told that it has run may have more at once, and needs no other thread for it.
    ++idle_;
    lock.unlock();
    ran_(std::move(work));
    lock.lock();
  }
}

}  // namespace async
