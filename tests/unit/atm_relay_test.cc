// What customers are told of their transfers and changes of PIN when the bank's history went back
// (rule 24).
#include <gmock/gmock.h>

#include "atm_history.h"

namespace atm {
namespace {

using testing::HasSubstr;

class AtmRelayTest : public AtmHistoryTest {
 protected:
  AtmRelayTest() {
    house.insert();
    house.pass(3s);
  }

  v1::TransferRequest transfer_of(OperationId id) {
    v1::TransferRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(house.session);
    request.set_target_account_id("4000-john");
    *request.mutable_amount() = AtmHouse::money(50);
    return request;
  }
  v1::ChangePinRequest new_pin(OperationId id) {
    v1::ChangePinRequest request;
    request.set_id(std::string(id.view()));
    request.set_session_id(house.session);
    request.set_old_pin("1234");
    request.set_new_pin("9876");
    return request;
  }
  v1::TransferResponse transfer(OperationId id) {
    return house.call(transfer_method, transfer_of(id));
  }
  bool is_fenced(OperationId id) const {
    return house.bank.state.fenced.contains(std::string(id.view()));
  }
};

TEST_F(AtmRelayTest, ATransferThatARestoredBankHasLostIsNotToldAsDone) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(transfer(id).has_transferred());
  house.pass(3s);
  EXPECT_TRUE(house.resolve(id).has_transferred());
  restore(backup);
  EXPECT_TRUE(house.resolve(id).has_pending()) << "the operator may put another file back";
  EXPECT_FALSE(is_fenced(id));

  accept();
  const v1::ResolveResponse told = house.resolve(id);
  EXPECT_EQ(told.declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_THAT(told.declined().message(), HasSubstr("has lost it"));
  EXPECT_TRUE(is_fenced(id));
  const std::size_t asked = house.bank.times_asked("Resolve");
  EXPECT_EQ(house.resolve(id).declined().message(), told.declined().message());
  EXPECT_EQ(house.bank.times_asked("Resolve"), asked) << "what it said in this history stands";
  house.pass(3s);
  house.restart();
  house.pass(3s);
  EXPECT_EQ(house.resolve(id).declined().message(), told.declined().message());
  house.insert();
  EXPECT_TRUE(transfer(id).has_decline());
  EXPECT_EQ(house.balance("4000-john"), 500);
  EXPECT_TRUE(transfer(house.new_id()).has_transferred());
  EXPECT_EQ(house.balance("4000-john"), 550);
}

TEST_F(AtmRelayTest, NorWhenItIsSentAgainOrTheAtmWasRestarted) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(transfer(id).has_transferred());
  house.pass(3s);
  restore(backup);
  house.restart();
  house.pass(3s);
  accept();
  house.insert();
  EXPECT_EQ(transfer(id).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.balance("4000-john"), 500);
}

TEST_F(AtmRelayTest, AChangeOfPinThatARestoredBankHasLostIsNotToldAsDone) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.call(change_pin_method, new_pin(id)).has_changed());
  house.pass(3s);
  restore(backup);
  EXPECT_TRUE(house.resolve(id).has_pending());
  accept();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  house.insert();
  EXPECT_EQ(house.call(change_pin_method, new_pin(id)).decline().code(),
            v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.bank.state.customers.at("4000-jane").pin, "1234");
}

TEST_F(AtmRelayTest, WhatTheRestoredBankStillHasIsToldAsBefore) {
  const OperationId moved = house.new_id();
  const OperationId pin = house.new_id();
  const OperationId refused = house.new_id();
  EXPECT_TRUE(transfer(moved).has_transferred());
  EXPECT_TRUE(house.call(change_pin_method, new_pin(pin)).has_changed());
  house.bank.moods["Transfer"] = Mood::refuses;
  house.bank.refusal["Transfer"] = wire::REFUSAL_CODE_ACCOUNT_FROZEN;
  const std::string no = transfer(refused).decline().message();
  house.bank.moods.clear();
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  restore(backup);
  accept();
  house.insert("4000-jane", "9876");
  const v1::TransferResponse again = transfer(moved);
  EXPECT_TRUE(again.has_transferred());
  EXPECT_TRUE(again.replayed());
  EXPECT_TRUE(house.resolve(moved).has_transferred());
  EXPECT_TRUE(house.resolve(pin).has_pin_changed());
  EXPECT_EQ(house.resolve(refused).declined().message(), no);
  EXPECT_EQ(house.balance("4000-john"), 550);
}

TEST_F(AtmRelayTest, ABankThatDoesNotSayAgainLeavesItUnknown) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(transfer(id).has_transferred());
  house.pass(3s);
  restore(backup);
  accept();
  house.bank.moods["Resolve"] = Mood::mumbles;
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.insert();
  EXPECT_FALSE(house.try_call(transfer_method, transfer_of(id)).has_value());
}

TEST_F(AtmRelayTest, ANoStaysWhateverARestoredBankHasLost) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::refuses;
  house.bank.refusal["Transfer"] = wire::REFUSAL_CODE_ACCOUNT_FROZEN;
  const std::string no = transfer(id).decline().message();
  house.bank.moods.clear();
  house.pass(3s);
  restore(backup);
  accept();
  EXPECT_EQ(house.resolve(id).declined().message(), no);
  house.insert();
  EXPECT_EQ(transfer(id).decline().message(), no);
}

// The file that is put back first may be the wrong one.
TEST_F(AtmRelayTest, BeforeAHistoryIsAcceptedNoUnansweredTransferIsFenced) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::reply_lost;
  EXPECT_FALSE(house.try_call(transfer_method, transfer_of(id), 2s).has_value());
  house.bank.moods.clear();
  house.load(1, 20, 1);
  house.pass(3s);
  const AtmBank::State newest = house.bank.state;
  restore(backup);
  EXPECT_TRUE(house.resolve(id).has_pending());
  EXPECT_FALSE(is_fenced(id));
  restore(newest);
  accept();
  EXPECT_TRUE(house.resolve(id).has_transferred());
}

}  // namespace
}  // namespace atm
