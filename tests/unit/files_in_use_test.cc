// What is done to a bank's files while it runs: nothing that was acknowledged is lost without anybody being told.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::HasSubstr;

class FilesInUseTest : public BankFileTest {
 protected:
  static std::string contents_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Into the file that is there, and no shorter: as rsync --inplace does.
  static void write_over(const std::string& path, const std::string& bytes) {
    std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << bytes;
  }
  std::string log_is_lost() const {
    return "74: cannot write " + file + ": something was written over " + file +
           "-wal, or cut off it";
  }
  void open_accounts(Bank& bank, int count) const {
    for (int number = 0; number < count; ++number) open_account(bank);
  }

  std::string log = file + "-wal";
};

// Each takes what was acknowledged out of the log of a bank that runs.
struct Damage {
  const char* name;
  std::function<void(const std::string& log, const std::string& old)> done;
};
const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"emptied", [](const std::string& log, auto&) { std::ofstream(log).close(); }},
      {"cut behind its first frame",
       [](const std::string& log, auto&) { fs::resize_file(log, 32 + 24 + 4096); }},
      {"an older one copied over it",
       [](const std::string& log, const std::string& old) {
         fs::copy_file(old, log, fs::copy_options::overwrite_existing);
       }},
      {"emptied and made as long again",
       [](const std::string& log, auto&) {
         const std::uintmax_t size = fs::file_size(log);
         fs::resize_file(log, 0);
         fs::resize_file(log, size);
       }},
  };
  return all;
}

TEST_F(FilesInUseTest, NothingIsAcknowledgedOrWrittenBehindAGapInTheLog) {
  const std::string old = directory.file("old");
  for (const Damage& damage : damages()) {
    for (const bool is_tidied : {false, true}) {
      for (const std::string_view next : {"change", "tables", "checkpoint", "upkeep", "stop"}) {
        if (is_tidied && next == "upkeep") continue;  // There is none any more.
        for (const char* const part : {"", "-wal", "-shm"}) fs::remove(file + part);
        std::map<std::string, std::size_t> before;
        {
          SqliteJournal journal(file);
          Bank bank(journal, 10s);
          open_accounts(bank, 3);
          if (is_tidied) bank.project();
          if (is_tidied) journal.tidy(true);
          fs::copy_file(log, old, fs::copy_options::overwrite_existing);
          open_accounts(bank, 2);
          damage.done(log, old);
          before = bytes();
          const std::string told = ending_of([&] {
            if (next == "change") open_account(bank);
            if (next == "tables") bank.project();
            if (next == "checkpoint") journal.tidy(true);
            if (next == "upkeep") journal.tidy(false);
            if (next == "stop") journal.require_in_place();
          });
          EXPECT_THAT(told, HasSubstr(log_is_lost())) << damage.name << next << is_tidied;
        }
        EXPECT_EQ(bytes(), before) << damage.name << next << is_tidied;
        if (fs::file_size(log) == 0) {
          EXPECT_THAT(starting(file), HasSubstr(log + " is missing or empty")) << next;
        }
      }
    }
  }
}

// The log has a longer size than its frames, and the copy has the same.
TEST_F(FilesInUseTest, AnOlderLogOfTheSameSizeIsNoticed) {
  for (const bool has_checkpoint_between : {false, true}) {
    SqliteJournal journal(file, 1 << 20);
    Bank bank(journal, 10s);
    open_account(bank);
    while (journal.tidy(true)) {
    }
    open_accounts(bank, 3);
    const std::string old = contents_of(log);
    open_account(bank);
    bank.project();
    if (has_checkpoint_between) journal.tidy(true);
    open_account(bank);
    EXPECT_EQ(old.size(), fs::file_size(log));
    write_over(log, old);
    EXPECT_THAT(ending_of([&] { open_account(bank); }), HasSubstr(log_is_lost()));
    for (const char* const part : {"", "-wal", "-shm"}) fs::remove(file + part);
  }
}

TEST_F(FilesInUseTest, ALogThatLostItsLastByteIsNoticed) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  open_accounts(bank, 60);  // More than the log had before its first checkpoint.
  fs::resize_file(log, fs::file_size(log) - 1);
  EXPECT_THAT(ending_of([&] { open_account(bank); }), HasSubstr(log_is_lost()));
}

TEST_F(FilesInUseTest, ALogThatIsEmptiedWhileAChangeIsMadeIsNoticedBeforeAnybodyIsTold) {
  Database database(file, Database::Access::read_write);
  database.open_schema(1, 1, "CREATE TABLE cat (name TEXT)");
  database.execute("INSERT INTO cat VALUES ('Tom')");
  database.require_in_place();
  Transaction transaction(database);
  database.execute("INSERT INTO cat VALUES ('Tim')");
  std::ofstream(log).close();
  EXPECT_EQ(ending_of([&] { transaction.commit(); }), "0") << "SQLite notices nothing";
  EXPECT_THAT(ending_of([&] { database.require_in_place(); }), HasSubstr(log_is_lost()));
}

// The bank goes on with the one that it has open, and another program makes a new one.
TEST_F(FilesInUseTest, WhoRemovesTheIndexOfTheLogLosesNothing) {
  killed_after([this](SqliteJournal& journal, Bank& bank) {
    for (int step = 0; step < 12; ++step) {
      open_account(bank);
      fs::remove(file + "-shm");
      if (step % 2 == 1) ask_sqlite("SELECT count(*) FROM journal");
      if (step % 3 == 1) bank.project();
      if (step % 4 == 2) journal.open_reader()->backup(directory.file(std::to_string(step)));
      if (step % 5 == 2) journal.tidy(true);
    }
  });
  EXPECT_EQ(verifying(file), "0");
  EXPECT_EQ(records_in(file), 12U);
  EXPECT_EQ(verify(directory.file("10")).head.ledger_seq, 11U);
}

// It moves the log into the file, or reads, and nothing is lost.
TEST_F(FilesInUseTest, AnotherProgramThatUsesTheFileStopsNoBank) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  for (int step = 0; step < 20; ++step) {
    open_account(bank);
    if (step % 3 == 0) ask_sqlite("PRAGMA wal_checkpoint(PASSIVE)");
    if (step % 3 == 1) ask_sqlite("PRAGMA wal_checkpoint(RESTART)");
    if (step % 3 == 2) ask_sqlite("SELECT count(*) FROM journal");
    if (step % 5 == 2) bank.project();
    if (step % 7 == 2) journal.tidy(true);
  }
  EXPECT_EQ(bank.books().last_seq(), 20U);
}

// `cp` writes into the file that is there: as when a backup is restored while the bank runs.
TEST_F(FilesInUseTest, AChangeIsNotAcknowledgedWhenAnotherFileWasCopiedOverTheBanks) {
  const std::string backup = directory.file("backup.db");
  const std::string stopped = directory.file("stopped.db");
  const std::string running = directory.file("running.db");
  const std::string other = directory.file("other.db");
  std::ofstream(other) << "no database";
  EXPECT_EQ(starting(file), "0");
  fs::copy_file(file, stopped);
  for (const std::string& copy : {backup, stopped, running, other}) {
    for (const bool is_tidied : {false, true}) {
      const std::string path =
          directory.file(std::string(is_tidied ? "t" : "f") + fs::path(copy).filename().string());
      fs::copy_file(stopped, path);
      std::map<std::string, std::size_t> before;
      {
        SqliteJournal journal(path);
        Bank bank(journal, 10s);
        fs::copy_file(path, running, fs::copy_options::overwrite_existing);
        fs::remove(backup);
        journal.open_reader()->backup(backup);
        for (int count = 0; count < 3; ++count) open_account(bank);
        journal.tidy(true);
        if (!is_tidied) open_account(bank);
        fs::copy_file(copy, path, fs::copy_options::overwrite_existing);
        EXPECT_THAT(ending_of([&] { open_account(bank); }),
                    HasSubstr("74: cannot write " + path + ": something was written over it"))
            << copy;
        before = bytes();
      }
      EXPECT_EQ(bytes(), before) << "neither file is touched again";
      EXPECT_THAT(starting(path), testing::Not("0"));
    }
  }
}

TEST_F(FilesInUseTest, NothingIsMovedIntoAFileThatWasCopiedOverTheBanks) {
  const std::string copy = directory.file("copy.db");
  EXPECT_EQ(starting(file), "0");
  fs::copy_file(file, copy);
  std::map<std::string, std::size_t> before;
  {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    for (int count = 0; count < 3; ++count) open_account(bank);
    journal.tidy(true);
    open_account(bank);
    fs::copy_file(copy, file, fs::copy_options::overwrite_existing);
    before = bytes();
    EXPECT_THAT(ending_of([&] { journal.tidy(true); }), HasSubstr("74: cannot write " + file));
    EXPECT_EQ(bytes(), before);
  }
  EXPECT_EQ(bytes(), before) << "stopped";
  EXPECT_THAT(starting(file), HasSubstr(file + "-wal holds changes of another database"));
}

TEST_F(FilesInUseTest, WhatChangesNothingInTheFileStopsNobody) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  for (int step = 0; step < 60; ++step) {
    open_account(bank);
    if (step % 3 == 0) fs::last_write_time(file, fs::file_time_type::clock::now() - 1h);
    if (step % 4 == 1) fs::permissions(file, step % 8 == 1 ? fs::perms(0640) : fs::perms(0600));
    if (step % 5 == 2) fs::create_hard_link(file, directory.file(std::to_string(step)));
    if (step % 7 == 3) bank.project();
    if (step % 7 == 5) journal.tidy(true);
    if (step % 11 == 6) journal.open_reader()->backup(directory.file(std::to_string(step) + "b"));
    if (step % 13 == 7) fs::copy_file(file, directory.file(std::to_string(step) + "c"));
  }
  EXPECT_EQ(bank.books().last_seq(), 60U);
}

TEST_F(FilesInUseTest, ThereIsNoBackupOfAFileThatAnotherWasCopiedOver) {
  const std::string stopped = directory.file("stopped.db");
  const std::string backup = directory.file("backup.db");
  const std::string running = directory.file("running.db");
  const std::string target = directory.file("target.db");
  EXPECT_EQ(starting(file), "0");
  fs::copy_file(file, stopped);
  for (const std::string& copy : {stopped, backup, running}) {
    for (const bool is_tidied : {false, true}) {
      for (const bool has_read : {false, true}) {
        const std::string path = directory.file("bank of its own.db");
        fs::copy_file(stopped, path);
        {
          SqliteJournal journal(path);
          Bank bank(journal, 10s);
          const std::unique_ptr<JournalReader> reader = journal.open_reader();
          fs::copy_file(path, running, fs::copy_options::overwrite_existing);
          fs::remove(backup);
          reader->backup(backup);
          open_accounts(bank, 3);
          bank.project();
          journal.tidy(true);
          if (!is_tidied) open_account(bank);
          if (has_read) reader->find(Bank::id_at(noon, 1));
          fs::copy_file(copy, path, fs::copy_options::overwrite_existing);
          const std::string told = ending_of([&] { reader->backup(target); });
          EXPECT_THAT(told,
                      HasSubstr("74: cannot read " + path + ": something was written over it"))
              << copy << is_tidied << has_read;
          EXPECT_FALSE(fs::exists(target)) << copy;
          EXPECT_THAT(ending_of([&] { journal.require_in_place(); }),
                      HasSubstr("74: cannot write " + path + ": something was written over it"));
        }
        for (const char* const part : {"", "-wal", "-shm"}) fs::remove(path + part);
        fs::remove(target);
      }
    }
  }
}

TEST_F(FilesInUseTest, BackupsThatAreMadeWhileTheLogIsMovedAreSound) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  open_account(bank);
  std::atomic<bool> is_done = false;
  std::string told = "0";
  int made = 0;
  std::thread beside([&, reader = journal.open_reader()] {
    for (; !is_done && told == "0"; ++made) {
      const std::string path = directory.file("b" + std::to_string(made));
      told = ending_of([&] { reader->backup(path, 1); });
    }
  });
  for (int count = 0; count < 300; ++count) {
    open_account(bank);
    if (count % 2 == 0) bank.project();
    if (count % 3 == 0) journal.tidy(true);
  }
  is_done = true;
  beside.join();
  EXPECT_EQ(told, "0");
  EXPECT_GT(made, 0);
  for (int number = 0; number < made; ++number) {
    EXPECT_EQ(verifying(directory.file("b" + std::to_string(number))), "0") << number;
  }
}

TEST_F(FilesInUseTest, ABackupWithoutWhatWasAcknowledgedIsNone) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  open_accounts(bank, 3);
  const std::string backup = directory.file("backup.db");
  const std::unique_ptr<JournalReader> reader = journal.open_reader();
  EXPECT_THAT(ending_of([&] { reader->backup(backup, 4); }), HasSubstr("74: cannot read " + file));
  EXPECT_FALSE(fs::exists(backup));
  EXPECT_EQ(reader->backup(backup, 3).ledger_seq, 3U);
}

// A crash leaves both names of a backup that it has just finished; then its own is another.
TEST_F(FilesInUseTest, ABackupWritesIntoNoFileThatHasAnotherName) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  const std::unique_ptr<JournalReader> reader = journal.open_reader();
  const std::string backup = directory.file("backup.db");
  const std::string kept = directory.file("kept.db");
  reader->backup(kept);
  open_account(bank);
  for (const std::string& other : {kept, file}) {
    const std::string before = contents_of(other);
    fs::create_hard_link(other, backup + ".partial");
    EXPECT_EQ(ending_of([&] { reader->backup(backup); }), "0");
    EXPECT_EQ(contents_of(other), before);
    EXPECT_EQ(verify(backup).head.ledger_seq, 1U);
    fs::remove(backup);
  }
  // SQLite's locks are there still: this one is not the last.
  ask_sqlite("SELECT count(*) FROM journal");
  EXPECT_TRUE(fs::exists(log));
  open_account(bank);
}

TEST_F(FilesInUseTest, ABackupIsNotMadeUnderAnyNameOfTheBanksFile) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  open_account(bank);
  fs::create_hard_link(file, directory.file("hard.db"));
  fs::create_symlink(file, directory.file("symbolic.db"));
  for (const std::string name : {"bank.db", "hard.db", "symbolic.db", "./bank.db"}) {
    EXPECT_THAT(ending_of([&] { journal.open_reader()->backup(directory.file(name)); }),
                HasSubstr("it exists already"));
  }
  open_account(bank);
  EXPECT_EQ(bank.books().last_seq(), 2U);
}

TEST_F(FilesInUseTest, ABankWhoseFolderIsRenamedSaysNoFurtherYesAndLosesNothing) {
  const std::string folder = directory.file("folder");
  const std::string away = directory.file("away");
  fs::create_directory(folder);
  {
    SqliteJournal journal(folder + "/bank.db");
    Bank bank(journal, 10s);
    open_account(bank);
    fs::rename(folder, away);
    EXPECT_THAT(ending_of([&] { open_account(bank); }), HasSubstr("74: cannot write "));
  }
  EXPECT_EQ(records_in(away + "/bank.db"), 2U) << "of the last one nobody was told";
}

TEST(FileStateTest, AWriteOfTheSameStepOfACoarseClockIsNotTakenForNone) {
  using std::chrono::system_clock;
  const system_clock::time_point written(std::chrono::seconds(1'000'000'000));
  // Clocks of nanoseconds, of a second, of two.
  for (const auto step :
       {std::chrono::nanoseconds(1), std::chrono::nanoseconds(1s), std::chrono::nanoseconds(2s)}) {
    const auto stamp_of = [step](system_clock::time_point at) {
      return std::chrono::nanoseconds(at.time_since_epoch()) / step * step.count();
    };
    for (auto age = 0ms; age < 5s; age += 100ms) {
      const FileState seen{.identity = {}, .changed_at = stamp_of(written + 300ms)};
      const system_clock::time_point now = written + 300ms + age;
      if (!seen.shows_writes_after(now)) continue;
      EXPECT_NE(stamp_of(now), seen.changed_at) << age.count();
    }
    EXPECT_TRUE((FileState{.identity = {}, .changed_at = stamp_of(written)})
                    .shows_writes_after(written + 5s));
  }
}

}  // namespace
}  // namespace ledger
