// A bank that answers OK and says neither yes nor no, as a later version might, or what cannot be.
#include <tuple>

#include <google/protobuf/descriptor.h>

#include "atm_fixture.h"

namespace atm {
namespace {

// One method of the bank's, which mumbles from after the sign-on until the end of the visit, either
// having done what it was asked for or not.
class UnclearAnswerTest : public testing::TestWithParam<std::tuple<std::string, Mood>> {
 protected:
  UnclearAnswerTest() {
    house.load(1, 20, 20);
    house.pass(1s);
    house.bank.moods[std::get<0>(GetParam())] = std::get<1>(GetParam());
    house.load(2, 50, 2);
    house.insert();
  }

  // Whatever the bank has said so far: cash that is out was debited, and every cent is found.
  void expect_conserved() {
    EXPECT_EQ(500 - unloaded - house.really_inside(), 600 - balances());
    EXPECT_EQ(house.held(), 0);
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.exceptions(), Sentences());
    EXPECT_EQ(house.open_items(), Sentences());
  }
  std::int64_t balances() { return house.balance("4000-jane") + house.balance("4000-john"); }

  v1::TransferResponse transfer(OperationId id, std::int64_t euros) {
    return house.try_call(transfer_method, house.transfer_of(id, euros))
        .value_or(v1::TransferResponse());
  }
  v1::ChangePinResponse change_pin(OperationId id) {
    return house.try_call(change_pin_method, house.change_of_pin(id))
        .value_or(v1::ChangePinResponse());
  }

  v1::GetBalanceResponse get_balance() {
    v1::GetBalanceRequest request;
    request.set_session_id(house.session);
    return house.try_call(get_balance_method, std::move(request))
        .value_or(v1::GetBalanceResponse());
  }
  // Staff empty the terminal, unless something is still open.
  void unload() {
    house.connect();
    const v1::UnloadResponse response = house.unload(house.new_id());
    unloaded += response.unloaded().amount().minor_units() / 100;
  }

  AtmHouse house;
  std::int64_t unloaded = 0;
};

TEST_P(UnclearAnswerTest, IsNoYesToAnythingThatACustomerDoes) {
  const std::string method = std::get<0>(GetParam());
  const OperationId transfer_id = house.new_id();
  const OperationId pin_id = house.new_id();
  // What became of a change is asked where its answer was lost.
  if (method == "Resolve") {
    house.bank.moods["Transfer"] = house.bank.moods["Deposit"] = Mood::reply_lost;
  }
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM);
  house.withdraw(20);  // Nothing comes out, so it is voided.
  house.withdraw(60);
  house.deposit(house.new_id(), 20, 1);
  const v1::GetBalanceResponse told = get_balance();
  EXPECT_TRUE(!told.has_balance() || told.balance().balance().minor_units() ==
                                         house.bank.state.customers.at("4000-jane").balance);
  const bool was_transferred = transfer(transfer_id, 5).has_transferred();
  EXPECT_LE(was_transferred, house.balance("4000-john") == 505);
  EXPECT_LE(house.resolve(transfer_id).has_declined(), house.balance("4000-john") == 500);
  const bool was_changed = change_pin(pin_id).has_changed();
  EXPECT_LE(was_changed, house.bank.state.customers.at("4000-jane").pin == "9876");
  house.pass(5s);
  if (method == "UnloadCash") unload();
  house.pass(5s);
  // The sign-on comes by itself, and the rest where nobody knows of the cash.
  const bool is_another_tests = method == "SignOn" || method == "GetHold" || method == "Suspend";
  EXPECT_NE(house.bank.times_asked(method) > 0, is_another_tests);

  house.bank.moods.clear();
  house.pass(60s);
  expect_conserved();
  const bool is_transferred = house.resolve(transfer_id).has_transferred();
  EXPECT_EQ(is_transferred, house.balance("4000-john") == 505);
  const bool is_changed = house.resolve(pin_id).has_pin_changed();
  EXPECT_EQ(is_changed, house.bank.state.customers.at("4000-jane").pin == "9876");
}

TEST_P(UnclearAnswerTest, IsNoDecisionAboutCashThatNobodyKnowsOf) {
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
  house.withdraw(40);
  house.pass(5s);
  EXPECT_EQ(house.exceptions(), Sentences());
  const std::string method = std::get<0>(GetParam());
  if (method == "Suspend" || method == "GetHold") {
    EXPECT_GT(house.bank.times_asked(method), 0U);
  }
  house.bank.moods.clear();
  house.pass(60s);
  house.bank.decide(500 - house.really_inside() > 0 ? 40'00 : 0);
  house.pass(60s);
  expect_conserved();
}

std::vector<std::string> methods_of_the_bank() {
  const auto& service = *wire::HoldRequest::descriptor()->file()->service(0);
  std::vector<std::string> names;
  for (int i = 0; i < service.method_count(); ++i) names.push_back(service.method(i)->name());
  std::erase(names, "ListStatement");  // Which this bank does not serve.
  return names;
}

std::string test_name(const testing::TestParamInfo<std::tuple<std::string, Mood>>& info) {
  const auto& [method, mood] = info.param;
  if (mood == Mood::does_and_speaks_of_yen) return method + "IsDoneInYen";
  if (mood == Mood::does_and_says_no_number) return method + "IsDoneUnderNoNumber";
  return method + (mood == Mood::mumbles ? "IsNotDone" : "IsDone");
}

INSTANTIATE_TEST_SUITE_P(EveryMethod, UnclearAnswerTest,
                         testing::Combine(testing::ValuesIn(methods_of_the_bank()),
                                          testing::Values(Mood::mumbles, Mood::does_and_mumbles,
                                                          Mood::does_and_speaks_of_yen,
                                                          Mood::does_and_says_no_number)),
                         test_name);

TEST(AnUnclearAnswerTest, ASessionDoesNotBeginOnAnUnclearAnswer) {
  AtmHouse house;
  house.bank.moods["VerifyCard"] = Mood::mumbles;
  const v1::InsertCardResponse response = house.insert("4000-jane", "wrong");
  EXPECT_EQ(response.decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
}

TEST(AnUnclearAnswerTest, AHoldThatIsNotAYesPaysNothing) {
  AtmHouse house;
  house.load(1, 20, 20);
  house.insert();
  house.bank.moods["Hold"] = Mood::mumbles;
  EXPECT_EQ(house.withdraw(60).decline().code(), v1::DECLINE_CODE_BANK_SILENT);
  EXPECT_TRUE(house.dispenser->dispensed.empty());
}

TEST(AnUnclearAnswerTest, ATerminalThatWasNotSignedOnIsOutOfService) {
  AtmHouse house;
  house.bank.moods["SignOn"] = Mood::mumbles;
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_NO_BANK);
  EXPECT_EQ(house.terminal().reason(), "the bank does not answer");
}

// An answer that cannot be is none: the bank is asked again, and what it says then counts.
class AnImpossibleDecisionTest : public testing::Test {
 protected:
  AnImpossibleDecisionTest() {
    house.load(1, 20, 20);
    house.insert();
    house.pass(1s);
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
    house.withdraw(60);
    house.pass(2s);
  }

  void expect_not_taken(std::function<void(wire::HoldView& hold)> lie) {
    house.bank.telling_hold = std::move(lie);
    house.pass(60s);
    EXPECT_EQ(house.open_items(), Sentences({"withdrawal SUSPENSE"}));
    EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
    house.bank.telling_hold = [](wire::HoldView&) {};
    house.bank.decide(60'00);
    house.pass(60s);
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(house.audit().presented().minor_units(), 60'00);
    EXPECT_EQ(house.differences(), Sentences());
  }
  static auto captured(std::int64_t minor_units, const char* currency = "EUR") {
    return [minor_units, currency](wire::HoldView& hold) {
      hold.set_state(wire::HOLD_STATE_CAPTURED);
      hold.mutable_captured()->set_minor_units(minor_units);
      hold.mutable_captured()->set_currency(currency);
    };
  }

  AtmHouse house;
};

TEST_F(AnImpossibleDecisionTest, InAnotherCurrency) { expect_not_taken(captured(20'00, "USD")); }
TEST_F(AnImpossibleDecisionTest, InNoCurrency) { expect_not_taken(captured(20'00, "")); }
TEST_F(AnImpossibleDecisionTest, OfMoreThanWasHeld) { expect_not_taken(captured(INT64_MAX)); }
TEST_F(AnImpossibleDecisionTest, OfLessThanNothing) { expect_not_taken(captured(-5)); }
TEST_F(AnImpossibleDecisionTest, OfNothingThatIsCalledCaptured) { expect_not_taken(captured(0)); }
TEST_F(AnImpossibleDecisionTest, OfSomethingThatIsCalledVoided) {
  expect_not_taken([](wire::HoldView& hold) {
    captured(20'00)(hold);
    hold.set_state(wire::HOLD_STATE_VOIDED);
  });
}
TEST_F(AnImpossibleDecisionTest, OfAnotherHold) {
  expect_not_taken([](wire::HoldView& hold) {
    captured(80'00)(hold);
    hold.mutable_amount()->set_minor_units(80'00);
  });
}

TEST(AnImpossibleFigureTest, IsNamedByTheAuditHoweverFarOffItIs) {
  AtmHouse house;
  house.load(1, 20, 20);
  house.pass(1s);
  for (const std::int64_t cash : {INT64_MIN, INT64_MIN + 1, INT64_MAX}) {
    house.bank.state.cash["atm-1"] = cash;
    const Sentences differences = house.differences();
    ASSERT_EQ(differences.size(), 1U) << cash;
    EXPECT_TRUE(differences.front().starts_with("The ATM holds 400.00 EUR, but the bank's cash"));
  }
}

}  // namespace
}  // namespace atm
