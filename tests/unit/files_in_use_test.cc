// What is done to a bank's files while it runs: nothing that was acknowledged is lost without anybody being told.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::HasSubstr;

class FilesInUseTest : public BankFileTest {};

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

}  // namespace
}  // namespace ledger
