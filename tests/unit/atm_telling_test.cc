// What a bank that was restored is told again, how much of it, and whatever happens meanwhile (rule 24).
#include <gmock/gmock.h>

#include "atm_history.h"

namespace atm {
namespace {

using testing::HasSubstr;

class AtmTellingTest : public AtmHistoryTest {
 protected:
  v1::Terminal terminal(const std::string& id) {
    const auto told = house.call(list_terminals_method, v1::ListTerminalsRequest());
    return *std::ranges::find(told.terminals(), id, &v1::Terminal::terminal_id);
  }
};

// No more than needed, a page at a time.

TEST_F(AtmTellingTest, WhatTheBackupHasIsNotToldAgain) {
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

TEST_F(AtmTellingTest, OfALongHistoryTheOldestPartIsNotToldAgain) {
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

TEST_F(AtmTellingTest, MoreThanAPageIsToldAgainOnce) {
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

// What it refused has a number as what it did.
TEST_F(AtmTellingTest, WhatABankRefusedBeforeTheLastSignOnIsNotToldAgainAtEachConnection) {
  house.insert();
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  house.deposit(house.new_id(), 50, 1, 4s);
  house.bank.moods = {
      {"Deposit", Mood::refuses}, {"Capture", Mood::refuses}, {"LoadCash", Mood::refuses}};
  house.bank.refusal = {{"Deposit", wire::REFUSAL_CODE_ACCOUNT_CLOSED},
                        {"Capture", wire::REFUSAL_CODE_HOLD_NOT_FOUND},
                        {"LoadCash", wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS}};
  house.withdraw(20);
  house.load(1, 20, 1);
  house.pass(60s);
  ASSERT_EQ(house.exceptions().size(), 3U);
  house.bank.moods.clear();
  house.bank.asked.clear();
  for (int i = 0; i < 3; ++i) {
    house.load(1, 20, 1);
    house.pass(10s);
    house.load(1, 20, 1);
    house.bank.close();
    house.bank.open();
    house.pass(10s);
  }
  EXPECT_EQ(house.bank.times_asked("Deposit") + house.bank.times_asked("Capture"), 0U);
  EXPECT_LE(house.bank.times_asked("LoadCash"), 9U) << "each once, and the last of each connection";
}

// The second time, what was told the first time and what was not have some numbers in common, and one
// of these is the last of the first page.
TEST_F(AtmTellingTest, ItemsThatHaveOneNumberInTwoHistoriesAreAllToldAgain) {
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

TEST_F(AtmTellingTest, ARestartGoesOnTellingWithoutTheOperator) {
  const AtmBank::State backup = deposit_after_a_backup();
  house.pass(3s);
  house.bank.moods["Deposit"] = Mood::silent;
  restore(backup);
  EXPECT_FALSE(house.try_call(accept_history_method, accepting(), 2s).has_value())
      << "it is not told everything yet";
  house.restart();
  house.pass(5s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_TELLING_BANK_AGAIN);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

// Who empties the terminal meanwhile does not decide for an operator who may be asked yet.
TEST_F(AtmTellingTest, AnEmptyingBeforeTheHistoryIsAcceptedEndsNoSuspension) {
  const AtmBank::State later = lose_sixty_to_a_backup_without_its_hold();
  house.connect();  // The customer has left.
  EXPECT_TRUE(house.unload(house.new_id()).has_unloaded());
  house.pass(3s);
  EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
  restore(later);
  EXPECT_EQ(house.exceptions(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.open_items(), Sentences());
  accept();
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmTellingTest, NorDoesOneBeforeTheBankHasBeenToldAll) {
  lose_sixty();
  const AtmBank::State backup = house.bank.state;
  house.load(2, 50, 1);
  house.bank.moods = {{"Suspend", Mood::refuses}};
  house.bank.refusal["Suspend"] = wire::REFUSAL_CODE_HOLD_NOT_FOUND;
  house.pass(60s);
  ASSERT_EQ(house.exceptions().size(), 1U);
  house.bank.moods = {{"LoadCash", Mood::silent}};
  restore(backup);
  EXPECT_FALSE(house.try_call(accept_history_method, accepting(), 2s).has_value());
  ASSERT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_TELLING_BANK_AGAIN);
  EXPECT_TRUE(house.unload(house.new_id()).has_unloaded());
  EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.exceptions(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
  house.bank.decide(60'00);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 40);
  EXPECT_EQ(house.differences(), Sentences());
}

// The bank's figure lacks what it has still to be told.
TEST_F(AtmTellingTest, UntilABankHasBeenToldAllAnAuditDoesNotCompareWithIt) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  house.pass(3s);
  ASSERT_TRUE(house.audit().has_at_bank());
  house.bank.moods["LoadCash"] = Mood::silent;
  restore(backup);
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_FALSE(house.audit().has_at_bank()) << "and does not say that all is well, either";
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_TRUE(house.audit().has_at_bank());
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmTellingTest, ABackupThatIsRestoredAgainIsToldAgain) {
  const AtmBank::State backup = deposit_after_a_backup();
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

TEST_F(AtmTellingTest, OneThatIsRestoredWhileItIsToldIsToldTheRest) {
  const AtmBank::State backup = deposit_after_a_backup();
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

TEST_F(AtmTellingTest, ATerminalThatTheAtmNoLongerHasIsToldOfToo) {
  const AtmBank::State backup = load_a_terminal_and_remove_it();
  restore(backup);
  EXPECT_EQ(house.bank.state.cash["atm-2"], 100'00);
}

// It signs no terminal on, and so does not even say which bank it is.
TEST_F(AtmTellingTest, ButNotToABankThatKnowsNoneOfTheTerminals) {
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

TEST_F(AtmTellingTest, AnItemThatIsRefusedHoldsUpNoOther) {
  const AtmBank::State backup = deposit_after_a_backup();
  house.load(1, 20, 1);
  house.pass(3s);
  house.bank.moods["LoadCash"] = Mood::refuses;
  house.bank.refusal["LoadCash"] = wire::REFUSAL_CODE_TERMINAL_NOT_FOUND;
  restore(backup);
  EXPECT_EQ(house.balance(), 150);
  EXPECT_EQ(house.exceptions().size(), 1U);
}

// Without them nobody could tell whose money went out.
TEST_F(AtmTellingTest, WhatARefusedItemWasIsSaidAtTheAtm) {
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.insert();
  const OperationId withdrawal = house.new_id();
  const OperationId deposit = house.new_id();
  const OperationId load = house.new_id();
  house.withdraw(withdrawal, 60);
  house.deposit(deposit, 50, 1);
  house.load(load, 1, 20, 1);
  house.pass(3s);
  const OperationId hold = *OperationId::from_bytes(house.bank.state.holds.begin()->first);
  for (const char* const asked : {"Deposit", "LoadCash"}) {
    house.bank.moods[asked] = Mood::refuses;
    house.bank.refusal[asked] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
  }
  restore(backup);
  const auto sentence_of = [&](const OperationId& id) {
    for (const std::string& sentence : house.exceptions()) {
      if (sentence.find(id.text()) != std::string::npos) return sentence;
    }
    return std::string();
  };
  EXPECT_THAT(sentence_of(withdrawal), testing::AllOf(HasSubstr("60.00 EUR"), HasSubstr("*jane"),
                                                      HasSubstr(hold.text()), HasSubstr("Z")));
  EXPECT_THAT(sentence_of(deposit),
              testing::AllOf(HasSubstr("50.00 EUR"), HasSubstr("*jane"), HasSubstr("Z")));
  EXPECT_THAT(sentence_of(load), testing::AllOf(HasSubstr("20.00 EUR"), HasSubstr("Z")));
  EXPECT_EQ(house.exceptions().size(), 3U);
}

TEST_F(AtmTellingTest, AnotherBankIsNotAskedWhatBecameOfATransfer) {
  house.pass(3s);
  house.insert();
  house.bank.moods["Transfer"] = Mood::silent;
  const OperationId id = house.new_id();
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id), 2s).has_value());
  house.bank.close();
  house.bank.state = AtmBank::State();
  house.bank.state.instance = "another-instance";
  house.bank.open();
  house.pass(10s);
  EXPECT_TRUE(house.resolve(id).has_pending()) << "it could only say no";
  EXPECT_EQ(house.bank.times_asked("Resolve"), 0U);
}

// The backup is older than the second terminal, and its operator adds it once more.
TEST_F(AtmTellingTest, ATerminalThatTheBankNoLongerKnowsHoldsUpNoOther) {
  house.terminals = 2;
  house.restart();
  house.pass(3s);
  const AtmBank::State backup = house.bank.state;
  house.load(1, 20, 1);
  v1::LoadRequest load = AtmHouse::load_of(house.new_id(), 1, 20, 5);
  load.set_terminal_id("atm-2");
  house.call(load_method, std::move(load));
  house.pass(3s);
  house.bank.terminals = {"atm-1"};
  restore(backup);

  const v1::AcceptBankHistoryResponse accepted = accept_and_hear();
  EXPECT_EQ(accepted.items_sent_again(), 1U);
  ASSERT_EQ(accepted.terminals_left_out_size(), 1);
  EXPECT_EQ(accepted.terminals_left_out(0), "atm-2");
  EXPECT_EQ(terminal("atm-1").reason(), "");
  EXPECT_EQ(terminal("atm-2").state(), v1::SERVICE_STATE_OUT_NO_BANK);
  EXPECT_NE(terminal("atm-2").reason().find("bankctl terminal add atm-2"), std::string::npos);

  // It is restored once more, while the second terminal has still to be told of.
  house.load(1, 20, 1);
  house.pass(3s);
  restore(backup);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 240'00);
  accept_and_hear();
  EXPECT_EQ(terminal("atm-1").reason(), "");

  house.bank.terminals = {"atm-1", "atm-2"};
  house.pass(40s);
  EXPECT_EQ(terminal("atm-2").reason(), "");
  EXPECT_EQ(house.bank.state.cash["atm-2"], 100'00);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 240'00);
}

}  // namespace
}  // namespace atm
