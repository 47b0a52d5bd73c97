// The client's calls, seen from the other end of the wire.

#include <string>
#include <vector>

#include "rpc_client_kit.h"

namespace rpc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(ClientTest, AClientConnectsAtItsFirstCall) {
  start();
  loop.settle();
  EXPECT_THAT(attempts, IsEmpty());
  begin("hello");
  EXPECT_THAT(attempts, ElementsAre("bank:7001"));
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].id(), 1);
  EXPECT_EQ(sent[0].method(), "test.v1.EchoService/Echo");
  EXPECT_EQ(sent[0].time_left_ms(), 1000);
  EXPECT_EQ(sent[0].traceparent(), "");
  answer(response_to(1, "hello"));
  EXPECT_THAT(calls.take(), ElementsAre("OK hello"));
}

TEST_F(ClientTest, TheTimeLeftIsRoundedUp) {
  start();
  begin("a", 1'500us);
  begin("b", 1ns);
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(2));
  EXPECT_EQ(sent[0].time_left_ms(), 2);
  EXPECT_EQ(sent[1].time_left_ms(), 1);
}

TEST_F(ClientTest, AnswersComeInAnyOrder) {
  start();
  for (const char* text : {"a", "b", "c"}) begin(text);
  EXPECT_EQ(client->calls_in_flight(), 3);
  wire().send(framed(response_to(3, "c")) + framed(response_to(1, "a")));
  loop.settle();
  answer(response_to(2, "b"));
  EXPECT_THAT(calls.take(), ElementsAre("OK c", "OK a", "OK b"));
}

TEST_F(ClientTest, CallsOfOneTurnLeaveInOneWrite) {
  start();
  begin("first");
  const int before = wire().writes;
  for (int i = 0; i < 64; ++i) calls.begin(*client, "x", loop.in(1s));
  loop.settle();
  EXPECT_EQ(wire().writes, before + 1);
  EXPECT_THAT(requests(), SizeIs(65));
}

TEST_F(ClientTest, ACallEndsAtItsDeadlineAndTheLateReplyIsDropped) {
  start();
  begin("hello");
  requests();
  loop.advance(999ms);
  EXPECT_THAT(calls.take(), IsEmpty());
  loop.advance(1ms);
  EXPECT_THAT(calls.take(), ElementsAre("DEADLINE_EXCEEDED unknown"));
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(sent[0].SerializeAsString(), cancel_request(1).SerializeAsString());
  answer(response_to(1, "late"));
  begin("next");
  answer(response_to(2, "next"));
  EXPECT_THAT(calls.take(), ElementsAre("OK next"));
  EXPECT_THAT(attempts, SizeIs(1));
}

TEST_F(ClientTest, ACallWithoutTimeLeftIsNotSent) {
  start();
  begin("hello", 0s);
  EXPECT_THAT(calls.take(), ElementsAre("DEADLINE_EXCEEDED no"));
  EXPECT_THAT(attempts, IsEmpty());
}

TEST_F(ClientTest, WhoStopsWaitingSendsACancel) {
  start();
  begin("hello");
  requests();
  calls.forget_all();
  loop.settle();
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(sent[0].cancel());
  EXPECT_EQ(client->calls_in_flight(), 0);
}

TEST_F(ClientTest, AStatusOfTheServerIsTheReply) {
  start();
  begin("hello");
  answer(status_response(1, StatusCode::not_found, "no such account"));
  EXPECT_THAT(calls.take(), ElementsAre("NOT_FOUND no"));
  EXPECT_EQ(calls.last_error.message, "no such account");
}

TEST_F(ClientTest, AResponseThatIsNotTheMethodsIsAnError) {
  start();
  begin("hello");
  v1::Response response = response_to(1, "x");
  response.set_body("\xff");
  answer(response);
  EXPECT_THAT(calls.take(), ElementsAre("INTERNAL unknown"));
}

TEST_F(ClientTest, CallsBeyondTheLimitWaitForTheirTurn) {
  ClientOptions options;
  options.limits.calls_in_flight_max = 2;
  start(options);
  for (const char* text : {"a", "b", "c", "d"}) begin(text);
  EXPECT_THAT(requests(), SizeIs(2));
  answer(response_to(2, "b"));
  EXPECT_THAT(requests(), SizeIs(1));
  loop.advance(1s);
  EXPECT_THAT(calls.take(), ElementsAre("OK b", "DEADLINE_EXCEEDED unknown",
                                        "DEADLINE_EXCEEDED unknown", "UNAVAILABLE no"));
}

TEST_F(ClientTest, ARequestThatDoesNotFitIsNotSent) {
  start();
  begin(std::string(65'500, 'x'));
  EXPECT_THAT(calls.take(), ElementsAre("RESOURCE_EXHAUSTED no"));
}

TEST_F(ClientTest, ATraceGoesOnInANewSpan) {
  start();
  const Trace trace = Trace::make(random);
  async::TaskScope scope(loop);
  const auto call = [](Channel* channel, Context context) -> async::Task<> {
    const Reply<EchoResponse> reply = co_await channel->try_call(echo_method, saying("x"), context);
  };
  scope.spawn(call(&*client, Context(loop.in(1s), trace)));
  loop.settle();
  const std::optional<Trace> sent = Trace::parse(requests().at(0).traceparent());
  ASSERT_TRUE(sent);
  EXPECT_EQ(sent->trace_id, trace.trace_id);
  EXPECT_NE(sent->span_id, trace.span_id);
}

TEST_F(ClientTest, AStreamGivesItsResponsesAndItsEnd) {
  start();
  calls.count(*client, counting_to(2), loop.in(60s));
  loop.settle();
  EXPECT_THAT(requests(), SizeIs(1));
  for (const std::uint32_t number : {1u, 2u}) {
    CountResponse body;
    body.set_number(number);
    v1::Response response;
    response.set_id(1);
    response.set_more(true);
    response.set_body(body.SerializeAsString());
    answer(response);
  }
  EXPECT_THAT(calls.take(), ElementsAre("1", "2"));
  answer(status_response(1, StatusCode::ok, ""));
  EXPECT_THAT(calls.take(), ElementsAre("end"));
}

TEST_F(ClientTest, AStreamEndsWithItsStatusOrItsConnectionOrItsDeadline) {
  start();
  for (int i = 0; i < 3; ++i) calls.count(*client, counting_to(0), loop.in(i == 1 ? 1s : 60s));
  loop.settle();
  answer(status_response(1, StatusCode::unavailable, "the server is shutting down"));
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE"));
  loop.advance(1s);
  EXPECT_THAT(calls.take(), ElementsAre("DEADLINE_EXCEEDED"));
  wire().end();
  loop.settle();
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE"));
}

TEST_F(ClientTest, AStreamThatIsNotReadHoldsUpItsConnectionUntilItIs) {
  ClientOptions options;
  options.limits.stream_queue_bytes_max = 1000;
  start(options);
  Responses<CountResponse> responses =
      client->stream(count_method, counting_to(0), Context(loop.in(60s)));
  const auto next = [](Responses<CountResponse>* stream) -> async::Task<std::uint32_t> {
    const std::optional<CountResponse> response = co_await stream->next();
    co_return response->number();
  };
  v1::Response response;
  response.set_id(1);
  response.set_more(true);
  CountResponse body;
  body.set_padding(std::string(400, 'x'));
  std::string bytes;
  for (std::uint32_t number = 1; number <= 10; ++number) {
    body.set_number(number);
    response.set_body(body.SerializeAsString());
    bytes += framed(response);
  }
  client->connect();
  loop.settle();
  async::TaskScope scope(loop);
  std::uint32_t first = 0;
  const auto read_first = [](Responses<CountResponse>* stream,
                             std::uint32_t* number) -> async::Task<> {
    const std::optional<CountResponse> got = co_await stream->next();
    *number = got->number();
  };
  scope.spawn(read_first(&responses, &first));
  loop.settle();
  wire().send(bytes);
  loop.settle();
  EXPECT_EQ(first, 1);
  EXPECT_FALSE(wire().is_read_from());
  loop.advance(30s);
  EXPECT_FALSE(wire().is_closed());  // That nothing comes is our own doing.
  for (std::uint32_t number = 2; number <= 10; ++number) {
    EXPECT_EQ(loop.run(next(&responses)), number);
    loop.settle();
  }
  EXPECT_TRUE(wire().is_read_from());
}

TEST_F(ClientTest, AStreamThatIsDroppedIsCancelled) {
  start();
  calls.count(*client, counting_to(0), loop.in(60s));
  loop.settle();
  requests();
  calls.forget_all();
  loop.settle();
  const std::vector<v1::Request> sent = requests();
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(sent[0].cancel());
}

}  // namespace
}  // namespace rpc
