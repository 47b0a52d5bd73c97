#include "bank/daemon.h"

#include <chrono>
#include <sys/stat.h>
#include <utility>

#include <fmt/format.h>

#include "async/random.h"
#include "async/scope.h"
#include "async/uv_loop.h"
#include "bank/bank_service.h"
#include "bank/clock_watch.h"
#include "bank/operator_service.h"
#include "ledger/executor.h"
#include "ledger/memory.h"
#include "ledger/sqlite_journal.h"
#include "ledger/store.h"
#include "ledger/verify.h"
#include "ops/calendar.h"
#include "ops/daemon.h"
#include "ops/failure.h"
#include "ops/files.h"
#include "rpc/log_observer.h"
#include "rpc/server.h"

namespace bank {
namespace {

// Calls in flight at SIGTERM get so long.
constexpr async::Duration drain_time_max = std::chrono::seconds(4);

std::vector<async::Endpoint> listen_on(const std::vector<async::Endpoint>& endpoints,
                                       async::UvLoop& loop, rpc::Server& server) {
  std::vector<async::Endpoint> listening;
  for (const async::Endpoint& endpoint : endpoints) {
    for (async::Listener& listener : loop.listen_on_all(endpoint)) {
      listening.push_back(listener.local());
      server.serve(std::move(listener));
    }
  }
  return listening;
}

// Until the signal, and until nothing is written any more.
void serve_from(ledger::SqliteJournal& journal, const ServeOptions& options,
                ledger::Currency currency, async::UvLoop& loop, const ops::Log& log,
                const std::function<void()>& reload) {
  async::SystemRandom random;
  ledger::ThreadExecutor executor;
  ledger::SystemClock clock;
  ledger::Store store(loop, journal, executor, clock);
  log.info("loaded", {{"data", options.data.string()}, {"ledger_seq", store.last_seq()}});
  ClockWatch clock_watch(loop, store, clock, log);
  async::TaskScope watching(loop);
  watching.spawn(clock_watch.run());

  Changes changes(store, log);
  Tokens tokens(loop, random);
  PinHasher hasher(loop, PinCost());
  PinDesk pins(loop, store, changes, hasher, random);
  BankService bank(store, changes, pins, tokens);
  OperatorService operators(loop, store, changes, hasher, tokens, currency);

  rpc::LogObserver observer(log);
  rpc::ServerLimits limits;
  limits.connections_max = ops::connections_max(limits.connections_max);
  rpc::Server server(loop, limits, observer);
  bank.add_to(server);
  operators.add_to(server);

  const std::vector<async::Endpoint> listening = listen_on(options.listen, loop, server);
  for (const async::Endpoint& endpoint : listening) {
    log.info("listening", {{"address", endpoint.text()}});
  }

  const auto ready = [&] { return ops::write_ready_file(options.daemon.ready_file, listening); };
  const auto drain = [&] { return server.drain(loop.in(drain_time_max)); };
  ops::serve_until_signalled(loop, log, {.drain = drain, .reload = reload, .ready = ready});
}

}  // namespace

std::optional<ops::Mistake> mistake_in(const ServeOptions& options) {
  const auto currency = ledger::parse_listed(options.currency);
  if (currency) return std::nullopt;
  return ops::Mistake{"currency", currency.error()};
}

int serve(ops::CommandLine& line, const ServeOptions& options) {
  const ledger::Currency currency = ledger::Currency::parse(options.currency).value();
  ledger::arrange_heap();
  ::umask(077);  // The database has the hashes of PINs: it is its owner's.
  ops::Calendar::of_zone(options.daemon.time_zone.name);  // SystemClock's from now on.
  const ops::Log log = ops::start_logging(line, options.daemon);

  async::UvLoop loop;
  ledger::SqliteJournal journal(options.data.string(), ledger::wal_size_ahead_default);
  serve_from(journal, options, currency, loop, log, ops::reload_log_level(line, log));
  journal.require_in_place();
  return 0;
}

int verify(const std::filesystem::path& data) {
  const ledger::Verified sound = ledger::verify(data.string());
  fmt::print(
      "{} is sound.\n"
      "  journal    {} records, each decided by the rules, in one chain of hashes\n"
      "  head       {}\n"
      "  accounts   {}, every balance and hold recomputed; each currency adds up to 0\n"
      "  transfers  {}\n"
      "  tables     written through record {} of the journal, and equal to it{}\n",
      data.string(), sound.head.ledger_seq, ledger::to_text(sound.head.hash), sound.accounts,
      sound.transfers, sound.projected_through,
      sound.projected_through < sound.head.ledger_seq ? "; the next start writes the rest" : "");
  return 0;
}

}  // namespace bank
