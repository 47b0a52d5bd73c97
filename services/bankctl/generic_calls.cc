#include "bankctl/generic_calls.h"

#include <iostream>
#include <sstream>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "async/random.h"
#include "async/uv_loop.h"
#include "cli/caller.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"
#include "rpc/reflection_client.h"

namespace bankctl {
namespace {

// What a server says about itself, whose lines are meant.
void print_lines(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::cout << ops::ForeignText(line).shown() << "\n";
  }
}

async::Task<bool> finished(async::Task<> task) {
  co_await task;
  co_return true;
}

async::Task<int> make_call(async::Loop* loop, rpc::Channel* channel, cli::Interrupts* interrupts,
                           async::Duration timeout, std::string method, std::string json) {
  rpc::ReflectionClient client(*channel);
  const rpc::Context context(loop->in(timeout));
  const google::protobuf::MethodDescriptor* const found = co_await client.find(method, context);
  // A stream is read until somebody has seen enough.
  const rpc::Context endless(async::Deadline::never());
  const rpc::Context& waits = found->server_streaming() ? endless : context;
  const auto print = [](const std::string& response) {
    std::cout << ops::ForeignText(response).as_json() << "\n";
    ops::require_written(std::cout, ops::ExitCode::io_error, "The server has answered");
  };
  async::Task<bool> call = finished(client.call(method, json, waits, print));
  try {
    if (found->server_streaming()) {
      co_await cli::while_read(*interrupts, std::move(call));
      co_return 0;
    }
    const std::optional<bool> done = co_await cli::unless_interrupted(*interrupts, std::move(call));
    if (!done) throw rpc::Error(rpc::StatusCode::cancelled, "you did not wait for it");
  } catch (const rpc::Error& error) {
    const bool is_mistyped =
        error.status().never_sent && error.status().code == rpc::StatusCode::invalid_argument;
    if (is_mistyped) throw ops::Failure(ops::ExitCode::usage, error.status().message);
    const bool may_be_done = !found->server_streaming() && rpc::outcome_unknown(error.status());
    if (!may_be_done || error.status().bad_answer) throw;
    // It may have been a change.
    throw ops::Failure(ops::ExitCode::unknown_outcome,
                       "No answer came (" + error.status().text() +
                           "). What was asked for may have been done. With the same id in the "
                           "request, asking again does nothing twice.");
  }
  co_return 0;
}

async::Task<int> list_methods(async::Loop* loop, rpc::Channel* channel, async::Duration timeout) {
  rpc::ReflectionClient client(*channel);
  const rpc::Context context(loop->in(timeout));
  const std::vector<std::string> services = co_await client.services(context);
  for (const std::string& service : services) {
    const std::vector<std::string> methods = co_await client.methods(service, context);
    for (const std::string& name : methods) std::cout << ops::ForeignText(name).shown() << "\n";
  }
  co_return 0;
}

async::Task<int> print_method(async::Loop* loop, rpc::Channel* channel, async::Duration timeout,
                              std::string method) {
  rpc::ReflectionClient client(*channel);
  const rpc::Context context(loop->in(timeout));
  const google::protobuf::MethodDescriptor* const found = co_await client.find(method, context);
  print_lines(found->DebugString() + "\n" + found->input_type()->DebugString() + "\n" +
              found->output_type()->DebugString() + "\nA request to fill in:\n\n" +
              rpc::ReflectionClient::template_of(*found));
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
  describe.argument("METHOD", described_method_,
                    "package.Service/Method; without it all are listed");
  describe.run([this] { return this->describe(); });

  ops::Command& health = root.command(
      "health", "Ask a server whether it runs; 69 if not. An ATM out of service runs, and says so");
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
  if (!described_method_) return loop.run(list_methods(&loop, &client, settings_.timeout));
  return loop.run(print_method(&loop, &client, settings_.timeout, *described_method_));
}

int GenericCommands::health() const {
  const async::Endpoint& server = health_server_ ? *health_server_ : settings_.bank;
  const cli::HealthQuestion question{
      .service = "atm.v1.AtmService", .must_be = "", .json = settings_.json};
  return cli::check_health(server, settings_.timeout, question);
}

}  // namespace bankctl
