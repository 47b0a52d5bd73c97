// That a database and its log belong together, and that neither is missing.
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Another program with a connection to the bank's file, as sqlite3 is.
class OtherProgram {
 public:
  explicit OtherProgram(const std::string& file) {
    EXPECT_EQ(sqlite3_open(file.c_str(), &handle_), SQLITE_OK);
  }
  OtherProgram(const OtherProgram&) = delete;
  OtherProgram& operator=(const OtherProgram&) = delete;
  ~OtherProgram() { EXPECT_EQ(sqlite3_close(handle_), SQLITE_OK); }

  void run(const char* sql) {
    EXPECT_EQ(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  }
  sqlite3* handle() const { return handle_; }
  void begin_to_read() { run("BEGIN; SELECT count(*) FROM journal"); }
  // As sqlite3's `.backup` does.
  void copy_to(const std::string& path) {
    OtherProgram to(path);
    sqlite3_backup* const copy = sqlite3_backup_init(to.handle_, "main", handle_, "main");
    EXPECT_EQ(sqlite3_backup_step(copy, -1), SQLITE_DONE);
    EXPECT_EQ(sqlite3_backup_finish(copy), SQLITE_OK);
  }

 private:
  sqlite3* handle_ = nullptr;
};

void flip(const std::string& path, int place, int bits) {
  std::fstream stream(path, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(place);
  const int byte = stream.get() ^ bits;
  stream.seekp(place);
  stream.put(static_cast<char>(byte));
  EXPECT_TRUE(stream.good());
}

// Copies of a bank at every step of its log, each made by `cp` and by another program. Another one reads now and then, so that the
// log can not be moved whole.
class OwnLogTest : public BankFileTest {
 protected:
  static constexpr std::uint64_t accounts = 200;  // On several pages.
  static constexpr int steps = 23;

  std::string copy_of(const char* maker, int step) const {
    return directory.file("copies/" + std::string(maker) + " " + std::to_string(step) + ".db");
  }
  static std::uint64_t records_at(int step) { return accounts + static_cast<std::uint64_t>(step); }

  static void open_wide_account(Bank& bank) {
    const std::uint64_t number = bank.books().last_seq() + 1;
    const OpenAccount open{.account = "a" + std::to_string(number),
                           .customer_name = std::string(60, 'x'),
                           .currency = eur};
    EXPECT_EQ(word(bank.ask(open, Bank::id_at(noon, number))), "yes");
  }
  // Each changes rows on pages of its own.
  static void fund(Bank& bank, int step) {
    const std::string target = "a" + std::to_string(1 + step * 37 % static_cast<int>(accounts));
    EXPECT_EQ(word(bank.ask(Post{.kind = TransferKind::fund,
                                 .target = target,
                                 .amount = Cents{1'00},
                                 .currency = eur},
                            Bank::id_at(noon, bank.books().last_seq() + 1))),
              "yes");
  }
  // Killed at the end, with changes that only the log has.
  void kill_after_copies() const {
    fs::create_directory(directory.file("copies"));
    killed_after([this](SqliteJournal& journal, Bank& bank) {
      for (std::uint64_t count = 0; count < accounts; ++count) open_wide_account(bank);
      std::optional<OtherProgram> reader;
      for (int step = 0; step < steps; ++step) {
        fs::copy_file(file, copy_of("cp", step));
        OtherProgram(file).copy_to(copy_of("backup", step));
        fund(bank, step);
        if (step % 2 == 1) bank.project();
        if (step % 7 == 2) reader.emplace(file).begin_to_read();
        if (step % 3 == 2) journal.tidy(true);
        if (step % 7 == 4) {
          reader->run("COMMIT");
          reader.reset();
        }
      }
    });
  }
};

TEST_F(OwnLogTest, ACopyOfAnyTimeIsRefusedBesideTheLogOrHasEverythingWithIt) {
  kill_after_copies();
  const std::string log = directory.file("log");
  fs::copy_file(file + "-wal", log);
  int refused = 0;
  for (int step = 0; step < steps; ++step) {
    for (const char* const maker : {"cp", "backup"}) {
      fs::copy_file(copy_of(maker, step), file, fs::copy_options::overwrite_existing);
      fs::copy_file(log, file + "-wal", fs::copy_options::overwrite_existing);
      const std::string verified = verifying(file);
      if (verified == "0") {
        EXPECT_EQ(records_in(file), records_at(steps)) << maker << step;
      } else {
        ++refused;
        EXPECT_THAT(verified, HasSubstr(file + "-wal holds changes of another database"))
            << maker << step;
        EXPECT_EQ(starting(file), verified);
      }
    }
  }
  EXPECT_GT(refused, steps);
  EXPECT_LT(refused, 2 * steps) << "the last copies are of this log";
}

// A folder that is copied while its bank runs, in whatever order.
TEST_F(OwnLogTest, AFileAndALogOfAnyTwoTimesAreRefusedOrHaveEverythingOfTheLogsTime) {
  constexpr int times = 13;
  fs::create_directory(directory.file("copies"));
  killed_after([this](SqliteJournal& journal, Bank& bank) {
    for (std::uint64_t count = 0; count < accounts; ++count) open_wide_account(bank);
    bank.project();
    for (int step = 0; step < times; ++step) {
      fs::copy_file(file, copy_of("cp", step));
      fs::copy_file(file + "-wal", copy_of("log", step));
      fund(bank, step);
      if (step % 2 == 1) bank.project();
      if (step % 4 == 3) journal.tidy(true);
    }
  });
  int sound = 0;
  std::array<int, 2> refused{};
  for (int file_step = 0; file_step < times; ++file_step) {
    for (int log_step = 0; log_step < times; ++log_step) {
      fs::copy_file(copy_of("cp", file_step), file, fs::copy_options::overwrite_existing);
      fs::copy_file(copy_of("log", log_step), file + "-wal", fs::copy_options::overwrite_existing);
      const std::string verified = verifying(file);
      if (verified == "0") {
        ++sound;
        EXPECT_EQ(records_in(file), records_at(log_step)) << file_step << ' ' << log_step;
      } else {
        EXPECT_THAT(verified, StartsWith("65: ")) << file_step << ' ' << log_step;
        EXPECT_EQ(starting(file), verified);
        ++refused[verified.contains("is older than it") ? 1 : 0];
      }
    }
  }
  EXPECT_GE(sound, times);
  EXPECT_THAT(refused, testing::Each(testing::Gt(times))) << "for either reason";
}

TEST_F(OwnLogTest, ACopyOfAnyTimeIsRefusedAloneOrHasEverythingOfThatTime) {
  kill_after_copies();
  for (int step = 0; step < steps; ++step) {
    EXPECT_EQ(verifying(copy_of("backup", step)), "0") << step;
    EXPECT_EQ(records_in(copy_of("backup", step)), records_at(step));
    const std::string copy = copy_of("cp", step);
    EXPECT_THAT(verifying(copy), HasSubstr(copy + "-wal is missing")) << step;
    EXPECT_EQ(starting(copy), verifying(copy));
  }
}

// The log goes on or not, and is removed by the bank or by the other program.
TEST_F(OwnLogTest, ABankThatIsStoppedWhileAnotherProgramReadsStartsAgain) {
  std::uint64_t records = 0;
  for (const bool has_begun : {false, true}) {
    for (const bool has_seen_all : {false, true}) {
      {
        std::optional<OtherProgram> reader;
        {
          SqliteJournal journal(file);
          Bank bank(journal, 10s);
          open_account(bank);
          reader.emplace(file);
          if (has_begun) reader->begin_to_read();
          if (!has_seen_all) open_account(bank);
          records = bank.books().last_seq();
        }
        if (has_begun) reader->run("COMMIT");
      }
      EXPECT_FALSE(fs::exists(file + "-wal")) << "the other program moves and removes it";
      EXPECT_EQ(verifying(file), "0");
      EXPECT_EQ(records_in(file), records) << has_begun << has_seen_all;
    }
  }
}

TEST_F(OwnLogTest, AStoppedBankIsCopiedAloneWhileAnotherProgramHasItOpen) {
  EXPECT_EQ(starting(file), "0");
  OtherProgram reader(file);
  reader.run("SELECT count(*) FROM journal");
  for (int step = 0; step < 3; ++step) {
    {
      SqliteJournal journal(file);
      Bank bank(journal, 10s);
      open_account(bank);
    }
    const std::string copy = directory.file(std::to_string(step) + ".db");
    fs::copy_file(file, copy);
    EXPECT_EQ(records_in(copy), static_cast<std::uint64_t>(step) + 1);
  }
}

TEST_F(OwnLogTest, ATableThatTellsOfTheLogAndIsDamagedAwayIsDamage) {
  for (const bool has_log : {false, true}) {
    for (const char* const damage :
         {"DROP TABLE log", "DELETE FROM log", "UPDATE log SET file_epoch = x'00'",
          "UPDATE log SET row_check = row_check + 1",
          "DROP TABLE log; CREATE TABLE log (one INTEGER PRIMARY KEY)", "DROP TABLE journal"}) {
      fs::remove(file);
      fs::remove(file + "-wal");
      fs::remove(file + "-shm");
      EXPECT_EQ(starting(file), "0");
      OtherProgram other(file);
      sqlite3_exec(other.handle(), "PRAGMA wal_autocheckpoint=0", nullptr, nullptr, nullptr);
      other.run(damage);
      const std::string copy = directory.file("copy.db");
      fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
      fs::copy_file(file + "-wal", copy + "-wal", fs::copy_options::overwrite_existing);
      if (!has_log) OtherProgram(copy).run("SELECT count(*) FROM sqlite_schema");
      EXPECT_EQ(fs::exists(copy + "-wal"), has_log);
      EXPECT_THAT(verifying(copy), HasSubstr("65: " + copy + " is damaged: ")) << damage;
      EXPECT_THAT(starting(copy), HasSubstr("65: " + copy + " is damaged: ")) << damage;
      fs::remove(copy + "-wal");
    }
  }
}

// What SQLite reads there without a word may keep it from writing.
TEST_F(OwnLogTest, ABankGoesOnWhateverItsHeaderSaysIfThatIsVerified) {
  constexpr int header_size = 100;
  killed_after([](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.tidy(true);
    open_account(bank);
  });
  const std::string copy = directory.file("copy.db");
  const auto go_on = [&] {
    SqliteJournal journal(copy);
    Bank bank(journal, 10s);
    open_account(bank);
    bank.project();
    journal.tidy(true);
  };
  OtherProgram(file).run("SELECT count(*) FROM sqlite_schema");
  EXPECT_FALSE(fs::exists(file + "-wal"));
  int served = 0;
  for (int place = 0; place < header_size; ++place) {
    for (const int flipped : {0x01, 0xff}) {
      fs::copy_file(file, copy, fs::copy_options::overwrite_existing);
      flip(copy, place, flipped);
      if (verifying(copy) != "0") continue;
      ++served;
      EXPECT_EQ(ending_of(go_on), "0") << "byte " << place << " flipped by " << flipped;
      EXPECT_EQ(verifying(copy), "0") << "byte " << place << " flipped by " << flipped;
    }
  }
  EXPECT_GE(served, header_size / 2);
}

// A copy of an earlier time, made by the bank or by hand while the bank stood still.
TEST_F(OwnLogTest, AnOldCopyIsNotMixedWithTheChangesOfACrashedBank) {
  const std::string backup = directory.file("backup.db");
  const std::string by_hand = directory.file("by hand.db");
  {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    open_account(bank);
    bank.project();
    journal.open_reader()->backup(backup);
  }
  fs::copy_file(file, by_hand);
  killed_after([](SqliteJournal& journal, Bank& bank) {
    for (int count = 0; count < 60; ++count) open_account(bank);
    bank.project();
    journal.tidy(true);
    for (int count = 0; count < 3; ++count) open_account(bank);
  });
  const std::string last = directory.file("last.db");
  fs::copy_file(file, last);
  for (const std::string& copy : {backup, by_hand}) {
    fs::copy_file(copy, file, fs::copy_options::overwrite_existing);
    const auto before = bytes();
    EXPECT_THAT(starting(file), AllOf(HasSubstr("65: cannot open " + file),
                                      HasSubstr(file + "-wal holds changes of another database")))
        << copy;
    EXPECT_EQ(verifying(file), starting(file)) << copy;
    EXPECT_EQ(bytes(), before);
  }
  fs::copy_file(last, file, fs::copy_options::overwrite_existing);
  EXPECT_EQ(records_in(file), 64U) << "put back, it has everything";
}

TEST_F(OwnLogTest, ABankIsNotTakenForAnotherAtAnyStateOfItsLog) {
  for (int count = 0; count < 12; ++count) {
    killed_after([count](SqliteJournal& journal, Bank& bank) {
      for (int step = 0; step < count; ++step) {
        open_account(bank);
        if (step % 2 == 1) bank.project();
        if (step % 3 == 2) journal.tidy(true);
        if (step % 5 == 4) bank.project();
      }
    });
    EXPECT_EQ(starting(file), "0") << count;
  }
}

// Under another name it looks for another log.
TEST_F(OwnLogTest, ACrashedBankIsNotOpenedWithoutItsLog) {
  for (const bool is_tidied : {false, true}) {
    killed_after([is_tidied](SqliteJournal& journal, Bank& bank) {
      for (int count = 0; count < 30; ++count) open_account(bank);
      if (is_tidied) journal.tidy(true);
      if (is_tidied) open_account(bank);
    });
    const std::string hard_link = directory.file("hard.db");
    const std::string copy = directory.file("copy.db");
    const std::string log = directory.file("log");
    fs::create_hard_link(file, hard_link);
    fs::copy_file(file, copy);
    fs::rename(file + "-wal", log);
    const auto before = bytes();
    for (const std::string& name : {file, hard_link, copy}) {
      EXPECT_THAT(starting(name), AllOf(HasSubstr("65: cannot open " + name + ": "),
                                        HasSubstr(name + "-wal is missing")));
      EXPECT_EQ(verifying(name), starting(name));
    }
    EXPECT_EQ(bytes(), before);
    fs::remove(hard_link);
    fs::remove(copy);
    fs::rename(log, file + "-wal");
  }
  EXPECT_EQ(records_in(file), 61U) << "put back, it has everything";
  fs::copy_file(file, directory.file("moved.db"));
  EXPECT_EQ(records_in(directory.file("moved.db")), 61U) << "a bank that was stopped has no log";
}

TEST_F(OwnLogTest, ABankThatHasChangedNothingSinceItsStartNeedsNoLog) {
  killed_after([](SqliteJournal&, Bank& bank) { open_account(bank); });
  EXPECT_EQ(records_in(file), 1U);
  killed_after([](SqliteJournal&, Bank&) {});
  fs::remove(file + "-wal");
  EXPECT_EQ(records_in(file), 1U);
  killed_after([](SqliteJournal&, Bank& bank) { open_account(bank); });
  fs::remove(file + "-wal");
  EXPECT_THAT(starting(file), HasSubstr("-wal is missing or empty"));
}

TEST_F(OwnLogTest, ABankWhoseFirstChangeMetAReaderNeedsItsLogFromTheNextOn) {
  EXPECT_EQ(starting(file), "0");
  killed_after([this](SqliteJournal&, Bank& bank) {
    OtherProgram reader(file);
    reader.begin_to_read();
    open_account(bank);
    reader.run("COMMIT");
    open_account(bank);
  });
  fs::remove(file + "-wal");
  EXPECT_THAT(starting(file), HasSubstr("-wal is missing or empty"));
}

TEST_F(OwnLogTest, ARunningBankIsNotCopiedWithoutItsLog) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  for (int step = 0; step < 3; ++step) {
    const std::string copy = directory.file(std::to_string(step) + ".db");
    fs::copy_file(file, copy);
    EXPECT_THAT(starting(copy), HasSubstr(copy + "-wal is missing")) << step;
    fs::copy_file(file + "-wal", copy + "-wal");
    EXPECT_EQ(verifying(copy), "0") << step;
    EXPECT_EQ(starting(copy), "0") << step;
    open_account(bank);
    if (step == 1) bank.project();
    if (step == 1) journal.tidy(true);
  }
}

TEST_F(OwnLogTest, ACrashedBankIsWholeWhenAnotherProgramHasMovedItsLogIntoIt) {
  killed_after([](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.tidy(true);
    open_account(bank);
  });
  ask_sqlite("SELECT count(*) FROM journal");
  EXPECT_FALSE(fs::exists(file + "-wal"));
  EXPECT_EQ(verifying(file), "0");
  EXPECT_EQ(records_in(file), 2U);
}

TEST_F(OwnLogTest, ABankIsOpenedWithoutItsLogWhenTheOperatorSaysSo) {
  killed_after([](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.tidy(true);
    open_account(bank);
  });
  fs::remove(file + "-wal");
  const std::string remedy = "sqlite3 '" + file + "' 'PRAGMA journal_mode=DELETE'";
  EXPECT_THAT(starting(file), AllOf(HasSubstr("65: cannot open"), HasSubstr(remedy)));
  ask_sqlite("PRAGMA journal_mode=DELETE");
  EXPECT_EQ(verifying(file), "0");
  EXPECT_EQ(records_in(file), 1U);
  EXPECT_EQ(records_in(file), 1U);
}

// Then the file is still as the run before has left it.
TEST_F(OwnLogTest, ACopyOverAFileThatNothingWasMovedIntoYetIsNoticed) {
  const std::string copy = directory.file("copy.db");
  EXPECT_EQ(starting(file), "0");
  fs::copy_file(file, copy);
  EXPECT_EQ(ending_of([&] {
              SqliteJournal journal(file);
              Bank bank(journal, 10s);
              open_account(bank);
            }),
            "0");
  OtherProgram reader(file);
  reader.begin_to_read();
  {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    open_account(bank);
    fs::copy_file(copy, file, fs::copy_options::overwrite_existing);
    EXPECT_THAT(ending_of([&] { open_account(bank); }),
                HasSubstr("74: cannot write " + file + ": something was written over it"));
  }
  reader.run("COMMIT");
}

}  // namespace
}  // namespace ledger
