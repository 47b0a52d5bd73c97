// What staff are told still fits into a reply when a bad day has left hundreds of items, and a line
// to the bank that is slow still lets every terminal sign on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm_fixture.h"

namespace atm {
namespace {

using testing::HasSubstr;

class AtmStaffTest : public testing::Test {
 protected:
  static constexpr std::uint32_t many = 2'000;

  static Deposit deposit_number(std::uint32_t number) {
    Deposit deposit;
    deposit.terminal = "atm-1";
    deposit.card = "4000-jane";
    deposit.id.bytes = {2, static_cast<std::uint8_t>(number >> 8U),
                        static_cast<std::uint8_t>(number & 0xffU)};
    deposit.post_id = deposit.second_post_id = deposit.id;
    deposit.counted = deposit.put_in = Notes{{Cents{50'00}, 1}};
    deposit.state = DepositState::posting;
    deposit.kept = true;
    return deposit;
  }
  // Each is one that the bank refused, or has still to answer.
  void leave_many(const std::string& exception) {
    house.stop();
    {
      JournalFile file(house.folder() / "atm");
      for (std::uint32_t number = 0; number < many; ++number) {
        Deposit deposit = deposit_number(number);
        deposit.exception = exception;
        rows.push_back(to_row(deposit));
      }
      file.write(rows);
    }
    house.start();
    house.pass(3s);
  }
  v1::ListOpenItemsResponse items() {
    return house.call(list_open_items_method, v1::ListOpenItemsRequest());
  }

  AtmHouse house;
  std::vector<Row> rows;
};

TEST_F(AtmStaffTest, OfMoreExceptionsThanFitIntoAReplyTheNewestAreListedAndTheOthersCounted) {
  leave_many("the bank refused it: not today");
  const v1::ListOpenItemsResponse told = items();
  EXPECT_GE(told.exceptions_size(), 100);
  EXPECT_EQ(told.exceptions_size() + static_cast<int>(told.exceptions_left_out()), many);
  EXPECT_EQ(told.items_left_out(), 0U);
  EXPECT_THAT(told.exceptions(0), HasSubstr(deposit_number(many - 1).id.text()));

  house.bank.state.cash["atm-1"] += 50'00;
  const v1::AuditResponse audit = house.audit();
  EXPECT_GE(audit.differences_size(), 100);
  const int listed = audit.differences_size() - 2;
  EXPECT_EQ(audit.differences(audit.differences_size() - 1),
            "There are " + std::to_string(static_cast<int>(many) - listed) +
                " more exceptions; the bank's operator has them, too.");
}

TEST_F(AtmStaffTest, OfMoreOpenItemsThanFitTheOthersAreCounted) {
  house.bank.moods["Deposit"] = Mood::silent;
  leave_many("");
  const v1::ListOpenItemsResponse told = items();
  EXPECT_GE(told.items_size(), 100);
  EXPECT_EQ(told.items_size() + static_cast<int>(told.items_left_out()), many);
  EXPECT_EQ(house.audit().open_items(), many);
  EXPECT_EQ(house.terminal().open_items(), many);
}

TEST_F(AtmStaffTest, TerminalsSignOnSideBySide) {
  house.terminals = 2;
  house.settings.bank_patience = 8s;
  house.bank.delays["SignOn"] = 6s;
  house.restart();
  house.pass(30s);
  const auto told = house.call(list_terminals_method, v1::ListTerminalsRequest());
  for (const v1::Terminal& terminal : told.terminals()) EXPECT_EQ(terminal.reason(), "");
}

TEST_F(AtmStaffTest, BelowTheReserveOfFreeSpaceStaffMoveNoNotes) {
  ASSERT_TRUE(house.load(1, 20, 10).has_done());
  house.disk.free = 1;
  EXPECT_EQ(house.load(2, 50, 2).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.disk.free = UINT64_MAX;
  EXPECT_TRUE(house.load(2, 50, 2).has_done());
}

TEST_F(AtmStaffTest, ACountThatMissesTheOnlyNoteSpeaksOfOneNote) {
  ASSERT_TRUE(house.load(1, 20, 1).has_done());
  house.run(house.dispenser->dispense(house.new_id(), {{1, Cents{20'00}, 1}}));
  EXPECT_THAT(house.call(count_method, v1::CountRequest()).differences(),
              testing::ElementsAre("The cassettes should hold 1 note of 20.00 EUR, but 0 are "
                                   "there."));
}

TEST_F(AtmStaffTest, ACountOfASilentDeviceIsANoOfTheAtm) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
  const rpc::Status said = house.try_call(count_method, v1::CountRequest()).error();
  EXPECT_EQ(said.code, rpc::StatusCode::failed_precondition) << said.text();
  EXPECT_EQ(said.message, "the dispenser does not answer");
}

TEST_F(AtmStaffTest, HowSlowADeviceIsMustBeSaid) {
  v1::SetFaultRequest request;
  request.set_device(v1::DEVICE_DISPENSER);
  request.set_fault(v1::FAULT_SLOW);
  v1::SetFaultRequest said = request;
  said.set_delay_ms(3000);
  EXPECT_EQ(house.try_call(set_fault_method, request).error().code,
            rpc::StatusCode::invalid_argument);
  EXPECT_TRUE(house.try_call(set_fault_method, said));
}

// Whether something is inside the bank alone can say.
TEST_F(AtmStaffTest, ALoadRightAfterTheFirstStartWaitsForTheBank) {
  house.bank.close();
  house.restart();
  std::optional<rpc::Reply<v1::LoadResponse>> reply;
  async::TaskScope scope(house.loop);
  const OperationId id = house.new_id();
  house.begin_call(scope, load_method, AtmHouse::load_of(id, 1, 20, 10), 10s, reply);
  house.pass(1s);
  EXPECT_FALSE(reply);
  house.bank.open();
  house.pass(5s);
  ASSERT_TRUE(reply && *reply);
  EXPECT_EQ((*reply)->done().cash().minor_units(), 200'00);
  EXPECT_TRUE(house.load(id, 1, 20, 10).done().replayed());
  EXPECT_EQ(house.really_inside(), 200);
}

TEST_F(AtmStaffTest, AndNotForTheNextHeartbeatWhereTheTerminalWasJustAdded) {
  house.settings.heartbeat = 1h;
  house.bank.terminals.clear();
  house.restart();
  EXPECT_EQ(house.load(1, 20, 10).decline().message(),
            "No notes were loaded: by this ATM's journal no note has ever moved in atm-1, and the "
            "bank has not said yet whether it has cash inside: the bank does not know terminal "
            "atm-1; add it with: bankctl terminal add atm-1 --currency EUR.");
  house.bank.terminals = {"atm-1"};
  EXPECT_TRUE(house.load(1, 20, 10).has_done());
}

TEST_F(AtmStaffTest, NotesAreNotLoadedForStaffWhoNoLongerWait) {
  house.bank.close();
  house.restart();
  {
    std::optional<rpc::Reply<v1::LoadResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, load_method, AtmHouse::load_of(house.new_id(), 1, 20, 10), 60s, reply);
  }
  house.connect();
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.really_inside(), 0);
}

TEST_F(AtmStaffTest, WhatAnotherBankHasInsideSaysNothing) {
  house.pass(3s);
  house.bank.close();
  house.bank.state = AtmBank::State();
  house.bank.state.instance = "another-instance";
  house.bank.open();
  house.pass(5s);
  EXPECT_EQ(house.load(1, 20, 10).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  v1::AcceptBankHistoryRequest request;
  request.set_reason("this is the bank from now on");
  house.call(accept_history_method, std::move(request));
  EXPECT_TRUE(house.load(1, 20, 10).has_done());
}

// A later load needs no bank.
TEST_F(AtmStaffTest, NotesAreAddedWhileTheBankIsAway) {
  EXPECT_TRUE(house.load(1, 20, 10).has_done());
  house.bank.close();
  house.pass(1s);
  EXPECT_TRUE(house.load(1, 20, 5).has_done());
  house.bank.open();
  house.pass(60s);
  EXPECT_EQ(house.differences(), Sentences());
}

}  // namespace
}  // namespace atm
