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

ThreadPool::ThreadPool(Ran ran, End end) : shared_(std::make_shared<Shared>(std::move(ran), end)) {
  threads_.reserve(threads_max);
}

ThreadPool::~ThreadPool() {
  const bool leaves = shared_->end == End::leaves;
  std::deque<std::unique_ptr<PoolWork>> never_run;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->ending = true;
    if (leaves) {
      never_run.swap(shared_->queued);
      for (PoolWork* const work : shared_->running) work->leave();
    }
  }
  shared_->changed.notify_all();
  for (std::thread& thread : threads_) {
    if (leaves) {
      thread.detach();
    } else {
      thread.join();
    }
  }
}

void ThreadPool::run(std::unique_ptr<PoolWork> work) {
  start_thread_if_short();  // First: work that is queued is sure to run.
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->queued.push_back(std::move(work));
  }
  shared_->changed.notify_one();
}

void ThreadPool::start_thread_if_short() {
  {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->queued.size() < shared_->idle || threads_.size() == threads_max) return;
  }
  try {
    threads_.emplace_back([shared = shared_] { serve(shared); });
  } catch (const std::system_error& refused) {
    if (threads_.empty()) throw IoError(-refused.code().value(), "start a thread");
  }
}

void ThreadPool::serve(const std::shared_ptr<Shared>& shared) {
  pthread_setname_np(pthread_self(), "pool");
  never_interrupt_others();
  std::unique_lock lock(shared->mutex);
  ++shared->idle;
  while (true) {
    shared->changed.wait(lock, [&] { return !shared->queued.empty() || shared->ending; });
    --shared->idle;
    if (shared->queued.empty()) return;
    std::unique_ptr<PoolWork> work = std::move(shared->queued.front());
    shared->queued.pop_front();
    shared->running.push_back(work.get());
    lock.unlock();
    work->run();
    lock.lock();
    std::erase(shared->running, work.get());
    // The owner is told that it has run, and may hand in more at once: this thread takes that, too.
    ++shared->idle;
    if (shared->end == End::waits) {
      lock.unlock();
      shared->ran(std::move(work));
      lock.lock();
    } else if (!shared->ending) {
      shared->ran(std::move(work));  // Under the lock, so that who is told cannot end meanwhile.
    }
  }
}

}  // namespace async
