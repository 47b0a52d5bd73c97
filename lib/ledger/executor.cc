#include "ledger/executor.h"

#include <ctime>
#include <unistd.h>
#include <utility>

#include "ledger/check.h"

namespace ledger {

ThreadExecutor::~ThreadExecutor() { stop(); }

void ThreadExecutor::start(std::function<bool()> step) {
  check(!thread_.joinable());
  step_ = std::move(step);
  stopping_ = false;
  stopping_beside_ = false;
  thread_beside_ = std::thread([this] { run_beside(); });
  thread_ = std::thread([this] { run(); });
}

void ThreadExecutor::wake() {
  {
    const std::lock_guard lock(mutex_);
    has_work_ = true;
  }
  woken_.notify_one();
}

void ThreadExecutor::beside(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    check(!work_beside_);
    work_beside_ = std::move(work);
  }
  woken_beside_.notify_one();
}

// The steps first: they give work to the other thread. One of the two may be missing, where the system refused it.
void ThreadExecutor::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  woken_.notify_one();
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    stopping_beside_ = true;
  }
  woken_beside_.notify_one();
  if (thread_beside_.joinable()) thread_beside_.join();
}

void ThreadExecutor::run() {
  pthread_setname_np(pthread_self(), "storage");
  // As urgent as any other program: one that was nicer would starve beside a busy neighbour, and every commit with it.
  while (true) {
    {
      std::unique_lock lock(mutex_);
      woken_.wait(lock, [this] { return has_work_ || stopping_; });
      if (stopping_) return;
      has_work_ = false;
    }
    if (step_()) {
      const std::lock_guard lock(mutex_);
      has_work_ = true;
    }
  }
}

void ThreadExecutor::run_beside() {
  pthread_setname_np(pthread_self(), "sync");
  while (true) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      woken_beside_.wait(lock, [this] { return work_beside_ || stopping_beside_; });
      if (!work_beside_) return;
      work.swap(work_beside_);
    }
    work();
  }
}

bool ManualExecutor::step() {
  if (!has_work_ || !step_) return false;
  has_work_ = false;
  if (step_()) has_work_ = true;
  return true;
}

void ManualExecutor::beside(std::function<void()> work) {
  check(!work_beside_);
  if (!keeps_beside_) return work();
  work_beside_ = std::move(work);
}

bool ManualExecutor::do_beside() {
  if (!work_beside_) return false;
  std::exchange(work_beside_, nullptr)();
  return true;
}

void ManualExecutor::run() {
  while (step()) {
  }
}

Instant SystemClock::now() const {
  return std::chrono::floor<Instant::duration>(std::chrono::system_clock::now());
}

async::Instant SystemClock::steady_now() const {
  return async::Instant(std::chrono::steady_clock::now().time_since_epoch());
}

BusinessDay SystemClock::day_of(Instant at) const {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm local{};
  check(localtime_r(&time, &local) != nullptr);
  const std::chrono::year_month_day date{
      std::chrono::year(local.tm_year + 1900),
      std::chrono::month(static_cast<unsigned>(local.tm_mon) + 1),
      std::chrono::day(static_cast<unsigned>(local.tm_mday))};
  return BusinessDay{
      static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count())};
}

}  // namespace ledger
