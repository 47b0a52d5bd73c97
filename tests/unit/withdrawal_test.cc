#include <algorithm>
#include <span>
#include <string>

#include "atm_fixture.h"

namespace atm {
namespace {

class WithdrawalTest : public testing::Test {
 protected:
  WithdrawalTest() {
    house.load(1, 20, 10);
    house.load(2, 50, 10);
    house.insert();
    house.pass(1s);
  }

  // Whatever happened: the cash that is out is what Jane was debited, and every cent is found.
  void expect_conserved() {
    EXPECT_EQ(700 - house.really_inside(), 100 - house.balance());
    EXPECT_EQ(house.held(), 0);
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.open_items(), Sentences());
  }

  AtmHouse house;
};

TEST_F(WithdrawalTest, ACustomerGetsCashAndIsDebitedOnce) {
  const v1::WithdrawResponse response = house.withdraw(60);
  ASSERT_TRUE(response.has_withdrawn()) << response.DebugString();
  EXPECT_EQ(response.withdrawn().amount().minor_units(), 60'00);
  ASSERT_EQ(response.withdrawn().notes_size(), 1);
  EXPECT_EQ(response.withdrawn().notes(0).denomination().minor_units(), 20'00);
  EXPECT_EQ(response.withdrawn().notes(0).count(), 3U);
  EXPECT_EQ(response.withdrawn().balance().available().minor_units(), 40'00);
  house.pass(1s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.really_inside(), 640);
  expect_conserved();
}

TEST_F(WithdrawalTest, TheBankKnowsTheCustomersReceiptAndTheReceiptKnowsTheBanksEntry) {
  const OperationId receipt = house.new_id();
  const v1::WithdrawResponse response = house.withdraw(receipt, 60);
  const v1::BankEntry& entry = response.withdrawn().bank();
  EXPECT_EQ(house.bank.state.receipts.at(entry.id()), receipt.view());
  EXPECT_EQ(entry.ledger_seq(), 3U) << "After two loads the hold.";
  EXPECT_EQ(house.resolve(receipt).withdrawn().bank().id(), entry.id());

  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  const OperationId unknown = house.new_id();
  const v1::BankEntry held = house.withdraw(unknown, 20).suspense().bank();
  EXPECT_EQ(house.bank.state.receipts.at(held.id()), unknown.view());
  EXPECT_GT(held.ledger_seq(), entry.ledger_seq());
}

TEST_F(WithdrawalTest, ARefusedCustomerGetsNothingAndHearsWhy) {
  const v1::WithdrawResponse response = house.withdraw(120);
  ASSERT_TRUE(response.has_decline());
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_BY_BANK);
  EXPECT_EQ(response.decline().refusal().code(), wire::REFUSAL_CODE_INSUFFICIENT_FUNDS);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  expect_conserved();
}

TEST_F(WithdrawalTest, WhatTheNotesCannotMakeIsRefusedBeforeTheBankIsAsked) {
  const v1::WithdrawResponse response = house.withdraw(30);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  ASSERT_EQ(response.decline().nearest_size(), 2);
  EXPECT_EQ(response.decline().nearest(0).minor_units(), 20'00);
  EXPECT_EQ(response.decline().nearest(1).minor_units(), 40'00);
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U);
}

TEST_F(WithdrawalTest, AmountsThatCannotBeAreMalformed) {
  EXPECT_EQ(house.withdraw(0).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.withdraw(-1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  v1::WithdrawRequest dollars = house.withdrawal(house.new_id(), 20);
  dollars.mutable_amount()->set_currency("USD");
  EXPECT_EQ(house.call(withdraw_method, dollars).decline().code(), v1::DECLINE_CODE_MALFORMED);
  v1::WithdrawRequest huge = house.withdrawal(house.new_id(), 20);
  huge.mutable_amount()->set_minor_units(1'000'000'000'000'000'000);
  EXPECT_EQ(house.call(withdraw_method, huge).decline().code(),
            v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  v1::WithdrawRequest nameless = house.withdrawal(OperationId(), 20);
  EXPECT_EQ(house.call(withdraw_method, nameless).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U);
}

TEST_F(WithdrawalTest, ARetriedIdIsPaidOnceAndGetsItsFirstAnswer) {
  const OperationId id = house.new_id();
  const v1::WithdrawResponse first = house.withdraw(id, 60);
  v1::WithdrawResponse again = house.withdraw(id, 60);
  EXPECT_FALSE(first.replayed());
  EXPECT_TRUE(again.replayed());
  again.set_replayed(false);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  house.pass(1s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.dispenser->dispensed.size(), 1U);
  expect_conserved();
}

TEST_F(WithdrawalTest, ARetriedIdGetsItsFirstAnswerAfterARestartToo) {
  const OperationId id = house.new_id();
  const v1::WithdrawResponse first = house.withdraw(id, 60);
  house.pass(1s);
  house.restart();
  v1::WithdrawResponse again = house.withdraw(id, 60);
  EXPECT_TRUE(again.replayed());
  again.set_replayed(false);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  expect_conserved();
}

TEST_F(WithdrawalTest, TheSameIdTwiceAtOnceIsPaidOnceAndAnsweredTwice) {
  house.bank.delays["Hold"] = 500ms;
  const OperationId id = house.new_id();
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::WithdrawResponse>> one;
  std::optional<rpc::Reply<v1::WithdrawResponse>> two;
  house.begin_call(scope, withdraw_method, house.withdrawal(id, 60), 10s, one);
  house.begin_call(scope, withdraw_method, house.withdrawal(id, 60), 10s, two);
  house.pass(1s);
  ASSERT_TRUE(one && *one && two && *two);
  EXPECT_EQ((*one)->withdrawn().amount().minor_units(), 60'00);
  EXPECT_EQ((*two)->withdrawn().amount().minor_units(), 60'00);
  EXPECT_NE((*one)->replayed(), (*two)->replayed());
  EXPECT_EQ(house.dispenser->dispensed.size(), 1U);
  expect_conserved();
}

TEST_F(WithdrawalTest, AnIdIsNotUsedForAnythingElse) {
  const OperationId id = house.new_id();
  house.withdraw(id, 60);
  EXPECT_EQ(house.withdraw(id, 40).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_EQ(house.deposit(id, 20, 1).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_EQ(house.load(id, 1, 20, 1).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  house.pass(1s);
  expect_conserved();
}

TEST_F(WithdrawalTest, OneChangeAtATimeIsUnderWayAtATerminal) {
  house.bank.delays["Hold"] = 500ms;
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::WithdrawResponse>> one;
  house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 10s, one);
  EXPECT_TRUE(house.withdraw(20).has_withdrawn());
  ASSERT_TRUE(one.has_value()) << "the second has waited for it";
  EXPECT_TRUE((*one)->has_withdrawn());
  EXPECT_EQ(house.dispenser->dispensed.size(), 2U);
}

// What was presented decides (rule 15).

TEST_F(WithdrawalTest, OnlyWhatAJamLetThroughIsDebited) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 2);
  const v1::WithdrawResponse response = house.withdraw(60);
  EXPECT_EQ(response.withdrawn().amount().minor_units(), 40'00);
  EXPECT_FALSE(response.withdrawn().has_balance());
  house.pass(1s);
  EXPECT_EQ(house.balance(), 60);
  EXPECT_EQ(house.audit().rejected().minor_units(), 20'00);
  expect_conserved();
}

TEST_F(WithdrawalTest, NothingPresentedIsNothingDebited) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 0);
  const v1::WithdrawResponse response = house.withdraw(60);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_DISPENSER_FAULT);
  house.pass(1s);
  EXPECT_EQ(house.balance(), 100);
  EXPECT_EQ(house.bank.times_asked("Void"), 1U);
  EXPECT_EQ(house.bank.times_asked("Capture"), 0U);
  expect_conserved();
}

TEST_F(WithdrawalTest, WhatNobodyKnowsIsSuspendedUntilTheOperatorDecides) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
  house.pass(1s);
  EXPECT_EQ(house.held(), 60);
  EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
  EXPECT_TRUE(house.resolve(id).has_suspense());
  EXPECT_EQ(house.differences(), Sentences());

  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.audit().unknown().minor_units(), 0);
  EXPECT_EQ(house.audit().presented().minor_units(), 60'00);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 60'00);
  expect_conserved();
}

TEST_F(WithdrawalTest, TheOperatorMayDecideThatAPartOrNothingWasPaid) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  const OperationId part = house.new_id();
  house.withdraw(part, 60);
  house.pass(1s);
  house.bank.decide(20'00);
  house.pass(10s);
  EXPECT_EQ(house.resolve(part).withdrawn().amount().minor_units(), 20'00);
  EXPECT_EQ(house.audit().rejected().minor_units(), 40'00);
  EXPECT_EQ(house.differences(), Sentences());

  const OperationId nothing = house.new_id();
  house.set_service(true);
  house.insert();
  house.withdraw(nothing, 20);
  house.pass(1s);
  house.bank.decide(0);
  house.pass(10s);
  EXPECT_EQ(house.resolve(nothing).declined().code(), v1::DECLINE_CODE_DISPENSER_FAULT);
  EXPECT_EQ(house.balance(), 80);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(WithdrawalTest, ADecisionThatTheNotesCannotMakeIsADifferenceThatTheAuditNames) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  house.withdraw(60);
  house.pass(1s);
  house.bank.decide(50'00);
  house.pass(10s);
  EXPECT_EQ(house.differences(),
            Sentences({"The ATM holds 660.00 EUR, but the bank's cash account says 650.00 EUR: a "
                       "difference of 10.00 EUR."}));
}

TEST_F(WithdrawalTest, ADispenserThatFallsSilentLeavesASuspense) {
  house.dispenser->loses_answers = true;
  const v1::WithdrawResponse response = house.withdraw(house.new_id(), 60, 30s);
  EXPECT_TRUE(response.has_suspense());
  EXPECT_EQ(house.dispenser->dispensed.size(), 1U);
  house.pass(1s);
  EXPECT_EQ(house.bank.times_asked("Suspend"), 1U);
}

TEST_F(WithdrawalTest, ADispenserThatAnswersLateEndsWithWhatItPresented) {
  house.dispenser->loses_answers = true;
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
  house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 20s, reply);
  house.pass(3s);
  EXPECT_FALSE(reply.has_value());
  house.dispenser->loses_answers = false;
  house.pass(3s);
  EXPECT_EQ((*reply)->withdrawn().amount().minor_units(), 60'00);
  expect_conserved();
}

TEST_F(WithdrawalTest, ADeadDispenserIsOutOfServiceBeforeTheBankIsAsked) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
  EXPECT_EQ(house.withdraw(60).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U);
}

// The bank falls silent (rules 16 to 18).

TEST_F(WithdrawalTest, WithoutABankNothingIsBegun) {
  house.bank.close();
  house.pass(1s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_NO_BANK);
  EXPECT_EQ(house.withdraw(60).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  expect_conserved();
}

TEST_F(WithdrawalTest, AHoldWithoutAnAnswerIsVoidedAndTheCustomerHearsNoInTime) {
  for (const Mood mood : {Mood::silent, Mood::reply_lost}) {
    house.bank.moods["Hold"] = mood;
    const async::Instant before = house.loop.now();
    const v1::WithdrawResponse response = house.withdraw(house.new_id(), 60, 3s);
    EXPECT_LT(house.loop.now() - before, async::Duration(3s));
    EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_BANK_SILENT);
    house.pass(1s);
    EXPECT_TRUE(house.dispenser->dispensed.empty());
    expect_conserved();
  }
}

TEST_F(WithdrawalTest, AHoldThatComesTooLateForHalfItsLifeIsNotPaid) {
  house.bank.delays["Hold"] = 61s;
  const v1::WithdrawResponse response = house.withdraw(house.new_id(), 60, 100s);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_BANK_SILENT);
  house.pass(70s);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  expect_conserved();
}

TEST_F(WithdrawalTest, NothingIsPaidWhenTheTimeIsOverBeforeTheStepIsOnTheDisk) {
  house.journal->before_write = [&](std::span<const Row> rows) {
    const Value dispensing = std::string(name(WithdrawalState::dispensing));
    const auto has_it = [&](const Row& row) {
      return row.table == Withdrawal::table &&
             std::ranges::find(row.values, dispensing) != row.values.end();
    };
    if (std::ranges::any_of(rows, has_it)) house.boot_clock.asleep = 61s;
  };
  const OperationId id = house.new_id();
  const v1::WithdrawResponse response = house.withdraw(id, 60);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_BANK_SILENT) << "no fault of the dispenser";
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_BANK_SILENT);
  house.pass(2s);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  EXPECT_EQ(house.balance(), 100);
  expect_conserved();
}

TEST_F(WithdrawalTest, AHoldsLifeIsCountedWhileTheMachineSleeps) {
  house.bank.delays["Hold"] = 500ms;
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
  house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 10s, reply);
  house.pass(100ms);
  house.boot_clock.asleep = 61s;
  house.pass(2s);
  EXPECT_EQ((*reply)->decline().code(), v1::DECLINE_CODE_BANK_SILENT);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  expect_conserved();
}

TEST_F(WithdrawalTest, ACaptureIsAskedForUntilTheBankAnswers) {
  house.bank.moods["Capture"] = Mood::reply_lost;
  EXPECT_TRUE(house.withdraw(60).has_withdrawn());
  house.pass(20s);
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal DISPENSED"}));
  EXPECT_GT(house.bank.times_asked("Capture"), 1U);
  house.bank.moods["Capture"] = Mood::well;
  house.pass(60s);
  EXPECT_EQ(house.balance(), 40);
  expect_conserved();
}

TEST_F(WithdrawalTest, OneStuckItemDoesNotHoldUpTheOthers) {
  house.bank.moods["Capture"] = Mood::silent;
  EXPECT_TRUE(house.withdraw(60).has_withdrawn());
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 0);
  EXPECT_TRUE(house.withdraw(20).has_decline());
  EXPECT_TRUE(house.deposit(house.new_id(), 20, 1).deposited().credited());
  house.pass(1s);
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal DISPENSED"}));
  EXPECT_EQ(house.bank.times_asked("Void"), 1U);
}

TEST_F(WithdrawalTest, ARefusedCaptureEndsAsAnExceptionThatIsListed) {
  house.bank.moods["Capture"] = Mood::refuses;
  house.bank.refusal["Capture"] = wire::REFUSAL_CODE_HOLD_NOT_FOUND;
  EXPECT_TRUE(house.withdraw(60).has_withdrawn());
  house.pass(60s);
  EXPECT_EQ(house.bank.times_asked("Capture"), 1U) << "only silence is retried";
  EXPECT_EQ(house.open_items(), Sentences());
  ASSERT_EQ(house.exceptions().size(), 1U);
  EXPECT_NE(house.exceptions().front().find("There is no such hold"), std::string::npos);
  EXPECT_EQ(house.differences().size(), 2U) << "what is missing, and what was refused";
  house.restart();
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// The customer goes (rules 16 and 25).

TEST_F(WithdrawalTest, NothingIsPaidToACustomerWhoHasLeft) {
  house.bank.delays["Hold"] = 500ms;
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
    house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 10s, reply);
  }
  house.client.reset();
  house.connect();
  house.pass(2s);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
  expect_conserved();
}

TEST_F(WithdrawalTest, ACustomerWhoLeavesWhileNotesMoveIsDebitedForThem) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_SLOW, 0, 500);
  const OperationId id = house.new_id();
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
    house.begin_call(scope, withdraw_method, house.withdrawal(id, 60), 10s, reply);
    house.pass(100ms);
  }
  house.client.reset();
  house.connect();
  EXPECT_EQ(house.resolve(id).pending().message(),
            "The withdrawal is under way, waiting for the dispenser.");
  house.pass(2s);
  EXPECT_EQ(house.resolve(id).withdrawn().amount().minor_units(), 60'00);
  EXPECT_EQ(house.balance(), 40);
  expect_conserved();
}

TEST_F(WithdrawalTest, ADeadlineEndsTheWaitingNotTheWork) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_SLOW, 0, 3000);
  const OperationId id = house.new_id();
  const rpc::Reply<v1::WithdrawResponse> reply =
      house.try_call(withdraw_method, house.withdrawal(id, 60), 1s);
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, rpc::StatusCode::deadline_exceeded);
  house.pass(5s);
  EXPECT_TRUE(house.resolve(id).has_withdrawn());
  expect_conserved();
}

// Resolve (rule 21).

TEST_F(WithdrawalTest, ResolveFencesAnIdThatWasNeverSeen) {
  const OperationId id = house.new_id();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.withdraw(id, 60).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  house.restart();
  house.insert();
  EXPECT_EQ(house.withdraw(id, 60).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
}

TEST_F(WithdrawalTest, BelowTheReserveOfFreeSpaceNothingIsBegunButReadsGoOn) {
  house.disk.free = 1;
  const v1::Decline no = house.withdraw(house.new_id(), 60).decline();
  EXPECT_EQ(no.code(), v1::DECLINE_CODE_OUT_OF_SERVICE) << "a no, and not silence";
  EXPECT_EQ(no.message(), "The ATM's disk is nearly full, so nothing new is begun.");
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U);
  v1::GetBalanceRequest balance;
  balance.set_session_id(house.session);
  EXPECT_TRUE(house.call(get_balance_method, balance).has_balance());
}

TEST_F(WithdrawalTest, ABankThatTakesNothingForWantOfDiskIsNotSaidToBeSilent) {
  house.bank.moods["Hold"] = Mood::is_full;
  EXPECT_EQ(house.withdraw(20).decline().message(), "The bank cannot do it now: The disk is full.");
  EXPECT_EQ(house.open_items(), Sentences()) << "a no: there is nothing to take back";
  house.bank.moods["Deposit"] = Mood::is_full;
  EXPECT_EQ(house.deposit(house.new_id(), 50, 1).decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  house.pass(2s);
  house.connect();
  house.bank.moods["VerifyCard"] = Mood::is_full;
  const v1::InsertCardResponse response = house.insert("4000-jane", "1234");
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(response.decline().message(), "The bank cannot do it now: The disk is full.");
}

}  // namespace
}  // namespace atm
