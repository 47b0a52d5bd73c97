// bankd: the bank's daemon.
#include <chrono>
#include <exception>
#include <filesystem>
#include <optional>

#include "bank/daemon.h"
#include "cli/caller.h"
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
  ops::CommandLine line({.program = "bankd",
                         .summary = "The bank: accounts, cards, holds, and every cent of them.",
                         .prefix = "BANKD_",
                         .config_file_default = "/etc/teller/bankd.toml",
                         .endings = ending_of_storage});

  bank::ServeOptions serve;
  ops::Command& serving =
      line.root().command("serve", "Serves ATMs and the operator until SIGTERM");
  serving.example("bankd serve --data bank.db --listen 127.0.0.1:7001");
  serving.option("data", serve.data, "FILE", "The bank's database; made if it is not there")
      .required();
  serving.option("listen", serve.listen, "HOST:PORT",
                 "Where to listen, port 0 for any free one; may be given again");
  serving.option("currency", serve.currency, "CODE",
                 "What an empty bank's first account and terminal are in, unless it is named");
  ops::add_daemon_options(serving, serve.daemon);
  serving.footer(ops::reload_footer);
  serving.check([&] { return bank::mistake_in(serve); });
  serving.run([&] { return bank::serve(line, serve); });

  std::filesystem::path data;
  ops::Command& verifying =
      line.root().command("verify", "Checks a bank's database, or a backup of it, row by row");
  verifying.example("bankd verify --data bank.db");
  verifying.option("data", data, "FILE", "The database; no bank may be serving it").required();
  verifying.run([&] { return bank::verify(data); });

  async::Endpoint server = bank::bank_endpoint_default;
  ops::Command& health =
      line.root().command("health", "Asks a running bank whether it serves; 76 if it is no bank");
  health.example("bankd health --bank 127.0.0.1:7001");
  health.option("bank", server, ops::a_server(), "HOST:PORT", "The bank that is asked");
  const cli::HealthQuestion question{
      .service = "bank.v1.BankService", .must_be = "the bank", .json = false};
  health.run([&] { return cli::check_health(server, std::chrono::seconds(2), question); });

  return line.run(argc, argv);
}
