// The server's streams and the limits on a connection's bytes, seen from the other end of the wire.

#include <string>
#include <vector>

#include "rpc_test_kit.h"

namespace rpc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::SizeIs;

class ServerStreamTest : public ServerTest {};

TEST_F(ServerStreamTest, AFrameThatIsNotFinishedInTimeClosesTheConnection) {
  start();
  answers(framed(echo_request(1, "hello")) + std::string("\0\x10half", 6));
  loop.advance(4999ms);
  EXPECT_FALSE(wire.is_closed());
  loop.advance(1ms);
  EXPECT_TRUE(wire.is_closed());
  EXPECT_THAT(observer.closed, ElementsAre("it did not finish a frame in time"));
}

TEST_F(ServerStreamTest, AByteNowAndThenDoesNotBuyTime) {
  start();
  answers(std::string("\1\0", 2));
  for (int i = 0; i < 4; ++i) {
    loop.advance(1s);
    wire.send("x");
  }
  loop.advance(1s);
  EXPECT_TRUE(wire.is_closed());
}

TEST_F(ServerStreamTest, EachFrameHasItsOwnTime) {
  start();
  const std::string frame = framed(echo_request(1, "hello"));
  answers(frame.substr(0, 5));
  loop.advance(4s);
  EXPECT_THAT(answers(frame.substr(5) + frame.substr(0, 5)), SizeIs(1));
  loop.advance(4s);
  EXPECT_THAT(answers(frame.substr(5)), SizeIs(1));
  loop.advance(100s);
  EXPECT_FALSE(wire.is_closed());  // Idle between frames.
}

TEST_F(ServerStreamTest, ACallerThatDoesNotReadIsNotReadFromAndThenCut) {
  ServerLimits limits;
  limits.reply_queue_bytes_max = 400'000;
  start(limits);
  wire.take_at_most(0);
  const std::string frame = framed(echo_request(1, std::string(10'000, 'x')));
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes += frame;
  wire.send(bytes);
  loop.settle();
  EXPECT_FALSE(wire.is_read_from());
  EXPECT_LT(observer.calls.size(), 50);  // The rest of what was read waits, too.
  loop.advance(9'999ms);
  EXPECT_FALSE(wire.is_closed());
  loop.advance(1ms);
  EXPECT_TRUE(wire.is_closed());
  EXPECT_THAT(observer.closed, ElementsAre("it did not read its replies in time"));
}

TEST_F(ServerStreamTest, ACallerThatReadsSlowlyGetsEverything) {
  ServerLimits limits;
  limits.reply_queue_bytes_max = 400'000;
  start(limits);
  wire.take_at_most(0);
  std::string bytes;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    bytes += framed(echo_request(id, std::string(10'000, 'x')));
  }
  wire.send(bytes);
  for (int i = 0; i < 40; ++i) {
    loop.advance(9s);
    EXPECT_FALSE(wire.is_closed());
    wire.take_more(70'000);
  }
  loop.settle();
  EXPECT_THAT(take_summaries(wire), SizeIs(100));
  EXPECT_TRUE(wire.is_read_from());
}

TEST_F(ServerStreamTest, AFailedWriteClosesTheConnection) {
  start();
  wire.break_writes();
  wire.send(framed(echo_request(1, "hello")) + framed(count_request(2, 0)));
  loop.settle();
  EXPECT_TRUE(wire.is_closed());
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerStreamTest, AStreamEndsWithAStatusAndNoBody) {
  start();
  EXPECT_THAT(answers(count_request(1, 3)),
              ElementsAre("1 ... number 1", "1 ... number 2", "1 ... number 3", "1 OK"));
  EXPECT_EQ(service.streams_left, 1);
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerStreamTest, AStreamRunsNoFasterThanItsCallerReads) {
  start();
  wire.take_at_most(0);
  wire.send(framed(count_request(1, 0, 1000)));
  loop.settle();
  const std::uint32_t counted = service.counted;
  EXPECT_GT(counted, 50);
  EXPECT_LT(counted, 500);
  loop.advance(9s);
  EXPECT_EQ(service.counted, counted);
  wire.take_more(150'000);
  loop.settle();
  EXPECT_GT(service.counted, counted);
  EXPECT_LT(service.counted, counted + 500);
}

TEST_F(ServerStreamTest, AStreamThatNobodyReadsIsClosedInTime) {
  start();
  wire.take_at_most(0);
  wire.send(framed(count_request(1, 0, 1000)));
  loop.settle();
  loop.advance(9'999ms);
  EXPECT_FALSE(wire.is_closed());
  loop.advance(1ms);
  EXPECT_TRUE(wire.is_closed());
  EXPECT_THAT(observer.closed, ElementsAre("it did not read its replies in time"));
  EXPECT_EQ(service.streams_left, 1);
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerStreamTest, AReplyThatNobodyReadsIsEnoughToBeClosed) {
  start();
  wire.take_at_most(3);
  wire.send(framed(echo_request(1, "hello")));
  loop.advance(9'999ms);
  EXPECT_FALSE(wire.is_closed());
  loop.advance(1ms);
  EXPECT_TRUE(wire.is_closed());
}

TEST_F(ServerStreamTest, AStreamThatIsReadSlowlyGoesOn) {
  start();
  wire.take_at_most(0);
  wire.send(framed(count_request(1, 0, 1000)));
  for (int i = 0; i < 10; ++i) {
    loop.advance(9s);
    wire.take_more(70'000);
  }
  loop.settle();
  EXPECT_FALSE(wire.is_closed());
  EXPECT_GT(service.counted, 500);
}

TEST_F(ServerStreamTest, TheUnreadTimeBeginsAnewWithWhatIsSaidAfterAllWasRead) {
  start();
  wire.take_at_most(0);
  wire.send(framed(echo_request(1, "hello")));
  loop.advance(9s);
  wire.take_more(30);
  loop.settle();
  EXPECT_THAT(take_summaries(wire), ElementsAre("1 OK hello"));
  loop.advance(100s);
  wire.take_at_most(0);
  wire.send(framed(echo_request(2, "hello")));
  loop.advance(9s);
  EXPECT_FALSE(wire.is_closed());
  wire.take_more(1000);
  loop.settle();
  EXPECT_THAT(take_summaries(wire), ElementsAre("2 OK hello"));
}

TEST_F(ServerStreamTest, DrainingWaitsAMomentForAStreamThatNobodyReads) {
  start();
  wire.take_at_most(0);
  wire.send(framed(count_request(1, 0, 1000)));
  loop.advance(500ms);
  bool is_drained = false;
  const auto drain = [](Server* which, async::Loop* on, bool* done) -> async::Task<> {
    async::Task<> draining = which->drain(on->in(4s));
    co_await draining;
    *done = true;
  };
  async::TaskScope scope(loop);
  scope.spawn(drain(&*server, &loop, &is_drained));
  loop.advance(499ms);
  EXPECT_FALSE(is_drained);
  loop.advance(1ms);
  EXPECT_TRUE(is_drained);
  EXPECT_TRUE(wire.is_closed());
}

TEST_F(ServerStreamTest, ManyStreamsShareTheirConnection) {
  start();
  wire.take_at_most(0);
  for (std::uint64_t id = 1; id <= 20; ++id) wire.send(framed(count_request(id, 50, 10'000)));
  loop.settle();
  for (int i = 0; i < 400; ++i) {
    wire.take_more(50'000);
    loop.settle();
  }
  const std::vector<std::string> all = take_summaries(wire);
  EXPECT_THAT(all, SizeIs(20 * 51));
  EXPECT_THAT(all, Contains("20 OK"));
}

TEST_F(ServerStreamTest, ACancelledStreamEndsWhereItWaits) {
  start();
  wire.take_at_most(0);
  answers(count_request(1, 0, 1000));
  answers(cancel_request(1));
  EXPECT_EQ(service.streams_left, 1);
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerStreamTest, AStreamHasNoTimeUnlessItNamesOne) {
  start();
  v1::Request timed = count_request(2, 1000);
  timed.set_time_left_ms(2500);
  EXPECT_THAT(answers(framed(count_request(1, 1000)) + framed(timed)),
              ElementsAre("1 ... number 1", "2 ... number 1"));
  EXPECT_THAT(answers_after(2500ms), Contains("2 DEADLINE_EXCEEDED"));
  loop.advance(60s);
  EXPECT_EQ(server->calls_in_flight(), 1);
}

TEST_F(ServerStreamTest, AStreamEndsWithItsConnection) {
  start();
  answers(count_request(1, 1000));
  wire.end();
  loop.settle();
  EXPECT_EQ(service.streams_left, 1);
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerStreamTest, TheTimeOfAFrameDoesNotRunWhileNobodyReadsIt) {
  ServerLimits limits;
  limits.reply_queue_bytes_max = 30'000;
  start(limits);
  wire.take_at_most(0);
  v1::Request large = echo_request(1, "");
  test::v1::EchoRequest body;
  body.set_text("wait");
  body.set_padding(40'000);
  large.set_body(body.SerializeAsString());
  answers(large);
  service.let_go("wait");
  loop.settle();
  const std::string frame = framed(echo_request(2, "hello"));
  answers(frame.substr(0, 5));
  EXPECT_FALSE(wire.is_read_from());
  loop.advance(9s);
  wire.take_more(1'000'000);
  loop.advance(4'900ms);
  EXPECT_FALSE(wire.is_closed());
  EXPECT_THAT(answers(frame.substr(5)), Contains("2 OK hello"));
}

TEST_F(ServerStreamTest, ManyRepliesBeginToLeaveBeforeTheTurnEnds) {
  start();
  std::string bytes;
  for (std::uint64_t id = 1; id <= 100; ++id) {
    bytes += framed(echo_request(id, std::string(10'000, 'x')));
  }
  EXPECT_THAT(answers(bytes), SizeIs(100));
  EXPECT_GT(wire.writes, 1);
  EXPECT_LT(wire.writes, 10);
}

TEST_F(ServerStreamTest, AStreamThatEndsInTheTurnOfItsCancelEndsOnce) {
  start();
  wire.take_at_most(0);
  answers(count_request(1, 0, 1000));
  const std::uint32_t until_it_waits = service.counted;
  answers(cancel_request(1));
  Wire second(loop);
  server->serve(second.stream());
  second.take_at_most(0);
  second.send(framed(count_request(1, until_it_waits, 1000)));
  loop.settle();
  EXPECT_EQ(server->calls_in_flight(), 1);
  second.send(framed(cancel_request(1)));
  second.take_more(10'000'000);
  loop.settle();
  EXPECT_EQ(server->calls_in_flight(), 0);
  EXPECT_EQ(service.streams_left, 2);
  server.reset();
}

}  // namespace
}  // namespace rpc
