// What became of an id that the ATM's journal does not know: an old journal was put back.
#include "atm_fixture.h"

namespace atm {
namespace {

class UnknownIdTest : public testing::Test {
 protected:
  UnknownIdTest() {
    house.load(1, 20, 10);
    house.insert();
    keep("atm");
    keep(".");
    house.insert();
  }

  // What the journal, or all of the ATM's files, are like now.
  void keep(const std::string& what) {
    house.stop();
    const std::filesystem::path old = old_of(what);
    std::filesystem::remove_all(old);
    copy(house.folder() / what, old);
    house.start();
  }
  void put_back(const std::string& what) {
    house.stop();
    if (what == "atm") std::filesystem::remove_all(house.folder() / what);
    copy(old_of(what), house.folder() / what);
    house.start();
    house.pass(1s);
  }
  void put_back_journal() { put_back("atm"); }
  void put_back_all() {
    std::filesystem::remove_all(house.folder() / "atm");
    put_back(".");
  }
  ~UnknownIdTest() override { std::filesystem::remove_all(old_of("").parent_path()); }

  template <typename Response, typename Request>
  bool is_answered(const rpc::Method<Request, Response>& method, Request request) {
    return house.try_call(method, std::move(request), 2s).has_value();
  }

  AtmHouse house;

 private:
  std::filesystem::path old_of(const std::string& what) const {
    return std::filesystem::path(house.folder().string() + "-old") / (what == "." ? "all" : what);
  }
  static void copy(const std::filesystem::path& from, const std::filesystem::path& to) {
    using enum std::filesystem::copy_options;
    std::filesystem::create_directories(to);
    std::filesystem::copy(from, to, recursive | overwrite_existing);
  }
};

TEST_F(UnknownIdTest, ATransferThatTheBankHasDoneIsToldAsDone) {
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::reply_lost;
  EXPECT_FALSE(is_answered(transfer_method, house.transfer_of(id)));
  house.bank.moods.clear();
  put_back_journal();
  const v1::ResolveResponse told = house.resolve(id);
  EXPECT_EQ(told.transferred().amount().minor_units(), 50'00);
  EXPECT_NE(told.transferred().bank().ledger_seq(), 0U);
  house.insert();
  const v1::TransferResponse again = house.transfer(id);
  EXPECT_TRUE(again.has_transferred());
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(house.balance("4000-john"), 550);
}

TEST_F(UnknownIdTest, AnotherCustomerIsNotToldOfATransferUnderTheSameId) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.transfer(id).has_transferred());
  house.pass(70s);
  ASSERT_TRUE(house.insert("4000-john", "2345").has_session());
  EXPECT_EQ(house.transfer(id).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
}

TEST_F(UnknownIdTest, ATransferUnderAnIdThatBelongsToAnotherWasNotDone) {
  const OperationId id = house.new_id();
  house.bank.moods = {{"Transfer", Mood::silent}, {"Resolve", Mood::refuses}};
  house.bank.refusal["Resolve"] = wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER;
  EXPECT_FALSE(is_answered(transfer_method, house.transfer_of(id)));
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
}

TEST_F(UnknownIdTest, AChangeOfPinThatTheBankHasDoneIsToldAsDone) {
  const OperationId id = house.new_id();
  house.bank.moods["ChangePin"] = Mood::reply_lost;
  EXPECT_FALSE(is_answered(change_pin_method, house.change_of_pin(id)));
  house.bank.moods.clear();
  put_back_journal();
  EXPECT_TRUE(house.resolve(id).has_pin_changed());
}

TEST_F(UnknownIdTest, WhatTheBankHasNotSeenIsFencedThereToo) {
  put_back_journal();
  const OperationId id = house.new_id();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_TRUE(house.bank.state.fenced.contains(std::string(id.view())));
  const std::size_t asked = house.bank.times_asked("Resolve");
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.bank.times_asked("Resolve"), asked);
  house.insert();
  EXPECT_EQ(house.transfer(id).decline().code(), v1::DECLINE_CODE_ID_FENCED);
}

TEST_F(UnknownIdTest, WhatTheBankRefusedIsToldInItsWords) {
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::refuses;
  house.bank.refusal["Transfer"] = wire::REFUSAL_CODE_ACCOUNT_FROZEN;
  EXPECT_TRUE(house.transfer(id).has_decline());
  put_back_journal();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_BY_BANK);
}

TEST_F(UnknownIdTest, WhileTheBankDoesNotSayNobodyIsToldNo) {
  const OperationId id = house.new_id();
  house.bank.moods["Resolve"] = Mood::silent;
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.bank.moods["Resolve"] = Mood::mumbles;
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.bank.close();
  house.pass(1s);
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.bank.moods.clear();
  house.bank.open();
  house.pass(10s);
  house.insert();
  EXPECT_TRUE(house.withdraw(id, 20).has_withdrawn());
}

TEST_F(UnknownIdTest, BeforeAHistoryIsAcceptedNobodyIsToldNo) {
  const auto backup = house.bank.state;
  house.withdraw(20);
  house.pass(1s);
  house.bank.close();
  house.bank.state = backup;
  house.bank.open();
  house.pass(10s);
  EXPECT_TRUE(house.resolve(house.new_id()).has_pending());
  EXPECT_TRUE(house.bank.state.fenced.empty());
}

TEST_F(UnknownIdTest, AWithdrawalIsFoundByItsReceiptAndDoneNoSecondTime) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 40).has_withdrawn());
  house.pass(1s);
  put_back_all();
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 40'00);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 40'00);
  house.insert();
  EXPECT_EQ(house.withdraw(id, 40).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.balance(), 60);
}

TEST_F(UnknownIdTest, AWithdrawalOfWhichTheBankDoesNotKnowTheEndIsNoNo) {
  const OperationId id = house.new_id();
  house.bank.moods["Capture"] = Mood::silent;
  EXPECT_TRUE(house.withdraw(id, 40).has_withdrawn());
  house.bank.moods.clear();
  put_back_all();
  EXPECT_EQ(house.resolve(id).suspense().amount().minor_units(), 40'00);
}

// An old journal's no is of the sending that it saw, and an earlier one was done.
TEST_F(UnknownIdTest, WhatTheBankKnowsGoesBeforeANoOfAnOldJournal) {
  const OperationId paid = house.new_id();
  const OperationId moved = house.new_id();
  EXPECT_TRUE(house.withdraw(paid, 40).has_withdrawn());
  EXPECT_TRUE(house.transfer(moved).has_transferred());
  house.pass(1s);
  put_back_all();
  house.insert();
  house.set_service(false);
  EXPECT_TRUE(house.withdraw(paid, 40).has_decline());
  EXPECT_TRUE(house.transfer(moved).has_decline());
  EXPECT_TRUE(house.resolve(paid).has_withdrawn());
  EXPECT_TRUE(house.resolve(moved).has_transferred());
}

TEST_F(UnknownIdTest, ADepositIsFoundByItsReceipt) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.deposit(id, 20, 2).has_deposited());
  put_back_all();
  const v1::ResolveResponse told = house.resolve(id);
  EXPECT_TRUE(told.deposited().credited());
  EXPECT_EQ(told.deposited().amount().minor_units(), 40'00);
}

TEST_F(UnknownIdTest, ASilentDispenserBesideAnOldJournalIsNoNo) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 40).has_withdrawn());
  house.pass(1s);
  house.bank.state.receipts.clear();  // A bank that does not know the receipt.
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
  put_back_journal();
  EXPECT_TRUE(house.resolve(id).has_pending());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  EXPECT_TRUE(house.resolve(id).has_suspense());
}

TEST_F(UnknownIdTest, ASilentDeviceHoldsUpNobodyWhereTheJournalHasAllItsNotes) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
  EXPECT_EQ(house.resolve(house.new_id()).declined().code(), v1::DECLINE_CODE_ID_FENCED);
}

TEST_F(UnknownIdTest, AChangeOfAnotherTerminalOfThisAtmIsFoundWhicheverIsNamed) {
  house.terminals = 2;
  house.restart();
  house.insert("4000-jane", "1234", "atm-2");
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.transfer(id).has_transferred());
  put_back_journal();
  EXPECT_TRUE(house.resolve(id).has_transferred());
}

TEST_F(UnknownIdTest, AnIdThatTheBankHasFromElsewhereIsNeitherFencedNorANo) {
  const OperationId id = house.new_id();
  house.bank.state.answers[std::string(id.view())] = {.terminal = "atm-9", .method = "Transfer"};
  EXPECT_TRUE(house.resolve(id).has_cannot_know());
}

}  // namespace
}  // namespace atm
