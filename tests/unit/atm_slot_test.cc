// After an unknown present notes may lie in the slot: nobody is served until somebody knows (rule 15).
#include "atm_fixture.h"

namespace atm {
namespace {

constexpr std::string_view on_its_way =
    "cash, or a message about it, is on its way; bankctl atm items lists what is open";

class AtmSlotTest : public testing::Test {
 protected:
  AtmSlotTest() {
    house.load(1, 20, 10);
    house.insert();
    house.pass(1s);
  }

  // For good, or until the dispenser answers.
  OperationId never_know_of_sixty() {
    const OperationId id = house.new_id();
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
    EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    return id;
  }
  OperationId not_yet_know_of_sixty() {
    const OperationId id = house.new_id();
    house.dispenser->loses_answers = true;
    EXPECT_TRUE(house.withdraw(id, 60, 30s).has_suspense());
    return id;
  }
  void expect_out() {
    EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
    EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
    EXPECT_EQ(house.insert("4000-john", "2345").decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  }
  std::string evidence() const { return house.bank.state.holds.begin()->second.evidence; }

  AtmHouse house;
};

TEST_F(AtmSlotTest, NobodyIsServedAfterAnUnknownPresentUntilStaffHaveLooked) {
  const OperationId id = never_know_of_sixty();
  expect_out();
  EXPECT_NE(house.terminal().reason().find(id.text()), std::string::npos);
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE)
      << "what the operator decides does not empty the slot";
  house.set_service(false);
  EXPECT_EQ(house.set_service(true).state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_TRUE(house.insert().has_session());
}

TEST_F(AtmSlotTest, WhatIsMissingIsNamedAlsoWhileTheOperatorHasStillToDecide) {
  never_know_of_sixty();
  house.pass(2s);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.audit().not_compared(), "") << "unknown notes count as inside";
  house.bank.state.cash["atm-1"] += 100'00;
  EXPECT_EQ(house.differences(),
            Sentences({"The ATM holds 200.00 EUR, but the bank's cash account says 300.00 EUR: a "
                       "difference of -100.00 EUR."}));
  EXPECT_EQ(house.audit().open_items(), 1U);
}

TEST_F(AtmSlotTest, ADecisionThatIsOnItsWayIsNoDifference) {
  never_know_of_sixty();
  house.pass(2s);
  house.bank.decide(60'00);
  const v1::AuditResponse audit = house.audit();
  EXPECT_EQ(audit.open_items(), 1U) << "the ATM has not heard of it";
  EXPECT_EQ(audit.not_compared(), on_its_way);
  EXPECT_EQ(audit.differences_size(), 0);
  house.pass(30s);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.audit().not_compared(), "");
}

TEST_F(AtmSlotTest, ABankThatIsSilentAboutAHoldIsNamedWithTheAuditOfWhatIsInside) {
  never_know_of_sixty();
  house.pass(2s);
  house.bank.moods["GetHold"] = Mood::silent;
  house.bank.decide(60'00);
  const v1::AuditResponse audit = house.audit();
  EXPECT_EQ(audit.in_cassettes().minor_units(), 140'00);
  EXPECT_EQ(audit.unknown().minor_units(), 60'00);
  EXPECT_EQ(audit.not_compared(), "the bank does not answer");
  EXPECT_EQ(audit.differences_size(), 0);
  house.bank.moods.clear();
  house.pass(30s);
  EXPECT_EQ(house.audit().not_compared(), "");
}

TEST_F(AtmSlotTest, AHoldThatTheBankDoesNotTellOfIsNamedInTheAudit) {
  never_know_of_sixty();
  house.pass(2s);
  house.bank.state.holds.clear();
  EXPECT_EQ(house.audit().not_compared(),
            "the bank does not tell what became of a hold in suspense: There is no such hold");
  EXPECT_EQ(house.differences(), Sentences());
}

// Others put it into sentences of theirs.
TEST_F(AtmSlotTest, WhatTheBankSaysOfATerminalThatItDoesNotSignOnIsNamedAsAClause) {
  house.bank.moods["SignOn"] = Mood::refuses;
  house.bank.refusal["SignOn"] = wire::REFUSAL_CODE_TERMINAL_OUT_OF_SERVICE;
  EXPECT_EQ(house.audit().not_compared(), "The terminal is out of service");
  EXPECT_EQ(house.terminal().reason(), "The terminal is out of service");
}

TEST_F(AtmSlotTest, AnAuditWhileCashIsOnItsWaySaysThatTheBankWasNotCompared) {
  house.bank.moods["Capture"] = Mood::silent;
  house.withdraw(20);
  const v1::AuditResponse audit = house.audit();
  EXPECT_TRUE(audit.has_at_bank());
  EXPECT_EQ(audit.not_compared(), on_its_way);
  house.bank.close();
  house.pass(1s);
  EXPECT_EQ(house.audit().not_compared(), "the bank does not answer");
}

TEST_F(AtmSlotTest, NorAfterARestart) {
  never_know_of_sixty();
  house.pass(2s);
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
  house.set_service(true);
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

// Before anybody knows what was presented, and before the ATM has given the dispenser up.
TEST_F(AtmSlotTest, NorAfterARestartInTheMiddleOfADispenseUntilTheDispenserHasAnswered) {
  house.dispenser->loses_answers = true;
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
    house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 30s, reply);
    house.pass(1s);
    house.stop();
  }
  house.start_with([](AtmHouse& at) { at.dispenser->loses_answers = true; });
  house.pass(3s);
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal DISPENSING"}));
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
  EXPECT_EQ(house.insert("4000-john", "2345").decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.dispenser->loses_answers = false;
  house.pass(3s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_EQ(house.balance(), 40);
}

TEST_F(AtmSlotTest, StaffWhoEmptyTheTerminalHaveLooked) {
  never_know_of_sixty();
  v1::EndSessionRequest request;
  request.set_session_id(house.session);
  house.call(end_session_method, std::move(request));
  EXPECT_TRUE(house.unload(house.new_id()).has_unloaded());
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmSlotTest, ADispenserThatAnswersLaterIsAskedAgainAndTheOperatorReadsWhatItSays) {
  not_yet_know_of_sixty();
  house.pass(20s);
  expect_out();
  EXPECT_EQ(evidence().find("Since then"), std::string::npos);
  house.dispenser->loses_answers = false;
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_NE(evidence().find("Since then the dispenser has answered: it presented 3 x 20.00"),
            std::string::npos)
      << evidence();
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"})) << "the operator decides";
  EXPECT_EQ(house.bank.times_asked("Suspend"), 2U);
  const auto& planned = house.bank.state.holds.begin()->second.planned;
  ASSERT_EQ(planned.size(), 1);
  EXPECT_EQ(planned[0].count(), 3U);
  EXPECT_EQ(planned[0].denomination().minor_units(), 20'00);
  house.pass(60s);
  EXPECT_EQ(house.bank.times_asked("Suspend"), 2U) << "it is told once";
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(AtmSlotTest, AnAnswerAboutOneWithdrawalSaysNothingAboutTheNext) {
  house.bank.state.customers["4000-jane"].balance = 500'00;
  not_yet_know_of_sixty();
  house.set_service(true);
  house.dispenser->loses_answers = false;
  never_know_of_sixty();
  house.pass(20s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DEVICE);
}

}  // namespace
}  // namespace atm
