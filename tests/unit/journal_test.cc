// What every journal owes the ledger: one suite over all of them.
#include "ledger/journal.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ledger/memory_journal.h"
#include "ledger/sqlite_journal.h"
#include "ledger_fixture.h"
#include "temporary_directory.h"

namespace ledger {
namespace {

// A journal that can be dropped, as a kill drops it, and opened again.
class Medium {
 public:
  virtual ~Medium() = default;
  virtual Journal& journal() = 0;
  virtual void reopen() = 0;
};

class MemoryMedium final : public Medium {
 public:
  Journal& journal() override { return journal_; }
  void reopen() override {}

 private:
  MemoryJournal journal_;
};

class SqliteMedium final : public Medium {
 public:
  SqliteMedium() { SqliteMedium::reopen(); }
  Journal& journal() override { return *journal_; }
  void reopen() override {
    journal_.reset();
    journal_ = std::make_unique<SqliteJournal>(directory_.file("bank.db"));
  }

 private:
  testkit::TemporaryDirectory directory_;
  std::unique_ptr<SqliteJournal> journal_;
};

struct Kind {
  const char* name;
  std::unique_ptr<Medium> (*make)();
};

class JournalTest : public testing::TestWithParam<Kind> {
 protected:
  JournalTest() : medium(GetParam().make()), bank(medium->journal(), 10s) { bank.open_jane(); }

  void restart() {
    medium->reopen();
    bank.restart_on(medium->journal());
  }
  void expect_the_same_after_a_restart() {
    const Books before = bank.books();
    const ChainHead head = medium->journal().head();
    restart();
    EXPECT_TRUE(bank.books() == before);
    EXPECT_EQ(medium->journal().head(), head);
    EXPECT_TRUE(bank.books().is_balanced());
  }

  std::unique_ptr<Medium> medium;
  Bank bank;
};

TEST_P(JournalTest, AFreshJournalIsEmpty) {
  const std::unique_ptr<Medium> fresh = GetParam().make();
  NoHistory none;
  Ledger ledger(none);
  fresh->journal().load(ledger);
  EXPECT_EQ(ledger.books().last_seq(), 0U);
  EXPECT_EQ(fresh->journal().head(), ChainHead());
}

TEST_P(JournalTest, WhatWasAppendedIsThereAfterARestart) {
  bank.held(10'00);
  expect_the_same_after_a_restart();
}

TEST_P(JournalTest, WhatIsInTheTablesIsThereAfterARestart) {
  bank.held(10'00);
  bank.project();
  EXPECT_EQ(medium->journal().projected_through(), bank.books().last_seq());
  expect_the_same_after_a_restart();
}

TEST_P(JournalTest, TablesThatStoppedAnywhereAreCaughtUpByReplay) {
  const OperationId first = bank.held(10'00);
  bank.must(Bank::capture(first, 5'00));
  bank.must(
      ReplaceCard{.old_card = Bank::janes_card, .new_card = "4000000000000028", .pin_hash = "x"});
  bank.must(UnblockCard{.card = "4000000000000028"});
  bank.must(Suspend{.hold = [&] {
    Hold hold = Bank::hold(7'00);
    hold.card = "4000000000000028";
    const OperationId id = bank.next_id();
    EXPECT_TRUE(bank.ask(hold, id));
    return id;
  }()});
  const std::uint64_t last = bank.books().last_seq();
  for (std::uint64_t through = 1; through <= last; ++through) {
    medium->journal().project(1);
    EXPECT_EQ(medium->journal().projected_through(), through);
    expect_the_same_after_a_restart();
  }
}

TEST_P(JournalTest, ABatchCanBeProjectedInPieces) {
  Batch batch;
  const Moment moment{bank.now.at, bank.now.day};
  for (int count = 0; count < 10; ++count) {
    Operation open{.id = bank.next_id(),
                   .principal = "bank",
                   .change = OpenAccount{.account = "a" + std::to_string(count), .currency = eur}};
    bank.ledger().execute(std::move(open), moment, batch);
  }
  medium->journal().append(batch);
  bank.project();
  Batch next;
  for (int count = 0; count < 10; ++count) {
    Operation fund{.id = bank.next_id(),
                   .principal = "bank",
                   .change = Post{.kind = TransferKind::fund,
                                  .target = "a" + std::to_string(count),
                                  .amount = Cents{100},
                                  .currency = eur}};
    bank.ledger().execute(std::move(fund), moment, next);
  }
  medium->journal().append(next);
  for (int count = 0; count < 4; ++count) {
    medium->journal().project(3);
    expect_the_same_after_a_restart();
  }
}

TEST_P(JournalTest, ARetryIsAnsweredAfterARestart) {
  const OperationId id = bank.next_id();
  const OperationId refused = bank.next_id();
  Outcome first = bank.ask(Bank::hold(30'00), id);
  bank.ask(Bank::hold(999'00), refused);
  for (const bool projected : {false, true}) {
    if (projected) bank.project();
    restart();
    Outcome again = bank.ask(Bank::hold(30'00), id);
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(again->replayed);
    again->replayed = false;
    EXPECT_EQ(*again, *first);
    EXPECT_EQ(word(bank.ask(Bank::hold(999'00), refused)), "insufficient_funds");
  }
}

TEST_P(JournalTest, ARetryIsAnsweredWhereverItsBatchHasTheFirstAnswer) {
  constexpr int count = 5;
  const Moment moment{bank.now.at, bank.now.day};
  std::vector<OperationId> ids;
  for (int number = 0; number < count; ++number) ids.push_back(bank.next_id());
  const auto ask_all = [&](Batch& batch) {
    std::vector<std::uint64_t> answered;
    for (int number = 0; number < count; ++number) {
      Operation hold{.id = ids[static_cast<std::size_t>(number)],
                     .principal = "atm-1",
                     .change = Bank::hold(100 + number)};
      answered.push_back(bank.ledger().execute(std::move(hold), moment, batch).outcome->ledger_seq);
    }
    return answered;
  };
  Batch batch;
  const std::vector<std::uint64_t> first = ask_all(batch);
  EXPECT_EQ(ask_all(batch), first) << "while the batch is made";
  medium->journal().append(batch);
  EXPECT_EQ(batch.records.size(), static_cast<std::size_t>(count));
  Batch next;
  EXPECT_EQ(ask_all(next), first) << "when it is in the journal";
  bank.ask(Freeze{.account = "jane"});
  EXPECT_EQ(ask_all(next), first) << "when there is another";
  medium->journal().project(7);
  EXPECT_EQ(ask_all(next), first) << "when the tables show a part of it";
  restart();
  EXPECT_EQ(ask_all(next), first) << "after a restart";
  EXPECT_TRUE(next.empty());
}

TEST_P(JournalTest, ARetryIsAnsweredLongAfterItWasForgotten) {
  const OperationId id = bank.next_id();
  const Outcome first = bank.ask(Bank::hold(30'00), id);
  bank.pass(1h);
  bank.ask(Freeze{.account = "jane"});
  bank.project();
  EXPECT_LE(bank.ledger().answers_in_memory(), 1U);
  const Outcome again = bank.ask(Bank::hold(30'00), id);
  EXPECT_EQ(again->ledger_seq, first->ledger_seq);
  EXPECT_EQ(word(bank.ask(Bank::hold(31'00), id)), "id_used_with_other_fields");
}

TEST_P(JournalTest, AnIdThatTellsNoTimeIsFoundToo) {
  OperationId id = bank.next_id();
  id.bytes[6] = 0x41;  // Version 4.
  EXPECT_FALSE(id.made_at().has_value());
  bank.ask(Bank::hold(30'00), id);
  bank.pass(1h);
  bank.ask(Freeze{.account = "jane"});
  bank.project();
  EXPECT_TRUE(bank.ask(Bank::hold(30'00), id)->replayed);
  restart();
  EXPECT_TRUE(bank.ask(Bank::hold(30'00), id)->replayed);
}

TEST_P(JournalTest, AnIdOfAClockThatRunsAheadIsNeverTakenForNew) {
  const OperationId ahead = Bank::id_at(bank.now.at + 2h, 1);
  bank.ask(Bank::hold(1'00), ahead);
  for (int minutes = 0; minutes < 180; minutes += 10) {
    bank.pass(10min);
    bank.held(1, 1ms);  // Time is what was last journalled.
    bank.project();
    ASSERT_TRUE(bank.ask(Bank::hold(1'00), ahead)->replayed) << minutes << " minutes later";
  }
}

TEST_P(JournalTest, AnIdOfAClockThatRunsAheadIsKnownAfterARestart) {
  const OperationId ahead = Bank::id_at(bank.now.at + 2h, 1);
  bank.ask(Bank::hold(1'00), ahead);
  for (int minutes = 0; minutes < 180; minutes += 10) {
    bank.pass(10min);
    bank.held(1, 1ms);
    bank.project();
    restart();
    ASSERT_TRUE(bank.ask(Bank::hold(1'00), ahead)->replayed) << minutes << " minutes later";
  }
}

TEST_P(JournalTest, AnAnswerStaysInMemoryUntilItIsInTheTables) {
  const OperationId id = bank.next_id();
  bank.ask(Bank::hold(1'00), id);
  bank.pass(24h);
  bank.ledger().forget(medium->journal().projected_through());
  EXPECT_TRUE(bank.ask(Bank::hold(1'00), id)->replayed);
}

TEST_P(JournalTest, AnEndedHoldIsFoundWhenItIsForgotten) {
  const OperationId captured = bank.held(10'00);
  const OperationId voided = bank.held(10'00);
  const OperationId refused = bank.next_id();
  bank.ask(Bank::hold(999'00), refused);
  bank.must(Bank::capture(captured, 10'00));
  bank.must(Void{.hold = voided});
  bank.project();
  EXPECT_EQ(bank.books().find_hold(captured), nullptr);
  EXPECT_EQ(word(bank.ask(Bank::capture(captured, 10'00))), "hold_already_captured");
  EXPECT_EQ(word(bank.ask(Void{.hold = voided})), "hold_already_voided");
  EXPECT_EQ(word(bank.ask(Void{.hold = refused})), "yes");
  bank.pass(1h);
  bank.ask(Freeze{.account = "jane"});
  bank.project();
  restart();
  EXPECT_EQ(word(bank.ask(Bank::capture(captured, 10'00))), "hold_already_captured");
  EXPECT_EQ(word(bank.ask(Void{.hold = voided})), "hold_already_voided");
  EXPECT_EQ(word(bank.ask(Void{.hold = refused})), "yes");
}

TEST_P(JournalTest, AFenceHoldsForEver) {
  const OperationId hold = bank.next_id();
  bank.must(Void{.hold = hold});
  bank.pass(1h);
  bank.must(Freeze{.account = "jane"});
  bank.must(Unfreeze{.account = "jane"});
  bank.project();
  restart();
  EXPECT_EQ(word(bank.ask(Bank::hold(1), hold)), "id_fenced");
}

TEST_P(JournalTest, AReversalIsRememberedOverARestart) {
  bank.open("john", 0);
  const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 5'00)).ledger_seq;
  bank.project();
  restart();
  bank.must(Reverse{.transfer_seq = moved});
  bank.project();
  restart();
  EXPECT_EQ(word(bank.ask(Reverse{.transfer_seq = moved})), "already_reversed");
}

TEST_P(JournalTest, AnExpiryIsJournalledAndSurvives) {
  const OperationId hold = bank.held(10'00, 1s);
  bank.pass(1s);
  bank.must(Bank::deposit(1));
  EXPECT_EQ(bank.books().find_hold(hold)->state, HoldState::expired);
  bank.project();
  expect_the_same_after_a_restart();
  EXPECT_EQ(bank.books().find_hold(hold)->state, HoldState::expired);
}

TEST_P(JournalTest, AReaderFollowsAnAccountThroughTheTables) {
  bank.open("john", 0);
  std::vector<std::uint64_t> moved;
  for (int count = 0; count < 5; ++count) {
    moved.insert(moved.begin(), bank.must(Bank::transfer("jane", "john", 1)).ledger_seq);
    bank.must(Bank::deposit(1));
  }
  bank.project();
  const std::unique_ptr<JournalReader> reader = medium->journal().open_reader();
  const AccountNumber john = bank.account("john").number;
  const std::vector<Transfer> page = reader->statement(john, moved.front(), 3);
  ASSERT_EQ(page.size(), 3U);
  for (std::size_t place = 0; place < page.size(); ++place) {
    EXPECT_EQ(page[place].ledger_seq, moved[place]);
    EXPECT_EQ(page[place].target_balance.value, static_cast<std::int64_t>(5 - place));
    EXPECT_EQ(page[place].kind, TransferKind::transfer);
  }
  EXPECT_EQ(reader->statement(john, moved[3], 10).size(), 2U);
  EXPECT_TRUE(reader->statement(john, 1, 10).empty());
}

TEST_P(JournalTest, AReaderListsTransfersBothWays) {
  bank.must(Bank::deposit(1));
  bank.held(1);
  bank.must(Bank::deposit(2));
  bank.project();
  const std::unique_ptr<JournalReader> reader = medium->journal().open_reader();
  const std::uint64_t last = bank.books().last_seq();
  std::vector<Transfer> down = reader->transfers_before(last, 100);
  std::vector<Transfer> up = reader->transfers_after(0, last - 1, 100);
  ASSERT_EQ(down.size(), 3U) << "fund, load, and the first deposit";
  std::reverse(up.begin(), up.end());
  EXPECT_EQ(down, up);
  EXPECT_EQ(reader->transfers_before(last + 1, 1).front().amount, Cents{2});
  EXPECT_EQ(reader->transfers_after(0, last, 1).front().kind, TransferKind::fund);
}

TEST_P(JournalTest, AReaderFindsHoldsRecordsAndHashes) {
  const OperationId id = bank.held(10'00);
  const ChainHead head = medium->journal().head();
  bank.must(Bank::capture(id, 4'00));
  bank.project();
  const std::unique_ptr<JournalReader> reader = medium->journal().open_reader();
  EXPECT_EQ(reader->find_hold(id)->captured, Cents{4'00});
  EXPECT_EQ(reader->find(id)->ledger_seq, head.ledger_seq);
  EXPECT_EQ(reader->hash_at(head.ledger_seq), head.hash);
  EXPECT_EQ(reader->hash_at(head.ledger_seq + 100), std::nullopt);
  EXPECT_EQ(reader->find(bank.next_id()), std::nullopt);
}

std::unique_ptr<Medium> in_memory() { return std::make_unique<MemoryMedium>(); }
std::unique_ptr<Medium> in_sqlite() { return std::make_unique<SqliteMedium>(); }

// --- Look-ups: the same before and after the tables show it ---

class LookUpTest : public JournalTest {
 protected:
  LookUpTest() {
    Hold hold = Bank::hold(60'00);
    hold.receipt = receipt;
    EXPECT_EQ(word(bank.ask(hold, hold_id)), "yes");
    EXPECT_EQ(word(bank.ask(Bank::capture(hold_id, 60'00), capture_id)), "yes");
    hold.amount = Cents{500'00};
    EXPECT_EQ(word(bank.ask(hold, bank.next_id())), "insufficient_funds");
    bank.must(RecordPinAttempt{.card = Bank::janes_card, .right = false});
  }
  // The numbers after Jane's opening, of which there are five.
  static std::vector<std::uint64_t> numbers(const std::vector<Record>& records) {
    std::vector<std::uint64_t> numbers;
    for (const Record& record : records) numbers.push_back(record.ledger_seq - opening);
    return numbers;
  }
  std::vector<std::uint64_t> found(const OperationId& id, std::uint64_t through = 4) {
    return numbers(medium->journal().open_reader()->find_changes(id, opening + through));
  }
  std::vector<std::uint64_t> declines(std::uint64_t from, std::size_t limit) {
    return numbers(medium->journal().open_reader()->declines_back_from(opening + from, limit));
  }
  // Tables that show nothing of it, the hold alone, and all.
  template <typename Check>
  void at_every_lag(Check check) {
    for (int shown = 0; shown <= 4; ++shown) {
      medium->journal().project(shown == 0 ? opening : 1);
      EXPECT_EQ(medium->journal().projected_through(), opening + static_cast<std::uint64_t>(shown));
      check();
    }
  }

  using Numbers = std::vector<std::uint64_t>;
  static constexpr std::uint64_t opening = 5;
  const OperationId receipt = bank.next_id();
  const OperationId hold_id = bank.next_id();
  const OperationId capture_id = bank.next_id();
};

TEST_P(LookUpTest, AnyIdOfAWithdrawalLeadsToAllOfIt) {
  at_every_lag([this] {
    EXPECT_EQ(found(receipt), (Numbers{1, 2, 3}));
    EXPECT_EQ(found(hold_id), (Numbers{1, 2, 3}));
    EXPECT_EQ(found(capture_id), (Numbers{1, 2, 3}));
    EXPECT_EQ(found(receipt, 1), (Numbers{1})) << "The rest may not be durable.";
    EXPECT_EQ(found(bank.next_id()), Numbers());
  });
}

TEST_P(LookUpTest, WhatWasDeclinedIsListedBackwardsFromAnyNumber) {
  at_every_lag([this] {
    EXPECT_EQ(declines(4, 10), (Numbers{4, 3}));
    EXPECT_EQ(declines(4, 1), (Numbers{4}));
    EXPECT_EQ(declines(3, 10), (Numbers{3}));
    EXPECT_EQ(declines(2, 10), Numbers());
  });
}

TEST_P(LookUpTest, ARecordIsFoundByItsNumber) {
  at_every_lag([this] {
    const std::unique_ptr<JournalReader> reader = medium->journal().open_reader();
    for (std::uint64_t seq = 1; seq <= opening + 4; ++seq) {
      const std::optional<Record> record = reader->record(seq);
      ASSERT_TRUE(record.has_value()) << seq;
      EXPECT_EQ(record->ledger_seq, seq);
    }
    EXPECT_FALSE(reader->record(opening + 5).has_value());
    EXPECT_FALSE(reader->record(0).has_value());
  });
}

TEST_P(LookUpTest, ReceiptsAndReversalsAreThereAfterARestart) {
  bank.must(
      Post{.kind = TransferKind::fund, .target = "jane", .amount = Cents{5'00}, .currency = eur});
  bank.must(Reverse{.transfer_seq = opening + 5, .reason = "wrong account"});
  for (const bool has_tables : {false, true}) {
    if (has_tables) medium->journal().project(100);
    expect_the_same_after_a_restart();
    EXPECT_EQ(found(receipt), (Numbers{1, 2, 3}));
  }
  const std::optional<Transfer> paid = medium->journal().find_transfer(opening + 2);
  const std::optional<Transfer> back = medium->journal().find_transfer(opening + 6);
  ASSERT_TRUE(paid.has_value() && back.has_value());
  EXPECT_EQ(paid->receipt, receipt);
  EXPECT_EQ(back->reverses, opening + 5);
  EXPECT_FALSE(back->receipt.is_set());
}

INSTANTIATE_TEST_SUITE_P(Every, JournalTest,
                         testing::Values(Kind{"Memory", in_memory}, Kind{"Sqlite", in_sqlite}),
                         [](const auto& instance) { return std::string(instance.param.name); });
INSTANTIATE_TEST_SUITE_P(Every, LookUpTest,
                         testing::Values(Kind{"Memory", in_memory}, Kind{"Sqlite", in_sqlite}),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(RoomForChanges, ADiskThatHoversAtTheReserveHasNoRoomUntilThereIsAMarginToo) {
  bool has_room = true;
  const auto flips = [&has_room](std::uint64_t free) {
    const bool had_room = has_room;
    has_room = has_room_for_changes(free, had_room);
    return has_room != had_room;
  };
  EXPECT_FALSE(flips(disk_reserve_bytes));
  EXPECT_TRUE(flips(disk_reserve_bytes - 1));
  for (int again = 0; again < 3; ++again) {
    EXPECT_FALSE(flips(disk_reserve_bytes + disk_reserve_margin_bytes - 1));
    EXPECT_FALSE(flips(disk_reserve_bytes - 1));
  }
  EXPECT_TRUE(flips(disk_reserve_bytes + disk_reserve_margin_bytes));
  EXPECT_FALSE(flips(disk_reserve_bytes));
}

}  // namespace
}  // namespace ledger
