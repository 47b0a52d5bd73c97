// That a database and its log belong together, and that neither is missing.
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using OwnLogTest = BankFileTest;

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
  for (int steps = 0; steps < 12; ++steps) {
    killed_after([steps](SqliteJournal& journal, Bank& bank) {
      for (int step = 0; step < steps; ++step) {
        open_account(bank);
        if (step % 2 == 1) bank.project();
        if (step % 3 == 2) journal.tidy(true);
        if (step % 5 == 4) bank.project();
      }
    });
    EXPECT_EQ(starting(file), "0") << steps;
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

// It looks like a bank without its log; and what the operator may do about that is the same.
TEST_F(OwnLogTest, ABankIsOpenedWithoutItsLogWhenTheOperatorSaysSo) {
  for (const bool is_moved_into_it : {false, true}) {
    fs::remove(file);
    killed_after([](SqliteJournal& journal, Bank& bank) {
      open_account(bank);
      journal.tidy(true);
      open_account(bank);
    });
    if (is_moved_into_it) {
      ask_sqlite("SELECT count(*) FROM journal");
    } else {
      fs::remove(file + "-wal");
    }
    EXPECT_FALSE(fs::exists(file + "-wal"));
    const std::string remedy = "sqlite3 " + file + " 'PRAGMA journal_mode=DELETE'";
    EXPECT_THAT(starting(file), AllOf(HasSubstr("65: cannot open"), HasSubstr(remedy)));
    ask_sqlite("PRAGMA journal_mode=DELETE");
    EXPECT_EQ(verifying(file), "0");
    const std::uint64_t left = is_moved_into_it ? 2 : 1;
    EXPECT_EQ(records_in(file), left);
    EXPECT_EQ(records_in(file), left);
  }
}

// `cp` writes into the file that is there: as when a backup is restored while the bank runs.
TEST_F(OwnLogTest, AChangeIsNotAcknowledgedWhenAnotherFileWasCopiedOverTheBanks) {
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

TEST_F(OwnLogTest, NothingIsMovedIntoAFileThatWasCopiedOverTheBanks) {
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

TEST_F(OwnLogTest, WhatChangesNothingInTheFileStopsNobody) {
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

}  // namespace
}  // namespace ledger
