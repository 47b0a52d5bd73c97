// When what was decided becomes durable, and who hears of it then.
#include <algorithm>
#include <cstdint>
#include <future>
#include <memory>
#include <sched.h>
#include <string>
#include <sys/resource.h>
#include <system_error>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "async/uv_loop.h"
#include "ledger/executor.h"
#include "ledger/sqlite_journal.h"
#include "ledger/store.h"
#include "ledger/verify.h"
#include "no_more_threads.h"
#include "store_fixture.h"
#include "temporary_directory.h"

namespace ledger {
namespace {

class StoreSyncTest : public StoreFixture {
 protected:
  // Long enough for the tables to be brought up to date.
  void pass_quietly() {
    bank.loop.advance(100ms);
    bank.settle();
  }
};

// Deposits that are asked for at once.
std::vector<std::shared_ptr<Running<Outcome>>> deposit_many(StoreBench& bench, int count) {
  std::vector<std::shared_ptr<Running<Outcome>>> answers;
  for (int number = 0; number < count; ++number) {
    answers.push_back(
        bench.begin(bench.submit(bench.operation(Bank::deposit(1), bench.next_id()))));
  }
  bench.loop.settle();
  return answers;
}

int done(const std::vector<std::shared_ptr<Running<Outcome>>>& answers) {
  return static_cast<int>(
      std::ranges::count_if(answers, [](const auto& answer) { return answer->is_done(); }));
}

TEST_F(StoreSyncTest, HalfOfALargeQueueIsDecidedWhileTheOtherHalfBecomesDurable) {
  bank.executor.keep_beside();
  const auto answers = deposit_many(bank, 1024);
  bank.settle();
  EXPECT_EQ(bank.journal.unsynced, (std::vector<std::size_t>{512, 512}));
  EXPECT_EQ(done(answers), 0);
  EXPECT_EQ(bank.account("jane").balance, Cents{100'00}) << "nor is it to be read yet";
  EXPECT_TRUE(bank.executor.do_beside());
  bank.settle();
  EXPECT_EQ(bank.journal.syncs, 1) << "which came after both";
  EXPECT_EQ(done(answers), 1024);
  std::int64_t balance = 100'00;
  for (const auto& answer : answers) EXPECT_EQ(answer->result->value().balance.value, ++balance);
}

TEST_F(StoreSyncTest, WhatIsAskedForMeanwhileIsAnsweredInItsTurn) {
  bank.executor.keep_beside();
  const auto answers = deposit_many(bank, 300);
  bank.settle();
  const auto later = deposit_many(bank, 1);
  bank.settle();
  EXPECT_EQ(bank.journal.unsynced, (std::vector<std::size_t>{300, 1}));
  EXPECT_EQ(done(later), 0) << "although it is small";
  bank.executor.do_beside();
  bank.settle();
  EXPECT_EQ(done(answers), 300);
  EXPECT_EQ(later.front()->result->value().balance, Cents{103'01});
}

TEST_F(StoreSyncTest, ASmallBatchIsMadeDurableByTheThreadThatDecidedIt) {
  bank.executor.keep_beside();
  const auto answers = deposit_many(bank, 64);
  bank.settle();
  EXPECT_EQ(done(answers), 64);
  EXPECT_EQ(bank.journal.syncs, 0) << "by its append";
}

TEST_F(StoreSyncTest, AFailedSyncAnswersNobodyAndFailsTheLoop) {
  bank.journal.syncs_fail = true;
  const auto answers = deposit_many(bank, 1024);
  EXPECT_THROW(bank.settle(), StorageError);
  bank.journal.syncs_fail = false;
  const auto later = deposit_many(bank, 1);
  bank.settle();
  EXPECT_EQ(bank.journal.syncs, 1) << "the storage must not be used any more";
  EXPECT_EQ(done(answers) + done(later), 0);
  EXPECT_EQ(bank.account("jane").balance, Cents{100'00});
}

TEST_F(StoreSyncTest, TheTablesShowNothingThatMayNotBeDurable) {
  pass_quietly();
  const std::uint64_t durable = bank.store->last_seq();
  EXPECT_EQ(journal.projected_through(), durable);
  bank.executor.keep_beside();
  const auto answers = deposit_many(bank, 300);
  bank.settle();
  pass_quietly();
  EXPECT_EQ(journal.head().ledger_seq, durable + 300);
  EXPECT_EQ(journal.projected_through(), durable);
  EXPECT_EQ(bank.finish(bank.store->hash_at(durable + 300)), std::nullopt);
  bank.executor.do_beside();
  pass_quietly();
  EXPECT_EQ(journal.projected_through(), durable + 300);
  EXPECT_EQ(bank.finish(bank.store->hash_at(durable + 300)), bank.store->chain_head().hash);
}

TEST_F(StoreSyncTest, WhatTheTablesReachMeanwhileIsToldInItsTurn) {
  bank.executor.keep_beside();
  const auto before = deposit_many(bank, 64);
  bank.settle();
  const std::uint64_t durable = bank.store->last_seq();
  const auto answers = deposit_many(bank, 300);
  bank.settle();
  pass_quietly();
  EXPECT_EQ(journal.projected_through(), durable);
  EXPECT_EQ(bank.store->chain_head().ledger_seq, durable);
  bank.executor.do_beside();
  bank.loop.settle();
  EXPECT_EQ(bank.store->chain_head(), journal.head());
  const TransferPage page = bank.finish(bank.store->transfers(0, 1000));
  EXPECT_EQ(page.transfers.size(), 1U + 64U + 300U) << "from memory and the tables, without a gap";
}

// The same over a real loop, real threads and a real file.
async::Task<> open_some(Store* store, int begin, int end, int* opened) {
  for (int number = begin; number < end; ++number) {
    Operation operation;
    operation.id = Bank::id_at(noon, static_cast<std::uint64_t>(number) + 1);
    operation.principal = "atm-1";
    operation.change = OpenAccount{.account = "a" + std::to_string(number), .currency = eur};
    Store::Submission submitted = store->submit(std::move(operation));
    const Outcome outcome = co_await submitted;
    EXPECT_EQ(word(outcome), "yes");
    EXPECT_NE(store->books().find_account("a" + std::to_string(number)), nullptr);
    ++*opened;
  }
}

async::Task<int> open_many_at_once(async::Loop* loop, Store* store) {
  int opened = 0;
  async::TaskScope callers(*loop);
  for (int caller = 0; caller < 1024; ++caller) {
    callers.spawn(open_some(store, 4 * caller, 4 * caller + 4, &opened));
  }
  co_await callers.join();
  co_return opened;
}

// Often enough that a thread which ends at once is seen.
TEST(ThreadedStoreSyncTest, WhatIsToBeDoneBesideIsDoneBeforeTheThreadsStop) {
  for (int round = 0; round < 200; ++round) {
    ThreadExecutor executor;
    std::promise<void> stepped;
    bool is_done = false;
    executor.start([&] {
      executor.beside([&] { is_done = true; });
      stepped.set_value();
      return false;
    });
    executor.wake();
    stepped.get_future().wait();
    executor.stop();
    ASSERT_TRUE(is_done);
  }
}

TEST(ThreadedStoreSyncTest, ManyAtOnceAreSyncedBesideAndAllOfThemAreOnTheDisk) {
  const testkit::TemporaryDirectory directory;
  const std::string file = directory.file("bank.db");
  {
    SqliteJournal journal(file);
    async::UvLoop loop;
    ThreadExecutor executor;
    SystemClock clock;
    Store store(loop, journal, executor, clock);
    EXPECT_EQ(loop.run(open_many_at_once(&loop, &store)), 4096);
  }
  const Verified verified = verify(file);
  EXPECT_EQ(verified.head.ledger_seq, 4096U);
}

// What the system knows of how urgent a thread is.
struct Urgency {
  int niceness = ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()));
  int policy = ::sched_getscheduler(0);

  friend bool operator==(const Urgency&, const Urgency&) = default;
};

TEST(ThreadExecutorTest, ItsThreadsAreAsUrgentAsTheProgram) {
  std::promise<Urgency> of_step;
  std::promise<Urgency> of_work_beside;
  ThreadExecutor executor;
  executor.start([&] {
    of_step.set_value(Urgency());
    executor.beside([&] { of_work_beside.set_value(Urgency()); });
    return false;
  });
  executor.wake();
  EXPECT_EQ(of_step.get_future().get(), Urgency());
  EXPECT_EQ(of_work_beside.get_future().get(), Urgency());
  executor.stop();
}

TEST(ThreadExecutorTest, SaysSoWhenTheSystemRefusesItsThreads) {
  ThreadExecutor executor;
  {
    const async::NoMoreThreads refused;
    EXPECT_THROW(executor.start([] { return false; }), std::system_error);
  }
  executor.start([] { return false; });
  executor.stop();
}

}  // namespace
}  // namespace ledger
