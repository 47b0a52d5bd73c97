#include "cli/caller.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "async/standard_output.h"
#include "cli/message_json.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"
#include "ops/value.h"
#include "rpc/v1/health.pb.h"

namespace cli {
namespace {

constinit const rpc::Method<rpc::v1::CheckRequest, rpc::v1::CheckResponse> check_method{
    "rpc.v1.HealthService/Check"};

}  // namespace

rpc::ClientOptions client_options(async::Endpoint server) {
  rpc::ClientOptions options;
  options.endpoints.push_back(std::move(server));
  options.fail_fast = true;
  return options;
}

ledger::OperationId new_id(async::WallTime now, async::Random& random) {
  std::array<std::uint8_t, 10> chance{};
  random.fill(std::as_writable_bytes(std::span(chance)));
  return ledger::OperationId::make(now, chance);
}

async::Task<int> SignalInterrupts::next() {
  std::vector<int> signals = {SIGINT, SIGTERM};
  for (const int signal : {SIGHUP, SIGQUIT}) {
    struct sigaction now{};
    ::sigaction(signal, nullptr, &now);
    if (now.sa_handler != SIG_IGN) signals.push_back(signal);
  }
  co_return co_await loop_.next_signal(signals);
}

async::Task<int> SignalInterrupts::next_or_unread() {
  async::Task<int> signal = next();
  async::Task<> unread = async::output_abandoned(loop_);
  const auto first = co_await async::first_of(std::move(signal), std::move(unread));
  co_return first.index() == 0 ? std::get<0>(first) : SIGPIPE;
}

ops::Failure no_answer(const std::string& server, const rpc::Status& status) {
  return no_answer(server, status, status.text());
}

ops::Failure no_answer(const std::string& server, const rpc::Status& status,
                       const std::string& why) {
  if (status.bad_answer) {
    return {ops::ExitCode::protocol, server + " did not answer as one does: " + status.message};
  }
  const auto code = static_cast<ops::ExitCode>(rpc::exit_code(status));
  const bool is_silence = code == ops::ExitCode::unavailable || rpc::outcome_unknown(status);
  if (is_silence) {
    std::string sentence = server + " does not answer: " + why;
    const std::string option = server == "the ATM" ? "--atm" : server == "the bank" ? "--bank" : "";
    if (status.never_sent && !option.empty()) {
      sentence += ". If it is elsewhere, say " + option + " HOST:PORT";
    }
    return {ops::ExitCode::unavailable, sentence};
  }
  return {code, server + " refused the call: " + why};
}

std::optional<ops::Ending> rpc_endings(const std::exception& error) {
  const auto* const failed = dynamic_cast<const rpc::Error*>(&error);
  if (failed == nullptr) return std::nullopt;
  const ops::Failure failure = no_answer("The server", failed->status());
  return ops::ending_of(failure);
}

int run_json_program(ops::CommandLine& line, int argc, const char* const* argv, const bool& json) {
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  const auto wants_json = [&] {
    const auto end = std::ranges::find(arguments, "--");
    return json || std::find(arguments.begin(), end, "--json") != end;
  };
  const auto run = [&] {
    try {
      return line.run(arguments, ops::process_environment(), std::cout);
    } catch (const std::exception& error) {
      if (wants_json() && !ops::has_text(std::cout)) {
        const ops::Ending ending = ops::ending_of(error, rpc_endings);
        std::cout << "{\"outcome\":\"error\",\"message\":" << json_string(ending.sentence) << "}\n";
      }
      throw;
    }
  };
  return ops::run_main(line.program(), run, rpc_endings);
}

std::string config_file(std::string_view program) {
  const char* const config = std::getenv("XDG_CONFIG_HOME");
  const char* const home = std::getenv("HOME");
  std::filesystem::path directory;
  if (config != nullptr && config[0] == '/') {
    directory = config;
  } else if (home != nullptr && home[0] == '/') {
    directory = std::filesystem::path(home) / ".config";
  } else {
    return "";
  }
  return (directory / "teller" / (std::string(program) + ".toml")).string();
}

async::WallTime wall_now() {
  return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

int check_health(const async::Endpoint& server, async::Duration wait_max,
                 const HealthQuestion& question) {
  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client(loop, client_options(server), random);
  const auto ask = [&](const std::string& name) -> std::optional<rpc::v1::CheckResponse> {
    rpc::v1::CheckRequest request;
    request.set_service(name);
    rpc::Context context(loop.in(wait_max));
    const rpc::Reply<rpc::v1::CheckResponse> reply =
        loop.run(client.try_call(check_method, std::move(request), std::move(context)));
    // Another kind of server, which has no such service.
    if (!reply && !name.empty() && reply.error().code == rpc::StatusCode::not_found) return {};
    if (!reply) throw no_answer(server.text(), reply.error());
    return *reply;
  };
  if (ask("")->status() != rpc::v1::SERVING_STATUS_SERVING) {
    throw ops::Failure(ops::ExitCode::unavailable, server.text() + " is not serving.");
  }
  const std::string& service = question.service;
  const std::optional<rpc::v1::CheckResponse> answer = ask(service);
  if (!answer && !question.must_be.empty()) {
    throw ops::Failure(ops::ExitCode::protocol, server.text() + " is not " + question.must_be +
                                                    ": it has no " + service + ".");
  }
  const bool is_out = answer && answer->status() != rpc::v1::SERVING_STATUS_SERVING;
  if (question.json) {
    std::cout << "{\"server\":" << json_string(server.text()) << ",\"serving\":true";
    if (is_out) {
      std::cout << ",\"not_serving\":" << json_string(service)
                << ",\"reason\":" << json_string(answer->reason());
    }
    std::cout << "}\n";
    return 0;
  }
  std::cout << server.text() << " is serving\n";
  if (is_out) {
    std::cout << service << " is not: " << ops::ForeignText(answer->reason()).shown() << "\n";
  }
  return 0;
}

}  // namespace cli
