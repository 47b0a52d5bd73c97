#include "atm/atm.h"

#include <chrono>
#include <utility>

#include "ops/failure.h"

namespace atm {

namespace {

// Both from the signal on, and less than the drain time that FRAMING.md promises: for the calls in
// flight, and for what has begun to dispense for a customer who has gone.
constexpr async::Duration drain_time = std::chrono::milliseconds(3500);
constexpr async::Duration finish_time = std::chrono::milliseconds(3800);

std::vector<std::string> names_of(const std::vector<Fitting>& fittings) {
  std::vector<std::string> names;
  for (const Fitting& fitting : fittings) names.push_back(fitting.terminal);
  return names;
}

}  // namespace

Atm::Atm(World world, Settings settings)
    : settings_(std::move(settings)),
      disk_(world.free_space, settings_.free_space_reserve_bytes),
      journal_(world.loop, world.journal, disk_),
      bank_(world.loop, settings_, std::move(world.bank), world.random, journal_,
            names_of(world.terminals), world.log),
      machinery_{.loop = world.loop,
                 .random = world.random,
                 .boot_clock = world.boot_clock,
                 .disk = disk_,
                 .calendar = world.calendar,
                 .log = world.log,
                 .settings = settings_,
                 .journal = journal_,
                 .bank = bank_,
                 .queue = queue_},
      register_(world.loop, *world.journal),
      withdrawals_(machinery_, register_.withdrawals),
      deposits_(machinery_, register_.deposits),
      movements_(machinery_, register_.movements),
      relays_(machinery_, register_.relays),
      declines_(journal_, disk_),
      unknown_ids_(machinery_, terminals_, register_, declines_),
      resender_(machinery_, terminals_, register_, withdrawals_),
      recount_(machinery_, register_),
      atm_service_(machinery_, terminals_, register_, withdrawals_, deposits_, relays_,
                   unknown_ids_, declines_),
      staff_service_(machinery_, terminals_, register_, movements_, declines_),
      service_watch_(machinery_, terminals_),
      queue_(world.loop) {
  for (const Fitting& fitting : world.terminals) {
    terminals_[fitting.terminal] = std::make_unique<Terminal>(machinery_, fitting.terminal,
                                                              fitting.dispenser, fitting.acceptor);
  }
  require_known_terminals();
}

template <Record T>
std::vector<T> Atm::open_in_journal() {
  return journal_.file().read<T>(std::string(T::open));
}

template <Record T>
void Atm::require_known_terminals_of() {
  for (const T& record : open_in_journal<T>()) {
    if (terminals_.contains(record.terminal)) continue;
    throw ops::Failure(ops::ExitCode::config, "the journal holds an open " + std::string(T::kind) +
                                                  " of terminal " + record.terminal +
                                                  ": name that terminal too");
  }
}

void Atm::require_known_terminals() {
  require_known_terminals_of<Withdrawal>();
  require_known_terminals_of<Deposit>();
  require_known_terminals_of<Movement>();
}

Task<> Atm::recover() {
  std::vector<Movement> movements = open_in_journal<Movement>();
  for (Movement& movement : movements) {
    Terminal& terminal = *terminals_.at(movement.terminal);
    co_await movements_.recover(terminal, std::move(movement));
  }
  std::vector<Withdrawal> withdrawals = open_in_journal<Withdrawal>();
  for (Withdrawal& withdrawal : withdrawals) {
    Terminal& terminal = *terminals_.at(withdrawal.terminal);
    co_await withdrawals_.recover(terminal, std::move(withdrawal));
  }
  std::vector<Deposit> deposits = open_in_journal<Deposit>();
  for (Deposit& deposit : deposits) {
    Terminal& terminal = *terminals_.at(deposit.terminal);
    deposits_.recover(terminal, std::move(deposit));
  }
  for (const auto& [id, terminal] : terminals_) co_await recount_.begin(*terminal);
  // A silent acceptor is asked until it answers; nobody waits for it.
  for (const auto& [id, terminal] : terminals_) queue_.spawn(deposits_.recover_escrow(*terminal));
  queue_.spawn(resender_.run());
  queue_.spawn(service_watch_.run());
  bank_.start();
}

void Atm::serve_on(rpc::Server& server) {
  atm_service_.serve_on(server);
  staff_service_.serve_on(server);
  service_watch_.tell(server.health());
}

void Atm::connection_closed(std::string_view peer) {
  for (const auto& [id, terminal] : terminals_) terminal->end_session_of(peer);
}

Task<> Atm::until_idle() {
  for (const auto& [id, terminal] : terminals_) co_await terminal->work().join();
}

Task<> Atm::drain(rpc::Server& server) {
  const async::Deadline end = machinery_.loop.in(finish_time);
  co_await server.drain(machinery_.loop.in(drain_time));
  Task<> idle = until_idle();
  co_await async::with_deadline(machinery_.loop, end, std::move(idle));
  co_await journal_.flush();
}

}  // namespace atm
