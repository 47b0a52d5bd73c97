// The client, seen from the other end of the wire, and against a server.

#include <deque>
#include <string>
#include <vector>

#include "async/random.h"
#include "async/scope.h"
#include "rpc/client.h"
#include "rpc_test_kit.h"

namespace rpc {
namespace {

using test::v1::CountRequest;
using test::v1::CountResponse;
using test::v1::EchoRequest;
using test::v1::EchoResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

inline const Method<EchoRequest, EchoResponse> echo_method{"test.v1.EchoService/Echo"};
inline const StreamMethod<CountRequest, CountResponse> count_method{"test.v1.EchoService/Count"};

EchoRequest saying(const std::string& text) {
  EchoRequest request;
  request.set_text(text);
  return request;
}

CountRequest counting_to(std::uint32_t to, std::uint32_t padding = 0) {
  CountRequest request;
  request.set_to(to);
  request.set_padding(padding);
  return request;
}

v1::Response response_to(std::uint64_t id, const std::string& text) {
  EchoResponse body;
  body.set_text(text);
  v1::Response response;
  response.set_id(id);
  response.set_body(body.SerializeAsString());
  return response;
}

v1::Response status_response(std::uint64_t id, StatusCode code, const std::string& message) {
  v1::Response response;
  response.set_id(id);
  response.set_code(static_cast<std::uint32_t>(code));
  response.set_message(message);
  return response;
}

// "OK hello", "UNAVAILABLE unknown", "UNAVAILABLE no".
std::string summary_of(const Reply<EchoResponse>& reply) {
  if (reply) return "OK " + reply->text();
  return std::string(name(reply.error().code)) +
         (outcome_unknown(reply.error()) ? " unknown" : " no");
}

// Calls that run, and how they ended.
class Calls {
 public:
  explicit Calls(async::Loop& loop) : scope_(loop) {}

  void begin(Channel& channel, const std::string& text, async::Deadline deadline) {
    scope_.spawn(run(&channel, saying(text), Context(deadline)));
  }
  void count(Channel& channel, CountRequest request, async::Deadline deadline) {
    scope_.spawn(run_stream(&channel, std::move(request), Context(deadline)));
  }
  void forget_all() { scope_.cancel(); }
  std::vector<std::string> take() { return std::exchange(ended_, {}); }

  Status last_error;

 private:
  async::Task<> run(Channel* channel, EchoRequest request, Context context) {
    const Reply<EchoResponse> reply =
        co_await channel->try_call(echo_method, std::move(request), context);
    if (!reply) last_error = reply.error();
    ended_.push_back(summary_of(reply));
  }
  async::Task<> run_stream(Channel* channel, CountRequest request, Context context) {
    Responses<CountResponse> responses = channel->stream(count_method, std::move(request), context);
    try {
      while (true) {
        const std::optional<CountResponse> response = co_await responses.next();
        if (!response) break;
        ended_.push_back(std::to_string(response->number()));
      }
      ended_.emplace_back("end");
    } catch (const Error& error) {
      ended_.emplace_back(name(error.status().code));
    }
  }

  std::vector<std::string> ended_;
  async::TaskScope scope_;
};

class ClientTest : public testing::Test {
 protected:
  void start(ClientOptions options = {}) {
    if (options.endpoints.empty()) options.endpoints.push_back(async::Endpoint::parse("bank:7001"));
    options.connect = [this](const async::Endpoint& endpoint) { return connect(endpoint); };
    client.emplace(loop, std::move(options), random);
  }

  async::Task<async::Stream> connect(async::Endpoint endpoint) {
    attempts.push_back(endpoint.text());
    attempt_times.push_back(loop.now());
    if (refuse) throw async::IoError(-ECONNREFUSED, "connect to " + endpoint.text());
    if (hang) co_await loop.sleep_for(1000s);
    co_return wires.emplace_back(loop).stream();
  }

  Wire& wire() { return wires.back(); }
  void begin(const std::string& text, async::Duration time = 1s) {
    calls.begin(*client, text, loop.in(time));
    loop.settle();
  }
  std::vector<v1::Request> requests() { return take_messages<v1::Request>(wire()); }
  void answer(const v1::Response& response) {
    wire().send(framed(response));
    loop.settle();
  }

  async::ManualLoop loop;
  async::SeededRandom random{1};
  std::deque<Wire> wires;
  std::vector<std::string> attempts;
  std::vector<async::Instant> attempt_times;
  bool refuse = false;
  bool hang = false;
  std::optional<Client> client;
  Calls calls{loop};
};

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

TEST_F(ClientTest, ALostConnectionLeavesItsCallsUnknownAndIsMadeAgain) {
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

TEST_F(ClientTest, GarbageFromTheServerEndsTheConnection) {
  start();
  begin("hello", 60s);
  wire().send(framed("\xff\xff"));
  loop.settle();
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown"));
  EXPECT_TRUE(wire().is_closed());
}

TEST_F(ClientTest, AFailedWriteEndsTheConnection) {
  start();
  begin("a", 60s);
  wire().break_writes();
  begin("b", 60s);
  EXPECT_THAT(calls.take(), ElementsAre("UNAVAILABLE unknown", "UNAVAILABLE unknown"));
  loop.advance(50ms);
  EXPECT_THAT(attempts, SizeIs(2));
}

TEST_F(ClientTest, ACallWaitsForTheConnectionUntilItsDeadline) {
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

TEST_F(ClientTest, FailingFastMeansNotWaitingWhileTheServerIsDown) {
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

TEST_F(ClientTest, AttemptsBackOffWithJitterAndLookTheNameUpEachTime) {
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

TEST_F(ClientTest, EndpointsAreTriedInTurn) {
  refuse = true;
  ClientOptions options;
  options.endpoints = {async::Endpoint::parse("one:1"), async::Endpoint::parse("two:2")};
  start(options);
  begin("a", 60s);
  EXPECT_THAT(attempts, ElementsAre("one:1", "two:2"));
}

TEST_F(ClientTest, AnEndpointThatDoesNotAnswerIsGivenUp) {
  hang = true;
  ClientOptions options;
  options.endpoints = {async::Endpoint::parse("one:1"), async::Endpoint::parse("two:2")};
  start(options);
  begin("a", 60s);
  loop.advance(5s);
  EXPECT_THAT(attempts, ElementsAre("one:1", "two:2"));
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

TEST_F(ClientTest, ASilentConnectionIsAskedForASignOfLifeAndGivenUp) {
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

TEST_F(ClientTest, AnIdleConnectionStaysOpen) {
  start();
  begin("a");
  answer(response_to(1, "a"));
  requests();
  loop.advance(3600s);
  EXPECT_THAT(requests(), IsEmpty());
  EXPECT_FALSE(wire().is_closed());
}

TEST_F(ClientTest, AClientMayGoWhileItsCallsWait) {
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

TEST_F(ClientTest, EachConnectionSignsOnBeforeItsCalls) {
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

TEST_F(ClientTest, AFailedSignOnIsTriedAgain) {
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
