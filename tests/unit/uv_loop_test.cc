// What only the real loop has: threads, signals, and handles that somebody must close.

#include "async/uv_loop.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "async/signals.h"
#include "async/stream.h"
#include "no_more_threads.h"
#include "stream_fixture.h"

namespace async {
namespace {

using UvLoopTest = LoopFixture<UvLoop>;

Task<> wait_for(Future<> future) { co_await future; }

TEST_F(UvLoopTest, WakesForWhatAnotherThreadPosts) {
  Promise<> promise(loop);
  auto waiting = start(wait_for(promise.future()));
  std::thread other([&] { loop.post([&promise] { promise.set(); }); });
  finish(waiting);
  other.join();
}

TEST_F(UvLoopTest, CallsWhatManyThreadsPostInTheOrderOfEach) {
  constexpr int threads_count = 4;
  constexpr int posts_count = 5000;
  std::vector<int> next(threads_count, 0);
  int called = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < threads_count; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < posts_count; ++i) {
        loop.post([&, thread, i] {
          EXPECT_EQ(next[static_cast<std::size_t>(thread)]++, i);
          ++called;
        });
      }
    });
  }
  while (called < threads_count * posts_count) turn();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(UvLoopTest, OffloadsToOtherThreads) {
  auto ask = [](UvLoop* on) -> Task<std::thread::id> {
    auto who = [] { return std::this_thread::get_id(); };
    co_return co_await on->offload(who);
  };
  EXPECT_NE(loop.run(ask(&loop)), std::this_thread::get_id());
}

// A thread of the pool that waits until it is told to go on.
struct Held {
  std::promise<void> begun;
  std::promise<void> release;
  std::atomic<bool> is_done = false;
};

Task<> hold_a_thread(UvLoop* loop, std::shared_ptr<Held> held) {
  auto wait = [held] {
    held->begun.set_value();
    held->release.get_future().wait();
    held->is_done = true;
  };
  co_await loop->offload(std::move(wait));
}

TEST_F(UvLoopTest, GoesOnWhileAThreadOfThePoolWorks) {
  auto held = std::make_shared<Held>();
  auto working = start(hold_a_thread(&loop, held));
  held->begun.get_future().wait();
  EXPECT_TRUE(pending(working));
  held->release.set_value();
  finish(working);
}

TEST_F(UvLoopTest, MayStopWaitingForAThreadThatStillWorks) {
  auto held = std::make_shared<Held>();
  auto working = start(hold_a_thread(&loop, held));
  held->begun.get_future().wait();
  working.cancel();
  EXPECT_FALSE(held->is_done);
  held->release.set_value();
  while (held.use_count() > 1) turn();
  EXPECT_TRUE(held->is_done);
}

TEST_F(UvLoopTest, WaitsAtItsEndForThreadsThatStillWork) {
  auto held = std::make_shared<Held>();
  auto other = std::make_unique<UvLoop>();
  auto working = start(hold_a_thread(other.get(), held));
  held->begun.get_future().wait();
  working.cancel();
  std::thread releasing([&] { held->release.set_value(); });
  other.reset();
  EXPECT_TRUE(held->is_done);
  EXPECT_EQ(held.use_count(), 1);
  releasing.join();
}

TEST_F(UvLoopTest, MayBePostedToByAThreadThatStillWorksAtItsEnd) {
  auto held = std::make_shared<Held>();
  auto other = std::make_unique<UvLoop>();
  auto post_late = [](UvLoop* to, std::shared_ptr<Held> with) -> Task<> {
    auto wait = [to, with] {
      with->begun.set_value();
      with->release.get_future().wait();
      to->post([with] {});
    };
    co_await to->offload(std::move(wait));
  };
  auto working = start(post_late(other.get(), held));
  held->begun.get_future().wait();
  working.cancel();
  std::thread releasing([&] { held->release.set_value(); });
  other.reset();
  releasing.join();
  EXPECT_EQ(held.use_count(), 1);
}

TEST_F(UvLoopTest, OffloadsToTheThreadsThereAreWhenTheSystemRefusesAnother) {
  auto held = std::make_shared<Held>();
  auto working = start(hold_a_thread(&loop, held));
  held->begun.get_future().wait();
  auto answer = [](UvLoop* on) -> Task<int> { return on->offload([] { return 42; }); };
  std::optional<Running<int>> asking;
  {
    const NoMoreThreads refused;
    asking.emplace(start(answer(&loop)));
  }
  EXPECT_TRUE(pending(*asking));
  held->release.set_value();
  EXPECT_EQ(finish(*asking), 42);
  finish(working);
}

TEST_F(UvLoopTest, TellsWhoOffloadsThatTheSystemRefusesAThread) {
  auto answer = [](UvLoop* on) -> Task<int> { return on->offload([] { return 42; }); };
  {
    const NoMoreThreads refused;
    EXPECT_EQ(error_of([&] { loop.run(answer(&loop)); }), "EAGAIN");
  }
  EXPECT_EQ(loop.run(answer(&loop)), 42);
}

TEST_F(UvLoopTest, GivesTheSignalThatArrives) {
  auto waiting = start(loop.next_signal({SIGUSR1, SIGUSR2}));
  EXPECT_TRUE(pending(waiting));
  std::raise(SIGUSR2);
  EXPECT_EQ(finish(waiting), SIGUSR2);
}

TEST_F(UvLoopTest, TellsEveryTaskThatWaitsForASignal) {
  auto first = start(loop.next_signal({SIGUSR1}));
  auto second = start(loop.next_signal({SIGUSR1}));
  std::raise(SIGUSR1);
  EXPECT_EQ(finish(first), SIGUSR1);
  EXPECT_EQ(finish(second), SIGUSR1);
}

TEST_F(UvLoopTest, GivesTheFirstOfSeveralSignals) {
  auto waiting = start(loop.next_signal({SIGUSR1, SIGUSR2}));
  std::raise(SIGUSR1);
  std::raise(SIGUSR1);
  std::raise(SIGUSR2);
  EXPECT_EQ(finish(waiting), SIGUSR1);
}

TEST_F(UvLoopTest, LetsSignalsDoWhatTheyDoWhenNobodyWaits) {
  auto waiting = start(loop.next_signal({SIGUSR1}));
  waiting.cancel();
  turn();
  EXPECT_EXIT(std::raise(SIGUSR1), testing::KilledBySignal(SIGUSR1), "");
}

TEST_F(UvLoopTest, RefusesASignalThatCannotBeWatched) {
  EXPECT_EQ(error_of([&] { loop.run(loop.next_signal({SIGUSR1, SIGKILL})); }), "EINVAL");
}

TEST_F(UvLoopTest, KeepsASignalThatArrivesBetweenTwoWaits) {
  Signals signals(loop, {SIGUSR1, SIGUSR2});
  std::raise(SIGUSR2);
  std::raise(SIGUSR2);
  turn();
  std::raise(SIGUSR1);
  turn();
  EXPECT_EQ(loop.run(signals.next()), SIGUSR2);
  EXPECT_EQ(loop.run(signals.next()), SIGUSR1);
  auto waiting = start(signals.next());
  EXPECT_TRUE(pending(waiting));
  std::raise(SIGUSR1);
  EXPECT_EQ(finish(waiting), SIGUSR1);
}

TEST_F(UvLoopTest, EndsTheWaitForSignalsThatNobodyWatchesAnyMore) {
  auto signals = std::make_unique<Signals>(loop, std::vector({SIGUSR1}));
  auto waiting = start(signals->next());
  EXPECT_TRUE(pending(waiting));
  signals.reset();
  EXPECT_EQ(error_of([&] { finish(waiting); }), "ECANCELED");
}

TEST_F(UvLoopTest, CountsWhatIsOpen) {
  EXPECT_EQ(loop.open_handles(), 0U);
  {
    Listener listener = loop.listen(Endpoint::parse("127.0.0.1:0"));
    EXPECT_EQ(loop.open_handles(), 1U);
    const Ends ends = loop.run(connected(&loop, &listener));
    auto waiting = start(loop.next_signal({SIGUSR1, SIGUSR2}));
    EXPECT_EQ(loop.open_handles(), 5U);
  }
  EXPECT_EQ(loop.open_handles(), 0U);
}

TEST_F(UvLoopTest, StopsTheProcessWithAListOfWhatIsStillOpen) {
  auto other = std::make_unique<UvLoop>();
  const Listener listener = other->listen(Endpoint::parse("127.0.0.1:0"));
  EXPECT_DEATH(
      other.reset(),
      "a listener on 127.0.0.1:[0-9]+(.|\n)*a loop is closed after everything that was made on it");
}

TEST_F(UvLoopTest, HasATimeThatGoesOnWithTheWorld) {
  const Instant before = loop.now();
  EXPECT_EQ(loop.now(), before);
  auto sleep = [](Loop* on) -> Task<> { co_await on->sleep_for(std::chrono::milliseconds(2)); };
  loop.run(sleep(&loop));
  EXPECT_GE(loop.now(), before + std::chrono::milliseconds(2));
  EXPECT_GT(loop.wall_now(), WallTime(std::chrono::hours(24 * 365 * 50)));
}

TEST_F(UvLoopTest, CountsFinerThanMilliseconds) {
  while (loop.now().time_since_epoch() % std::chrono::milliseconds(1) == Duration::zero()) turn();
}

// A loop may be made long before it runs, and stand still between two runs.
TEST_F(UvLoopTest, CountsFromNowWhenARunBegins) {
  const Instant made = loop.now();
  const auto later = std::chrono::steady_clock::now() + std::chrono::milliseconds(3);
  while (std::chrono::steady_clock::now() < later) {
  }
  auto tell = [](Loop* on) -> Task<Instant> { co_return on->now(); };
  EXPECT_GE(loop.run(tell(&loop)), made + std::chrono::milliseconds(3));
}

// The run must see that its task is done before it waits for the world, whatever made it so.
// libuv before 1.45 rings such an alarm before it waits, and would then wait for ever.
TEST_F(UvLoopTest, WakesForAnAlarmThatBecameDueWhileATaskHeldTheLoop) {
  auto sleep_beside = [](Loop* where) -> Task<> {
    const Instant due = where->now() + std::chrono::milliseconds(1);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
    auto sleeping = where->sleep_until(due);
    while (std::chrono::steady_clock::now() < until) continue;
    co_await sleeping;
  };
  loop.run(sleep_beside(&loop));
}

TEST_F(UvLoopTest, DoesNotWaitForTheWorldWhenItsTaskIsDoneInAReadyRound) {
  auto finish_in_ready = [](UvLoop* on) -> Task<> {
    TaskScope scope(*on);
    auto sleep = [](Loop* where) -> Task<> { co_await where->sleep_until(where->now()); };
    scope.spawn(sleep(on));
    co_await scope.join();
  };
  loop.run(finish_in_ready(&loop));
}

}  // namespace
}  // namespace async
