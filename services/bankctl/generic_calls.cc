#include "bankctl/generic_calls.h"

#include <algorithm>
#include <iostream>
#include <utility>

#include <google/protobuf/util/json_util.h>

#include "async/random.h"
#include "async/uv_loop.h"
#include "bankctl/reflected.h"
#include "cli/caller.h"
#include "cli/message_json.h"
#include "ops/failure.h"

namespace bankctl {
namespace {

// Protobuf's own JSON, as people know it from elsewhere: bytes are base64, 64-bit numbers texts.
std::string protobuf_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto done = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!done.ok()) throw ops::Failure(ops::ExitCode::protocol, "The answer cannot be shown as JSON");
  return json;
}

void fill(google::protobuf::Message& request, const std::string& json) {
  const auto done = google::protobuf::util::JsonStringToMessage(json, &request);
  if (done.ok()) return;
  std::string why(done.message());
  why.resize(std::min(why.find('\n'), why.size()));  // Then it draws the place.
  throw ops::Failure(ops::ExitCode::usage, "The request is not JSON of a " +
                                               request.GetDescriptor()->full_name() + ": " + why);
}

async::Task<bool> next_of(rpc::detail::OutgoingStream* stream,
                          google::protobuf::Message* response) {
  co_return co_await stream->next(*response);
}

async::Task<int> make_call(async::Loop* loop, rpc::Channel* channel, cli::Interrupts* interrupts,
                           async::Duration timeout, std::string method, std::string json) {
  std::string symbol = method;
  std::ranges::replace(symbol, '/', '.');
  const rpc::Context context(loop->in(timeout));
  const std::unique_ptr<Reflected> reflected = co_await Reflected::fetch(*channel, symbol, context);
  const auto* const described = reflected->pool().FindMethodByName(symbol);
  if (described == nullptr) {
    throw ops::Failure(ops::ExitCode::usage,
                       method + " is not a method: write package.Service/Method");
  }
  std::unique_ptr<google::protobuf::Message> request = reflected->make(*described->input_type());
  fill(*request, json);
  const std::unique_ptr<google::protobuf::Message> response =
      reflected->make(*described->output_type());
  if (!described->server_streaming()) {
    rpc::detail::OutgoingCall call = channel->exchange(method, *request, *response, context);
    const rpc::Status status = co_await call;
    if (!status.is_ok()) throw rpc::Error(status);
    std::cout << protobuf_json(*response) << "\n";
    co_return 0;
  }
  const rpc::Context endless(async::Deadline::never());
  const auto stream = channel->exchange_stream(method, std::move(request), endless);
  while (true) {
    async::Task<bool> next = next_of(stream.get(), response.get());
    const std::optional<bool> more = co_await cli::unless_interrupted(*interrupts, std::move(next));
    if (!more || !*more) co_return 0;
    std::cout << protobuf_json(*response) << std::endl;
  }
}

async::Task<int> print_description(async::Loop* loop, rpc::Channel* channel,
                                   async::Duration timeout, std::string symbol) {
  const rpc::Context context(loop->in(timeout));
  if (symbol.empty()) {
    const std::vector<std::string> services = co_await list_services(*channel, context);
    for (const std::string& service : services) {
      const std::unique_ptr<Reflected> reflected =
          co_await Reflected::fetch(*channel, service, context);
      const auto* const described = reflected->pool().FindServiceByName(service);
      for (int i = 0; described != nullptr && i < described->method_count(); ++i) {
        std::cout << service << "/" << described->method(i)->name() << "\n";
      }
    }
    co_return 0;
  }
  std::ranges::replace(symbol, '/', '.');
  const std::unique_ptr<Reflected> reflected = co_await Reflected::fetch(*channel, symbol, context);
  const google::protobuf::DescriptorPool& pool = reflected->pool();
  if (const auto* const service = pool.FindServiceByName(symbol)) {
    std::cout << service->DebugString();
  } else if (const auto* const method = pool.FindMethodByName(symbol)) {
    std::cout << method->DebugString() << method->input_type()->DebugString()
              << method->output_type()->DebugString();
  } else if (const auto* const message = pool.FindMessageTypeByName(symbol)) {
    std::cout << message->DebugString();
  }
  co_return 0;
}

}  // namespace

void GenericCommands::add(ops::Command& root) {
  ops::Command& call = root.command("call", "Call any method of any server, found by reflection");
  call.example(
      "bankctl call 127.0.0.1:7001 bank.v1.OperatorService/GetAccount '{\"account_id\":\"jane\"}'");
  call.argument("HOST:PORT", server_, "the server");
  call.argument("METHOD", method_, "package.Service/Method, as describe lists them");
  call.argument("JSON", request_, "the request as protobuf's JSON (bytes in base64)");
  call.run([this] { return this->call(); });

  ops::Command& describe = root.command("describe", "Tell what a server can be asked");
  describe.example("bankctl describe 127.0.0.1:7002");
  describe.example("bankctl describe 127.0.0.1:7002 atm.v1.AtmService/Withdraw");
  describe.argument("HOST:PORT", server_, "the server");
  describe.argument("SYMBOL", symbol_, "a service, a method or a message");
  describe.run([this] { return this->describe(); });

  ops::Command& health = root.command("health", "Ask a server whether it serves; 69 if not");
  health.example("bankctl health 127.0.0.1:7002");
  health.argument("HOST:PORT", health_server_, "the server; without it the bank");
  health.run([this] { return this->health(); });
}

int GenericCommands::call() const {
  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client(loop, cli::client_options(server_), random);
  cli::SignalInterrupts interrupts(loop);
  return loop.run(
      make_call(&loop, &client, &interrupts, settings_.timeout, method_, request_.value_or("{}")));
}

int GenericCommands::describe() const {
  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client(loop, cli::client_options(server_), random);
  return loop.run(print_description(&loop, &client, settings_.timeout, symbol_.value_or("")));
}

int GenericCommands::health() const {
  return cli::check_health(health_server_.value_or(settings_.bank), settings_.timeout);
}

}  // namespace bankctl
