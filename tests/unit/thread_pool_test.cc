// The threads beside the loop's: that work runs, on how many, how urgently, and to its end.

#include "async/thread_pool.h"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <sched.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "loop_fixture.h"
#include "no_more_threads.h"

namespace async {
namespace {

class Work final : public PoolWork {
 public:
  explicit Work(std::move_only_function<void()> act) : act_(std::move(act)) {}
  void run() noexcept override { act_(); }
  void done() noexcept override {}

 private:
  std::move_only_function<void()> act_;
};

// What has run, counted on the pool's threads. They end with it, so what they use is declared before it.
struct Ran {
  std::atomic<int> count = 0;
  ThreadPool pool{[this](std::unique_ptr<PoolWork>) {
    ++count;
    count.notify_all();
  }};

  void run(std::move_only_function<void()> act) {
    pool.run(std::make_unique<Work>(std::move(act)));
  }
  void wait_for(int wanted) {
    for (int seen = count; seen < wanted; seen = count) count.wait(seen);
  }
};

TEST(ThreadPoolTest, WorkThatBlocksDoesNotHoldUpOtherWork) {
  std::latch release(1);
  Ran ran;
  for (std::size_t thread = 1; thread < ThreadPool::threads_max; ++thread) {
    ran.run([&] { release.wait(); });
  }
  ran.run([] {});
  ran.wait_for(1);
  EXPECT_EQ(ran.count, 1);
  release.count_down();
}

TEST(ThreadPoolTest, MoreWorkThanThereAreThreadsWaits) {
  std::latch release(1);
  std::atomic<std::size_t> begun = 0;
  const auto block = [&] {
    begun.fetch_add(1);
    begun.notify_all();
    release.wait();
  };
  Ran ran;
  for (std::size_t each = 0; each < 5 * ThreadPool::threads_max; ++each) ran.run(block);
  for (std::size_t seen = begun; seen < ThreadPool::threads_max; seen = begun) begun.wait(seen);
  // A thread too many would not wait.
  std::this_thread::yield();
  EXPECT_EQ(begun, ThreadPool::threads_max);
  release.count_down();
  ran.wait_for(5 * static_cast<int>(ThreadPool::threads_max));
}

TEST(ThreadPoolTest, EndsWhenAllWorkHasRun) {
  std::atomic<int> count = 0;
  constexpr int work_count = 100;
  {
    ThreadPool pool([&](std::unique_ptr<PoolWork>) { ++count; });
    for (int each = 0; each < work_count; ++each) pool.run(std::make_unique<Work>([] {}));
  }
  EXPECT_EQ(count, work_count);
}

TEST(ThreadPoolTest, WhoToldThatWorkHasRunDoesWhatFollows) {
  std::latch told(1);
  std::latch given(1);
  std::latch has_run(1);
  std::atomic<int> count = 0;
  std::thread::id first;
  std::thread::id second;
  ThreadPool pool([&](std::unique_ptr<PoolWork>) {
    if (++count > 1) return;
    told.count_down();
    given.wait();
  });
  pool.run(std::make_unique<Work>([&] { first = std::this_thread::get_id(); }));
  told.wait();
  pool.run(std::make_unique<Work>([&] {
    second = std::this_thread::get_id();
    has_run.count_down();
  }));
  given.count_down();
  has_run.wait();
  EXPECT_EQ(first, second);
}

TEST(ThreadPoolTest, WorkWaitsForTheThreadsThereAreWhenTheSystemRefusesAnother) {
  std::latch begun(1);
  std::latch release(1);
  Ran ran;
  ran.run([&] {
    begun.count_down();
    release.wait();
  });
  begun.wait();
  {
    const NoMoreThreads refused;
    ran.run([] {});
  }
  EXPECT_EQ(ran.count, 0);
  release.count_down();
  ran.wait_for(2);
}

TEST(ThreadPoolTest, RefusesWorkWhenThereIsNoThreadAtAll) {
  auto held = std::make_shared<int>();
  Ran ran;
  {
    const NoMoreThreads refused;
    EXPECT_EQ(error_of([&] { ran.run([held] {}); }), "EAGAIN");
  }
  EXPECT_EQ(held.use_count(), 1);  // It will never run.
  ran.run([] {});                  // Nor is the pool the worse for it.
  ran.wait_for(1);
  EXPECT_EQ(ran.count, 1);
}

TEST(ThreadPoolTest, ItsThreadsInterruptNobodyButGetAsMuchOfTheProcessorAsTheirMaker) {
  const auto niceness = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
  std::atomic<int> in_pool = 0;
  std::atomic<int> policy = 0;
  Ran ran;
  ran.run([&] {
    in_pool = niceness();
    policy = ::sched_getscheduler(0);
  });
  ran.wait_for(1);
  EXPECT_EQ(in_pool, niceness());
  EXPECT_EQ(policy, SCHED_BATCH);
}

}  // namespace
}  // namespace async
