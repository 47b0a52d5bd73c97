#include "async/scope.h"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "loop_fixture.h"

namespace async {
namespace {

using std::chrono::hours;

class ScopeTest : public LoopFixture<ManualLoop> {
 protected:
  std::vector<std::string> seen;
  std::unique_ptr<TaskScope> scope = std::make_unique<TaskScope>(loop);
};

// Calls back when it goes, as a local of a task that is cancelled does.
class AtEnd {
 public:
  explicit AtEnd(std::function<void()> act) : act_(std::move(act)) {}
  AtEnd(const AtEnd&) = delete;
  AtEnd& operator=(const AtEnd&) = delete;
  ~AtEnd() { act_(); }

 private:
  std::function<void()> act_;
};

Task<> sleep(Loop* loop, int count) { co_await loop->sleep_for(hours(count)); }

Task<> sleep_and_tell(Loop* loop, int count, std::vector<std::string>* seen) {
  const AtEnd end([seen, count] { seen->push_back("end " + std::to_string(count)); });
  co_await loop->sleep_for(hours(count));
  seen->push_back("slept " + std::to_string(count));
}

Task<> fail_at_once() {
  throw std::runtime_error("broken");
  co_return;
}

Task<> fail_later(Loop* loop) {
  co_await loop->sleep_for(hours(1));
  throw std::runtime_error("broken");
}

TEST_F(ScopeTest, RunsATaskAsFarAsItGoesBeforeSpawnReturns) {
  auto tell = [](std::vector<std::string>* to) -> Task<> {
    to->push_back("ran");
    co_return;
  };
  scope->spawn(tell(&seen));
  EXPECT_EQ(seen, std::vector<std::string>({"ran"}));
  EXPECT_EQ(scope->size(), 0U);
}

TEST_F(ScopeTest, LetsGoOfATaskThatEnds) {
  scope->spawn(sleep(&loop, 1));
  scope->spawn(sleep(&loop, 2));
  EXPECT_EQ(scope->size(), 2U);
  loop.advance(hours(1));
  EXPECT_EQ(scope->size(), 1U);
  loop.advance(hours(1));
  EXPECT_EQ(scope->size(), 0U);
}

TEST_F(ScopeTest, CancelsItsTasksNewestFirstWhenItIsDestroyed) {
  for (int i = 1; i <= 3; ++i) scope->spawn(sleep_and_tell(&loop, i, &seen));
  scope.reset();
  EXPECT_EQ(seen, std::vector<std::string>({"end 3", "end 2", "end 1"}));
  loop.advance(hours(4));
}

TEST_F(ScopeTest, CancelsItsTasksAndCanBeUsedAgain) {
  scope->spawn(sleep_and_tell(&loop, 1, &seen));
  scope->cancel();
  EXPECT_EQ(scope->size(), 0U);
  scope->spawn(sleep_and_tell(&loop, 2, &seen));
  loop.advance(hours(2));
  EXPECT_EQ(seen, std::vector<std::string>({"end 1", "slept 2", "end 2"}));
}

TEST_F(ScopeTest, MayBeCancelledAgainByWhatACancelledTaskDestroys) {
  auto cancel_again = [](TaskScope* where, Loop* on) -> Task<> {
    const AtEnd end([where] { where->cancel(); });
    co_await on->sleep_for(hours(1));
  };
  for (int i = 0; i < 3; ++i) scope->spawn(cancel_again(scope.get(), &loop));
  scope->cancel();
  EXPECT_EQ(scope->size(), 0U);
}

TEST_F(ScopeTest, CancelsWhatIsSpawnedWhileItCancels) {
  auto spawn_another = [](TaskScope* where, Loop* on) -> Task<> {
    const AtEnd end([where, on] { where->spawn(sleep(on, 1)); });
    co_await on->sleep_for(hours(1));
  };
  scope->spawn(spawn_another(scope.get(), &loop));
  scope.reset();
  loop.advance(hours(2));
}

TEST_F(ScopeTest, EndsTheRunWithTheErrorOfATaskThatNobodyAwaits) {
  scope->spawn(fail_later(&loop));
  EXPECT_THROW(loop.advance(hours(1)), std::runtime_error);
  scope->spawn(fail_at_once());
  EXPECT_THROW(turn(), std::runtime_error);
  turn();  // Once.
}

TEST_F(ScopeTest, TellsTheErrorOfATaskToItsHandler) {
  int errors = 0;
  TaskScope handled(loop, [&errors](const std::exception_ptr&) { ++errors; });
  handled.spawn(fail_at_once());
  EXPECT_EQ(errors, 1);
  handled.spawn(fail_later(&loop));
  handled.spawn(sleep(&loop, 2));
  loop.advance(hours(1));
  EXPECT_EQ(errors, 2);
  EXPECT_EQ(handled.size(), 1U);  // The others go on.
}

TEST_F(ScopeTest, EndsTheRunWithWhatItsHandlerThrows) {
  TaskScope handled(loop, [](std::exception_ptr error) { std::rethrow_exception(error); });
  handled.spawn(fail_later(&loop));
  EXPECT_THROW(loop.advance(hours(1)), std::runtime_error);
  EXPECT_EQ(handled.size(), 0U);
}

TEST_F(ScopeTest, MaySpawnFromAHandler) {
  TaskScope* where = nullptr;
  TaskScope handled(loop, [&](const std::exception_ptr&) { where->spawn(sleep(&loop, 1)); });
  where = &handled;
  handled.spawn(fail_at_once());
  EXPECT_EQ(handled.size(), 1U);
}

TEST_F(ScopeTest, MayBeCancelledFromAHandler) {
  TaskScope* where = nullptr;
  TaskScope handled(loop, [&](const std::exception_ptr&) { where->cancel(); });
  where = &handled;
  handled.spawn(sleep_and_tell(&loop, 2, &seen));
  handled.spawn(fail_later(&loop));
  loop.advance(hours(1));
  EXPECT_EQ(handled.size(), 0U);
  EXPECT_EQ(seen, std::vector<std::string>({"end 2"}));
}

TEST_F(ScopeTest, MayBeCancelledFromAHandlerOfATaskThatFailsAtOnce) {
  TaskScope* where = nullptr;
  TaskScope handled(loop, [&](const std::exception_ptr&) { where->cancel(); });
  where = &handled;
  handled.spawn(sleep_and_tell(&loop, 2, &seen));
  handled.spawn(fail_at_once());
  EXPECT_EQ(handled.size(), 0U);
  EXPECT_EQ(seen, std::vector<std::string>({"end 2"}));
}

TEST_F(ScopeTest, MayBeDestroyedByItsHandler) {
  std::unique_ptr<TaskScope> handled;
  auto destroy = [&handled, told = std::string("a failure ended its scope")](
                     const std::exception_ptr&) mutable {
    handled.reset();
    told += '.';  // What the handler holds is there until it returns.
  };
  handled = std::make_unique<TaskScope>(loop, destroy);
  handled->spawn(sleep_and_tell(&loop, 2, &seen));
  handled->spawn(fail_later(&loop));
  loop.advance(hours(1));
  EXPECT_EQ(handled, nullptr);
  EXPECT_EQ(seen, std::vector<std::string>({"end 2"}));
}

TEST_F(ScopeTest, DoesNotCountATaskWhoseErrorIsBeingHandled) {
  TaskScope* where = nullptr;
  std::size_t left = 1;
  TaskScope handled(loop, [&](const std::exception_ptr&) { left = where->size(); });
  where = &handled;
  handled.spawn(fail_later(&loop));
  auto joining = start(handled.join());
  loop.advance(hours(1));
  EXPECT_EQ(left, 0U);
  finish(joining);
}

TEST_F(ScopeTest, IsJoinedAtOnceWhenItIsEmpty) { EXPECT_TRUE(start(scope->join()).is_done()); }

TEST_F(ScopeTest, IsJoinedWhenTheLastTaskHasEnded) {
  scope->spawn(sleep(&loop, 1));
  scope->spawn(sleep(&loop, 2));
  auto joining = start(scope->join());
  loop.advance(hours(1));
  EXPECT_TRUE(pending(joining));
  loop.advance(hours(1));
  finish(joining);
}

TEST_F(ScopeTest, IsJoinedWhenItsTasksAreCancelled) {
  scope->spawn(sleep(&loop, 1));
  auto joining = start(scope->join());
  scope->cancel();
  finish(joining);
}

TEST_F(ScopeTest, IsNotJoinedWhileANewTaskRuns) {
  scope->spawn(sleep(&loop, 1));
  auto joining = start(scope->join());
  scope->cancel();
  scope->spawn(sleep(&loop, 1));  // Before the task that joins could go on.
  EXPECT_TRUE(pending(joining));
  loop.advance(hours(1));
  finish(joining);
}

TEST_F(ScopeTest, MayBeJoinedAgainAfterAJoinWasCancelled) {
  scope->spawn(sleep(&loop, 1));
  auto first = start(scope->join());
  first.cancel();
  auto second = start(scope->join());
  loop.advance(hours(1));
  finish(second);
}

TEST_F(ScopeTest, StopsTheProcessWhenTwoTasksJoin) {
  scope->spawn(sleep(&loop, 1));
  auto joining = start(scope->join());
  EXPECT_DEATH(start(scope->join()), "a scope is joined by one task");
}

TEST_F(ScopeTest, StopsTheProcessWhenItIsDestroyedUnderATaskThatJoins) {
  scope->spawn(sleep(&loop, 1));
  auto joining = start(scope->join());
  EXPECT_DEATH(scope.reset(), "a scope outlives the task that joins it");
}

TEST_F(ScopeTest, MayBeSpawnedIntoByItsOwnTasks) {
  auto spawn_one = [](TaskScope* where, Loop* on) -> Task<> {
    where->spawn(sleep(on, 1));
    co_await on->sleep_for(hours(2));
    where->spawn(sleep(on, 1));
  };
  scope->spawn(spawn_one(scope.get(), &loop));
  EXPECT_EQ(scope->size(), 2U);
  loop.advance(hours(2));
  EXPECT_EQ(scope->size(), 1U);
}

TEST_F(ScopeTest, TakesAHundredThousandTasksThatEndAtOnce) {
  auto nothing = []() -> Task<> { co_return; };
  for (int i = 0; i < 100'000; ++i) scope->spawn(nothing());
  EXPECT_EQ(scope->size(), 0U);
}

}  // namespace
}  // namespace async
