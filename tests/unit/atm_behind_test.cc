// An ATM whose journal lost its end while its devices and its bank went on: an older copy was put back, its log was cut, or
// a disk lied.
#include <filesystem>
#include <variant>

#include "atm_fixture.h"

namespace atm {
namespace {

class BehindTest : public testing::Test {
 protected:
  BehindTest() { prepare(house); }
  ~BehindTest() override { std::filesystem::remove_all(old_of(house)); }

  static void prepare(AtmHouse& house) {
    house.load(1, 20, 10);
    house.pass(1s);
    house.insert();
  }
  static std::filesystem::path old_of(const AtmHouse& house) {
    return house.folder().string() + "-old";
  }
  // Keeps the ATM's files as they are when a row with that state is about to be written for the first time.
  static void keep_before(AtmHouse& house, const std::string& table, const std::string& state) {
    house.journal->before_write = [&house, table, state](std::span<const Row> rows) {
      const auto is_it = [&](const Row& row) {
        const auto says = [&](const Value& value) {
          const auto* const text = std::get_if<std::string>(&value);
          return text != nullptr && *text == state;
        };
        return row.table == table && std::ranges::any_of(row.values, says);
      };
      if (std::filesystem::exists(old_of(house)) || std::ranges::none_of(rows, is_it)) return;
      std::filesystem::copy(house.folder(), old_of(house),
                            std::filesystem::copy_options::recursive);
    };
  }
  void keep_before(const std::string& table, const std::string& state) {
    keep_before(house, table, state);
  }
  void put_back(const std::function<void(AtmHouse&)>& before_recovery = [](AtmHouse&) {}) {
    house.stop();
    std::filesystem::remove_all(house.folder() / "atm");
    std::filesystem::copy(old_of(house) / "atm", house.folder() / "atm");
    house.start_with(before_recovery);
  }
  void put_back_devices_too() {
    house.stop();
    std::filesystem::copy(old_of(house), house.folder(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
    house.start();
  }
  // Neither bank nor ATM misses a cent, nobody need look at anything, and this is where the notes are.
  void expect_all_is_told(std::int64_t inside) {
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(house.exceptions(), Sentences());
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.really_inside(), inside);
    EXPECT_EQ(house.bank.state.cash["atm-1"], inside * 100);
    EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE) << house.terminal().reason();
  }

  AtmHouse house;
};

TEST_F(BehindTest, ADepositThatTheBankHasCreditedIsNotCreditedAgain) {
  keep_before("deposit", "POSTING");
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.deposit(id, 50, 1).deposited().credited());
  house.pass(1s);
  put_back();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  expect_all_is_told(250);
}

TEST_F(BehindTest, ADepositThatTheBankNeverSawIsCreditedOnce) {
  keep_before("deposit", "POSTING");
  const OperationId id = house.new_id();
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  EXPECT_FALSE(house.deposit(id, 50, 1).deposited().credited());
  put_back();
  EXPECT_FALSE(house.resolve(id).has_declined());
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  expect_all_is_told(250);
}

TEST_F(BehindTest, ADepositWhoseFirstPostingWasFencedIsCreditedOnce) {
  keep_before("deposit", "POSTING");
  const OperationId id = house.new_id();
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::reply_lost}};
  EXPECT_FALSE(house.deposit(id, 50, 1).deposited().credited());
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  put_back();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  expect_all_is_told(250);
}

// The bank had credited them, and the acceptor was not told to keep them any more.
TEST_F(BehindTest, CreditedNotesInTheEscrowAreKept) {
  keep_before("deposit", "POSTING");
  const OperationId id = house.new_id();
  house.bank.moods["Deposit"] = Mood::reply_lost;
  std::optional<rpc::Reply<v1::DepositResponse>> reply;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 1), 10s, reply);
  house.pass(1s);
  ASSERT_EQ(house.balance(), 150);
  ASSERT_FALSE(house.run(house.acceptor->count())->escrow.empty());
  house.bank.moods["Resolve"] = Mood::silent;
  put_back();
  house.pass(10s);
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  EXPECT_EQ(house.balance(), 150);
  expect_all_is_told(250);
}

TEST_F(BehindTest, ACrashWhileNotesThatWereKeptBeforeAreFoundCreditsNothing) {
  bool has_crashed = true;
  for (int point = 1; has_crashed; ++point) {
    AtmHouse each;
    prepare(each);
    keep_before(each, "deposit", "COUNTED");
    const OperationId id = each.new_id();
    EXPECT_TRUE(each.deposit(id, 50, 1).deposited().credited());
    each.pass(1s);
    each.stop();
    std::filesystem::remove_all(each.folder() / "atm");
    std::filesystem::copy(old_of(each) / "atm", each.folder() / "atm");
    std::filesystem::remove_all(old_of(each));
    each.start();
    each.set_service(true);
    each.insert();
    each.plan = {.at = point};
    has_crashed = false;
    try {
      EXPECT_TRUE(each.deposit(id, 50, 1).has_suspense());
    } catch (const Crash&) {
      has_crashed = true;
    }
    each.plan = {};
    each.restart();
    each.pass(60s);
    EXPECT_EQ(each.balance(), 150) << "after a crash at point " << point;
  }
}

TEST_F(BehindTest, CashThatWasPaidAndNotDebitedIsTheOperatorsToDecide) {
  keep_before("withdrawal", "DISPENSING");
  const OperationId id = house.new_id();
  house.bank.moods["Capture"] = Mood::silent;
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  put_back();
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.resolve(id).outcome_case(), v1::ResolveResponse::kSuspense);
  EXPECT_EQ(house.held(), 60);
  const auto& hold = house.bank.state.holds.begin()->second;
  EXPECT_NE(hold.evidence.find("it presented 3 x 20.00 and rejected none"), std::string::npos)
      << hold.evidence;
  house.bank.decide(60'00);
  house.pass(60s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 60'00);
  expect_all_is_told(140);
}

TEST_F(BehindTest, CashThatTheBankHasDebitedIsToldAsPaid) {
  keep_before("withdrawal", "DISPENSING");
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  house.pass(1s);
  put_back();
  house.pass(60s);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 60'00);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.bank.times_asked("Void"), 0U);
  expect_all_is_told(140);
}

TEST_F(BehindTest, WhileTheDispenserIsSilentNobodyIsToldNo) {
  keep_before("withdrawal", "DISPENSING");
  const OperationId id = house.new_id();
  house.bank.moods["Capture"] = Mood::silent;
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  put_back([](AtmHouse& started) { started.dispenser->loses_answers = true; });
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).has_pending());
  EXPECT_EQ(house.held(), 60);
  EXPECT_TRUE(house.unload(house.new_id()).has_decline()) << "what it did is not known yet";
  house.restart();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).has_suspense());
  EXPECT_EQ(house.held(), 60);
}

// One that cannot say is asked again, as ever.
TEST_F(BehindTest, ADispenserThatCannotSayWhatItDidKeepsTheMoneyReserved) {
  keep_before("withdrawal", "DISPENSING");
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
  put_back();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).has_suspense());
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
  house.bank.decide(60'00);
  house.pass(60s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 60'00);
}

TEST_F(BehindTest, WhatNoDispenserDidIsGivenUp) {
  keep_before("withdrawal", "DISPENSING");
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  house.bank.state.holds.begin()->second.state = wire::HOLD_STATE_HELD;
  house.bank.state.customers.at("4000-jane").balance = 100'00;
  house.bank.state.customers.at("4000-jane").held = 60'00;
  house.bank.state.cash["atm-1"] = 200'00;
  put_back_devices_too();
  house.pass(60s);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_CANCELLED);
  EXPECT_EQ(house.held(), 0);
  expect_all_is_told(200);
}

TEST_F(BehindTest, WhatTheBankHasDebitedIsNeverToldAsANo) {
  keep_before("withdrawal", "DISPENSING");
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  house.pass(1s);
  put_back_devices_too();
  house.pass(60s);
  const v1::ResolveResponse told = house.resolve(id);
  EXPECT_EQ(told.suspense().amount().minor_units(), 60'00) << told.ShortDebugString();
  house.insert();
  EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
  ASSERT_EQ(house.exceptions().size(), 1U);
  EXPECT_NE(house.exceptions().front().find("the ATM paid nothing"), std::string::npos)
      << house.exceptions().front();
  house.restart();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).has_suspense());
  ASSERT_EQ(house.exceptions().size(), 1U);
  EXPECT_NE(house.exceptions().front().find("the ATM paid nothing"), std::string::npos)
      << "also when the bank was told again";
}

}  // namespace
}  // namespace atm
