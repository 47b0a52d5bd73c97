// For the tests of the client: a client whose connections the test is the other end of.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "async/random.h"
#include "async/scope.h"
#include "rpc/client.h"
#include "rpc_test_kit.h"

namespace rpc {

using test::v1::CountRequest;
using test::v1::CountResponse;
using test::v1::EchoRequest;
using test::v1::EchoResponse;

inline const Method<EchoRequest, EchoResponse> echo_method{"test.v1.EchoService/Echo"};
inline const StreamMethod<CountRequest, CountResponse> count_method{"test.v1.EchoService/Count"};

inline EchoRequest saying(const std::string& text) {
  EchoRequest request;
  request.set_text(text);
  return request;
}

inline CountRequest counting_to(std::uint32_t to, std::uint32_t padding = 0) {
  CountRequest request;
  request.set_to(to);
  request.set_padding(padding);
  return request;
}

inline v1::Response response_to(std::uint64_t id, const std::string& text) {
  EchoResponse body;
  body.set_text(text);
  v1::Response response;
  response.set_id(id);
  response.set_body(body.SerializeAsString());
  return response;
}

inline v1::Response status_response(std::uint64_t id, StatusCode code, const std::string& message) {
  v1::Response response;
  response.set_id(id);
  response.set_code(static_cast<std::uint32_t>(code));
  response.set_message(message);
  if (code == StatusCode::ok) response.set_body("");
  return response;
}

// "OK hello", "UNAVAILABLE unknown", "UNAVAILABLE no".
inline std::string summary_of(const Reply<EchoResponse>& reply) {
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

}  // namespace rpc
