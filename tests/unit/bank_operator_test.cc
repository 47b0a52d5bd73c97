// What the operator gets from the bank.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class BankOperatorTest : public BankTest {
 protected:
  BankOperatorTest() { open_doors(); }

  // Reads a list to its end, `size` entries at a time, and counts the pages.
  template <typename Response, typename Request, typename Take>
  int read_all(Request request, std::uint32_t size, Take take) {
    request.set_page_size(size);
    int pages = 0;
    do {
      const Response response = bank.answer<Response>(request);
      take(response);
      request.set_page_token(response.next_page_token());
      ++pages;
    } while (!request.page_token().empty() && pages < 1000);
    return pages;
  }
  std::vector<std::string> account_ids(std::uint32_t size) {
    std::vector<std::string> ids;
    read_all<v1::ListAccountsResponse>(v1::ListAccountsRequest(), size, [&](const auto& page) {
      EXPECT_LE(page.accounts_size(), static_cast<int>(size));
      for (const v1::Account& account : page.accounts()) ids.push_back(account.account_id());
    });
    return ids;
  }
  v1::AdjustResponse adjust(const std::string& from, const std::string& to, std::int64_t cents) {
    v1::AdjustRequest request;
    request.set_id(bank.next_id());
    request.set_source_account_id(from);
    request.set_target_account_id(to);
    *request.mutable_amount() = euros(cents);
    request.set_reason("goodwill");
    return bank.answer<v1::AdjustResponse>(request);
  }
  v1::ResolveExceptionRequest resolve_request(std::uint64_t exception_seq,
                                              std::optional<std::int64_t> paid) {
    v1::ResolveExceptionRequest request;
    request.set_id(bank.next_id());
    request.set_exception_seq(exception_seq);
    if (paid) *request.mutable_paid() = euros(*paid);
    request.set_reason("counted the cassettes");
    return request;
  }
  std::vector<v1::ExceptionView> exceptions(bool with_resolved = false) {
    v1::ListExceptionsRequest request;
    request.set_with_resolved(with_resolved);
    std::vector<v1::ExceptionView> found;
    read_all<v1::ListExceptionsResponse>(request, 1, [&](const auto& page) {
      for (const auto& exception : page.exceptions()) found.push_back(exception);
    });
    return found;
  }
};

// --- Accounts ---

TEST_F(BankOperatorTest, AnAccountSaysHowItStands) {
  v1::SetOverdraftRequest overdraft;
  overdraft.set_account_id("jane");
  *overdraft.mutable_overdraft() = euros(50'00);
  EXPECT_EQ(change<v1::SetOverdraftResponse>(overdraft), "yes");
  held(30'00);
  const v1::Account jane = account("jane");
  EXPECT_EQ(jane.name(), "Jane Doe");
  EXPECT_EQ(jane.kind(), v1::ACCOUNT_KIND_CUSTOMER);
  EXPECT_EQ(jane.balance().minor_units(), 100'00);
  EXPECT_EQ(jane.held().minor_units(), 30'00);
  EXPECT_EQ(jane.overdraft().minor_units(), 50'00);
  EXPECT_EQ(jane.available().minor_units(), 120'00);
  EXPECT_FALSE(jane.frozen());
  EXPECT_EQ(freeze("jane"), "yes");
  EXPECT_TRUE(account("jane").frozen());
  v1::UnfreezeAccountRequest unfreeze;
  unfreeze.set_account_id("jane");
  EXPECT_EQ(change<v1::UnfreezeAccountResponse>(unfreeze), "yes");
  EXPECT_FALSE(account("jane").frozen());
  EXPECT_EQ(account("cash:atm-1").kind(), v1::ACCOUNT_KIND_CASH);
  EXPECT_EQ(account("equity:eur").kind(), v1::ACCOUNT_KIND_EQUITY);

  v1::GetAccountRequest nobody;
  nobody.set_account_id("nobody");
  EXPECT_EQ(word(bank.answer<v1::GetAccountResponse>(nobody)), "ACCOUNT_NOT_FOUND");
}

TEST_F(BankOperatorTest, AccountsArePagedInTheOrderInWhichTheyWereOpened) {
  for (int i = 0; i < 20; ++i) open("z" + std::to_string(19 - i), 0);
  const std::vector<std::string> all = account_ids(200);
  EXPECT_EQ(all.size(), 24U);
  EXPECT_EQ(account_ids(1), all);
  EXPECT_EQ(account_ids(7), all);
  const auto newest = std::ranges::find(all, "z0");
  ASSERT_NE(newest, all.end());
  EXPECT_EQ(newest + 1, all.end());
}

TEST_F(BankOperatorTest, AnAccountOpenedWhileAListIsReadComesAtItsEnd) {
  v1::ListAccountsRequest request;
  request.set_page_size(3);
  const auto first = bank.answer<v1::ListAccountsResponse>(request);
  open("aaa", 0);
  std::vector<std::string> rest;
  request.set_page_token(first.next_page_token());
  read_all<v1::ListAccountsResponse>(request, 3, [&](const auto& page) {
    for (const v1::Account& account : page.accounts()) rest.push_back(account.account_id());
  });
  EXPECT_EQ(rest.back(), "aaa");
  EXPECT_EQ(rest.size(), 2U);
}

TEST_F(BankOperatorTest, ListsRefuseWhatTheyDidNotSay) {
  v1::ListAccountsRequest accounts;
  accounts.set_page_size(201);
  EXPECT_EQ(bank.code<v1::ListAccountsResponse>(accounts), rpc::StatusCode::invalid_argument);
  accounts.set_page_size(1);
  v1::ListCardsRequest cards;
  cards.set_page_token(bank.answer<v1::ListAccountsResponse>(accounts).next_page_token());
  EXPECT_EQ(bank.code<v1::ListCardsResponse>(cards), rpc::StatusCode::invalid_argument);
  v1::ListHoldsRequest holds;
  holds.set_page_token("1");
  EXPECT_EQ(bank.code<v1::ListHoldsResponse>(holds), rpc::StatusCode::invalid_argument);
  v1::ListTransfersRequest transfers;
  transfers.set_account_id("nobody");
  EXPECT_EQ(bank.code<v1::ListTransfersResponse>(transfers), rpc::StatusCode::not_found);
}

// --- Cards and terminals ---

TEST_F(BankOperatorTest, CardNumbersAreMaskedAndListedForAnAccount) {
  issue("4000000000000051", "jane", "8642");
  v1::ListCardsRequest request;
  request.set_account_id("jane");
  std::vector<std::string> masked;
  read_all<v1::ListCardsResponse>(request, 1, [&](const auto& page) {
    for (const v1::Card& card : page.cards()) {
      EXPECT_EQ(card.account_id(), "jane");
      EXPECT_EQ(card.pin_tries_left(), 3U);
      EXPECT_EQ(page.DebugString().find("argon2"), std::string::npos);
      masked.push_back(card.masked_number());
    }
  });
  EXPECT_EQ(masked, (std::vector<std::string>{"************0010", "************0051"}));
}

TEST_F(BankOperatorTest, ALimitOfACardIsShown) {
  v1::SetCardLimitsRequest request;
  request.set_card_number(janes_card);
  *request.mutable_limits()->mutable_withdrawal_max() = euros(200'00);
  request.mutable_limits()->set_daily_count_max(4);
  EXPECT_EQ(change<v1::SetCardLimitsResponse>(request), "yes");
  const auto cards = bank.answer<v1::ListCardsResponse>(v1::ListCardsRequest());
  EXPECT_EQ(cards.cards(0).limits().withdrawal_max().minor_units(), 200'00);
  EXPECT_EQ(cards.cards(0).limits().daily_amount_max().minor_units(), 0);
  EXPECT_EQ(cards.cards(0).limits().daily_count_max(), 4U);
}

TEST_F(BankOperatorTest, LimitsThatAreNotNamedStay) {
  const auto limits = [this] {
    v1::GetCardRequest request;
    request.set_card_number(janes_card);
    const auto card = bank.answer<v1::GetCardResponse>(request).card();
    return std::vector<std::int64_t>{card.limits().withdrawal_max().minor_units(),
                                     card.limits().daily_amount_max().minor_units(),
                                     std::int64_t{card.limits().daily_count_max()}};
  };
  const auto set = [this](auto name_one) {
    v1::SetCardLimitsRequest request;
    request.set_card_number(janes_card);
    name_one(*request.mutable_limits());
    return change<v1::SetCardLimitsResponse>(request);
  };
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(limits(), (List{0, 0, 0}));
  EXPECT_EQ(set([](auto& named) { *named.mutable_withdrawal_max() = euros(200'00); }), "yes");
  EXPECT_EQ(set([](auto& named) { *named.mutable_daily_amount_max() = euros(500'00); }), "yes");
  EXPECT_EQ(set([](auto& named) { named.set_daily_count_max(4); }), "yes");
  EXPECT_EQ(limits(), (List{200'00, 500'00, 4}));
  EXPECT_EQ(set([](auto& named) { *named.mutable_withdrawal_max() = euros(0); }), "yes");
  EXPECT_EQ(set([](auto& named) { named.set_daily_count_max(0); }), "yes");
  EXPECT_EQ(limits(), (List{0, 500'00, 0}));
  EXPECT_EQ(set([](auto&) {}), "MALFORMED");
  EXPECT_EQ(limits(), (List{0, 500'00, 0}));
}

TEST_F(BankOperatorTest, OneCardAndOneExceptionCanBeLookedUp) {
  v1::GetCardRequest card;
  card.set_card_number("4999999999999999");
  EXPECT_EQ(word(bank.answer<v1::GetCardResponse>(card)), "CARD_NOT_FOUND");
  card.set_card_number(janes_card);
  EXPECT_EQ(bank.answer<v1::GetCardResponse>(card).card().masked_number(), "************0010");
  v1::GetExceptionRequest exception;
  exception.set_exception_seq(1);
  EXPECT_EQ(word(bank.answer<v1::GetExceptionResponse>(exception)), "EXCEPTION_NOT_FOUND");
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend_request(held(60'00)))), "yes");
  exception.set_exception_seq(exceptions()[0].exception_seq());
  const auto found = bank.answer<v1::GetExceptionResponse>(exception).exception();
  EXPECT_EQ(found.amount().minor_units(), 60'00);
  EXPECT_EQ(found.amount().currency(), "EUR");
}

TEST_F(BankOperatorTest, WhatWasPaidIsInTheHoldsCurrency) {
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend_request(held(60'00)))), "yes");
  v1::ResolveExceptionRequest request =
      resolve_request(exceptions()[0].exception_seq(), std::int64_t{40'00});
  request.mutable_paid()->set_currency("JPY");
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(request)), "CURRENCY_MISMATCH");
  request.mutable_paid()->clear_currency();
  request.set_id(bank.next_id());
  EXPECT_EQ(bank.answer<v1::ResolveExceptionResponse>(request).refusal().field(), "paid");
  EXPECT_EQ(balance("jane"), 100'00);
}

TEST_F(BankOperatorTest, TheBankSaysWhatItsBooksAreIn) {
  const auto ask = [this] { return bank.answer<v1::GetBankResponse>(v1::GetBankRequest()); };
  EXPECT_EQ(ask().currency(), "EUR");
  EXPECT_EQ(ask().minor_digits(), 2U);
  v1::OpenAccountRequest open;
  open.set_account_id("kenji");
  open.set_currency("JPY");
  EXPECT_EQ(change<v1::OpenAccountResponse>(open), "yes");
  // It must be named from now on.
  EXPECT_EQ(ask().currency(), "");
  EXPECT_FALSE(ask().has_minor_digits()) << "Of which?";
  EXPECT_EQ(ask().currencies_size(), 2);
}

TEST_F(BankOperatorTest, TerminalsSayHowMuchCashTheyHold) {
  add_terminal("atm-2");
  bank.answer<v1::DepositResponse>(deposit_request(20'00));
  std::vector<std::string> lines;
  read_all<v1::ListTerminalsResponse>(v1::ListTerminalsRequest(), 1, [&](const auto& page) {
    const v1::Terminal& terminal = page.terminals(0);
    lines.push_back(terminal.terminal_id() + " " + terminal.cash_account_id() + " " +
                    std::to_string(terminal.cash().minor_units()));
  });
  EXPECT_EQ(lines, (std::vector<std::string>{"atm-1 cash:atm-1 2000", "atm-2 cash:atm-2 0"}));
}

TEST_F(BankOperatorTest, AnIssuedCardIsIssuedOnce) {
  const v1::IssueCardRequest request = issue_request("4000000000000069", "jane", "8642");
  const auto first = bank.answer<v1::IssueCardResponse>(request);
  const auto again = bank.answer<v1::IssueCardResponse>(request);
  EXPECT_TRUE(again.done().replayed());
  EXPECT_EQ(again.done().ledger_seq(), first.done().ledger_seq());
}

// --- The books ---

TEST_F(BankOperatorTest, TheTrialBalanceIsZero) {
  withdraw(20'00);
  held(10'00);
  const auto books = bank.answer<v1::GetTrialBalanceResponse>(v1::GetTrialBalanceRequest());
  ASSERT_EQ(books.currencies_size(), 1);
  const v1::TrialBalance& euro = books.currencies(0);
  EXPECT_EQ(euro.customers().minor_units(), 580'00);
  EXPECT_EQ(euro.cash().minor_units(), 20'00);
  EXPECT_EQ(euro.equity().minor_units(), -600'00);
  EXPECT_EQ(euro.sum().minor_units(), 0);
  EXPECT_EQ(euro.held().minor_units(), 10'00);
  EXPECT_EQ(books.chain_head(), to_bytes(bank.memory.head().hash));
}

TEST_F(BankOperatorTest, WhatIsAdjustedCanBeTakenBack) {
  const auto adjusted = adjust("jane", "john", 10'00);
  ASSERT_EQ(word(adjusted), "yes");
  EXPECT_EQ(balance("jane"), 90'00);
  v1::ReverseRequest reverse;
  reverse.set_transfer_seq(adjusted.done().ledger_seq());
  reverse.set_reason("wrong Jane");
  EXPECT_EQ(change<v1::ReverseResponse>(reverse), "yes");
  EXPECT_EQ(balance("jane"), 100'00);

  v1::ListTransfersRequest request;
  request.set_account_id("jane");
  const auto transfers = bank.answer<v1::ListTransfersResponse>(request);
  EXPECT_EQ(transfers.transfers(0).kind(), "reversal");
  EXPECT_EQ(transfers.transfers(0).reason(), "wrong Jane");
  EXPECT_EQ(transfers.transfers(1).kind(), "adjustment");
  EXPECT_EQ(transfers.transfers(1).source_account_id(), "jane");
  EXPECT_EQ(transfers.transfers(1).target_account_id(), "john");
  EXPECT_EQ(transfers.transfers(1).amount().minor_units(), 10'00);
}

TEST_F(BankOperatorTest, TransfersArePagedNewestFirst) {
  for (int i = 1; i <= 30; ++i) bank.answer<v1::DepositResponse>(deposit_request(i));
  bank.loop.advance(1s);  // Most of them into the tables.
  for (const char* of : {"", "jane"}) {
    v1::ListTransfersRequest request;
    request.set_account_id(of);
    std::vector<std::uint64_t> numbers;
    read_all<v1::ListTransfersResponse>(request, 7, [&](const auto& page) {
      for (const auto& transfer : page.transfers()) numbers.push_back(transfer.ledger_seq());
    });
    EXPECT_EQ(numbers.size(), *of == '\0' ? 32U : 31U);
    EXPECT_TRUE(std::ranges::is_sorted(numbers, std::greater<>()));
    EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), numbers.size());
  }
}

TEST_F(BankOperatorTest, APageThatWouldNotFitIntoAFrameEndsEarly) {
  for (int i = 0; i < 100; ++i) {
    v1::AdjustRequest request;
    request.set_id(bank.next_id());
    request.set_source_account_id("jane");
    request.set_target_account_id("john");
    *request.mutable_amount() = euros(1);
    request.set_reason(std::string(1024, 'x'));
    ASSERT_EQ(word(bank.answer<v1::AdjustResponse>(request)), "yes");
  }
  std::size_t count = 0;
  const int pages = read_all<v1::ListTransfersResponse>(
      v1::ListTransfersRequest(), 200,
      [&](const auto& page) { count += static_cast<std::size_t>(page.transfers_size()); });
  EXPECT_EQ(count, 102U);
  EXPECT_EQ(pages, 2);
}

TEST_F(BankOperatorTest, OpenHoldsAreListedAndEndedOnesAreNot) {
  const std::string open_one = held(10'00);
  const std::string ended = held(20'00);
  bank.answer<v1::VoidResponse>(void_request(ended));
  const std::string open_two = held(30'00);
  std::vector<std::string> ids;
  read_all<v1::ListHoldsResponse>(v1::ListHoldsRequest(), 1, [&](const auto& page) {
    for (const auto& hold : page.holds()) {
      EXPECT_EQ(hold.account_id(), "jane");
      EXPECT_EQ(hold.terminal_id(), "atm-1");
      EXPECT_EQ(hold.expires_at_us() - hold.made_at_us(), 60'000'000);
      ids.push_back(hold.hold_id());
    }
  });
  EXPECT_EQ(ids, (std::vector<std::string>{open_one, open_two}));
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend_request(open_one))), "yes");
  const auto listed = bank.answer<v1::ListHoldsResponse>(v1::ListHoldsRequest());
  EXPECT_EQ(listed.holds(0).expires_at_us(), 0) << "a suspended hold does not expire";
  EXPECT_NE(listed.holds(1).expires_at_us(), 0);
}

TEST_F(BankOperatorTest, TheOperatorResolvesChangesOfAnybody) {
  const v1::OpenAccountRequest made = open_request("mia");
  bank.answer<v1::OpenAccountResponse>(made);
  v1::ResolveChangeRequest request;
  request.set_id(made.id());
  EXPECT_TRUE(bank.answer<v1::ResolveChangeResponse>(request).has_executed());
  request.set_id(held(1'00));
  EXPECT_TRUE(bank.answer<v1::ResolveChangeResponse>(request).has_executed());
  const v1::OpenAccountRequest never = open_request("noah");
  request.set_id(never.id());
  EXPECT_TRUE(bank.answer<v1::ResolveChangeResponse>(request).has_fenced());
  EXPECT_EQ(word(bank.answer<v1::OpenAccountResponse>(never)), "ID_FENCED");
}

// --- A lost card ---

TEST_F(BankOperatorTest, ACardIsBlockedByWhatTheListShows) {
  v1::ListCardsRequest list;
  list.set_account_id("jane");
  const v1::Card shown = bank.answer<v1::ListCardsResponse>(list).cards(0);
  EXPECT_EQ(shown.card_id(), "card-1");
  EXPECT_EQ(shown.masked_number(), "************0010");
  const std::string proof = token();
  EXPECT_EQ(block(shown.card_id()), "yes");
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(proof)),
            rpc::StatusCode::unauthenticated)
      << "The token goes with the card, whatever it was called.";
  EXPECT_EQ(unblock("jane/0010"), "yes");
  EXPECT_EQ(block("jane/0011"), "CARD_NOT_FOUND");
  issue("5000000000000010", "jane", "2580");
  EXPECT_EQ(block("jane/0010"), "CARD_NOT_UNIQUE");
}

TEST_F(BankOperatorTest, ARetriedBlockLeavesWhatWasProvenSinceAlone) {
  v1::BlockCardRequest request;
  request.set_id(bank.next_id());
  request.set_card_number(janes_card);
  request.set_reason("lost");
  EXPECT_EQ(word(bank.answer<v1::BlockCardResponse>(request)), "yes");
  EXPECT_EQ(unblock(janes_card), "yes");
  const std::string proof = token();
  EXPECT_TRUE(bank.answer<v1::BlockCardResponse>(request).done().replayed());
  EXPECT_EQ(word(bank.answer<v1::GetBalanceResponse>(balance_request(proof))), "yes");
}

TEST_F(BankOperatorTest, ARetriedReplacementLeavesWhatWasProvenSinceAlone) {
  v1::ReplaceCardRequest request;
  request.set_id(bank.next_id());
  request.set_old_card_number("jane/0010");
  request.set_new_card_number("5000000000000010");
  request.set_pin("2580");
  request.set_reason("stolen");
  EXPECT_EQ(word(bank.answer<v1::ReplaceCardResponse>(request)), "yes");
  const v1::VerifyCardResponse verified = verify("2580", "5000000000000010");
  v1::GetBalanceRequest balance = balance_request(verified.verified().token());
  balance.set_card_number("5000000000000010");
  EXPECT_TRUE(bank.answer<v1::ReplaceCardResponse>(request).done().replayed());
  EXPECT_EQ(word(bank.answer<v1::GetBalanceResponse>(balance)), "yes")
      << "jane/0010 is the new card by now.";
}

// --- Exceptions ---

TEST_F(BankOperatorTest, ASuspendedHoldIsResolvedBySayingWhatWasPaid) {
  const std::string part = held(60'00);
  const std::string nothing = held(20'00);
  bank.answer<v1::SuspendResponse>(suspend_request(part));
  bank.answer<v1::SuspendResponse>(suspend_request(nothing));
  const std::vector<v1::ExceptionView> open = exceptions();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].kind(), v1::EXCEPTION_KIND_SUSPENDED_HOLD);
  EXPECT_EQ(open[0].hold_id(), part);
  EXPECT_EQ(open[0].amount().minor_units(), 60'00);
  EXPECT_EQ(open[0].evidence(), "jam after 2 notes");

  const auto unsaid = bank.answer<v1::ResolveExceptionResponse>(
      resolve_request(open[0].exception_seq(), std::nullopt));
  EXPECT_EQ(unsaid.refusal().field(), "paid");
  EXPECT_EQ(
      unsaid.refusal().message(),
      "Say what the customer got of the suspended hold: --paid AMOUNT, 0 if nothing was paid.");
  const auto too_much =
      bank.answer<v1::ResolveExceptionResponse>(resolve_request(open[0].exception_seq(), 60'01));
  EXPECT_EQ(word(too_much), "CAPTURE_EXCEEDS_HOLD");
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(
                resolve_request(open[0].exception_seq(), 40'00))),
            "yes");
  EXPECT_EQ(
      word(bank.answer<v1::ResolveExceptionResponse>(resolve_request(open[1].exception_seq(), 0))),
      "yes");
  EXPECT_EQ(balance("jane"), 60'00);
  EXPECT_EQ(account("jane").held().minor_units(), 0);
  EXPECT_EQ(hold_state(part).captured().minor_units(), 40'00);
  EXPECT_EQ(hold_state(nothing).state(), v1::HOLD_STATE_VOIDED);
  EXPECT_TRUE(exceptions().empty());
  ASSERT_EQ(exceptions(true).size(), 2U);
  EXPECT_TRUE(exceptions(true)[0].resolved());
  v1::GetExceptionRequest show;
  show.set_exception_seq(open[0].exception_seq());
  EXPECT_EQ(bank.answer<v1::GetExceptionResponse>(show).exception().paid().minor_units(), 40'00);
  show.set_exception_seq(open[1].exception_seq());
  const auto released = bank.answer<v1::GetExceptionResponse>(show).exception();
  EXPECT_TRUE(released.has_paid());
  EXPECT_EQ(released.paid().minor_units(), 0);
  EXPECT_EQ(released.paid().currency(), "EUR");
}

TEST_F(BankOperatorTest, ARefusedDepositOfNotesThatWereKeptIsAnException) {
  v1::DepositRequest request = deposit_request(20'00);
  request.set_card_number("4999999999999999");
  request.set_kept(true);
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(request)), "CARD_NOT_FOUND");
  const std::vector<v1::ExceptionView> open = exceptions();
  ASSERT_EQ(open.size(), 1U);
  EXPECT_EQ(open[0].kind(), v1::EXCEPTION_KIND_REFUSED_CASH);
  EXPECT_EQ(open[0].amount().minor_units(), 20'00);
  EXPECT_EQ(open[0].evidence(),
            "the deposit was refused: there is no such card: the card ends in 9999");
  const auto paid =
      bank.answer<v1::ResolveExceptionResponse>(resolve_request(open[0].exception_seq(), 20'00));
  EXPECT_EQ(paid.refusal().field(), "paid");
  EXPECT_EQ(
      paid.refusal().message(),
      "What was paid is said of a suspended hold alone: 0 or more, in its account's currency.");
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(
                resolve_request(open[0].exception_seq(), std::nullopt))),
            "yes");
}

TEST_F(BankOperatorTest, ABackupThatCannotBeMadeIsAnAnswer) {
  v1::BackupRequest request;
  EXPECT_EQ(bank.code<v1::BackupResponse>(request), rpc::StatusCode::invalid_argument);
  request.set_path("/nowhere/at/all");
  EXPECT_EQ(bank.code<v1::BackupResponse>(request), rpc::StatusCode::failed_precondition);
  EXPECT_EQ(word(fund("jane", 1)), "yes") << "The bank goes on.";
}

}  // namespace
}  // namespace bank
