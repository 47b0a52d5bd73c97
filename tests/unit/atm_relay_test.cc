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

  bool is_fenced(OperationId id) const {
    return house.bank.state.fenced.contains(std::string(id.view()));
  }
};

TEST_F(AtmRelayTest, WhatABankWithoutRoomDidNotBeginIsDeclined) {
  house.bank.moods["Transfer"] = Mood::is_full;
  house.bank.moods["ChangePin"] = Mood::is_full;
  const v1::Decline of_transfer = house.transfer(house.new_id()).decline();
  EXPECT_EQ(of_transfer.code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(of_transfer.message(), "The bank cannot do it now: The disk is full.");
  const v1::Decline of_pin = house.change_pin(house.new_id()).decline();
  EXPECT_EQ(of_pin.code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
}

TEST_F(AtmRelayTest, ATransferWhoseFirstSendingWasLostIsNotSaidToBeUndone) {
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::silent;
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id), 2s).has_value());
  house.bank.moods["Transfer"] = Mood::is_full;
  house.bank.moods["Resolve"] = Mood::silent;
  const auto again = house.try_call(transfer_method, house.transfer_of(id), 2s);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().outcome(), rpc::Outcome::unknown);
}

TEST_F(AtmRelayTest, ATransferThatARestoredBankHasLostIsNotToldAsDone) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.transfer(id).has_transferred());
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
  EXPECT_TRUE(house.transfer(id).has_decline());
  EXPECT_EQ(house.balance("4000-john"), 500);
  EXPECT_TRUE(house.transfer(house.new_id()).has_transferred());
  EXPECT_EQ(house.balance("4000-john"), 550);
}

TEST_F(AtmRelayTest, NorWhenItIsSentAgainOrTheAtmWasRestarted) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.transfer(id).has_transferred());
  house.pass(3s);
  restore(backup);
  house.restart();
  house.pass(3s);
  accept();
  house.insert();
  EXPECT_EQ(house.transfer(id).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.balance("4000-john"), 500);
}

TEST_F(AtmRelayTest, AChangeOfPinThatARestoredBankHasLostIsNotToldAsDone) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.change_pin(id).has_changed());
  house.pass(3s);
  restore(backup);
  EXPECT_TRUE(house.resolve(id).has_pending());
  accept();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  house.insert();
  EXPECT_EQ(house.change_pin(id).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.bank.state.customers.at("4000-jane").pin, "1234");
}

TEST_F(AtmRelayTest, WhatTheRestoredBankStillHasIsToldAsBefore) {
  const OperationId moved = house.new_id();
  const OperationId pin = house.new_id();
  const OperationId refused = house.new_id();
  EXPECT_TRUE(house.transfer(moved).has_transferred());
  EXPECT_TRUE(house.change_pin(pin).has_changed());
  house.bank.moods["Transfer"] = Mood::refuses;
  house.bank.refusal["Transfer"] = wire::REFUSAL_CODE_ACCOUNT_FROZEN;
  const std::string no = house.transfer(refused).decline().message();
  house.bank.moods.clear();
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  restore(backup);
  accept();
  house.insert("4000-jane", "9876");
  const v1::TransferResponse again = house.transfer(moved);
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
  EXPECT_TRUE(house.transfer(id).has_transferred());
  house.pass(3s);
  restore(backup);
  accept();
  house.bank.moods["Resolve"] = Mood::mumbles;
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.insert();
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id)).has_value());
}

TEST_F(AtmRelayTest, ANoStaysWhateverARestoredBankHasLost) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::refuses;
  house.bank.refusal["Transfer"] = wire::REFUSAL_CODE_ACCOUNT_FROZEN;
  const std::string no = house.transfer(id).decline().message();
  house.bank.moods.clear();
  house.pass(3s);
  restore(backup);
  accept();
  EXPECT_EQ(house.resolve(id).declined().message(), no);
  house.insert();
  EXPECT_EQ(house.transfer(id).decline().message(), no);
}

// Between its request and its sending lies the disk.
TEST_F(AtmRelayTest, NothingIsSentIntoAHistoryThatWentBackWhileItWasWrittenDown) {
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  const auto is_relay = [](const Row& row) { return row.table == Relay::table; };
  bool goes_back = true;
  house.journal->before_write = [&](std::span<const Row> rows) {
    if (!goes_back || std::ranges::none_of(rows, is_relay)) return;
    goes_back = false;
    house.bank.state = backup;
    house.loop.advance(3s);
  };
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::TransferResponse>> moved;
  house.begin_call(scope, transfer_method, house.transfer_of(house.new_id()), 30s, moved);
  house.loop.settle();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
  ASSERT_TRUE(moved.has_value());
  EXPECT_FALSE(moved->has_value());
  EXPECT_EQ(house.bank.times_asked("Transfer"), 0U);

  accept();
  house.insert();
  house.pass(3s);
  house.load(1, 20, 1);
  house.pass(3s);
  std::optional<rpc::Reply<v1::ChangePinResponse>> changed;
  goes_back = true;
  house.begin_call(scope, change_pin_method, house.change_of_pin(house.new_id()), 30s, changed);
  house.loop.settle();
  ASSERT_TRUE(changed.has_value());
  EXPECT_FALSE(changed->has_value());
  EXPECT_EQ(house.bank.times_asked("ChangePin"), 0U);
}

// Who asks what became of it gets an answer first, and that is the only one.
TEST_F(AtmRelayTest, ACallerWhoseReplyIsLateHearsWhatWasToldBefore) {
  const OperationId moves = house.new_id();
  const OperationId pin = house.new_id();
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::TransferResponse>> moved;
  house.bank.delays = {{"Transfer", 3s}, {"ChangePin", 3s}};
  house.begin_call(scope, transfer_method, house.transfer_of(moves), 30s, moved);
  house.pass(1s);
  const std::string told = house.resolve(moves).declined().message();
  house.pass(5s);
  ASSERT_TRUE(moved.has_value());
  EXPECT_EQ((*moved)->decline().message(), told);

  std::optional<rpc::Reply<v1::ChangePinResponse>> changed;
  house.begin_call(scope, change_pin_method, house.change_of_pin(pin), 30s, changed);
  house.pass(1s);
  const std::string told_of_pin = house.resolve(pin).declined().message();
  house.pass(5s);
  ASSERT_TRUE(changed.has_value());
  EXPECT_EQ((*changed)->decline().message(), told_of_pin);
}

TEST_F(AtmRelayTest, ARetryWithAnotherPinDoesNotSayThatTheFirstWasRefused) {
  const OperationId id = house.new_id();
  house.bank.moods["ChangePin"] = Mood::reply_lost;
  EXPECT_FALSE(house.try_call(change_pin_method, house.change_of_pin(id), 2s).has_value());
  house.bank.moods.clear();
  v1::ChangePinRequest other = house.change_of_pin(id);
  other.set_new_pin("5555");
  EXPECT_EQ(house.call(change_pin_method, std::move(other)).decline().refusal().code(),
            wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_TRUE(house.resolve(id).has_pin_changed());
}

TEST_F(AtmRelayTest, WhatBecameOfItIsInTheBooksOfItsOwnTerminal) {
  house.terminals = 2;
  house.restart();
  house.pass(3s);
  house.insert("4000-jane", "1234", "atm-2");
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::reply_lost;
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id), 2s).has_value());
  house.bank.moods.clear();
  house.restart();
  house.pass(3s);
  EXPECT_TRUE(house.resolve(id).has_transferred()) << "asked at atm-1";
  house.pass(3s);
  const std::vector<Event> events = house.journal->read<Event>("id = ?", {to_value(id)});
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events.back().state, "DONE");
  EXPECT_EQ(events.back().terminal, "atm-2");
}

TEST_F(AtmRelayTest, AnItemThatEndsTwiceIsKeptAsLongAsOthersFromTheSecondTimeOn) {
  Items<Fence> items(house.loop, *house.journal);
  Terminal& terminal = *house.atm->terminals().at("atm-1");
  const OperationId id = house.new_id();
  const ItemPointer<Fence> twice = items.add(terminal, {.id = id});
  items.ended(twice);
  for (std::size_t i = 1; i < ended_items_kept_max; ++i) {
    OperationId other;
    other.bytes = {static_cast<std::uint8_t>(2), static_cast<std::uint8_t>(i >> 8U),
                   static_cast<std::uint8_t>(i)};
    items.ended(items.add(terminal, {.id = other}));
  }
  items.ended(twice);
  OperationId last;
  last.bytes[0] = 3;
  items.ended(items.add(terminal, {.id = last}));
  EXPECT_NE(items.in_memory(id), nullptr);
}

// The file that is put back first may be the wrong one.
TEST_F(AtmRelayTest, BeforeAHistoryIsAcceptedNoUnansweredTransferIsFenced) {
  const AtmBank::State backup = house.bank.state;
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::reply_lost;
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id), 2s).has_value());
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
