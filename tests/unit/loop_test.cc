// What holds for every loop: turns, what ends them, and what may not stop them.

#include "async/loop.h"

#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "async/stream.h"
#include "stream_fixture.h"

namespace async {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

template <typename Kind>
class LoopTest : public LoopFixture<Kind> {
 protected:
  std::vector<std::string> seen;
};

struct KindNames {
  template <typename Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, ManualLoop> ? "Manual" : "Uv";
  }
};
using Kinds = testing::Types<ManualLoop, UvLoop>;
TYPED_TEST_SUITE(LoopTest, Kinds, KindNames);

class AtTurnEnd final : public TurnEnd {
 public:
  explicit AtTurnEnd(std::function<void()> act) : act_(std::move(act)) {}

 private:
  void turn_ended() override { act_(); }
  std::function<void()> act_;
};

Task<> tell(std::vector<std::string>* seen, std::string what) {
  seen->push_back(what);
  co_return;
}

Task<> yield_and_tell(Loop* loop, int times, std::vector<std::string>* seen, std::string what) {
  for (int i = 0; i < times; ++i) {
    co_await loop->yield();
    seen->push_back(what + std::to_string(i));
  }
}

Task<> yield_for_ever(Loop* loop) {
  while (true) co_await loop->yield();
}

TYPED_TEST(LoopTest, GivesTheResultOfTheTaskItRuns) {
  auto seven = []() -> Task<int> { co_return 7; };
  EXPECT_EQ(this->loop.run(seven()), 7);
}

TYPED_TEST(LoopTest, RunsOneTaskAfterAnother) {
  for (int i = 0; i < 3; ++i) this->loop.run(tell(&this->seen, "ran"));
  EXPECT_EQ(this->seen.size(), 3U);
}

TYPED_TEST(LoopTest, TakesTurnsAmongThoseWhoYield) {
  auto first = this->start(yield_and_tell(&this->loop, 2, &this->seen, "a"));
  auto second = this->start(yield_and_tell(&this->loop, 2, &this->seen, "b"));
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"a0", "b0", "a1", "b1"}));
}

TYPED_TEST(LoopTest, ForgetsWhoIsCancelledBeforeItsTurn) {
  auto first = this->start(yield_and_tell(&this->loop, 1, &this->seen, "a"));
  auto second = this->start(yield_and_tell(&this->loop, 1, &this->seen, "b"));
  first.cancel();
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"b0"}));
}

TYPED_TEST(LoopTest, LetsOneCancelAnotherThatIsReadyInTheSameTurn) {
  auto second = std::make_unique<Running<>>(yield_for_ever(&this->loop));
  auto cancel = [](Loop* on, std::unique_ptr<Running<>>* other) -> Task<> {
    co_await on->yield();
    other->reset();
  };
  auto first = this->start(cancel(&this->loop, &second));
  this->finish(first);
}

// Posted callbacks, timers and streams go on although somebody is always ready.
TYPED_TEST(LoopTest, KeepsNobodyWaitingForThoseWhoYieldForEver) {
  auto busy = this->start(yield_for_ever(&this->loop));
  bool rang = false;
  auto sleep = [](Loop* on, bool* done) -> Task<> {
    co_await on->sleep_until(on->now());
    *done = true;
  };
  auto sleeping = this->start(sleep(&this->loop, &rang));
  Listener listener = this->loop.listen(Endpoint::parse("127.0.0.1:0"));
  Ends ends = this->loop.run(connected(&this->loop, &listener));
  this->loop.run(write_text(&ends.near, "hello"));
  EXPECT_EQ(this->loop.run(read_text(&ends.far)), "hello");
  EXPECT_TRUE(rang);
}

TYPED_TEST(LoopTest, CallsWhatIsPostedInOrderInAComingTurn) {
  for (int i = 0; i < 3; ++i) {
    this->loop.post([this, i] { this->seen.push_back(std::to_string(i)); });
  }
  EXPECT_TRUE(this->seen.empty());
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"0", "1", "2"}));
}

TYPED_TEST(LoopTest, CallsWhatAPostedCallbackPosts) {
  this->loop.post([this] {
    this->loop.post([this] { this->seen.emplace_back("inner"); });
    this->seen.emplace_back("outer");
  });
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"outer", "inner"}));
}

TYPED_TEST(LoopTest, EndsTheRunWithWhatAPostedCallbackThrowsAndCallsTheNext) {
  this->loop.post([] { throw std::runtime_error("broken"); });
  this->loop.post([this] { this->seen.emplace_back("next"); });
  EXPECT_THROW(this->turn(), std::runtime_error);
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"next"}));
}

TYPED_TEST(LoopTest, DestroysWhatWasPostedAndNeverCalled) {
  auto held = std::make_shared<int>(1);
  {
    TypeParam other;
    other.post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

TYPED_TEST(LoopTest, EndsATurnOnceAfterEverythingThatWasReady) {
  AtTurnEnd end([this] { this->seen.emplace_back("end"); });
  auto write = [](Loop* on, TurnEnd* at, std::vector<std::string>* to) -> Task<> {
    co_await on->yield();
    on->at_turn_end(*at);
    to->push_back("first");
    co_await on->yield();
    on->at_turn_end(*at);
    to->push_back("second");
  };
  auto one = this->start(write(&this->loop, &end, &this->seen));
  auto two = this->start(write(&this->loop, &end, &this->seen));
  this->turn();
  EXPECT_EQ(this->seen, std::vector<std::string>({"first", "first", "second", "second", "end"}));
}

TYPED_TEST(LoopTest, EndsATurnAlthoughSomebodyIsAlwaysReady) {
  auto busy = this->start(yield_for_ever(&this->loop));
  AtTurnEnd end([this] { this->seen.emplace_back("end"); });
  this->loop.at_turn_end(end);
  this->turn();
  EXPECT_EQ(this->seen.size(), 1U);
}

TYPED_TEST(LoopTest, LetsTheEndOfATurnAskForTheNextAndTheWorldGoOnMeanwhile) {
  int count = 0;
  std::unique_ptr<AtTurnEnd> end;
  end = std::make_unique<AtTurnEnd>([&] {
    ++count;
    this->loop.at_turn_end(*end);
  });
  this->loop.at_turn_end(*end);
  this->turn(10);
  EXPECT_GT(count, 1);
}

TYPED_TEST(LoopTest, LetsTheEndOfATurnDestroyItself) {
  std::unique_ptr<AtTurnEnd> end;
  end = std::make_unique<AtTurnEnd>([&] { end.reset(); });
  this->loop.at_turn_end(*end);
  this->turn();
  EXPECT_EQ(end, nullptr);
}

TYPED_TEST(LoopTest, ForgetsTheEndOfATurnThatIsDestroyed) {
  {
    AtTurnEnd end([this] { this->seen.emplace_back("end"); });
    this->loop.at_turn_end(end);
  }
  this->turn();
  EXPECT_TRUE(this->seen.empty());
}

TYPED_TEST(LoopTest, EndsTheRunWithWhatTheEndOfATurnThrows) {
  AtTurnEnd broken([] { throw std::runtime_error("broken"); });
  AtTurnEnd next([this] { this->seen.emplace_back("next"); });
  this->loop.at_turn_end(broken);
  this->loop.at_turn_end(next);
  EXPECT_THROW(this->turn(), std::runtime_error);
  EXPECT_EQ(this->seen, std::vector<std::string>({"next"}));
}

// What the task wrote last leaves before the process does.
TYPED_TEST(LoopTest, EndsTheTurnInWhichItsTaskIsDone) {
  AtTurnEnd end([this] { this->seen.emplace_back("end"); });
  auto write = [](Loop* on, TurnEnd* at) -> Task<> {
    on->at_turn_end(*at);
    co_return;
  };
  this->loop.run(write(&this->loop, &end));
  EXPECT_EQ(this->seen, std::vector<std::string>({"end"}));
}

TYPED_TEST(LoopTest, EndsItsRunWithAnErrorThatNobodyAwaits) {
  auto fail = [](Loop* on) -> Task<> {
    co_await on->yield();
    on->fail(std::make_exception_ptr(std::runtime_error("broken")));
    co_await on->sleep_for(hours(1));
  };
  EXPECT_THROW(this->loop.run(fail(&this->loop)), std::runtime_error);
  this->turn();  // And only that run.
}

TYPED_TEST(LoopTest, EndsItsRunWithAnErrorFromBeforeTheRun) {
  this->loop.fail(std::make_exception_ptr(std::runtime_error("first")));
  this->loop.fail(std::make_exception_ptr(std::logic_error("second")));
  EXPECT_THROW(this->turn(), std::runtime_error);
  this->turn();
}

TYPED_TEST(LoopTest, DoesNotHideAnErrorBehindTheResultOfItsTask) {
  auto fail = [](Loop* on) -> Task<int> {
    on->fail(std::make_exception_ptr(std::runtime_error("broken")));
    co_return 7;
  };
  EXPECT_THROW(this->loop.run(fail(&this->loop)), std::runtime_error);
}

TYPED_TEST(LoopTest, StopsTheProcessWhenItIsRunByOneOfItsTasks) {
  auto run_again = [](TypeParam* on) -> Task<> {
    on->run(turns(on, 1));
    co_return;
  };
  EXPECT_DEATH(this->loop.run(run_again(&this->loop)), "a loop is run by one caller at a time");
}

TYPED_TEST(LoopTest, StopsTheProcessWhenItIsDestroyedUnderATimer) {
  auto sleep = [](Loop* on) -> Task<> { co_await on->sleep_for(hours(1)); };
  auto other = std::make_unique<TypeParam>();
  auto sleeping = this->start(sleep(other.get()));
  EXPECT_DEATH(other.reset(), "a loop is destroyed after every timer");
}

TYPED_TEST(LoopTest, GivesTheResultOfOffloadedWork) {
  auto work = [](Loop* on) -> Task<std::string> {
    std::string text = "hello";
    auto greet = [text] { return text + ", world"; };
    co_return co_await on->offload(std::move(greet));
  };
  EXPECT_EQ(this->loop.run(work(&this->loop)), "hello, world");
}

TYPED_TEST(LoopTest, ThrowsWhatOffloadedWorkThrows) {
  auto work = [](Loop* on) -> Task<> {
    auto fail = [] { throw std::runtime_error("broken"); };
    co_await on->offload(fail);
  };
  EXPECT_THROW(this->loop.run(work(&this->loop)), std::runtime_error);
}

TYPED_TEST(LoopTest, OffloadsWorkThatCannotBeCopied) {
  auto work = [](Loop* on) -> Task<std::unique_ptr<int>> {
    auto number = std::make_unique<int>(7);
    auto give = [number = std::move(number)]() mutable { return std::move(number); };
    co_return co_await on->offload(std::move(give));
  };
  EXPECT_EQ(*this->loop.run(work(&this->loop)), 7);
}

TYPED_TEST(LoopTest, FreesOffloadedWorkWhoseResultNobodyAwaits) {
  auto held = std::make_shared<int>(1);
  auto work = [](Loop* on, std::shared_ptr<int> kept) -> Task<long> {
    auto count = [kept] { return kept.use_count(); };
    kept.reset();
    co_return co_await on->offload(std::move(count));
  };
  auto working = this->start(work(&this->loop, held));
  working.cancel();
  while (held.use_count() > 1) this->turn();
}

}  // namespace
}  // namespace async
