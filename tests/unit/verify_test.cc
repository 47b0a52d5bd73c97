// A hand in the database: whatever it changes, verify names the first row that is wrong.
#include "ledger/verify.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/codec.h"
#include "ledger/sqlite_journal.h"
#include "ledger_fixture.h"
#include "temporary_directory.h"

namespace ledger {
namespace {

using testing::HasSubstr;

class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    bank.open_jane();
    bank.open("john", 5'00);
    const OperationId captured = bank.held(10'00);
    bank.must(Bank::capture(captured, 4'00));
    bank.must(Void{.hold = bank.next_id()});
    bank.held(1'00, 1s);
    bank.pass(1s);
    const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 5'00)).ledger_seq;
    bank.must(Reverse{.transfer_seq = moved});
    EXPECT_EQ(word(bank.ask(Bank::capture(bank.next_id(), 1))), "hold_not_found");
    Hold with_receipt = Bank::hold(2'00);
    with_receipt.receipt = bank.next_id();
    const OperationId suspended = bank.next_id();
    EXPECT_EQ(word(bank.ask(with_receipt, suspended)), "yes");
    bank.must(
        Suspend{.hold = suspended, .evidence = "jammed", .currency = eur, .planned = "1x200"});
    bank.must(RecordPinAttempt{.card = Bank::janes_card, .right = false});
    bank.project();
    bank.must(Bank::deposit(3'00));
    last_seq = bank.books().last_seq();
    head = journal.head();
  }

  // What verify says after this change.
  std::string after(const std::string& sql) {
    {
      Database database(file, Database::Access::read_write);
      database.execute(sql.c_str());
    }
    try {
      verify(file);
    } catch (const StorageError& error) {
      EXPECT_EQ(error.kind(), StorageError::Kind::bad_data);
      return error.what();
    }
    return "sound";
  }

  // Rewrites a row of the journal, and the chain from there on, as someone could who has the whole file.
  void rewrite(std::uint64_t seq, const std::function<void(Record&)>& change) {
    Database database(file, Database::Access::read_write);
    Hash hash{};
    Statement read = database.prepare("SELECT seq, at, records FROM journal ORDER BY seq");
    Statement write = database.prepare("UPDATE journal SET records = ?, hash = ? WHERE seq = ?");
    std::vector<std::tuple<std::uint64_t, std::int64_t, std::string>> journal;
    while (read.step()) {
      journal.emplace_back(read.integer(0), read.integer(1), std::string(read.blob(2)));
    }
    for (auto& [row, at, records] : journal) {
      if (row == seq) {
        std::string_view rest = records;
        std::string changed;
        while (!rest.empty()) {
          Record record = decode(rest).value();
          change(record);
          encode(record, changed);
        }
        records = changed;
      }
      hash = chain(hash, row, instant_of(at), records);
      write.bind_blob(1, records);
      write.bind_blob(2, {reinterpret_cast<const char*>(hash.data()), hash.size()});
      write.bind(3, static_cast<std::int64_t>(row));
      write.run();
    }
  }

  testkit::TemporaryDirectory directory;
  std::string file = directory.file("bank.db");
  std::uint64_t last_seq = 0;
  ChainHead head;
};

TEST_F(VerifyTest, ASoundDatabaseIsSound) {
  const Verified verified = verify(file);
  EXPECT_EQ(verified.head, head);
  EXPECT_EQ(verified.head.ledger_seq, last_seq);
  EXPECT_EQ(verified.accounts, 4U);
  EXPECT_EQ(verified.transfers, 7U);
  EXPECT_EQ(verified.projected_through, last_seq - 1);
  EXPECT_EQ(after("SELECT 1"), "sound");
}

TEST_F(VerifyTest, AnEmptyBankIsSound) {
  const std::string empty = directory.file("empty.db");
  {
    SqliteJournal journal(empty);
  }
  EXPECT_EQ(verify(empty).head, ChainHead());
}

TEST_F(VerifyTest, AChangedJournalRowBreaksTheChain) {
  EXPECT_THAT(after("UPDATE journal SET records = CAST(records || x'00' AS BLOB) WHERE seq = 3"),
              HasSubstr("journal row 3 does not follow from the row before it"));
}

TEST_F(VerifyTest, AChangedTimeBreaksTheChain) {
  EXPECT_THAT(after("UPDATE journal SET at = at + 1 WHERE seq = 4"),
              HasSubstr("journal row 4 does not follow"));
}

TEST_F(VerifyTest, AMissingJournalRowBreaksTheChain) {
  EXPECT_THAT(after("DELETE FROM journal WHERE seq = 3"),
              HasSubstr("journal row 4 does not follow"));
}

TEST_F(VerifyTest, AJournalCutShortIsFoundByItsTables) {
  EXPECT_THAT(after("DELETE FROM journal WHERE seq > 5"),
              HasSubstr("its journal ends before its tables do"));
}

TEST_F(VerifyTest, AnAmountChangedUnderANewChainIsNotWhatTheRulesSay) {
  rewrite(2,
          [](Record& record) { std::get<Post>(record.operation.change).amount = Cents{999'00}; });
  EXPECT_THAT(after("SELECT 1"),
              HasSubstr("journal row 2, record 2 (post) was not decided by the rules"));
}

TEST_F(VerifyTest, ABalanceChangedUnderANewChainIsNotWhatTheRulesSay) {
  rewrite(last_seq, [](Record& record) { record.outcome->balance += Cents{1}; });
  EXPECT_THAT(after("SELECT 1"), HasSubstr("(post) was not decided by the rules"));
}

TEST_F(VerifyTest, AnOperationInsertedTwiceIsNotWhatTheRulesSay) {
  OperationId first;
  rewrite(2, [&](Record& record) { first = record.operation.id; });
  rewrite(last_seq, [&](Record& record) { record.operation.id = first; });
  EXPECT_THAT(after("SELECT 1"), HasSubstr("would not have been journalled"));
}

TEST_F(VerifyTest, TimeThatGoesBackIsFound) {
  rewrite(3, [](Record& record) { record.at -= 1h; });
  EXPECT_THAT(after("SELECT 1"), HasSubstr("record 3 (add_terminal) goes back in time"));
}

TEST_F(VerifyTest, AReversalOfSomethingElseIsFound) {
  bool found = false;
  for (std::uint64_t seq = 1; seq <= last_seq && !found; ++seq) {
    rewrite(seq, [&](Record& record) {
      Reverse* const reverse = std::get_if<Reverse>(&record.operation.change);
      if (reverse == nullptr) return;
      reverse->target = "jane";
      found = true;
    });
  }
  ASSERT_TRUE(found);
  EXPECT_THAT(after("SELECT 1"), HasSubstr("(reverse) takes back another transfer than it names"));
}

// Every column of every table, but the checks and what only the row's own check can tell.
TEST_F(VerifyTest, EveryColumnOfEveryTableIsWatched) {
  Database database(file, Database::Access::read_only);
  const auto first_text = [&](const std::string& sql) {
    Statement read = database.prepare(sql);
    std::vector<std::string> found;
    while (read.step()) found.emplace_back(read.text(0));
    return found;
  };
  std::size_t columns = 0;
  const std::string tables[] = {"account",   "card",     "terminal", "hold", "exception",
                                "operation", "found_by", "reversal", "meta"};
  for (const std::string& table : tables) {
    for (const std::string& column :
         first_text("SELECT name FROM pragma_table_info('" + table + "')")) {
      if (column == "one") continue;
      const std::string copy = directory.file("copy.db");
      std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
      {
        Database changed(copy, Database::Access::read_write);
        const std::string value = "CASE typeof(" + column + ") WHEN 'integer' THEN " + column +
                                  " + 1000 WHEN 'text' THEN " + column + " || 'x' ELSE x'" +
                                  std::string(32, 'a') + "' END";
        changed.execute(("UPDATE " + table + " SET " + column + " = " + value +
                         " WHERE rowid = (SELECT max(rowid) FROM " + table + " WHERE " + column +
                         " IS NOT NULL)")
                            .c_str());
      }
      EXPECT_THROW(verify(copy), StorageError) << table << "." << column;
      ++columns;
    }
  }
  EXPECT_GT(columns, 80U);
}

TEST_F(VerifyTest, AForgedRowWithARightCheckIsFoundByTheJournal) {
  {
    Database database(file, Database::Access::read_write);
    Statement read = database.prepare("SELECT * FROM account WHERE id = 'jane'");
    ASSERT_TRUE(read.step());
    auto jane = read_row<AccountTable, Account>(read, file);
    read.reset();
    jane.balance += Cents{100'00};
    Statement write = database.prepare(AccountTable::write);
    write_row<AccountTable>(write, jane);
  }
  EXPECT_THAT(after("SELECT 1"), HasSubstr("of table account is not what the journal says"));
}

TEST_F(VerifyTest, MissingAndExtraRowsAreFound) {
  EXPECT_THAT(after("DELETE FROM card"), HasSubstr("a row of table card is missing"));
}

TEST_F(VerifyTest, WhatARecordIsFoundByIsNeitherMissingNorInvented) {
  EXPECT_THAT(
      after("DELETE FROM found_by WHERE ledger_seq = (SELECT max(ledger_seq) FROM found_by)"),
      HasSubstr("of table found_by is missing"));
}

TEST_F(VerifyTest, AnExtraWayToFindARecordIsFound) {
  EXPECT_THAT(after("INSERT INTO found_by SELECT 9999, NULL, 1, 0"),
              HasSubstr("table found_by has"));
}

TEST_F(VerifyTest, AnExtraOperationIsFound) {
  EXPECT_THAT(after("INSERT INTO operation SELECT 9999, NULL, at, kind, outcome, batch, position, "
                    "size, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
                    "NULL, 0 "
                    "FROM operation WHERE ledger_seq = 1"),
              HasSubstr("table operation has"));
}

TEST_F(VerifyTest, AChangedDefinitionIsFound) {
  EXPECT_THAT(after("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, "
                    "'overdraft', 'overdrift') WHERE name = 'account'"),
              HasSubstr("the definition of account"));
}

TEST_F(VerifyTest, AnIndexThatLacksARowIsFound) {
  EXPECT_THAT(after("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, "
                    "'ended_seq = 0', 'ended_seq > 0') WHERE name = 'open_hold'"),
              HasSubstr("index open_hold"));
}

TEST_F(VerifyTest, ABankThatStartsOnDamagedTablesSaysSo) {
  {
    Database database(file, Database::Access::read_write);
    database.execute("UPDATE account SET balance = balance + 1 WHERE id = 'jane'");
  }
  SqliteJournal journal(file);
  Ledger ledger(journal);
  try {
    journal.load(ledger);
    FAIL() << "it was loaded";
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("of table account is not what was written"));
    EXPECT_EQ(error.exit_status(), 65);
  }
}

TEST_F(VerifyTest, ABankThatStartsOnAnIndexThatIsNotItsTablesSaysSo) {
  const std::string copy = directory.file("copy.db");
  const auto execute = [&](const std::string& sql) {
    Database database(copy, Database::Access::read_write);
    database.execute(sql.c_str());
  };
  // Fills the index of open holds with others, and lets it believe that they are open.
  const auto start_with_index_of = [&](const std::string& others) -> std::string {
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    const std::string begin =
        "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX "
        "open_hold ON hold (ledger_seq) WHERE ";
    execute(begin + others + "' WHERE name = 'open_hold'");
    execute("REINDEX open_hold");
    execute(begin + "ended_seq = 0' WHERE name = 'open_hold'");
    SqliteJournal journal(copy);
    Ledger ledger(journal);
    try {
      journal.load(ledger);
    } catch (const StorageError& error) {
      return error.what();
    }
    return "it was loaded";
  };
  EXPECT_EQ(start_with_index_of("ended_seq = 0"), "it was loaded");
  EXPECT_THAT(start_with_index_of("ended_seq >= 0"), HasSubstr("one too many"));
  EXPECT_THAT(start_with_index_of("ended_seq < 0"), HasSubstr("an open hold of account jane"));
}

TEST_F(VerifyTest, ABankThatStartsOnAPageThatHidesItsRowsSaysSo) {
  std::int64_t page = 0;
  {
    Database database(file, Database::Access::read_write);
    database.checkpoint();
    page = database.number("SELECT rootpage FROM sqlite_schema WHERE name = 'card'");
  }
  {
    // The number of rows on a leaf stands in its bytes 3 and 4.
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp((page - 1) * 4096 + 3);
    bytes.write("\0\0", 2);
  }
  SqliteJournal journal(file);
  Ledger ledger(journal);
  EXPECT_THROW(journal.load(ledger), StorageError);
}

TEST_F(VerifyTest, ABankThatStartsOnABrokenChainSaysSo) {
  {
    Database database(file, Database::Access::read_write);
    database.execute(
        ("UPDATE journal SET at = at + 1 WHERE seq = " + std::to_string(last_seq)).c_str());
  }
  SqliteJournal journal(file);
  Ledger ledger(journal);
  EXPECT_THROW(journal.load(ledger), StorageError);
}

TEST_F(VerifyTest, ABankThatStartsWithoutTheLastRowOfATableSaysSo) {
  for (const std::string table : {"account", "card", "terminal", "exception", "reversal"}) {
    const std::string copy = directory.file("short.db");
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    {
      Database database(copy, Database::Access::read_write);
      const std::string last = "(SELECT max(rowid) FROM " + table + ")";
      ASSERT_GT(database.number("SELECT count(*) FROM " + table), 0) << table;
      database.execute(("DELETE FROM " + table + " WHERE rowid = " + last).c_str());
    }
    SqliteJournal journal(copy);
    Ledger ledger(journal);
    try {
      journal.load(ledger);
      ADD_FAILURE() << table;
    } catch (const StorageError& error) {
      EXPECT_THAT(error.what(), HasSubstr("a row of table " + table + " is missing"));
    }
  }
}

TEST_F(VerifyTest, ABankThatStartsOnALastRowThatWasChangedSaysSo) {
  for (const char* change : {"at = at + 1", "hash = zeroblob(32)", "records = x'00'"}) {
    const std::string copy = directory.file("changed.db");
    std::filesystem::copy_file(file, copy, std::filesystem::copy_options::overwrite_existing);
    {
      Database database(copy, Database::Access::read_write);
      database.execute(("DELETE FROM journal WHERE seq = " + std::to_string(last_seq)).c_str());
      database.execute(("UPDATE journal SET " + std::string(change) +
                        " WHERE seq = (SELECT projected_through FROM meta)")
                           .c_str());
    }
    SqliteJournal journal(copy);
    Ledger ledger(journal);
    EXPECT_THROW(journal.load(ledger), StorageError) << change;
  }
}

TEST_F(VerifyTest, ABackupIsSoundToo) {
  const std::string copy = directory.file("copy.db");
  {
    SqliteJournal journal(file);
    EXPECT_EQ(journal.open_reader()->backup(copy).ledger_seq, last_seq);
  }
  EXPECT_EQ(verify(copy).head, head);
}

TEST_F(VerifyTest, WhatIsInUseIsNotVerified) {
  SqliteJournal journal(file);
  EXPECT_THROW(verify(file), StorageError);
}

TEST_F(VerifyTest, WhatIsNotThereIsNotMade) {
  try {
    verify(directory.file("none.db"));
    FAIL();
  } catch (const StorageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("it does not exist"));
    EXPECT_EQ(error.exit_status(), 66);
  }
}

}  // namespace
}  // namespace ledger
