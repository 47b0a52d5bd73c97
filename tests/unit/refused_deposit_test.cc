// The bank refuses a deposit that the customer was told is taken, and the acceptor has not said yet where
// the notes are: that is a question of its own, which is asked until it is answered (rules 19 and 20).
#include <sstream>

#include "atm/offline_audit.h"
#include "atm_fixture.h"

namespace atm {
namespace {

class RefusedDepositTest : public testing::Test {
 protected:
  RefusedDepositTest() {
    house.load(1, 20, 10);
    house.insert();
    house.pass(3s);
    before_it = house.bank.state;
  }

  // Two notes of 50, while neither the bank nor the acceptor answers any more.
  void be_told_that_they_are_taken() {
    house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 4s, reply);
    house.pass(1s);
    house.acceptor->is_mute = true;
    house.pass(10s);
    ASSERT_TRUE(reply.has_value());
    EXPECT_TRUE((*reply)->has_deposited());
    EXPECT_FALSE((*reply)->deposited().credited());
    leave();
  }
  void be_credited_and_not_know_whether_they_are_kept() {
    house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_PRESENT_UNKNOWN);
    EXPECT_TRUE(house.deposit(id, 50, 2).deposited().credited());
    leave();
  }
  void leave() {
    v1::EndSessionRequest request;
    request.set_session_id(house.session);
    house.call(end_session_method, std::move(request));
    house.pass(1s);
  }
  void have_it_refused() {
    house.bank.moods = {{"Deposit", Mood::refuses}};
    house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
    house.pass(60s);
    EXPECT_EQ(house.exceptions().size(), 1U);
  }
  void restore() {
    house.bank.close();
    house.bank.state = before_it;
    house.bank.open();
    house.pass(60s);
  }
  void hear_from_the_acceptor() {
    house.acceptor->is_mute = false;
    house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
    house.pass(10s);
  }
  void restart_without_the_acceptor() {
    house.stop();
    house.start_with([](AtmHouse& at) { at.acceptor->is_mute = true; });
  }
  Acceptor::Inside inside() { return *house.run(house.acceptor->count()); }

  void expect_that_nothing_is_emptied() {
    EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  }
  void expect_that_they_are_not_credited() {
    house.bank.moods.clear();
    house.pass(60s);
    EXPECT_EQ(house.balance(), 100);
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(house.exceptions(), Sentences());
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  }
  // In the bin and in the books; the bank lacks them, and the audit says why.
  void expect_kept_and_uncredited() {
    EXPECT_TRUE(inside().escrow.empty());
    EXPECT_EQ(inside().bin.amount().value, 100'00);
    EXPECT_EQ(house.audit().in_deposit_bin().minor_units(), 100'00);
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(house.exceptions().size(), 1U);
    EXPECT_EQ(house.differences().size(), 2U) << "with the bank, and why";
    EXPECT_EQ(house.unload(house.new_id()).unloaded().amount().minor_units(), 300'00);
    house.pass(1s);
    EXPECT_EQ(house.audit().in_deposit_bin().minor_units(), 0);
    EXPECT_EQ(house.differences().size(), 2U) << "the same, and nothing about notes";
  }

  AtmHouse house;
  OperationId id = house.new_id();
  AtmBank::State before_it;
};

TEST_F(RefusedDepositTest, TheNotesAreKeptWhenTheAcceptorHearsAgain) {
  be_told_that_they_are_taken();
  have_it_refused();
  expect_that_nothing_is_emptied();
  hear_from_the_acceptor();
  expect_kept_and_uncredited();
}

TEST_F(RefusedDepositTest, OrAreInTheBooksWhenItHadKeptThemWithoutAWord) {
  be_told_that_they_are_taken();
  house.acceptor->is_mute = false;
  house.run(house.acceptor->keep(id));
  house.acceptor->is_mute = true;
  have_it_refused();
  expect_that_nothing_is_emptied();
  hear_from_the_acceptor();
  expect_kept_and_uncredited();
}

TEST_F(RefusedDepositTest, AlsoAfterARestart) {
  be_told_that_they_are_taken();
  have_it_refused();
  restart_without_the_acceptor();
  expect_that_nothing_is_emptied();
  hear_from_the_acceptor();
  expect_kept_and_uncredited();
  house.restart();
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// The operator may have settled it long ago, which an ATM that is stopped cannot know.
TEST_F(RefusedDepositTest, TheAuditOfAStoppedAtmNamesItAndIsSound) {
  be_told_that_they_are_taken();
  have_it_refused();
  hear_from_the_acceptor();
  house.stop();
  std::ostringstream out;
  EXPECT_EQ(audit_offline(house.folder_to_audit(), out), 0);
  EXPECT_NE(out.str().find("ended as an exception: the bank refused it: "), std::string::npos)
      << out.str();
  EXPECT_NE(out.str().find("not today. `bankctl exceptions list` shows whether it is settled.\n"),
            std::string::npos)
      << out.str();
  EXPECT_TRUE(out.str().ends_with("Every cent is accounted for.\n")) << out.str();
}

TEST_F(RefusedDepositTest, TheNextCustomersNotesAreTaken) {
  be_told_that_they_are_taken();
  have_it_refused();
  hear_from_the_acceptor();
  house.bank.moods.clear();
  house.insert("4000-john", "2345");
  EXPECT_TRUE(house.deposit(house.new_id(), 20, 1).deposited().credited());
}

TEST_F(RefusedDepositTest, OnceTheAcceptorHasGivenThemBackItIsOver) {
  be_told_that_they_are_taken();
  have_it_refused();
  house.acceptor->spits_out = true;
  hear_from_the_acceptor();
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.exceptions().size(), 1U);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_NOTES_RETURNED);
  house.restart();
  EXPECT_EQ(house.open_items(), Sentences());
}

// The customer has them in hand, so the bank is asked what became of the posting, and sent none.
TEST_F(RefusedDepositTest, NotesThatTheAcceptorGaveBackBeforeTheBankAnsweredAreNotCredited) {
  be_told_that_they_are_taken();
  house.acceptor->spits_out = true;
  hear_from_the_acceptor();
  expect_that_they_are_not_credited();
}

TEST_F(RefusedDepositTest, NorAfterARestart) {
  be_told_that_they_are_taken();
  house.acceptor->spits_out = true;
  hear_from_the_acceptor();
  house.restart();
  expect_that_they_are_not_credited();
}

TEST_F(RefusedDepositTest, ThoseThatItHadCreditedUnheardAreAnException) {
  be_told_that_they_are_taken();
  house.bank.moods = {{"Deposit", Mood::reply_lost}, {"Resolve", Mood::silent}};
  house.pass(60s);
  ASSERT_EQ(house.balance(), 200);
  house.acceptor->spits_out = true;
  hear_from_the_acceptor();
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// A bank that was restored refuses what it had credited.
TEST_F(RefusedDepositTest, TheSameHoldsForOneThatWasCreditedBefore) {
  be_credited_and_not_know_whether_they_are_kept();
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  restore();
  EXPECT_EQ(house.exceptions().size(), 1U);
  expect_that_nothing_is_emptied();
  hear_from_the_acceptor();
  expect_kept_and_uncredited();
}

TEST_F(RefusedDepositTest, ARestoredBankThatTakesItAfterAllIsToldBeforeTheAcceptorHasSpoken) {
  be_told_that_they_are_taken();
  have_it_refused();
  house.load(1, 20, 1);  // By which the restored bank is seen to have gone back.
  house.pass(3s);
  house.bank.moods.clear();
  restore();
  EXPECT_EQ(house.balance(), 200);
  EXPECT_EQ(house.exceptions(), Sentences());
  expect_that_nothing_is_emptied();
  hear_from_the_acceptor();
  EXPECT_EQ(house.audit().in_deposit_bin().minor_units(), 100'00);
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.differences(), Sentences());
}

// The customer has gone, and the bank does not say whether it credited them: staff have the notes.
TEST_F(RefusedDepositTest, SoAreThoseOfWhichTheBankDoesNotSayWhetherItCreditedThem) {
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  {
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 10s, reply);
    house.pass(1s);
    house.restart();
  }
  house.bank.moods = {{"Resolve", Mood::refuses}};
  house.bank.refusal["Resolve"] = wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER;
  house.pass(60s);
  EXPECT_TRUE(house.resolve(id).has_suspense());
  expect_kept_and_uncredited();
}

}  // namespace
}  // namespace atm
