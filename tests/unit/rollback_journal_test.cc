// What a rollback journal beside a bank's file may do to it: SQLite writes it into the file.
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_file_fixture.h"

namespace ledger {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class RollbackJournalTest : public BankFileTest {};

// SQLite would take them for its own.
TEST_F(RollbackJournalTest,
       ARollbackJournalBesideABackupThatWasCopiedOverACrashedBankHidesNothing) {
  const std::string backup = directory.file("backup.db");
  killed_after([&](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.open_reader()->backup(backup);
    journal.tidy(true);
    open_account(bank);
  });
  fs::copy_file(backup, file, fs::copy_options::overwrite_existing);
  std::ofstream(file + "-journal") << "something";
  for (const std::string& told : {file + "-journal lies beside it", std::string("-wal holds")}) {
    const auto before = bytes();
    EXPECT_THAT(starting(file), AllOf(HasSubstr("65: cannot open " + file), HasSubstr(told)));
    EXPECT_EQ(verifying(file), starting(file));
    EXPECT_EQ(bytes(), before);
    fs::remove(file + "-journal");
  }
}

// SQLite would write it into the file.
TEST_F(RollbackJournalTest, ARollbackJournalBesideABankHidesNothing) {
  killed_after([](SqliteJournal& journal, Bank& bank) {
    open_account(bank);
    journal.tidy(true);
    open_account(bank);
  });
  const std::string log = directory.file("log");
  const std::string journal = file + "-journal";
  std::ofstream(journal) << "something";
  for (const std::string& told : {journal + " lies beside it", file + "-wal is missing"}) {
    const auto before = bytes();
    EXPECT_THAT(starting(file), AllOf(HasSubstr("65: cannot open " + file), HasSubstr(told)));
    EXPECT_EQ(verifying(file), starting(file));
    EXPECT_EQ(bytes(), before);
    if (!fs::exists(log)) fs::rename(file + "-wal", log);
  }
  fs::rename(log, file + "-wal");
  fs::remove(journal);
  EXPECT_EQ(records_in(file), 2U);
}

// As when a smaller backup was killed at its first start, and the bank put back in its place: SQLite would cut it to that size.
TEST_F(RollbackJournalTest, ARollbackJournalOfASmallerFileCutsNoBank) {
  constexpr std::uintmax_t page_size = 4096;
  EXPECT_EQ(starting(file), "0");
  const std::uintmax_t pages = fs::file_size(file) / page_size;
  const std::string journal = file + "-journal";
  for (const std::uintmax_t before_it : {std::uintmax_t{0}, std::uintmax_t{1}, pages - 1, pages}) {
    std::string header(512, '\0');
    header.replace(0, 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
    header[19] = static_cast<char>(before_it);
    header[22] = 2;     // A sector of 512 bytes.
    header[26] = 0x10;  // A page of 4096.
    std::ofstream(journal, std::ios::binary) << header;
    const auto bytes_before = bytes();
    const std::string verified = verifying(file);
    EXPECT_EQ(bytes(), bytes_before);
    if (before_it == pages) break;
    EXPECT_EQ(verified,
              "65: cannot open " + file + ": " + journal +
                  " is another file's, or of a change by another program that was cut short. Move "
                  "that away; or, if sqlite3 was changing this file, let it open the file once");
    EXPECT_EQ(starting(file), verified);
    EXPECT_EQ(bytes(), bytes_before);
  }
  EXPECT_EQ(starting(file), "0");
}

// As when one bank's journal was left beside another of its size: SQLite would put the other's pages into it. What a bank that was
// killed while it was put into the mode with a log leaves is its own first page, in the mode before.
TEST_F(RollbackJournalTest, ARollbackJournalOfAnotherFileOfTheSameSizeChangesNoBank) {
  constexpr std::size_t page_size = 4096;
  EXPECT_EQ(starting(file), "0");
  const std::uintmax_t pages = fs::file_size(file) / page_size;
  const std::string journal = file + "-journal";
  std::string first(page_size, '\0');
  std::ifstream(file, std::ios::binary).read(first.data(), page_size);
  std::string own = first;
  own[18] = own[19] = 1;
  std::string others = own;
  others[page_size - 1] = static_cast<char>(others[page_size - 1] + 1);
  struct Case {
    std::vector<std::pair<char, std::string>> records;
    bool is_refused;
  };
  for (const auto& [records, is_refused] :
       {Case{{{'\1', own}}, false}, Case{{{'\1', others}}, true}, Case{{{'\2', own}}, true},
        Case{{{'\1', own}, {'\2', others}}, true}}) {
    std::string content(512, '\0');
    content.replace(0, 8, "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7");
    content[11] = static_cast<char>(records.size());
    content[19] = static_cast<char>(pages);
    content[22] = 2;     // A sector of 512 bytes.
    content[26] = 0x10;  // A page of 4096.
    for (const auto& [page, bytes_before] : records) {
      // The sum of every 200th byte, from the end: the nonce is 0.
      unsigned sum = 0;
      for (std::size_t at = page_size - 200; at < page_size; at -= 200) {
        sum += static_cast<unsigned char>(bytes_before[at]);
      }
      content += std::string(3, '\0') + page + bytes_before + std::string(2, '\0') +
                 static_cast<char>(sum >> 8U) + static_cast<char>(sum & 255U);
    }
    std::ofstream(journal, std::ios::binary) << content;
    const auto before = bytes();
    const std::string told = starting(file);
    if (is_refused) {
      EXPECT_THAT(told, HasSubstr(journal + " is another file's"));
      EXPECT_EQ(bytes(), before);
    } else {
      EXPECT_EQ(told, "0");
    }
  }
}

}  // namespace
}  // namespace ledger
