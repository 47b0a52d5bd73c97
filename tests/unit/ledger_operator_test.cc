// The rules of limits, accounts, cards, reversals and of what makes no sense, as sentences.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "ledger/ledger.h"
#include "ledger_fixture.h"

namespace ledger {
namespace {

// --- Limits ---

TEST_F(LedgerTest, TheLargestWithdrawalIsCheckedAndTold) {
  limit({.withdrawal_max = Cents{50'00}});
  const Outcome outcome = bank.ask(Bank::hold(50'01));
  EXPECT_EQ(word(outcome), "withdrawal_limit");
  EXPECT_EQ(outcome.error().left, (Money{Cents{50'00}, eur}));
  EXPECT_EQ(ask(Bank::hold(50'00)), "yes");
}

TEST_F(LedgerTest, TheDailyAmountIsCheckedAndWhatIsLeftIsTold) {
  limit({.daily_amount_max = Cents{50'00}});
  bank.held(30'00);
  const Outcome outcome = bank.ask(Bank::hold(20'01));
  EXPECT_EQ(word(outcome), "daily_amount_limit");
  EXPECT_EQ(outcome.error().left, (Money{Cents{20'00}, eur}));
  EXPECT_EQ(ask(Bank::hold(20'00)), "yes");
  bank.next_day();
  EXPECT_EQ(ask(Bank::hold(20'00)), "yes");
}

TEST_F(LedgerTest, TheDailyCountIsCheckedAndWhatIsLeftIsTold) {
  limit({.daily_count_max = 2});
  bank.held(1'00);
  bank.held(1'00);
  const Outcome outcome = bank.ask(Bank::hold(1'00));
  EXPECT_EQ(word(outcome), "daily_count_limit");
  EXPECT_EQ(outcome.error().left_count, 0U);
  bank.next_day();
  EXPECT_EQ(ask(Bank::hold(1'00)), "yes");
}

TEST_F(LedgerTest, AVoidGivesAmountAndCountBack) {
  limit({.daily_amount_max = Cents{50'00}, .daily_count_max = 1});
  const OperationId hold = bank.held(50'00);
  bank.must(Void{.hold = hold});
  EXPECT_EQ(ask(Bank::hold(50'00)), "yes");
}

TEST_F(LedgerTest, APartialCaptureGivesTheAmountBackButNotTheCount) {
  limit({.daily_amount_max = Cents{50'00}, .daily_count_max = 2});
  const OperationId hold = bank.held(50'00);
  bank.must(Bank::capture(hold, 20'00));
  EXPECT_EQ(bank.card().usage.amount, Cents{20'00});
  EXPECT_EQ(bank.card().usage.count, 1U);
}

TEST_F(LedgerTest, WhatIsGivenBackGoesToTheDayItWasTakenFrom) {
  limit({.daily_amount_max = Cents{50'00}});
  const OperationId yesterdays = bank.held(50'00, std::chrono::hours(48));
  bank.next_day();
  bank.held(50'00);
  bank.must(Void{.hold = yesterdays});
  EXPECT_EQ(bank.card().usage.amount, Cents{50'00});
  EXPECT_EQ(ask(Bank::hold(1)), "daily_amount_limit");
}

TEST_F(LedgerTest, AReplacementInheritsLimitsAndWhatWasTakenOfThem) {
  limit({.daily_amount_max = Cents{50'00}});
  const OperationId hold = bank.held(50'00);
  bank.must(
      ReplaceCard{.old_card = Bank::janes_card, .new_card = "4000000000000028", .pin_hash = "x"});
  Hold next = Bank::hold(10'00);
  EXPECT_EQ(ask(next), "card_blocked");
  next.card = "4000000000000028";
  EXPECT_EQ(ask(next), "daily_amount_limit");
  bank.must(Void{.hold = hold});
  EXPECT_EQ(ask(next), "yes") << "the old card's void gave back to the new card";
  EXPECT_EQ(ask(UnblockCard{.card = Bank::janes_card}), "card_replaced");
}

// --- Accounts ---

TEST_F(LedgerTest, FrozenRefusesWhatGoesOutAndTakesWhatComesIn) {
  bank.open("john", 10'00);
  bank.must(Freeze{.account = "jane"});
  EXPECT_EQ(ask(Bank::hold(1)), "account_frozen");
  EXPECT_EQ(ask(Bank::transfer("jane", "john", 1)), "account_frozen");
  EXPECT_EQ(ask(Adjust{.source = "jane", .target = "john", .amount = Cents{1}, .currency = eur}),
            "account_frozen");
  EXPECT_EQ(ask(Bank::transfer("john", "jane", 1)), "yes");
  EXPECT_EQ(ask(Bank::deposit(5'00)), "yes");
  bank.must(Unfreeze{.account = "jane"});
  EXPECT_EQ(ask(Bank::hold(1)), "yes");
}

TEST_F(LedgerTest, ClosingNeedsAnEmptyAccountWithoutHolds) {
  const OperationId hold = bank.held(100'00);
  EXPECT_EQ(ask(Close{.account = "jane"}), "account_has_holds");
  bank.must(Bank::capture(hold, 60'00));
  EXPECT_EQ(ask(Close{.account = "jane"}), "account_not_empty");
  const OperationId rest = bank.held(40'00);
  bank.must(Bank::capture(rest, 40'00));
  EXPECT_EQ(ask(Close{.account = "jane"}), "yes");
  EXPECT_EQ(ask(Close{.account = "jane"}), "account_closed");
  EXPECT_EQ(
      ask(Post{.kind = TransferKind::fund, .target = "jane", .amount = Cents{1}, .currency = eur}),
      "account_closed");
}

TEST_F(LedgerTest, TheBanksOwnAccountsAreNotACustomers) {
  EXPECT_EQ(ask(OpenAccount{.account = "cash:x", .currency = eur}), "malformed");
  EXPECT_EQ(ask(Freeze{.account = "cash:t1"}), "account_of_wrong_kind");
  EXPECT_EQ(ask(Bank::transfer("equity:eur", "jane", 1)), "account_of_wrong_kind");
  EXPECT_EQ(ask(Bank::transfer("jane", "equity:eur", 1)), "account_of_wrong_kind");
  EXPECT_EQ(ask(Adjust{.source = "equity:eur",
                       .target = "jane",
                       .amount = Cents{1},
                       .currency = eur,
                       .reason = "gift"}),
            "yes");
}

TEST_F(LedgerTest, NoBooksAreMadeInACurrencyThatThereIsNot) {
  const Currency none = Currency::of("ERU");
  EXPECT_EQ(ask(OpenAccount{.account = "zed", .currency = none}), "malformed");
  EXPECT_EQ(ask(AddTerminal{.terminal = "t2", .currency = none}), "malformed");
  EXPECT_EQ(bank.books().totals().size(), 1U);
}

TEST_F(LedgerTest, MoneyOfAnotherCurrencyIsRefused) {
  bank.must(OpenAccount{.account = "dollars", .currency = usd});
  EXPECT_EQ(ask(Bank::transfer("jane", "dollars", 1)), "currency_mismatch");
  Hold dollars = Bank::hold(1);
  dollars.currency = usd;
  EXPECT_EQ(ask(dollars), "currency_mismatch");
  EXPECT_EQ(bank.books().totals().size(), 2U);
}

TEST_F(LedgerTest, WhatExistsIsNotMadeTwice) {
  EXPECT_EQ(ask(OpenAccount{.account = "jane", .currency = eur}), "account_already_exists");
  EXPECT_EQ(ask(AddTerminal{.terminal = "t1", .currency = eur}), "terminal_already_exists");
  EXPECT_EQ(ask(IssueCard{.card = Bank::janes_card, .account = "jane", .pin_hash = "x"}),
            "card_already_exists");
}

// --- Cards and PINs ---

TEST_F(LedgerTest, TheThirdWrongPinLocksTheCard) {
  const RecordPinAttempt wrong{.card = Bank::janes_card, .right = false};
  EXPECT_EQ(bank.must(wrong).tries_left, 2U);
  EXPECT_EQ(bank.must(wrong).tries_left, 1U);
  EXPECT_EQ(bank.must(wrong).tries_left, 0U);
  EXPECT_EQ(ask(wrong), "pin_tries_exceeded");
  EXPECT_EQ(ask(RecordPinAttempt{.card = Bank::janes_card, .right = true}), "pin_tries_exceeded");
  EXPECT_EQ(ask(Bank::hold(1)), "card_blocked");
  bank.must(UnblockCard{.card = Bank::janes_card});
  EXPECT_EQ(bank.must(wrong).tries_left, 2U);
}

TEST_F(LedgerTest, ARightPinForgetsTheWrongOnesAndIsJournalledOnlyThen) {
  const RecordPinAttempt right{.card = Bank::janes_card, .right = true};
  bank.must(RecordPinAttempt{.card = Bank::janes_card, .right = false});
  EXPECT_EQ(bank.must(right).tries_left, 3U);
  EXPECT_FALSE(bank.last_batch.empty());
  EXPECT_EQ(bank.must(right).tries_left, 3U);
  EXPECT_TRUE(bank.last_batch.empty());
}

TEST_F(LedgerTest, RefusedPinAttemptsAreNotPinned) {
  EXPECT_EQ(ask(RecordPinAttempt{.card = "4999999999999999", .right = false}), "card_not_found");
  EXPECT_TRUE(bank.last_batch.empty());
}

TEST_F(LedgerTest, AChangeOfPinWithAWrongOldOneCountsOnce) {
  const OperationId id = bank.next_id();
  const SetPin wrong{
      .card = Bank::janes_card, .terminal = "t1", .pin_hash = "new", .old_pin = OldPin::wrong};
  Outcome outcome = bank.ask(wrong, id);
  EXPECT_EQ(word(outcome), "pin_wrong");
  EXPECT_EQ(outcome.error().left_count, 2U);
  outcome = bank.ask(wrong, id);
  EXPECT_EQ(word(outcome), "pin_wrong");
  EXPECT_EQ(bank.card().pin_tries_left(), 2U);
  EXPECT_EQ(bank.card().pin_hash, "hash");
}

TEST_F(LedgerTest, AChangeOfPinIsAnsweredAgainAlthoughItsOldPinIsWrongByNow) {
  const OperationId id = bank.next_id();
  SetPin change{.card = Bank::janes_card, .terminal = "t1", .pin_hash = "new"};
  EXPECT_EQ(ask(change, id), "yes");
  change.old_pin = OldPin::wrong;
  change.pin_hash = "new, with another salt";
  EXPECT_EQ(ask(change, id), "yes");
  EXPECT_EQ(bank.card().pin_hash, "new");
  EXPECT_EQ(bank.card().wrong_pins, 0U);
}

TEST_F(LedgerTest, ABlockedCardMovesNothingOutButTakesDeposits) {
  bank.open("john", 0);
  bank.must(BlockCard{.card = Bank::janes_card});
  EXPECT_EQ(ask(Bank::hold(1)), "card_blocked");
  EXPECT_EQ(
      ask(Post{.target = "john", .amount = Cents{1}, .currency = eur, .card = Bank::janes_card}),
      "card_blocked");
  EXPECT_EQ(ask(Bank::deposit(1)), "yes");
}

TEST_F(LedgerTest, ATransferByCardGoesToAnotherAccount) {
  EXPECT_EQ(
      ask(Post{.target = "jane", .amount = Cents{1}, .currency = eur, .card = Bank::janes_card}),
      "accounts_must_differ");
  EXPECT_TRUE(bank.last_batch.empty());
  bank.open("john", 0);
  EXPECT_EQ(bank.must(Post{.target = "john",
                           .amount = Cents{1},
                           .currency = eur,
                           .card = Bank::janes_card,
                           .terminal = "t1"})
                .balance,
            Cents{99'99});
}

TEST_F(LedgerTest, ATerminalOutOfServiceHoldsNothing) {
  bank.must(SetTerminalService{.terminal = "t1", .in_service = false});
  EXPECT_EQ(ask(Bank::hold(1)), "terminal_out_of_service");
  EXPECT_EQ(ask(Bank::deposit(1)), "yes") << "the cash is in already";
}

// --- Adjust and reverse ---

TEST_F(LedgerTest, AReversalTakesATransferBackWholeAndOnce) {
  bank.open("john", 0);
  const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 30'00)).ledger_seq;
  bank.must(Reverse{.transfer_seq = moved, .reason = "wrong account"});
  EXPECT_EQ(bank.balance("jane"), 100'00);
  EXPECT_EQ(bank.balance("john"), 0);
  EXPECT_EQ(ask(Reverse{.transfer_seq = moved}), "already_reversed");
  EXPECT_EQ(ask(Reverse{.transfer_seq = moved + 1000}), "transfer_not_found");
}

TEST_F(LedgerTest, AReversalOfMoneyThatWasSpentIsRefused) {
  bank.open("john", 0);
  const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 30'00)).ledger_seq;
  bank.must(Bank::transfer("john", "jane", 30'00));
  EXPECT_EQ(ask(Reverse{.transfer_seq = moved}), "insufficient_funds");
}

// Its notes are where they are: the terminal's cash account would say otherwise.
TEST_F(LedgerTest, AMovementOfCashIsNotTakenBack) {
  const auto cash = [](TransferKind kind) {
    return Post{.kind = kind, .amount = Cents{5'00}, .currency = eur, .terminal = "t1"};
  };
  const std::uint64_t raised =
      bank.must(Suspend{.hold = bank.held(2'00), .evidence = "jammed"}).ledger_seq;
  const std::vector<std::uint64_t> moved = {
      bank.must(Bank::capture(bank.held(10'00), 10'00)).ledger_seq,
      bank.must(ResolveException{.exception_seq = raised, .paid = Cents{1'00}}).ledger_seq,
      bank.must(Bank::deposit(3'00)).ledger_seq,
      bank.must(cash(TransferKind::load_cash)).ledger_seq,
      bank.must(cash(TransferKind::unload_cash)).ledger_seq};
  const std::int64_t inside = bank.balance("cash:t1");
  for (const bool is_old : {false, true}) {
    if (is_old) bank.project();
    for (const std::uint64_t seq : moved) {
      EXPECT_EQ(ask(Reverse{.transfer_seq = seq}), "cash_has_moved") << seq;
    }
  }
  EXPECT_EQ(bank.balance("cash:t1"), inside);
  const Adjust by_hand{
      .source = "cash:t1", .target = "equity:eur", .amount = Cents{8'00}, .currency = eur};
  const std::uint64_t adjusted = bank.must(by_hand).ledger_seq;
  EXPECT_EQ(ask(Reverse{.transfer_seq = adjusted}), "yes") << "No note moved for it.";
}

TEST_F(LedgerTest, AnOldTransferIsFoundInHistoryAndReversed) {
  bank.open("john", 0);
  const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 30'00)).ledger_seq;
  bank.project();
  EXPECT_TRUE(bank.books().recent_transfers().empty());
  bank.must(Reverse{.transfer_seq = moved});
  EXPECT_EQ(bank.balance("jane"), 100'00);
}

// --- Large amounts ---

TEST_F(LedgerTest, AnAmountOfAMillionBillionsIsHeldAndMoved) {
  constexpr std::int64_t amount = 1'000'000'000'000'000'000;
  bank.open("rich", amount);
  bank.open("poor", 0);
  bank.must(Bank::transfer("rich", "poor", amount));
  EXPECT_EQ(bank.balance("poor"), amount);
}

TEST_F(LedgerTest, WhatDoesNotFitIsRefusedAndNothingWraps) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(
      ask(Post{
          .kind = TransferKind::fund, .target = "jane", .amount = Cents{most}, .currency = eur}),
      "balance_overflow");
  EXPECT_EQ(ask(SetOverdraft{.account = "jane", .overdraft = Cents{most}}), "balance_overflow");
  EXPECT_EQ(ask(SetOverdraft{.account = "jane", .overdraft = Cents{most - 100'00}}), "yes");
  EXPECT_EQ(
      ask(Post{.kind = TransferKind::fund, .target = "jane", .amount = Cents{1}, .currency = eur}),
      "balance_overflow");
  const OperationId first = bank.held(most - 200'00, 10s);
  bank.pass(10s);
  const OperationId second = bank.held(most - 200'00, 10s);
  bank.pass(10s);
  EXPECT_EQ(ask(Suspend{.hold = first}), "yes");
  EXPECT_EQ(ask(Suspend{.hold = second}), "balance_overflow");
  EXPECT_EQ(ask(Bank::capture(first, most - 200'00)), "yes");
  EXPECT_EQ(ask(Bank::capture(second, most - 200'00)), "balance_overflow");
  EXPECT_EQ(ask(Void{.hold = second}), "yes");
}

TEST_F(LedgerTest, SumsOverAllAccountsDoNotWrapEither) {
  constexpr std::int64_t half = std::numeric_limits<std::int64_t>::max() / 2 + 1;
  EXPECT_EQ(ask(OpenAccount{.account = "a", .currency = usd}), "yes");
  EXPECT_EQ(ask(OpenAccount{.account = "b", .currency = usd}), "yes");
  const auto fund = [&](const char* account) {
    return ask(Post{
        .kind = TransferKind::fund, .target = account, .amount = Cents{half}, .currency = usd});
  };
  EXPECT_EQ(fund("a"), "yes");
  EXPECT_EQ(fund("b"), "balance_overflow");
}

// --- Shape ---

TEST_F(LedgerTest, AMalformedOperationNamesItsField) {
  const auto field = [&](Change change) {
    const Outcome outcome = bank.ask(std::move(change));
    EXPECT_EQ(word(outcome), "malformed");
    return outcome.has_value() ? "" : outcome.error().field;
  };
  EXPECT_EQ(field(OpenAccount{.account = "Jane", .currency = eur}), "account_id");
  EXPECT_EQ(field(OpenAccount{.account = std::string(65, 'a'), .currency = eur}), "account_id");
  EXPECT_EQ(field(OpenAccount{.account = "a"}), "currency");
  EXPECT_EQ(field(OpenAccount{.account = "a", .currency = eur, .overdraft = Cents{-1}}),
            "overdraft");
  EXPECT_EQ(
      field(Hold{.card = Bank::janes_card, .terminal = "t1", .amount = Cents{1}, .currency = eur}),
      "time_to_live_ms");
  EXPECT_EQ(field(Bank::hold(1, std::chrono::hours(24 * 8))), "time_to_live_ms");
  EXPECT_EQ(field(Capture{.amount = Cents{1}, .currency = eur}), "hold_id");
  EXPECT_EQ(field(Post{.kind = TransferKind::withdrawal}), "kind");
  EXPECT_EQ(field(ExpireHold{}), "kind");
  EXPECT_EQ(field(IssueCard{.card = "123", .account = "jane", .pin_hash = "x"}), "card_number");
  EXPECT_EQ(field(AddTerminal{.terminal = std::string(60, 't'), .currency = eur}), "terminal_id");
  EXPECT_EQ(word(bank.ask(Bank::hold(1), OperationId())), "malformed");
  EXPECT_EQ(word(bank.ask(Bank::hold(1), bank.next_id(), "")), "malformed");
}

TEST_F(LedgerTest, TimesToLiveNamesAndReasonsGoExactlyAsFarAsTheWireSays) {
  bank.open("john", 0);
  EXPECT_EQ(ask(Bank::hold(1, std::chrono::milliseconds(604'800'000))), "yes");
  EXPECT_EQ(ask(Bank::hold(1, std::chrono::milliseconds(604'800'001))), "malformed");
  for (const std::string& name : {std::string(59, 't'), std::string("a_b.c:d-1")}) {
    EXPECT_EQ(ask(AddTerminal{.terminal = name, .currency = eur}), "yes") << name;
  }
  for (const std::string& name : {std::string(60, 't'), std::string(), std::string("T1"),
                                  std::string("t 1"), std::string("t/1")}) {
    EXPECT_EQ(ask(AddTerminal{.terminal = name, .currency = eur}), "malformed") << name;
  }
  const auto adjust = [&](std::size_t reason_size) {
    return ask(Adjust{.source = "jane",
                      .target = "john",
                      .amount = Cents{1},
                      .currency = eur,
                      .reason = std::string(reason_size, 'x')});
  };
  EXPECT_EQ(adjust(1024), "yes");
  EXPECT_EQ(adjust(1025), "malformed");
}

// --- How the operator names a card ---

TEST_F(LedgerTest, ACardIsNamedByItsNumberItsIdOrItsAccountAndLastDigits) {
  bank.open("john", 0);
  bank.must(IssueCard{.card = "4000000000000028", .account = "john", .pin_hash = "x"});
  for (const char* name : {"4000000000000028", "card-2", "john/0028"}) {
    bank.must(BlockCard{.card = name, .reason = "lost"});
    EXPECT_EQ(bank.books().find_card("4000000000000028")->state, CardState::blocked) << name;
    bank.must(UnblockCard{.card = name, .reason = "found"});
    EXPECT_EQ(bank.books().find_card("4000000000000028")->state, CardState::active) << name;
    bank.must(SetCardLimits{.card = name, .daily_count_max = 3});
  }
  EXPECT_EQ(bank.card().state, CardState::active) << "Jane's was never meant.";
  for (const char* name :
       {"card-0", "card-3", "card-02", "card-", "card-2x", "card-99999999999999999999", "john/0002",
        "john/028", "john/40000028", "john/", "john", "/0028", "mia/0028"}) {
    EXPECT_EQ(ask(BlockCard{.card = name}), "card_not_found") << name;
  }
}

TEST_F(LedgerTest, TwoCardsThatEndAlikeMustBeNamedByTheirIds) {
  bank.must(IssueCard{.card = "5000000000000002", .account = "jane", .pin_hash = "x"});
  const OperationId refused = bank.next_id();
  EXPECT_EQ(ask(BlockCard{.card = "jane/0002"}, refused), "card_not_unique");
  bank.must(ReplaceCard{.old_card = "card-2", .new_card = "6000000000000002", .pin_hash = "x"});
  EXPECT_EQ(ask(BlockCard{.card = "jane/0002"}), "card_not_unique");
  bank.must(ReplaceCard{.old_card = "card-3", .new_card = "7000000000000001", .pin_hash = "x"});
  bank.must(BlockCard{.card = "jane/0002"});
  EXPECT_EQ(bank.card().state, CardState::blocked) << "The others are replaced and count no more.";
  EXPECT_EQ(ask(BlockCard{.card = "jane/0002"}, refused), "card_not_unique") << "It is pinned.";
}

TEST_F(LedgerTest, ARetryOfABlockIsTheSameWhateverItsNameMeansByThen) {
  const OperationId id = bank.next_id();
  EXPECT_EQ(ask(BlockCard{.card = "jane/0002"}, id), "yes");
  bank.must(IssueCard{.card = "5000000000000002", .account = "jane", .pin_hash = "x"});
  const Outcome again = bank.ask(BlockCard{.card = "jane/0002"}, id);
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(again->replayed);
  EXPECT_EQ(bank.books().find_card("5000000000000002")->state, CardState::active);
}

// --- What the rules say of edges ---

TEST_F(LedgerTest, AClosedAccountCanBeNeitherFrozenNorUnfrozenNorClosedAgain) {
  bank.open("john", 0);
  bank.must(Freeze{.account = "john"});
  bank.must(Close{.account = "john"});
  EXPECT_EQ(ask(Freeze{.account = "john"}), "account_closed");
  EXPECT_EQ(ask(Unfreeze{.account = "john"}), "account_closed");
  EXPECT_EQ(ask(Close{.account = "john"}), "account_closed");
}

TEST_F(LedgerTest, AReversalCanBeReversedOnceAsAnyTransferCan) {
  bank.open("john", 0);
  const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 30'00)).ledger_seq;
  const std::uint64_t back = bank.must(Reverse{.transfer_seq = moved}).ledger_seq;
  const std::uint64_t again = bank.must(Reverse{.transfer_seq = back}).ledger_seq;
  EXPECT_EQ(bank.balance("john"), 30'00);
  EXPECT_EQ(ask(Reverse{.transfer_seq = moved}), "already_reversed")
      << "It was, whatever came later.";
  EXPECT_EQ(ask(Reverse{.transfer_seq = back}), "already_reversed");
  EXPECT_EQ(bank.books().recent_transfers().find(again)->reverses, back);
}

TEST_F(LedgerTest, AnExpiryGivesTheLimitsBack) {
  limit({.daily_amount_max = Cents{60'00}, .daily_count_max = 1});
  bank.held(60'00, 10s);
  EXPECT_EQ(ask(Bank::hold(1)), "daily_amount_limit");
  bank.pass(10s);
  EXPECT_EQ(ask(Bank::hold(60'00)), "yes");
}

TEST_F(LedgerTest, ALoadsReceiptShowsTheTerminalsCashAccount) {
  const Post load{
      .kind = TransferKind::load_cash, .amount = Cents{50'00}, .currency = eur, .terminal = "t1"};
  const Receipt receipt = bank.must(load);
  EXPECT_EQ(receipt.balance, Cents{-1050'00});
  EXPECT_EQ(receipt.balance.value, bank.balance("cash:t1"));
}

TEST_F(LedgerTest, NotesThatAreInsideAreCreditedWhateverIsOutOfUseButNotToAClosedAccount) {
  bank.must(SetTerminalService{.terminal = "t1", .in_service = false});
  bank.must(Freeze{.account = "jane"});
  bank.must(BlockCard{.card = Bank::janes_card});
  EXPECT_EQ(ask(Bank::deposit(1)), "yes");
  bank.must(UnblockCard{.card = Bank::janes_card});
  bank.must(Unfreeze{.account = "jane"});
  for (int wrong = 0; wrong < 3; ++wrong) {
    bank.must(RecordPinAttempt{.card = Bank::janes_card, .right = false});
  }
  EXPECT_EQ(ask(Bank::deposit(1)), "yes");
  bank.must(
      ReplaceCard{.old_card = Bank::janes_card, .new_card = "4000000000000028", .pin_hash = "x"});
  EXPECT_EQ(ask(Bank::deposit(1)), "yes");
  bank.open("john", 0);
  bank.must(Bank::transfer("jane", "john", 100'03));
  bank.must(Close{.account = "jane"});
  Post kept = Bank::deposit(1);
  kept.kept = true;
  EXPECT_EQ(ask(kept), "account_closed");
  EXPECT_EQ(only_exception().account, "jane");
}

TEST_F(LedgerTest, ASecondSuspendBringsNewEvidenceAndNothingElse) {
  const OperationId hold = bank.held(60'00);
  bank.must(Suspend{.hold = hold, .terminal = "t1", .evidence = "a jam"});
  bank.must(Suspend{.hold = hold, .terminal = "t1", .evidence = "a feeling"});
  EXPECT_EQ(only_exception().evidence, "a feeling");
  EXPECT_EQ(bank.account("jane").held, Cents{60'00});
}

}  // namespace
}  // namespace ledger
