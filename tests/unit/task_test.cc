#include "async/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "loop_fixture.h"

namespace async {
namespace {

using std::chrono::hours;

using TaskTest = LoopFixture<ManualLoop>;

Task<int> seven() { co_return 7; }
Task<> broken() {
  throw std::runtime_error("broken");
  co_return;
}
Task<int> add_later(Loop* loop, int left, int right) {
  co_await loop->sleep_for(hours(1));
  co_return left + right;
}
Task<> break_later(Loop* loop) {
  co_await loop->sleep_for(hours(1));
  throw std::runtime_error("broken");
}
Task<> hold(std::shared_ptr<int> /*held*/, Loop* loop) { co_await loop->sleep_for(hours(1)); }
Task<> hold_deeper(std::shared_ptr<int> held, Loop* loop) {
  const std::shared_ptr<int> local = held;
  co_await hold(std::move(held), loop);
}

TEST_F(TaskTest, GivesItsResultToWhoAwaitsIt) { EXPECT_EQ(loop.run(seven()), 7); }

TEST_F(TaskTest, ThrowsItsErrorWhereItIsAwaited) {
  EXPECT_THROW(loop.run(broken()), std::runtime_error);
}

TEST_F(TaskTest, GivesItsResultAfterItHasWaited) {
  auto sum = start(add_later(&loop, 3, 4));
  EXPECT_TRUE(pending(sum));
  loop.advance(hours(1));
  EXPECT_EQ(sum.result(), 7);
}

TEST_F(TaskTest, ThrowsItsErrorAfterItHasWaited) {
  auto broken = start(break_later(&loop));
  EXPECT_TRUE(pending(broken));
  loop.advance(hours(1));
  EXPECT_THROW(broken.result(), std::runtime_error);
}

TEST_F(TaskTest, RunsNothingBeforeItIsAwaited) {
  bool ran = false;
  auto mark = [](bool* flag) -> Task<> {
    *flag = true;
    co_return;
  };
  {
    Task<> never = mark(&ran);
  }
  EXPECT_FALSE(ran);
}

TEST_F(TaskTest, MovesItsResultAndNeverCopiesIt) {
  auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  const std::unique_ptr<int> made = loop.run(make());
  EXPECT_EQ(*made, 7);
}

TEST_F(TaskTest, MayReturnWhatHasNoDefault) {
  struct Named {
    explicit Named(std::string given) : name(std::move(given)) {}
    std::string name;
  };
  auto make = []() -> Task<Named> { co_return Named("alice"); };
  EXPECT_EQ(loop.run(make()).name, "alice");
}

TEST_F(TaskTest, MayBeCaughtAndGoOn) {
  auto recover = []() -> Task<int> {
    int result = 0;
    try {
      co_await broken();
    } catch (const std::runtime_error&) {
      result = 1;
    }
    co_return result + co_await seven();
  };
  EXPECT_EQ(loop.run(recover()), 8);
}

TEST_F(TaskTest, DestroysItsLocalsAtItsEndAndItsParametersWithItself) {
  auto alive = std::make_shared<int>(1);
  auto holding = start(hold_deeper(alive, &loop));
  EXPECT_EQ(alive.use_count(), 3);
  loop.advance(hours(1));
  EXPECT_TRUE(holding.is_done());
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(TaskTest, DestroysWhatItHoldsWhenItIsCancelledAtAnyDepth) {
  auto alive = std::make_shared<int>(1);
  auto holding = start(hold_deeper(alive, &loop));
  EXPECT_EQ(alive.use_count(), 3);
  holding.cancel();
  EXPECT_EQ(alive.use_count(), 1);
  loop.advance(hours(2));  // The timer is gone with it.
}

TEST_F(TaskTest, DestroysItsParametersWhenItNeverRan) {
  auto alive = std::make_shared<int>(1);
  {
    const Task<> never = hold(alive, &loop);
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(TaskTest, IsCancelledByAssigningAnother) {
  auto alive = std::make_shared<int>(1);
  Task<> task = hold(alive, &loop);
  task = hold(nullptr, &loop);
  EXPECT_EQ(alive.use_count(), 1);
}

TEST_F(TaskTest, StopsTheProcessWhenItIsAwaitedTwice) {
  auto twice = []() -> Task<int> {
    Task<int> task = seven();
    const int first = co_await task;
    co_return first + co_await task;
  };
  EXPECT_DEATH(loop.run(twice()), "a task is awaited once");
}

TEST_F(TaskTest, StopsTheProcessWhenItIsAwaitedWhereItWasMovedFrom) {
  auto moved = []() -> Task<int> {
    Task<int> task = seven();
    Task<int> other = std::move(task);
    const int first = co_await other;
    co_return first + co_await task;
  };
  EXPECT_DEATH(loop.run(moved()), "a task is awaited once");
}

// Each await would cost a stack frame if it were done by symmetric transfer on g++ without -O2 and
// under every sanitizer.
TEST_F(TaskTest, AwaitsAMillionTasksThatFinishAtOnceOnOneStack) {
  auto count = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await seven();
    co_return sum;
  };
  EXPECT_EQ(loop.run(count()), 7'000'000);
}

Task<int> one_later(Loop* loop) {
  co_await loop->yield();
  co_return 1;
}

TEST_F(TaskTest, AwaitsManyTasksThatFinishLaterOnOneStack) {
  auto count = [](Loop* where) -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 100'000; ++i) sum += co_await one_later(where);
    co_return sum;
  };
  EXPECT_EQ(loop.run(count(&loop)), 100'000);
}

Task<int> nest(Loop* loop, int depth) {
  if (depth == 0) co_return co_await one_later(loop);
  co_return 1 + co_await nest(loop, depth - 1);
}

TEST_F(TaskTest, AwaitsToADepthOfTwoThousand) { EXPECT_EQ(loop.run(nest(&loop, 2000)), 2001); }

TEST(CoroutineParametersTest, MayNotBeRvalueReferences) {
  EXPECT_FALSE((detail::takes_rvalue_reference<int, std::string&, std::string>));
  EXPECT_TRUE((detail::takes_rvalue_reference<int, std::string&&>));
}

}  // namespace
}  // namespace async
