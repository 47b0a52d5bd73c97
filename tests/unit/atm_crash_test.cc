// Rule 16, tried everywhere: the ATM crashes at each journal write, each act of a device and each
// request to the bank, before and after it, and recovers from its files.
#include <cstdint>
#include <functional>
#include <set>

#include "atm_fixture.h"

namespace atm {
namespace {

// What a scene comes to, in whole euros, when nothing crashes; and what it comes to after the
// crashes: all of these, and nothing else.
struct Outcomes {
  std::int64_t whole = 0;
  std::set<std::int64_t> after_crashes;
};

// Plays `scene` again and again, crashing at the first possible point, then the second, until none
// is left; after each crash the ATM is started again, time passes, and `judge` says what came of it.
void crash_everywhere(const std::function<void(AtmHouse&)>& prepare,
                      const std::function<void(AtmHouse&)>& scene,
                      const std::function<std::int64_t(AtmHouse&)>& judge,
                      const Outcomes& expected) {
  constexpr int points_max = 100;
  std::set<std::int64_t> after_crashes;
  int point = 1;
  for (bool crashed = true; crashed; ++point) {
    ASSERT_LT(point, points_max);
    SCOPED_TRACE("crash point " + std::to_string(point));
    AtmHouse house;
    house.load(1, 20, 10);
    house.load(2, 50, 10);
    house.insert();
    house.pass(1s);
    prepare(house);
    house.plan = {.at = point};
    house.bank.crash_point = [&house] {
      if (!house.plan.reached()) return false;
      house.loop.fail(std::make_exception_ptr(Crash()));
      return true;
    };
    crashed = false;
    try {
      scene(house);
    } catch (const Crash&) {
      crashed = true;
    }
    house.plan = {};
    house.bank.crash_point = {};
    house.restart();
    house.pass(60s);
    const std::int64_t outcome = judge(house);
    if (testing::Test::HasFailure()) return;
    if (crashed) {
      after_crashes.insert(outcome);
    } else {
      EXPECT_EQ(outcome, expected.whole);
    }
  }
  EXPECT_EQ(after_crashes, expected.after_crashes);
  EXPECT_GT(point, 8) << "so few points are no test";
}

void expect_all_accounted_for(AtmHouse& house) {
  EXPECT_EQ(house.differences(), Sentences());
  EXPECT_EQ(house.open_items(), Sentences());
  EXPECT_EQ(house.exceptions(), Sentences());
  EXPECT_EQ(house.held(), 0);
  const v1::CountResponse count = house.call(count_method, v1::CountRequest());
  EXPECT_EQ(count.differences_size(), 0) << count.DebugString();
}

const OperationId the_id = [] {
  OperationId id;
  id.bytes[3] = 7;
  return id;
}();

void withdraw_sixty(AtmHouse& house) {
  house.withdraw(the_id, 60);
  house.pass(5s);
}

enum class HowTold : std::uint8_t { at_once, by_the_operator };

// Cash that is out was debited, and the customer is told so; nothing else was. Gives what is out.
std::int64_t expect_debited_for_what_is_out(AtmHouse& house, HowTold told_how = HowTold::at_once) {
  const std::int64_t out = 700 - house.really_inside();
  EXPECT_EQ(100 - house.balance(), out);
  const v1::ResolveResponse told = house.resolve(the_id);
  if (out == 0) {
    EXPECT_TRUE(told.has_declined()) << told.DebugString();
  } else {
    EXPECT_EQ(told.withdrawn().amount().minor_units(), out * 100) << told.DebugString();
  }
  expect_all_accounted_for(house);

  // The same id again, from a customer who knows nothing of the crash.
  const std::int64_t balance = house.balance();
  house.insert();
  const v1::WithdrawResponse again = house.withdraw(the_id, 60);
  if (told_how == HowTold::by_the_operator && out > 0) {
    EXPECT_TRUE(again.has_suspense()) << again.DebugString();
  } else {
    EXPECT_EQ(again.has_withdrawn(), out > 0) << again.DebugString();
    EXPECT_EQ(again.withdrawn().amount().minor_units(), out * 100) << again.DebugString();
  }
  house.pass(5s);
  EXPECT_EQ(house.balance(), balance);
  EXPECT_EQ(700 - house.really_inside(), out);
  return out;
}

TEST(AtmCrashTest, AWithdrawalIsPaidAndDebitedOnceOrNotAtAll) {
  crash_everywhere([](AtmHouse&) {}, withdraw_sixty,
                   [](AtmHouse& house) { return expect_debited_for_what_is_out(house); },
                   {.whole = 60, .after_crashes = {0, 60}});
}

TEST(AtmCrashTest, AJammedWithdrawalIsDebitedForWhatWasPresented) {
  crash_everywhere([](AtmHouse& house) { house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 2); },
                   withdraw_sixty,
                   [](AtmHouse& house) { return expect_debited_for_what_is_out(house); },
                   {.whole = 40, .after_crashes = {0, 40}});
}

TEST(AtmCrashTest, AWithdrawalThatPresentsNothingIsNotDebited) {
  crash_everywhere([](AtmHouse& house) { house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 0); },
                   withdraw_sixty,
                   [](AtmHouse& house) { return expect_debited_for_what_is_out(house); },
                   {.whole = 0, .after_crashes = {0}});
}

TEST(AtmCrashTest, ASilentBankIsVoidedTo) {
  crash_everywhere([](AtmHouse& house) { house.bank.moods["Hold"] = Mood::reply_lost; },
                   withdraw_sixty,
                   [](AtmHouse& house) {
                     house.bank.moods.clear();
                     return expect_debited_for_what_is_out(house);
                   },
                   {.whole = 0, .after_crashes = {0}});
}

TEST(AtmCrashTest, WhatNobodyKnowsStaysReservedUntilTheOperatorDecides) {
  crash_everywhere(
      [](AtmHouse& house) { house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_PRESENT_UNKNOWN); },
      [](AtmHouse& house) {
        house.withdraw(the_id, 60);
        house.pass(5s);
        house.bank.decide(60'00);
        house.pass(20s);
      },
      [](AtmHouse& house) {
        // Where the crash came first, the operator decides now; the notes are out, and he knows.
        house.bank.decide(60'00);
        house.pass(20s);
        return expect_debited_for_what_is_out(house, HowTold::by_the_operator);
      },
      {.whole = 60, .after_crashes = {0, 60}});
}

// A customer's hundred either is in the bin and on the account, or was given back. Gives what was
// taken.
std::int64_t expect_taken_once_or_given_back(AtmHouse& house) {
  const std::int64_t taken = house.really_inside() - 700;
  EXPECT_TRUE(taken == 0 || taken == 100) << taken;
  EXPECT_EQ(house.balance() - 100, taken);
  const v1::ResolveResponse told = house.resolve(the_id);
  EXPECT_EQ(told.has_deposited(), taken == 100) << told.DebugString();
  EXPECT_EQ(told.deposited().credited(), taken == 100);
  expect_all_accounted_for(house);
  return taken;
}

void deposit_a_hundred(AtmHouse& house) {
  house.deposit(the_id, 50, 2);
  house.pass(5s);
}

TEST(AtmCrashTest, ADepositIsCreditedAndKeptOrGivenBack) {
  crash_everywhere([](AtmHouse&) {}, deposit_a_hundred,
                   [](AtmHouse& house) { return expect_taken_once_or_given_back(house); },
                   {.whole = 100, .after_crashes = {0, 100}});
}

TEST(AtmCrashTest, ARefusedDepositIsGivenBack) {
  crash_everywhere(
      [](AtmHouse& house) {
        house.bank.moods["Deposit"] = Mood::refuses;
        house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
      },
      deposit_a_hundred, [](AtmHouse& house) { return expect_taken_once_or_given_back(house); },
      {.whole = 0, .after_crashes = {0}});
}

TEST(AtmCrashTest, ADepositWhoseAnswerIsLostIsCreditedOnce) {
  crash_everywhere([](AtmHouse& house) { house.bank.moods["Deposit"] = Mood::reply_lost; },
                   deposit_a_hundred,
                   [](AtmHouse& house) {
                     house.bank.moods.clear();
                     house.pass(60s);
                     return expect_taken_once_or_given_back(house);
                   },
                   {.whole = 100, .after_crashes = {0, 100}});
}

TEST(AtmCrashTest, ADepositIsCreditedOnceWhenTheBankFallsSilentAltogether) {
  crash_everywhere(
      [](AtmHouse& house) {
        house.bank.moods["Deposit"] = Mood::silent;
        house.bank.moods["Resolve"] = Mood::reply_lost;  // Fences, and nobody hears of it.
      },
      deposit_a_hundred,
      [](AtmHouse& house) {
        house.bank.moods.clear();
        house.pass(120s);
        return expect_taken_once_or_given_back(house);
      },
      {.whole = 100, .after_crashes = {0, 100}});
}

TEST(AtmCrashTest, ALoadIsCountedOnce) {
  crash_everywhere([](AtmHouse&) {},
                   [](AtmHouse& house) {
                     house.load(the_id, 1, 20, 5);
                     house.pass(5s);
                   },
                   [](AtmHouse& house) {
                     house.load(the_id, 1, 20, 5);
                     house.pass(5s);
                     EXPECT_EQ(house.bank.state.cash["atm-1"], 800'00);
                     expect_all_accounted_for(house);
                     return house.really_inside();
                   },
                   {.whole = 800, .after_crashes = {800}});
}

void leave(AtmHouse& house) {
  v1::EndSessionRequest end;
  end.set_session_id(house.session);
  house.call(end_session_method, std::move(end));
  house.pass(1s);
}

TEST(AtmCrashTest, AnUnloadIsCountedOnce) {
  crash_everywhere(
      [](AtmHouse& house) {
        house.deposit(house.new_id(), 50, 2);
        leave(house);
      },
      [](AtmHouse& house) {
        house.unload(the_id);
        house.pass(5s);
      },
      [](AtmHouse& house) {
        EXPECT_EQ(house.unload(the_id).unloaded().amount().minor_units(), 800'00);
        house.pass(5s);
        EXPECT_EQ(house.bank.state.cash["atm-1"], 0);
        expect_all_accounted_for(house);
        return house.really_inside();
      },
      {.whole = 0, .after_crashes = {0}});
}

// The dispenser tore a note, paid none, and could not say so; staff find them all.
TEST(AtmCrashTest, UnknownNotesThatAnUnloadFindsAreCountedOnce) {
  crash_everywhere(
      [](AtmHouse& house) {
        house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 0);
        house.dispenser->loses_answers = true;
        EXPECT_TRUE(house.withdraw(house.new_id(), 60, 30s).has_suspense());
        leave(house);
      },
      [](AtmHouse& house) {
        house.unload(the_id);
        house.pass(5s);
        house.bank.decide(0);
        house.pass(20s);
      },
      [](AtmHouse& house) {
        EXPECT_EQ(house.unload(the_id).unloaded().amount().minor_units(), 700'00);
        house.bank.decide(0);
        house.pass(20s);
        EXPECT_EQ(house.bank.state.cash["atm-1"], 0);
        EXPECT_EQ(house.balance(), 100);
        expect_all_accounted_for(house);
        return house.really_inside();
      },
      {.whole = 0, .after_crashes = {0}});
}

}  // namespace
}  // namespace atm
