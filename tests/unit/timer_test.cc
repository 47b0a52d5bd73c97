// Timers, on every kind of loop.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "loop_fixture.h"

namespace async {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class Alarm final : public Timer {
 public:
  explicit Alarm(std::function<void()> act) : act_(std::move(act)) {}

 private:
  void fired() override {
    const std::function<void()> act = act_;  // This may be gone when it is done.
    act();
  }
  std::function<void()> act_;
};

template <typename Kind>
class TimerTest : public LoopFixture<Kind> {
 protected:
  std::unique_ptr<Alarm> alarm(int number) {
    return std::make_unique<Alarm>([this, number] { fired.push_back(number); });
  }
  Instant now() { return this->loop.now(); }
  void pass(Duration duration) {
    auto sleep = [](Loop* where, Duration time) -> Task<> { co_await where->sleep_for(time); };
    if constexpr (std::is_same_v<Kind, ManualLoop>) {
      this->loop.advance(duration);
    } else {
      this->loop.run(sleep(&this->loop, duration));
      this->turn();
    }
  }

  std::vector<int> fired;
};

struct KindNames {
  template <typename Kind>
  static std::string GetName(int) {
    return std::is_same_v<Kind, ManualLoop> ? "Manual" : "Uv";
  }
};
using Kinds = testing::Types<ManualLoop, UvLoop>;
TYPED_TEST_SUITE(TimerTest, Kinds, KindNames);

TYPED_TEST(TimerTest, FireInTheOrderOfTheirInstants) {
  auto third = this->alarm(3);
  auto first = this->alarm(1);
  auto second = this->alarm(2);
  third->set(this->loop, this->now() + milliseconds(3));
  first->set(this->loop, this->now() + milliseconds(1));
  second->set(this->loop, this->now() + milliseconds(2));
  this->turn(1);
  this->pass(milliseconds(5));
  EXPECT_EQ(this->fired, std::vector({1, 2, 3}));
}

TYPED_TEST(TimerTest, FireInTheOrderTheyWereSetWhenTheirInstantIsTheSame) {
  std::vector<std::unique_ptr<Alarm>> alarms;
  std::vector<int> expected;
  const Instant when = this->now() + milliseconds(1);
  for (int i = 0; i < 20; ++i) {
    alarms.push_back(this->alarm(i));
    alarms.back()->set(this->loop, when);
    expected.push_back(i);
  }
  this->pass(milliseconds(2));
  EXPECT_EQ(this->fired, expected);
}

TYPED_TEST(TimerTest, NeverFireEarly) {
  const Instant when = this->now() + microseconds(1500);
  bool was_early = true;
  Alarm alarm([&] { was_early = this->now() < when; });
  alarm.set(this->loop, when);
  this->pass(milliseconds(5));
  EXPECT_FALSE(alarm.is_set());
  EXPECT_FALSE(was_early);
}

TYPED_TEST(TimerTest, FireSoonWhenTheirInstantHasPassed) {
  auto alarm = this->alarm(1);
  alarm->set(this->loop, Instant::min());
  EXPECT_TRUE(alarm->is_set());
  this->turn();
  EXPECT_EQ(this->fired, std::vector({1}));
  EXPECT_FALSE(alarm->is_set());
}

TYPED_TEST(TimerTest, DoNotFireWhenTheyAreCancelledOrDestroyed) {
  auto cancelled = this->alarm(1);
  auto destroyed = this->alarm(2);
  cancelled->set(this->loop, this->now());
  destroyed->set(this->loop, this->now());
  cancelled->cancel();
  cancelled->cancel();
  destroyed.reset();
  this->pass(milliseconds(1));
  EXPECT_TRUE(this->fired.empty());
}

TYPED_TEST(TimerTest, FireOnceAtTheLastInstantTheyWereSetTo) {
  auto alarm = this->alarm(1);
  alarm->set(this->loop, this->now() + hours(1));
  alarm->set(this->loop, this->now() + milliseconds(1));
  this->pass(milliseconds(2));
  EXPECT_EQ(this->fired, std::vector({1}));
}

TYPED_TEST(TimerTest, MayBePutOff) {
  auto alarm = this->alarm(1);
  alarm->set(this->loop, this->now() + milliseconds(1));
  alarm->set(this->loop, this->now() + hours(1));
  this->pass(milliseconds(2));
  EXPECT_TRUE(this->fired.empty());
}

TYPED_TEST(TimerTest, MayBeSetForEver) {
  auto alarm = this->alarm(1);
  alarm->set(this->loop, Deadline::never().when());
  this->pass(milliseconds(1));
  EXPECT_TRUE(alarm->is_set());
}

TYPED_TEST(TimerTest, MayBeSetAgainWhileTheyFireAndLetTheWorldGoOnMeanwhile) {
  int count = 0;
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>([&] {
    ++count;
    alarm->set(this->loop, this->now());  // For ever.
  });
  alarm->set(this->loop, this->now());
  this->loop.run(turns(&this->loop, 100));
  EXPECT_GT(count, 0);
}

TYPED_TEST(TimerTest, MayDestroyThemselvesWhileTheyFire) {
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>([&] { alarm.reset(); });
  alarm->set(this->loop, this->now());
  this->turn();
  EXPECT_EQ(alarm, nullptr);
}

TYPED_TEST(TimerTest, MayDestroyTheNextOneWhileTheyFire) {
  auto next = this->alarm(2);
  Alarm first([&] { next.reset(); });
  first.set(this->loop, this->now());
  next->set(this->loop, this->now());
  this->turn();
  EXPECT_TRUE(this->fired.empty());
}

TYPED_TEST(TimerTest, ThatAreDueFireBeforeOneThatIsSetMeanwhile) {
  auto later = this->alarm(3);
  Alarm first([&] {
    this->fired.push_back(1);
    later->set(this->loop, Instant::min());
  });
  auto second = this->alarm(2);
  first.set(this->loop, this->now());
  second->set(this->loop, this->now());
  this->turn();
  EXPECT_EQ(this->fired, std::vector({1, 2, 3}));
}

TYPED_TEST(TimerTest, EndTheRunWithWhatTheyThrowAndAreNotLost) {
  Alarm broken([] { throw std::runtime_error("broken"); });
  auto next = this->alarm(2);
  broken.set(this->loop, this->now());
  next->set(this->loop, this->now());
  EXPECT_THROW(this->turn(), std::runtime_error);
  this->turn();
  EXPECT_EQ(this->fired, std::vector({2}));
}

TYPED_TEST(TimerTest, LetATaskSleep) {
  auto sleep = [](Loop* where) -> Task<Duration> {
    const Instant began = where->now();
    co_await where->sleep_for(milliseconds(2));
    co_return where->now() - began;
  };
  auto sleeping = this->start(sleep(&this->loop));
  EXPECT_FALSE(sleeping.is_done());
  this->pass(milliseconds(3));
  EXPECT_GE(this->finish(sleeping), milliseconds(2));
}

TYPED_TEST(TimerTest, LetATaskSleepForEverUntilItIsCancelled) {
  auto sleep = [](Loop* where) -> Task<> { co_await where->sleep_for(Duration::max()); };
  auto sleeping = this->start(sleep(&this->loop));
  EXPECT_TRUE(this->pending(sleeping));
}

// Against a model: a map from instants to numbers.
TYPED_TEST(TimerTest, FireAsAModelDoesWhateverIsSetAndCancelled) {
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 200; ++i) alarms.push_back(this->alarm(i));
  std::multimap<Instant, int> model;
  const Instant base = this->now();
  for (int step = 0; step < 2000; ++step) {
    const int number = static_cast<int>(random() % alarms.size());
    std::erase_if(model, [number](const auto& entry) { return entry.second == number; });
    Alarm& alarm = *alarms[static_cast<std::size_t>(number)];
    if (random() % 4 == 0) {
      alarm.cancel();
    } else {
      const Instant when = base + microseconds(random() % 100 * 10);
      alarm.set(this->loop, when);
      model.emplace(when, number);
    }
  }
  std::vector<int> expected;
  for (const auto& [when, number] : model) expected.push_back(number);
  this->pass(milliseconds(5));
  EXPECT_EQ(this->fired, expected);
}

}  // namespace
}  // namespace async
