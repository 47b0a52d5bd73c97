#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm_fixture.h"

namespace atm {
namespace {

class DepositTest : public testing::Test {
 protected:
  DepositTest() {
    house.load(1, 20, 10);
    house.insert();
    house.pass(1s);
  }

  void expect_taken(std::int64_t euros) {
    EXPECT_EQ(house.really_inside(), 200 + euros);
    EXPECT_EQ(house.balance(), 100 + euros);
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(house.exceptions(), Sentences());
  }
  // 100.00: the customer hears that they are counted, and not credited yet.
  OperationId take_without_a_word() {
    house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
    const OperationId id = house.new_id();
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 4s, reply);
    house.pass(1s);
    house.acceptor->is_mute = true;
    house.pass(10s);
    EXPECT_TRUE(reply && (*reply)->has_deposited());
    return id;
  }
  void expect_refused_later(OperationId id) {
    const v1::ResolveResponse told = house.resolve(id);
    ASSERT_TRUE(told.has_suspense()) << told.DebugString();
    EXPECT_NE(told.suspense().message().find("not today"), std::string::npos);
    EXPECT_EQ(told.suspense().amount().minor_units(), 100'00);
  }

  AtmHouse house;
};

TEST_F(DepositTest, NotesAreCountedCreditedAndKept) {
  const v1::DepositResponse response = house.deposit(house.new_id(), 50, 2);
  ASSERT_TRUE(response.has_deposited()) << response.DebugString();
  EXPECT_TRUE(response.deposited().credited());
  EXPECT_EQ(response.deposited().amount().minor_units(), 100'00);
  EXPECT_EQ(response.deposited().balance().balance().minor_units(), 200'00);
  house.pass(1s);
  EXPECT_EQ(house.audit().in_deposit_bin().minor_units(), 100'00);
  expect_taken(100);
}

TEST_F(DepositTest, TheBankKnowsTheReceiptOfADepositAndOfALoad) {
  const OperationId receipt = house.new_id();
  const v1::BankEntry entry = house.deposit(receipt, 50, 2).deposited().bank();
  EXPECT_EQ(house.bank.state.receipts.at(entry.id()), receipt.view());
  EXPECT_EQ(entry.ledger_seq(), static_cast<std::uint64_t>(house.bank.seq()));
  const OperationId loaded = house.new_id();
  house.load(loaded, 1, 20, 5);
  house.pass(1s);
  std::vector<std::string> receipts;
  for (const auto& [id, of] : house.bank.state.receipts) receipts.push_back(of);
  EXPECT_THAT(receipts, testing::Contains(loaded.view()));
}

TEST_F(DepositTest, ARetriedIdIsTakenOnceAndGetsItsFirstAnswer) {
  const OperationId id = house.new_id();
  const v1::DepositResponse first = house.deposit(id, 50, 2);
  v1::DepositResponse again = house.deposit(id, 50, 2);
  EXPECT_TRUE(again.replayed());
  again.set_replayed(false);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  house.pass(1s);
  house.restart();
  EXPECT_TRUE(house.deposit(id, 50, 2).replayed());
  EXPECT_EQ(house.deposit(id, 50, 1).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  expect_taken(100);
}

TEST_F(DepositTest, NotesThatTheBankRefusesAreGivenBack) {
  house.bank.moods["Deposit"] = Mood::refuses;
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  const v1::DepositResponse response = house.deposit(house.new_id(), 50, 2);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  EXPECT_NE(response.decline().message().find("not today"), std::string::npos);
  house.pass(1s);
  EXPECT_THAT(house.bank.deposits_kept, testing::ElementsAre(false)) << "no exception there";
  expect_taken(0);
}

TEST_F(DepositTest, NotesOfOneCurrencyAreNotTakenForAnAccountInAnother) {
  house.bank.account_currency = "JPY";
  house.insert();
  house.acceptor->is_mute = true;  // It is not even asked.
  const OperationId id = house.new_id();
  const v1::DepositResponse response = house.deposit(id, 50, 2);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(response.decline().message(), "Your account is in JPY, and this ATM handles EUR only.");
  EXPECT_THAT(house.bank.deposits_kept, testing::IsEmpty());
  EXPECT_TRUE(house.resolve(id).has_declined());
  house.acceptor->is_mute = false;
  expect_taken(0);
}

// The bank's no to the first posting was not heard while the notes could be given back.
TEST_F(DepositTest, ThatNotesAreKeptWhichItRefusedTheBankIsToldInASecondPosting) {
  take_without_a_word();
  house.acceptor->is_mute = false;
  house.bank.deposits_kept.clear();
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  house.pass(60s);
  EXPECT_THAT(house.bank.deposits_kept, testing::ElementsAre(false, true));
  EXPECT_EQ(house.exceptions().size(), 1U);
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(DepositTest, WithoutABankNothingIsTaken) {
  house.bank.close();
  house.pass(1s);
  EXPECT_EQ(house.deposit(house.new_id(), 50, 2).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.bank.open();
  house.pass(10s);
  expect_taken(0);
}

TEST_F(DepositTest, AnUnansweredPostingThatTheBankNeverSawIsFencedAndGivenBack) {
  house.bank.moods["Deposit"] = Mood::silent;
  const v1::DepositResponse response = house.deposit(house.new_id(), 50, 2, 4s);
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  EXPECT_EQ(house.bank.state.fenced.size(), 1U);
  house.bank.moods.clear();
  house.pass(60s);
  expect_taken(0);
}

TEST_F(DepositTest, AnUnansweredPostingThatTheBankDidIsKept) {
  house.bank.moods["Deposit"] = Mood::reply_lost;
  const v1::DepositResponse response = house.deposit(house.new_id(), 50, 2, 4s);
  EXPECT_TRUE(response.deposited().credited());
  house.bank.moods.clear();
  house.pass(60s);
  expect_taken(100);
}

TEST_F(DepositTest, WithoutAnyAnswerTheNotesAreKeptAndCreditedLater) {
  house.bank.moods["Deposit"] = Mood::silent;
  house.bank.moods["Resolve"] = Mood::silent;
  const OperationId id = house.new_id();
  const v1::DepositResponse response = house.deposit(id, 50, 2, 4s);
  ASSERT_TRUE(response.has_deposited()) << response.DebugString();
  EXPECT_FALSE(response.deposited().credited());
  EXPECT_EQ(house.really_inside(), 300);
  EXPECT_EQ(house.open_items(), Sentences({"deposit POSTING"}));
  EXPECT_FALSE(house.resolve(id).deposited().credited());
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  EXPECT_FALSE(house.deposit(id, 50, 2).deposited().credited()) << "the first answer, again";
  expect_taken(100);
}

TEST_F(DepositTest, NotesThatWereCountedAsKeptLeaveTheEscrowWhenTheAcceptorHearsAgain) {
  take_without_a_word();
  house.bank.moods.clear();
  house.pass(10s);
  house.acceptor->is_mute = false;
  house.pass(60s);
  const Told<Acceptor::Inside> inside = house.run(house.acceptor->count());
  EXPECT_TRUE(inside->escrow.empty()) << inside->escrow.encoded();
  EXPECT_EQ(inside->bin.amount().value, 100'00);
  expect_taken(100);
}

// The bank is silent until the customer's deadline, and the acceptor from the counting on.
TEST_F(DepositTest, WhatWasTakenIsNoNoWhileTheAcceptorDoesNotSayThatItKeptIt) {
  const OperationId id = take_without_a_word();
  v1::ResolveResponse told = house.resolve(id);
  ASSERT_TRUE(told.has_deposited()) << told.DebugString();
  EXPECT_FALSE(told.deposited().credited());
  EXPECT_EQ(told.deposited().amount().minor_units(), 100'00);
  house.restart();
  EXPECT_TRUE(house.resolve(id).has_deposited());
  house.bank.moods.clear();
  house.pass(60s);
  told = house.resolve(id);
  EXPECT_TRUE(told.deposited().credited()) << told.DebugString();
}

TEST_F(DepositTest, WhatWasTakenAndIsRefusedLaterIsNeitherANoNorStillToBeCredited) {
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  const OperationId kept = house.new_id();
  EXPECT_TRUE(house.deposit(kept, 50, 2, 4s).has_deposited());
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.pass(30s);
  expect_refused_later(kept);
  house.insert();
  const OperationId silent = take_without_a_word();
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.pass(60s);
  expect_refused_later(silent);
  house.restart();
  expect_refused_later(kept);
  expect_refused_later(silent);
}

// The ATM stopped before it had counted them, and the customer went on to another terminal.
TEST_F(DepositTest, NotesInAnEscrowAreGivenBackAlsoWhenTheirIdIsInUseElsewhere) {
  const OperationId id = house.new_id();
  const auto leave_in_escrow = [id](AtmHouse& at) {
    Notes notes;
    notes.add(Cents{50'00}, 2);
    EXPECT_EQ(at.run(at.acceptor->accept(id, notes))->place, Place::escrow);
    at.acceptor->is_mute = true;
  };
  house.stop();
  house.terminals = 2;
  house.start_with(leave_in_escrow);
  EXPECT_TRUE(house.insert("4000-john", "2345", "atm-2").has_session());
  EXPECT_TRUE(house.deposit(id, 50, 2).deposited().credited());
  house.acceptor->is_mute = false;
  house.pass(60s);
  const Told<Acceptor::Inside> inside = house.run(house.acceptor->count());
  EXPECT_TRUE(inside->escrow.empty()) << inside->escrow.encoded();
  EXPECT_TRUE(inside->bin.empty()) << inside->bin.encoded();
}

// Nobody gets them and is credited, too.
TEST_F(DepositTest, NotesThatAreBeingGivenBackAreNotTakenForADepositOfTheirId) {
  const OperationId id = house.new_id();
  house.stop();
  house.start_with([id](AtmHouse& at) {
    Notes notes;
    notes.add(Cents{50'00}, 2);
    EXPECT_EQ(at.run(at.acceptor->accept(id, notes))->place, Place::escrow);
    at.acceptor->gives_back_after = 5s;
  });
  house.insert();
  EXPECT_EQ(house.deposit(id, 50, 2).decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  house.pass(60s);
  expect_taken(0);
}

TEST_F(DepositTest, NorWhileASilentAcceptorMayStillGiveThemBack) {
  const OperationId id = house.new_id();
  house.stop();
  house.start_with([id](AtmHouse& at) {
    Notes notes;
    notes.add(Cents{50'00}, 2);
    EXPECT_EQ(at.run(at.acceptor->accept(id, notes))->place, Place::escrow);
    at.acceptor->obeys_late = true;
  });
  house.insert();
  EXPECT_TRUE(house.deposit(id, 50, 2).has_suspense());
  house.pass(60s);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  expect_taken(0);
}

// Another terminal has another escrow: there nothing is on its way out.
TEST_F(DepositTest, AnIdThatOneAcceptorIsGivingBackIsTakenAtAnotherTerminal) {
  const OperationId id = house.new_id();
  house.stop();
  house.terminals = 2;
  house.start_with([id](AtmHouse& at) {
    Notes notes;
    notes.add(Cents{50'00}, 2);
    EXPECT_EQ(at.run(at.acceptor->accept(id, notes))->place, Place::escrow);
    at.acceptor->obeys_late = true;
  });
  EXPECT_TRUE(house.insert("4000-john", "2345", "atm-2").has_session());
  EXPECT_TRUE(house.deposit(id, 50, 2).deposited().credited());
  house.pass(60s);
  const Told<Acceptor::Inside> inside = house.run(house.acceptor->count());
  EXPECT_TRUE(inside->escrow.empty()) << inside->escrow.encoded();
  EXPECT_TRUE(inside->bin.empty()) << inside->bin.encoded();
}

TEST_F(DepositTest, NotesThatTheAcceptorTookInWithoutAWordAreGivenBack) {
  house.acceptor->is_mute = true;
  const OperationId id = house.new_id();
  const v1::DepositResponse response = house.deposit(id, 50, 2);
  EXPECT_TRUE(response.has_suspense()) << response.DebugString();
  house.acceptor->is_mute = false;
  house.pass(60s);
  const Told<Acceptor::Inside> inside = house.run(house.acceptor->count());
  EXPECT_TRUE(inside->escrow.empty()) << inside->escrow.encoded();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  expect_taken(0);
}

TEST_F(DepositTest, NotesThatTheAcceptorSaysItHasKeptAreTakenThoughItIsSilentWhenItIsToKeepThem) {
  const OperationId id = take_without_a_word();
  house.acceptor->is_mute = false;
  house.run(house.acceptor->keep(id));
  house.stop();
  house.bank.moods.clear();
  house.start_with([](AtmHouse& at) { at.acceptor->is_mute_to_keep = true; });
  house.pass(60s);
  expect_taken(100);
}

TEST_F(DepositTest, AFenceWhoseAnswerWasLostDoesNotLoseTheCustomersMoney) {
  house.bank.moods["Deposit"] = Mood::silent;
  house.bank.moods["Resolve"] = Mood::reply_lost;
  EXPECT_FALSE(house.deposit(house.new_id(), 50, 2, 4s).deposited().credited());
  EXPECT_EQ(house.bank.state.fenced.size(), 1U);
  house.bank.moods.clear();
  house.pass(60s);
  expect_taken(100);
}

TEST_F(DepositTest, ARefusalAfterTheNotesWereKeptIsAnException) {
  house.bank.moods["Deposit"] = Mood::silent;
  house.bank.moods["Resolve"] = Mood::silent;
  house.deposit(house.new_id(), 50, 2, 4s);
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  house.pass(60s);
  EXPECT_EQ(house.open_items(), Sentences());
  ASSERT_EQ(house.exceptions().size(), 1U);
  EXPECT_NE(house.exceptions().front().find("deposit"), std::string::npos);
  EXPECT_EQ(house.differences().size(), 2U);
}

TEST_F(DepositTest, OnlyWhatTheAcceptorCountedIsCredited) {
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_JAM, 1);
  const v1::DepositResponse response = house.deposit(house.new_id(), 50, 2);
  EXPECT_EQ(response.deposited().amount().minor_units(), 50'00);
  ASSERT_EQ(response.deposited().handed_back_size(), 1)
      << "and the customer hears of the other note";
  EXPECT_EQ(response.deposited().handed_back(0).denomination().minor_units(), 50'00);
  EXPECT_EQ(response.deposited().handed_back(0).count(), 1U);
  house.pass(1s);
  expect_taken(50);
}

TEST_F(DepositTest, OfNotesThatItHandsBackUncountedARetryHearsTheSameAndTakesNone) {
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_JAM, 0);
  const OperationId id = house.new_id();
  EXPECT_EQ(house.deposit(id, 50, 2).decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  house.pass(1s);
  const v1::DepositResponse again = house.deposit(id, 50, 2);
  EXPECT_EQ(again.decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  expect_taken(0);
}

TEST_F(DepositTest, ADeadAcceptorTakesNothing) {
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_DEAD);
  EXPECT_EQ(house.deposit(house.new_id(), 50, 2).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  expect_taken(0);
}

TEST_F(DepositTest, CreditedNotesThatTheAcceptorLosesSightOfAreKeptWhenItSeesAgain) {
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_PRESENT_UNKNOWN);
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 2).deposited().credited());
  house.pass(1s);
  EXPECT_EQ(house.open_items(), Sentences({"deposit CREDITED"}));
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  house.pass(10s);
  expect_taken(100);
}

TEST_F(DepositTest, RefusedNotesThatTheAcceptorLosesSightOfAreInSuspense) {
  house.bank.moods["Deposit"] = Mood::refuses;
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_PRESENT_UNKNOWN);
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.deposit(id, 50, 2).has_suspense());
  house.pass(1s);
  EXPECT_EQ(house.open_items(), Sentences({"deposit SUSPENSE"}));
  EXPECT_TRUE(house.resolve(id).has_suspense());
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  house.pass(10s);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  expect_taken(0);
}

TEST_F(DepositTest, NotesThatCannotBeAreMalformed) {
  EXPECT_EQ(house.deposit(house.new_id(), 50, 0).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.deposit(house.new_id(), 0, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.deposit(house.new_id(), -5, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.deposit(house.new_id(), 50, 201).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.deposit(OperationId(), 50, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  expect_taken(0);
}

TEST_F(DepositTest, NotesInTheEscrowThatNobodyWroteDownAreGivenBackAtTheStart) {
  house.run(house.acceptor->accept(house.new_id(), Notes{{Cents{50'00}, 2}}));
  EXPECT_EQ(house.really_inside(), 300);
  house.restart();
  EXPECT_EQ(house.really_inside(), 200);
  expect_taken(0);
}

TEST_F(DepositTest, NorDoesADeadAcceptorKeepThemWhenItAnswersAgain) {
  house.run(house.acceptor->accept(house.new_id(), Notes{{Cents{50'00}, 2}}));
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_DEAD);
  house.restart();
  house.pass(10s);
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  EXPECT_EQ(house.really_inside(), 300);
  house.pass(10s);
  EXPECT_EQ(house.really_inside(), 200);
  expect_taken(0);
}

TEST_F(DepositTest, ACustomerWhoLeavesIsCreditedAllTheSame) {
  house.bank.delays["Deposit"] = 500ms;
  const OperationId id = house.new_id();
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 10s, reply);
    house.pass(100ms);
  }
  house.client.reset();
  house.connect();
  house.pass(2s);
  EXPECT_TRUE(house.resolve(id).deposited().credited());
  expect_taken(100);
}

// An acceptor that gives back what it was to keep.

TEST_F(DepositTest, CreditedNotesThatTheAcceptorGaveBackAreAnException) {
  house.acceptor->spits_out = true;
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 2).deposited().credited());
  house.pass(1s);
  EXPECT_EQ(house.open_items(), Sentences());
  ASSERT_EQ(house.exceptions().size(), 1U);
  EXPECT_NE(house.exceptions().front().find("gave the notes back"), std::string::npos)
      << house.exceptions().front();
  const Sentences differences = house.differences();
  ASSERT_EQ(differences.size(), 2U) << "with the bank, and why";
  house.restart();
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(DepositTest, NotesOfASilentBankThatTheAcceptorGaveBackAreNeverCredited) {
  house.acceptor->spits_out = true;
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  const OperationId id = house.new_id();
  EXPECT_EQ(house.deposit(id, 50, 2, 4s).decline().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  expect_taken(0);
}

TEST_F(DepositTest, NotesThatTheAcceptorGaveBackAndASilentBankHasCreditedAreAnException) {
  house.acceptor->spits_out = true;
  house.bank.moods = {{"Deposit", Mood::reply_lost}, {"Resolve", Mood::silent}};
  EXPECT_EQ(house.deposit(house.new_id(), 50, 2, 4s).decline().code(),
            v1::DECLINE_CODE_NOTES_RETURNED);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// Whatever the bank says to a Resolve after a restart, a customer who asks again gets an answer.
TEST_F(DepositTest, ARefusedResolveEndsTheWait) {
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  const OperationId id = house.new_id();
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 10s, reply);
    house.pass(1s);
    house.restart();
  }
  house.bank.moods = {{"Resolve", Mood::refuses}};
  house.bank.refusal["Resolve"] = wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER;
  house.pass(60s);
  EXPECT_EQ(house.exceptions().size(), 1U);
  EXPECT_TRUE(house.deposit(id, 50, 2).has_suspense());
  EXPECT_TRUE(house.resolve(id).has_suspense());
  house.restart();
  EXPECT_TRUE(house.deposit(id, 50, 2).has_suspense());
  EXPECT_TRUE(house.resolve(id).has_suspense());
}

}  // namespace
}  // namespace atm
