// What only the loop in memory has: time that the test drives, and a network of its own.

#include "async/manual_loop.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/stream.h"
#include "stream_fixture.h"

namespace async {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;

class ManualLoopTest : public LoopFixture<ManualLoop> {
 protected:
  const Endpoint bank = Endpoint::parse("bank:7001");
};

Task<> sleep(Loop* loop, Duration duration) { co_await loop->sleep_for(duration); }

Task<> tick(Loop* loop, std::vector<Instant>* ticks) {
  while (true) {
    co_await loop->sleep_for(minutes(20));
    ticks->push_back(loop->now());
  }
}

TEST_F(ManualLoopTest, StandsStillUntilTimeIsLetPass) {
  const Instant now = loop.now();
  auto sleeping = start(sleep(&loop, hours(1)));
  loop.settle();
  EXPECT_EQ(loop.now(), now);
  loop.advance(hours(1) - microseconds(1));
  EXPECT_FALSE(sleeping.is_done());
  loop.advance(microseconds(1));
  EXPECT_TRUE(sleeping.is_done());
  EXPECT_EQ(loop.now(), now + hours(1));
}

TEST_F(ManualLoopTest, LetsTimePassTimerByTimer) {
  const Instant now = loop.now();
  std::vector<Instant> ticks;
  auto ticking = start(tick(&loop, &ticks));
  loop.advance(hours(1));
  EXPECT_EQ(ticks, std::vector({now + minutes(20), now + minutes(40), now + minutes(60)}));
}

TEST_F(ManualLoopTest, LetsTheWallClockPassWithTimeAndJumpAlone) {
  const WallTime before = loop.wall_now();
  loop.advance(hours(2));
  EXPECT_EQ(loop.wall_now(), before + hours(2));
  const Instant now = loop.now();
  loop.set_wall_clock(before);
  EXPECT_EQ(loop.wall_now(), before);
  EXPECT_EQ(loop.now(), now);
}

TEST_F(ManualLoopTest, RefusesToWaitForWhatOnlyTimeCanBring) {
  EXPECT_THROW(loop.run(sleep(&loop, hours(1))), std::logic_error);
}

TEST_F(ManualLoopTest, ConnectsToWhoListensOnTheSameEndpoint) {
  Listener listener = loop.listen(bank);
  Ends ends = loop.run(connected(&loop, &listener));
  loop.run(write_text(&ends.near, "hello"));
  EXPECT_EQ(loop.run(read_text(&ends.far)), "hello");
}

TEST_F(ManualLoopTest, GivesEachListenerWithoutAPortOneOfItsOwn) {
  const Endpoint any = Endpoint::parse("bank:0");
  const Listener first = loop.listen(any);
  const Listener second = loop.listen(any);
  EXPECT_NE(first.local().port, 0);
  EXPECT_NE(first.local(), second.local());
}

TEST_F(ManualLoopTest, RefusesAConnectionWhereNobodyListens) {
  EXPECT_EQ(error_of([&] { loop.run(loop.connect(bank)); }), "ECONNREFUSED");
}

TEST_F(ManualLoopTest, RefusesASecondListenerOnOneEndpointUntilTheFirstIsGone) {
  {
    const Listener listener = loop.listen(bank);
    EXPECT_EQ(error_of([&] { loop.listen(bank); }), "EADDRINUSE");
  }
  EXPECT_TRUE(loop.listen(bank).is_open());
}

TEST_F(ManualLoopTest, KeepsConnectionsUntilSomebodyAccepts) {
  Listener listener = loop.listen(bank);
  Stream first = loop.run(loop.connect(bank));
  const Stream second = loop.run(loop.connect(bank));
  loop.run(write_text(&first, "first"));
  Stream accepted = loop.run(listener.accept());
  EXPECT_EQ(loop.run(read_text(&accepted)), "first");
  EXPECT_TRUE(loop.run(listener.accept()).is_open());
}

TEST_F(ManualLoopTest, ClosesTheConnectionsThatNobodyAccepted) {
  auto listener = std::make_unique<Listener>(loop.listen(bank));
  Stream stream = loop.run(loop.connect(bank));
  listener.reset();
  EXPECT_EQ(loop.run(read_text(&stream)), "");
}

TEST_F(ManualLoopTest, EndsTheAcceptOfAListenerThatIsClosed) {
  Listener listener = loop.listen(bank);
  auto accepting = start(listener.accept());
  EXPECT_TRUE(pending(accepting));
  listener.close();
  EXPECT_EQ(error_of([&] { finish(accepting); }), "ECANCELED");
}

TEST_F(ManualLoopTest, StopsTheProcessWhenItIsDestroyedUnderAListener) {
  auto other = std::make_unique<ManualLoop>();
  const Listener listener = other->listen(bank);
  EXPECT_DEATH(other.reset(), "a loop was closed before a listener");
}

}  // namespace
}  // namespace async
