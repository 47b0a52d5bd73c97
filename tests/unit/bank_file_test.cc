// Whose file it is, and whether it is still there: one bank writes one file, and never what it has not looked at.
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sched.h>
#include <string>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(BankFileTest, ASecondBankFindsItInUseUnderWhateverName) {
  const std::string hard_link = directory.file("hard.db");
  const std::string symbolic_link = directory.file("symbolic.db");
  SqliteJournal journal(file);
  fs::create_hard_link(file, hard_link);
  fs::create_symlink(file, symbolic_link);
  for (const std::string& name : {file, hard_link, symbolic_link}) {
    for (const bool without_lock_file : {false, true}) {
      if (without_lock_file) fs::remove(name + ".lock");
      const std::string told = starting(name);
      EXPECT_THAT(told, AllOf(HasSubstr("73: cannot open " + name + ": it is in use by process " +
                                        std::to_string(getpid()))));
    }
  }
}

// In a child's view of the file system, which ends with the child. Where the system lets nobody
// mount, a hard link is the next best: it is the same file in another place, too.
TEST_F(BankFileTest, ASecondBankFindsItInUseWhereItIsMountedToo) {
  const SqliteJournal journal(file);
  const pid_t child = fork();
  if (child == 0) {
    const std::string other = directory.file("mounted.db");
    std::ofstream(other).close();
    const bool is_mounted =
        (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
        mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        mount(file.c_str(), other.c_str(), nullptr, MS_BIND, nullptr) == 0;
    if (!is_mounted) {
      fs::remove(other);
      fs::create_hard_link(file, other);
    }
    const std::string told = starting(other);
    _exit(told.starts_with("73: cannot open " + other + ": it is in use by process ") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(BankFileTest, AFileThatTookTheNameOfOneInUseIsNotOpenedEither) {
  SqliteJournal journal(file);
  fs::rename(file, directory.file("away.db"));
  EXPECT_THAT(starting(file), HasSubstr("73: cannot open " + file + ": it is in use by"));
}

TEST_F(BankFileTest, ADatabaseThatIsGoneIsNotMadeAnewBesideItsChanges) {
  killed_after([](SqliteJournal&, Bank& bank) {
    for (int count = 0; count < 60; ++count) open_account(bank);
  });
  for (const bool is_emptied : {false, true}) {
    const std::string away = directory.file("away.db");
    fs::rename(file, away);
    if (is_emptied) std::ofstream(file).close();
    const auto before = bytes();
    EXPECT_THAT(starting(file), AllOf(HasSubstr("73: cannot open " + file),
                                      HasSubstr(file + "-wal holds changes of it")));
    EXPECT_EQ(bytes(), before);
    fs::rename(away, file);
  }
  EXPECT_EQ(records_in(file), 60U) << "put back, it has everything";
}

TEST_F(BankFileTest, AChangeIsNotAcknowledgedWhenTheFileIsNotTheOneThatWasOpened) {
  for (const std::string lost : {"", "-wal"}) {
    for (const bool is_replaced : {false, true}) {
      const std::string path = directory.file(lost + (is_replaced ? "1.db" : "0.db"));
      SqliteJournal journal(path);
      Bank bank(journal, 10s);
      open_account(bank);
      fs::rename(path + lost, path + ".away");
      if (is_replaced) fs::copy_file(path + ".away", path + lost);
      EXPECT_THAT(ending_of([&] { open_account(bank); }),
                  HasSubstr("74: cannot write " + path +
                            ": somebody has moved, removed or "
                            "replaced " +
                            path + lost));
    }
  }
}

TEST_F(BankFileTest, AReaderThatIsOpenedLateReadsTheSameFileOrNone) {
  SqliteJournal journal(file);
  const Journal::ReaderOpener opener = journal.reader_opener();
  fs::rename(file, directory.file("away.db"));
  EXPECT_THAT(ending_of([&] { opener(); }), HasSubstr("74: cannot read " + file));
  fs::copy_file(directory.file("away.db"), file);
  EXPECT_THAT(ending_of([&] { opener(); }), HasSubstr("74: cannot read " + file));
}

TEST_F(BankFileTest, WhatTookThePlaceOfAFileInUseIsLeftAlone) {
  {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    open_account(bank);
    for (const std::string part : {"", "-wal"}) fs::remove(file + part);
    std::ofstream(file) << "another database";
    std::ofstream(file + "-wal") << "its changes";
    EXPECT_THAT(ending_of([&] { open_account(bank); }), HasSubstr("74: "));
  }
  EXPECT_EQ(fs::file_size(file), 16U);
  EXPECT_EQ(fs::file_size(file + "-wal"), 11U);
}

TEST_F(BankFileTest, NamesThatMeanSomethingElseToSqliteAreNamesOfFiles) {
  const fs::path before = fs::current_path();
  fs::current_path(directory.path());
  for (const std::string name :
       {":memory:", "file:bank.db?mode=memory", "file:a%20b.db", "a b.db"}) {
    {
      SqliteJournal journal(name);
      Bank bank(journal, 10s);
      open_account(bank);
    }
    EXPECT_GT(fs::file_size(directory.file(name)), 4096U) << name;
    EXPECT_EQ(records_in(name), 1U) << name;
    EXPECT_EQ(ending_of([&] { EXPECT_EQ(verify(name).head.ledger_seq, 1U); }), "0") << name;
  }
  fs::current_path(before);
}

TEST_F(BankFileTest, ABackupIsStartedAsABank) {
  const std::string backup = directory.file("backup.db");
  killed_after([&](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.open_reader()->backup(backup);
  });
  EXPECT_EQ(records_in(backup), 1U);
  EXPECT_EQ(records_in(backup), 1U);
}

TEST_F(BankFileTest, ABackupThatACrashCutShortIsInNobodysWay) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  open_account(bank);
  const std::string backup = directory.file("backup.db");
  std::ofstream(backup + ".partial") << std::string(100'000, 'x');
  EXPECT_EQ(ending_of([&] { journal.open_reader()->backup(backup); }), "0");
  EXPECT_FALSE(fs::exists(backup + ".partial"));
  EXPECT_EQ(verify(backup).head, journal.head());
}

TEST_F(BankFileTest, ABackupIntoAFileThatAnotherHasLockedIsNone) {
  SqliteJournal journal(file);
  const std::string backup = directory.file("backup.db");
  Database other(backup + ".partial", Database::Access::read_write);
  other.execute("PRAGMA journal_mode=DELETE; CREATE TABLE left_over (x); BEGIN IMMEDIATE");
  EXPECT_THAT(ending_of([&] { journal.open_reader()->backup(backup); }),
              HasSubstr("73: cannot create " + backup));
  EXPECT_FALSE(fs::exists(backup));
}

TEST_F(BankFileTest, ABackupWritesOverNoFileOfAnother) {
  SqliteJournal journal(file);
  const std::unique_ptr<JournalReader> reader = journal.open_reader();
  const std::string backup = directory.file("backup.db");
  const std::string other = directory.file("other");
  std::ofstream(other) << "mine";
  fs::create_symlink(other, backup + ".partial");
  EXPECT_THAT(ending_of([&] { reader->backup(backup); }), HasSubstr("73: cannot create " + backup));
  fs::remove(backup + ".partial");
  fs::create_directory(backup + ".partial");
  EXPECT_THAT(ending_of([&] { reader->backup(backup); }), HasSubstr("73: cannot create " + backup));
  fs::remove(backup + ".partial");
  // Another backup at this moment.
  std::ofstream(backup + ".partial") << "half";
  const int descriptor = open((backup + ".partial").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(flock(descriptor, LOCK_EX), 0);
  EXPECT_THAT(ending_of([&] { reader->backup(backup); }), HasSubstr("73: cannot create " + backup));
  close(descriptor);
  EXPECT_EQ(fs::file_size(backup + ".partial"), 4U);
  // A link to a file that is not there is a name that is taken.
  fs::create_symlink(directory.file("nowhere"), backup);
  EXPECT_THAT(ending_of([&] { reader->backup(backup); }), HasSubstr("it exists already"));
  EXPECT_EQ(fs::file_size(other), 4U);
}

// SQLite would take it for its own beside another file, and remove it.
TEST_F(BankFileTest, NothingIsMadeUnderANameThatBelongsBesideADatabase) {
  SqliteJournal journal(file);
  const std::unique_ptr<JournalReader> reader = journal.open_reader();
  const auto before = bytes();
  for (const std::string ending : {"-journal", "-wal", "-shm", ".lock", ".partial"}) {
    for (const std::string& name : {file + ending, directory.file("other.db") + ending}) {
      EXPECT_THAT(ending_of([&] { reader->backup(name); }),
                  HasSubstr("73: cannot create " + name + ": "))
          << name;
    }
    const std::string name = directory.file("other.db") + ending;
    EXPECT_THAT(starting(name), HasSubstr("73: cannot open " + name + ": "));
  }
  EXPECT_EQ(bytes(), before);
  const std::string backup = directory.file("a-wal of the bank.db");
  EXPECT_EQ(ending_of([&] { reader->backup(backup); }), "0");
}

TEST_F(BankFileTest, ABackupWhoseNameCannotBeSyncedIsNone) {
  const std::string folder = directory.file("hidden");
  fs::create_directory(folder);
  ASSERT_EQ(chmod(directory.path().c_str(), 0777), 0);
  ASSERT_EQ(chmod(folder.c_str(), 0333), 0);  // Written by all, opened by none.
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65534) != 0) _exit(1);
    SqliteJournal journal(file);
    const std::string told =
        ending_of([&] { journal.open_reader()->backup(folder + "/backup.db"); });
    _exit(told.starts_with("73: cannot create " + folder + "/backup.db: cannot sync " + folder)
              ? 0
              : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(chmod(folder.c_str(), 0777), 0);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(BankFileTest, AnotherProgramsDatabaseIsNotTouched) {
  {
    Database other(file, Database::Access::exclusive);
    other.execute("PRAGMA journal_mode=DELETE; CREATE TABLE diary (day TEXT)");
  }
  const auto before = bytes();
  EXPECT_THAT(starting(file), HasSubstr("73: cannot open " + file + ": it is another program's"));
  EXPECT_EQ(bytes(), before);
}

TEST_F(BankFileTest, EveryFileIsItsOwnersAlone) {
  const mode_t before = umask(0);
  {
    SqliteJournal journal(file);
    Bank bank(journal, 10s);
    open_account(bank);
    journal.open_reader()->backup(directory.file("backup.db"));
    for (const std::string part : {"", "-wal", "-shm", ".lock"}) {
      EXPECT_EQ(mode_of(file + part), 0600U) << part;
    }
  }
  EXPECT_EQ(mode_of(directory.file("backup.db")), 0600U);
  umask(before);
}

TEST_F(BankFileTest, AFailureWhileItIsInUseIsAFailureToWriteAndNotABadPath) {
  Database database(file, Database::Access::read_write);
  database.open_schema(1, 1, "CREATE TABLE cat (name TEXT)");
  database.execute("PRAGMA query_only=ON");
  EXPECT_THAT(ending_of([&] { database.execute("INSERT INTO cat VALUES ('Tom')"); }),
              HasSubstr("74: cannot read or write " + file));
}

TEST_F(BankFileTest, WhatIsVerifiedIsLeftAsItIs) {
  for (const bool is_killed : {false, true}) {
    killed_after([](SqliteJournal& journal, Bank& bank) {
      open_account(bank);
      bank.project();
      journal.tidy(true);
      open_account(bank);
    });
    if (!is_killed) records_in(file);  // Opened and closed.
    fs::remove(file + ".lock");
    fs::remove(file + "-shm");
    EXPECT_EQ(fs::exists(file + "-wal"), is_killed);
    const auto before = bytes();
    const std::uint64_t seq = verify(file).head.ledger_seq;
    EXPECT_EQ(bytes(), before);
    EXPECT_FALSE(fs::exists(file + ".lock"));
    EXPECT_EQ(seq, records_in(file)) << "what only the log has was verified too";
  }
}

TEST_F(BankFileTest, AFileThatMayOnlyBeReadIsVerified) {
  records_in(file);
  fs::remove(file + ".lock");
  ASSERT_EQ(chmod(file.c_str(), 0444), 0);
  ASSERT_EQ(chmod(directory.path().c_str(), 0555), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65534) != 0) _exit(1);
    _exit(ending_of([&] { verify(file); }) == "0" ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
}

}  // namespace
}  // namespace ledger
