// Waiting for several things at once: gather, first_of, with_deadline.

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include "loop_fixture.h"

namespace async {
namespace {

using std::chrono::hours;

class GatherTest : public LoopFixture<ManualLoop> {
 protected:
  // A task that ends after so many hours, and whose life can be watched.
  Task<int> after(int count) { return give_after(&loop, count, alive); }
  Task<> fail_after(int count) { return throw_after(&loop, count, alive); }
  Task<int> at_once(int number) { return give(number, alive); }
  Task<> fail_at_once() { return throw_it(alive); }
  Task<> void_after(int count) { return sleep(&loop, count, alive); }
  // How many of these tasks exist.
  long tasks() const { return alive.use_count() - 1; }

  static Task<int> give_after(Loop* loop, int count, std::shared_ptr<int> /*alive*/) {
    co_await loop->sleep_for(hours(count));
    co_return count;
  }
  static Task<> throw_after(Loop* loop, int count, std::shared_ptr<int> /*alive*/) {
    co_await loop->sleep_for(hours(count));
    throw std::runtime_error("after " + std::to_string(count));
  }
  static Task<int> give(int number, std::shared_ptr<int> /*alive*/) { co_return number; }
  static Task<> throw_it(std::shared_ptr<int> /*alive*/) {
    throw std::runtime_error("at once");
    co_return;
  }
  static Task<> sleep(Loop* loop, int count, std::shared_ptr<int> /*alive*/) {
    co_await loop->sleep_for(hours(count));
  }

  std::shared_ptr<int> alive = std::make_shared<int>(0);
};

template <typename T>
std::string message_of(Running<T>& task) {
  try {
    task.result();
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "nothing";
}

TEST_F(GatherTest, GivesAllResultsInOrder) {
  auto all = start(gather(after(3), after(1), void_after(2)));
  loop.advance(hours(2));
  EXPECT_TRUE(pending(all));
  loop.advance(hours(1));
  EXPECT_EQ(finish(all), (std::tuple<int, int, std::monostate>(3, 1, {})));
  EXPECT_EQ(tasks(), 0);
}

TEST_F(GatherTest, IsDoneAtOnceWhenAllAre) {
  auto all = start(gather(at_once(1), at_once(2)));
  ASSERT_TRUE(all.is_done());
  EXPECT_EQ(all.result(), std::tuple(1, 2));
}

TEST_F(GatherTest, WaitsForTheOthersOfOneThatIsDoneAtOnce) {
  auto all = start(gather(at_once(1), after(2)));
  EXPECT_TRUE(pending(all));
  loop.advance(hours(2));
  EXPECT_EQ(finish(all), std::tuple(1, 2));
}

TEST_F(GatherTest, CancelsTheOthersWhenOneThrows) {
  auto all = start(gather(after(3), fail_after(1), after(2)));
  EXPECT_EQ(tasks(), 3);
  loop.advance(hours(1));
  ASSERT_TRUE(all.is_done());
  EXPECT_EQ(tasks(), 0);
  EXPECT_EQ(message_of(all), "after 1");
}

TEST_F(GatherTest, DoesNotStartTheOthersOfOneThatThrowsAtOnce) {
  bool ran = false;
  auto mark = [](bool* flag) -> Task<> {
    *flag = true;
    co_return;
  };
  auto all = start(gather(after(1), fail_at_once(), mark(&ran)));
  EXPECT_EQ(message_of(all), "at once");
  EXPECT_FALSE(ran);
  EXPECT_EQ(tasks(), 0);
}

TEST_F(GatherTest, GivesTheFirstErrorOfTwoThatThrowTogether) {
  auto all = start(gather(fail_after(1), fail_after(1)));
  loop.advance(hours(1));
  EXPECT_EQ(message_of(all), "after 1");
}

TEST_F(GatherTest, CancelsAllWhenItIsCancelled) {
  auto all = start(gather(after(1), after(2)));
  EXPECT_EQ(tasks(), 2);
  all.cancel();
  EXPECT_EQ(tasks(), 0);
  loop.advance(hours(2));
}

TEST_F(GatherTest, MovesResultsThatCannotBeCopied) {
  auto make = [](int number) -> Task<std::unique_ptr<int>> {
    co_return std::make_unique<int>(number);
  };
  auto all = start(gather(make(1), make(2)));
  const auto both = all.result();
  EXPECT_EQ(*std::get<0>(both) + *std::get<1>(both), 3);
}

std::vector<Task<int>> list_of(Task<int> first, Task<int> second) {
  std::vector<Task<int>> tasks;
  tasks.push_back(std::move(first));
  tasks.push_back(std::move(second));
  return tasks;
}

TEST_F(GatherTest, GivesAllResultsOfAList) {
  auto all = start(gather(list_of(after(2), after(1))));
  EXPECT_TRUE(pending(all));
  loop.advance(hours(2));
  EXPECT_EQ(finish(all), std::vector({2, 1}));
}

TEST_F(GatherTest, GivesNothingOfAnEmptyList) {
  std::vector<Task<int>> none;
  EXPECT_TRUE(start(gather(std::move(none))).is_done());
}

TEST_F(GatherTest, CancelsTheOthersOfAListWhenOneThrows) {
  std::vector<Task<>> list;
  list.push_back(void_after(2));
  list.push_back(fail_after(1));
  auto all = start(gather(std::move(list)));
  loop.advance(hours(1));
  EXPECT_EQ(message_of(all), "after 1");
  EXPECT_EQ(tasks(), 0);
}

TEST_F(GatherTest, GathersAThousand) {
  std::vector<Task<int>> list;
  list.reserve(1000);
  for (int i = 0; i < 1000; ++i) list.push_back(after(i % 7));
  auto all = start(gather(std::move(list)));
  loop.advance(hours(7));
  EXPECT_EQ(finish(all).size(), 1000U);
}

using FirstOfTest = GatherTest;

TEST_F(FirstOfTest, GivesTheFirstAndCancelsTheOthers) {
  auto first = start(first_of(after(2), after(1), void_after(3)));
  EXPECT_EQ(tasks(), 3);
  loop.advance(hours(1));
  const auto result = finish(first);
  EXPECT_EQ(result.index(), 1U);
  EXPECT_EQ(std::get<1>(result), 1);
  EXPECT_EQ(tasks(), 0);
}

TEST_F(FirstOfTest, DoesNotStartThoseAfterOneThatIsDoneAtOnce) {
  bool ran = false;
  auto mark = [](bool* flag) -> Task<> {
    *flag = true;
    co_return;
  };
  auto first = start(first_of(after(1), at_once(7), mark(&ran)));
  ASSERT_TRUE(first.is_done());
  EXPECT_EQ(std::get<1>(first.result()), 7);
  EXPECT_FALSE(ran);
  EXPECT_EQ(tasks(), 0);
}

TEST_F(FirstOfTest, GivesTheEarlierArgumentWhenTwoAreDoneTogether) {
  auto first = start(first_of(after(1), after(1)));
  loop.advance(hours(1));
  EXPECT_EQ(finish(first).index(), 0U);
}

TEST_F(FirstOfTest, ThrowsWhenTheFirstToBeDoneThrows) {
  auto first = start(first_of(after(2), fail_after(1)));
  loop.advance(hours(1));
  EXPECT_EQ(message_of(first), "after 1");
  EXPECT_EQ(tasks(), 0);
}

TEST_F(FirstOfTest, ThrowsWhenOneThrowsAtOnce) {
  auto first = start(first_of(fail_at_once(), after(1)));
  EXPECT_EQ(message_of(first), "at once");
}

TEST_F(FirstOfTest, CancelsAllWhenItIsCancelled) {
  auto first = start(first_of(after(1), after(2)));
  first.cancel();
  EXPECT_EQ(tasks(), 0);
  loop.advance(hours(2));
}

TEST_F(FirstOfTest, NestsInItself) {
  auto inner = [](Task<int> a, Task<int> b) -> Task<int> {
    auto either = co_await first_of(std::move(a), std::move(b));
    co_return either.index() == 0 ? std::get<0>(either) : std::get<1>(either);
  };
  auto first = start(first_of(inner(after(4), after(2)), inner(after(1), after(3))));
  loop.advance(hours(1));
  EXPECT_EQ(std::get<1>(finish(first)), 1);
  EXPECT_EQ(tasks(), 0);
}

using DeadlineTest = GatherTest;

TEST_F(DeadlineTest, GivesTheResultOfATaskThatIsDoneInTime) {
  auto result = start(with_deadline(loop, loop.in(hours(2)), after(1)));
  loop.advance(hours(1));
  EXPECT_EQ(finish(result), 1);
}

TEST_F(DeadlineTest, GivesNothingAndCancelsTheTaskWhenItPasses) {
  auto result = start(with_deadline(loop, loop.in(hours(1)), after(2)));
  EXPECT_TRUE(pending(result));
  loop.advance(hours(1));
  EXPECT_EQ(finish(result), std::nullopt);
  EXPECT_EQ(tasks(), 0);
}

TEST_F(DeadlineTest, ThatHasPassedStillTakesATaskThatIsDoneAtOnce) {
  auto result = start(with_deadline(loop, Deadline::at(Instant::min()), at_once(7)));
  EXPECT_EQ(finish(result), 7);
}

TEST_F(DeadlineTest, ThatHasPassedCancelsATaskThatWaits) {
  auto result = start(with_deadline(loop, Deadline::at(Instant::min()), after(1)));
  EXPECT_EQ(finish(result), std::nullopt);
}

TEST_F(DeadlineTest, ThatNeverComesWaitsAsLongAsItTakes) {
  auto result = start(with_deadline(loop, Deadline::never(), after(1000)));
  loop.advance(hours(1000));
  EXPECT_EQ(finish(result), 1000);
  auto nothing = start(with_deadline(loop, Deadline::never(), void_after(1)));
  loop.advance(hours(1));
  EXPECT_TRUE(finish(nothing).has_value());
}

TEST_F(DeadlineTest, SaysWhetherATaskWithoutAResultWasDone) {
  auto done = start(with_deadline(loop, loop.in(hours(2)), void_after(1)));
  auto late = start(with_deadline(loop, loop.in(hours(1)), void_after(2)));
  loop.advance(hours(2));
  EXPECT_TRUE(finish(done).has_value());
  EXPECT_FALSE(finish(late).has_value());
}

TEST_F(DeadlineTest, ThrowsWhatTheTaskThrows) {
  auto result = start(with_deadline(loop, loop.in(hours(2)), fail_after(1)));
  loop.advance(hours(1));
  EXPECT_EQ(message_of(result), "after 1");
}

TEST_F(DeadlineTest, CancelsTheTaskWhenItIsCancelled) {
  auto result = start(with_deadline(loop, loop.in(hours(2)), after(1)));
  result.cancel();
  EXPECT_EQ(tasks(), 0);
  loop.advance(hours(2));
}

TEST(DeadlineValuesTest, LeaveTimeUntilTheyPass) {
  const Instant now = Instant(hours(1));
  EXPECT_EQ(Deadline::at(now + hours(1)).left(now), hours(1));
  EXPECT_EQ(Deadline::at(now).left(now), Duration::zero());
  EXPECT_TRUE(Deadline::at(now).has_passed(now));
  EXPECT_EQ(Deadline::never().left(now), Duration::max());
  EXPECT_FALSE(Deadline::never().has_passed(now));
  EXPECT_EQ(earlier(Deadline::never(), Deadline::at(now)), Deadline::at(now));
}

TEST(DeadlineValuesTest, NeverOverflow) {
  const Instant now = Instant(hours(1));
  EXPECT_EQ(after(now, Duration::max()), Instant::max());
  EXPECT_EQ(after(now, hours(1)), now + hours(1));
  EXPECT_EQ(after(now, -hours(1)), Instant());
}

}  // namespace
}  // namespace async
