#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "async/time.h"
#include "ledger/time.h"

namespace ledger {

// Where the storage does its work: a thread of its own, or a test that takes the steps itself.
class Executor {
 public:
  virtual ~Executor() = default;

  // Calls `step` whenever there may be work, never twice at once. It returns true when there is more to do at once.
  virtual void start(std::function<bool()> step) = 0;
  // There is work. Any thread.
  virtual void wake() = 0;
  // For a step: does `work` beside this step and later ones, but before it stops. One work at a time: the next is given when this
  // one is done, or about to be.
  virtual void beside(std::function<void()> work) { work(); }
  // When this returns, no step runs and none will.
  virtual void stop() = 0;
};

// One thread for the storage, and one for what is done beside.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() = default;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  ~ThreadExecutor() override;

  void start(std::function<bool()> step) override;
  void wake() override;
  void beside(std::function<void()> work) override;
  void stop() override;

 private:
  void run();
  void run_beside();

  std::function<bool()> step_;
  std::mutex mutex_;  // Guards what follows, up to the threads.
  std::condition_variable woken_;
  std::condition_variable woken_beside_;
  bool has_work_ = false;
  std::function<void()> work_beside_;
  bool stopping_ = false;
  bool stopping_beside_ = false;
  std::thread thread_;
  std::thread thread_beside_;
};

// Steps are taken by whoever drives the test, on the loop's thread.
class ManualExecutor final : public Executor {
 public:
  void start(std::function<bool()> step) override { step_ = std::move(step); }
  void wake() override { has_work_ = true; }
  void beside(std::function<void()> work) override;
  void stop() override { step_ = nullptr; }

  // One step, if there is work. False: there was none.
  bool step();
  // Steps until there is no more work.
  void run();
  // What is to be done beside waits for `do_beside`; else it is done at once.
  void keep_beside() { keeps_beside_ = true; }
  // False: there is nothing.
  bool do_beside();

 private:
  std::function<bool()> step_;
  std::function<void()> work_beside_;
  bool has_work_ = false;
  bool keeps_beside_ = false;
};

// What the storage knows of time. Any thread.
class StoreClock {
 public:
  virtual ~StoreClock() = default;

  // The wall clock. It may jump; the journal's times do not.
  virtual Instant now() const = 0;
  // The clock of the loop's deadlines.
  virtual async::Instant steady_now() const = 0;
  // The bank's calendar.
  virtual BusinessDay day_of(Instant at) const = 0;
};

// The machine's clocks, and the calendar of the process's time zone (TZ, or the machine's).
class SystemClock final : public StoreClock {
 public:
  Instant now() const override;
  async::Instant steady_now() const override;
  BusinessDay day_of(Instant at) const override;
};

}  // namespace ledger
