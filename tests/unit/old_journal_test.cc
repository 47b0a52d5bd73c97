// An ATM whose journal is older than its devices, as when a backup was restored, or is gone.
#include <filesystem>

#include "atm_fixture.h"

namespace atm {
namespace {

class OldJournalTest : public testing::Test {
 protected:
  OldJournalTest() {
    house.load(1, 20, 100);
    house.insert();
    house.pass(1s);
    back_up();
  }

  std::filesystem::path journal() const { return house.folder() / "atm"; }
  void back_up() {
    house.stop();
    std::filesystem::remove_all(house.folder() / "old");
    std::filesystem::copy(journal(), house.folder() / "old");
    house.start();
    house.insert();
  }
  // Starts with the journal as it was at the last back_up().
  void restore() {
    house.stop();
    std::filesystem::remove_all(journal());
    std::filesystem::copy(house.folder() / "old", journal());
    house.start();
  }
  void lose_everything() {
    house.stop();
    std::filesystem::remove_all(journal());
    std::filesystem::remove(house.folder() / std::string(device_file_name));
  }
  void expect_out(const std::string& why) {
    EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
    EXPECT_NE(house.terminal().reason().find(why), std::string::npos) << house.terminal().reason();
    EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  }
  void expect_in() {
    EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE) << house.terminal().reason();
  }

  AtmHouse house;
};

TEST_F(OldJournalTest, TheTerminalIsOutOfServiceUntilStaffHaveLooked) {
  EXPECT_TRUE(house.withdraw(40).has_withdrawn());
  restore();
  expect_out("the dispenser should hold 100 notes of 20.00 EUR, but 98 are there");
  house.restart();
  expect_out("98 are there");
  house.set_service(true);
  expect_in();
  house.restart();
  expect_in();
  EXPECT_TRUE(house.insert().has_session());
  EXPECT_TRUE(house.withdraw(20).has_withdrawn());
  house.pass(1s);
  house.restart();
  expect_in();
}

TEST_F(OldJournalTest, StaffThatEmptyItHaveLookedToo) {
  EXPECT_TRUE(house.withdraw(40).has_withdrawn());
  restore();
  expect_out("98 are there");
  EXPECT_EQ(house.unload(house.new_id()).unloaded().amount().minor_units(), 98 * 20'00);
  expect_in();
  house.load(1, 20, 10);
  house.restart();
  expect_in();
}

TEST_F(OldJournalTest, NotesInTheDepositBinAreCountedToo) {
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 1).has_deposited());
  restore();
  expect_out("the deposit bin should hold 0 notes of 50.00 EUR, but 1 is there");
  house.set_service(true);
  expect_in();
}

TEST_F(OldJournalTest, WithoutItsJournalATerminalWithNotesIsOut) {
  house.stop();
  std::filesystem::remove_all(journal());
  house.start();
  expect_out("the dispenser should hold 0 notes of 20.00 EUR, but 100 are there");
}

// As a second ATM under the same name, or one that was put in the place of another.
TEST_F(OldJournalTest, AnAtmThatKnowsNothingOfItsCashIsOutUntilTheBankHasNone) {
  lose_everything();
  house.start();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_UNKNOWN_CASH);
  EXPECT_NE(house.terminal().reason().find("the bank has 2000.00 EUR inside atm-1"),
            std::string::npos)
      << house.terminal().reason();
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(house.load(1, 20, 10).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.set_service(true);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_UNKNOWN_CASH);
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_UNKNOWN_CASH);

  house.bank.state.cash["atm-1"] = 0;  // The operator has booked the old one's notes out.
  house.pass(60s);
  expect_in();
  EXPECT_TRUE(house.load(1, 20, 10).has_done());
  house.pass(5s);
  expect_in();
  EXPECT_EQ(house.differences(), Sentences());
}

// Whether that is so only the bank can say.
TEST_F(OldJournalTest, ItTakesNoLoadBeforeTheBankHasSaidWhatItHasInside) {
  lose_everything();
  house.bank.close();
  house.start();
  const v1::LoadResponse early = house.load(1, 20, 10);
  EXPECT_EQ(early.decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(early.decline().message(),
            "No notes were loaded: by this ATM's journal no note has ever moved in atm-1, and the "
            "bank has not said yet whether it has cash inside: the bank does not answer.");
  house.bank.open();
  house.pass(60s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_UNKNOWN_CASH);
  EXPECT_EQ(house.really_inside(), 0);
}

TEST_F(OldJournalTest, NorDoesALoadThatWaitedForTheBank) {
  lose_everything();
  house.bank.close();
  house.start();
  std::optional<rpc::Reply<v1::LoadResponse>> reply;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, load_method, AtmHouse::load_of(house.new_id(), 1, 20, 10), 10s, reply);
  house.bank.open();
  house.pass(10s);
  ASSERT_TRUE(reply && *reply);
  EXPECT_EQ((*reply)->decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_NE((*reply)->decline().message().find("the bank has 2000.00 EUR inside atm-1"),
            std::string::npos)
      << (*reply)->decline().message();
  EXPECT_EQ(house.really_inside(), 0);
}

TEST_F(OldJournalTest, AndNoneWhenTheBankHasGoneAgain) {
  lose_everything();
  house.start();
  house.bank.close();
  house.pass(1s);
  EXPECT_EQ(house.load(1, 20, 10).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(house.really_inside(), 0);
}

TEST_F(OldJournalTest, AnAtmWithoutItsJournalIsEmptiedAndLoadedAnew) {
  house.stop();
  std::filesystem::remove_all(journal());
  house.start();
  house.set_service(true);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_UNKNOWN_CASH);
  EXPECT_EQ(house.unload(house.new_id()).unloaded().amount().minor_units(), 100 * 20'00);
  house.pass(5s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 0);
  house.pass(5s);
  EXPECT_EQ(house.differences(), Sentences()) << "what was found is what had been loaded";
  EXPECT_TRUE(house.load(1, 20, 10).has_done());
  house.pass(5s);
  expect_in();
  EXPECT_EQ(house.differences(), Sentences());
  house.restart();
  EXPECT_EQ(house.differences(), Sentences());
}

// Wherever they lie: a customer's notes in the bin, and those that jammed.
TEST_F(OldJournalTest, SoIsOneWhoseCustomersHadMovedNotes) {
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 2).has_deposited());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 1);
  EXPECT_TRUE(house.withdraw(60).has_withdrawn());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  house.pass(5s);
  house.stop();
  std::filesystem::remove_all(journal());
  house.start();
  house.set_service(true);
  EXPECT_EQ(house.unload(house.new_id()).unloaded().amount().minor_units(), 99 * 20'00 + 100'00);
  house.pass(5s);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.bank.state.cash["atm-1"], 0);
}

// Found is what was there, and not what should have been: the bank knows better.
TEST_F(OldJournalTest, WhatWasTakenFromOneWithoutItsJournalIsNamed) {
  house.stop();
  std::filesystem::remove_all(journal());
  house.start();
  house.bank.state.cash["atm-1"] += 40'00;
  EXPECT_TRUE(house.unload(house.new_id()).has_unloaded());
  house.pass(5s);
  EXPECT_EQ(house.differences(),
            Sentences({"The ATM holds 0.00 EUR, but the bank's cash account says 40.00 EUR: a "
                       "difference of -40.00 EUR."}));
}

TEST_F(OldJournalTest, WithoutTheMemoryOfItsDevicesATerminalIsOut) {
  house.stop();
  std::filesystem::remove(house.folder() / std::string(device_file_name));
  house.start();
  expect_out("the dispenser should hold 100 notes of 20.00 EUR, but 0 are there");
}

TEST_F(OldJournalTest, ADispenserThatIsSilentAtTheStartIsCountedWhenItAnswers) {
  EXPECT_TRUE(house.withdraw(40).has_withdrawn());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
  restore();
  expect_out("the dispenser does not answer");
  house.pass(30s);
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
  house.pass(10s);
  expect_out("98 are there");
}

TEST_F(OldJournalTest, WhatTheDispenserDidBeforeIsNotThePaymentOfAnotherWithdrawal) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 40).has_withdrawn());
  house.pass(5s);
  EXPECT_EQ(house.balance(), 60);
  restore();
  house.set_service(true);
  house.insert();
  const v1::WithdrawResponse again = house.withdraw(id, 40);
  EXPECT_TRUE(again.has_suspense()) << again.ShortDebugString();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 60) << "the customer has 40.00, once";
  EXPECT_EQ(house.held(), 40) << "the operator decides";
  EXPECT_EQ(house.resolve(id).outcome_case(), v1::ResolveResponse::kSuspense);
  const auto is_suspended = [](const auto& hold) { return !hold.second.evidence.empty(); };
  const auto found = std::ranges::find_if(house.bank.state.holds, is_suspended);
  ASSERT_NE(found, house.bank.state.holds.end());
  EXPECT_NE(found->second.evidence.find("acted on this id before"), std::string::npos)
      << found->second.evidence;
  EXPECT_EQ(found->second.evidence.find("Since then"), std::string::npos);
  house.bank.decide(0);
  house.pass(60s);
  EXPECT_EQ(house.held(), 0);
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.really_inside(), 98 * 20);
}

// What may be out is what was planned then, of which this ATM knows nothing: the operator may decide
// for any amount.
TEST_F(OldJournalTest, NotesThatArePlannedNowAreNotThoseThatMayHaveBeenPaidBefore) {
  const OperationId id = house.new_id();
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 2);
  EXPECT_TRUE(house.withdraw(id, 60).has_withdrawn());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  house.pass(5s);
  restore();
  house.set_service(true);
  house.load(2, 50, 10);
  house.load(3, 10, 10);
  house.insert();
  const v1::WithdrawResponse again = house.withdraw(id, 60);
  EXPECT_TRUE(again.has_suspense()) << again.ShortDebugString();
  house.pass(60s);
  const auto is_suspended = [](const auto& hold) { return !hold.second.evidence.empty(); };
  const auto found = std::ranges::find_if(house.bank.state.holds, is_suspended);
  ASSERT_NE(found, house.bank.state.holds.end());
  EXPECT_NE(found->second.evidence.find("presented 2 x 20.00"), std::string::npos)
      << found->second.evidence;
  EXPECT_EQ(found->second.planned.size(), 0);
  house.bank.decide(40'00);
  house.pass(60s);
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(OldJournalTest, NobodyIsToldThatWhatADeviceDidWasNotDone) {
  const OperationId paid = house.new_id();
  const OperationId taken = house.new_id();
  EXPECT_TRUE(house.withdraw(paid, 40).has_withdrawn());
  EXPECT_TRUE(house.deposit(taken, 50, 1).has_deposited());
  restore();
  for (int time = 1; time <= 2; ++time) {
    EXPECT_EQ(house.resolve(paid).withdrawn().amount().minor_units(), 40'00);
    EXPECT_EQ(house.resolve(taken).deposited().amount().minor_units(), 50'00);
  }
  EXPECT_EQ(house.resolve(house.new_id()).declined().code(), v1::DECLINE_CODE_ID_FENCED);
}

TEST_F(OldJournalTest, NotesThatTheAcceptorKeptBeforeAreNotCreditedAgain) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.deposit(id, 50, 1).has_deposited());
  house.pass(5s);
  EXPECT_EQ(house.balance(), 150);
  restore();
  house.set_service(true);
  house.insert();
  EXPECT_TRUE(house.deposit(id, 50, 1).has_suspense());
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  house.bank.close();
  house.pass(5s);
  house.bank.open();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150) << "also when a bank is told again";
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// Whatever a crash leaves is cleared up by the start, which is no reason to stay out of service.
TEST_F(OldJournalTest, WhatAJamLeftIsNoDifference) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 1);
  EXPECT_TRUE(house.withdraw(60).has_withdrawn());
  house.restart();
  expect_in();
}

TEST_F(OldJournalTest, NotesThatNobodyKnowsOfAreNoDifference) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  EXPECT_TRUE(house.withdraw(60).has_suspense());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  house.set_service(true);
  house.restart();
  expect_in();
  house.bank.decide(60'00);
  house.pass(60s);
  house.restart();
  expect_in();
}

}  // namespace
}  // namespace atm
