// Sessions, service states, what is passed through to the bank, and what staff do.
#include "atm_fixture.h"
#include "ops/files.h"

namespace atm {
namespace {

class AtmServiceTest : public testing::Test {
 protected:
  AtmServiceTest() { house.load(1, 20, 10); }

  void end_session() {
    v1::EndSessionRequest request;
    request.set_session_id(house.session);
    house.call(end_session_method, std::move(request));
  }
  v1::GetBalanceResponse get_balance() {
    v1::GetBalanceRequest request;
    request.set_session_id(house.session);
    return house.call(get_balance_method, std::move(request));
  }
  v1::Terminal set_service(bool in_service) { return house.set_service(in_service); }

  AtmHouse house;
};

// Sessions (rule 23).

TEST_F(AtmServiceTest, ASessionBeginsWithCardAndPin) {
  const v1::InsertCardResponse begun = house.insert();
  ASSERT_TRUE(begun.has_session()) << begun.DebugString();
  EXPECT_EQ(begun.session().session_id().size(), 16U);
  EXPECT_EQ(begun.session().customer_name(), "Jane Doe");
  EXPECT_EQ(begun.session().terminal_id(), "atm-1");
  EXPECT_EQ(begun.session().currency(), "EUR");
  EXPECT_EQ(get_balance().balance().available().minor_units(), 100'00);
}

TEST_F(AtmServiceTest, AWrongPinBeginsNoSession) {
  const v1::InsertCardResponse refused = house.insert("4000-jane", "0000");
  EXPECT_EQ(refused.decline().code(), v1::DECLINE_CODE_BY_BANK);
  EXPECT_EQ(refused.decline().refusal().code(), wire::REFUSAL_CODE_PIN_WRONG);
  EXPECT_EQ(refused.decline().tries_left(), 2U);
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
}

TEST_F(AtmServiceTest, OneCustomerStandsBeforeATerminal) {
  house.insert();
  EXPECT_EQ(house.insert("4000-john", "2345").decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  end_session();
  EXPECT_TRUE(house.insert("4000-john", "2345").has_session());
}

TEST_F(AtmServiceTest, TheSameCardMayComeAgainAndItsFirstSessionIsOver) {
  house.insert();
  const std::string first = house.session;
  EXPECT_EQ(house.insert("4000-jane", "0000").decline().code(), v1::DECLINE_CODE_BY_BANK);
  EXPECT_TRUE(get_balance().has_balance());
  EXPECT_TRUE(house.insert().has_session());
  const std::string second = std::exchange(house.session, first);
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
  const std::unique_ptr<rpc::Client> earlier = std::move(house.client);
  house.connect();
  EXPECT_TRUE(house.insert().has_session());
  house.session = second;
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
}

TEST_F(AtmServiceTest, AnEndedSessionIsNoSession) {
  house.insert();
  end_session();
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(house.deposit(house.new_id(), 20, 1).decline().code(), v1::DECLINE_CODE_NO_SESSION);
}

TEST_F(AtmServiceTest, AnIdleSessionEnds) {
  house.insert();
  house.pass(59s);
  EXPECT_TRUE(get_balance().has_balance());
  house.pass(61s);
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_TRUE(house.insert("4000-john", "2345").has_session());
}

TEST_F(AtmServiceTest, ASessionBelongsToItsConnection) {
  house.insert();
  Terminal& terminal = *house.atm->terminals().at("atm-1");
  EXPECT_EQ(terminal.session(house.session, "somebody else's line"), nullptr);
  EXPECT_TRUE(get_balance().has_balance());
}

TEST_F(AtmServiceTest, ASessionEndsWithItsConnection) {
  house.insert();
  const std::string janes = house.session;
  house.client.reset();
  house.pass(100ms);
  house.connect();
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_TRUE(house.insert("4000-john", "2345").has_session());
}

TEST_F(AtmServiceTest, TheEndOfAnotherConnectionEndsNoSession) {
  house.call(list_terminals_method, v1::ListTerminalsRequest());
  std::unique_ptr<rpc::Client> staff = std::move(house.client);
  house.connect();
  house.insert();
  staff.reset();
  house.pass(100ms);
  EXPECT_TRUE(get_balance().has_balance());
}

TEST_F(AtmServiceTest, NoSessionBeginsForACallerWhoHasLeft) {
  for (const bool hangs_up : {false, true}) {
    house.bank.delays["VerifyCard"] = 500ms;
    v1::InsertCardRequest request;
    request.set_card_number("4000-jane");
    request.set_pin("1234");
    {
      std::optional<rpc::Reply<v1::InsertCardResponse>> reply;
      async::TaskScope scope(house.loop);
      house.begin_call(scope, insert_card_method, request, 10s, reply);
      house.pass(100ms);
      if (hangs_up) house.client.reset();
    }
    if (hangs_up) house.connect();
    house.pass(1s);
    house.bank.delays.clear();
    EXPECT_TRUE(house.insert("4000-john", "2345").has_session());
    end_session();
  }
}

// Whoever is being served never hears that another customer is.
TEST_F(AtmServiceTest, TheNextChangeWaitsForOneWhoseCallerGaveUp) {
  house.insert();
  house.bank.delays["Deposit"] = 500ms;
  const auto give_up_on_a_deposit = [&] {
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, deposit_method, house.deposit_of(house.new_id(), 50, 1), 10s, reply);
    house.pass(100ms);
  };
  give_up_on_a_deposit();
  EXPECT_TRUE(house.withdraw(20).has_withdrawn());
  give_up_on_a_deposit();
  EXPECT_TRUE(house.transfer(house.new_id(), 10, "4000-john").has_transferred());
  house.pass(1s);
  EXPECT_EQ(house.balance(), 170);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmServiceTest, TwoCopiesOfAChangeThatWaitAreOneChange) {
  house.insert();
  house.bank.delays["Deposit"] = 500ms;
  const OperationId id = house.new_id();
  std::optional<rpc::Reply<v1::DepositResponse>> before;
  std::optional<rpc::Reply<v1::WithdrawResponse>> first;
  std::optional<rpc::Reply<v1::WithdrawResponse>> second;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, deposit_method, house.deposit_of(house.new_id(), 50, 1), 10s, before);
  house.pass(100ms);
  house.begin_call(scope, withdraw_method, house.withdrawal(id, 20), 10s, first);
  house.begin_call(scope, withdraw_method, house.withdrawal(id, 20), 10s, second);
  house.pass(2s);
  ASSERT_TRUE(before && first && second);
  EXPECT_TRUE((*first)->has_withdrawn());
  EXPECT_TRUE((*second)->has_withdrawn());
  EXPECT_EQ(house.balance(), 130);
  EXPECT_EQ(house.dispenser->dispensed.size(), 1U);
}

TEST_F(AtmServiceTest, AChangeThatIsFencedWhileItWaitsNeverBegins) {
  house.insert();
  house.bank.delays["Deposit"] = 500ms;
  const OperationId id = house.new_id();
  std::optional<rpc::Reply<v1::DepositResponse>> before;
  std::optional<rpc::Reply<v1::WithdrawResponse>> first;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, deposit_method, house.deposit_of(house.new_id(), 50, 1), 10s, before);
  house.pass(100ms);
  house.begin_call(scope, withdraw_method, house.withdrawal(id, 20), 10s, first);
  house.pass(100ms);
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  house.pass(2s);
  EXPECT_EQ((*first)->decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.balance(), 150);
}

TEST_F(AtmServiceTest, AnUnknownTerminalIsNamed) {
  const v1::Decline unknown = house.insert("4000-jane", "1234", "atm-9").decline();
  EXPECT_EQ(unknown.code(), v1::DECLINE_CODE_NO_SUCH_TERMINAL);
  EXPECT_EQ(unknown.message(), "This ATM has no terminal atm-9; it has atm-1.");
}

TEST_F(AtmServiceTest, WhoeverNamesNoneOfSeveralTerminalsIsToldWhichThereAre) {
  house.terminals = 2;
  house.restart();
  const std::string told = "This ATM has several terminals, and none was named: atm-1, atm-2";
  EXPECT_EQ(house.insert().decline().message(), told + ".");
  const auto reply = house.try_call(list_open_items_method, v1::ListOpenItemsRequest());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, rpc::StatusCode::invalid_argument) << "and not that it is missing";
  EXPECT_EQ(reply.error().message, told + ". Say which with --terminal ID");
}

TEST_F(AtmServiceTest, TwoTerminalsServeTwoCustomersAtOnce) {
  house.terminals = 2;
  house.restart();
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_NO_SUCH_TERMINAL)
      << "which of the two?";
  EXPECT_TRUE(house.insert("4000-jane", "1234", "atm-1").has_session());
  const std::string janes = house.session;
  EXPECT_TRUE(house.insert("4000-john", "2345", "atm-2").has_session());
  EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT)
      << "atm-2 has cassettes of its own, and they are empty";
  house.session = janes;
  EXPECT_TRUE(house.withdraw(20).has_withdrawn());
}

// Service states.

TEST_F(AtmServiceTest, StaffTakeATerminalOutOfServiceAndThatSurvivesARestart) {
  EXPECT_EQ(set_service(false).state(), v1::SERVICE_STATE_OUT_BY_STAFF);
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.restart();
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BY_STAFF);
  EXPECT_EQ(set_service(true).state(), v1::SERVICE_STATE_IN_SERVICE);
  EXPECT_TRUE(house.insert().has_session());
}

TEST_F(AtmServiceTest, TheBanksOperatorTakesATerminalOutOfService) {
  house.bank.state.in_service = false;
  house.pass(3s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_BY_OPERATOR);
  house.bank.state.in_service = true;
  house.pass(3s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(AtmServiceTest, ATerminalThatTheBankDoesNotKnowSaysWhichCommandAddsIt) {
  house.bank.terminals.clear();
  house.pass(3s);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_NO_BANK);
  EXPECT_NE(house.terminal().reason().find("bankctl terminal add atm-1"), std::string::npos);
  EXPECT_TRUE(house.load(2, 50, 2).has_done()) << "the bank hears of it when it knows the terminal";
  EXPECT_EQ(house.bank.times_asked("LoadCash"), 1U);
  house.bank.terminals = {"atm-1"};
  house.pass(10s);
  EXPECT_EQ(house.bank.times_asked("LoadCash"), 2U);
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

// Passed through.

TEST_F(AtmServiceTest, ATransferIsPassedThroughOnceUnderTheCustomersId) {
  house.insert();
  const OperationId id = house.new_id();
  const v1::TransferResponse first = house.transfer(id, 30, "4000-john");
  EXPECT_EQ(first.transferred().balance().balance().minor_units(), 70'00);
  EXPECT_TRUE(house.transfer(id, 30, "4000-john").replayed());
  EXPECT_EQ(house.transfer(id, 31, "4000-john").decline().code(),
            v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_EQ(house.balance("4000-john"), 530);
  EXPECT_EQ(house.bank.times_asked("Transfer"), 1U);
  EXPECT_EQ(house.resolve(id).transferred().amount().minor_units(), 30'00);
  house.pass(2s);
  house.restart();
  EXPECT_EQ(house.resolve(id).transferred().amount().minor_units(), 30'00);
}

TEST_F(AtmServiceTest, ATransferThatTheBankRefusesIsDeclined) {
  house.insert();
  const OperationId id = house.new_id();
  EXPECT_EQ(house.transfer(id, 30, "nobody").decline().refusal().code(),
            wire::REFUSAL_CODE_ACCOUNT_NOT_FOUND);
  EXPECT_EQ(house.resolve(id).declined().refusal().code(), wire::REFUSAL_CODE_ACCOUNT_NOT_FOUND);
}

TEST_F(AtmServiceTest, AnUnansweredTransferIsResolvedAtTheBank) {
  house.insert();
  for (const Mood mood : {Mood::silent, Mood::reply_lost}) {
    house.bank.moods["Transfer"] = mood;
    const std::int64_t before = house.balance();
    const OperationId id = house.new_id();
    const rpc::Reply<v1::TransferResponse> reply =
        house.try_call(transfer_method, house.transfer_of(id, 30, "4000-john"), 2s);
    ASSERT_FALSE(reply.has_value());
    EXPECT_TRUE(rpc::outcome_unknown(reply.error())) << reply.error().text();
    house.restart();
    const v1::ResolveResponse told = house.resolve(id);
    EXPECT_EQ(told.has_transferred(), mood == Mood::reply_lost) << told.DebugString();
    EXPECT_EQ(told.has_declined(), mood == Mood::silent);
    EXPECT_EQ(before - house.balance(), mood == Mood::silent ? 0 : 30);
    house.insert();
  }
}

TEST_F(AtmServiceTest, ResolveWaitsForTheBankToSayWhatBecameOfATransfer) {
  house.insert();
  house.bank.moods["Transfer"] = Mood::silent;
  house.bank.moods["Resolve"] = Mood::silent;
  const OperationId id = house.new_id();
  house.try_call(transfer_method, house.transfer_of(id, 30, "4000-john"), 2s);
  v1::ResolveRequest request;
  request.set_id(std::string(id.view()));
  EXPECT_FALSE(house.try_call(resolve_method, request, 2s).has_value());
  house.bank.moods.clear();
  EXPECT_EQ(house.resolve(id).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.transfer(id, 30, "4000-john").decline().code(), v1::DECLINE_CODE_ID_FENCED);
}

TEST_F(AtmServiceTest, APinIsChangedAndNeverWrittenDown) {
  house.insert();
  const OperationId id = house.new_id();
  EXPECT_TRUE(house.change_pin(id, "1234", "9753").has_changed());
  EXPECT_TRUE(house.change_pin(id, "1234", "9753").has_changed());
  // The bank alone can tell whether a PIN is the one that was set.
  EXPECT_EQ(house.change_pin(id, "1234", "8642").decline().refusal().code(),
            wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_TRUE(house.resolve(id).has_pin_changed());
  const v1::ChangePinResponse wrong = house.change_pin(house.new_id(), "1234", "8642");
  EXPECT_EQ(wrong.decline().tries_left(), 2U);
  EXPECT_EQ(house.transfer(id, 1, "4000-john").decline().code(),
            v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  house.pass(2s);
  house.stop();
  for (const auto& file : std::filesystem::directory_iterator(house.folder() / "atm")) {
    const std::string content = ops::read_file(file.path()).value();
    EXPECT_EQ(content.find("9753"), std::string::npos) << file.path();
    EXPECT_EQ(content.find("8642"), std::string::npos) << file.path();
  }
  EXPECT_EQ(house.log.find("9753"), std::string::npos);
}

// Staff.

TEST_F(AtmServiceTest, ALoadIsDoneOnceAndToldToTheBank) {
  const OperationId id = house.new_id();
  EXPECT_EQ(house.load(id, 2, 50, 4).done().cash().minor_units(), 400'00);
  const v1::LoadResponse again = house.load(id, 2, 50, 4);
  EXPECT_TRUE(again.done().replayed());
  EXPECT_EQ(again.done().cash().minor_units(), 400'00);
  EXPECT_EQ(house.load(id, 2, 50, 5).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  house.pass(1s);
  EXPECT_EQ(house.bank.state.cash["atm-1"], 400'00);
  EXPECT_EQ(house.really_inside(), 400);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmServiceTest, LoadsThatCannotBeAreMalformed) {
  EXPECT_EQ(house.load(0, 20, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.load(9, 20, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.load(1, 20, 0).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.load(1, 20, 10'001).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.load(1, 50, 1).decline().code(), v1::DECLINE_CODE_MALFORMED) << "it holds 20s";
  EXPECT_EQ(house.load(2, 0, 1).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_EQ(house.load(1, 20, 9'991).decline().code(), v1::DECLINE_CODE_MALFORMED) << "it is full";
  EXPECT_EQ(house.really_inside(), 200);
}

TEST_F(AtmServiceTest, AnEmptiedCassetteTakesOtherNotes) {
  house.unload(house.new_id());
  EXPECT_TRUE(house.load(1, 50, 2).has_done());
  house.insert();
  EXPECT_TRUE(house.withdraw(50).has_withdrawn());
  house.pass(1s);
  EXPECT_EQ(house.differences(), Sentences());
}

TEST_F(AtmServiceTest, NothingIsUnloadedWhileACustomerStandsThere) {
  house.insert();
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
}

TEST_F(AtmServiceTest, ANoteThatIsMissingIsNamedByTheCountAndTheAudit) {
  house.run(house.dispenser->dispense(house.new_id(), {{1, Cents{20'00}, 1}}));
  const v1::CountResponse count = house.call(count_method, v1::CountRequest());
  ASSERT_EQ(count.differences_size(), 1);
  EXPECT_EQ(count.differences(0),
            "The cassettes should hold 10 notes of 20.00 EUR, but 9 are there.");
  house.unload(house.new_id());
  house.pass(1s);
  EXPECT_EQ(house.differences().size(), 2U) << "inside, and with the bank";
}

TEST_F(AtmServiceTest, ADayIsSummedUpInItsTimeZone) {
  house.insert();
  house.withdraw(40);
  house.withdraw(120);
  house.deposit(house.new_id(), 20, 1);
  const auto totals = [&](const std::string& day) {
    v1::GetDayTotalsRequest request;
    request.set_day(day);
    return house.call(day_totals_method, std::move(request));
  };
  const v1::GetDayTotalsResponse today = totals("");
  EXPECT_EQ(today.withdrawals(), 1U);
  EXPECT_EQ(today.withdrawn().minor_units(), 40'00);
  EXPECT_EQ(today.deposits(), 1U);
  EXPECT_EQ(today.deposited().minor_units(), 20'00);
  EXPECT_EQ(today.declined(), 1U);
  EXPECT_EQ(today.loaded().minor_units(), 200'00);
  house.loop.set_wall_clock(house.loop.wall_now() + 24h);
  EXPECT_EQ(totals("").withdrawals(), 0U);
  EXPECT_EQ(totals(today.day()).withdrawals(), 1U);
  house.restart();
  EXPECT_EQ(totals(today.day()).withdrawn().minor_units(), 40'00);
}

TEST_F(AtmServiceTest, EveryWithdrawalOfWhichNothingWasPaidCountsAsDeclined) {
  const auto declined = [&] {
    return house.call(day_totals_method, v1::GetDayTotalsRequest()).declined();
  };
  house.insert();
  house.bank.moods["Hold"] = Mood::silent;
  EXPECT_EQ(house.withdraw(house.new_id(), 20, 2s).decline().code(), v1::DECLINE_CODE_BANK_SILENT);
  EXPECT_EQ(declined(), 1U) << "given up";
  house.bank.moods.clear();
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 0);
  EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_DISPENSER_FAULT);
  EXPECT_EQ(declined(), 2U) << "nothing was presented";
}

TEST_F(AtmServiceTest, WhatHappensAroundMidnightIsInTheTotalsOfBothDays) {
  Terminal& terminal = *house.atm->terminals().at("atm-1");
  const ops::DayNumber today = ops::Calendar::of_zone("UTC").day_of(house.loop.wall_now());
  for (int day = 0; day < 5; ++day) ++terminal.totals(today + day).declined;
  house.load(1, 20, 1);  // Its entry takes them along.
  house.restart();
  for (int day = 0; day < 5; ++day) {
    EXPECT_EQ(house.atm->terminals().at("atm-1")->totals_of(today + day).declined, 1U) << day;
  }
}

// Two of the staff's hands at once.

TEST_F(AtmServiceTest, ACassetteIsNotLoadedWithTwoDenominationsAtOnce) {
  std::optional<rpc::Reply<v1::LoadResponse>> first;
  std::optional<rpc::Reply<v1::LoadResponse>> second;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, load_method, AtmHouse::load_of(house.new_id(), 2, 50, 5), 10s, first);
  house.begin_call(scope, load_method, AtmHouse::load_of(house.new_id(), 2, 10, 5), 10s, second);
  house.pass(100ms);
  EXPECT_TRUE((*first)->has_done());
  EXPECT_EQ((*second)->decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
}

TEST_F(AtmServiceTest, NothingIsLoadedWhileATerminalIsEmptied) {
  house.acceptor->is_mute_to_unload = true;
  std::optional<rpc::Reply<v1::UnloadResponse>> emptied;
  async::TaskScope scope(house.loop);
  house.begin_call(scope, unload_method, AtmHouse::unload_of(house.new_id()), 30s, emptied);
  house.pass(1s);
  EXPECT_EQ(house.load(1, 20, 3).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  EXPECT_EQ(house.insert().decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  house.acceptor->is_mute_to_unload = false;
  house.pass(6s);
  ASSERT_TRUE(emptied.has_value());
  EXPECT_TRUE(house.load(1, 20, 3).has_done());
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.really_inside(), 60);
}

}  // namespace
}  // namespace atm
