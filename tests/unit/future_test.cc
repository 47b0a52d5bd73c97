#include "async/future.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "loop_fixture.h"

namespace async {
namespace {

using FutureTest = LoopFixture<ManualLoop>;

template <typename T>
Task<T> get(Future<T> future) {
  co_return co_await future;
}
template <>
Task<void> get(Future<void> future) {
  co_await future;
}

TEST_F(FutureTest, GivesWhatIsSetWhileATaskWaits) {
  Promise<int> promise(loop);
  auto getting = start(get(promise.future()));
  EXPECT_TRUE(pending(getting));
  promise.set(7);
  EXPECT_EQ(finish(getting), 7);
}

TEST_F(FutureTest, GivesWhatWasSetBeforeATaskWaits) {
  Promise<int> promise(loop);
  Future<int> future = promise.future();
  EXPECT_FALSE(future.is_ready());
  promise.set(7);
  EXPECT_TRUE(future.is_ready());
  auto getting = start(get(std::move(future)));
  EXPECT_TRUE(getting.is_done());
  EXPECT_EQ(getting.result(), 7);
}

// Whoever sets may hold what it likes, and be destroyed by nobody meanwhile.
TEST_F(FutureTest, LetsTheTaskGoOnAfterSetAndNotWithinIt) {
  Promise<int> promise(loop);
  auto getting = start(get(promise.future()));
  promise.set(7);
  EXPECT_FALSE(getting.is_done());
  EXPECT_EQ(finish(getting), 7);
}

TEST_F(FutureTest, ThrowsWhatThePromiseFailsWith) {
  Promise<int> promise(loop);
  auto getting = start(get(promise.future()));
  promise.fail(std::make_exception_ptr(std::runtime_error("broken")));
  EXPECT_THROW(finish(getting), std::runtime_error);
}

TEST_F(FutureTest, ThrowsWhenThePromiseIsDropped) {
  auto promise = std::make_unique<Promise<>>(loop);
  auto getting = start(get(promise->future()));
  promise.reset();
  EXPECT_THROW(finish(getting), BrokenPromise);
}

TEST_F(FutureTest, KeepsItsValueWhenThePromiseIsDroppedAfterwards) {
  auto promise = std::make_unique<Promise<std::string>>(loop);
  Future<std::string> future = promise->future();
  promise->set("kept");
  promise.reset();
  auto getting = start(get(std::move(future)));
  EXPECT_EQ(getting.result(), "kept");
}

TEST_F(FutureTest, CarriesWhatCannotBeCopied) {
  Promise<std::unique_ptr<int>> promise(loop);
  auto getting = start(get(promise.future()));
  promise.set(std::make_unique<int>(7));
  EXPECT_EQ(*finish(getting), 7);
}

TEST_F(FutureTest, TellsThePromiseWhetherSomebodyWaits) {
  Promise<int> promise(loop);
  EXPECT_FALSE(promise.is_awaited());
  auto getting = start(get(promise.future()));
  EXPECT_TRUE(promise.is_awaited());
  getting.cancel();
  EXPECT_FALSE(promise.is_awaited());
  promise.set(7);  // Nobody gets it.
  turn();
}

TEST_F(FutureTest, ACancelledTaskIsNotWokenByWhatWasSetBefore) {
  Promise<int> promise(loop);
  auto getting = start(get(promise.future()));
  promise.set(7);
  getting.cancel();
  turn();
}

Task<> give_up_first(Future<int>* future, Loop* loop, int* got) {
  Task<> alarm = detail::sleep_task(loop, loop->now());
  auto get_it = [](Future<int>* from) -> Task<int> { co_return co_await *from; };
  co_await first_of(get_it(future), std::move(alarm));
  *got = co_await *future;
}

TEST_F(FutureTest, CanBeAwaitedAgainByATaskThatGaveUp) {
  Promise<int> promise(loop);
  Future<int> future = promise.future();
  int got = 0;
  auto getting = start(give_up_first(&future, &loop, &got));
  EXPECT_TRUE(pending(getting));
  promise.set(7);
  finish(getting);
  EXPECT_EQ(got, 7);
}

TEST_F(FutureTest, MovesAsItsPromiseMoves) {
  Promise<int> promise(loop);
  auto getting = start(get(promise.future()));
  Promise<int> moved = std::move(promise);
  Promise<int> other(loop);
  other = std::move(moved);
  other.set(7);
  EXPECT_EQ(finish(getting), 7);
}

TEST_F(FutureTest, StopsTheProcessWhenItsPromiseIsKeptTwice) {
  Promise<int> promise(loop);
  promise.set(7);
  EXPECT_TRUE(promise.is_set());
  EXPECT_DEATH(promise.set(8), "a promise is kept once");
}

TEST_F(FutureTest, StopsTheProcessWhenAPromiseGivesTwo) {
  Promise<int> promise(loop);
  const Future<int> first = promise.future();
  EXPECT_DEATH((void)promise.future(), "a promise has one future");
}

TEST_F(FutureTest, StopsTheProcessWhenItIsAwaitedTwice) {
  Promise<int> promise(loop);
  auto twice = [](Future<int> future) -> Task<int> {
    const int first = co_await future;
    co_return first + co_await future;
  };
  promise.set(7);
  Future<int> future = promise.future();
  EXPECT_DEATH(start(twice(std::move(future))), "a future is awaited once");
}

class EventTest : public LoopFixture<ManualLoop> {
 protected:
  Event event{loop};
  std::vector<int> order;
};

Task<> wait_for(Event* event, std::vector<int>* order, int number) {
  co_await *event;
  order->push_back(number);
}

TEST_F(EventTest, LetsEverybodyGoOnInTheOrderTheyCame) {
  auto first = start(wait_for(&event, &order, 1));
  auto second = start(wait_for(&event, &order, 2));
  auto third = start(wait_for(&event, &order, 3));
  EXPECT_TRUE(pending(first));
  event.set();
  turn();
  EXPECT_EQ(order, std::vector({1, 2, 3}));
}

TEST_F(EventTest, LetsThePassersByGoOnAtOnceWhileItIsSet) {
  event.set();
  EXPECT_TRUE(event.is_set());
  EXPECT_TRUE(start(wait_for(&event, &order, 1)).is_done());
}

TEST_F(EventTest, HoldsThemAgainWhenItIsCleared) {
  event.set();
  event.clear();
  auto waiting = start(wait_for(&event, &order, 1));
  EXPECT_TRUE(pending(waiting));
  event.set();
  finish(waiting);
}

TEST_F(EventTest, LetsThoseGoOnWhoWaitedEvenIfItIsClearedAtOnce) {
  auto waiting = start(wait_for(&event, &order, 1));
  event.set();
  event.clear();
  finish(waiting);
}

TEST_F(EventTest, ForgetsWhoIsCancelled) {
  auto first = start(wait_for(&event, &order, 1));
  auto second = start(wait_for(&event, &order, 2));
  auto third = start(wait_for(&event, &order, 3));
  second.cancel();
  event.set();
  third.cancel();  // Woken, but not yet gone on.
  turn();
  EXPECT_EQ(order, std::vector({1}));
}

TEST_F(EventTest, MayBeSetWhenNobodyWaits) {
  event.set();
  event.set();
}

}  // namespace
}  // namespace async
