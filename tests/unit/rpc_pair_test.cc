// A client and a server together: health, reflection, draining, and the whole way over TCP.

#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <google/protobuf/descriptor.pb.h>

#include "async/random.h"
#include "async/scope.h"
#include "async/uv_loop.h"
#include "rpc/client.h"
#include "rpc/reflection_client.h"
#include "rpc/server.h"
#include "rpc/v1/health.pb.h"
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

inline const Method<EchoRequest, EchoResponse> echo_method{"test.v1.EchoService/Echo"};
inline const StreamMethod<CountRequest, CountResponse> count_method{"test.v1.EchoService/Count"};
inline const Method<v1::CheckRequest, v1::CheckResponse> check_method{"rpc.v1.HealthService/Check"};
inline const StreamMethod<v1::WatchRequest, v1::WatchResponse> watch_method{
    "rpc.v1.HealthService/Watch"};

class PairTest : public testing::Test {
 protected:
  PairTest() {
    server.emplace(loop, ServerLimits(), observer);
    server->handle<&EchoService::echo>("test.v1.EchoService/Echo", service);
    server->handle<&EchoService::count>("test.v1.EchoService/Count", service);
    server->serve(loop.listen(async::Endpoint::parse("bank:7001")));
    ClientOptions options;
    options.endpoints.push_back(async::Endpoint::parse("bank:7001"));
    client.emplace(loop, std::move(options), random);
  }

  std::string health_of(const std::string& name) {
    v1::CheckRequest request;
    request.set_service(name);
    const Reply<v1::CheckResponse> reply =
        loop.run(client->try_call(check_method, request, Context(loop.in(1s))));
    return reply ? v1::ServingStatus_Name(reply->status()) : reply.error().text();
  }
  async::Task<> watch(std::string name, std::vector<std::string>* seen) {
    v1::WatchRequest request;
    request.set_service(name);
    Responses<v1::WatchResponse> states =
        client->stream(watch_method, request, Context(async::Deadline::never()));
    try {
      while (true) {
        const std::optional<v1::WatchResponse> state = co_await states.next();
        if (!state) break;
        seen->push_back(v1::ServingStatus_Name(state->status()));
      }
    } catch (const Error& error) {
      seen->emplace_back(rpc::name(error.status().code));
    }
  }
  async::Task<> echo(std::string text, std::vector<std::string>* seen) {
    EchoRequest request;
    request.set_text(text);
    const Reply<EchoResponse> reply =
        co_await client->try_call(echo_method, request, Context(loop.in(60s)));
    seen->push_back(reply ? reply->text() : reply.error().text());
  }
  std::vector<std::string> call(const std::string& method, const std::string& json) {
    std::vector<std::string> responses;
    ReflectionClient reflection(*client);
    const auto collect = [&responses](std::string response) { responses.push_back(response); };
    try {
      loop.run(reflection.call(method, json, Context(loop.in(10s)), collect));
    } catch (const Error& error) {
      responses.emplace_back(error.what());
    }
    return responses;
  }

  async::ManualLoop loop;
  async::SeededRandom random{1};
  EchoService service{loop};
  RecordingObserver observer;
  std::optional<Server> server;
  std::optional<Client> client;
};

TEST_F(PairTest, HealthIsToldByService) {
  EXPECT_EQ(health_of(""), "SERVING_STATUS_SERVING");
  EXPECT_EQ(health_of("test.v1.EchoService"), "SERVING_STATUS_SERVING");
  EXPECT_EQ(health_of("rpc.v1.HealthService"), "SERVING_STATUS_SERVING");
  EXPECT_THAT(health_of("test.v1.Nothing"), HasSubstr("NOT_FOUND"));
  server->health().set_serving("test.v1.EchoService", false);
  EXPECT_EQ(health_of("test.v1.EchoService"), "SERVING_STATUS_NOT_SERVING");
  EXPECT_EQ(health_of(""), "SERVING_STATUS_SERVING");
}

TEST_F(PairTest, HealthIsWatched) {
  std::vector<std::string> known;
  std::vector<std::string> unknown;
  async::TaskScope scope(loop);
  scope.spawn(watch("test.v1.EchoService", &known));
  scope.spawn(watch("later.v1.LaterService", &unknown));
  loop.settle();
  server->health().set_serving("test.v1.EchoService", false);
  loop.settle();
  server->health().set_serving("test.v1.EchoService", false);
  server->health().set_serving("later.v1.LaterService", true);
  loop.settle();
  EXPECT_THAT(known, ElementsAre("SERVING_STATUS_SERVING", "SERVING_STATUS_NOT_SERVING"));
  EXPECT_THAT(unknown, ElementsAre("SERVING_STATUS_SERVICE_UNKNOWN", "SERVING_STATUS_SERVING"));
}

TEST_F(PairTest, DrainingFinishesWhatIsInFlightAndRefusesTheRest) {
  std::vector<std::string> health;
  std::vector<std::string> replies;
  async::TaskScope scope(loop);
  scope.spawn(watch("", &health));
  scope.spawn(echo("wait", &replies));
  loop.settle();
  bool drained = false;
  const auto drain = [](Server* which, async::Deadline deadline, bool* done) -> async::Task<> {
    async::Task<> draining = which->drain(deadline);
    co_await draining;
    *done = true;
  };
  scope.spawn(drain(&*server, loop.in(4s), &drained));
  loop.settle();
  EXPECT_THAT(health,
              ElementsAre("SERVING_STATUS_SERVING", "SERVING_STATUS_NOT_SERVING", "UNAVAILABLE"));
  scope.spawn(echo("too late", &replies));
  loop.settle();
  EXPECT_THAT(replies, ElementsAre(HasSubstr("UNAVAILABLE: the server is shutting down")));
  EXPECT_FALSE(drained);
  service.let_go("wait");
  loop.settle();
  EXPECT_TRUE(drained);
  EXPECT_EQ(replies.back(), "wait");
  EXPECT_EQ(server->connection_count(), 0);
}

TEST_F(PairTest, DrainingEndsAtItsDeadline) {
  std::vector<std::string> replies;
  async::TaskScope scope(loop);
  scope.spawn(echo("wait", &replies));
  loop.settle();
  scope.spawn(server->drain(loop.in(4s)));
  loop.advance(3999ms);
  EXPECT_THAT(replies, IsEmpty());
  loop.advance(1ms);
  EXPECT_THAT(replies, ElementsAre(HasSubstr("UNAVAILABLE")));
  EXPECT_EQ(server->connection_count(), 0);
  service.let_go("wait");
  loop.settle();
}

TEST_F(PairTest, AClientFindsTheServerAgain) {
  std::vector<std::string> replies;
  async::TaskScope scope(loop);
  scope.spawn(echo("a", &replies));
  loop.settle();
  server.reset();
  loop.settle();
  scope.spawn(echo("b", &replies));
  loop.advance(10s);
  EXPECT_THAT(replies, ElementsAre("a"));
  server.emplace(loop, ServerLimits(), observer);
  server->handle<&EchoService::echo>("test.v1.EchoService/Echo", service);
  server->serve(loop.listen(async::Endpoint::parse("bank:7001")));
  loop.advance(5s);
  EXPECT_THAT(replies, ElementsAre("a", "b"));
}

TEST_F(PairTest, AMethodIsCalledByNameWithJson) {
  EXPECT_THAT(call("test.v1.EchoService/Echo", R"({"text":"hello"})"),
              ElementsAre(R"({"text":"hello","padding":""})"));
  EXPECT_THAT(call("test.v1.EchoService/Count", R"({"to":2})"),
              ElementsAre(R"({"number":1,"padding":""})", R"({"number":2,"padding":""})"));
  EXPECT_THAT(call("rpc.v1.HealthService/Check", "{}"),
              ElementsAre(R"({"status":"SERVING_STATUS_SERVING","reason":""})"));
}

TEST_F(PairTest, AMethodThatDoesNotExistOrJsonThatDoesNotFitIsExplained) {
  EXPECT_THAT(call("test.v1.EchoService/Ech", "{}"), ElementsAre(HasSubstr("it has Echo Count")));
  EXPECT_THAT(call("nothing.v1.Service/Do", "{}"), ElementsAre(HasSubstr("NOT_FOUND")));
  EXPECT_THAT(call("test.v1.EchoRequest/Do", "{}"), ElementsAre(HasSubstr("is not a service")));
  EXPECT_THAT(call("test.v1.EchoService/Echo", R"({"txt":1})"),
              ElementsAre(HasSubstr("INVALID_ARGUMENT: the JSON is not a test.v1.EchoRequest")));
  EXPECT_THAT(call("test.v1.EchoService/Echo", R"({"text":"refuse"})"),
              ElementsAre("NOT_FOUND: nothing is called so"));
}

TEST_F(PairTest, ReflectionListsServicesAndMethods) {
  ReflectionClient reflection(*client);
  EXPECT_THAT(
      loop.run(reflection.services(Context(loop.in(1s)))),
      ElementsAre("rpc.v1.HealthService", "rpc.v1.ReflectionService", "test.v1.EchoService"));
  EXPECT_THAT(loop.run(reflection.methods("test.v1.EchoService", Context(loop.in(1s)))),
              ElementsAre("test.v1.EchoService/Echo", "test.v1.EchoService/Count"));
  const auto* const method =
      loop.run(reflection.find("test.v1.EchoService/Echo", Context(loop.in(1s))));
  EXPECT_THAT(ReflectionClient::template_of(*method), HasSubstr("\"text\": \"\""));
}

TEST(ReflectionTemplateTest, TheMessagesWithinARequestAreThereToFillIn) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("nested.proto");
  file.add_dependency("google/protobuf/descriptor.proto");
  google::protobuf::MethodDescriptorProto& method = *file.add_service()->add_method();
  file.mutable_service(0)->set_name("Nested");
  method.set_name("Ask");
  method.set_input_type(".google.protobuf.SourceCodeInfo");
  method.set_output_type(".google.protobuf.SourceCodeInfo");
  google::protobuf::DescriptorPool pool(google::protobuf::DescriptorPool::generated_pool());
  const auto* const built = pool.BuildFile(file);
  ASSERT_NE(built, nullptr);
  const std::string json = ReflectionClient::template_of(*built->service(0)->method(0));
  EXPECT_THAT(json, HasSubstr("\"location\": ["));
  EXPECT_THAT(json, HasSubstr("\"span\": []"));
}

// The one system test: real sockets, two connections, calls that overlap, a long stream, and an
// orderly end.
TEST(RpcSystemTest, CallsGoOverTcp) {
  async::UvLoop loop;
  async::SystemRandom random;
  EchoService service(loop);
  RecordingObserver observer;
  Server server(loop, ServerLimits(), observer);
  server.handle<&EchoService::echo>("test.v1.EchoService/Echo", service);
  server.handle<&EchoService::count>("test.v1.EchoService/Count", service);
  async::Listener listener = loop.listen(async::Endpoint::parse("127.0.0.1:0"));
  const async::Endpoint endpoint = listener.local();
  server.serve(std::move(listener));

  const auto echo_many = [](Client* client, async::Loop* on, int calls) -> async::Task<> {
    for (int i = 0; i < calls; ++i) {
      EchoRequest request;
      request.set_text(std::to_string(i));
      request.set_padding(static_cast<std::uint32_t>(i * 30));
      const EchoResponse response =
          co_await client->call(echo_method, request, Context(on->in(10s)));
      EXPECT_EQ(response.text(), request.text());
    }
  };
  const auto count = [](Client* client, async::Loop* on) -> async::Task<> {
    CountRequest request;
    request.set_to(2000);
    request.set_padding(1000);
    Responses<CountResponse> numbers = client->stream(count_method, request, Context(on->in(10s)));
    for (std::uint32_t expected = 1; expected <= 2000; ++expected) {
      const std::optional<CountResponse> response = co_await numbers.next();
      EXPECT_EQ(response->number(), expected);
    }
  };
  const auto drain = [](Server* which, async::Loop* on) -> async::Task<> {
    async::Task<> draining = which->drain(on->in(4s));
    co_await draining;
  };
  ClientOptions options;
  options.endpoints.push_back(endpoint);
  std::optional<Client> first(std::in_place, loop, options, random);
  std::optional<Client> second(std::in_place, loop, options, random);
  std::vector<async::Task<>> tasks;
  for (int i = 0; i < 20; ++i) {
    tasks.push_back(echo_many(i % 2 == 0 ? &*first : &*second, &loop, 50));
  }
  tasks.push_back(count(&*first, &loop));
  loop.run(async::gather(std::move(tasks)));
  loop.run(drain(&server, &loop));
  EXPECT_EQ(server.connection_count(), 0);
  EXPECT_EQ(server.calls_in_flight(), 0);
}

TEST(MethodTest, MayBeUsedFirstByTwoLoopsAtOnce) {
  static constinit const Method<EchoRequest, EchoResponse> shared{"test.v1.EchoService/Echo"};
  std::latch both(2);
  const auto use = [&both] {
    both.arrive_and_wait();
    shared.check();
  };
  std::thread one(use);
  std::thread other(use);
  one.join();
  other.join();
  EXPECT_EQ(shared.name(), "test.v1.EchoService/Echo");
}

}  // namespace
}  // namespace rpc
