// What an ATM gets from the bank.
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class BankServiceTest : public BankTest {
 protected:
  BankServiceTest() { open_doors(); }

  v1::SignOnRequest sign_on_request(std::uint64_t seen_seq = 0, std::string seen_head = "") {
    v1::SignOnRequest request;
    request.set_terminal_id("atm-1");
    request.set_seen_ledger_seq(seen_seq);
    request.set_seen_chain_head(std::move(seen_head));
    return request;
  }
  v1::SignedOn sign_on(std::uint64_t seen_seq = 0, std::string seen_head = "") {
    const auto request = sign_on_request(seen_seq, std::move(seen_head));
    return bank.answer<v1::SignOnResponse>(request).signed_on();
  }
  v1::ResolveResponse resolve(const std::string& id, const std::string& terminal = "atm-1") {
    v1::ResolveRequest request;
    request.set_terminal_id(terminal);
    request.set_id(id);
    return bank.answer<v1::ResolveResponse>(request);
  }
  v1::LoadCashResponse load(std::int64_t cents) {
    v1::LoadCashRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    *request.mutable_amount() = euros(cents);
    return bank.answer<v1::LoadCashResponse>(request);
  }
};

TEST_F(BankServiceTest, ACustomerTakesCash) {
  const v1::VerifyCardResponse verified = verify(janes_pin);
  ASSERT_EQ(word(verified), "yes");
  EXPECT_EQ(verified.verified().customer_name(), "Jane Doe");
  EXPECT_EQ(verified.verified().account_id(), "jane");
  EXPECT_EQ(verified.verified().currency(), "EUR");
  const std::string& token = verified.verified().token();

  const auto before = bank.answer<v1::GetBalanceResponse>(balance_request(token));
  EXPECT_EQ(before.balance().balance().minor_units(), 100'00);

  const v1::HoldRequest hold = hold_request(token, 60'00);
  const auto held = bank.answer<v1::HoldResponse>(hold);
  ASSERT_EQ(word(held), "yes");
  EXPECT_EQ(held.receipt().balance().balance().minor_units(), 100'00);
  EXPECT_EQ(held.receipt().balance().available().minor_units(), 40'00);

  const auto captured = bank.answer<v1::CaptureResponse>(capture_request(hold.id(), 60'00));
  ASSERT_EQ(word(captured), "yes");
  EXPECT_EQ(captured.receipt().balance().balance().minor_units(), 40'00);
  EXPECT_EQ(captured.receipt().balance().available().minor_units(), 40'00);

  const auto after = bank.answer<v1::GetBalanceResponse>(balance_request(token));
  EXPECT_EQ(after.balance().balance().minor_units(), 40'00);
  EXPECT_EQ(after.ledger_seq(), captured.receipt().ledger_seq());
  EXPECT_EQ(balance("cash:atm-1"), 60'00);
}

TEST_F(BankServiceTest, OfAHoldAPartCanBeCaptured) {
  const std::string hold_id = held(60'00);
  EXPECT_EQ(hold_state(hold_id).state(), v1::HOLD_STATE_HELD);
  const auto captured = bank.answer<v1::CaptureResponse>(capture_request(hold_id, 20'00));
  EXPECT_EQ(captured.receipt().balance().available().minor_units(), 80'00);
  const v1::HoldView view = hold_state(hold_id);
  EXPECT_EQ(view.state(), v1::HOLD_STATE_CAPTURED);
  EXPECT_EQ(view.amount().minor_units(), 60'00);
  EXPECT_EQ(view.captured().minor_units(), 20'00);
}

TEST_F(BankServiceTest, AVoidedHoldIsFreeAgain) {
  const std::string hold_id = held(60'00);
  const auto voided = bank.answer<v1::VoidResponse>(void_request(hold_id));
  ASSERT_EQ(word(voided), "yes");
  EXPECT_FALSE(voided.hold_was_unknown());
  EXPECT_EQ(voided.receipt().balance().available().minor_units(), 100'00);
  EXPECT_EQ(hold_state(hold_id).state(), v1::HOLD_STATE_VOIDED);
}

TEST_F(BankServiceTest, AHoldThatArrivesAfterItsVoidIsNeverMade) {
  const v1::HoldRequest late = hold_request(token(), 60'00);
  const auto voided = bank.answer<v1::VoidResponse>(void_request(late.id()));
  EXPECT_EQ(word(voided), "yes");
  EXPECT_TRUE(voided.hold_was_unknown());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(late)), "ID_FENCED");
  EXPECT_EQ(account("jane").held().minor_units(), 0);
}

TEST_F(BankServiceTest, ASuspendedHoldOutlivesItsTime) {
  const std::string hold_id = held(60'00);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend_request(hold_id))), "yes");
  bank.clock.ahead = 2min;
  bank.loop.advance(1s);
  EXPECT_EQ(hold_state(hold_id).state(), v1::HOLD_STATE_SUSPENDED);
  EXPECT_EQ(account("jane").held().minor_units(), 60'00);
}

TEST_F(BankServiceTest, AnExpiredHoldIsFreeAndItsCaptureStillPosts) {
  const std::string hold_id = held(60'00);
  bank.clock.ahead = 2min;
  bank.loop.advance(2min);
  EXPECT_EQ(hold_state(hold_id).state(), v1::HOLD_STATE_EXPIRED);
  EXPECT_EQ(account("jane").available().minor_units(), 100'00);
  EXPECT_EQ(word(bank.answer<v1::CaptureResponse>(capture_request(hold_id, 60'00))), "yes");
  EXPECT_EQ(balance("jane"), 40'00);
}

TEST_F(BankServiceTest, AHoldIsItsTerminalsOnly) {
  add_terminal("atm-2");
  const std::string hold_id = held(60'00);
  v1::GetHoldRequest question;
  question.set_terminal_id("atm-2");
  question.set_hold_id(hold_id);
  EXPECT_EQ(word(bank.answer<v1::GetHoldResponse>(question)), "HOLD_NOT_FOUND");
  question.set_terminal_id("atm-1");
  question.set_hold_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::GetHoldResponse>(question)), "HOLD_NOT_FOUND");
  v1::CaptureRequest capture = capture_request(hold_id, 60'00);
  capture.set_terminal_id("atm-2");
  EXPECT_EQ(word(bank.answer<v1::CaptureResponse>(capture)), "ID_BELONGS_TO_ANOTHER");
}

TEST_F(BankServiceTest, ADepositNeedsNoToken) {
  const auto deposited = bank.answer<v1::DepositResponse>(deposit_request(25'00));
  ASSERT_EQ(word(deposited), "yes");
  EXPECT_EQ(deposited.receipt().balance().balance().minor_units(), 125'00);
  EXPECT_EQ(balance("cash:atm-1"), -25'00);
}

TEST_F(BankServiceTest, ATransferMovesMoneyBetweenCustomers) {
  const auto moved = bank.answer<v1::TransferResponse>(transfer_request(token(), "john", 30'00));
  ASSERT_EQ(word(moved), "yes");
  EXPECT_EQ(moved.receipt().balance().balance().minor_units(), 70'00);
  EXPECT_EQ(balance("john"), 530'00);
}

TEST_F(BankServiceTest, CashIsLoadedAndTakenOut) {
  EXPECT_EQ(word(load(1'000'00)), "yes");
  EXPECT_EQ(sign_on().cash().minor_units(), 1'000'00);
  v1::UnloadCashRequest unload;
  unload.set_id(bank.next_id());
  unload.set_terminal_id("atm-1");
  *unload.mutable_amount() = euros(400'00);
  const auto unloaded = bank.answer<v1::UnloadCashResponse>(unload);
  ASSERT_EQ(word(unloaded), "yes");
  EXPECT_EQ(unloaded.receipt().balance().balance().minor_units(), -600'00);
  EXPECT_EQ(sign_on().cash().minor_units(), 600'00);
}

// --- What became of it ---

TEST_F(BankServiceTest, ResolveTellsTheFirstAnswerAndNeverActs) {
  const v1::HoldRequest hold = hold_request(token(), 60'00);
  bank.answer<v1::HoldResponse>(hold);
  EXPECT_EQ(resolve(hold.id()).executed().balance().available().minor_units(), 40'00);

  const v1::HoldRequest too_much = hold_request(token(), 60'00);
  bank.answer<v1::HoldResponse>(too_much);
  EXPECT_EQ(resolve(too_much.id()).refused().code(), v1::REFUSAL_CODE_INSUFFICIENT_FUNDS);

  const v1::HoldRequest unseen = hold_request(token(), 1'00);
  EXPECT_GT(resolve(unseen.id()).fenced().ledger_seq(), 0U);
  EXPECT_GT(resolve(unseen.id()).fenced().ledger_seq(), 0U);
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(unseen)), "ID_FENCED");

  EXPECT_EQ(resolve(hold.id(), "atm-2").refusal().code(), v1::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER);
  EXPECT_EQ(resolve("short").refusal().field(), "id");
}

// --- The same id again ---

TEST_F(BankServiceTest, TheSameHoldTwiceIsOneHold) {
  const v1::HoldRequest hold = hold_request(token(), 60'00);
  const auto first = bank.begin<v1::HoldResponse>(hold);
  const auto second = bank.begin<v1::HoldResponse>(hold);
  bank.loop.settle();
  EXPECT_FALSE(first->response.receipt().replayed());
  EXPECT_TRUE(second->response.receipt().replayed());
  EXPECT_EQ(first->response.receipt().ledger_seq(), second->response.receipt().ledger_seq());
  EXPECT_EQ(account("jane").held().minor_units(), 60'00);
}

TEST_F(BankServiceTest, ARetryGetsItsFirstAnswerAfterARestartWithoutAToken) {
  const std::string old_token = token();
  const v1::HoldRequest hold = hold_request(old_token, 60'00);
  const v1::HoldRequest too_much = hold_request(old_token, 90'00);
  const v1::TransferRequest transfer = transfer_request(old_token, "john", 10'00);
  const auto held = bank.answer<v1::HoldResponse>(hold);
  const auto refused = bank.answer<v1::HoldResponse>(too_much);
  const auto moved = bank.answer<v1::TransferResponse>(transfer);
  ASSERT_EQ(word(refused), "INSUFFICIENT_FUNDS");

  bank.restart();
  const auto held_again = bank.answer<v1::HoldResponse>(hold);
  EXPECT_TRUE(held_again.receipt().replayed());
  EXPECT_EQ(held_again.receipt().ledger_seq(), held.receipt().ledger_seq());
  EXPECT_EQ(held_again.receipt().balance().available().minor_units(), 40'00);
  const auto refused_again = bank.answer<v1::HoldResponse>(too_much);
  EXPECT_EQ(refused_again.refusal().SerializeAsString(), refused.refusal().SerializeAsString());
  const auto moved_again = bank.answer<v1::TransferResponse>(transfer);
  EXPECT_TRUE(moved_again.receipt().replayed());
  EXPECT_EQ(moved_again.receipt().ledger_seq(), moved.receipt().ledger_seq());
  EXPECT_EQ(balance("jane"), 90'00);

  // What is new needs a token, and leaves its id unused when it has none.
  v1::HoldRequest another = hold_request(old_token, 5'00);
  EXPECT_EQ(bank.code<v1::HoldResponse>(another), rpc::StatusCode::unauthenticated);
  another.set_token(token());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(another)), "yes");
}

TEST_F(BankServiceTest, WithoutATokenNobodyLearnsWhatAnothersIdDid) {
  add_terminal("atm-2");
  v1::HoldRequest hold = hold_request(token(), 60'00);
  bank.answer<v1::HoldResponse>(hold);
  hold.set_token("");
  hold.set_terminal_id("atm-2");
  const auto asked = bank.answer<v1::HoldResponse>(hold);
  EXPECT_EQ(word(asked), "ID_BELONGS_TO_ANOTHER");
  EXPECT_FALSE(asked.has_receipt());
}

TEST_F(BankServiceTest, TheSameIdWithOtherFieldsIsRefusedByName) {
  const std::string right = token();
  v1::HoldRequest hold = hold_request(right, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  *hold.mutable_amount() = euros(50'00);
  const auto other_amount = bank.answer<v1::HoldResponse>(hold);
  EXPECT_EQ(word(other_amount), "ID_USED_WITH_OTHER_FIELDS");
  EXPECT_EQ(other_amount.refusal().field(), "amount");

  v1::TransferRequest transfer = transfer_request(right, "john", 60'00);
  transfer.set_id(hold.id());
  EXPECT_EQ(bank.answer<v1::TransferResponse>(transfer).refusal().field(), "kind");
}

// --- Tokens ---

TEST_F(BankServiceTest, WhatACustomerStartsNeedsATokenOfThisCardAtThisTerminal) {
  add_terminal("atm-2");
  const std::string janes = token();
  const std::string johns = verify(johns_pin, johns_card).verified().token();
  for (const std::string& wrong : {std::string(), std::string("0123456789abcdef"), johns}) {
    EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(wrong)),
              rpc::StatusCode::unauthenticated);
    EXPECT_EQ(bank.code<v1::ListStatementResponse>(statement_request(wrong)),
              rpc::StatusCode::unauthenticated);
    EXPECT_EQ(bank.code<v1::HoldResponse>(hold_request(wrong, 1'00)),
              rpc::StatusCode::unauthenticated);
    EXPECT_EQ(bank.code<v1::TransferResponse>(transfer_request(wrong, "john", 1'00)),
              rpc::StatusCode::unauthenticated);
    EXPECT_EQ(bank.code<v1::ChangePinResponse>(change_pin_request(wrong, janes_pin, "2468")),
              rpc::StatusCode::unauthenticated);
  }
  v1::GetBalanceRequest elsewhere = balance_request(janes);
  elsewhere.set_terminal_id("atm-2");
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(elsewhere), rpc::StatusCode::unauthenticated);
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(janes)), rpc::StatusCode::ok);
}

TEST_F(BankServiceTest, ATokenEndsAfterAQuarterOfAnHourAndWhenTheCardIsBlocked) {
  const std::string aged = token();
  bank.loop.advance(15min);
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(aged)),
            rpc::StatusCode::unauthenticated);

  const std::string fresh = token();
  block(janes_card);
  unblock(janes_card);
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(fresh)),
            rpc::StatusCode::unauthenticated);
}

// --- Statements ---

TEST_F(BankServiceTest, AStatementNamesWhatHappenedNewestFirst) {
  withdraw(20'00);
  bank.answer<v1::DepositResponse>(deposit_request(5'00));
  const std::string proven = token();
  bank.answer<v1::TransferResponse>(transfer_request(proven, "john", 10'00));

  const auto response = bank.answer<v1::ListStatementResponse>(statement_request(proven));
  const v1::Statement& statement = response.statement();
  ASSERT_EQ(statement.entries_size(), 4);
  const auto line = [&](int i) {
    const v1::StatementEntry& entry = statement.entries(i);
    return entry.kind() + " " + entry.counterparty() + " " +
           std::to_string(entry.amount().minor_units()) + " " +
           std::to_string(entry.balance_after().minor_units());
  };
  EXPECT_EQ(line(0), "transfer john -1000 7500");
  EXPECT_EQ(line(1), "deposit cash:atm-1 500 8500");
  EXPECT_EQ(line(2), "withdrawal cash:atm-1 -2000 8000");
  EXPECT_EQ(line(3), "fund equity:eur 10000 10000");
  EXPECT_EQ(statement.next_page_token(), "");
  EXPECT_GT(statement.entries(0).at_us(), 0);
}

TEST_F(BankServiceTest, AStatementIsPagedWithoutGapOrRepetition) {
  for (int i = 1; i <= 25; ++i) bank.answer<v1::DepositResponse>(deposit_request(i));
  v1::ListStatementRequest request = statement_request(token());
  request.set_page_size(7);
  std::vector<std::int64_t> amounts;
  int pages = 0;
  do {
    const auto response = bank.answer<v1::ListStatementResponse>(request);
    for (const auto& entry : response.statement().entries()) {
      amounts.push_back(entry.amount().minor_units());
    }
    // What is posted meanwhile is newer than any page to come.
    bank.answer<v1::DepositResponse>(deposit_request(1'000));
    request.set_page_token(response.statement().next_page_token());
    ++pages;
  } while (!request.page_token().empty());
  EXPECT_EQ(pages, 4);
  ASSERT_EQ(amounts.size(), 26U);
  for (int i = 0; i < 25; ++i) EXPECT_EQ(amounts[static_cast<std::size_t>(i)], 25 - i);
  EXPECT_EQ(amounts.back(), 100'00);
}

TEST_F(BankServiceTest, AStatementsPageTokenIsNoOneElses) {
  for (int i = 1; i <= 3; ++i) bank.answer<v1::DepositResponse>(deposit_request(i));
  v1::ListStatementRequest janes = statement_request(token());
  janes.set_page_size(2);
  const auto page = bank.answer<v1::ListStatementResponse>(janes);
  v1::ListStatementRequest johns =
      statement_request(verify(johns_pin, johns_card).verified().token());
  johns.set_card_number(johns_card);
  johns.set_page_token(page.statement().next_page_token());
  const auto refused = bank.answer<v1::ListStatementResponse>(johns);
  EXPECT_EQ(word(refused), "MALFORMED");
  EXPECT_EQ(refused.refusal().field(), "page_token");
  janes.set_page_size(101);
  EXPECT_EQ(bank.answer<v1::ListStatementResponse>(janes).refusal().field(), "page_size");
}

// --- Signing on ---

TEST_F(BankServiceTest, SigningOnSaysWhoTheBankIs) {
  const v1::SignedOn signed_on = sign_on();
  EXPECT_EQ(signed_on.instance_id(), to_bytes(bank.memory.instance_id()));
  EXPECT_EQ(signed_on.ledger_seq(), bank.process->store.last_seq());
  EXPECT_EQ(signed_on.chain_head(), to_bytes(bank.memory.head().hash));
  EXPECT_TRUE(signed_on.history_agrees());
  EXPECT_TRUE(signed_on.in_service());
  EXPECT_EQ(signed_on.cash().minor_units(), 0);
}

TEST_F(BankServiceTest, HistoryAgreesAsLongAsNothingThatWasSeenIsLost) {
  const v1::SignedOn then = sign_on();
  EXPECT_TRUE(sign_on(then.ledger_seq(), then.chain_head()).history_agrees());
  bank.answer<v1::DepositResponse>(deposit_request(1'00));
  bank.loop.advance(1s);  // Into the tables.
  EXPECT_TRUE(sign_on(then.ledger_seq(), then.chain_head()).history_agrees());

  std::string other_head = then.chain_head();
  other_head[0] = static_cast<char>(~other_head[0]);
  EXPECT_FALSE(sign_on(then.ledger_seq(), other_head).history_agrees());
  EXPECT_FALSE(sign_on(then.ledger_seq() + 1, then.chain_head()).history_agrees());
  EXPECT_FALSE(sign_on(then.ledger_seq() + 100, "").history_agrees());
}

TEST_F(BankServiceTest, AnUnknownTerminalIsTold) {
  v1::SignOnRequest request;
  request.set_terminal_id("atm-9");
  EXPECT_EQ(word(bank.answer<v1::SignOnResponse>(request)), "TERMINAL_NOT_FOUND");
  request.set_terminal_id("operator");
  EXPECT_EQ(word(bank.answer<v1::SignOnResponse>(request)), "MALFORMED");
}

// --- What is not the bank's no ---

TEST_F(BankServiceTest, AHoldDecidedTooLateIsNotMade) {
  const v1::HoldRequest hold = hold_request(token(), 60'00);
  bank.executor.is_held = true;
  const auto asked = bank.begin<v1::HoldResponse>(hold, 2s);
  bank.loop.advance(3s);
  ASSERT_TRUE(asked->status.has_value());
  EXPECT_EQ(asked->status->code, rpc::StatusCode::deadline_exceeded);
  bank.executor.go_on();
  bank.loop.settle();
  EXPECT_EQ(account("jane").held().minor_units(), 0);
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "yes") << "The id is unused.";
}

TEST_F(BankServiceTest, AFullDiskRefusesChangesAndReadsGoOn) {
  const std::string proven = token();
  bank.journal.is_full = true;
  EXPECT_EQ(bank.code<v1::DepositResponse>(deposit_request(1'00)),
            rpc::StatusCode::failed_precondition);
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(proven)), rpc::StatusCode::ok);
}

TEST_F(BankServiceTest, TheLogSaysOnceThatTheDiskIsFullAndThatItHasRoomAgain) {
  bank.log_lines.clear();
  for (int i = 0; i < 2; ++i) {
    bank.journal.is_full = true;
    for (int asked = 0; asked < 3; ++asked) bank.code<v1::DepositResponse>(deposit_request(1'00));
    EXPECT_THAT(std::exchange(bank.log_lines, {}),
                testing::EndsWith(" the disk is nearly full: no changes are taken\n"));
    bank.journal.is_full = false;
    for (int asked = 0; asked < 3; ++asked) bank.code<v1::DepositResponse>(deposit_request(1'00));
    EXPECT_THAT(std::exchange(bank.log_lines, {}),
                testing::EndsWith(" the disk has room again: changes are taken\n"));
  }
}

TEST_F(BankServiceTest, AFailedCommitAnswersNobody) {
  bank.journal.fails = true;
  const auto asked = bank.begin<v1::DepositResponse>(deposit_request(1'00));
  EXPECT_THROW(bank.loop.settle(), ledger::StorageError);
  EXPECT_FALSE(asked->status.has_value());
  bank.journal.fails = false;
}

TEST_F(BankServiceTest, ACallerThatLeavesDoesNotTakeItsChangeWithIt) {
  bank.executor.is_held = true;
  bank.begin<v1::DepositResponse>(deposit_request(7'00));
  bank.loop.settle();
  bank.client.reset();
  bank.loop.settle();
  bank.executor.go_on();
  bank.loop.settle();
  EXPECT_EQ(bank.process->store.books().find_account("jane")->balance.value, 107'00);
}

// --- Responses that are used again ---

TEST_F(BankServiceTest, NothingOfOneAnswerIsLeftInTheNext) {
  const std::string proven = token();
  const v1::HoldRequest first = hold_request(proven, 10'00);
  ASSERT_EQ(word(bank.answer<v1::HoldResponse>(first)), "yes");
  EXPECT_TRUE(bank.answer<v1::HoldResponse>(first).receipt().replayed());
  const auto refused = bank.answer<v1::HoldResponse>(hold_request(proven, 999'00));
  EXPECT_EQ(refused.refusal().code(), v1::REFUSAL_CODE_INSUFFICIENT_FUNDS);
  const auto second = bank.answer<v1::HoldResponse>(hold_request(proven, 20'00));
  ASSERT_EQ(word(second), "yes");
  EXPECT_FALSE(second.receipt().replayed());
  EXPECT_EQ(second.receipt().balance().available().minor_units(), 70'00);

  EXPECT_NE(bank.answer<v1::GetBalanceResponse>(balance_request(proven)).ledger_seq(), 0U);
  v1::GetBalanceRequest malformed = balance_request(proven);
  malformed.set_card_number("no card");
  const auto answer = bank.answer<v1::GetBalanceResponse>(malformed);
  EXPECT_EQ(answer.refusal().code(), v1::REFUSAL_CODE_MALFORMED);
  EXPECT_EQ(answer.ledger_seq(), 0U);
}

// --- The log ---

TEST_F(BankServiceTest, TheLogHasTheOperatorsChangesButNotEachOfTheCustomers) {
  EXPECT_NE(bank.log_lines.find("principal=operator"), std::string::npos) << bank.log_lines;
  bank.log_lines.clear();
  bank.answer<v1::HoldResponse>(hold_request(token(), 60'00));
  EXPECT_EQ(bank.log_lines, "");
}

TEST_F(BankServiceTest, AtLevelDebugTheLogHasEachChangeOnceAndNoSecret) {
  bank.log.set_level(ops::LogLevel::debug);
  bank.log_lines.clear();
  const std::string proven = token();
  const v1::HoldRequest hold = hold_request(proven, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  bank.answer<v1::ChangePinResponse>(change_pin_request(proven, janes_pin, "8642"));
  const std::string id = ledger::OperationId::from_bytes(hold.id())->text();
  const std::size_t first = bank.log_lines.find(id);
  ASSERT_NE(first, std::string::npos) << bank.log_lines;
  EXPECT_EQ(bank.log_lines.find(id, first + 1), std::string::npos);
  EXPECT_NE(bank.log_lines.find("amount=6000"), std::string::npos);
  EXPECT_NE(bank.log_lines.find("card_number=************0010"), std::string::npos);
  for (const char* secret : {janes_card, janes_pin, "8642", "argon2"}) {
    EXPECT_EQ(bank.log_lines.find(secret), std::string::npos) << secret;
  }
}

}  // namespace
}  // namespace bank
