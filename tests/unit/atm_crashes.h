// The files and devices of an ATM under test: as real ones, and the ATM may crash at each of their acts.
#pragma once

#include <exception>
#include <filesystem>
#include <functional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/manual_loop.h"
#include "async/scope.h"
#include "atm/device_world.h"
#include "atm/journal_file.h"
#include "atm/simulated_acceptor.h"
#include "atm/simulated_dispenser.h"

namespace atm {

// The process of the ATM ends here, as by kill -9.
struct Crash : std::runtime_error {
  Crash() : std::runtime_error("the ATM crashed, as the test wanted") {}
};

// Counts the points where a crash is possible, and crashes at one of them.
struct CrashPlan {
  int at = 0;  // 0: never.
  int passed = 0;
  bool reached() { return ++passed == at; }
};

class CrashingJournal final : public JournalFile {
 public:
  CrashingJournal(const std::filesystem::path& folder, CrashPlan& plan)
      : JournalFile(folder), plan_(plan) {}
  void write(std::span<const Row> rows) override {
    if (plan_.reached()) throw Crash();
    before_write(rows);
    JournalFile::write(rows);
    if (plan_.reached()) throw Crash();
  }

  std::function<void(std::span<const Row>)> before_write = [](std::span<const Row>) {};

 private:
  CrashPlan& plan_;
};

// A dispenser in whose every act the ATM may crash, before it and after it.
class CrashingDispenser final : public Dispenser {
 public:
  CrashingDispenser(async::ManualLoop& loop, DeviceWorld& world, const char* name, CrashPlan& plan)
      : loop_(loop), plan_(plan), never_(loop), device_(loop, world, name) {}

  Task<Told<Dispensed>> dispense(OperationId id, Picks picks) override {
    dispensed.push_back(id);
    co_await crash_point();
    const Told<Dispensed> told = co_await device_.dispense(id, std::move(picks));
    co_await crash_point();
    if (loses_answers) co_return std::unexpected(DeviceSilent{"the dispenser does not answer"});
    co_return told;
  }
  Task<Told<Dispensed>> presented(OperationId id) override {
    if (loses_answers) co_return std::unexpected(DeviceSilent{"the dispenser does not answer"});
    co_return co_await device_.presented(id);
  }
  Task<Told<Cassette>> load(OperationId id, Pick notes) override {
    co_await crash_point();
    const Told<Cassette> told = co_await device_.load(id, notes);
    co_await crash_point();
    co_return told;
  }
  Task<Told<Notes>> unload(OperationId id) override {
    co_await crash_point();
    const Told<Notes> told = co_await device_.unload(id);
    co_await crash_point();
    co_return told;
  }
  Task<Told<Inside>> count() override { return device_.count(); }
  std::optional<std::string> out_of_order() const override { return device_.out_of_order(); }
  Task<> set_fault(Fault fault) override { return device_.set_fault(fault); }

  std::vector<OperationId> dispensed;  // What it was asked for.
  bool loses_answers = false;

 private:
  Task<> crash_point() {
    if (!plan_.reached()) co_return;
    loop_.fail(std::make_exception_ptr(Crash()));
    co_await never_;
  }

  async::ManualLoop& loop_;
  CrashPlan& plan_;
  async::Event never_;
  SimulatedDispenser device_;
};

class CrashingAcceptor final : public Acceptor {
 public:
  CrashingAcceptor(async::ManualLoop& loop, DeviceWorld& world, const char* name, CrashPlan& plan)
      : loop_(loop), plan_(plan), never_(loop), device_(loop, world, name), late_(loop) {}

  Task<Told<Accepted>> accept(OperationId id, Notes notes) override {
    co_await crash_point();
    const Told<Accepted> told = co_await device_.accept(id, std::move(notes));
    co_await crash_point();
    if (is_mute) co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    co_return told;
  }
  Task<Told<Accepted>> keep(OperationId id) override {
    if (is_mute || is_mute_to_keep)
      co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    if (spits_out) co_return co_await device_.give_back(id);
    co_await crash_point();
    const Told<Accepted> told = co_await device_.keep(id);
    co_await crash_point();
    co_return told;
  }
  Task<Told<Accepted>> give_back(OperationId id) override {
    if (is_mute) co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    if (obeys_late) {
      late_.spawn(give_back_late(id));
      co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    }
    co_await loop_.sleep_for(std::exchange(gives_back_after, async::Duration(0)));
    co_await crash_point();
    const Told<Accepted> told = co_await device_.give_back(id);
    co_await crash_point();
    co_return told;
  }
  Task<Told<Accepted>> where(OperationId id) override {
    if (is_mute) co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    co_return co_await device_.where(id);
  }
  Task<Told<Inside>> count() override { return device_.count(); }
  Task<Told<Notes>> unload(OperationId id) override {
    if (is_mute_to_unload) co_return std::unexpected(DeviceSilent{"the acceptor does not answer"});
    co_await crash_point();
    const Told<Notes> told = co_await device_.unload(id);
    co_await crash_point();
    co_return told;
  }
  std::optional<std::string> out_of_order() const override { return device_.out_of_order(); }
  Task<> set_fault(Fault fault) override { return device_.set_fault(fault); }

  bool is_mute_to_unload = false;
  bool is_mute_to_keep = false;
  bool is_mute = false;                 // Takes notes in without a word, and does nothing else.
  async::Duration gives_back_after{0};  // Once: how long the next way out takes.
  bool obeys_late = false;              // Gives back some seconds after it was silent about it.
  bool spits_out = false;               // Gives back what it is told to keep, and says so.

 private:
  Task<> give_back_late(OperationId id) {
    co_await loop_.sleep_for(std::chrono::seconds(3));
    co_await device_.give_back(id);
  }
  Task<> crash_point() {
    if (!plan_.reached()) co_return;
    loop_.fail(std::make_exception_ptr(Crash()));
    co_await never_;
  }

  async::ManualLoop& loop_;
  CrashPlan& plan_;
  async::Event never_;
  SimulatedAcceptor device_;
  async::TaskScope late_;
};

}  // namespace atm
