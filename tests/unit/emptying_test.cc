// Staff empty a terminal while nobody knows what became of some of its notes: every cent is still
// accounted for, whatever is decided afterwards, and a wrong decision is named (rules 15 and 20).
#include "atm_fixture.h"

namespace atm {
namespace {

// What the dispenser really did.
enum class Really : std::uint8_t { paid_all, paid_two_and_tore_one, tore_one, took_none };

class EmptyingTest : public testing::Test {
 protected:
  EmptyingTest() {
    house.load(1, 20, 10);
    house.pass(1s);
  }

  OperationId lose_track_of_sixty(Really really) { return lose_track_of(60, really); }
  // Jane asks for them, and the dispenser cannot say what it did.
  OperationId lose_track_of(std::int64_t euros, Really really) {
    const OperationId id = house.new_id();
    house.insert();
    if (really == Really::paid_all) {
      house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN);
      EXPECT_TRUE(house.withdraw(id, euros).has_suspense());
    } else if (really == Really::took_none) {
      die_before_dispensing(id, euros);
    } else {
      const std::uint32_t paid = really == Really::tore_one ? 0 : 2;
      house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, paid);
      house.dispenser->loses_answers = true;
      EXPECT_TRUE(house.withdraw(id, euros, 30s).has_suspense());
    }
    // From here on it works, but what was lost stays lost.
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    leave();
    house.set_service(true);  // Staff have looked: nothing lies in the slot.
    return id;
  }
  void deposit_without_bank_and_acceptor() {
    house.insert();
    house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, deposit_method, house.deposit_of(house.new_id(), 50, 2), 4s, reply);
    house.pass(1s);
    house.acceptor->is_mute = true;
    house.pass(10s);
    ASSERT_TRUE(reply.has_value());
    EXPECT_FALSE((*reply)->deposited().credited());
    leave();
  }
  void leave() {
    v1::EndSessionRequest request;
    request.set_session_id(house.session);
    house.call(end_session_method, std::move(request));
    house.pass(1s);
  }
  std::int64_t empty() {
    const std::int64_t out = house.unload(house.new_id()).unloaded().amount().minor_units() / 100;
    house.pass(1s);
    return out;
  }
  void decide(std::int64_t paid) {
    house.bank.decide(paid * 100);
    house.pass(10s);
  }
  void decide_on(std::int64_t asked_for, std::int64_t paid) {
    for (auto& [id, hold] : house.bank.state.holds) {
      if (hold.amount == asked_for * 100) house.bank.decide(hold, "atm-1", paid * 100);
    }
    house.pass(10s);
  }
  std::int64_t at_bank() const { return house.bank.state.cash.at("atm-1") / 100; }

  // The books, the bank and the devices agree, on every place.
  void expect_conserved() {
    EXPECT_EQ(house.differences(), Sentences());
    EXPECT_EQ(house.open_items(), Sentences());
    EXPECT_EQ(found_differences(), Sentences());
    EXPECT_EQ(house.held(), 0);
    EXPECT_EQ(at_bank(), house.really_inside());
  }
  Sentences found_differences() {
    const v1::CountResponse count = house.call(count_method, v1::CountRequest());
    return {count.differences().begin(), count.differences().end()};
  }

  AtmHouse house;

 private:
  void die_before_dispensing(OperationId id, std::int64_t euros) {
    house.bank.delays["Hold"] = 500ms;
    std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
    async::TaskScope scope(house.loop);
    house.begin_call(scope, withdraw_method, house.withdrawal(id, euros), 30s, reply);
    house.pass(100ms);
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
    house.pass(25s);
    house.bank.delays.clear();
    ASSERT_TRUE(reply.has_value());
    EXPECT_TRUE((*reply)->has_suspense());
  }
};

TEST_F(EmptyingTest, NotesThatWerePaidAreNotFound) {
  const OperationId id = lose_track_of_sixty(Really::paid_all);
  const std::string logged = "a withdrawal is in suspense  terminal=atm-1  withdrawal=" + id.text();
  EXPECT_NE(house.log.find(logged), std::string::npos);
  EXPECT_EQ(empty(), 140);
  EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
  EXPECT_EQ(house.differences(), Sentences());
  decide(60);
  EXPECT_EQ(house.balance(), 40);
  expect_conserved();
}

TEST_F(EmptyingTest, NotesThatNeverLeftTheirCassetteAreFoundAndCountedOnce) {
  const OperationId id = lose_track_of_sixty(Really::took_none);
  EXPECT_EQ(empty(), 200);
  EXPECT_EQ(house.audit().unknown().minor_units(), 0);
  EXPECT_EQ(house.audit().unloaded().minor_units(), 200'00);
  EXPECT_EQ(house.differences(), Sentences()) << "nothing is decided, and nothing is amiss";
  EXPECT_EQ(house.terminal().cash().minor_units(), 0);
  decide(0);
  EXPECT_EQ(house.audit().in_cassettes().minor_units(), 0) << "they are not back in the cassette";
  EXPECT_EQ(house.balance(), 100);
  EXPECT_TRUE(house.resolve(id).has_declined());
  expect_conserved();
}

TEST_F(EmptyingTest, NotesInTheRejectBinAreFoundAndCountedOnce) {
  lose_track_of_sixty(Really::tore_one);
  EXPECT_EQ(empty(), 200);
  EXPECT_EQ(house.differences(), Sentences());
  decide(0);
  EXPECT_EQ(house.audit().rejected().minor_units(), 0);
  EXPECT_EQ(house.balance(), 100);
  expect_conserved();
}

TEST_F(EmptyingTest, OfNotesPaidInPartTheOthersAreFound) {
  lose_track_of_sixty(Really::paid_two_and_tore_one);
  EXPECT_EQ(empty(), 160);
  EXPECT_EQ(house.audit().unknown().minor_units(), 40'00);
  EXPECT_EQ(house.differences(), Sentences());
  decide(40);
  EXPECT_EQ(house.balance(), 60);
  EXPECT_EQ(house.audit().presented().minor_units(), 40'00);
  expect_conserved();
}

TEST_F(EmptyingTest, WhatWasFoundIsKnownAfterARestart) {
  lose_track_of_sixty(Really::took_none);
  empty();
  house.restart();
  decide(0);
  expect_conserved();
}

TEST_F(EmptyingTest, ATerminalThatWasFilledAgainBeforeTheDecisionHoldsWhatWasFilledIn) {
  lose_track_of_sixty(Really::took_none);
  empty();
  house.load(1, 50, 4);
  house.pass(1s);
  EXPECT_EQ(house.differences(), Sentences());
  decide(0);
  expect_conserved();
  EXPECT_EQ(empty(), 200);
  expect_conserved();
}

TEST_F(EmptyingTest, NotesDecidedBeforeTheEmptyingAreFoundAsOthersAre) {
  lose_track_of_sixty(Really::took_none);
  decide(0);
  EXPECT_EQ(empty(), 200);
  expect_conserved();
}

TEST_F(EmptyingTest, OfTwoWithdrawalsTheFoundNotesAreThoseOfTheOneThatWasNotPaid) {
  lose_track_of(40, Really::paid_all);
  lose_track_of(60, Really::tore_one);
  EXPECT_EQ(empty(), 160);
  EXPECT_EQ(house.audit().unknown().minor_units(), 40'00);
  decide_on(40, 40);
  EXPECT_EQ(house.differences(), Sentences());
  decide_on(60, 0);
  EXPECT_EQ(house.balance(), 60);
  expect_conserved();
}

TEST_F(EmptyingTest, InWhicheverOrderTheOperatorDecides) {
  lose_track_of(40, Really::paid_all);
  lose_track_of(60, Really::tore_one);
  empty();
  decide_on(60, 0);
  EXPECT_EQ(house.audit().unknown().minor_units(), 40'00);
  EXPECT_EQ(house.differences(), Sentences());
  decide_on(40, 40);
  expect_conserved();
}

TEST_F(EmptyingTest, ADebitForNotesThatWereFoundIsADifferenceThatTheAuditNames) {
  lose_track_of_sixty(Really::took_none);
  empty();
  decide(60);
  EXPECT_EQ(house.differences(),
            Sentences({"Of notes of 20.00 EUR, 10 were loaded or deposited, but 13 are accounted "
                       "for.",
                       "The ATM holds 0.00 EUR, but the bank's cash account says -60.00 EUR: a "
                       "difference of 60.00 EUR."}));
}

TEST_F(EmptyingTest, NotesAreFoundForOneWithdrawalOnly) {
  lose_track_of_sixty(Really::took_none);
  empty();
  decide(60);
  house.bank.state.customers["4000-jane"].balance = 100'00;
  house.load(1, 20, 10);
  lose_track_of_sixty(Really::took_none);
  EXPECT_EQ(house.audit().unknown().minor_units(), 60'00);
  decide(0);
  EXPECT_EQ(found_differences(), Sentences());
  const Sentences differences = house.differences();
  ASSERT_EQ(differences.size(), 2U) << "inside, and with the bank";
  EXPECT_EQ(differences[0],
            "Of notes of 20.00 EUR, 20 were loaded or deposited, but 23 are accounted for.");
}

TEST_F(EmptyingTest, MoreNotesThanWereUnknownAreADifferenceThatTheAuditNames) {
  house.run(house.dispenser->load(house.new_id(), {1, Cents{20'00}, 2}));
  lose_track_of_sixty(Really::took_none);
  EXPECT_EQ(empty(), 240);
  const std::string too_many =
      "Of notes of 20.00 EUR, 10 were loaded or deposited, but 12 are accounted for.";
  const std::string at_bank =
      "The ATM holds 0.00 EUR, but the bank's cash account says -40.00 EUR: a difference of 40.00 "
      "EUR.";
  EXPECT_EQ(house.differences(), Sentences({too_many, at_bank}));
  decide(0);
  const Sentences differences = house.differences();
  ASSERT_EQ(differences.size(), 2U) << "inside, and with the bank";
  EXPECT_EQ(differences[0], too_many);
}

TEST_F(EmptyingTest, PaidNotesThatAreDecidedToBeInsideAreMissed) {
  lose_track_of_sixty(Really::paid_all);
  empty();
  decide(0);
  EXPECT_EQ(found_differences(),
            Sentences({"The reject bin should hold 3 notes of 20.00 EUR, but 0 are there."}));
  empty();
  EXPECT_EQ(house.differences().size(), 2U) << "inside, and with the bank";
}

// A crash while notes moved: until the dispenser has said what it presented, the books have them
// all in their cassettes.
TEST_F(EmptyingTest, NothingIsEmptiedBeforeTheDispenserHasBeenAskedWhatItPresented) {
  house.insert();
  house.dispenser->loses_answers = true;
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::WithdrawResponse>> reply;
    house.begin_call(scope, withdraw_method, house.withdrawal(house.new_id(), 60), 30s, reply);
    house.pass(1s);
    house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD);
    house.restart();
  }
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
  EXPECT_EQ(house.open_items(), Sentences({"withdrawal DISPENSING"}));
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.pass(3s);
  EXPECT_EQ(house.balance(), 40);
  expect_conserved();
  EXPECT_EQ(empty(), 140);
  expect_conserved();
}

// As for a dispenser, so for an acceptor that has lost sight of credited notes: the bin has them, and
// the books do not yet.
TEST_F(EmptyingTest, NothingIsEmptiedBeforeTheAcceptorHasSaidThatItKeptCreditedNotes) {
  house.insert();
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_PRESENT_UNKNOWN);
  EXPECT_TRUE(house.deposit(house.new_id(), 50, 2).deposited().credited());
  leave();
  EXPECT_EQ(house.open_items(), Sentences({"deposit CREDITED"}));
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  house.pass(10s);
  EXPECT_EQ(house.balance(), 200);
  expect_conserved();
  EXPECT_EQ(empty(), 300);
  expect_conserved();
}

// Neither the bank nor the acceptor answers when the notes are to be kept. Whatever returns first,
// and whenever staff come, the books have the notes where they are.

TEST_F(EmptyingTest, NothingIsEmptiedBeforeTheAcceptorHasSaidThatItKeptNotesOfASilentBank) {
  deposit_without_bank_and_acceptor();
  EXPECT_EQ(house.open_items(), Sentences({"deposit POSTING"}));
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.acceptor->is_mute = false;
  house.pass(10s);
  EXPECT_EQ(empty(), 300);
  EXPECT_EQ(house.differences(), Sentences());
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 200);
  expect_conserved();
}

TEST_F(EmptyingTest, NorWhenTheAtmWasRestartedMeanwhile) {
  deposit_without_bank_and_acceptor();
  house.stop();
  house.start_with([](AtmHouse& at) { at.acceptor->is_mute = true; });
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.acceptor->is_mute = false;
  house.pass(10s);
  EXPECT_EQ(empty(), 300);
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 200);
  expect_conserved();
}

TEST_F(EmptyingTest, NorWhenTheBankReturnsFirst) {
  deposit_without_bank_and_acceptor();
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(house.balance(), 200) << "the customer is credited whatever the acceptor says";
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.acceptor->is_mute = false;
  house.pass(10s);
  EXPECT_EQ(empty(), 300);
  expect_conserved();
}

// The crash comes after the acceptor has kept the notes and before that is written down: the bin
// has them, and the books do not.
TEST_F(EmptyingTest, NothingIsEmptiedWhileNobodyKnowsWhereACrashLeftTheNotes) {
  house.insert();
  house.bank.moods = {{"Deposit", Mood::silent}, {"Resolve", Mood::silent}};
  const OperationId id = house.new_id();
  {
    async::TaskScope scope(house.loop);
    std::optional<rpc::Reply<v1::DepositResponse>> reply;
    house.begin_call(scope, deposit_method, house.deposit_of(id, 50, 2), 4s, reply);
    house.pass(1s);
    house.stop();
  }
  house.start_with([&](AtmHouse& at) {
    at.run(at.acceptor->keep(id));
    at.acceptor->is_mute = true;
  });
  EXPECT_EQ(house.unload(house.new_id()).decline().code(), v1::DECLINE_CODE_TERMINAL_BUSY);
  house.acceptor->is_mute = false;
  house.bank.moods.clear();
  house.pass(60s);
  EXPECT_EQ(empty(), 300);
  EXPECT_EQ(house.balance(), 200);
  expect_conserved();
}

}  // namespace
}  // namespace atm
