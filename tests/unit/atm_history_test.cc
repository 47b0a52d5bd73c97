// The bank's history goes back, or another bank answers (rule 24).
#include "atm_history.h"

namespace atm {
namespace {

TEST_F(AtmHistoryTest, ARestoredBackupIsFoundAndToldWhatItLacksUnderTheOldIds) {
  const AtmBank::State backup = deposit_after_a_backup();
  house.pass(3s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 250'00);

  restore(backup);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
  const v1::InsertCardResponse refused = house.insert();
  EXPECT_EQ(refused.decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(refused.decline().message(), "The ATM is out of service.") << "why is for staff";
  EXPECT_EQ(house.bank.state.cash["atm-1"], 250'00) << "the deposit was sent again";
  EXPECT_EQ(house.balance(), 150);
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);

  EXPECT_EQ(accept(), 1U) << "the backup has the load";
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 250'00) << "once";
  house.pass(3s);
  EXPECT_EQ(house.differences(), Sentences());
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmHistoryTest, ABankThatDoesNotAnswerIsNotSaidToAgree) {
  house.bank.close();
  house.restart();
  house.pass(3s);
  const auto reply = house.try_call(accept_history_method, accepting());
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, rpc::StatusCode::failed_precondition) << "a no: nothing was done";
  EXPECT_THAT(reply.error().message, testing::HasSubstr("does not answer"));
  house.bank.open();
  house.pass(10s);
  const auto again = house.try_call(accept_history_method, accepting());
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, rpc::StatusCode::failed_precondition);
}

TEST_F(AtmHistoryTest, ABackupThatHasGrownPastWhatWasSeenIsFoundByItsChain) {
  const AtmBank::State backup = deposit_after_a_backup();
  house.pass(3s);
  restore_and_grow(backup);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
}

// No chain head of the time between the backup and its restoration is known in these two.
TEST_F(AtmHistoryTest, WhatWasAnsweredAfterTheLastSignOnIsToldAgainAtANewConnection) {
  const AtmBank::State backup = deposit_after_a_backup();
  restore_and_grow(backup);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 250'00);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

// Each terminal signs on by itself: the first one's answer already moves on what was seen.
TEST_F(AtmHistoryTest, AlsoWhenTheConnectionBreaksBetweenTheSignOnsOfTwoTerminals) {
  begin_to_sign_two_on_after_a_backup();
  house.bank.close();
  house.bank.ignored_terminals.clear();
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmHistoryTest, OrTheAtmIsRestartedThere) {
  begin_to_sign_two_on_after_a_backup();
  house.set_service(true);  // With which it is written down what was seen.
  house.bank.ignored_terminals.clear();
  house.restart();
  house.pass(10s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

// What the second one is told looks as if nothing had gone back; the operator is asked all the same.
TEST_F(AtmHistoryTest, ABackupThatOneOfTwoTerminalsNoticesIsNoticed) {
  house.terminals = 2;
  house.restart();
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert("4000-jane", "1234", "atm-1");
  house.deposit(house.new_id(), 50, 1);
  bool has_grown = false;
  house.bank.signing_on = [&](const std::string& terminal) {
    if (terminal != "atm-2" || std::exchange(has_grown, true)) return;
    for (int i = 0; i < 9; ++i) house.bank.state.heads.push_back("grown " + std::to_string(i));
  };
  restore(backup);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
}

TEST_F(AtmHistoryTest, WhatTheBankOnlySaidWhenAskedWhatBecameOfItIsToldAgainToo) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.bank.moods = {{"Deposit", Mood::does_and_mumbles}};
  house.deposit(house.new_id(), 50, 1);
  house.bank.moods.clear();
  ASSERT_EQ(house.bank.times_asked("Resolve"), 1U);
  restore_and_grow(backup);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmHistoryTest, AnotherBankIsSentNothingBeforeTheOperatorAgrees) {
  house.pass(3s);
  house.bank.close();
  house.bank.state = AtmBank::State();
  house.bank.state.instance = "another-instance";
  house.bank.asked.clear();
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
  EXPECT_TRUE(house.bank.asked.empty());
  const v1::AuditResponse audit = house.audit();
  EXPECT_FALSE(audit.has_at_bank());
  EXPECT_THAT(audit.not_compared(), testing::HasSubstr("another bank answers"));
  EXPECT_EQ(audit.differences_size(), 0);
  EXPECT_EQ(accept(), 1U);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 200'00);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmHistoryTest, ABankThatIsOnlyRestartedIsTheSameBank) {
  house.insert();
  house.withdraw(20);
  house.pass(3s);
  house.bank.close();
  house.pass(5s);
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_EQ(house.bank.times_asked("Capture"), 1U);
}

// Nothing is known to have gone back, and there is nothing to agree to.
TEST_F(AtmHistoryTest, WhileABankIsToldAgainWhatItMayLackTheTerminalSaysSoAndGoesOnByItself) {
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.bank.close();
  house.pass(1s);
  house.bank.moods["Deposit"] = Mood::silent;
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_TELLING_BANK_AGAIN);
  EXPECT_EQ(house.terminal().reason().find("operator"), std::string::npos)
      << house.terminal().reason();
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_TRUE(log_says("info", "the bank was told again what it might lack", "lost=0"));
}

TEST_F(AtmHistoryTest, WhatABankHadReallyLostIsAWarning) {
  const AtmBank::State backup = deposit_after_a_backup();
  restore_and_grow(backup);
  EXPECT_TRUE(log_says("warn", "the bank was told again what it might lack", "lost=1"));
}

// Whatever the bank was told is told again.

TEST_F(AtmHistoryTest, ASuspensionThatTheBackupLacksIsToldAgain) {
  house.pass(3s);
  lose_sixty();
  const AtmBank::State backup = house.bank.state;
  house.bank.moods.clear();
  house.pass(10s);
  ASSERT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
  restore(backup);
  EXPECT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 40);
  accept();
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences());
}

TEST_F(AtmHistoryTest, SoIsOneThatTheOperatorHadDecided) {
  house.pass(3s);
  lose_sixty();
  const AtmBank::State backup = house.bank.state;
  house.bank.moods.clear();
  house.pass(10s);
  house.bank.decide(60'00);
  house.pass(10s);
  restore(backup);
  EXPECT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
}

// The ATM's books keep the first; what follows from the other one the operator books.
TEST_F(AtmHistoryTest, AnotherDecisionAfterABackupIsADifferenceThatTheAuditNames) {
  house.pass(3s);
  lose_sixty();
  house.bank.moods.clear();
  house.pass(10s);
  const AtmBank::State backup = house.bank.state;
  house.bank.decide(60'00);
  house.pass(10s);
  ASSERT_EQ(house.differences(), Sentences());
  house.load(1, 20, 1);
  house.pass(3s);
  restore(backup);
  accept();
  house.bank.decide(0);
  house.pass(10s);
  EXPECT_EQ(house.differences().size(), 1U);
  house.bank.state.customers.at("4000-jane").balance -= 60'00;
  house.bank.state.cash["atm-1"] -= 60'00;
  house.pass(10s);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmHistoryTest, AlsoWhenTheDecisionOvertookTheSecondSuspension) {
  house.pass(3s);
  house.bank.moods["Suspend"] = Mood::silent;
  house.dispenser->loses_answers = true;
  house.insert();
  EXPECT_TRUE(house.withdraw(house.new_id(), 60, 30s).has_suspense());
  const AtmBank::State backup = house.bank.state;
  house.bank.moods.clear();
  house.pass(30s);
  ASSERT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
  house.bank.moods["Suspend"] = Mood::silent;
  house.dispenser->loses_answers = false;
  house.pass(10s);
  house.bank.decide(60'00);
  house.bank.moods.clear();
  house.pass(60s);
  ASSERT_EQ(house.open_items(), Sentences());
  restore(backup);
  EXPECT_EQ(state_of_the_hold(), wire::HOLD_STATE_SUSPENDED);
}

TEST_F(AtmHistoryTest, OfASuspensionWhoseHoldTheBackupLacksTheOperatorHearsAllTheSame) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  lose_sixty();
  house.bank.moods.clear();
  house.pass(10s);
  const std::size_t before = house.bank.times_asked("Suspend");
  restore(backup);
  EXPECT_EQ(house.bank.times_asked("Suspend"), before + 1) << "which the bank lists as refused";
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// The loads are told first, and meanwhile the ATM asks what was decided.
TEST_F(AtmHistoryTest, AlsoWhenTheBankIsAskedForTheHoldBeforeItIsToldOfIt) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  lose_sixty();
  house.load(1, 20, 1);
  house.bank.moods.clear();
  house.pass(10s);
  const std::size_t before = house.bank.times_asked("Suspend");
  house.bank.moods["LoadCash"] = Mood::silent;
  restore(backup);
  house.pass(30s);
  ASSERT_EQ(house.exceptions().size(), 1U);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.bank.times_asked("Suspend"), before + 1) << "which the bank lists as refused";
  EXPECT_EQ(house.exceptions().size(), 1U);
}

TEST_F(AtmHistoryTest, ACaptureWhoseHoldTheBackupLacksIsAnException) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.withdraw(60);
  house.pass(3s);
  restore(backup);
  EXPECT_EQ(house.exceptions().size(), 1U);
  EXPECT_EQ(house.differences().size(), 2U) << "with the bank, and why";
}

TEST_F(AtmHistoryTest, WhatABankRefusedIsToldAgainToo) {
  house.pass(3s);
  house.insert();
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  house.deposit(house.new_id(), 50, 2, 4s);
  const AtmBank::State backup = house.bank.state;
  house.bank.moods = {{"Deposit", Mood::refuses}};
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  house.pass(60s);
  house.load(1, 20, 1);
  house.pass(3s);
  ASSERT_EQ(house.exceptions().size(), 1U);
  house.bank.moods.clear();
  restore(backup);
  EXPECT_EQ(house.balance(), 200) << "the account is open in the backup";
  EXPECT_EQ(house.exceptions(), Sentences());
  accept();
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmHistoryTest, ButNotToABackupThatHasTheRefusal) {
  house.pass(3s);
  house.insert();
  house.bank.moods = {{"Capture", Mood::refuses}};
  house.bank.refusal["Capture"] = wire::REFUSAL_CODE_HOLD_NOT_FOUND;
  house.withdraw(60);
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  restore(backup);
  EXPECT_EQ(house.bank.times_asked("Capture"), 1U);
  EXPECT_EQ(house.bank.times_asked("LoadCash"), 3U) << "what it lacks is told";
}

TEST_F(AtmHistoryTest, AlsoWhenItsNoWasAllThatItSaidSinceTheLastSignOn) {
  const AtmBank::State backup = refuse_a_deposit(wire::REFUSAL_CODE_ACCOUNT_CLOSED);
  restore_and_grow(backup);
  EXPECT_EQ(house.balance(), 200);
  EXPECT_EQ(house.exceptions(), Sentences());
}

// A no that the bank does not keep has no number, so its numbers do not show that it said anything.
TEST_F(AtmHistoryTest, ANoWithoutANumberWasSaidAllTheSame) {
  const AtmBank::State backup = refuse_a_deposit(wire::REFUSAL_CODE_ID_FENCED);
  restore_and_grow(backup);
  EXPECT_EQ(house.balance(), 200);
  EXPECT_EQ(house.exceptions(), Sentences());
}

TEST_F(AtmHistoryTest, OrTheAtmWasRestartedSince) {
  const AtmBank::State backup = refuse_a_deposit(wire::REFUSAL_CODE_ID_FENCED);
  house.bank.close();
  house.restart();
  restore_and_grow(backup);
  EXPECT_EQ(house.balance(), 200);
  EXPECT_EQ(house.exceptions(), Sentences());
}

// Answers overtake each other: the head of a sign-on that was answered before is no word of it.
TEST_F(AtmHistoryTest, OrTheAnswerToAnEarlierSignOnCameAfterIt) {
  house.settings.bank_patience = 60s;
  house.restart();
  house.pass(3s);
  house.insert();
  house.bank.moods = {{"Deposit", Mood::mumbles}, {"Resolve", Mood::mumbles}};
  house.deposit(house.new_id(), 50, 2, 4s);
  house.pass(10s);
  const AtmBank::State backup = house.bank.state;
  house.bank.delays["SignedOn"] = 50s;
  house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ID_FENCED;
  house.bank.signing_on = [&](const std::string&) {
    house.bank.moods = {{"Deposit", Mood::refuses}};
  };
  const int signed_on_before = house.bank.signed_on_count;
  while (house.bank.signed_on_count == signed_on_before) house.pass(50ms);
  house.pass(50ms);
  ASSERT_EQ(house.exceptions().size(), 1U);
  house.bank.signing_on = [](const std::string&) {};
  house.bank.delays.clear();
  house.bank.moods.clear();
  restore_and_grow(backup);
  EXPECT_EQ(house.balance(), 200);
  EXPECT_EQ(house.exceptions(), Sentences());
}

TEST_F(AtmHistoryTest, ButNotOnceAHeadThatTheBackupHasWasHeardOf) {
  refuse_a_deposit(wire::REFUSAL_CODE_ID_FENCED);
  house.pass(10s);
  const std::size_t before = house.bank.times_asked("Deposit");
  house.bank.close();
  house.bank.open();
  house.pass(10s);
  EXPECT_EQ(house.bank.times_asked("Deposit"), before);
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// The first backup lacks the hold, and so refuses the suspension; a second one, of later, has it.
TEST_F(AtmHistoryTest, ASuspensionThatARestoredBankKnowsAfterAllIsDecidedByItsOperator) {
  const AtmBank::State later = lose_sixty_to_a_backup_without_its_hold();
  restore(later);
  EXPECT_EQ(house.exceptions(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmHistoryTest, AlsoWhenTheAtmWasRestartedMeanwhile) {
  const AtmBank::State later = lose_sixty_to_a_backup_without_its_hold();
  house.restart();
  restore(later);
  EXPECT_EQ(house.exceptions(), Sentences());
  house.restart();
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmHistoryTest, OrTheOperatorHadDecidedBeforeThatBackup) {
  AtmBank::State later = lose_sixty_to_a_backup_without_its_hold();
  std::swap(later, house.bank.state);
  house.bank.decide(60'00);
  std::swap(later, house.bank.state);
  restore(later);
  EXPECT_EQ(house.exceptions(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.differences(), Sentences());
}

}  // namespace
}  // namespace atm
