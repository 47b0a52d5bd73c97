// The client's connections: made, lost, made again, signed on.

#include <string>
#include <vector>

#include "rpc_client_kit.h"

namespace rpc {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ReconnectTest : public ClientTest {};

TEST_F(ReconnectTest, ALostConnectionLeavesItsCallsUnknownAndIsMadeAgain) {
  start();
  begin("a", 60s);
  begin("b", 60s);
  wire().end();
  loop.settle();
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown", "UNAVAILABLE unknown"));
  begin("c", 60s);
  loop.advance(50ms);
  EXPECT_THAT(attempts, ElementsAre("bank:7001", "bank:7001"));
  EXPECT_THAT(requests(), SizeIs(1));
  answer(response_to(1, "c"));
  EXPECT_THAT(calls.take(), ElementsAre("OK c"));
}

TEST_F(ReconnectTest, GarbageFromTheServerEndsTheConnection) {
  start();
  begin("hello", 60s);
  wire().send(framed("\xff\xff"));
  loop.settle();
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown"));
  EXPECT_TRUE(wire().is_closed());
}

TEST_F(ReconnectTest, AFailedWriteEndsTheConnection) {
  start();
  begin("a", 60s);
  wire().break_writes();
  begin("b", 60s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown", "UNAVAILABLE unknown"));
  loop.advance(50ms);
  EXPECT_THAT(attempts, SizeIs(2));
}

TEST_F(ReconnectTest, ACallWaitsForTheConnectionUntilItsDeadline) {
  refuse = true;
  start();
  begin("a", 1s);
  begin("b", 60s);
  loop.advance(1s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE no"));
  EXPECT_THAT(calls.last_error.message, HasSubstr("bank:7001"));
  refuse = false;
  loop.advance(3s);
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_LT(sent[0].time_left_ms(), 59'000);
}

TEST_F(ReconnectTest, FailingFastMeansNotWaitingWhileTheServerIsDown) {
  refuse = true;
  start({.endpoints = {}, .fail_fast = true});
  begin("a", 60s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE no"));
  begin("b", 60s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE no"));
  refuse = false;
  loop.advance(10s);
  begin("c", 60s);
  EXPECT_THAT(requests(), SizeIs(1));
}

TEST_F(ReconnectTest, AttemptsBackOffWithJitterAndLookTheNameUpEachTime) {
  refuse = true;
  start();
  begin("a", 1000s);
  loop.advance(60s);
  ASSERT_GT(attempts.size(), 12);
  ASSERT_LT(attempts.size(), 35);
  async::Duration longest = 50ms;
  for (std::size_t i = 1; i < attempts.size(); ++i) {
    const async::Duration gap = attempt_times[i] - attempt_times[i - 1];
    EXPECT_LE(gap, longest);
    EXPECT_GE(gap, longest / 2);
    longest = std::min<async::Duration>(2 * longest, 5s);
  }
}

TEST_F(ReconnectTest, AConnectionThatWorkedEndsTheBackOff) {
  refuse = true;
  start();
  begin("a", 1000s);
  loop.advance(60s);
  refuse = false;
  loop.advance(5s);
  answer(response_to(1, "a"));
  const std::size_t before = attempts.size();
  wire().end();
  loop.advance(50ms);
  EXPECT_EQ(attempts.size(), before + 1);
}

TEST_F(ReconnectTest, EndpointsAreTriedInTurn) {
  refuse = true;
  ClientOptions options;
  options.endpoints = {async::Endpoint::parse("one:1"), async::Endpoint::parse("two:2")};
  start(options);
  begin("a", 60s);
  EXPECT_THAT(attempts, ElementsAre("one:1", "two:2"));
}

TEST_F(ReconnectTest, AnEndpointThatDoesNotAnswerIsGivenUp) {
  hang = true;
  ClientOptions options;
  options.endpoints = {async::Endpoint::parse("one:1"), async::Endpoint::parse("two:2")};
  start(options);
  begin("a", 60s);
  loop.advance(5s);
  EXPECT_THAT(attempts, ElementsAre("one:1", "two:2"));
}

TEST_F(ReconnectTest, ASilentConnectionIsAskedForASignOfLifeAndGivenUp) {
  start();
  begin("a", 60s);
  requests();
  loop.advance(5s);
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].method(), "rpc.v1.HealthService/Check");
  loop.advance(4s);
  answer(response_to(sent[0].id(), ""));
  loop.advance(4s);
  EXPECT_FALSE(wire().is_closed());
  loop.advance(6s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown"));
  EXPECT_THAT(calls.last_error.message, HasSubstr("no sign of life"));
  EXPECT_TRUE(wires.front().is_closed());
}

TEST_F(ReconnectTest, AnIdleConnectionStaysOpen) {
  start();
  begin("a");
  answer(response_to(1, "a"));
  requests();
  loop.advance(3600s);
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_FALSE(wire().is_closed());
}

TEST_F(ReconnectTest, AClientMayGoWhileItsCallsWait) {
  start();
  begin("a", 60s);
  refuse = true;
  wire().end();
  loop.settle();
  begin("b", 60s);
  calls.take();
  client.reset();
  loop.settle();
  EXPECT_THAT(calls.take(), ElementsAre("CANCELLED no"));
}

// Signs on with a call of its own.
class SigningOn final : public ConnectionObserver {
 public:
  explicit SigningOn(async::Loop& loop) : loop_(loop) {}
  async::Task<> on_connected(Channel& fresh) override { return sign_on(&loop_, &fresh); }
  void on_disconnected(const Status& why) override { ends.push_back(why.text()); }

  std::vector<std::string> ends;

 private:
  static async::Task<> sign_on(async::Loop* loop, Channel* fresh) {
    const Context context(loop->in(2s));
    const EchoResponse response = co_await fresh->call(echo_method, saying("sign on"), context);
  }
  async::Loop& loop_;
};

TEST_F(ReconnectTest, EachConnectionSignsOnBeforeItsCalls) {
  SigningOn observer(loop);
  ClientOptions options;
  options.observer = &observer;
  start(options);
  for (int i = 0; i < 2; ++i) {
    begin("hello", 60s);
    loop.advance(50ms);
    EXPECT_FALSE(client->is_connected());
    std::vector<v1::Request> sent = requests();
    ASSERT_THAT(sent, SizeIs(1));
    EXPECT_THAT(sent[0].body(), HasSubstr("sign on"));
    answer(response_to(1, "welcome"));
    EXPECT_TRUE(client->is_connected());
    EXPECT_THAT(requests(), SizeIs(1));
    answer(response_to(2, "hello"));
    EXPECT_THAT(calls.take(), ElementsAre("OK hello"));
    wire().end();
    loop.settle();
    EXPECT_THAT(observer.ends, SizeIs(i + 1));
  }
  client.reset();
}

TEST_F(ReconnectTest, AFailedSignOnIsTriedAgain) {
  SigningOn observer(loop);
  ClientOptions options;
  options.observer = &observer;
  start(options);
  begin("hello", 60s);
  answer(status_response(1, StatusCode::permission_denied, "not this terminal"));
  EXPECT_THAT(observer.ends, ElementsAre(HasSubstr("not this terminal")));
  EXPECT_TRUE(wire().is_closed());
  loop.advance(50ms);
  EXPECT_THAT(requests(), SizeIs(1));
  answer(response_to(1, "welcome"));
  EXPECT_THAT(requests(), SizeIs(1));
  client.reset();
}

}  // namespace
}  // namespace rpc
