#include "atm/atm.h"

#include <chrono>
#include <utility>

#include "ops/failure.h"

namespace atm {

namespace {

// What is_open() says of each record, as the journal's partial indexes spell it.
const std::string open_withdrawals =
    "exception = '' AND state NOT IN ('SETTLED', 'DECLINED', 'VOIDED')";
const std::string open_deposits = "exception = '' AND state NOT IN ('KEPT', 'RETURNED')";
const std::string open_movements = "exception = '' AND state IN ('REQUESTED', 'MOVED')";

std::vector<std::string> names_of(const std::vector<Fitting>& fittings) {
  std::vector<std::string> names;
  for (const Fitting& fitting : fittings) names.push_back(fitting.terminal);
  return names;
}

}  // namespace

Atm::Atm(World world, Settings settings)
    : settings_(std::move(settings)),
      journal_(world.loop, world.journal),
      bank_(world.loop, settings_, std::move(world.bank), world.random, journal_,
            names_of(world.terminals)),
      machinery_{.loop = world.loop,
                 .random = world.random,
                 .boot_clock = world.boot_clock,
                 .free_space = world.free_space,
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
      resender_(machinery_),
      atm_service_(machinery_, terminals_, register_, withdrawals_, deposits_, relays_),
      staff_service_(machinery_, terminals_, register_, movements_, resender_),
      queue_(world.loop) {
  for (const Fitting& fitting : world.terminals) {
    terminals_[fitting.terminal] = std::make_unique<Terminal>(machinery_, fitting.terminal,
                                                              fitting.dispenser, fitting.acceptor);
  }
  require_known_terminals();
}

template <Record T>
void Atm::require_known_terminals(const std::string& open) {
  for (const T& record : journal_.file().read<T>(open)) {
    if (terminals_.contains(record.terminal)) continue;
    throw ops::Failure(ops::ExitCode::config, "the journal holds an open " + std::string(T::kind) +
                                                  " of terminal " + record.terminal +
                                                  ": name that terminal too");
  }
}

void Atm::require_known_terminals() {
  require_known_terminals<Withdrawal>(open_withdrawals);
  require_known_terminals<Deposit>(open_deposits);
  require_known_terminals<Movement>(open_movements);
}

Task<> Atm::recover() {
  JournalFile& file = journal_.file();
  std::vector<Movement> movements = file.read<Movement>(open_movements);
  for (Movement& movement : movements) {
    Terminal& terminal = *terminals_.at(movement.terminal);
    co_await movements_.recover(terminal, std::move(movement));
  }
  std::vector<Withdrawal> withdrawals = file.read<Withdrawal>(open_withdrawals);
  for (Withdrawal& withdrawal : withdrawals) {
    Terminal& terminal = *terminals_.at(withdrawal.terminal);
    co_await withdrawals_.recover(terminal, std::move(withdrawal));
  }
  std::vector<Deposit> deposits = file.read<Deposit>(open_deposits);
  for (Deposit& deposit : deposits) {
    Terminal& terminal = *terminals_.at(deposit.terminal);
    co_await deposits_.recover(terminal, std::move(deposit));
  }
  // A silent acceptor is asked until it answers; nobody waits for it.
  for (const auto& [id, terminal] : terminals_) queue_.spawn(deposits_.recover_escrow(*terminal));
  queue_.spawn(resender_.run());
  bank_.start();
}

void Atm::serve_on(rpc::Server& server) {
  atm_service_.serve_on(server);
  staff_service_.serve_on(server);
}

Task<> Atm::until_idle() {
  for (const auto& [id, terminal] : terminals_) co_await terminal->work().join();
}

Task<> Atm::drain(async::Deadline deadline) {
  Task<> idle = until_idle();
  co_await async::with_deadline(machinery_.loop, deadline, std::move(idle));
  co_await journal_.flush();
}

}  // namespace atm
