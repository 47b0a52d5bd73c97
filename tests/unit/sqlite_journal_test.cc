// What only a file can do wrong.
#include "ledger/sqlite_journal.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ledger/verify.h"
#include "ledger_fixture.h"
#include "temporary_directory.h"

namespace ledger {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using Kind = StorageError::Kind;

class SqliteJournalTest : public testing::Test {
 protected:
  // What opening it says, and with which exit status the program would end.
  static std::string opening(const std::string& file, int exit_status) {
    try {
      const SqliteJournal journal(file);
    } catch (const StorageError& error) {
      EXPECT_EQ(error.exit_status(), exit_status) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(file));
      return error.what();
    }
    return "opened";
  }
  template <typename Action>
  static std::string error_of(Action action) {
    try {
      action();
    } catch (const StorageError& error) {
      return error.what();
    }
    return "no error";
  }
  std::string contents() const {
    std::ifstream bytes(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(bytes), {}};
  }
  void run(const std::string& sql) {
    Database database(file, Database::Access::read_write);
    database.execute(sql.c_str());
  }

  testkit::TemporaryDirectory directory;
  std::string file = directory.file("bank.db");
};

TEST_F(SqliteJournalTest, ADirectoryInPlaceOfTheFileIsNamed) {
  std::filesystem::create_directory(file);
  EXPECT_EQ(opening(file, 73), "cannot open " + file + ": it is a directory");
  EXPECT_FALSE(std::filesystem::exists(file + ".lock")) << "nothing is left beside it";
}

TEST_F(SqliteJournalTest, WhatIsNoRegularFileIsNamedAndNobodyWaitsForIt) {
  ASSERT_EQ(mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(opening(file, 73), "cannot open " + file + ": it is no regular file");
  const auto look = [this] { const FileLock lock(file, FileLock::Use::read); };
  EXPECT_EQ(error_of(look), "cannot open " + file + ": it is no regular file");
}

TEST_F(SqliteJournalTest, AMissingDirectoryIsNamed) {
  const std::string nowhere = directory.file("no/bank.db");
  EXPECT_EQ(opening(nowhere, 73),
            "cannot open " + nowhere + ": there is no directory " + directory.file("no"));
}

TEST_F(SqliteJournalTest, AFileThatIsNoDatabaseIsNamedAndLeftAlone) {
  std::ofstream(file) << "Dear diary, today I did not make a backup. " << std::string(1000, '.');
  const auto size = std::filesystem::file_size(file);
  EXPECT_EQ(opening(file, 73), "cannot open " + file + ": it is not a database");
  EXPECT_EQ(std::filesystem::file_size(file), size);
}

TEST_F(SqliteJournalTest, AnotherProgramsDatabaseIsLeftAlone) {
  run("CREATE TABLE diary (day TEXT)");
  EXPECT_EQ(opening(file, 73), "cannot open " + file + ": it is another program's database");
}

TEST_F(SqliteJournalTest, AFileOfAnotherVersionIsNamedAndLeftAlone) {
  {
    const SqliteJournal journal(file);
  }
  const std::string ours = std::to_string(bank_schema_version);
  for (const auto& [theirs, is] : {std::pair(99, "newer"), std::pair(1, "older")}) {
    run("PRAGMA user_version = " + std::to_string(theirs));
    const std::string before = contents();
    const std::string said = "cannot open " + file + ": its schema " + std::to_string(theirs) +
                             " is " + is + " than this program's " + ours +
                             ", the only one it reads: use the version that wrote it";
    EXPECT_EQ(opening(file, 78), said);
    EXPECT_EQ(error_of([this] { verify(file); }), said);
    EXPECT_TRUE(contents() == before);
  }
}

TEST_F(SqliteJournalTest, ADirectoryThatMayNotBeWrittenIsNamed) {
  if (geteuid() == 0) {
    // Root may write everywhere; another user is asked for.
    ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
    const pid_t child = fork();
    if (child == 0) {
      if (seteuid(65534) != 0) _exit(1);
      _exit(opening(file, 73) ==
                    "cannot open " + file + ": user 65534 may not write in " + directory.path()
                ? 0
                : 2);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    return;
  }
  ASSERT_EQ(chmod(directory.path().c_str(), 0555), 0);
  EXPECT_THAT(opening(file, 73), EndsWith(" may not write in " + directory.path()));
  ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
}

TEST_F(SqliteJournalTest, ADatabaseInUseNamesItsUser) {
  const SqliteJournal journal(file);
  EXPECT_EQ(opening(file, 73), "cannot open " + file + ": it is in use by process " +
                                   std::to_string(getpid()) + " (ledger_test)");
}

TEST_F(SqliteJournalTest, TheLockEndsWithItsProcess) {
  const pid_t child = fork();
  if (child == 0) {
    const SqliteJournal journal(file);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(opening(file, 0), "opened");
}

TEST_F(SqliteJournalTest, TheInstanceIsTheSameForEverAndAnotherForEveryBank) {
  InstanceId first;
  {
    const SqliteJournal journal(file);
    first = journal.instance_id();
  }
  EXPECT_NE(first, InstanceId());
  EXPECT_EQ(SqliteJournal(file).instance_id(), first);
  EXPECT_NE(SqliteJournal(directory.file("other.db")).instance_id(), first);
}

// The process is gone between any two writes: what was appended is there, what was not is not, and nothing is half there.
TEST_F(SqliteJournalTest, AKilledProcessLosesNothingThatWasAppended) {
  for (int appended = 0; appended < 12; ++appended) {
    const std::string database = directory.file("killed" + std::to_string(appended));
    const pid_t child = fork();
    if (child == 0) {
      SqliteJournal journal(database, 1 << 20);
      Bank bank(journal, 10s);
      for (int count = 0; count < appended; ++count) {
        bank.must(OpenAccount{.account = "a" + std::to_string(count), .currency = eur});
        if (count % 3 == 1) bank.project();
        if (count % 5 == 4) journal.tidy(true);
      }
      _exit(0);  // Nothing is closed.
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    SqliteJournal journal(database);
    Bank bank(journal, 10s);
    EXPECT_EQ(bank.books().last_seq(), static_cast<std::uint64_t>(appended));
  }
}

TEST_F(SqliteJournalTest, ARecordThatIsNotWhereItWasWrittenIsNamed) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  bank.open_jane();
  const OperationId id = bank.held(10'00);
  bank.held(10'00);
  ASSERT_EQ(bank.books().last_seq(), 7U);
  run("UPDATE journal SET records = (SELECT records FROM journal WHERE seq = 7) WHERE seq = 6");
  EXPECT_EQ(error_of([&] { bank.ask(Bank::hold(10'00), id); }),
            file + " is damaged: record 6 is not where it was written");
  EXPECT_EQ(error_of([&] { bank.project(); }),
            file + " is damaged: journal row 6 is not what was written");
  run("DELETE FROM journal WHERE seq >= 6");
  EXPECT_EQ(error_of([&] { bank.ask(Bank::hold(10'00), id); }),
            file + " is damaged: record 6 is missing in its journal");
}

TEST_F(SqliteJournalTest, ATornWalLosesOnlyWhatWasNotWhole) {
  const std::string copy = directory.file("torn.db");
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  std::vector<std::pair<std::uintmax_t, std::uint64_t>> sizes;
  for (int count = 0; count < 6; ++count) {
    bank.must(OpenAccount{.account = "a" + std::to_string(count), .currency = eur});
    sizes.emplace_back(std::filesystem::file_size(file + "-wal"), bank.books().last_seq());
  }
  // The file as it is when a write stopped anywhere in the last commit.
  for (std::uintmax_t size = sizes[4].first; size <= sizes[5].first; size += 512) {
    using std::filesystem::copy_options;
    std::filesystem::copy_file(file, copy, copy_options::overwrite_existing);
    std::filesystem::copy_file(file + "-wal", copy + "-wal", copy_options::overwrite_existing);
    std::filesystem::resize_file(copy + "-wal", size);
    SqliteJournal torn(copy);
    NoHistory none;
    Ledger ledger(none);
    torn.load(ledger);
    EXPECT_EQ(ledger.books().last_seq(), size < sizes[5].first ? sizes[4].second : sizes[5].second);
  }
}

TEST_F(SqliteJournalTest, TheWalIsCheckpointedWhenItIsQuiet) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  const std::string before = contents();
  bank.must(OpenAccount{.account = "alice", .currency = eur});
  journal.tidy(false);
  EXPECT_EQ(contents(), before) << "only the WAL has it";
  journal.tidy(true);
  EXPECT_THAT(contents(), testing::HasSubstr("alice"));
  const std::string after = contents();
  journal.tidy(true);
  EXPECT_EQ(contents(), after) << "there was nothing more";
}

TEST_F(SqliteJournalTest, TheWalIsMadeLongWhileItIsQuietAndHasOnlyWhatWasAppended) {
  constexpr std::int64_t size = 3 << 20;
  SqliteJournal journal(file, size);
  Bank bank(journal, 10s);
  bank.must(OpenAccount{.account = "a", .currency = eur});
  EXPECT_FALSE(journal.tidy(false)) << "others wait";
  EXPECT_LT(std::filesystem::file_size(file + "-wal"), size);
  while (journal.tidy(true)) {
  }
  EXPECT_EQ(std::filesystem::file_size(file + "-wal"), size);
  for (int count = 0; count < 5; ++count) {
    bank.must(OpenAccount{.account = "b" + std::to_string(count), .currency = eur});
  }
  EXPECT_EQ(std::filesystem::file_size(file + "-wal"), size) << "it was overwritten";
  // As it is left by a power cut.
  const std::string copy = directory.file("copy.db");
  std::filesystem::copy_file(file, copy);
  std::filesystem::copy_file(file + "-wal", copy + "-wal");
  SqliteJournal left(copy);
  NoHistory none;
  Ledger ledger(none);
  left.load(ledger);
  EXPECT_EQ(ledger.books(), bank.books());
}

TEST_F(SqliteJournalTest, TheWalIsMadeLongAlsoWhileSmallBatchesComeButNotLargeOnes) {
  constexpr std::int64_t size = 3 << 20;
  for (const std::uint64_t operations : {1U, 500U}) {
    const std::string path = directory.file(std::to_string(operations) + ".db");
    SqliteJournal journal(path, size);
    Ledger ledger(journal);
    journal.load(ledger);
    Batch batch;
    for (std::uint64_t number = 0; number < operations; ++number) {
      const std::string account = "a" + std::to_string(number);
      ledger.execute(Operation{.id = Bank::id_at(noon, number + 1),
                               .principal = "operator",
                               .change = OpenAccount{.account = account, .currency = eur}},
                     Moment{.at = noon, .day = BusinessDay{1}}, batch);
    }
    journal.append(batch);
    for (int times = 0; times < 100; ++times) EXPECT_FALSE(journal.tidy(false));
    EXPECT_EQ(std::filesystem::file_size(path + "-wal") == size, operations == 1) << operations;
  }
}

// How many reads or writes this thread has asked the system for.
std::int64_t calls_so_far(std::string_view which) {
  std::ifstream counts("/proc/thread-self/io");
  std::string name;
  std::int64_t count = 0;
  while (counts >> name >> count) {
    if (name == which) return count;
  }
  throw std::runtime_error("no count of reads and writes");
}
std::int64_t reads_so_far() { return calls_so_far("syscr:"); }
std::int64_t writes_so_far() { return calls_so_far("syscw:"); }

// What goes at once, at most, and what a commit and a checkpoint read and write that is no page.
constexpr std::int64_t pages_at_once = 15;
constexpr std::int64_t calls_else = 10;

TEST_F(SqliteJournalTest, ACheckpointThatAnOldReaderCutsShortShowsLaterReadersNoOldPages) {
  Database database(file, Database::Access::read_write);
  database.execute(
      "CREATE TABLE page (number INTEGER PRIMARY KEY, age INTEGER, bytes BLOB);"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40) "
      "INSERT INTO page SELECT i, 0, zeroblob(3000) FROM n");
  database.checkpoint();
  database.join_writes();
  database.execute("UPDATE page SET age = 1");

  Database old(file, Database::Access::read_only);
  const View view(old);
  EXPECT_EQ(old.number("SELECT sum(age) FROM page"), 40);
  database.execute("UPDATE page SET age = 2 WHERE number = 1");
  database.checkpoint();

  Database late(file, Database::Access::read_only);
  EXPECT_EQ(late.number("SELECT sum(age) FROM page"), 41);
}

TEST_F(SqliteJournalTest, PagesThatFollowEachOtherGoAtOnceIntoTheWalAndFromThereIntoTheDatabase) {
  Database database(file, Database::Access::read_write);
  database.execute("CREATE TABLE note (text BLOB)");
  database.join_writes();
  for (int count = 0; count < 2; ++count) {
    std::int64_t writes = writes_so_far();
    database.execute("INSERT INTO note VALUES (randomblob(400000))");
    const std::int64_t pages = database.wal_pages();
    EXPECT_GT(pages, 97);
    EXPECT_LE(writes_so_far() - writes, pages / pages_at_once + calls_else);
    // Who reads the WAL after a crash finds all of it, and so does who reads the database alone.
    const std::string copy = directory.file("copy" + std::to_string(count) + ".db");
    std::filesystem::copy_file(file, copy);
    std::filesystem::copy_file(file + "-wal", copy + "-wal");
    writes = writes_so_far();
    const std::int64_t reads = reads_so_far();
    database.checkpoint();
    EXPECT_LE(writes_so_far() - writes, pages / pages_at_once + calls_else);
    EXPECT_LE(reads_so_far() - reads, pages / pages_at_once + calls_else);
    const std::string moved = directory.file("moved" + std::to_string(count) + ".db");
    std::filesystem::copy_file(file, moved);
    for (const std::string& left : {copy, moved}) {
      Database after(left, Database::Access::read_write);
      EXPECT_EQ(after.number("SELECT count(*) FROM note WHERE length(text) = 400000"), count + 1);
      Statement check = after.prepare("PRAGMA integrity_check");
      ASSERT_TRUE(check.step());
      EXPECT_EQ(check.text(0), "ok");
    }
  }
}

TEST_F(SqliteJournalTest, WhatIsAppendedIsOneWrite) {
  SqliteJournal journal(file);
  Bank bank(journal, std::chrono::microseconds(0));
  bank.must(OpenAccount{.account = "jane", .currency = eur});
  const std::int64_t writes = writes_so_far();
  for (int count = 0; count < 100; ++count) {
    bank.must(OpenAccount{.account = "jane" + std::to_string(count), .currency = eur});
  }
  EXPECT_LE(writes_so_far() - writes, 100 + calls_else);
}

// Any 16 bytes are an id, and a bank's callers may use random ones.
TEST_F(SqliteJournalTest, AStartReadsFewOfTheAnswersToIdsThatTellNoTime) {
  constexpr std::uint64_t count = 4'000;
  const auto id_of = [](std::uint64_t number) {
    std::mt19937_64 bits(number);
    OperationId id;
    for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(bits());
    id.bytes[0] |= 0x80U;  // Later than any time that comes.
    return id;
  };
  const OpenAccount open{.account = "a", .currency = eur};
  const testkit::TemporaryDirectory fast(testkit::fast_directory());
  const std::string path = fast.file("bank.db");
  {
    SqliteJournal journal(path);
    Bank bank(journal, std::chrono::microseconds(0));
    // Most are declined: a bank with many accounts reads those.
    for (std::uint64_t number = 0; number < count; ++number) bank.ask(open, id_of(number));
    bank.project();
  }
  const std::int64_t reads = reads_so_far();
  SqliteJournal journal(path);
  Bank bank(journal, std::chrono::microseconds(0));
  EXPECT_LT(reads_so_far() - reads, static_cast<std::int64_t>(count) / 2) << "most are not read";
  for (const std::uint64_t number : {std::uint64_t{0}, count / 2, count - 1}) {
    const std::uint64_t before = bank.books().last_seq();
    bank.ask(open, id_of(number));
    EXPECT_EQ(bank.books().last_seq(), before) << "it was answered before";
  }
}

// With little memory a transaction writes pages before its end, and some of them again.
TEST_F(SqliteJournalTest, FramesThatAreWrittenOverAreSoundToo) {
  Database database(file, Database::Access::read_write);
  database.execute("CREATE TABLE note (key INTEGER PRIMARY KEY, text BLOB)");
  database.join_writes();
  database.set_page_cache(64);
  for (const bool again : {false, true}) {
    Transaction transaction(database);
    for (int count = 0; count < 3'000; ++count) {
      const int key = count * 7'919 % 3'000;
      database.execute(
          ("INSERT OR REPLACE INTO note VALUES (" + std::to_string(key) + ", randomblob(300))")
              .c_str());
    }
    transaction.commit();
    const std::string copy = directory.file(again ? "second.db" : "first.db");
    std::filesystem::copy_file(file, copy);
    std::filesystem::copy_file(file + "-wal", copy + "-wal");
    Database after(copy, Database::Access::read_write);
    EXPECT_EQ(after.number("SELECT count(*) FROM note WHERE length(text) = 300"), 3'000);
    Statement check = after.prepare("PRAGMA integrity_check");
    ASSERT_TRUE(check.step());
    EXPECT_EQ(check.text(0), "ok");
  }
}

TEST_F(SqliteJournalTest, AReaderIsOpenedAlsoWhenTheJournalIsGone) {
  Journal::ReaderOpener opener;
  {
    SqliteJournal journal(file);
    opener = journal.reader_opener();
  }
  EXPECT_FALSE(opener()->find(Bank::id_at(noon, 1)).has_value());
}

TEST_F(SqliteJournalTest, AReaderNeverWrites) {
  const SqliteJournal journal(file);
  Database reader(file, Database::Access::read_only);
  EXPECT_THROW(reader.execute("DELETE FROM meta"), StorageError);
}

TEST_F(SqliteJournalTest, ABackupNeverReplacesAFile) {
  SqliteJournal journal(file);
  const std::string copy = directory.file("copy.db");
  const std::unique_ptr<JournalReader> reader = journal.open_reader();
  EXPECT_GT(reader->backup(copy).bytes, 4096U);
  try {
    reader->backup(copy);
    FAIL();
  } catch (const StorageError& error) {
    EXPECT_EQ(error.what(), "cannot create " + copy + ": it exists already");
    EXPECT_EQ(error.kind(), Kind::cannot_create);
  }
  EXPECT_THROW(reader->backup(directory.file("no/copy.db")), StorageError);
  EXPECT_FALSE(std::filesystem::exists(copy + ".partial"));
}

TEST_F(SqliteJournalTest, ABackupHoldsWhatWasDurableAndChangesGoOn) {
  SqliteJournal journal(file);
  Bank bank(journal, 10s);
  bank.open_jane();
  const std::string copy = directory.file("copy.db");
  const BackupDone done = journal.open_reader()->backup(copy);
  EXPECT_EQ(done.ledger_seq, bank.books().last_seq());
  EXPECT_EQ(done.bytes, std::filesystem::file_size(copy));
  const Books before = bank.books();
  bank.must(Bank::deposit(1));
  SqliteJournal restored(copy);
  Bank other(restored, 10s);
  EXPECT_TRUE(other.books() == before);
  EXPECT_EQ(restored.instance_id(), journal.instance_id());
}

TEST_F(SqliteJournalTest, EveryRowOfATableIsVisitedInTheOrderOfItsKey) {
  Database database(file, Database::Access::read_write);
  database.execute(
      "CREATE TABLE cat (number INTEGER PRIMARY KEY, name TEXT, weight INTEGER, fur TEXT, vet "
      "TEXT);"
      "CREATE INDEX smaller_than_the_table ON cat (weight, name);"
      "INSERT INTO cat (number, name, weight) VALUES (3, 'Minka', 1), (1, 'Tom', 9), (2, NULL, 5)");
  std::string found;
  const auto tell = [&found](const RowValues& cat) {
    found += std::to_string(cat.integer(0)) + (cat.is_null(1) ? " nobody" : " ") +
             std::string(cat.text(1)) + ", ";
  };
  database.for_each("number, name, weight", "cat", tell);
  EXPECT_EQ(found, "1 Tom, 2 nobody, 3 Minka, ");

  found.clear();
  const auto throw_at_two = [&](const RowValues& cat) {
    tell(cat);
    if (cat.integer(0) == 2) throw std::runtime_error("two");
  };
  EXPECT_THROW(database.for_each("number, name", "cat", throw_at_two), std::runtime_error);
  EXPECT_EQ(found, "1 Tom, 2 nobody, ") << "what is thrown ends it";
  database.for_each("number, name", "cat", tell);
  EXPECT_EQ(found, "1 Tom, 2 nobody, 1 Tom, 2 nobody, 3 Minka, ") << "and nothing else";
}

TEST_F(SqliteJournalTest, ThereIsRoomOnThisDisk) { EXPECT_TRUE(SqliteJournal(file).has_room()); }

}  // namespace
}  // namespace ledger
