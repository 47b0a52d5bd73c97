// The ATM's journal as a disk or a hand may leave it: what is damaged is named where it is read.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm/device_file.h"
#include "atm/offline_audit.h"
#include "atm_fixture.h"

namespace atm {
namespace {

using testing::HasSubstr;

class AtmJournalTest : public testing::Test {
 protected:
  AtmJournalTest() {
    house.load(1, 20, 50);
    house.insert();
    paid = house.new_id();
    house.withdraw(paid, 40);
    house.withdraw(house.new_id(), 30);  // The notes cannot make it.
    v1::SetServiceRequest in_service;
    in_service.set_terminal_id("atm-1");
    in_service.set_in_service(true);
    house.call(set_service_method, std::move(in_service));
    house.pass(2s);
  }

  void change(const std::string& sql) const {
    ledger::Database database((house.folder() / "atm" / journal_file_name).string(),
                              ledger::Database::Access::read_write);
    database.execute(sql.c_str());
  }
  // Returns the version before.
  static std::int64_t set_version(const std::string& file, std::int64_t version) {
    ledger::Database database(file, ledger::Database::Access::read_write);
    const std::int64_t before = database.number("PRAGMA user_version");
    database.execute(("PRAGMA user_version = " + std::to_string(version)).c_str());
    return before;
  }
  static std::string damage_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const ledger::StorageError& error) {
      EXPECT_EQ(error.exit_status(), 65);
      return error.what();
    }
    return "sound";
  }
  // What a start says after this change, made while the ATM was down.
  std::string start_after(const std::string& sql) {
    house.stop();
    change(sql);
    return damage_of([&] { house.start(); });
  }
  std::string audit_after(const std::string& sql) {
    house.stop();
    change(sql);
    return damage_of([&] {
      std::ostringstream out;
      audit_offline(house.folder_to_audit(), out);
    });
  }

  AtmHouse house;
  const DiskRoom room{house.disk, house.settings.free_space_reserve_bytes};
  OperationId paid;
};

TEST_F(AtmJournalTest, ASoundJournalIsSound) {
  EXPECT_EQ(audit_after("SELECT 1"), "sound");
  EXPECT_EQ(start_after("SELECT 1"), "sound");
}

TEST_F(AtmJournalTest, AStartReadsEveryCountOfTheStock) {
  EXPECT_THAT(start_after("UPDATE stock SET count = count + 1 WHERE pot = 'CASSETTE'"),
              HasSubstr("table stock"));
}

TEST_F(AtmJournalTest, ACountThatWasMovedToAnotherTerminalIsMissed) {
  EXPECT_THAT(start_after("UPDATE stock SET terminal = 'atm-0' WHERE pot = 'CASSETTE'"),
              HasSubstr("table stock"));
}

TEST_F(AtmJournalTest, WhatStaffSaidOfATerminalIsVerified) {
  EXPECT_THAT(start_after("UPDATE terminal SET out_by_staff = 1"), HasSubstr("table terminal"));
}

TEST_F(AtmJournalTest, AStartReadsWhatItRemembersOfItsBank) {
  EXPECT_THAT(start_after("UPDATE bank SET seen_seq = seen_seq - 1"), HasSubstr("table bank"));
}

TEST_F(AtmJournalTest, TheEventThatTheNextOneFollowsIsVerified) {
  EXPECT_THAT(start_after("UPDATE event SET check_value = check_value + 1 WHERE number = "
                          "(SELECT max(number) FROM event)"),
              HasSubstr("table event"));
}

TEST_F(AtmJournalTest, ARowThatARequestReadsEndsTheProcess) {
  house.restart();  // What has ended is only in the journal now.
  change("UPDATE withdrawal SET amount = 4100");
  const std::string damage = damage_of([&] { house.resolve(paid); });
  EXPECT_THAT(damage, HasSubstr("table withdrawal"));
  EXPECT_THAT(damage, HasSubstr(paid.text())) << "it is named";
}

TEST_F(AtmJournalTest, TheAuditReadsEveryTable) {
  EXPECT_THAT(audit_after("UPDATE terminal SET out_by_staff = 1"), HasSubstr("table terminal"));
  change("UPDATE terminal SET out_by_staff = 0");
  EXPECT_THAT(audit_after("UPDATE declined SET amount = amount + 1"), HasSubstr("table declined"));
}

TEST_F(AtmJournalTest, FilesOfAnotherVersionAreNamedAndLeftAlone) {
  house.stop();
  const auto folder = house.folder() / "atm";
  const auto expect_refused = [](const std::string& file, const std::function<void()>& open) {
    const std::int64_t ours = set_version(file, 0);
    for (const auto& [theirs, is] : {std::pair(ours - 1, "older"), std::pair(ours + 1, "newer")}) {
      set_version(file, theirs);
      const std::string said = "cannot open " + file + ": its schema " + std::to_string(theirs) +
                               " is " + is + " than this program's";
      try {
        open();
        ADD_FAILURE() << "it was opened; not said: " << said;
      } catch (const ledger::StorageError& error) {
        EXPECT_EQ(error.exit_status(), 78);
        EXPECT_THAT(error.what(), testing::StartsWith(said));
      }
      EXPECT_EQ(set_version(file, theirs), theirs);
    }
    set_version(file, ours);
    open();
  };
  const std::string journal = (folder / journal_file_name).string();
  const std::string devices = (house.folder() / device_file_name).string();
  expect_refused(journal, [&] { JournalFile{folder}; });
  expect_refused(journal, [&] { JournalFile(folder, JournalFile::Use::audit); });
  expect_refused(devices, [&] { DeviceFile{house.folder()}; });
  expect_refused(devices, [&] { DeviceFile(house.folder(), DeviceFile::Use::audit); });
}

TEST_F(AtmJournalTest, TheAuditMakesNoJournalOfAnEmptyFile) {
  house.stop();
  const auto path = house.folder() / "atm" / journal_file_name;
  std::filesystem::resize_file(path, 0);
  std::filesystem::remove(path.string() + "-wal");
  for (int times = 0; times < 2; ++times) {
    std::ostringstream out;
    EXPECT_THROW(audit_offline(house.folder() / "atm", out), ledger::StorageError);
  }
}

TEST_F(AtmJournalTest, TheAuditLeavesNothingBehindAndChangesNothing) {
  house.stop();
  const auto folder = house.folder_to_audit();
  for (const char* beside : {"journal.db.lock", "journal.db-shm", "devices.db-shm"}) {
    std::filesystem::remove(folder / beside);
  }
  const auto look = [&] {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      std::ifstream bytes(entry.path(), std::ios::binary);
      files[entry.path().filename()] = std::string(std::istreambuf_iterator<char>(bytes), {});
    }
    return files;
  };
  const auto before = look();
  std::ostringstream out;
  EXPECT_EQ(audit_offline(folder, out), 0) << out.str();
  EXPECT_TRUE(look() == before);
}

TEST_F(AtmJournalTest, FolderAndFilesAreTheirOwnersAlone) {
  const auto folder = house.folder() / "new";
  const mode_t before = ::umask(0);
  {
    const JournalFile journal(folder);
    const DeviceFile devices(folder);
  }
  ::umask(before);
  const auto mode = [](const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions();
  };
  using std::filesystem::perms;
  EXPECT_EQ(mode(folder), perms::owner_all);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_EQ(mode(entry.path()), perms::owner_read | perms::owner_write) << entry.path();
  }
}

TEST_F(AtmJournalTest, TheAuditFindsWhatOnlyAnIndexHides) {
  EXPECT_THAT(audit_after("PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = "
                          "replace(sql, 'exception != ', 'exception = ') WHERE name = "
                          "'refused_withdrawal'"),
              HasSubstr("is damaged"));
}

OperationId numbered(std::size_t number) {
  OperationId id;
  std::memcpy(id.bytes.data(), &number, sizeof number);
  return id;
}

TEST_F(AtmJournalTest, TheAuditTrailHasEachStateOfAWithdrawal) {
  house.pass(2s);
  std::vector<std::string> states;
  for (const Event& event : house.journal->read<Event>("kind = 'withdrawal'")) {
    EXPECT_EQ(event.id, paid);
    states.push_back(event.state);
  }
  EXPECT_THAT(states,
              testing::ElementsAre("REQUESTED", "HELD", "DISPENSING", "DISPENSED", "SETTLED"));
}

TEST_F(AtmJournalTest, WhatMemoryForgetsIsFoundInTheJournal) {
  JournalFile file(house.folder() / "other");
  Items<Fence> items(house.loop, file);
  Terminal& terminal = *house.atm->terminals().at("atm-1");
  EXPECT_FALSE(items.knows(numbered(1))) << "and the file is looked at as it was then";
  std::vector<Row> rows;
  for (std::size_t number = 1; number <= ended_items_kept_max + 1; ++number) {
    const auto item = items.add(terminal, Fence{.id = numbered(number)});
    rows.push_back(to_row(item->record));
  }
  file.write(rows);
  EXPECT_TRUE(items.knows(numbered(1)));
  for (std::size_t number = 1; number <= ended_items_kept_max + 1; ++number) {
    items.ended(items.find(numbered(number), terminal));
  }
  for (std::size_t number = 1; number <= ended_items_kept_max + 1; ++number) {
    ASSERT_TRUE(items.knows(numbered(number))) << number;
  }
}

TEST_F(AtmJournalTest, HowAnItemEndedIsKnownThoughTheJournalAloneKnewIt) {
  JournalFile file(house.folder() / "other");
  Items<Relay> items(house.loop, file);
  Terminal& terminal = *house.atm->terminals().at("atm-1");
  const std::vector<Row> sent = {to_row(Relay{.id = numbered(1)})};
  file.write(sent);
  const ItemPointer<Relay> item = items.find(numbered(1), terminal);
  item->record.state = RelayState::done;
  items.ended(item);
  EXPECT_EQ(items.find(numbered(1), terminal)->record.state, RelayState::done);
}

// Of both files, each with its log; they are killed and close nothing.
class CrashedAtmTest : public AtmJournalTest {
 protected:
  void killed() const {
    const pid_t child = ::fork();
    if (child == 0) {
      JournalFile journal(folder);
      DeviceFile devices(folder);
      const std::vector<Row> rows = {to_row(Relay{.id = numbered(1)})};
      journal.write(rows);
      devices_add(devices);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
  }
  static void devices_add(DeviceFile& devices) {
    std::vector<DeviceFile::Act> acts;
    acts.emplace_back([](Tables& tables) {
      DeviceRows(tables, "dispenser").add_notes("cassette", 1, Cents{2000}, 10);
    });
    devices.change(acts);
  }
  void served() const {
    const JournalFile journal(folder);
    const DeviceFile devices(folder);
  }
  void audited() const {
    const JournalFile journal(folder, JournalFile::Use::audit);
    const DeviceFile devices(folder, DeviceFile::Use::audit);
  }

  std::filesystem::path folder = house.folder() / "other";
};

TEST_F(CrashedAtmTest, AnOldCopyIsNotMixedWithItsChanges) {
  for (const std::string_view name : {journal_file_name, device_file_name}) {
    const std::filesystem::path file = folder / name;
    const std::filesystem::path old = folder / "old";
    const std::filesystem::path last = folder / "last";
    killed();
    served();  // And stopped.
    std::filesystem::copy_file(file, old);
    killed();
    served();
    killed();
    std::filesystem::copy_file(file, last);
    std::filesystem::copy_file(old, file, std::filesystem::copy_options::overwrite_existing);
    const std::string refused = damage_of([&] { served(); });
    EXPECT_THAT(refused, HasSubstr(file.string() + "-wal holds changes of another database"));
    EXPECT_EQ(damage_of([&] { audited(); }), refused);
    std::filesystem::copy_file(last, file, std::filesystem::copy_options::overwrite_existing);
    EXPECT_EQ(damage_of([&] { audited(); }), "sound");
    EXPECT_EQ(damage_of([&] { served(); }), "sound");
    std::filesystem::remove(old);
    std::filesystem::remove(last);
  }
}

TEST_F(CrashedAtmTest, ItIsNotOpenedWithoutALog) {
  for (const std::string_view name : {journal_file_name, device_file_name}) {
    const std::string file = (folder / name).string();
    killed();
    std::filesystem::rename(file + "-wal", file + ".away");
    const std::string refused = damage_of([&] { served(); });
    EXPECT_THAT(refused, HasSubstr(file + "-wal is missing"));
    EXPECT_EQ(damage_of([&] { audited(); }), refused);
    std::filesystem::rename(file + ".away", file + "-wal");
    EXPECT_EQ(damage_of([&] { served(); }), "sound");
    EXPECT_EQ(damage_of([&] { audited(); }), "sound") << "stopped, it has no log";
  }
}

TEST_F(CrashedAtmTest, NothingMoreIsWrittenWhenAnOldCopyWasPutOverAFileInUse) {
  for (const std::string_view name : {journal_file_name, device_file_name}) {
    std::filesystem::remove_all(folder);
    served();  // And stopped.
    const std::filesystem::path file = folder / name;
    const std::filesystem::path old = folder / "old";
    std::filesystem::copy_file(file, old);
    served();
    JournalFile journal(folder);
    DeviceFile devices(folder);
    const auto change_both = [&] {
      const std::vector<Row> rows = {to_row(Relay{.id = numbered(1)})};
      journal.write(rows);
      devices_add(devices);
    };
    change_both();
    std::filesystem::copy_file(old, file, std::filesystem::copy_options::overwrite_existing);
    std::string told;
    try {
      change_both();
    } catch (const ledger::StorageError& error) {
      told = std::to_string(error.exit_status()) + ": " + error.what();
    }
    EXPECT_THAT(told, HasSubstr("74: cannot write " + file.string() +
                                ": something was written over it while it was in use"));
  }
}

TEST_F(CrashedAtmTest, NothingMoreIsWrittenWhenTheLogOfAFileInUseWasEmptied) {
  for (const std::string_view name : {journal_file_name, device_file_name}) {
    std::filesystem::remove_all(folder);
    JournalFile journal(folder);
    DeviceFile devices(folder);
    const auto change = [&] {
      const std::vector<Row> rows = {to_row(Relay{.id = numbered(1)})};
      if (name == journal_file_name) journal.write(rows);
      if (name == device_file_name) devices_add(devices);
    };
    change();
    const std::string log = (folder / name).string() + "-wal";
    std::ofstream(log).close();
    std::string told;
    try {
      change();
    } catch (const ledger::StorageError& error) {
      told = std::to_string(error.exit_status()) + ": " + error.what();
    }
    EXPECT_THAT(told, HasSubstr("something was written over " + log + ", or cut off it"));
    EXPECT_EQ(std::filesystem::file_size(log), 0U) << "nothing hides that it is empty";
  }
}

TEST_F(AtmJournalTest, LookingForIdsDoesNotMakeTheWalGrow) {
  const auto folder = house.folder() / "other";
  Journal journal(house.loop, std::make_shared<JournalFile>(folder), room);
  constexpr std::int64_t page_size = 4096;
  constexpr std::int64_t written = 12'000'000;  // Three times what the WAL is to hold.
  for (std::int64_t bytes = 0; bytes < written; bytes += 4 * page_size) {
    EXPECT_FALSE(journal.file().find<Fence>(numbered(1)).has_value());
    Entry entry;
    entry.event.detail = std::string(4 * page_size, 'x');
    house.run(journal.commit(std::move(entry)));
  }
  EXPECT_LT(std::filesystem::file_size(folder / (std::string(journal_file_name) + "-wal")),
            5'000'000U);
}

TEST_F(AtmJournalTest, OfWhatIsRememberedTheNewestIsWrittenWithTheNextEntry) {
  Journal journal(house.loop, std::make_shared<JournalFile>(house.folder() / "other"), room);
  journal.remember({.highest_seq = 1});
  journal.remember({.highest_seq = 2});
  EXPECT_TRUE(journal.file().read<BankMemory>().empty());
  house.run(journal.commit(Entry()));
  ASSERT_EQ(journal.file().read<BankMemory>().size(), 1U);
  EXPECT_EQ(journal.file().read<BankMemory>().front().highest_seq, 2U);
}

TEST(NotesTest, OnlyWhatIsWrittenIsRead) {
  for (const char* text : {"", "5000*1 2000*3", "5000*-1"}) {
    ASSERT_TRUE(Notes::decode(text).has_value()) << text;
    EXPECT_EQ(Notes::decode(text)->encoded(), text);
  }
  for (const char* text : {"5000*1 ", " 5000*1", "05000*1", "5000*0", "2000*3 5000*1",
                           "1*9223372036854775807 1*1", "5000*99999999999999999999"}) {
    EXPECT_FALSE(Notes::decode(text).has_value()) << text;
  }
  EXPECT_TRUE(decode_picks("1:2000*3 2:5000*1").has_value());
  for (const char* text : {"1:2000*3 ", "01:2000*3", "1:2000", "-1:2000*3"}) {
    EXPECT_FALSE(decode_picks(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace atm
