// The bank's history goes back, or another bank answers (rule 24).
#include "atm_fixture.h"

namespace atm {
namespace {

class AtmHistoryTest : public testing::Test {
 protected:
  AtmHistoryTest() { house.load(1, 20, 10); }

  void restore(const AtmBank::State& backup) {
    house.bank.close();
    house.bank.state = backup;
    house.bank.open();
    house.pass(10s);
  }
  // And it has made more changes than that backup lacked, before the ATM sees it.
  void restore_and_grow(AtmBank::State backup) {
    for (int i = 0; i < 5; ++i) backup.heads.push_back("another life " + std::to_string(i));
    restore(backup);
  }
  // The backup lacks a deposit of 50 and has grown past it; the second terminal's sign-on is not
  // answered.
  void begin_to_sign_two_on_after_a_backup() {
    house.terminals = 2;
    house.restart();
    house.pass(3s);
    const AtmBank::State backup = house.bank.state;
    house.insert("4000-jane", "1234", "atm-1");
    house.deposit(house.new_id(), 50, 1);
    house.bank.ignored_terminals = {"atm-2"};
    restore_and_grow(backup);
  }
  // The second terminal, after a backup that lacks its load.
  AtmBank::State load_a_terminal_and_remove_it() {
    house.terminals = 2;
    house.restart();
    house.pass(3s);
    AtmBank::State backup = house.bank.state;
    v1::LoadRequest load = AtmHouse::load_of(house.new_id(), 1, 20, 5);
    load.set_terminal_id("atm-2");
    house.call(load_method, std::move(load));
    house.pass(3s);
    house.terminals = 1;
    house.restart();
    house.pass(3s);
    return backup;
  }
  // How many items the bank was told again.
  std::uint32_t accept() {
    v1::AcceptBankHistoryRequest request;
    request.set_reason("restored yesterday's backup");
    return house.call(accept_history_method, std::move(request)).items_sent_again();
  }
  bool log_says(std::string_view level, std::string_view message, std::string_view field) const {
    const std::size_t at = house.log.find(message);
    if (at == std::string::npos) return false;
    const std::size_t begin = house.log.rfind('\n', at) + 1;
    const std::string line = house.log.substr(begin, house.log.find('\n', at) - begin);
    return line.find(level) != std::string::npos && line.find(field) != std::string::npos;
  }
  wire::HoldState state_of_the_hold() const {
    return house.bank.state.holds.empty() ? wire::HOLD_STATE_UNSPECIFIED
                                          : house.bank.state.holds.begin()->second.state;
  }
  // Jane asks for 60, the dispenser cannot say what it did, and the bank does not hear of that yet.
  OperationId lose_sixty() {
    house.insert();
    house.bank.moods["Suspend"] = Mood::silent;
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
    const OperationId id = house.new_id();
    EXPECT_TRUE(house.withdraw(id, 60).has_suspense());
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    house.pass(3s);
    return id;
  }

  AtmHouse house;
};

TEST_F(AtmHistoryTest, ARestoredBackupIsFoundAndToldWhatItLacksUnderTheOldIds) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.pass(3s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 250'00);

  restore(backup);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
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

TEST_F(AtmHistoryTest, ABackupThatHasGrownPastWhatWasSeenIsFoundByItsChain) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.pass(3s);
  restore_and_grow(backup);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BANK_HISTORY);
}

// No chain head of the time between the backup and its restoration is known in these two.
TEST_F(AtmHistoryTest, WhatWasAnsweredAfterTheLastSignOnIsToldAgainAtANewConnection) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
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
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
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

// Its refusal has no number, and changes nothing about what was told before.
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

// No more than needed, a page at a time.

TEST_F(AtmHistoryTest, WhatTheBackupHasIsNotToldAgain) {
  for (int i = 0; i < 20; ++i) {
    house.load(1, 20, 1);
    house.pass(3s);
  }
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  house.load(1, 20, 1);
  house.pass(3s);
  const std::size_t before = house.bank.times_asked("LoadCash");
  restore(backup);
  EXPECT_EQ(house.bank.times_asked("LoadCash"), before + 2);
  EXPECT_EQ(accept(), 2U);
}

TEST_F(AtmHistoryTest, OfALongHistoryTheOldestPartIsNotToldAgain) {
  AtmBank::State backup;
  for (int i = 0; i < 200; ++i) {
    if (i == 100) backup = house.bank.state;
    house.load(1, 20, 1);
    house.pass(2100ms);
  }
  restore(backup);
  const std::uint32_t told = accept();
  EXPECT_GE(told, 100U);
  EXPECT_LE(told, 140U);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 210 * 20'00);
}

TEST_F(AtmHistoryTest, MoreThanAPageIsToldAgainOnce) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  for (int i = 0; i < 230; ++i) house.load(1, 20, 1);
  house.pass(3s);
  const std::size_t before = house.bank.times_asked("LoadCash");
  restore(backup);
  house.pass(30s);
  EXPECT_EQ(house.bank.times_asked("LoadCash"), before + 230);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 240 * 20'00);
  EXPECT_EQ(accept(), 230U);
}

// The second time, what was told the first time and what was not have some numbers in common, and one
// of these is the last of the first page.
TEST_F(AtmHistoryTest, ItemsThatHaveOneNumberInTwoHistoriesAreAllToldAgain) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  for (int i = 0; i < 150; ++i) house.load(1, 20, 1);
  house.pass(3s);
  int passed = 0;
  house.bank.crash_point = [&] { return ++passed > 2 * 100; };
  restore_and_grow(backup);
  ASSERT_EQ(house.bank.state.cash["atm-1"], 110 * 20'00);
  house.bank.crash_point = nullptr;
  restore(backup);
  house.pass(60s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 160 * 20'00);
}

// Whatever happens meanwhile.

TEST_F(AtmHistoryTest, ARestartGoesOnTellingWithoutTheOperator) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.pass(3s);
  house.bank.moods["Deposit"] = Mood::silent;
  restore(backup);
  v1::AcceptBankHistoryRequest request;
  request.set_reason("restored yesterday's backup");
  EXPECT_FALSE(house.try_call(accept_history_method, request, 2s).has_value())
      << "it is not told everything yet";
  house.restart();
  house.pass(5s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_TELLING_BANK_AGAIN);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmHistoryTest, ABackupThatIsRestoredAgainIsToldAgain) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.pass(3s);
  restore(backup);
  EXPECT_EQ(house.balance(), 150);
  restore(backup);
  EXPECT_EQ(house.balance(), 150) << "before the operator agreed";
  accept();
  house.pass(3s);
  restore(backup);
  EXPECT_EQ(house.balance(), 150) << "and after";
  EXPECT_EQ(accept(), 1U);
}

TEST_F(AtmHistoryTest, OneThatIsRestoredWhileItIsToldIsToldTheRest) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.load(1, 20, 1);
  house.pass(3s);
  house.bank.moods["Deposit"] = Mood::silent;
  restore(backup);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 220'00);
  AtmBank::State grown = house.bank.state;
  for (int i = 0; i < 9; ++i) grown.heads.push_back("another ATM's " + std::to_string(i));
  restore(grown);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 270'00);
  EXPECT_EQ(house.balance(), 150);
}

TEST_F(AtmHistoryTest, ATerminalThatTheAtmNoLongerHasIsToldOfToo) {
  const AtmBank::State backup = load_a_terminal_and_remove_it();
  restore(backup);
  EXPECT_EQ(house.bank.state.cash["atm-2"], 100'00);
}

// It signs no terminal on, and so does not even say which bank it is.
TEST_F(AtmHistoryTest, ButNotToABankThatKnowsNoneOfTheTerminals) {
  const AtmBank::State backup = load_a_terminal_and_remove_it();
  house.bank.moods["LoadCash"] = Mood::silent;
  restore(backup);
  house.bank.close();
  house.bank.state = AtmBank::State();
  house.bank.terminals.clear();
  house.bank.asked.clear();
  house.bank.open();
  house.pass(60s);
  EXPECT_TRUE(house.bank.asked.empty());
}

TEST_F(AtmHistoryTest, AnItemThatIsRefusedHoldsUpNoOther) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  house.deposit(house.new_id(), 50, 1);
  house.load(1, 20, 1);
  house.pass(3s);
  house.bank.moods["LoadCash"] = Mood::refuses;
  house.bank.refusal["LoadCash"] = wire::REFUSAL_CODE_TERMINAL_NOT_FOUND;
  restore(backup);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.exceptions().size(), 1U);
}

TEST_F(AtmHistoryTest, AnotherBankIsNotAskedWhatBecameOfATransfer) {
  house.pass(3s);
  house.insert();
  house.bank.moods["Transfer"] = Mood::silent;
  const OperationId id = house.new_id();
  v1::TransferRequest transfer;
  transfer.set_id(std::string(id.view()));
  transfer.set_session_id(house.session);
  transfer.set_target_account_id("4000-john");
  transfer.mutable_amount()->set_minor_units(30'00);
  transfer.mutable_amount()->set_currency("EUR");
  EXPECT_FALSE(house.try_call(transfer_method, transfer, 2s).has_value());
  house.bank.close();
  house.bank.state = AtmBank::State();
  house.bank.state.instance = "another-instance";
  house.bank.open();
  house.pass(10s);
  EXPECT_TRUE(house.resolve(id).has_pending()) << "it could only say no";
  EXPECT_EQ(house.bank.times_asked("Resolve"), 0U);
}

}  // namespace
}  // namespace atm
