// bankctl: the operator's command line.
#include <filesystem>
#include <iostream>

#include "async/random.h"
#include "async/uv_loop.h"
#include "bankctl/commands.h"
#include "bankctl/generic_calls.h"
#include "bankctl/operator_calls.h"
#include "cli/amount.h"
#include "cli/caller.h"
#include "cli/terminal.h"
#include "ops/failure.h"
#include "ops/options.h"
#include "rpc/client.h"

namespace {

constexpr const char* footer =
    "Exit status: 0 done, 1 the bank or the ATM said no, 64 the command line is wrong, 65 "
    "something\n"
    "does not add up, 69 no server answers and this try did nothing, 75 it may have been done: "
    "the\n"
    "sentence says how to learn it, 77 not allowed, 78 the configuration is wrong.";

void add_settings(ops::Command& root, bankctl::Settings& settings) {
  root.example("bankctl account open jane --name 'Jane Doe'");
  root.example("bankctl account fund jane 100.00");
  root.example("bankctl card issue 4000000000000002 jane");
  root.example("bankctl atm audit");
  root.example("bankctl watch --json");
  root.footer(footer);
  root.option("bank", settings.bank, ops::a_server(), "HOST:PORT",
              "Where the bank's operator service listens");
  root.option("atm", settings.atm, ops::a_server(), "HOST:PORT",
              "Where the ATM's staff service listens");
  root.flag("json", settings.json, "Prints answers as JSON, one object a line");
  root.option("currency", settings.currency, "CODE",
              "What amounts are in; without it that of the account, the card or the ATM");
  root.option("timeout", settings.timeout, ops::a_wait(), "TIME", "How long to wait for an answer");
  const auto limits = ops::between<std::uint32_t>(1, 1'000'000);
  root.option("limit", settings.limit, limits, "N", "The most rows of a list");
  root.check([&settings] { return cli::mistake_in_currency(settings.currency); });
  root.flag("yes", settings.yes, "Does without asking what is asked at a terminal").flag_only();
}

const async::Endpoint& server_of(const bankctl::Settings& settings,
                                 const bankctl::OperatorCall& call) {
  return call.method.starts_with("bank.") ? settings.bank : settings.atm;
}

bankctl::Answer ask(const bankctl::Settings& settings, bankctl::OperatorCall call) {
  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client(loop, cli::client_options(server_of(settings, call)), random);
  cli::SignalInterrupts interrupts(loop);
  bankctl::OperatorCalls calls(loop, client, interrupts, settings, std::cout);
  return loop.run(calls.ask(std::move(call)));
}

int send(const bankctl::Settings& settings, bankctl::OperatorCall call) {
  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client(loop, cli::client_options(server_of(settings, call)), random);
  cli::SignalInterrupts interrupts(loop);
  bankctl::OperatorCalls calls(loop, client, interrupts, settings, std::cout);
  if (call.method.ends_with("/WatchTransfers")) return loop.run(calls.watch(std::move(call)));
  return loop.run(calls.call(std::move(call)));
}

}  // namespace

int main(int argc, char** argv) {
  bankctl::Settings settings;
  cli::UserTerminal terminal(STDERR_FILENO);
  async::SystemRandom random;
  ops::CommandLine line({.program = "bankctl",
                         .summary = "What the bank's operator and the ATM's staff do",
                         .prefix = "BANKCTL_",
                         .config_file_default = cli::config_file("bankctl"),
                         .endings = cli::rpc_endings});
  add_settings(line.root(), settings);
  const auto new_id = [&random] { return cli::new_id(cli::wall_now(), random); };
  const auto send_call = [&](bankctl::OperatorCall call) {
    return send(settings, std::move(call));
  };
  const auto ask_server = [&](bankctl::OperatorCall call) {
    return ask(settings, std::move(call));
  };
  bankctl::Commands commands(settings, terminal, new_id, ask_server, send_call, std::cout);
  commands.add(line.root(), bankctl::bank_verbs());
  commands.add(line.root(), bankctl::atm_verbs());
  bankctl::GenericCommands generic(settings);
  generic.add(line.root());
  return cli::run_json_program(line, argc, argv, settings.json);
}
