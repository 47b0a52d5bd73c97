// What an ATM takes for money: its own currency, in everything that comes over the wire, and the notes
// that it is configured for.
#include <gtest/gtest.h>

#include "atm_fixture.h"

namespace atm {
namespace {

class AtmMoneyTest : public testing::Test {
 protected:
  AtmMoneyTest() {
    house.load(1, 20, 100);
    house.insert();
  }

  AtmHouse house;
};

TEST_F(AtmMoneyTest, OfAnotherCurrencyNothingIsPaidTakenMovedOrLoaded) {
  v1::WithdrawRequest withdrawal = house.withdrawal(house.new_id(), 60);
  withdrawal.mutable_amount()->set_currency("JPY");
  EXPECT_EQ(house.call(withdraw_method, std::move(withdrawal)).decline().message(),
            "This ATM handles EUR only.");
  v1::DepositRequest deposit = house.deposit_of(house.new_id(), 20, 2);
  deposit.mutable_notes(0)->mutable_denomination()->set_currency("JPY");
  EXPECT_EQ(house.call(deposit_method, std::move(deposit)).decline().message(),
            "This ATM handles EUR only.");
  v1::LoadRequest load = AtmHouse::load_of(house.new_id(), 2, 20, 2);
  load.mutable_notes()->mutable_denomination()->clear_currency();
  EXPECT_EQ(house.call(load_method, std::move(load)).decline().message(),
            "This ATM handles EUR only.");
  v1::TransferRequest transfer;
  transfer.set_id(std::string(house.new_id().view()));
  transfer.set_session_id(house.session);
  transfer.set_target_account_id("4000-john");
  transfer.mutable_amount()->set_minor_units(5'00);
  EXPECT_EQ(house.call(transfer_method, std::move(transfer)).decline().message(),
            "This ATM handles EUR only.");
  EXPECT_EQ(house.balance(), 100);
  EXPECT_TRUE(house.differences().empty());
}

TEST_F(AtmMoneyTest, ARetryInAnotherCurrencyIsNoRetry) {
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.withdraw(id, 20).has_withdrawn());
  v1::WithdrawRequest withdrawal = house.withdrawal(id, 20);
  withdrawal.mutable_amount()->set_currency("JPY");
  EXPECT_EQ(house.call(withdraw_method, std::move(withdrawal)).decline().code(),
            v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  const OperationId put_in = house.new_id();
  EXPECT_TRUE(house.deposit(put_in, 20, 1).has_deposited());
  v1::DepositRequest deposit = house.deposit_of(put_in, 20, 1);
  deposit.mutable_notes(0)->mutable_denomination()->set_currency("JPY");
  EXPECT_EQ(house.call(deposit_method, std::move(deposit)).decline().code(),
            v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  const OperationId loaded = house.new_id();
  EXPECT_TRUE(house.load(loaded, 2, 50, 1).has_done());
  v1::LoadRequest load = AtmHouse::load_of(loaded, 2, 50, 1);
  load.mutable_notes()->mutable_denomination()->set_currency("JPY");
  EXPECT_TRUE(house.call(load_method, std::move(load)).has_decline());
}

TEST_F(AtmMoneyTest, EveryDenominationThatIsToldSaysItsCurrency) {
  const v1::WithdrawResponse paid = house.withdraw(20);
  EXPECT_EQ(paid.withdrawn().notes(0).denomination().currency(), "EUR");
  house.deposit(house.new_id(), 50, 1);
  v1::ListCassettesRequest request;
  request.set_terminal_id("atm-1");
  const v1::ListCassettesResponse inside = house.call(cassettes_method, std::move(request));
  EXPECT_EQ(inside.cassettes(0).notes().denomination().currency(), "EUR");
  EXPECT_EQ(inside.deposit_bin(0).denomination().currency(), "EUR");
}

TEST_F(AtmMoneyTest, ABankThatKeepsTheTerminalInAnotherCurrencyIsNotDealtWith) {
  house.bank.cash_currency = "JPY";
  house.pass(3s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_NO_BANK);
  EXPECT_EQ(
      house.terminal().reason(),
      "the bank keeps terminal atm-1 in JPY, and this ATM handles EUR; add one of another name "
      "with: bankctl terminal add NAME --currency EUR");
  const std::string why = house.terminal().reason();
  const v1::LoadResponse load = house.load(1, 20, 10);
  EXPECT_EQ(load.decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  EXPECT_EQ(load.decline().message(), "No notes were loaded: " + why + ".");
  EXPECT_EQ(house.open_items(), Sentences());
  house.bank.close();
  house.pass(3s);
  EXPECT_EQ(house.load(1, 20, 10).decline().message(), load.decline().message())
      << "what it said of its books holds";
  house.bank.open();
  EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.bank.cash_currency = "EUR";
  house.pass(3s);
  EXPECT_TRUE(house.withdraw(20).has_withdrawn());
}

TEST_F(AtmMoneyTest, ABankThatKnowsTheTerminalNoMoreKeepsItInNoOtherCurrency) {
  house.bank.cash_currency = "JPY";
  house.pass(3s);
  EXPECT_TRUE(house.load(1, 20, 10).has_decline());
  house.bank.terminals = {};
  house.pass(3s);
  EXPECT_EQ(house.terminal().reason().find("the bank does not know terminal atm-1"), 0U);
  EXPECT_TRUE(house.load(1, 20, 10).has_done()) << "as with any bank that does not answer for it";
}

TEST_F(AtmMoneyTest, DepositsAndCassettesTakeTheConfiguredNotesAndNoOthers) {
  const std::string only = ", only of 5, 10, 20, 50, 100 and 200 EUR.";
  v1::DepositRequest odd = house.deposit_of(house.new_id(), 20, 7);
  odd.mutable_notes(0)->mutable_denomination()->set_minor_units(3'33);
  EXPECT_EQ(house.call(deposit_method, std::move(odd)).decline().message(),
            "This ATM does not handle notes of 3.33 EUR" + only);
  EXPECT_EQ(house.load(3, 30, 10).decline().message(),
            "This ATM does not handle notes of 30.00 EUR" + only);
  EXPECT_EQ(house.deposit(house.new_id(), 500, 1).decline().message(),
            "This ATM does not handle notes of 500.00 EUR" + only);
  EXPECT_EQ(house.balance(), 100);
  std::uint32_t position = 2;
  for (const std::int64_t face : {5, 10, 20, 50, 100, 200}) {
    EXPECT_TRUE(house.deposit(house.new_id(), face, 1).has_deposited()) << face;
    EXPECT_TRUE(house.load(position++, face, 1).has_done()) << face;
  }
  house.pass(1s);
  EXPECT_EQ(house.balance(), 485);
}

TEST_F(AtmMoneyTest, ASessionSaysWhichNotesTheAtmTakes) {
  house.settings.denominations = {Cents{20'00}, Cents{50'00}};
  house.restart();
  const v1::InsertCardResponse inserted = house.insert();
  ASSERT_EQ(inserted.session().denominations_size(), 2);
  EXPECT_EQ(inserted.session().denominations(0).minor_units(), 20'00);
  EXPECT_EQ(inserted.session().denominations(1).currency(), "EUR");
  EXPECT_TRUE(house.deposit(house.new_id(), 10, 1).has_decline());
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 1).has_deposited());
}

TEST(Denominations, AreOfTheCurrencyOrConfigured) {
  const Currency eur = Currency::of("EUR");
  EXPECT_EQ(usual_denominations(Currency::of("JPY"))->front(), Cents{1000});
  EXPECT_EQ(usual_denominations(Currency::of("KWD"))->front(), Cents{250});
  EXPECT_EQ(usual_denominations(Currency::of("XTS")), std::nullopt);
  EXPECT_EQ(parse_denominations({"50,5", "10"}, eur),
            (std::vector<Cents>{Cents{5'00}, Cents{10'00}, Cents{50'00}}));
  const auto error = [&](const std::string& list) {
    return parse_denominations({list}, eur).error();
  };
  EXPECT_EQ(
      error("5,3.333"),
      "must list amounts, and '3.333' is not an amount: EUR has at most 2 digits after the point");
  EXPECT_EQ(error("5,"),
            "must list amounts, and '' is not an amount: it needs digits, as in 60 or 60.00");
  EXPECT_EQ(error("0,5"), "lists notes of 0 EUR, which do not exist");
  EXPECT_EQ(error("5,10,5.00"), "names a note twice");
  EXPECT_EQ(error("0.01,500"), "lists notes too different for one ATM: 0.01 and 500 EUR");
  EXPECT_EQ(parse_denominations({}, eur).error(), "names no notes");
}

}  // namespace
}  // namespace atm
