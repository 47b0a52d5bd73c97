// What the operator may decide of a hold whose terminal does not know what it paid.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ledger/planned_notes.h"
#include "ledger_fixture.h"

namespace ledger {
namespace {

using SuspenseTest = LedgerTest;

TEST_F(SuspenseTest, WhatTheOperatorDecidesIsAnAmountThatTheNotesInQuestionMake) {
  const std::map<std::string, std::vector<std::int64_t>> notes = {
      {"3x2000", {0, 20'00, 40'00, 60'00}},
      {"1x5000,1x1000", {0, 10'00, 50'00, 60'00}},
      {"2x2500,2x500", {0, 5'00, 10'00, 25'00, 30'00, 35'00, 50'00, 55'00, 60'00}}};
  for (const auto& [planned, payable] : notes) {
    for (std::int64_t paid = 0; paid <= 60'00; paid += 2'50) {
      Bank fresh;
      fresh.open_jane();
      const OperationId hold = fresh.held(60'00);
      const Suspend suspend{.hold = hold, .currency = eur, .planned = planned};
      const std::uint64_t raised = fresh.must(suspend).ledger_seq;
      const Outcome decided = fresh.ask(
          ResolveException{.exception_seq = raised, .paid = Cents{paid}, .reason = "seen"});
      const bool makes = std::ranges::find(payable, paid) != payable.end();
      ASSERT_EQ(decided.has_value(), makes) << planned << " " << paid;
      if (makes) continue;
      EXPECT_EQ(decided.error().field, "paid");
      EXPECT_EQ(decided.error().fault, ShapeFault::unpayable);
      EXPECT_EQ(decided.error().left->amount,
                Cents{*std::prev(std::ranges::upper_bound(payable, paid))});
    }
  }
}

TEST_F(SuspenseTest, NotesThatCannotBeAreMalformed) {
  const OperationId hold = bank.held(60'00);
  for (const char* planned :
       {"x", "3", "3x", "x2000", "0x2000", "3x0", "-1x5", "1x5,", "1x5,,1x5", "1x5 ", "1001x5",
        "1x1,1x100001", "600x5,600x5", "1x99999999999999999999", "99999999999x1"}) {
    EXPECT_EQ(ask(Suspend{.hold = hold, .currency = eur, .planned = planned}), "malformed")
        << planned;
  }
  EXPECT_EQ(ask(Suspend{.hold = hold, .planned = "3x2000"}), "malformed") << "of what?";
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = eur}), "amount_must_be_positive");
  EXPECT_EQ(ask(Suspend{.hold = hold, .amount = Cents{5}}), "malformed") << "of what?";
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = eur, .planned = "1000x5"}), "yes");
}

TEST_F(SuspenseTest, OfAHoldInAnotherCurrencyNothingIsSuspended) {
  const OperationId hold = bank.held(60'00);
  const Currency yen = Currency::of("JPY");
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = yen, .planned = "3x2000"}), "currency_mismatch");
  EXPECT_EQ(ask(Suspend{.hold = hold, .amount = Cents{60'00}, .currency = yen}),
            "currency_mismatch");
  EXPECT_EQ(bank.books().find_hold(hold)->state, HoldState::held);
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = eur, .planned = "3x2000"}), "yes");
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = yen, .planned = "3x2000"}), "currency_mismatch")
      << "a second time, too";
}

// Its check waits for nobody, and every commit waits for it.
TEST_F(SuspenseTest, TheMostNotesOfTheMostKindsAreDecidedAndMoreAreMalformed) {
  std::string kinds;
  for (std::uint32_t size = 1; size < planned_kinds_max; ++size) {
    kinds += "1x" + std::to_string(size) + ",";
  }
  const std::uint32_t others = planned_notes_max - planned_kinds_max + 1;
  const std::string most = kinds + std::to_string(others) + "x101";
  const OperationId hold = bank.held(60'00);
  EXPECT_EQ(ask(Suspend{.hold = hold, .currency = eur, .planned = most + ",1x102"}), "malformed");
  EXPECT_EQ(ask(Suspend{.hold = hold,
                        .currency = eur,
                        .planned = kinds + "1x101," + std::to_string(others - 1) + "x101"}),
            "malformed")
      << "a kind that is named twice counts twice";
  const std::uint64_t raised =
      bank.must(Suspend{.hold = hold, .currency = eur, .planned = most}).ledger_seq;
  // 59 x 101 and 40 of the small ones.
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{59'99}, .reason = "seen"}),
            "yes");
}

TEST_F(SuspenseTest, TheMostUnitsAreDecided) {
  const OperationId hold = bank.held(60'00);
  const std::uint64_t raised =
      bank.must(Suspend{.hold = hold, .currency = eur, .planned = "998x100,1x99,1x101"}).ledger_seq;
  const Outcome no =
      bank.ask(ResolveException{.exception_seq = raised, .paid = Cents{55'50}, .reason = "seen"});
  ASSERT_FALSE(no.has_value());
  EXPECT_EQ(no.error().left->amount, Cents{55'01});
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{54'99}, .reason = "seen"}),
            "yes");
}

TEST_F(SuspenseTest, TheExceptionOfALostSuspensionSaysHowMuchIsInQuestion) {
  EXPECT_EQ(ask(Suspend{.hold = bank.next_id(),
                        .terminal = "t1",
                        .amount = Cents{20'00},
                        .currency = Currency::of("EUR")}),
            "hold_not_found");
  EXPECT_EQ(only_exception().amount, Cents{20'00});
  EXPECT_EQ(only_exception().currency, Currency::of("EUR"));
}

TEST_F(SuspenseTest, ARefusedDepositIsListedIfItsNotesWereKept) {
  const OperationId out = bank.held(100'00);
  bank.must(Bank::capture(out, 100'00));
  bank.must(Close{.account = "jane"});
  EXPECT_EQ(ask(Bank::deposit(20'00)), "account_closed");
  EXPECT_TRUE(bank.books().exceptions().empty()) << "The customer gets them back.";
  Post kept = Bank::deposit(20'00);
  kept.kept = true;
  EXPECT_EQ(ask(kept), "account_closed");
  EXPECT_EQ(only_exception().kind, ExceptionKind::refused_cash);
  EXPECT_EQ(only_exception().account, "jane");
  EXPECT_EQ(only_exception().evidence, "the deposit was refused: the account is closed");
}

}  // namespace
}  // namespace ledger
