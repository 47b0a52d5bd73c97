// atmd: the ATM daemon.
#include <chrono>
#include <iostream>
#include <optional>

#include "atm/offline_audit.h"
#include "atm/serve.h"
#include "cli/caller.h"
#include "ledger/operation.h"
#include "ledger/storage_error.h"
#include "ops/options.h"

namespace {

// The storage says itself how a program ends that cannot go on with it.
std::optional<ops::Ending> ending_of_storage(const std::exception& error) {
  const auto* const storage = dynamic_cast<const ledger::StorageError*>(&error);
  if (storage == nullptr) return std::nullopt;
  return ops::Ending{.code = static_cast<ops::ExitCode>(storage->exit_status()),
                     .sentence = storage->what()};
}

}  // namespace

int main(int argc, char** argv) {
  ops::CommandLine line({.program = "atmd",
                         .summary = "The ATM: terminals, their cash, and their customers",
                         .prefix = "ATMD_",
                         .config_file_default = "/etc/teller/atmd.toml",
                         .endings = ending_of_storage});
  atm::ServeOptions serve;
  ops::Command& serving = line.root().command("serve", "Serve customers and staff until SIGTERM");
  serving.example("atmd serve --bank 127.0.0.1:7001 --data atm --terminal atm-1");
  serving
      .option("bank", serve.bank, ops::a_server(), "HOST:PORT",
              "The bank; more than one are tried in turn")
      .required();
  serving.option("listen", serve.listen, "HOST:PORT", "Where to listen; may be given again");
  serving.option("data", serve.data, "DIR", "The journal, and the simulated devices' worlds")
      .required();
  serving.option("terminal", serve.terminals, "ID[,ID..]",
                 "The terminals, as the bank knows them; at most 100");
  serving.option("currency", serve.currency, "CODE", "What the notes are of");
  serving.option("denominations", serve.denominations, "AMOUNT[,AMOUNT..]",
                 "The notes that are loaded and accepted, as 5,10,20; without it the currency's");
  const auto hold_times =
      ops::between<async::Duration>(std::chrono::seconds(1), ledger::hold_time_to_live_max);
  serving.option("hold-time", serve.hold_time, hold_times, "DURATION",
                 "How long the bank reserves money; paying begins within half of it");
  const auto idle_times =
      ops::between<async::Duration>(std::chrono::seconds(1), std::chrono::hours(24));
  serving.option("session-idle-time", serve.session_idle_time, idle_times, "DURATION",
                 "After how long without a call a customer's session ends");
  ops::add_daemon_options(serving, serve.daemon);
  serving.footer(ops::reload_footer);
  serving.check([&] { return atm::mistake_in(serve); });
  serving.run([&] { return atm::serve(line, serve); });

  std::filesystem::path data;
  ops::Command& auditing =
      line.root().command("audit", "Compare the journal with the devices, while atmd does not run");
  auditing.example("atmd audit --data atm");
  auditing.option("data", data, "DIR", "The folder of atmd serve").required();
  auditing.run([&] { return atm::audit_offline(data, std::cout); });

  async::Endpoint address = async::Endpoint::parse("127.0.0.1:7002");
  ops::Command& checking =
      line.root().command("health", "Ask a running atmd whether it serves; 76 if it is no atmd");
  checking.example("atmd health --atm 127.0.0.1:7002");
  checking.option("atm", address, ops::a_server(), "HOST:PORT", "The ATM that is asked");
  const cli::HealthQuestion question{
      .service = "atm.v1.AtmService", .must_be = "the ATM", .json = false};
  checking.run([&] { return cli::check_health(address, std::chrono::seconds(2), question); });
  return line.run(argc, argv);
}
