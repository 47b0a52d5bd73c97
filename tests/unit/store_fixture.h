// A store on a loop whose time the test drives, its storage stepped by hand.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/scope.h"
#include "ledger/memory_journal.h"
#include "ledger/store.h"
#include "ledger_fixture.h"

namespace ledger {

// A journal whose appends and syncs can be made to fail, and that can run out of room.
class FaultyJournal final : public Journal {
 public:
  explicit FaultyJournal(Journal& journal) : journal_(journal) {}

  void load(Ledger& ledger) override { journal_.load(ledger); }
  void append(const Batch& batch) override {
    ++appends;
    if (fails) throw StorageError(StorageError::Kind::io, "cannot write the journal");
    journal_.append(batch);
  }
  void append_unsynced(const Batch& batch) override {
    append(batch);
    unsynced.push_back(batch.records.size());
  }
  void sync() override {
    ++syncs;
    if (syncs_fail) throw StorageError(StorageError::Kind::io, "cannot sync the journal");
    unsynced.clear();
  }
  ChainHead head() const override { return journal_.head(); }
  InstanceId instance_id() const override { return journal_.instance_id(); }
  void project(std::size_t records_max) override {
    if (projecting) projecting();
    journal_.project(records_max);
  }
  std::uint64_t projected_through() const override { return journal_.projected_through(); }
  bool tidy(bool is_quiet) override {
    tidied += is_quiet ? 1 : 0;
    return journal_.tidy(is_quiet);
  }
  bool has_room() override { return !is_full; }
  ReaderOpener reader_opener() override { return journal_.reader_opener(); }
  std::optional<Record> find(const OperationId& id) override { return journal_.find(id); }
  Record record_at(std::uint64_t ledger_seq, std::size_t position) override {
    return journal_.record_at(ledger_seq, position);
  }
  std::optional<HoldEntry> find_hold(const OperationId& id) override {
    return journal_.find_hold(id);
  }
  std::optional<Transfer> find_transfer(std::uint64_t seq) override {
    return journal_.find_transfer(seq);
  }

  std::function<void()> projecting;  // Called whenever the tables are brought forward.
  bool fails = false;
  bool is_full = false;
  bool syncs_fail = false;
  int appends = 0;
  int syncs = 0;
  std::vector<std::size_t> unsynced;  // The sizes of the batches that a sync has not made durable.
  int tidied = 0;

 private:
  Journal& journal_;
};

class ManualClock final : public StoreClock {
 public:
  explicit ManualClock(async::ManualLoop& loop) : loop_(loop) {}
  Instant now() const override { return Instant(loop_.wall_now().time_since_epoch()) + ahead; }
  async::Instant steady_now() const override { return loop_.now() + worked; }
  BusinessDay day_of(Instant at) const override {
    return BusinessDay{static_cast<std::int32_t>(
        std::chrono::floor<std::chrono::days>(at).time_since_epoch().count())};
  }
  // How far the machine's clock was set ahead.
  std::chrono::microseconds ahead{0};
  // How long the storage has worked, while the loop's time stood still.
  async::Duration worked{0};

 private:
  async::ManualLoop& loop_;
};

// The result of a task that runs beside the test.
template <typename T>
struct Running {
  std::optional<T> result;
  std::string error;
  bool is_done() const { return result.has_value() || !error.empty(); }
};

template <typename T>
async::Task<> keep_result(async::Task<T> task, std::shared_ptr<Running<T>> running) {
  try {
    running->result = co_await task;
  } catch (const StorageError& error) {
    running->error = error.what();
  }
}

class StoreBench {
 public:
  explicit StoreBench(Journal& used_journal, StoreOptions options = {})
      : journal(used_journal), clock(loop), options_(options) {
    start();
  }
  ~StoreBench() { tasks.cancel(); }

  void start() { store = std::make_unique<Store>(loop, journal, executor, clock, options_); }
  void stop() { store.reset(); }

  template <typename T>
  std::shared_ptr<Running<T>> begin(async::Task<T> task) {
    auto running = std::make_shared<Running<T>>();
    tasks.spawn(keep_result(std::move(task), running));
    return running;
  }
  // Until nothing can happen any more without time passing.
  void settle() {
    do {
      loop.settle();
    } while (executor.step());
    loop.settle();
  }
  template <typename T>
  T finish(async::Task<T> task) {
    const std::shared_ptr<Running<T>> running = begin(std::move(task));
    settle();
    EXPECT_EQ(running->error, "");
    EXPECT_TRUE(running->result.has_value());
    return std::move(running->result).value_or(T());
  }

  async::Task<Outcome> submit(Operation operation) {
    Store::Submission submitted = store->submit(std::move(operation));
    Outcome outcome = co_await submitted;
    co_return outcome;
  }

  OperationId next_id() { return Bank::id_at(clock.now(), ++ids_); }
  Operation operation(Change change, OperationId id) {
    return Operation{.id = id, .principal = "atm-1", .change = std::move(change)};
  }
  Outcome ask(Change change, OperationId id) {
    return finish(submit(operation(std::move(change), id)));
  }
  Outcome ask(Change change) { return ask(std::move(change), next_id()); }
  void open(const std::string& account, std::int64_t cents) {
    EXPECT_TRUE(ask(OpenAccount{.account = account, .currency = eur}));
    EXPECT_TRUE(ask(Post{
        .kind = TransferKind::fund, .target = account, .amount = Cents{cents}, .currency = eur}));
  }
  void open_jane() {
    open("jane", 100'00);
    EXPECT_TRUE(ask(AddTerminal{.terminal = "t1", .currency = eur}));
    EXPECT_TRUE(ask(IssueCard{.card = Bank::janes_card, .account = "jane", .pin_hash = "hash"}));
  }
  const Account& account(const std::string& id) { return *store->books().find_account(id); }

  FaultyJournal journal;
  async::ManualLoop loop;
  ManualClock clock;
  ManualExecutor executor;
  std::unique_ptr<Store> store;
  async::TaskScope tasks{loop};

 private:
  StoreOptions options_;
  std::uint64_t ids_ = 0;
};

// A bank where Jane has 100.00, a card, and a terminal to use it at.
class StoreFixture : public testing::Test {
 protected:
  StoreFixture() { bank.open_jane(); }
  ~StoreFixture() override { EXPECT_TRUE(bank.store->books().is_balanced()); }

  MemoryJournal journal;
  StoreBench bank{journal};
};

}  // namespace ledger
