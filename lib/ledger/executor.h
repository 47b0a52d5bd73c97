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
  // When this returns, no step runs and none will.
  virtual void stop() = 0;
};

// One thread for the storage.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor() = default;
  ThreadExecutor(const ThreadExecutor&) = delete;
  ThreadExecutor& operator=(const ThreadExecutor&) = delete;
  ~ThreadExecutor() override;

  void start(std::function<bool()> step) override;
  void wake() override;
  void stop() override;

 private:
  void run();

  std::function<bool()> step_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool has_work_ = false;  // Guarded by mutex_, as is the next.
  bool stopping_ = false;
  std::thread thread_;
};

// Steps are taken by whoever drives the test, on the loop's thread.
class ManualExecutor final : public Executor {
 public:
  void start(std::function<bool()> step) override { step_ = std::move(step); }
  void wake() override { has_work_ = true; }
  void stop() override { step_ = nullptr; }

  // One step, if there is work. False: there was none.
  bool step();
  // Steps until there is no more work.
  void run();

 private:
  std::function<bool()> step_;
  bool has_work_ = false;
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
