// The words in which the bank's tests are written: Jane has an account, a card and an ATM.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "bank_fixture.h"

namespace bank {

inline constexpr const char* janes_card = "4000000000000010";
inline constexpr const char* johns_card = "4000000000000028";
inline constexpr const char* janes_pin = "4711";
inline constexpr const char* johns_pin = "2580";

inline v1::Money euros(std::int64_t cents) {
  v1::Money money;
  money.set_minor_units(cents);
  money.set_currency("EUR");
  return money;
}

// "yes", or the refusal's name: "INSUFFICIENT_FUNDS".
template <typename Response>
std::string word(const Response& response) {
  if (!response.has_refusal()) return "yes";
  const std::string& name = v1::RefusalCode_Name(response.refusal().code());
  return name.substr(std::string_view("REFUSAL_CODE_").size());
}

class BankTest : public testing::Test {
 protected:
  // --- The operator's words ---

  v1::OpenAccountRequest open_request(const std::string& account) {
    v1::OpenAccountRequest request;
    request.set_id(bank.next_id());
    request.set_account_id(account);
    request.set_name(account == "jane" ? "Jane Doe" : account);
    request.set_currency("EUR");
    return request;
  }
  void open(const std::string& account, std::int64_t cents) {
    const auto opened = bank.answer<v1::OpenAccountResponse>(open_request(account));
    EXPECT_EQ(word(opened), "yes");
    if (cents == 0) return;
    EXPECT_EQ(word(fund(account, cents)), "yes");
  }
  v1::FundAccountResponse fund(const std::string& account, std::int64_t cents) {
    v1::FundAccountRequest request;
    request.set_id(bank.next_id());
    request.set_account_id(account);
    *request.mutable_amount() = euros(cents);
    return bank.answer<v1::FundAccountResponse>(request);
  }
  v1::AddTerminalResponse add_terminal(const std::string& terminal) {
    v1::AddTerminalRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id(terminal);
    request.set_currency("EUR");
    return bank.answer<v1::AddTerminalResponse>(request);
  }
  v1::IssueCardRequest issue_request(const std::string& card, const std::string& account,
                                     const std::string& pin) {
    v1::IssueCardRequest request;
    request.set_id(bank.next_id());
    request.set_card_number(card);
    request.set_account_id(account);
    request.set_pin(pin);
    return request;
  }
  void issue(const std::string& card, const std::string& account, const std::string& pin) {
    const auto issued = bank.answer<v1::IssueCardResponse>(issue_request(card, account, pin));
    EXPECT_EQ(word(issued), "yes");
  }
  // Freeze, close, block ...: whatever takes the name of a thing and a reason.
  template <typename Response, typename Request>
  std::string change(Request request) {
    request.set_id(bank.next_id());
    return word(bank.answer<Response>(std::move(request)));
  }
  std::string block(const std::string& card) {
    v1::BlockCardRequest request;
    request.set_card_number(card);
    request.set_reason("lost");
    return change<v1::BlockCardResponse>(request);
  }
  std::string unblock(const std::string& card) {
    v1::UnblockCardRequest request;
    request.set_card_number(card);
    request.set_reason("found");
    return change<v1::UnblockCardResponse>(request);
  }
  std::string freeze(const std::string& account) {
    v1::FreezeAccountRequest request;
    request.set_account_id(account);
    request.set_reason("court order");
    return change<v1::FreezeAccountResponse>(request);
  }
  v1::Account account(const std::string& account_id) {
    v1::GetAccountRequest request;
    request.set_account_id(account_id);
    return bank.answer<v1::GetAccountResponse>(request).account();
  }
  std::int64_t balance(const std::string& account_id) {
    return account(account_id).balance().minor_units();
  }

  // A demo bank: Jane with 100.00, John with 500.00, one ATM.
  void open_doors() {
    open("jane", 100'00);
    open("john", 500'00);
    EXPECT_EQ(word(add_terminal("atm-1")), "yes");
    issue(janes_card, "jane", janes_pin);
    issue(johns_card, "john", johns_pin);
  }

  // --- The ATM's words ---

  v1::VerifyCardRequest verify_request(const std::string& pin,
                                       const std::string& card = janes_card) {
    v1::VerifyCardRequest request;
    request.set_terminal_id("atm-1");
    request.set_card_number(card);
    request.set_pin(pin);
    return request;
  }
  v1::VerifyCardResponse verify(const std::string& pin, const std::string& card = janes_card) {
    return bank.answer<v1::VerifyCardResponse>(verify_request(pin, card));
  }
  // Jane's, at the ATM.
  std::string token() {
    const v1::VerifyCardResponse response = verify(janes_pin);
    EXPECT_EQ(word(response), "yes");
    return response.verified().token();
  }
  v1::HoldRequest hold_request(const std::string& token, std::int64_t cents) {
    v1::HoldRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    request.set_token(token);
    *request.mutable_amount() = euros(cents);
    request.set_time_to_live_ms(60'000);
    return request;
  }
  v1::CaptureRequest capture_request(const std::string& hold_id, std::int64_t cents) {
    v1::CaptureRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_hold_id(hold_id);
    *request.mutable_amount() = euros(cents);
    return request;
  }
  v1::VoidRequest void_request(const std::string& hold_id) {
    v1::VoidRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_hold_id(hold_id);
    return request;
  }
  v1::SuspendRequest suspend_request(const std::string& hold_id) {
    v1::SuspendRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_hold_id(hold_id);
    request.set_evidence("jam after 2 notes");
    return request;
  }
  v1::TransferRequest transfer_request(const std::string& token, const std::string& target,
                                       std::int64_t cents) {
    v1::TransferRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    request.set_token(token);
    request.set_target_account_id(target);
    *request.mutable_amount() = euros(cents);
    return request;
  }
  v1::DepositRequest deposit_request(std::int64_t cents) {
    v1::DepositRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    *request.mutable_amount() = euros(cents);
    return request;
  }
  v1::ChangePinRequest change_pin_request(const std::string& token, const std::string& old_pin,
                                          const std::string& new_pin) {
    v1::ChangePinRequest request;
    request.set_id(bank.next_id());
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    request.set_token(token);
    request.set_old_pin(old_pin);
    request.set_new_pin(new_pin);
    return request;
  }
  v1::GetBalanceRequest balance_request(const std::string& token) {
    v1::GetBalanceRequest request;
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    request.set_token(token);
    return request;
  }
  v1::ListStatementRequest statement_request(const std::string& token) {
    v1::ListStatementRequest request;
    request.set_terminal_id("atm-1");
    request.set_card_number(janes_card);
    request.set_token(token);
    return request;
  }
  // A hold of Jane's, made.
  std::string held(std::int64_t cents) {
    const v1::HoldRequest request = hold_request(token(), cents);
    EXPECT_EQ(word(bank.answer<v1::HoldResponse>(request)), "yes");
    return request.id();
  }
  void withdraw(std::int64_t cents) {
    const std::string hold_id = held(cents);
    EXPECT_EQ(word(bank.answer<v1::CaptureResponse>(capture_request(hold_id, cents))), "yes");
  }
  v1::HoldView hold_state(const std::string& hold_id) {
    v1::GetHoldRequest request;
    request.set_terminal_id("atm-1");
    request.set_hold_id(hold_id);
    return bank.answer<v1::GetHoldResponse>(request).hold();
  }

  BankBench bank;
};

}  // namespace bank
