// Power loss at every write of a script, with every kind of damage, for the bank's journal and the ATM's: what was acknowledged is
// there, what was not is there whole or not at all, and the file is sound. Then the same for disks that report errors.
#include <algorithm>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "atm/journal_file.h"
#include "disk.h"
#include "ledger/sqlite_journal.h"
#include "ledger/verify.h"
#include "ledger_fixture.h"
#include "temporary_folder.h"

namespace sim {
namespace {

using ledger::StorageError;

constexpr std::array losses = {Loss::nothing, Loss::all, Loss::tail, Loss::scattered,
                               Loss::garbled};

// A journal, as a script of steps that each make something durable.
class Script {
 public:
  virtual ~Script() = default;
  // Opens the file, runs every step, closes. `acknowledged` counts the steps that returned. Throws StorageError.
  virtual void run(const std::string& folder, int& acknowledged) = 0;
  // Opens what is left, and says how many steps are in it; throws, or fails the test, if it is not sound.
  virtual int look(const std::string& folder) = 0;
  // Steps that may be there although they were not acknowledged.
  virtual int asked_at_once_max() const { return 1; }
};

class BankScript final : public Script {
 public:
  void run(const std::string& folder, int& acknowledged) override {
    ledger::SqliteJournal journal(folder + "/bank.db");
    ledger::Bank bank(journal, std::chrono::microseconds(0));
    ids_.clear();
    const auto step = [&](const ledger::Change& change) {
      ids_.push_back(bank.next_id());
      bank.ask(change, ids_.back());
      // Of the first run, which nothing disturbs.
      if (seqs_.size() < ids_.size()) seqs_.push_back(bank.books().last_seq());
      ++acknowledged;
    };
    step(ledger::OpenAccount{.account = "jane", .customer_name = "Jane", .currency = ledger::eur});
    step(ledger::Post{.kind = ledger::TransferKind::fund,
                      .target = "jane",
                      .amount = ledger::Cents{500'00},
                      .currency = ledger::eur});
    step(ledger::AddTerminal{.terminal = "t1", .currency = ledger::eur});
    step(ledger::IssueCard{.card = ledger::Bank::janes_card, .account = "jane", .pin_hash = "h"});
    for (int i = 0; i < 5; ++i) {
      step(ledger::Bank::hold(10'00));
      const ledger::OperationId hold = ids_.back();
      bank.project();
      step(i % 2 == 0 ? ledger::Change(ledger::Bank::capture(hold, 9'00))
                      : ledger::Change(ledger::Void{.hold = hold, .terminal = {}}));
      if (i == 2) journal.tidy(true);
      step(ledger::Bank::deposit(1'00));
    }
    bank.project();
    journal.tidy(true);
    step(ledger::Bank::deposit(2'00));
  }

  int look(const std::string& folder) override {
    const std::string file = folder + "/bank.db";
    std::uint64_t last = 0;
    {
      ledger::SqliteJournal journal(file);
      ledger::Bank bank(journal, std::chrono::microseconds(0));
      EXPECT_TRUE(bank.books().is_balanced());
      last = bank.books().last_seq();
    }
    // Whole steps only, and sound from the first row to the last.
    const ledger::Verified verified = ledger::verify(file);
    EXPECT_EQ(verified.head.ledger_seq, last);
    if (last == 0) return 0;
    const auto found = std::ranges::find(seqs_, last);
    EXPECT_NE(found, seqs_.end()) << "half of a step is there: " << last;
    return static_cast<int>(found - seqs_.begin()) + 1;
  }

 private:
  std::vector<ledger::OperationId> ids_;
  std::vector<std::uint64_t> seqs_;
};

// As a store does it that has much to do: what was appended is acknowledged when a sync has come after it.
class UnsyncedScript final : public Script {
 public:
  void run(const std::string& folder, int& acknowledged) override {
    ledger::SqliteJournal journal(folder + "/bank.db");
    ledger::Bank bank(journal, std::chrono::microseconds(0));
    bank.leaves_syncs = true;
    int appended = 0;
    const auto step = [&](const ledger::Change& change) {
      bank.ask(change);
      ++appended;
    };
    const auto sync = [&] {
      journal.sync();
      acknowledged = appended;
    };
    step(ledger::OpenAccount{.account = "jane", .currency = ledger::eur});
    for (int round = 0; round < 16; ++round) {
      for (int count = 0; count < steps_a_sync_max; ++count) {
        step(ledger::Post{.kind = ledger::TransferKind::fund,
                          .target = "jane",
                          .amount = ledger::Cents{1'00},
                          .currency = ledger::eur});
      }
      sync();
      if (round == 3) bank.project();
      if (round == 4) journal.tidy(true);
    }
  }

  int look(const std::string& folder) override {
    const std::string file = folder + "/bank.db";
    {
      ledger::SqliteJournal journal(file);
      ledger::Bank bank(journal, std::chrono::microseconds(0));
      EXPECT_TRUE(bank.books().is_balanced());
    }
    return static_cast<int>(ledger::verify(file).head.ledger_seq);
  }
  int asked_at_once_max() const override { return steps_a_sync_max + 1; }

 private:
  static constexpr int steps_a_sync_max = 3;
};

// Two runs of a bank that has something already.
class RestartScript final : public Script {
 public:
  void run(const std::string& folder, int& acknowledged) override {
    for (int count = 0; count < 2; ++count) {
      ledger::SqliteJournal journal(folder + "/bank.db");
      ledger::Bank bank(journal, std::chrono::microseconds(0));
      for (int step = 0; step < 2; ++step) {
        const std::uint64_t seq = bank.books().last_seq() + 1;
        const std::string name = "account-" + std::to_string(seq);
        bank.ask(ledger::OpenAccount{.account = name, .currency = ledger::eur},
                 ledger::Bank::id_at(ledger::noon, seq));
        ++acknowledged;
      }
    }
  }
  int look(const std::string& folder) override {
    const std::string file = folder + "/bank.db";
    {
      ledger::SqliteJournal journal(file);
      ledger::Bank bank(journal, std::chrono::microseconds(0));
      EXPECT_TRUE(bank.books().is_balanced());
    }
    return static_cast<int>(ledger::verify(file).head.ledger_seq) - records_before;
  }
  static constexpr int records_before = 1;
};

class AtmScript final : public Script {
 public:
  AtmScript(int steps, std::size_t evidence_size) : steps_(steps), evidence_size_(evidence_size) {}

  void run(const std::string& folder, int& acknowledged) override {
    atm::JournalFile file(folder);
    std::int64_t previous = 0;
    for (int number = 1; number <= steps_; ++number) {
      atm::Withdrawal withdrawal{.id = id_of(number / 4),
                                 .terminal = "atm-1",
                                 .card = "4000",
                                 .amount = atm::Cents{number},
                                 .state = static_cast<atm::WithdrawalState>(number % 4),
                                 .evidence = std::string(evidence_size_, 'e')};
      atm::Event event{.number = static_cast<std::uint64_t>(number),
                       .previous = previous,
                       .terminal = "atm-1",
                       .id = withdrawal.id,
                       .kind = "withdrawal",
                       .state = {},
                       .detail = std::to_string(number)};
      const std::vector<atm::Row> rows = {atm::to_row(withdrawal), atm::to_row(event)};
      previous = std::get<std::int64_t>(rows.back().values.back());
      file.write(rows);
      ++acknowledged;
    }
  }

  int look(const std::string& folder) override {
    atm::JournalFile file(folder);
    const int last = static_cast<int>(file.tail().number);
    std::vector<atm::Event> events = file.read<atm::Event>();
    std::ranges::sort(events, {}, &atm::Event::number);
    EXPECT_EQ(static_cast<int>(events.size()), last);
    for (int number = 1; number <= last; ++number) {
      EXPECT_EQ(events[static_cast<std::size_t>(number - 1)].detail, std::to_string(number));
    }
    if (last == 0) return 0;
    // The event and the row that it is about came together.
    const std::optional<atm::Withdrawal> withdrawal = file.find<atm::Withdrawal>(id_of(last / 4));
    EXPECT_EQ(withdrawal.value_or(atm::Withdrawal()).amount.value, last);
    return last;
  }

 private:
  static ledger::OperationId id_of(int number) {
    return ledger::Bank::id_at(ledger::noon, static_cast<std::uint64_t>(number) + 1);
  }
  int steps_;
  std::size_t evidence_size_;
};

class PowerLossTest : public testing::Test {
 protected:
  // Runs the script with trouble at operation `at`. False: it ended before.
  bool run_until(Script& script, Disk::Trouble trouble, std::uint64_t at, bool sticky = false) {
    disk.restore(at_first);
    acknowledged = 0;
    disk.plan(trouble, at, sticky);
    try {
      script.run(mount.folder(), acknowledged);
    } catch (const StorageError& error) {
      // Never a damaged file, and never a word that somebody else has it.
      EXPECT_TRUE(error.kind() == StorageError::Kind::io ||
                  error.kind() == StorageError::Kind::cannot_create)
          << error.what();
    }
    return disk.had_trouble();
  }

  void look(Script& script, const std::string& what) {
    SCOPED_TRACE(what);
    int found = -1;
    try {
      found = script.look(mount.folder());
    } catch (const StorageError& error) {
      ADD_FAILURE() << "what is left cannot be opened: " << error.what();
    }
    EXPECT_GE(found, acknowledged) << "an acknowledged change is lost";
    EXPECT_LE(found, acknowledged + script.asked_at_once_max())
        << "more is there than was asked for";
  }

  void run_undisturbed(Script& script) {
    acknowledged = 0;
    script.run(mount.folder(), acknowledged);
    look(script, "nothing happened");
  }

  // At every `stride`-th operation of the script; returns how many cases that were.
  int lose_power_everywhere(Script& script, std::uint64_t stride) {
    disk.restore(at_first);
    run_undisturbed(script);
    int cases = 0;
    for (std::uint64_t at = 0; run_until(script, Disk::Trouble::power, at); at += stride) {
      std::vector<std::map<std::string, std::string>> left;
      for (const Loss loss : losses) left.push_back(disk.survivors(loss, random));
      for (std::size_t kind = 0; kind < losses.size(); ++kind) {
        disk.restore(left[kind]);
        look(script,
             "power lost at operation " + std::to_string(at) + ", damage " + std::to_string(kind));
        ++cases;
      }
      if (HasFailure()) return cases;
    }
    return cases;
  }

  // The disk says no at every operation of the script: the process ends, and the next one finds what was acknowledged.
  int fail_everywhere(Script& script, bool sticky) {
    disk.restore({});
    run_undisturbed(script);
    int cases = 0;
    for (std::uint64_t at = 0; run_until(script, Disk::Trouble::error, at, sticky); ++at) {
      disk.power_on(Loss::nothing, random);
      look(script, "an error at operation " + std::to_string(at));
      ++cases;
      if (HasFailure()) return cases;
    }
    return cases;
  }

  TemporaryFolder folder;
  Disk disk;
  Mount mount{folder.path(), disk};
  std::map<std::string, std::string> at_first;  // What a script finds.
  async::SeededRandom random{1};
  int acknowledged = 0;
};

TEST_F(PowerLossTest, TheBanksJournalLosesNothingThatWasAcknowledged) {
  BankScript script;
  const int cases = lose_power_everywhere(script, 1);
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 500);
}

// A backup is the copy of a running bank's database, in rollback mode (bytes 18 and 19).
TEST_F(PowerLossTest, NorWhileABankIsStoppedAndStartedOrABackupIsStarted) {
  const std::string file = mount.folder() + "/bank.db";
  for (const bool is_backup : {false, true}) {
    disk.restore({});
    std::string running;
    {
      ledger::SqliteJournal journal(file);
      ledger::Bank bank(journal, std::chrono::microseconds(0));
      bank.must(ledger::OpenAccount{.account = "jane", .currency = ledger::eur});
      bank.project();
      journal.tidy(true);
      running = disk.survivors(Loss::nothing, random).at(file);
    }
    at_first = {{file, disk.survivors(Loss::nothing, random).at(file)}};
    if (is_backup) at_first[file] = running.replace(18, 2, "\1\1");
    RestartScript script;
    EXPECT_GT(lose_power_everywhere(script, 1), 100) << is_backup;
  }
}

TEST_F(PowerLossTest, NorWhenASyncComesAfterSeveralAppends) {
  UnsyncedScript script;
  const int cases = lose_power_everywhere(script, 1);
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 500);
}

TEST_F(PowerLossTest, AnErrorOfTheDiskAtSuchASyncLosesNothing) {
  UnsyncedScript script;
  EXPECT_GT(fail_everywhere(script, false), 100);
  EXPECT_GT(fail_everywhere(script, true), 100);
}

// It makes the name of the WAL's file durable along with itself.
TEST_F(PowerLossTest, TheFirstAppendAfterAStartWaitsForNoSync) {
  const std::string file = mount.folder() + "/bank.db";
  for (const bool is_last : {false, true}) {
    ledger::SqliteJournal journal(file);
    ledger::Bank bank(journal, std::chrono::microseconds(0));
    bank.leaves_syncs = true;
    bank.pass(std::chrono::seconds(is_last ? 1 : 0));
    bank.must(ledger::OpenAccount{.account = is_last ? "john" : "jane", .currency = ledger::eur});
    if (is_last) disk.power_off();
  }
  disk.power_on(Loss::all, random);
  EXPECT_EQ(ledger::verify(file).head.ledger_seq, 2U);
}

TEST_F(PowerLossTest, ACopyHasNothingThatTheBankCouldStillForget) {
  const TemporaryFolder elsewhere;
  const std::string copied = elsewhere.path() + "/copied";
  {
    ledger::SqliteJournal journal(mount.folder() + "/bank.db");
    ledger::Bank bank(journal, std::chrono::microseconds(0));
    bank.must(ledger::OpenAccount{.account = "jane", .currency = ledger::eur});
    bank.leaves_syncs = true;
    bank.must(ledger::OpenAccount{.account = "john", .currency = ledger::eur});
    EXPECT_EQ(journal.open_reader()->backup(copied).ledger_seq, 2U);
    disk.power_off();
  }
  disk.power_on(Loss::all, random);
  EXPECT_EQ(ledger::verify(mount.folder() + "/bank.db").head.ledger_seq, 2U);
}

// A bank whose database and WAL have pages of it, so that a copy reads both.
class CopyTest : public PowerLossTest {
 protected:
  CopyTest() : journal(mount.folder() + "/bank.db"), bank(journal, std::chrono::microseconds(0)) {
    open_accounts(300);
    journal.tidy(true);
    open_accounts(100);
    reader = journal.open_reader();
  }
  ~CopyTest() override { disk.fail_reads(std::nullopt); }

  void open_accounts(int count) {
    for (int i = 0; i < count; ++i) {
      const std::string name = "account-" + std::to_string(bank.books().last_seq());
      bank.must(ledger::OpenAccount{.account = name, .currency = ledger::eur});
    }
    bank.project();
  }
  // What a copy to there ends with.
  std::string ending_of_copy(const std::string& path) {
    try {
      reader->backup(path);
    } catch (const StorageError& error) {
      return std::to_string(error.exit_status()) + ": " + error.what();
    }
    return "0";
  }

  ledger::SqliteJournal journal;
  ledger::Bank bank;
  std::unique_ptr<ledger::JournalReader> reader;
};

TEST_F(CopyTest, ThatCannotReadTheBankInTheMiddleIsAFaultOfTheBanksFile) {
  const TemporaryFolder elsewhere;
  const std::string copied = elsewhere.path() + "/copied";
  const std::uint64_t before = disk.reads();
  ASSERT_EQ(ending_of_copy(copied), "0");
  const std::uint64_t reads = disk.reads() - before;
  EXPECT_GT(reads, 20U);
  std::filesystem::remove(copied);
  for (std::uint64_t done = 0; done < reads; ++done) {
    reader = journal.open_reader();  // What another one has read it has in memory.
    disk.fail_reads(done);
    const std::string told = ending_of_copy(copied);
    disk.fail_reads(std::nullopt);
    if (told == "0") break;  // It reads less than the first one did.
    EXPECT_TRUE(told.starts_with("74: cannot read ") &&
                told.contains(mount.folder() + "/bank.db: "))
        << "after " << done << " reads: " << told;
    EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path())) << "after " << done << " reads";
  }
  std::filesystem::remove(copied);
  EXPECT_EQ(ending_of_copy(copied), "0");
}

TEST_F(CopyTest, ThatCannotBeWrittenInTheMiddleIsAFaultOfItsPath) {
  Disk other;
  const TemporaryFolder elsewhere;
  const Mount there(elsewhere.path(), other);
  const std::string copied = elsewhere.path() + "/copied";
  for (const std::uint64_t writes : {0U, 1U, 10U}) {
    other.restore({});
    other.open(copied + ".partial", true);
    other.plan(Disk::Trouble::error, writes, true);
    const std::string told = ending_of_copy(copied);
    EXPECT_EQ(told, "73: cannot create " + copied + ": disk I/O error");
    EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path()));
  }
}

TEST_F(PowerLossTest, TheAtmsJournalLosesNothingThatWasAcknowledged) {
  AtmScript script(20, 10);
  const int cases = lose_power_everywhere(script, 1);
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 500);
}

TEST_F(PowerLossTest, NorWhileTheAtmsJournalMovesItsWalIntoTheDatabase) {
  AtmScript script(150, 40'000);
  const int cases = lose_power_everywhere(script, 83);
  RecordProperty("cases", cases);
  EXPECT_GT(cases, 100);
}

TEST_F(PowerLossTest, AnErrorOfTheDiskLosesNothingOfTheBanks) {
  BankScript script;
  EXPECT_GT(fail_everywhere(script, false), 100);
  EXPECT_GT(fail_everywhere(script, true), 100);
}

TEST_F(PowerLossTest, AnErrorOfTheDiskLosesNothingOfTheAtms) {
  AtmScript script(20, 10);
  EXPECT_GT(fail_everywhere(script, false), 100);
  EXPECT_GT(fail_everywhere(script, true), 100);
}

// The thread beside the one that writes may have seen it fail.
TEST_F(PowerLossTest, ASyncThatFailsLeavesTheLogForTheNextStart) {
  {
    ledger::SqliteJournal journal(mount.folder() + "/bank.db");
    ledger::Bank bank(journal, std::chrono::microseconds(0));
    bank.must(ledger::OpenAccount{.account = "jane", .currency = ledger::eur});
    bank.leaves_syncs = true;
    bank.must(ledger::OpenAccount{.account = "john", .currency = ledger::eur});
    disk.plan(Disk::Trouble::error, 0, false);
    EXPECT_THROW(journal.sync(), StorageError);
  }
  EXPECT_TRUE(disk.survivors(Loss::nothing, random).contains(mount.folder() + "/bank.db-wal"));
}

// The test of the test: a disk that tells syncs as done, and does not do them, loses what was acknowledged.
TEST_F(PowerLossTest, ADiskThatLiesAboutSyncsIsSeenToLose) {
  disk.ignores_syncs = true;
  BankScript script;
  script.run(mount.folder(), acknowledged);
  disk.power_off();
  disk.power_on(Loss::all, random);
  EXPECT_EQ(script.look(mount.folder()), 0);
  EXPECT_GT(acknowledged, 0);
}

}  // namespace
}  // namespace sim
