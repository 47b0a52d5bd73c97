// What the operator may decide of a hold whose terminal does not know what it paid.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

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
      const std::uint64_t raised = fresh.must(Suspend{.hold = hold, .planned = planned}).ledger_seq;
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
    EXPECT_EQ(ask(Suspend{.hold = hold, .planned = planned}), "malformed") << planned;
  }
  EXPECT_EQ(ask(Suspend{.hold = hold, .amount = Cents{5}}), "malformed") << "of what?";
  EXPECT_EQ(ask(Suspend{.hold = hold, .planned = "1000x5"}), "yes");
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

}  // namespace
}  // namespace ledger
