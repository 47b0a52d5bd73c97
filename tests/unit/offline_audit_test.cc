// The audit of an ATM that is stopped compares with what its devices hold, or says that it did not.
#include "atm/offline_audit.h"

#include <filesystem>
#include <functional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>

#include "atm_fixture.h"

namespace atm {
namespace {

using testing::HasSubstr;

class OfflineAuditTest : public testing::Test {
 protected:
  OfflineAuditTest() {
    house.load(1, 20, 10);
    house.insert();
    house.pass(1s);
  }

  void suspend_sixty() {
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
    EXPECT_TRUE(house.withdraw(house.new_id(), 60).has_suspense());
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    house.pass(2s);
  }
  void stop() {
    house.stop();
    folder = house.folder_to_audit();
  }
  void change(std::string_view file, const std::string& sql) const {
    ledger::Database database((folder / file).string(), ledger::Database::Access::read_write);
    database.execute(sql.c_str());
  }
  std::string audit(int status) const {
    std::ostringstream out;
    EXPECT_EQ(audit_offline(folder, out), status) << out.str();
    return out.str();
  }
  std::string damage() const {
    try {
      std::ostringstream out;
      audit_offline(folder, out);
    } catch (const ledger::StorageError& error) {
      EXPECT_EQ(error.exit_status(), 65);
      return error.what();
    }
    return "sound";
  }

  AtmHouse house;
  std::filesystem::path folder;
};

TEST_F(OfflineAuditTest, AWithdrawalInSuspenseDoesNotKeepItFromComparing) {
  suspend_sixty();
  stop();
  EXPECT_THAT(audit(0), HasSubstr("open items: 1\nEvery cent is accounted for."));
  std::filesystem::remove(folder / device_file_name);
  std::filesystem::remove(folder / (std::string(device_file_name) + "-wal"));
  EXPECT_THAT(audit(65), HasSubstr("there is no devices.db"));
}

TEST_F(OfflineAuditTest, NotesOfAnOlderTimeAreNamedWhileAWithdrawalIsInSuspense) {
  house.stop();
  const std::filesystem::path older = house.folder() / "older";
  std::filesystem::copy(house.folder_to_audit(), older);
  house.start();
  house.pass(1s);
  house.insert();
  house.withdraw(house.new_id(), 20);
  suspend_sixty();
  stop();
  for (const char* end : {"", "-wal"}) {
    const std::string name = std::string(device_file_name) + end;
    std::filesystem::remove(folder / name);
    if (std::filesystem::exists(older / name)) {
      std::filesystem::copy_file(older / name, folder / name);
    }
  }
  EXPECT_THAT(audit(65), HasSubstr("The cassettes should hold 6 notes of 20.00 EUR, but 10 are"));
}

// At every moment it compares, or says that it did not: a crash is no difference.
void crash_everywhere(const std::function<void(AtmHouse&)>& act, const std::string& not_compared) {
  bool has_crashed = true;
  int unsure = 0;
  for (int point = 1; has_crashed; ++point) {
    AtmHouse each;
    each.load(1, 20, 10);
    each.insert();
    each.pass(1s);
    each.plan = {.at = point};
    has_crashed = false;
    try {
      act(each);
      each.pass(1s);
    } catch (const Crash&) {
      has_crashed = true;
    }
    each.plan = {};
    each.stop();
    std::ostringstream out;
    const int status = audit_offline(each.folder_to_audit(), out);
    const bool is_sure = out.str().find("Every cent is accounted for.") != std::string::npos;
    EXPECT_EQ(status, is_sure ? 0 : 69) << "after a crash at point " << point << out.str();
    if (is_sure) continue;
    ++unsure;
    EXPECT_THAT(out.str(), HasSubstr("not compared:\n  atm-1, " + not_compared));
  }
  EXPECT_GT(unsure, 0);
}

TEST_F(OfflineAuditTest, WhatACrashKeptItFromComparingIsNamed) {
  crash_everywhere([](AtmHouse& each) { each.withdraw(each.new_id(), 60); },
                   "cassettes and reject bin: an item is under way");
  crash_everywhere([](AtmHouse& each) { each.deposit(each.new_id(), 50, 1); },
                   "deposit bin: an item is under way");
}

TEST_F(OfflineAuditTest, DamagedDevicesAreNamedWhateverIsOpen) {
  suspend_sixty();
  stop();
  change(device_file_name, "CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END");
  EXPECT_THAT(damage(), HasSubstr("the definition of t"));
  change(device_file_name, "DROP TRIGGER t");
  change(device_file_name, "UPDATE dispense SET sure = 1 - sure");
  EXPECT_THAT(damage(), HasSubstr("table dispense"));
}

TEST_F(OfflineAuditTest, ALostRowOfAnItemIsMissed) {
  suspend_sixty();
  stop();
  change(journal_file_name, "DELETE FROM withdrawal");
  EXPECT_THAT(audit(65), HasSubstr("The audit trail names the withdrawal "));
}

TEST_F(OfflineAuditTest, LostCountsOfTheStockAreMissed) {
  suspend_sixty();
  stop();
  change(journal_file_name, "DELETE FROM stock");
  EXPECT_THAT(audit(65), HasSubstr("The cassettes should hold 0 notes of 20.00 EUR, but "));
}

}  // namespace
}  // namespace atm
