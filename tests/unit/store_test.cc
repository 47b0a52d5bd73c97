#include "ledger/store.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/uv_loop.h"
#include "store_fixture.h"

namespace ledger {
namespace {

class StoreTest : public StoreFixture {
 protected:
  std::vector<std::uint64_t> numbers(const std::vector<Transfer>& transfers) {
    std::vector<std::uint64_t> found;
    for (const Transfer& transfer : transfers) found.push_back(transfer.ledger_seq);
    return found;
  }
  AccountNumber jane() { return bank.account("jane").number; }
};

TEST_F(StoreTest, AnAnswerLeavesOnlyWhenItIsDurable) {
  bank.open("john", 0 + 1);
  const auto answer =
      bank.begin(bank.submit(bank.operation(Bank::transfer("jane", "john", 1), bank.next_id())));
  bank.loop.settle();
  EXPECT_FALSE(answer->is_done());
  EXPECT_EQ(bank.account("jane").balance, Cents{100'00}) << "nor is it to be read yet";
  bank.settle();
  ASSERT_TRUE(answer->is_done());
  EXPECT_EQ(answer->result->value().balance, Cents{99'99});
  EXPECT_EQ(bank.account("jane").balance, Cents{99'99});
  EXPECT_EQ(journal.head(), bank.store->chain_head());
}

TEST_F(StoreTest, WhatQueuesIsDecidedTogetherAndMadeDurableOnce) {
  bank.open("john", 1);
  const int before = bank.journal.appends;
  std::vector<std::shared_ptr<Running<Outcome>>> answers;
  for (int count = 0; count < 64; ++count) {
    answers.push_back(
        bank.begin(bank.submit(bank.operation(Bank::transfer("jane", "john", 1), bank.next_id()))));
  }
  bank.settle();
  EXPECT_EQ(bank.journal.appends, before + 1);
  std::int64_t balance = 100'00;
  for (const auto& answer : answers) EXPECT_EQ(answer->result->value().balance.value, --balance);
}

TEST_F(StoreTest, TheSameIdTwiceAtOnceHasOneEffectAndBothGetTheAnswer) {
  bank.open("john", 1);
  const OperationId id = bank.next_id();
  const auto one = bank.begin(bank.submit(bank.operation(Bank::transfer("jane", "john", 7), id)));
  const auto two = bank.begin(bank.submit(bank.operation(Bank::transfer("jane", "john", 7), id)));
  bank.settle();
  EXPECT_FALSE(one->result->value().replayed);
  EXPECT_TRUE(two->result->value().replayed);
  EXPECT_EQ(one->result->value().ledger_seq, two->result->value().ledger_seq);
  EXPECT_EQ(bank.account("jane").balance, Cents{99'93});
}

TEST_F(StoreTest, AFailedAppendAnswersNobodyAndFailsTheLoop) {
  const auto answer = bank.begin(bank.submit(bank.operation(Bank::hold(1), bank.next_id())));
  bank.journal.fails = true;
  EXPECT_THROW(bank.settle(), StorageError);
  EXPECT_FALSE(answer->is_done());
  bank.journal.fails = false;
  const auto later = bank.begin(bank.submit(bank.operation(Bank::hold(1), bank.next_id())));
  bank.settle();
  EXPECT_FALSE(later->is_done()) << "the storage must not be used any more";
  EXPECT_EQ(bank.account("jane").held, Cents{0});
}

TEST_F(StoreTest, ADroppedTaskEndsTheWaitingAndNotTheWork) {
  const OperationId id = bank.next_id();
  {
    async::TaskScope impatient(bank.loop);
    auto running = std::make_shared<Running<Outcome>>();
    impatient.spawn(keep_result(bank.submit(bank.operation(Bank::hold(10'00), id)), running));
  }
  bank.settle();
  EXPECT_EQ(bank.account("jane").held, Cents{10'00});
  EXPECT_TRUE(bank.ask(Bank::hold(10'00), id)->replayed);
}

TEST_F(StoreTest, AFullQueueRefusesWithoutDeciding) {
  MemoryJournal other;
  StoreBench small(other, StoreOptions{.queue_max = 2});
  std::vector<std::shared_ptr<Running<Outcome>>> answers;
  for (int count = 0; count < 3; ++count) {
    answers.push_back(small.begin(small.submit(
        small.operation(OpenAccount{.account = "a", .currency = eur}, small.next_id()))));
  }
  small.settle();
  EXPECT_EQ(word(*answers[0]->result), "yes");
  EXPECT_EQ(word(*answers[1]->result), "account_already_exists");
  EXPECT_EQ(word(*answers[2]->result), "queue_full");
  EXPECT_TRUE(is_call_status(answers[2]->result->error().code));
}

TEST_F(StoreTest, ALargeQueueIsCommittedInBatches) {
  MemoryJournal other;
  StoreBench small(other, StoreOptions{.batch_max = 10});
  std::vector<std::shared_ptr<Running<Outcome>>> answers;
  for (int count = 0; count < 25; ++count) {
    OpenAccount open{.account = "a" + std::to_string(count), .currency = eur};
    answers.push_back(small.begin(small.submit(small.operation(open, small.next_id()))));
  }
  small.settle();
  EXPECT_EQ(small.journal.appends, 3);
  for (const auto& answer : answers) EXPECT_EQ(word(*answer->result), "yes");
}

TEST_F(StoreTest, AFullDiskRefusesChangesBeforeTheyAreDecidedAndReadsGoOn) {
  const OperationId id = bank.next_id();
  bank.journal.is_full = true;
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00), id)), "disk_nearly_full");
  EXPECT_EQ(bank.finish(bank.store->statement(jane(), 0, 10)).transfers.size(), 1U);
  bank.journal.is_full = false;
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00), id)), "yes") << "the id was left unused";
}

TEST_F(StoreTest, OnAFullDiskARetryHearsItsFirstAnswerAndAnotherKindOfNoIsTold) {
  const OperationId done = bank.next_id();
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00), done)), "yes");
  bank.journal.is_full = true;
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00), done)), "yes") << "it was done";
  EXPECT_EQ(word(bank.ask(Bank::hold(2'00), done)), "id_used_with_other_fields");
  EXPECT_EQ(word(bank.ask(Bank::hold(2'00))), "disk_nearly_full");
}

TEST_F(StoreTest, OnAFullDiskTheTablesWaitToo) {
  bank.loop.advance(10s);
  bank.settle();
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00))), "yes");
  bank.journal.is_full = true;
  int times = 0;
  bank.journal.projecting = [&times] { ++times; };
  const int tidied = bank.journal.tidied;
  bank.loop.advance(10s);
  bank.settle();
  EXPECT_EQ(times, 0);
  EXPECT_EQ(bank.journal.tidied, tidied);
  bank.journal.is_full = false;
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00))), "yes");
  bank.loop.advance(10s);
  bank.settle();
  EXPECT_GT(times, 0);
  EXPECT_EQ(bank.journal.projected_through(), bank.journal.head().ledger_seq);
}

TEST_F(StoreTest, AHoldExpiresWithoutAnybodyAsking) {
  const Outcome held = bank.ask(Bank::hold(60'00, 10s));
  EXPECT_EQ(bank.account("jane").available(), Cents{40'00});
  bank.loop.advance(9s);
  bank.settle();
  EXPECT_EQ(bank.account("jane").available(), Cents{40'00});
  bank.loop.advance(1s + 1ms);
  bank.settle();
  EXPECT_EQ(bank.account("jane").available(), Cents{100'00});
  EXPECT_EQ(bank.store->last_seq(), held->ledger_seq + 1) << "the expiry is journalled";
}

TEST_F(StoreTest, TimeNeverGoesBackInTheJournal) {
  bank.clock.ahead = std::chrono::hours(1);
  bank.ask(Bank::hold(1));
  const Instant late = bank.store->books().last_at();
  bank.clock.ahead = -std::chrono::hours(48);
  bank.ask(Bank::hold(1));
  EXPECT_EQ(bank.store->books().last_at(), late);
  EXPECT_EQ(bank.store->books().last_day(), bank.clock.day_of(late));
}

TEST_F(StoreTest, AnOperationWhoseDeadlinePassedInTheQueueIsNotExecuted) {
  Operation operation = bank.operation(Bank::hold(1), bank.next_id());
  operation.deadline = bank.loop.in(1s);
  const auto answer = bank.begin(bank.submit(operation));
  bank.loop.advance(2s);
  bank.settle();
  EXPECT_EQ(word(*answer->result), "deadline_passed");
}

TEST_F(StoreTest, ResolveTellsExecutedFromRefusedFromFenced) {
  using Is = Resolution::Is;
  const auto resolve = [&](OperationId id, const char* principal = "atm-1") {
    return bank.finish(bank.store->resolve(id, principal, Deadline::never()));
  };
  const OperationId done = bank.next_id();
  const OperationId refused = bank.next_id();
  const OperationId unseen = bank.next_id();
  bank.ask(Bank::hold(1'00), done);
  bank.ask(Bank::hold(999'00), refused);
  EXPECT_EQ(resolve(done).is, Is::executed);
  EXPECT_EQ(resolve(refused).is, Is::refused);
  EXPECT_EQ(word(resolve(refused).outcome), "insufficient_funds");
  EXPECT_EQ(resolve(unseen).is, Is::fenced);
  EXPECT_EQ(resolve(unseen).is, Is::fenced);
  EXPECT_EQ(word(bank.ask(Bank::hold(1'00), unseen)), "id_fenced");
  EXPECT_EQ(resolve(done, "atm-2").is, Is::unanswered);
  EXPECT_EQ(resolve(OperationId()).is, Is::unanswered);
}

TEST_F(StoreTest, AStatementGoesThroughMemoryAndOnThroughTheTables) {
  bank.open("john", 1);
  std::vector<std::uint64_t> expected{bank.account("jane").last_transfer};
  for (int count = 0; count < 9; ++count) {
    expected.insert(expected.begin(), bank.ask(Bank::transfer("jane", "john", 1))->ledger_seq);
    if (count == 4) {
      bank.loop.advance(100ms);
      bank.settle();
      EXPECT_TRUE(bank.store->books().recent_transfers().empty()) << "quiet: the tables have it";
    }
  }
  EXPECT_EQ(bank.store->books().recent_transfers().size(), 4U);
  TransferPage all = bank.finish(bank.store->statement(jane(), 0, 100));
  EXPECT_EQ(numbers(all.transfers), expected);
  EXPECT_EQ(all.next, 0U);
  EXPECT_EQ(all.ledger_seq, bank.store->last_seq());

  std::vector<std::uint64_t> paged;
  std::uint64_t next = 0;
  do {
    const TransferPage page = bank.finish(bank.store->statement(jane(), next, 3));
    for (const Transfer& transfer : page.transfers) paged.push_back(transfer.ledger_seq);
    next = page.next;
  } while (next != 0);
  EXPECT_EQ(paged, expected);
}

TEST_F(StoreTest, AStatementFromSomebodyElsesTransferShowsNothing) {
  bank.open("john", 1);
  bank.open("joan", 1);
  const std::uint64_t others = bank.ask(Bank::transfer("john", "joan", 1))->ledger_seq;
  EXPECT_TRUE(bank.finish(bank.store->statement(jane(), others, 10)).transfers.empty());
  bank.loop.advance(100ms);
  bank.settle();
  EXPECT_TRUE(bank.finish(bank.store->statement(jane(), others, 10)).transfers.empty());
  EXPECT_TRUE(bank.finish(bank.store->statement(jane(), 99999, 10)).transfers.empty());
}

TEST_F(StoreTest, TransfersOfAllAccountsArePagedNewestFirst) {
  bank.open("john", 1);
  for (int count = 0; count < 5; ++count) bank.ask(Bank::transfer("jane", "john", 1));
  bank.loop.advance(100ms);
  bank.settle();
  for (int count = 0; count < 5; ++count) bank.ask(Bank::transfer("jane", "john", 1));
  const TransferPage all = bank.finish(bank.store->transfers(0, 100));
  EXPECT_EQ(all.transfers.size(), 12U);
  std::vector<std::uint64_t> paged;
  std::uint64_t next = 0;
  do {
    const TransferPage page = bank.finish(bank.store->transfers(next, 5));
    for (const Transfer& transfer : page.transfers) paged.push_back(transfer.ledger_seq);
    next = page.next;
  } while (next != 0);
  EXPECT_EQ(paged, numbers(all.transfers));
}

TEST_F(StoreTest, AWatcherMissesNothingAndSeesNothingTwice) {
  bank.open("john", 1);
  for (int count = 0; count < 5; ++count) bank.ask(Bank::transfer("jane", "john", 1));
  bank.loop.advance(100ms);
  bank.settle();
  for (int count = 0; count < 5; ++count) bank.ask(Bank::transfer("jane", "john", 1));
  std::vector<std::uint64_t> seen;
  const auto watch = [&] {
    const std::uint64_t after = seen.empty() ? 0 : seen.back();
    for (const Transfer& transfer : bank.finish(bank.store->next_transfers(after, 3))) {
      seen.push_back(transfer.ledger_seq);
    }
  };
  while (seen.empty() || seen.back() != bank.store->last_seq()) watch();
  std::vector<std::uint64_t> expected =
      numbers(bank.finish(bank.store->transfers(0, 100)).transfers);
  std::ranges::reverse(expected);
  EXPECT_EQ(seen, expected);

  const auto waiting = bank.begin(bank.store->next_transfers(seen.back(), 3));
  bank.ask(Bank::hold(1));
  EXPECT_FALSE(waiting->is_done()) << "a hold moves nothing";
  const std::uint64_t moved = bank.ask(Bank::transfer("jane", "john", 1))->ledger_seq;
  ASSERT_TRUE(waiting->is_done());
  EXPECT_EQ(numbers(*waiting->result), std::vector{moved});
}

TEST_F(StoreTest, AHoldIsFoundWhileItIsOpenAndWhenItLongEnded) {
  const OperationId id = bank.next_id();
  bank.ask(Bank::hold(10'00), id);
  EXPECT_EQ(bank.finish(bank.store->find_hold(id))->state, HoldState::held);
  bank.ask(Bank::capture(id, 4'00));
  bank.loop.advance(100ms);
  bank.settle();
  EXPECT_EQ(bank.store->books().find_hold(id), nullptr);
  const std::optional<HoldEntry> hold = bank.finish(bank.store->find_hold(id));
  EXPECT_EQ(hold->state, HoldState::captured);
  EXPECT_EQ(hold->captured, Cents{4'00});
  EXPECT_FALSE(bank.finish(bank.store->find_hold(bank.next_id())).has_value());
}

TEST_F(StoreTest, TheChainsPastHeadsAreKnown) {
  const ChainHead then = bank.store->chain_head();
  bank.ask(Bank::hold(1));
  EXPECT_EQ(bank.finish(bank.store->hash_at(then.ledger_seq)), then.hash);
  EXPECT_EQ(bank.finish(bank.store->hash_at(bank.store->last_seq())),
            bank.store->chain_head().hash);
  EXPECT_EQ(bank.finish(bank.store->hash_at(9999)), std::nullopt);
}

TEST_F(StoreTest, ARestartKnowsEverythingThatWasAnswered) {
  const OperationId id = bank.next_id();
  const Outcome first = bank.ask(Bank::hold(10'00), id);
  const Books before = bank.store->books();
  bank.stop();
  bank.start();
  EXPECT_TRUE(bank.store->books() == before);
  EXPECT_EQ(bank.ask(Bank::hold(10'00), id)->ledger_seq, first->ledger_seq);
}

TEST_F(StoreTest, QuietTidiesOnce) {
  bank.ask(Bank::hold(1));
  bank.loop.advance(100ms);
  bank.settle();
  EXPECT_EQ(bank.journal.tidied, 1);
  bank.loop.advance(10s);
  bank.settle();
  EXPECT_EQ(bank.journal.tidied, 1);
}

TEST_F(StoreTest, ABackupThatCannotBeMadeIsToldAndNothingElseSuffers) {
  const auto backup = bank.begin(bank.store->backup("/nowhere/copy"));
  bank.settle();
  EXPECT_EQ(backup->error, "cannot create /nowhere/copy: a journal in memory has no copy");
  EXPECT_EQ(word(bank.ask(Bank::hold(1))), "yes");
}

// --- Bringing the tables forward ---

std::vector<std::shared_ptr<Running<Outcome>>> open_many(StoreBench& bank, int count) {
  std::vector<std::shared_ptr<Running<Outcome>>> answers;
  for (int number = 0; number < count; ++number) {
    const OperationId id = bank.next_id();
    const OpenAccount open{.account = "a" + id.text(), .currency = eur};
    answers.push_back(bank.begin(bank.submit(bank.operation(open, id))));
  }
  bank.loop.settle();
  return answers;
}

TEST_F(StoreTest, TablesThatLagTooFarCatchUpAlthoughChangesKeepComing) {
  MemoryJournal other;
  StoreBench small(other, StoreOptions{.batch_max = 20, .lag_max = 10, .project_step_max = 4});
  const auto answers = open_many(small, 200);
  std::uint64_t lag_max = 0;
  while (small.executor.step()) {
    lag_max = std::max(lag_max, other.head().ledger_seq - other.projected_through());
  }
  EXPECT_EQ(small.journal.appends, 10);
  EXPECT_LE(lag_max, 20U);
}

TEST_F(StoreTest, WhileChangesComeTheTablesGetAPartOfTheTime) {
  int times = 0;
  bank.journal.projecting = [&] {
    ++times;
    bank.clock.worked += 10ms;
  };
  const auto burst = open_many(bank, 300);
  bank.settle();
  EXPECT_EQ(times, 1) << "in the gap behind the batch";
  bank.clock.worked += 150ms;
  const auto more = open_many(bank, 300);
  bank.settle();
  EXPECT_EQ(times, 1) << "a burst is hardly slowed down";
  bank.clock.worked += 2400ms;
  const auto first = open_many(bank, 100);
  bank.settle();
  EXPECT_EQ(times, 2);
  const auto second = open_many(bank, 100);
  bank.settle();
  EXPECT_EQ(times, 2) << "it has had its part";
  bank.clock.worked += 150ms;
  const auto third = open_many(bank, 200);
  bank.settle();
  EXPECT_EQ(times, 3) << "small batches leave more of it";
}

// The same over a real loop and a real thread.
async::Task<int> pay_many(Store* store, int count) {
  int paid = 0;
  for (int number = 0; number < count; ++number) {
    Operation operation;
    operation.id = Bank::id_at(noon, static_cast<std::uint64_t>(number) + 1);
    operation.principal = "atm-1";
    operation.change = OpenAccount{.account = "a" + std::to_string(number), .currency = eur};
    Store::Submission submitted = store->submit(std::move(operation));
    const Outcome outcome = co_await submitted;
    paid += outcome.has_value() ? 1 : 0;
  }
  co_return paid;
}

TEST(ThreadedStoreTest, AThreadDecidesWhileTheLoopReads) {
  MemoryJournal journal;
  async::UvLoop loop;
  ThreadExecutor executor;
  SystemClock clock;
  Store store(loop, journal, executor, clock);
  EXPECT_EQ(loop.run(pay_many(&store, 2000)), 2000);
  EXPECT_EQ(store.books().accounts().size(), 2001U);
}

}  // namespace
}  // namespace ledger
