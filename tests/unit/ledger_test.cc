// The rules of money.md, as sentences.
#include "ledger/ledger.h"

#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "ledger_fixture.h"

namespace ledger {
namespace {

// --- Double entry ---

TEST_F(LedgerTest, ATransferMovesMoneyFromOneAccountToAnother) {
  bank.open("john", 0);
  const Receipt receipt = bank.must(Bank::transfer("jane", "john", 30'00));
  EXPECT_EQ(receipt.balance, Cents{70'00});
  EXPECT_EQ(bank.balance("jane"), 70'00);
  EXPECT_EQ(bank.balance("john"), 30'00);
}

TEST_F(LedgerTest, EveryMovementHasItsSourceAndItsTarget) {
  EXPECT_EQ(bank.balance("equity:eur"), 1000'00 - 100'00);
  EXPECT_EQ(bank.balance("cash:t1"), -1000'00);
  bank.must(Bank::deposit(20'00));
  EXPECT_EQ(bank.balance("cash:t1"), -1020'00);
  EXPECT_EQ(bank.balance("jane"), 120'00);
  const OperationId hold = bank.held(50'00);
  bank.must(Bank::capture(hold, 50'00));
  EXPECT_EQ(bank.balance("cash:t1"), -970'00);
  bank.must(Post{.kind = TransferKind::unload_cash,
                 .amount = Cents{970'00},
                 .currency = eur,
                 .terminal = "t1"});
  EXPECT_EQ(bank.balance("cash:t1"), 0);
}

TEST_F(LedgerTest, OnlyCustomersAreCheckedForFunds) {
  EXPECT_EQ(ask(Bank::transfer("jane", "jane2", 1)), "account_not_found");
  bank.open("john", 0);
  EXPECT_EQ(ask(Bank::transfer("john", "jane", 1)), "insufficient_funds");
  EXPECT_EQ(ask(Post{.kind = TransferKind::unload_cash,
                     .amount = Cents{9999'00},
                     .currency = eur,
                     .terminal = "t1"}),
            "yes");
}

TEST_F(LedgerTest, AvailableIsBalanceLessHoldsPlusOverdraft) {
  bank.must(SetOverdraft{.account = "jane", .overdraft = Cents{20'00}});
  bank.held(30'00);
  EXPECT_EQ(bank.available("jane"), 90'00);
  EXPECT_EQ(ask(Bank::hold(90'01)), "insufficient_funds");
  EXPECT_EQ(ask(Bank::hold(90'00)), "yes");
  EXPECT_EQ(bank.available("jane"), 0);
}

TEST_F(LedgerTest, ARefusalForFundsTellsWhatIsLeft) {
  const Outcome outcome = bank.ask(Bank::hold(200'00));
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().left, (Money{Cents{100'00}, eur}));
  EXPECT_EQ(describe(outcome.error()), "The account does not have that much: 100.00 EUR is left.");
}

// --- Idempotency ---

TEST_F(LedgerTest, ARetryGetsTheFirstAnswerWordForWord) {
  bank.open("john", 0);
  const OperationId id = bank.next_id();
  Outcome first = bank.ask(Bank::transfer("jane", "john", 100'00), id);
  bank.must(Bank::transfer("john", "jane", 50'00));
  Outcome again = bank.ask(Bank::transfer("jane", "john", 100'00), id);
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->replayed);
  again->replayed = false;
  EXPECT_EQ(*again, *first);
  EXPECT_EQ(bank.balance("jane"), 50'00);
}

TEST_F(LedgerTest, ARetryIsAnsweredWhenTheAccountWasEmptiedAndClosed) {
  bank.open("john", 10'00);
  const OperationId id = bank.next_id();
  EXPECT_EQ(ask(Bank::transfer("john", "jane", 10'00), id), "yes");
  bank.must(Close{.account = "john"});
  EXPECT_EQ(ask(Bank::transfer("john", "jane", 10'00), id), "yes");
  EXPECT_EQ(ask(Bank::transfer("john", "jane", 10'00)), "account_closed");
}

TEST_F(LedgerTest, ARefusalIsPinnedToItsId) {
  const OperationId id = bank.next_id();
  EXPECT_EQ(ask(Bank::hold(200'00), id), "insufficient_funds");
  bank.must(
      Post{.kind = TransferKind::fund, .target = "jane", .amount = Cents{500'00}, .currency = eur});
  const Outcome again = bank.ask(Bank::hold(200'00), id);
  ASSERT_FALSE(again.has_value());
  EXPECT_TRUE(again.error().replayed);
  EXPECT_EQ(again.error().left, (Money{Cents{100'00}, eur}));
  EXPECT_EQ(ask(Bank::hold(200'00)), "yes");
}

TEST_F(LedgerTest, ARefusalForShapeOrDeadlineLeavesTheIdUnused) {
  const OperationId id = bank.next_id();
  EXPECT_EQ(ask(Bank::hold(0), id), "amount_must_be_positive");
  bank.now.clock = async::Instant(1h);
  Operation late{.id = id,
                 .principal = "atm-1",
                 .deadline = Deadline::at(bank.now.clock),
                 .change = Bank::hold(10'00)};
  EXPECT_EQ(word(bank.answer(late).outcome), "deadline_passed");
  late.deadline = Deadline::at(bank.now.clock + 1ns);
  EXPECT_EQ(word(bank.answer(late).outcome), "yes");
  late.deadline = Deadline::at(bank.now.clock);
  EXPECT_EQ(word(bank.answer(late).outcome), "yes") << "the first answer, whatever the deadline";
}

TEST_F(LedgerTest, AnIdUsedWithOtherFieldsIsRefusedByTheFirstThatDiffers) {
  const OperationId id = bank.held(10'00);
  const auto difference = [&](Change change) {
    const Outcome outcome = bank.ask(std::move(change), id);
    EXPECT_EQ(word(outcome), "id_used_with_other_fields");
    return outcome.has_value() ? "" : outcome.error().field;
  };
  Hold other = Bank::hold(11'00);
  EXPECT_EQ(difference(other), "amount");
  other.card = "4000000000000010";
  EXPECT_EQ(difference(other), "card_number");
  other = Bank::hold(10'00);
  other.terminal = "t2";
  EXPECT_EQ(difference(other), "terminal_id");
  other = Bank::hold(10'00);
  other.currency = usd;
  EXPECT_EQ(difference(other), "currency");
  EXPECT_EQ(difference(Bank::hold(10'00, 61s)), "time_to_live_ms");
  EXPECT_EQ(difference(Bank::transfer("jane", "john", 10'00)), "kind");
}

TEST_F(LedgerTest, AnIdBelongsToThePrincipalThatUsedItFirst) {
  const OperationId id = bank.held(10'00);
  EXPECT_EQ(ask(Bank::hold(10'00), id, "atm-2"), "id_belongs_to_another");
  EXPECT_EQ(ask(Resolve{}, id, "atm-2"), "id_belongs_to_another");
  EXPECT_EQ(ask(Void{.hold = id}, bank.next_id(), "atm-2"), "id_belongs_to_another");
  EXPECT_EQ(ask(Bank::capture(id, 10'00), bank.next_id(), "atm-2"), "id_belongs_to_another");
  EXPECT_EQ(bank.available("jane"), 90'00);
}

TEST_F(LedgerTest, AReplayChangesNothingAndIsNotJournalled) {
  const OperationId id = bank.held(10'00);
  const std::uint64_t last = bank.books().last_seq();
  const Outcome again = bank.ask(Bank::hold(10'00), id);
  EXPECT_EQ(again->ledger_seq, last);
  EXPECT_EQ(bank.books().last_seq(), last);
  EXPECT_TRUE(bank.last_batch.empty());
}

// --- Resolve and fences ---

TEST_F(LedgerTest, ResolveTellsWhatHappened) {
  const OperationId id = bank.held(10'00);
  const Answer answer = bank.answer(Resolve{}, id);
  EXPECT_FALSE(answer.fenced);
  ASSERT_TRUE(answer.outcome.has_value());
  EXPECT_EQ(answer.outcome->available, Cents{90'00});

  const OperationId refused = bank.next_id();
  EXPECT_EQ(ask(Bank::hold(999'00), refused), "insufficient_funds");
  EXPECT_EQ(ask(Resolve{}, refused), "insufficient_funds");
}

TEST_F(LedgerTest, ResolveFencesAnIdThatWasNeverSeen) {
  const OperationId id = bank.next_id();
  const Answer fence = bank.answer(Resolve{}, id);
  EXPECT_TRUE(fence.fenced);
  EXPECT_EQ(ask(Bank::hold(10'00), id), "id_fenced");
  const Answer again = bank.answer(Resolve{}, id);
  EXPECT_TRUE(again.fenced);
  EXPECT_EQ(again.outcome->ledger_seq, fence.outcome->ledger_seq);
  EXPECT_EQ(bank.available("jane"), 100'00);
}

TEST_F(LedgerTest, AFenceIsToldToEverybodyWhoeverAskedForIt) {
  const OperationId id = bank.next_id();
  EXPECT_TRUE(bank.answer(Resolve{}, id, "operator").fenced);
  EXPECT_TRUE(bank.answer(Resolve{}, id).fenced);
  EXPECT_EQ(ask(Bank::hold(10'00), id), "id_fenced");
  EXPECT_TRUE(bank.must(Void{.hold = id, .terminal = "t1"}).hold_was_unknown);
}

TEST_F(LedgerTest, AVoidOfAHoldThatNeverArrivedFencesIt) {
  const OperationId hold = bank.next_id();
  const OperationId id = bank.next_id();
  const Receipt receipt = bank.ask(Void{.hold = hold, .terminal = "t1"}, id).value();
  EXPECT_TRUE(receipt.hold_was_unknown);
  EXPECT_EQ(receipt.ledger_seq, bank.books().last_seq());
  ASSERT_EQ(bank.last_batch.records.size(), 2U) << "the fence and the void";
  EXPECT_EQ(bank.last_batch.records[0].operation.id, hold);
  EXPECT_EQ(ask(Bank::hold(10'00), hold), "id_fenced");
  const Outcome again = bank.ask(Void{.hold = hold, .terminal = "t1"}, id);
  EXPECT_EQ(again->ledger_seq, receipt.ledger_seq);
  EXPECT_TRUE(bank.must(Void{.hold = hold, .terminal = "t1"}).hold_was_unknown);
}

TEST_F(LedgerTest, AVoidOfARefusedHoldIsGrantedBecauseNothingIsHeld) {
  const OperationId hold = bank.next_id();
  EXPECT_EQ(ask(Bank::hold(999'00), hold), "insufficient_funds");
  EXPECT_EQ(ask(Void{.hold = hold}), "yes");
  EXPECT_TRUE(bank.books().exceptions().empty());
}

// --- Holds end once ---

TEST_F(LedgerTest, ACaptureMovesWhatWasPaidAndReleasesTheRest) {
  const OperationId hold = bank.held(60'00);
  const Receipt receipt = bank.must(Bank::capture(hold, 20'00));
  EXPECT_EQ(receipt.balance, Cents{80'00});
  EXPECT_EQ(receipt.available, Cents{80'00});
  EXPECT_EQ(ask(Bank::capture(hold, 20'00)), "hold_already_captured");
  EXPECT_EQ(ask(Void{.hold = hold}), "hold_already_captured");
}

TEST_F(LedgerTest, AVoidReleasesTheHold) {
  const OperationId hold = bank.held(60'00);
  EXPECT_EQ(bank.must(Void{.hold = hold}).available, Cents{100'00});
  EXPECT_EQ(ask(Bank::capture(hold, 20'00)), "hold_already_voided");
  EXPECT_EQ(ask(Void{.hold = hold}), "hold_already_voided");
}

TEST_F(LedgerTest, ACaptureOfMoreThanWasHeldIsRefused) {
  const OperationId hold = bank.held(60'00);
  EXPECT_EQ(ask(Bank::capture(hold, 60'01)), "capture_exceeds_hold");
  EXPECT_EQ(ask(Bank::capture(hold, 60'00)), "yes");
}

TEST_F(LedgerTest, ACaptureOfWhatIsNoHoldIsRefusedAndListed) {
  EXPECT_EQ(ask(Bank::capture(bank.next_id(), 5'00)), "hold_not_found");
  EXPECT_EQ(only_exception().kind, ExceptionKind::refused_cash);
  EXPECT_EQ(only_exception().terminal, "t1");
  EXPECT_EQ(only_exception().amount, Cents{5'00});
}

// As after an old backup: whose money went out only the ATM can still say.
TEST_F(LedgerTest, ACaptureOrASuspensionOfALostHoldNamesTheAccountAndTheReceipt) {
  const OperationId receipt = bank.next_id();
  EXPECT_EQ(ask(Capture{.hold = bank.next_id(),
                        .terminal = "t1",
                        .amount = Cents{5'00},
                        .currency = eur,
                        .card = Bank::janes_card,
                        .receipt = receipt,
                        .evidence = "5.00 EUR"}),
            "hold_not_found");
  EXPECT_EQ(only_exception().account, "jane");
  EXPECT_EQ(only_exception().receipt, receipt);
  EXPECT_EQ(only_exception().evidence, "the capture was refused: there is no such hold: 5.00 EUR");
  bank.must(ResolveException{.exception_seq = only_exception().ledger_seq, .reason = "taken"});
  const OperationId another = bank.next_id();
  EXPECT_EQ(ask(Suspend{.hold = bank.next_id(),
                        .terminal = "t1",
                        .evidence = "jammed",
                        .card = Bank::janes_card,
                        .receipt = another}),
            "hold_not_found");
  const ExceptionEntry& suspended = bank.books().exceptions().rbegin()->second;
  EXPECT_EQ(suspended.account, "jane");
  EXPECT_EQ(suspended.receipt, another);
  EXPECT_EQ(suspended.evidence, "the suspension was refused: there is no such hold: jammed");
}

TEST_F(LedgerTest, WhatATerminalSaysOfAHoldThatIsKnownIsNotWrittenDown) {
  const Capture said{.hold = bank.held(60'00),
                     .terminal = "t1",
                     .amount = Cents{60'00},
                     .currency = eur,
                     .card = Bank::janes_card,
                     .receipt = bank.next_id(),
                     .evidence = "60.00 EUR, at noon"};
  bank.must(said);
  const auto& kept = std::get<Capture>(bank.last_batch.records.back().operation.change);
  EXPECT_TRUE(kept.card.empty());
  EXPECT_FALSE(kept.receipt.has_value());
  EXPECT_TRUE(kept.evidence.empty());
}

TEST_F(LedgerTest, CapturesAndVoidsAskNeitherForFreezeNorForLimitsNorForFunds) {
  const OperationId first = bank.held(60'00);
  const OperationId second = bank.held(40'00);
  bank.must(Freeze{.account = "jane"});
  limit({.withdrawal_max = Cents{1}, .daily_amount_max = Cents{1}, .daily_count_max = 1});
  bank.must(BlockCard{.card = Bank::janes_card});
  bank.must(SetTerminalService{.terminal = "t1", .in_service = false});
  EXPECT_EQ(ask(Bank::hold(1)), "account_frozen");
  EXPECT_EQ(ask(Bank::capture(first, 60'00)), "yes");
  EXPECT_EQ(ask(Void{.hold = second}), "yes");
}

TEST_F(LedgerTest, AnotherTerminalsHoldCannotBeEnded) {
  const OperationId hold = bank.held(60'00);
  Capture capture = Bank::capture(hold, 60'00);
  capture.terminal = "t2";
  EXPECT_EQ(ask(capture), "hold_not_found");
  EXPECT_EQ(ask(Void{.hold = hold, .terminal = "t2"}), "hold_not_found");
  EXPECT_EQ(bank.available("jane"), 40'00);
}

// --- Expiry and suspension ---

TEST_F(LedgerTest, ExpiryFreesTheMoneyAndEndsNothing) {
  const OperationId hold = bank.held(60'00, 10s);
  bank.pass(9'999'999us);
  EXPECT_EQ(ask(Bank::hold(60'00)), "insufficient_funds");
  bank.pass(1us);
  EXPECT_EQ(ask(Bank::hold(60'00)), "yes");
  EXPECT_EQ(bank.books().find_hold(hold)->state, HoldState::expired);
  EXPECT_EQ(ask(Close{.account = "jane"}), "account_has_holds");
}

TEST_F(LedgerTest, ALateCaptureStillPostsAndIsListed) {
  const OperationId hold = bank.held(60'00, 10s);
  bank.pass(10s);
  bank.held(100'00);
  EXPECT_EQ(ask(Bank::capture(hold, 60'00)), "yes");
  EXPECT_EQ(bank.balance("jane"), 40'00);
  EXPECT_EQ(bank.available("jane"), -60'00);
  EXPECT_EQ(only_exception().kind, ExceptionKind::late_capture);
  EXPECT_EQ(only_exception().hold, hold);
}

TEST_F(LedgerTest, ALateCaptureTakesItsLimitWithoutAsking) {
  limit({.daily_amount_max = Cents{70'00}, .daily_count_max = 2});
  const OperationId hold = bank.held(60'00, 10s);
  EXPECT_EQ(bank.card().usage.amount, Cents{60'00});
  bank.pass(10s);
  bank.held(50'00);
  EXPECT_EQ(bank.card().usage.amount, Cents{50'00}) << "expiry gave the first back";
  EXPECT_EQ(bank.card().usage.count, 1U);
  EXPECT_EQ(ask(Bank::capture(hold, 40'00)), "yes");
  EXPECT_EQ(bank.card().usage.amount, Cents{90'00});
  EXPECT_EQ(bank.card().usage.count, 2U);
}

TEST_F(LedgerTest, AVoidOfAnExpiredHoldGivesNothingBackTwice) {
  const OperationId hold = bank.held(60'00, 10s);
  bank.pass(10s);
  EXPECT_EQ(bank.must(Void{.hold = hold}).available, Cents{100'00});
  EXPECT_EQ(bank.card().usage.amount, Cents{0});
  EXPECT_EQ(bank.card().usage.count, 0U);
}

TEST_F(LedgerTest, SuspendLiftsTheExpiry) {
  const OperationId hold = bank.held(60'00, 10s);
  bank.must(Suspend{.hold = hold, .terminal = "t1", .evidence = "jammed"});
  bank.pass(24h);
  EXPECT_EQ(ask(Bank::hold(50'00)), "insufficient_funds");
  EXPECT_EQ(only_exception().kind, ExceptionKind::suspended_hold);
  EXPECT_EQ(only_exception().evidence, "jammed");
  EXPECT_EQ(only_exception().account, "jane");
}

TEST_F(LedgerTest, SuspendReservesExpiredMoneyAgainEvenBelowTheLimit) {
  const OperationId hold = bank.held(60'00, 10s);
  bank.pass(10s);
  bank.held(100'00);
  bank.must(Suspend{.hold = hold});
  EXPECT_EQ(bank.available("jane"), -60'00);
}

TEST_F(LedgerTest, ASecondSuspendRaisesNoSecondException) {
  const OperationId hold = bank.held(60'00);
  bank.must(Suspend{.hold = hold, .terminal = "t1", .evidence = "jammed"});
  bank.must(Suspend{.hold = hold, .terminal = "t1", .evidence = "jammed, and then it answered"});
  EXPECT_EQ(only_exception().evidence, "jammed, and then it answered");
  bank.must(Suspend{.hold = hold});
  EXPECT_EQ(only_exception().evidence, "jammed, and then it answered") << "nothing new was told";
  EXPECT_EQ(bank.books().exceptions().size(), 1U);
}

TEST_F(LedgerTest, TheOperatorDecidesWhatASuspendedHoldPaid) {
  const OperationId hold = bank.held(60'00);
  const std::uint64_t raised = bank.must(Suspend{.hold = hold}).ledger_seq;
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised}), "malformed");
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{60'01}}),
            "capture_exceeds_hold");
  EXPECT_EQ(
      ask(ResolveException{.exception_seq = raised, .paid = Cents{20'00}, .reason = "counted"}),
      "yes");
  EXPECT_EQ(bank.balance("jane"), 80'00);
  EXPECT_EQ(bank.available("jane"), 80'00);
  EXPECT_TRUE(only_exception().resolved);
  EXPECT_EQ(only_exception().resolution, "counted");
  EXPECT_EQ(bank.books().recent_transfers().back().reason, "counted");
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{0}}),
            "exception_already_resolved");
  EXPECT_EQ(ask(Bank::capture(hold, 1)), "hold_already_captured");
}

TEST_F(LedgerTest, TheOperatorReleasesASuspendedHoldByNothingPaid) {
  const OperationId hold = bank.held(60'00);
  const std::uint64_t raised = bank.must(Suspend{.hold = hold}).ledger_seq;
  bank.must(ResolveException{.exception_seq = raised, .paid = Cents{0}});
  EXPECT_EQ(bank.available("jane"), 100'00);
  EXPECT_EQ(bank.card().usage.amount, Cents{0});
  EXPECT_EQ(ask(Bank::capture(hold, 1)), "hold_already_voided");
}

TEST_F(LedgerTest, ATerminalThatLearnsTheTruthEndsItsSuspendedHoldItself) {
  const OperationId hold = bank.held(60'00);
  const std::uint64_t raised = bank.must(Suspend{.hold = hold}).ledger_seq;
  bank.must(Bank::capture(hold, 60'00));
  EXPECT_TRUE(only_exception().resolved);
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{0}}),
            "exception_already_resolved");
}

TEST_F(LedgerTest, OtherExceptionsAreResolvedByAReasonAlone) {
  EXPECT_EQ(ask(Bank::capture(bank.next_id(), 5'00)), "hold_not_found");
  const std::uint64_t raised = only_exception().ledger_seq;
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .paid = Cents{0}}), "malformed");
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised, .reason = "counted by hand"}), "yes");
  EXPECT_EQ(ask(ResolveException{.exception_seq = raised + 1000}), "exception_not_found");
}

TEST_F(LedgerTest, ARefusedTransferIsNoException) {
  EXPECT_EQ(ask(Bank::hold(999'00)), "insufficient_funds");
  EXPECT_EQ(ask(Bank::transfer("jane", "nobody", 1)), "account_not_found");
  EXPECT_TRUE(bank.books().exceptions().empty());
}

// --- The order of checks ---

// One account, card and terminal at which everything is wrong at once; mending one thing after the other shows the order.
TEST_F(LedgerTest, TheFirstCheckThatAppliesIsTheAnswer) {
  const OperationId used = bank.next_id();
  EXPECT_EQ(ask(Bank::hold(3), used), "yes");
  bank.must(SetTerminalService{.terminal = "t1", .in_service = false});
  bank.must(BlockCard{.card = Bank::janes_card});
  bank.must(Freeze{.account = "jane"});
  limit({.withdrawal_max = Cents{1}, .daily_amount_max = Cents{1}, .daily_count_max = 1});
  bank.now.clock = async::Instant(1h);

  Operation operation{.id = used,
                      .principal = "atm-2",
                      .deadline = Deadline::at(async::Instant(1s)),
                      .change = Bank::hold(0)};
  Hold& hold = std::get<Hold>(operation.change);
  hold.card = "nobody's";
  hold.terminal = "t2";
  hold.currency = usd;
  const auto answer = [&] {
    const std::string said = word(bank.answer(operation).outcome);
    // A pinned refusal uses the id up; the next step asks with another.
    if (!bank.last_batch.empty()) operation.id = bank.next_id();
    return said;
  };
  EXPECT_EQ(answer(), "amount_must_be_positive");
  hold.amount = Cents{500'00};
  EXPECT_EQ(answer(), "id_belongs_to_another");
  operation.principal = "atm-1";
  EXPECT_EQ(answer(), "id_used_with_other_fields");
  operation.id = bank.next_id();
  EXPECT_EQ(answer(), "deadline_passed");
  operation.deadline = Deadline::never();
  EXPECT_EQ(answer(), "card_not_found");
  hold.card = Bank::janes_card;
  EXPECT_EQ(answer(), "terminal_not_found");
  hold.terminal = "t1";
  EXPECT_EQ(answer(), "account_frozen");
  bank.must(Unfreeze{.account = "jane"});
  EXPECT_EQ(answer(), "card_blocked");
  bank.must(UnblockCard{.card = Bank::janes_card});
  EXPECT_EQ(answer(), "terminal_out_of_service");
  bank.must(SetTerminalService{.terminal = "t1", .in_service = true});
  EXPECT_EQ(answer(), "currency_mismatch");
  hold.currency = eur;
  EXPECT_EQ(answer(), "withdrawal_limit");
  limit({.daily_amount_max = Cents{1}, .daily_count_max = 1});
  EXPECT_EQ(answer(), "daily_amount_limit");
  limit({.daily_count_max = 1});
  EXPECT_EQ(answer(), "daily_count_limit");
  limit({});
  EXPECT_EQ(answer(), "insufficient_funds");
  hold.amount = Cents{90'00};
  EXPECT_EQ(answer(), "yes");
}

}  // namespace
}  // namespace ledger
