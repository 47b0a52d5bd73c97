// Machines: bankd and atmd wired as their mains do it, on a simulated loop and disk, killed and started again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/scope.h"
#include "atm/atm.h"
#include "bank/bank_service.h"
#include "bank/operator_service.h"
#include "devices.h"
#include "disk.h"
#include "ledger/sqlite_journal.h"
#include "ops/log.h"
#include "rpc/server.h"
#include "world.h"

namespace sim {

inline const async::Endpoint bank_address = async::Endpoint::parse("bank:7001");
inline const async::Endpoint atm_address = async::Endpoint::parse("atm:7002");

// What a simulation is made of. A test of the oracle puts a faulty part in the place of one.
struct Parts {
  std::function<std::unique_ptr<ledger::Journal>(const std::string& path)> bank_journal =
      [](const std::string& path) { return std::make_unique<ledger::SqliteJournal>(path); };
  std::function<std::unique_ptr<ledger::StoreClock>(NodeLoop&)> bank_clock;
  std::function<std::shared_ptr<atm::JournalFile>(const std::string& folder)> atm_journal =
      [](const std::string& folder) { return std::make_shared<atm::JournalFile>(folder); };
  std::function<std::unique_ptr<atm::Dispenser>(NodeLoop&, DispenserWorld&)> dispenser =
      [](NodeLoop& loop, DispenserWorld& world) {
        return std::make_unique<SimDispenser>(loop, world);
      };
  std::function<std::unique_ptr<atm::Acceptor>(NodeLoop&, AcceptorWorld&)> acceptor =
      [](NodeLoop& loop, AcceptorWorld& world) {
        return std::make_unique<SimAcceptor>(loop, world);
      };
  std::function<std::unique_ptr<atm::BootClock>(NodeLoop&)> boot_clock;
  // What a faulty client sends to the bank in the place of what it was given, and what it takes an answer for.
  World::Meddle bank_client;
  World::Meddle bank_client_reads;
};

// How long a disk takes.
struct DiskSpeed {
  Duration sync_max = 500us;
  std::uint64_t stall_permille = 0;
  Duration stall_max = 2s;
};

// The storage's thread, as steps of the world.
class SimExecutor final : public ledger::Executor {
 public:
  SimExecutor(NodeLoop& loop, const DiskSpeed& speed) : loop_(loop), speed_(speed) {}
  void start(std::function<bool()> step) override { step_ = std::move(step); }
  void stop() override { step_ = nullptr; }
  void wake() override;

 private:
  Duration delay() const;
  void run();

  NodeLoop& loop_;
  const DiskSpeed& speed_;
  std::function<bool()> step_;
  Instant busy_until_ = Instant::min();
  bool is_awake_ = false;
};

// A machine's clock, which may be set.
class NodeClock : public ledger::StoreClock {
 public:
  explicit NodeClock(NodeLoop& loop) : loop_(loop) {}
  ledger::Instant now() const override {
    return ledger::Instant(loop_.wall_now().time_since_epoch());
  }
  Instant steady_now() const override { return loop_.now(); }
  ledger::BusinessDay day_of(ledger::Instant at) const override {
    const auto days = std::chrono::floor<std::chrono::days>(at).time_since_epoch().count();
    return ledger::BusinessDay{static_cast<std::int32_t>(days)};
  }

 private:
  NodeLoop& loop_;
};

class NodeBootClock : public atm::BootClock {
 public:
  explicit NodeBootClock(NodeLoop& loop) : loop_(loop) {}
  std::chrono::nanoseconds now() const override { return loop_.now().time_since_epoch(); }

 private:
  NodeLoop& loop_;
};

class PlentyOfSpace final : public atm::FreeSpace {
 public:
  std::uint64_t bytes() const override { return UINT64_MAX; }
};

// Tells the story of each call that a daemon answered.
class StoryTeller final : public rpc::ServerObserver {
 public:
  StoryTeller(World& world, Host host) : world_(world), host_(host) {}
  void call_ended(const rpc::CallRecord& record) override;
  void handler_failed(const rpc::CallRecord& record) override;
  std::string failure;  // What a handler threw that it must not throw.

 private:
  World& world_;
  Host host_;
};

// One machine and the daemon on it.
//
// Always true: between two things that happen, the daemon runs whole or is gone whole.
class Machine {
 public:
  Machine(World& world, Host host, std::string folder);
  virtual ~Machine() = default;
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // False: it could not start, because its disk failed meanwhile.
  bool start();
  bool is_running() const { return loop_ != nullptr; }
  // The process ends here. Without power unsynced writes suffer `loss`, and nobody is told.
  void kill(Loss loss);
  // To be asked between events: the process has ended by itself or its disk has lost power; then it is gone, and this is why.
  std::optional<std::string> look_after();

  Disk disk;
  DiskSpeed speed;
  std::chrono::microseconds wall_skew{0};
  // What must never happen did.
  std::optional<std::string> violation;

  void set_wall_skew(std::chrono::microseconds skew);
  const std::string& folder() const { return mount_.folder(); }
  Host host() const { return host_; }

 protected:
  virtual void begin(NodeLoop& loop) = 0;
  virtual void end() = 0;
  World& world_;
  StoryTeller observer_;

 private:
  void end_with_loop(bool without_power);
  void judge(const std::exception_ptr& failure);

  Host host_;
  Mount mount_;
  std::unique_ptr<NodeLoop> loop_;
  std::string why_;
};

class BankMachine final : public Machine {
 public:
  BankMachine(World& world, std::string folder, const Parts& parts);
  ~BankMachine() override;
  std::string data() const { return folder() + "/bank.db"; }

  // A backup, taken while it runs or not; and that backup in the place of its files. It must not run then.
  void back_up() { backup_ = disk.survivors(Loss::all, world_.random()); }
  void restore_backup() { disk.restore(backup_); }
  // The last record of its journal, while it runs.
  std::uint64_t last_seq() const;

 private:
  struct Process;
  void begin(NodeLoop& loop) override;
  void end() override;
  std::map<std::string, std::string> backup_;
  const Parts& parts_;
  std::unique_ptr<Process> process_;
};

class AtmMachine final : public Machine {
 public:
  AtmMachine(World& world, std::string folder, const Parts& parts, atm::Settings settings,
             std::map<std::string, std::unique_ptr<Hardware>>& terminals);
  ~AtmMachine() override;
  std::string data() const { return folder() + "/atm"; }

 private:
  struct Process;
  void begin(NodeLoop& loop) override;
  void end() override;
  const Parts& parts_;
  atm::Settings settings_;
  std::map<std::string, std::unique_ptr<Hardware>>& terminals_;
  std::unique_ptr<Process> process_;
};

}  // namespace sim
