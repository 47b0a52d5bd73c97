// Banks on files that can be killed, and what a start and a verification say of what is left.
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include "ledger/sqlite_journal.h"
#include "ledger/verify.h"
#include "ledger_fixture.h"
#include "temporary_directory.h"

namespace ledger {

namespace fs = std::filesystem;

class BankFileTest : public testing::Test {
 protected:
  // What an action throws, with the exit status that the program would end with.
  template <typename Action>
  static std::string ending_of(Action action) {
    try {
      action();
    } catch (const StorageError& error) {
      return std::to_string(error.exit_status()) + ": " + error.what();
    }
    return "0";
  }
  static std::string starting(const std::string& path) {
    return ending_of([&] {
      SqliteJournal journal(path);
      Bank bank(journal, 10s);
    });
  }
  static std::string verifying(const std::string& path) {
    return ending_of([&] { verify(path); });
  }
  static void open_account(Bank& bank) {
    const std::uint64_t number = bank.books().last_seq() + 1;
    const OpenAccount open{.account = "a" + std::to_string(number), .currency = eur};
    EXPECT_EQ(word(bank.ask(open, Bank::id_at(noon, number))), "yes");
  }
  // A bank that is killed after `action`: it closes nothing.
  template <typename Action>
  void killed_after(Action action) const {
    const pid_t child = fork();
    if (child == 0) {
      SqliteJournal journal(file);
      Bank bank(journal, 10s);
      action(journal, bank);
      _exit(testing::Test::HasFailure() ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  std::uint64_t records_in(const std::string& path) const {
    SqliteJournal journal(path);
    Bank bank(journal, 10s);
    return bank.books().last_seq();
  }
  // As the operator could with sqlite3.
  void ask_sqlite(const char* sql) const {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(file.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    ASSERT_EQ(sqlite3_close(handle), SQLITE_OK);
  }
  // Every file beside the bank's, with a hash of its bytes; but for the lock, which has none.
  std::map<std::string, std::size_t> bytes() const {
    std::map<std::string, std::size_t> all;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory.path())) {
      if (entry.is_directory() || entry.path().extension() == ".lock") continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string content(std::istreambuf_iterator<char>(in), {});
      all[entry.path().filename()] = std::hash<std::string>()(content);
    }
    return all;
  }
  static unsigned mode_of(const std::string& path) {
    struct stat found{};
    EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
    return found.st_mode & 0777U;
  }

  testkit::TemporaryDirectory directory;
  std::string file = directory.file("bank.db");
};

}  // namespace ledger
