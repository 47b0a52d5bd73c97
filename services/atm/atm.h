// Atm: all of an atmd but the world around it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/scope.h"
#include "atm/atm_service.h"
#include "atm/bank_link.h"
#include "atm/declines.h"
#include "atm/deposits.h"
#include "atm/machinery.h"
#include "atm/movements.h"
#include "atm/recount.h"
#include "atm/register.h"
#include "atm/relays.h"
#include "atm/resender.h"
#include "atm/service_watch.h"
#include "atm/staff_service.h"
#include "atm/terminal.h"
#include "atm/withdrawals.h"

namespace atm {

// A terminal's devices, which outlive the Atm.
struct Fitting {
  std::string terminal;
  Dispenser& dispenser;
  Acceptor& acceptor;
};

// What an Atm is given. References outlive it.
struct World {
  async::Loop& loop;
  async::Random& random;
  const BootClock& boot_clock;
  const FreeSpace& free_space;
  ops::Calendar calendar;
  ops::Log log;
  rpc::ClientOptions bank;
  std::shared_ptr<JournalFile> journal;
  std::vector<Fitting> terminals;
};

// Wires the terminals, their machines and their services together. Owned by main or a test; loop
// thread only. After recover() the services may be served.
class Atm {
 public:
  // Throws StorageError.
  Atm(World world, Settings settings);

  // Rule 16: every open item takes its next step, or waits for the bank in the queue.
  Task<> recover();
  // Adds the handlers of both services.
  void serve_on(rpc::Server& server);
  // A caller's connection has ended, and with it the session that began on it. Whoever serves the
  // handlers tells so.
  void connection_closed(std::string_view peer);
  // The process is to end: the server answers what is in flight, what has begun to dispense finishes,
  // and everything that was written down is on the disk. Takes less than the drain time of
  // FRAMING.md, 4 s.
  Task<> drain(rpc::Server& server);

  const Terminals& terminals() const { return terminals_; }

 private:
  template <Record T>
  std::vector<T> open_in_journal();
  void require_known_terminals();
  template <Record T>
  void require_known_terminals_of();
  Task<> until_idle();

  Settings settings_;
  const DiskRoom disk_;
  Journal journal_;
  BankLink bank_;
  Machinery machinery_;
  Register register_;
  Terminals terminals_;
  Withdrawals withdrawals_;
  Deposits deposits_;
  Movements movements_;
  Relays relays_;
  Declines declines_;
  UnknownIds unknown_ids_;
  Resender resender_;
  Recount recount_;
  AtmService atm_service_;
  StaffService staff_service_;
  ServiceWatch service_watch_;
  async::TaskScope queue_;
};

}  // namespace atm
