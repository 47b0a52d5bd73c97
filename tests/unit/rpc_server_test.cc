// The server's calls, seen from the other end of the wire.

#include <string>
#include <vector>

#include "rpc_test_kit.h"

namespace rpc {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(ServerTest, ARequestIsAnswered) {
  start();
  EXPECT_THAT(answers(echo_request(1, "hello")), ElementsAre("1 OK hello"));
  EXPECT_THAT(observer.calls, ElementsAre("test.v1.EchoService/Echo OK"));
}

TEST_F(ServerTest, ARequestThatComesByteByByteIsAnswered) {
  start();
  for (const char byte : framed(echo_request(1, "hello")))
    wire.send(std::string(1, byte)), loop.settle();
  EXPECT_THAT(take_summaries(wire), ElementsAre("1 OK hello"));
}

TEST_F(ServerTest, CallsAreAnsweredInTheOrderInWhichTheyFinish) {
  start();
  EXPECT_THAT(answers(framed(echo_request(1, "wait a")) + framed(echo_request(2, "wait b")) +
                      framed(echo_request(3, "c"))),
              ElementsAre("3 OK c"));
  EXPECT_EQ(server->calls_in_flight(), 2);
  service.let_go("wait b");
  service.let_go("wait a");
  EXPECT_THAT(answers(""), ElementsAre("2 OK wait b", "1 OK wait a"));
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerTest, SixtyFourRequestsAreAnsweredInOneWrite) {
  start();
  std::string bytes;
  for (std::uint64_t id = 1; id <= 64; ++id) bytes += framed(echo_request(id, "hello"));
  EXPECT_THAT(answers(bytes), SizeIs(64));
  EXPECT_EQ(wire.writes, 1);
}

TEST_F(ServerTest, RepliesThatBecomeReadyInOneTurnLeaveInOneWrite) {
  start();
  std::string bytes;
  for (std::uint64_t id = 1; id <= 64; ++id) {
    bytes += framed(echo_request(id, "wait " + std::to_string(id)));
  }
  EXPECT_THAT(answers(bytes), IsEmpty());
  for (int id = 1; id <= 64; ++id) service.let_go("wait " + std::to_string(id));
  EXPECT_THAT(answers(""), SizeIs(64));
  EXPECT_EQ(wire.writes, 1);
}

TEST_F(ServerTest, ABadRequestIsAnsweredAndTheConnectionGoesOn) {
  ServerLimits limits;
  limits.request_body_size_max = 1000;
  start(limits);
  v1::Request no_method = echo_request(5, "x");
  no_method.clear_method();
  v1::Request unknown_method = echo_request(6, "x");
  unknown_method.set_method("test.v1.EchoService/Ech");
  v1::Request bad_body = echo_request(7, "x");
  bad_body.set_body("\xff");
  v1::Request not_utf8 = echo_request(8, "x");
  not_utf8.set_body("\x0a\x02\xc3\x28");

  EXPECT_THAT(answers(framed("")), ElementsAre("0 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(framed("\xff\xff\xff")), ElementsAre("0 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(framed("\x12\x02\xc3\x28")), ElementsAre("0 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(echo_request(0, "x")), ElementsAre("0 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(framed(std::string(1001, 'x'))), ElementsAre("0 RESOURCE_EXHAUSTED"));
  EXPECT_THAT(answers(no_method), ElementsAre("5 UNIMPLEMENTED"));
  EXPECT_THAT(answers(unknown_method), ElementsAre("6 UNIMPLEMENTED"));
  EXPECT_THAT(answers(bad_body), ElementsAre("7 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(not_utf8), ElementsAre("8 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(cancel_request(9)), IsEmpty());
  EXPECT_THAT(answers(cancel_request(0)), IsEmpty());
  EXPECT_THAT(answers(echo_request(10, "hello")), ElementsAre("10 OK hello"));
  EXPECT_THAT(observer.closed, IsEmpty());
}

TEST_F(ServerTest, TheIdOfACallInFlightIsRefused) {
  start();
  answers(echo_request(7, "wait"));
  EXPECT_THAT(answers(echo_request(7, "again")), ElementsAre("0 INVALID_ARGUMENT"));
  EXPECT_THAT(answers(echo_request(3, "lower")), ElementsAre("3 OK lower"));
  service.let_go("wait");
  EXPECT_THAT(answers(""), ElementsAre("7 OK wait"));
  EXPECT_THAT(answers(echo_request(7, "later")), ElementsAre("7 OK later"));
}

TEST_F(ServerTest, ARequestBeyondTheCallsInFlightIsRefused) {
  ServerLimits limits;
  limits.calls_in_flight_per_connection_max = 2;
  start(limits);
  answers(framed(echo_request(1, "wait a")) + framed(echo_request(2, "wait b")));
  EXPECT_THAT(answers(echo_request(3, "c")), ElementsAre("3 RESOURCE_EXHAUSTED"));
  service.let_go("wait a");
  answers("");
  EXPECT_THAT(answers(echo_request(4, "d")), ElementsAre("4 OK d"));
  service.let_go("wait b");
}

TEST_F(ServerTest, ARequestBeyondTheServersCallsInFlightIsRefused) {
  ServerLimits limits;
  limits.calls_in_flight_max = 1;
  start(limits);
  Wire other(loop);
  server->serve(other.stream());
  answers(echo_request(1, "wait"));
  other.send(framed(echo_request(1, "x")));
  loop.settle();
  EXPECT_THAT(take_summaries(other), ElementsAre("1 RESOURCE_EXHAUSTED"));
  server.reset();
}

TEST_F(ServerTest, AConnectionBeyondTheLimitIsToldSoAndClosed) {
  ServerLimits limits;
  limits.connections_max = 1;
  start(limits);
  Wire second(loop);
  server->serve(second.stream());
  EXPECT_TRUE(second.is_closed());
  EXPECT_THAT(take_summaries(second), ElementsAre("0 RESOURCE_EXHAUSTED"));
  Wire gone(loop);
  gone.break_writes();
  server->serve(gone.stream());
  EXPECT_TRUE(gone.is_closed());
  wire.end();
  loop.settle();
  Wire third(loop);
  server->serve(third.stream());
  EXPECT_FALSE(third.is_closed());
  server.reset();
}

TEST_F(ServerTest, WhatAHandlerThrowsIsOneStatusAndItsWordsStayHere) {
  start();
  wire.send(framed(echo_request(1, "throw")) + framed(echo_request(2, "refuse")));
  loop.settle();
  const std::vector<v1::Response> responses = take_messages<v1::Response>(wire);
  ASSERT_THAT(responses, SizeIs(2));
  EXPECT_EQ(summary(responses[0]), "1 INTERNAL");
  EXPECT_EQ(responses[0].message().find("vault"), std::string::npos);
  EXPECT_EQ(summary(responses[1]), "2 NOT_FOUND");
  EXPECT_EQ(responses[1].message(), "nothing is called so");
  EXPECT_THAT(observer.failures, ElementsAre("the vault is on fire"));
}

TEST_F(ServerTest, WhatIsFatalEndsTheLoopAndNotOnlyTheCall) {
  start();
  wire.send(framed(echo_request(1, "break")));
  try {
    loop.settle();
    FAIL() << "the loop goes on";
  } catch (const async::Fatal& fatal) {
    EXPECT_STREQ(fatal.what(), "the disk is gone");
  }
}

TEST_F(ServerTest, AReplyThatDoesNotFitIsAStatus) {
  start();
  test::v1::EchoRequest body;
  body.set_padding(70'000);
  v1::Request request = echo_request(1, "");
  request.set_body(body.SerializeAsString());
  EXPECT_THAT(answers(request), ElementsAre("1 RESOURCE_EXHAUSTED"));
  EXPECT_THAT(answers(count_request(2, 3, 70'000)), ElementsAre("2 RESOURCE_EXHAUSTED"));
}

TEST_F(ServerTest, ACallIsAnsweredWhenItsTimeIsOverAndItsWorkGoesOn) {
  start();
  answers(echo_request(1, "wait", 1000));
  EXPECT_THAT(answers_after(999ms), IsEmpty());
  EXPECT_FALSE(service.last_context->is_abandoned());
  EXPECT_THAT(answers_after(1ms), ElementsAre("1 DEADLINE_EXCEEDED"));
  EXPECT_TRUE(service.last_context->is_abandoned());
  EXPECT_EQ(server->calls_in_flight(), 1);
  EXPECT_THAT(answers(echo_request(1, "again")), ElementsAre("0 INVALID_ARGUMENT"));
  service.let_go("wait");
  EXPECT_THAT(answers(""), IsEmpty());
  EXPECT_THAT(service.finished, ElementsAre("wait alone"));
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerTest, ACallThatNamesNoTimeHasTheDefault) {
  start();
  answers(echo_request(1, "wait"));
  EXPECT_THAT(answers_after(29'999ms), IsEmpty());
  EXPECT_THAT(answers_after(1ms), ElementsAre("1 DEADLINE_EXCEEDED"));
  service.let_go("wait");
}

TEST_F(ServerTest, ACancelEndsTheWaitAndNotTheWork) {
  start();
  answers(echo_request(1, "wait"));
  EXPECT_THAT(answers(cancel_request(1)), IsEmpty());
  EXPECT_TRUE(service.last_context->is_abandoned());
  service.let_go("wait");
  EXPECT_THAT(answers(""), IsEmpty());
  EXPECT_THAT(service.finished, ElementsAre("wait alone"));
  EXPECT_THAT(observer.calls, ElementsAre("test.v1.EchoService/Echo CANCELLED"));
}

TEST_F(ServerTest, ACancelOfNoCallOrWithIdZeroIsNothing) {
  start();
  answers(echo_request(1, "wait"));
  EXPECT_THAT(answers(cancel_request(0)), IsEmpty());
  EXPECT_THAT(answers(cancel_request(2)), IsEmpty());
  EXPECT_FALSE(service.last_context->is_abandoned());
  service.let_go("wait");
  EXPECT_THAT(answers(""), ElementsAre("1 OK wait"));
}

TEST_F(ServerTest, ADisconnectEndsTheWaitAndNotTheWork) {
  start();
  answers(echo_request(1, "wait"));
  wire.end();
  loop.settle();
  EXPECT_TRUE(wire.is_closed());
  EXPECT_EQ(server->connection_count(), 0);
  EXPECT_EQ(server->calls_in_flight(), 1);
  service.let_go("wait");
  loop.settle();
  EXPECT_THAT(service.finished, ElementsAre("wait alone"));
  EXPECT_EQ(server->calls_in_flight(), 0);
}

TEST_F(ServerTest, AContextTellsWhoAsksAndMayOutliveTheServer) {
  start();
  v1::Request request = echo_request(7, "hello", 5000);
  request.set_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  const async::Instant then = loop.now();
  answers(request);
  EXPECT_EQ(service.last_context->peer(), "the test");
  EXPECT_EQ(service.last_context->request_id(), 7);
  EXPECT_EQ(service.last_context->deadline, async::Deadline::at(then + 5s));
  EXPECT_EQ(service.last_context->trace.text(), request.traceparent());
  server.reset();
  EXPECT_EQ(service.last_context->peer(), "the test");
}

TEST_F(ServerTest, AMalformedTraceparentCountsAsNone) {
  start();
  v1::Request request = echo_request(1, "hello");
  request.set_traceparent("00-bad");
  EXPECT_THAT(answers(request), ElementsAre("1 OK hello"));
  EXPECT_FALSE(service.last_context->trace.is_set());
}

TEST_F(ServerTest, WhoWaitsForAnAbandonedCallerGoesOn) {
  start();
  answers(echo_request(1, "wait"));
  bool told = false;
  const auto watch = [](Context context, bool* done) -> async::Task<> {
    async::Task<> abandoned = context.abandoned();
    co_await abandoned;
    *done = true;
  };
  async::TaskScope scope(loop);
  scope.spawn(watch(*service.last_context, &told));
  loop.settle();
  EXPECT_FALSE(told);
  answers(cancel_request(1));
  EXPECT_TRUE(told);
  service.let_go("wait");
}

TEST_F(ServerTest, DestroyingTheServerCancelsWhatRuns) {
  start();
  answers(framed(echo_request(1, "wait")) + framed(count_request(2, 1000)));
  server.reset();
  EXPECT_TRUE(wire.is_closed());
  EXPECT_EQ(service.streams_left, 1);
  service.let_go("wait");
  loop.settle();
  EXPECT_THAT(service.finished, IsEmpty());
}

TEST_F(ServerTest, AHandlerMustFitItsMethod) {
  start();
  EXPECT_THROW(server->handle<&EchoService::echo>("test.v1.EchoService/Count", service),
               std::logic_error);
  EXPECT_THROW(server->handle<&EchoService::echo>("test.v1.EchoService/Nothing", service),
               std::logic_error);
  EXPECT_THROW(server->handle<&EchoService::echo>("test.v1.EchoService.Echo", service),
               std::logic_error);
  EXPECT_THROW(server->handle<&EchoService::echo>("test.v1.EchoService/Echo", service),
               std::logic_error);
}

// Waits for the test with as little memory as it can.
class FrugalService {
 public:
  explicit FrugalService(async::Loop& loop) : loop_(loop) {}

  async::Task<> echo(const test::v1::EchoRequest& request, Context context,
                     Answer<test::v1::EchoResponse> answer) {
    requests.push_back(&request);
    const std::string text = request.text();
    context.request_is_read();
    async::Promise<> promise(loop_);
    async::Future<> future = promise.future();
    waiting.push_back(std::move(promise));
    co_await future;
    answers.push_back(&*answer);
    answer->set_text(text);
  }

  std::vector<async::Promise<>> waiting;
  std::vector<const test::v1::EchoRequest*> requests;
  std::vector<const test::v1::EchoResponse*> answers;

 private:
  async::Loop& loop_;
};

TEST_F(ServerTest, CallsThatWaitShareTheMemoryOfWhatIsReadAndOfWhatIsAnswered) {
  server.emplace(loop, ServerLimits(), observer);
  FrugalService frugal(loop);
  server->handle<&FrugalService::echo>("test.v1.EchoService/Echo", frugal);
  server->serve(wire.stream());
  for (std::uint64_t id = 1; id <= 3; ++id) {
    EXPECT_THAT(answers(echo_request(id, "text " + std::to_string(id))), IsEmpty());
  }
  EXPECT_THAT(frugal.requests, Each(frugal.requests.front()));
  for (std::size_t place = 0; place < 3; ++place) {
    frugal.waiting[place].set();
    const std::string id = std::to_string(place + 1);
    EXPECT_THAT(answers(""), ElementsAre(id + " OK text " + id));
  }
  EXPECT_THAT(frugal.answers, Each(frugal.answers.front()));
}

TEST_F(ServerTest, UnknownFieldsAreIgnoredAndManyAreNotKept) {
  start();
  v1::Request request = echo_request(1, "hello");
  request.mutable_body()->append("\x7a\x02xx");  // Field 15.
  EXPECT_THAT(answers(framed(request.SerializeAsString() + "\x7a\x02xx")),
              ElementsAre("1 OK hello"));
  EXPECT_TRUE(service.has_unknown_fields);
  for (int i = 0; i < 500; ++i) request.mutable_body()->append("\x7a\x02xx");
  request.set_id(2);
  EXPECT_THAT(answers(request), ElementsAre("2 OK hello"));
  EXPECT_FALSE(service.has_unknown_fields);
}

TEST_F(ServerTest, ACallerThatAsksAndLeavesGetsWhatIsReady) {
  start();
  Wire other(loop);
  server->serve(other.stream());
  other.send(framed(echo_request(1, "wait")));
  loop.settle();
  service.let_go("wait");
  wire.send(framed(echo_request(1, "hello")));
  wire.end();
  loop.settle();
  EXPECT_THAT(take_summaries(wire), ElementsAre("1 OK hello"));
  EXPECT_TRUE(wire.is_closed());
  server.reset();
}

}  // namespace
}  // namespace rpc
