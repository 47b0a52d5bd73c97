// What became of an id, and what nobody may call a no: asked again at another terminal, at another
// ATM, after a restart of the bank, and while the bank refuses what has happened.
#include "atm_fixture.h"

namespace atm {
namespace {

class AtmResolveTest : public testing::Test {
 protected:
  AtmResolveTest() { house.load(1, 20, 10); }

  v1::GetBalanceResponse get_balance() {
    v1::GetBalanceRequest request;
    request.set_session_id(house.session);
    return house.call(get_balance_method, std::move(request));
  }
  v1::ResolveResponse resolve(OperationId id, const std::string& terminal,
                              const std::string& atm_id = "") {
    v1::ResolveRequest request;
    request.set_id(std::string(id.view()));
    request.set_terminal_id(terminal);
    request.set_atm_id(atm_id);
    return house.call(resolve_method, std::move(request));
  }
  Task<> drain_into(std::optional<async::Instant>* ended) {
    co_await house.atm->drain(*house.server);
    ended->emplace(house.loop.now());
  }

  AtmHouse house;
};

TEST_F(AtmResolveTest, WhatWasDoneIsFoundWhicheverTerminalIsNamed) {
  house.insert();
  const std::vector<OperationId> ids = {house.new_id(), house.new_id(), house.new_id()};
  house.withdraw(ids[0], 20);
  house.deposit(ids[1], 20, 1);
  house.transfer(ids[2], 5, "4000-john");
  house.pass(1s);
  house.terminals = 2;
  house.restart();
  for (const std::string named : {"", "atm-1", "atm-2", "atm-9"}) {
    EXPECT_TRUE(resolve(ids[0], named).has_withdrawn()) << named;
    EXPECT_TRUE(resolve(ids[1], named).has_deposited()) << named;
    EXPECT_TRUE(resolve(ids[2], named).has_transferred()) << named;
  }
}

TEST_F(AtmResolveTest, OfAnIdThatMayHaveBeenUsedElsewhereNobodyCanKnowAndItIsNotFenced) {
  const std::string ours = house.insert().session().atm_id();
  const OperationId id = house.new_id();
  EXPECT_TRUE(resolve(id, "atm-9").has_cannot_know());
  EXPECT_TRUE(resolve(id, "", "another ATM's id").has_cannot_know());
  EXPECT_TRUE(resolve(id, "atm-1", "another ATM's id").has_cannot_know());
  EXPECT_TRUE(house.withdraw(id, 20).has_withdrawn());
  EXPECT_EQ(resolve(house.new_id(), "atm-9", ours).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(resolve(house.new_id(), "").declined().code(), v1::DECLINE_CODE_ID_FENCED);
}

// The bank refuses the second, and that answer is lost: asked what became of the id, it tells of the
// first.
TEST_F(AtmResolveTest, WhatTheBankHasDoneUnderTheIdForSomethingElseIsNotToldAsDone) {
  house.insert();
  house.withdraw(20);
  house.pass(1s);
  const OperationId first = house.new_id();
  house.transfer(first, 5);
  house.pass(1s);
  const auto known_twice = [this](const std::string& known) {
    const OperationId id = house.new_id();
    house.bank.state.answers[std::string(id.view())] = house.bank.state.answers.at(known);
    return id;
  };
  const std::string hold = house.bank.state.holds.begin()->first;
  const OperationId of_hold = *OperationId::from_bytes(hold);
  const std::vector<v1::TransferRequest> others = {
      house.transfer_of(of_hold, 20), house.transfer_of(known_twice(std::string(first.view())), 7),
      house.transfer_of(known_twice(std::string(first.view())), 5, "4000-none")};
  for (v1::TransferRequest other : others) {
    house.bank.moods["Transfer"] = Mood::reply_lost;
    other.set_session_id(house.session);
    EXPECT_FALSE(house.try_call(transfer_method, other).has_value());
    const OperationId id = *OperationId::from_bytes(other.id());
    const v1::ResolveResponse told = resolve(id, "atm-1");
    EXPECT_EQ(told.declined().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
    house.insert();
    other.set_session_id(house.session);
    house.bank.moods.clear();
    EXPECT_TRUE(house.call(transfer_method, other).has_decline());
  }
  house.bank.moods["ChangePin"] = Mood::reply_lost;
  const OperationId of_transfer = known_twice(std::string(first.view()));
  v1::ChangePinRequest pin = house.change_of_pin(of_transfer, "1234", "9753");
  EXPECT_FALSE(house.try_call(change_pin_method, std::move(pin)).has_value());
  EXPECT_EQ(resolve(of_transfer, "atm-1").declined().code(),
            v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_EQ(house.balance("4000-john"), 505);
}

TEST_F(AtmResolveTest, AnAtmIsTheSameAfterARestartAtEachOfItsTerminals) {
  const std::string ours = house.insert().session().atm_id();
  EXPECT_EQ(ours.size(), 16);
  house.terminals = 2;
  house.restart();
  EXPECT_EQ(house.insert("4000-jane", "1234", "atm-1").session().atm_id(), ours);
  EXPECT_EQ(house.insert("4000-john", "2345", "atm-2").session().atm_id(), ours);
}

TEST_F(AtmResolveTest, AfterARestartOfTheBankEverythingOfASessionIsDeclinedAlike) {
  house.insert();
  house.bank.forget_tokens();
  EXPECT_EQ(get_balance().decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(house.withdraw(20).decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(house.transfer(house.new_id(), 5, "4000-john").decline().code(),
            v1::DECLINE_CODE_NO_SESSION);
  const OperationId pin_id = house.new_id();
  EXPECT_EQ(house.change_pin(pin_id, "1234", "9876").decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(house.bank.state.customers.at("4000-jane").pin, "1234");
  house.insert();
  EXPECT_TRUE(house.change_pin(pin_id, "1234", "9876").has_changed());
}

TEST_F(AtmResolveTest, ATransferThatWasDoneIsNoSessionToNobody) {
  house.insert();
  const OperationId id = house.new_id();
  house.bank.moods["Transfer"] = Mood::reply_lost;
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(id, 5, "4000-john"), 2s));
  const OperationId other = house.new_id();
  house.bank.moods["Transfer"] = Mood::silent;
  EXPECT_FALSE(house.try_call(transfer_method, house.transfer_of(other, 5, "4000-john"), 2s));
  house.bank.moods.clear();
  house.bank.forget_tokens();
  EXPECT_TRUE(house.transfer(id, 5, "4000-john").has_transferred());
  EXPECT_TRUE(house.transfer(other, 5, "4000-john").has_decline());
  EXPECT_EQ(house.balance("4000-john"), 505);
}

TEST_F(AtmResolveTest, WhatTheBankRefusesIsAtEveryMomentAnOpenItemOrAnException) {
  house.insert();
  house.bank.moods["Capture"] = Mood::refuses;
  house.bank.refusal["Capture"] = wire::REFUSAL_CODE_HOLD_NOT_FOUND;
  house.bank.moods["LoadCash"] = Mood::refuses;
  house.bank.refusal["LoadCash"] = wire::REFUSAL_CODE_TERMINAL_NOT_FOUND;
  house.withdraw(20);
  house.load(2, 50, 1);
  for (int moment = 0; moment < 60; ++moment) {
    v1::ListOpenItemsRequest request;
    const auto response = house.call(list_open_items_method, std::move(request));
    EXPECT_EQ(response.items_size() + response.exceptions_size(), 2) << moment;
  }
  EXPECT_EQ(house.exceptions().size(), 2);
}

TEST_F(AtmResolveTest, ASignalEndsItInTimeWhileNotesComeOut) {
  house.insert();
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_SLOW, 0, 60'000);
  async::TaskScope scope(house.loop);
  std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
  house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 20), 60s, reply);
  house.pass(1s);
  const async::Instant signalled = house.loop.now();
  std::optional<async::Instant> ended;
  scope.spawn(drain_into(&ended));
  house.pass(10s);
  ASSERT_TRUE(ended);
  EXPECT_LT(*ended - signalled, 4s);
}

// Anybody may ask about any ids: memory keeps the latest fences, and the journal has them all.
TEST_F(AtmResolveTest, AnIdStaysFencedWhenMemoryHasForgottenIt) {
  constexpr std::size_t at_once = 200;
  const auto id_of = [](std::size_t number) {
    OperationId id{.bytes = {2}};
    for (int byte = 0; byte < 4; ++byte) {
      id.bytes[static_cast<std::size_t>(12 + byte)] =
          static_cast<std::uint8_t>(number >> static_cast<unsigned>(8 * byte));
    }
    return id;
  };
  for (std::size_t number = 0; number <= ended_items_kept_max; number += at_once) {
    async::TaskScope scope(house.loop);
    std::vector<std::optional<rpc::Reply<v1::ResolveResponse>>> replies(at_once);
    for (std::size_t i = 0; i < at_once; ++i) {
      v1::ResolveRequest request;
      request.set_id(std::string(id_of(number + i).view()));
      house.begin_call(scope, resolve_method, std::move(request), 10s, replies[i]);
    }
    while (!std::ranges::all_of(replies, [](const auto& reply) { return reply.has_value(); })) {
      house.pass(50ms);
    }
  }
  house.insert();
  EXPECT_EQ(house.withdraw(id_of(0), 20).decline().code(), v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(house.resolve(id_of(0)).declined().code(), v1::DECLINE_CODE_ID_FENCED);
}

}  // namespace
}  // namespace atm
