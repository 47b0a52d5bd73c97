// Every refusal that the wire has, asked for over the wire, with the sentence that people get.
#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

struct RefusalCase;
std::vector<RefusalCase> refusal_cases();

class BankRefusalTest : public BankTest, public testing::WithParamInterface<RefusalCase> {
 public:
  BankRefusalTest() { open_doors(); }
  friend std::vector<RefusalCase> refusal_cases();

 protected:
  template <typename Response, typename Request>
  v1::Refusal no(Request request) {
    const Response response = bank.answer<Response>(std::move(request));
    EXPECT_TRUE(response.has_refusal()) << response.DebugString();
    return response.refusal();
  }
  v1::Refusal hold(std::int64_t cents) {
    return no<v1::HoldResponse>(hold_request(token(), cents));
  }
  v1::Refusal capture(const std::string& hold_id, std::int64_t cents) {
    return no<v1::CaptureResponse>(capture_request(hold_id, cents));
  }
  v1::Refusal fund_no(const std::string& account, std::int64_t cents) {
    return fund(account, cents).refusal();
  }
  v1::Refusal close(const std::string& account) {
    v1::CloseAccountRequest request;
    request.set_id(bank.next_id());
    request.set_account_id(account);
    request.set_reason("moved away");
    return bank.answer<v1::CloseAccountResponse>(request).refusal();
  }
  v1::Refusal reverse(std::uint64_t transfer_seq) {
    v1::ReverseRequest request;
    request.set_id(bank.next_id());
    request.set_transfer_seq(transfer_seq);
    request.set_reason("posted twice");
    return bank.answer<v1::ReverseResponse>(request).refusal();
  }
  v1::Refusal resolve_exception(std::uint64_t exception_seq) {
    v1::ResolveExceptionRequest request;
    request.set_id(bank.next_id());
    request.set_exception_seq(exception_seq);
    *request.mutable_paid() = euros(0);
    request.set_reason("counted the cassettes");
    return bank.answer<v1::ResolveExceptionResponse>(request).refusal();
  }
  void limit(std::int64_t at_once, std::int64_t daily, std::uint32_t times) {
    v1::SetCardLimitsRequest request;
    request.set_card_number(janes_card);
    *request.mutable_limits()->mutable_withdrawal_max() = euros(at_once);
    *request.mutable_limits()->mutable_daily_amount_max() = euros(daily);
    request.mutable_limits()->set_daily_count_max(times);
    EXPECT_EQ(change<v1::SetCardLimitsResponse>(request), "yes");
  }
};

struct RefusalCase {
  v1::RefusalCode code;
  std::function<v1::Refusal(BankRefusalTest&)> ask;
  std::string sentence;
};

void PrintTo(const RefusalCase& refusal, std::ostream* out) {
  *out << v1::RefusalCode_Name(refusal.code);
}

std::vector<RefusalCase> refusal_cases() {
  using T = BankRefusalTest;
  return {
      {v1::REFUSAL_CODE_MALFORMED,
       [](T& t) {
         v1::HoldRequest request = t.hold_request("", 1'00);
         request.set_id("too short");
         return t.no<v1::HoldResponse>(request);
       },
       "An id is 16 bytes, not all of them zero, and this one is not."},
      {v1::REFUSAL_CODE_AMOUNT_MUST_BE_POSITIVE, [](T& t) { return t.hold(0); },
       "The amount must be more than 0."},
      {v1::REFUSAL_CODE_ACCOUNTS_MUST_DIFFER,
       [](T& t) { return t.no<v1::TransferResponse>(t.transfer_request(t.token(), "jane", 1'00)); },
       "Source and target are the same account."},
      {v1::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER,
       [](T& t) {
         t.add_terminal("atm-2");
         v1::CaptureRequest request = t.capture_request(t.held(1'00), 1'00);
         request.set_terminal_id("atm-2");
         return t.no<v1::CaptureResponse>(request);
       },
       "Another caller has used this id."},
      {v1::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS,
       [](T& t) {
         v1::DepositRequest request = t.deposit_request(1'00);
         t.bank.answer<v1::DepositResponse>(request);
         *request.mutable_amount() = euros(2'00);
         return t.no<v1::DepositResponse>(request);
       },
       "This id was used for a change with another amount."},
      {v1::REFUSAL_CODE_ID_FENCED,
       [](T& t) {
         const v1::HoldRequest request = t.hold_request(t.token(), 1'00);
         t.bank.answer<v1::VoidResponse>(t.void_request(request.id()));
         return t.no<v1::HoldResponse>(request);
       },
       "This id was settled as not done, and can never be done."},
      {v1::REFUSAL_CODE_ACCOUNT_NOT_FOUND, [](T& t) { return t.fund_no("nobody", 1'00); },
       "There is no account nobody."},
      {v1::REFUSAL_CODE_CARD_NOT_FOUND,
       [](T& t) {
         v1::DepositRequest request = t.deposit_request(1'00);
         request.set_card_number("4999999999999999");
         return t.no<v1::DepositResponse>(request);
       },
       "There is no such card."},
      {v1::REFUSAL_CODE_CARD_NOT_UNIQUE,
       [](T& t) {
         t.issue("5000000000000010", "jane", janes_pin);
         v1::BlockCardRequest request;
         request.set_id(t.bank.next_id());
         request.set_card_number("jane/0010");
         return t.no<v1::BlockCardResponse>(request);
       },
       "Several cards of the account end in these digits; name one by its id, as card-17."},
      {v1::REFUSAL_CODE_TERMINAL_NOT_FOUND,
       [](T& t) {
         v1::DepositRequest request = t.deposit_request(1'00);
         request.set_terminal_id("atm-9");
         return t.no<v1::DepositResponse>(request);
       },
       "The bank does not know this terminal."},
      {v1::REFUSAL_CODE_TRANSFER_NOT_FOUND, [](T& t) { return t.reverse(999); },
       "There is no transfer of that number."},
      {v1::REFUSAL_CODE_EXCEPTION_NOT_FOUND, [](T& t) { return t.resolve_exception(999); },
       "There is no exception of that number."},
      {v1::REFUSAL_CODE_ACCOUNT_ALREADY_EXISTS,
       [](T& t) { return t.no<v1::OpenAccountResponse>(t.open_request("jane")); },
       "There is an account of that name already."},
      {v1::REFUSAL_CODE_CARD_ALREADY_EXISTS,
       [](T& t) {
         return t.no<v1::IssueCardResponse>(t.issue_request(janes_card, "john", "4711"));
       },
       "There is a card of that number already."},
      {v1::REFUSAL_CODE_TERMINAL_ALREADY_EXISTS,
       [](T& t) { return t.add_terminal("atm-1").refusal(); },
       "There is a terminal of that name already."},
      {v1::REFUSAL_CODE_ACCOUNT_OF_WRONG_KIND, [](T& t) { return t.fund_no("cash:atm-1", 1'00); },
       "This cannot be done with an account of that kind."},
      {v1::REFUSAL_CODE_HOLD_NOT_FOUND, [](T& t) { return t.capture(t.bank.next_id(), 1'00); },
       "There is no such hold."},
      {v1::REFUSAL_CODE_HOLD_ALREADY_CAPTURED,
       [](T& t) {
         const std::string hold_id = t.held(1'00);
         t.bank.answer<v1::CaptureResponse>(t.capture_request(hold_id, 1'00));
         return t.capture(hold_id, 1'00);
       },
       "The hold was captured already."},
      {v1::REFUSAL_CODE_HOLD_ALREADY_VOIDED,
       [](T& t) {
         const std::string hold_id = t.held(1'00);
         t.bank.answer<v1::VoidResponse>(t.void_request(hold_id));
         return t.capture(hold_id, 1'00);
       },
       "The hold was released already."},
      {v1::REFUSAL_CODE_CAPTURE_EXCEEDS_HOLD, [](T& t) { return t.capture(t.held(1'00), 1'01); },
       "That is more than was reserved."},
      {v1::REFUSAL_CODE_ALREADY_REVERSED,
       [](T& t) {
         const std::uint64_t posted = t.fund("jane", 1'00).receipt().ledger_seq();
         EXPECT_EQ(t.reverse(posted).code(), 0);
         return t.reverse(posted);
       },
       "That transfer was taken back already."},
      {v1::REFUSAL_CODE_CASH_HAS_MOVED,
       [](T& t) {
         const auto captured =
             t.bank.answer<v1::CaptureResponse>(t.capture_request(t.held(1'00), 1'00));
         return t.reverse(captured.receipt().ledger_seq());
       },
       "Notes moved at a terminal for that transfer, and taking it back would move none: the "
       "terminal's cash account would be wrong. Move the money between the customer's account and "
       "equity instead: bankctl adjust."},
      {v1::REFUSAL_CODE_EXCEPTION_ALREADY_RESOLVED,
       [](T& t) {
         const auto suspended = t.bank.answer<v1::SuspendResponse>(t.suspend_request(t.held(1'00)));
         const std::uint64_t raised = suspended.receipt().ledger_seq();
         EXPECT_EQ(t.resolve_exception(raised).code(), 0);
         return t.resolve_exception(raised);
       },
       "That exception was resolved already."},
      {v1::REFUSAL_CODE_ACCOUNT_HAS_HOLDS,
       [](T& t) {
         t.held(1'00);
         return t.close("jane");
       },
       "The account still has money reserved."},
      {v1::REFUSAL_CODE_ACCOUNT_NOT_EMPTY, [](T& t) { return t.close("jane"); },
       "The account still has money on it, or owes some."},
      {v1::REFUSAL_CODE_ACCOUNT_CLOSED,
       [](T& t) {
         t.open("empty", 0);
         EXPECT_EQ(t.close("empty").code(), 0);
         return t.fund_no("empty", 1'00);
       },
       "The account empty is closed."},
      {v1::REFUSAL_CODE_ACCOUNT_FROZEN,
       [](T& t) {
         t.freeze("jane");
         return t.hold(1'00);
       },
       "The account is frozen."},
      {v1::REFUSAL_CODE_CARD_BLOCKED,
       [](T& t) {
         t.block(janes_card);
         return t.verify(janes_pin).refusal();
       },
       "The card is blocked."},
      {v1::REFUSAL_CODE_CARD_REPLACED,
       [](T& t) {
         v1::ReplaceCardRequest replace;
         replace.set_old_card_number(janes_card);
         replace.set_new_card_number("4000000000000044");
         replace.set_pin("8642");
         replace.set_reason("worn");
         t.change<v1::ReplaceCardResponse>(replace);
         v1::UnblockCardRequest unblock;
         unblock.set_id(t.bank.next_id());
         unblock.set_card_number(janes_card);
         unblock.set_reason("found");
         return t.no<v1::UnblockCardResponse>(unblock);
       },
       "The card was replaced, and stays blocked for ever."},
      {v1::REFUSAL_CODE_TERMINAL_OUT_OF_SERVICE,
       [](T& t) {
         const v1::HoldRequest request = t.hold_request(t.token(), 1'00);
         v1::SetTerminalServiceRequest close;
         close.set_terminal_id("atm-1");
         EXPECT_EQ(t.change<v1::SetTerminalServiceResponse>(close), "yes");
         return t.no<v1::HoldResponse>(request);
       },
       "The terminal is out of service."},
      {v1::REFUSAL_CODE_CURRENCY_MISMATCH,
       [](T& t) {
         v1::DepositRequest request = t.deposit_request(1'00);
         request.mutable_amount()->set_currency("USD");
         return t.no<v1::DepositResponse>(request);
       },
       "The account has another currency."},
      {v1::REFUSAL_CODE_WITHDRAWAL_LIMIT,
       [](T& t) {
         t.limit(20'00, 0, 0);
         return t.hold(20'01);
       },
       "The card can take at most 20.00 EUR at a time."},
      {v1::REFUSAL_CODE_DAILY_AMOUNT_LIMIT,
       [](T& t) {
         t.limit(0, 50'00, 0);
         t.held(30'00);
         return t.hold(20'01);
       },
       "The card can take only 20.00 EUR more today."},
      {v1::REFUSAL_CODE_DAILY_COUNT_LIMIT,
       [](T& t) {
         t.limit(0, 0, 1);
         t.held(1'00);
         return t.hold(1'00);
       },
       "The card was used as often as it can be today."},
      {v1::REFUSAL_CODE_BALANCE_OVERFLOW,
       [](T& t) { return t.fund_no("jane", std::numeric_limits<std::int64_t>::max()); },
       "That is more than an account can hold."},
      {v1::REFUSAL_CODE_INSUFFICIENT_FUNDS,
       [](T& t) {
         t.held(60'00);
         return t.hold(40'01);
       },
       "Only 40.00 EUR are available."},
      {v1::REFUSAL_CODE_PIN_WRONG, [](T& t) { return t.verify("0001").refusal(); },
       "The PIN is wrong; it can be tried 2 times more."},
      {v1::REFUSAL_CODE_PIN_TRIES_EXCEEDED,
       [](T& t) {
         for (int i = 0; i < 3; ++i) t.verify("0001");
         return t.verify(janes_pin).refusal();
       },
       "The card is locked after too many wrong PINs."},
      {v1::REFUSAL_CODE_PIN_UNSUITABLE,
       [](T& t) {
         const auto request = t.change_pin_request(t.token(), janes_pin, "0000");
         return t.no<v1::ChangePinResponse>(request);
       },
       "That PIN is too easily guessed; choose one whose digits are neither all the same nor a "
       "run, as 1234 or 4321."},
  };
}

TEST_P(BankRefusalTest, IsNamedAndSaidInASentence) {
  const v1::Refusal refusal = GetParam().ask(*this);
  EXPECT_EQ(refusal.code(), GetParam().code) << refusal.DebugString();
  EXPECT_EQ(refusal.message(), GetParam().sentence);
}

INSTANTIATE_TEST_SUITE_P(All, BankRefusalTest, testing::ValuesIn(refusal_cases()),
                         [](const auto& parameter) {
                           // CamelCase, as a test's name.
                           std::string name;
                           bool begins = true;
                           for (const char letter :
                                v1::RefusalCode_Name(parameter.param.code).substr(13)) {
                             if (letter != '_')
                               name += begins ? letter : static_cast<char>(letter | 0x20);
                             begins = letter == '_';
                           }
                           return name;
                         });

TEST(BankRefusals, AreAllInTheTable) {
  std::set<int> asked;
  for (const RefusalCase& refusal : refusal_cases()) asked.insert(refusal.code);
  const auto* const codes = v1::RefusalCode_descriptor();
  for (int i = 0; i < codes->value_count(); ++i) {
    if (codes->value(i)->number() == 0) continue;
    EXPECT_TRUE(asked.contains(codes->value(i)->number())) << codes->value(i)->name();
  }
}

// --- Which field is wrong ---

class BankShapeTest : public BankTest {
 protected:
  template <typename Response, typename Request>
  std::string field(Request request) {
    const Response response = bank.answer<Response>(std::move(request));
    EXPECT_EQ(word(response), "MALFORMED") << response.DebugString();
    return response.refusal().field();
  }
};

TEST_F(BankShapeTest, OfAHold) {
  const auto with = [this](auto change) {
    v1::HoldRequest request = hold_request("", 1'00);
    change(request);
    return field<v1::HoldResponse>(request);
  };
  EXPECT_EQ(with([](auto& r) { r.clear_id(); }), "id");
  EXPECT_EQ(with([](auto& r) { r.set_id(std::string(16, '\0')); }), "id");
  EXPECT_EQ(with([](auto& r) { r.set_id(std::string(17, 'x')); }), "id");
  EXPECT_EQ(with([](auto& r) { r.clear_terminal_id(); }), "terminal_id");
  EXPECT_EQ(with([](auto& r) { r.set_terminal_id("ATM 1"); }), "terminal_id");
  EXPECT_EQ(with([](auto& r) { r.set_terminal_id(std::string(65, 'a')); }), "terminal_id");
  EXPECT_EQ(with([](auto& r) { r.set_terminal_id("operator"); }), "terminal_id");
  EXPECT_EQ(with([](auto& r) { r.set_card_number("4000-0000"); }), "card_number");
  EXPECT_EQ(with([](auto& r) { r.clear_amount(); }), "amount");
  EXPECT_EQ(with([](auto& r) { r.mutable_amount()->set_currency("eur"); }), "currency");
  EXPECT_EQ(with([](auto& r) { r.mutable_amount()->clear_currency(); }), "currency");
  EXPECT_EQ(with([](auto& r) { r.set_time_to_live_ms(0); }), "time_to_live_ms");
  EXPECT_EQ(with([](auto& r) { r.set_time_to_live_ms(4'000'000'000U); }), "time_to_live_ms");
}

TEST_F(BankShapeTest, OfWhatEndsAHold) {
  v1::CaptureRequest capture = capture_request("short", 1'00);
  EXPECT_EQ(field<v1::CaptureResponse>(capture), "hold_id");
  EXPECT_EQ(field<v1::VoidResponse>(void_request("")), "hold_id");
  v1::SuspendRequest suspend = suspend_request(bank.next_id());
  suspend.set_evidence(std::string(1025, 'x'));
  EXPECT_EQ(field<v1::SuspendResponse>(suspend), "evidence");
  v1::GetHoldRequest question;
  question.set_terminal_id("atm-1");
  EXPECT_EQ(field<v1::GetHoldResponse>(question), "hold_id");
}

TEST_F(BankShapeTest, OfAnAccount) {
  const auto with = [this](auto change) {
    v1::OpenAccountRequest request = open_request("jane");
    change(request);
    return field<v1::OpenAccountResponse>(request);
  };
  EXPECT_EQ(with([](auto& r) { r.set_account_id("Jane"); }), "account_id");
  EXPECT_EQ(with([](auto& r) { r.set_account_id("cash:jane"); }), "account_id");
  EXPECT_EQ(with([](auto& r) { r.set_account_id(""); }), "account_id");
  EXPECT_EQ(with([](auto& r) { r.set_name(std::string(129, 'x')); }), "name");
  EXPECT_EQ(with([](auto& r) { r.set_currency("EURO"); }), "currency");
  EXPECT_EQ(with([](auto& r) { *r.mutable_overdraft() = euros(-1); }), "overdraft");
  EXPECT_EQ(with([](auto& r) {
              *r.mutable_overdraft() = euros(1);
              r.mutable_overdraft()->set_currency("USD");
            }),
            "overdraft");
}

TEST_F(BankShapeTest, OfNamesAndNumbersTheRuleIsSaidAndWhatBreaksIt) {
  const auto account = [this](const std::string& name) {
    v1::OpenAccountRequest request = open_request("jane");
    request.set_account_id(name);
    return bank.answer<v1::OpenAccountResponse>(request).refusal().message();
  };
  const std::string account_rule =
      "An account is called 1 to 64 of a-z, 0-9, '-', '_', '.' and ':', and this name ";
  EXPECT_EQ(account("Jane"), account_rule + "has something else in it.");
  EXPECT_EQ(account(""), account_rule + "is empty.");
  EXPECT_EQ(account(std::string(65, 'x')), account_rule + "is longer.");
  EXPECT_EQ(account("cash:jane"), account_rule + "is the bank's own.");

  const std::string terminal_rule =
      "A terminal is called 1 to 59 of a-z, 0-9, '-', '_', '.' and ':', and this name ";
  EXPECT_EQ(add_terminal("ATM").refusal().message(), terminal_rule + "has something else in it.");
  EXPECT_EQ(add_terminal("").refusal().message(), terminal_rule + "is empty.");
  EXPECT_EQ(add_terminal(std::string(60, 'x')).refusal().message(), terminal_rule + "is longer.");
  EXPECT_EQ(add_terminal("operator").refusal().message(), terminal_rule + "is the bank's own.");
  EXPECT_EQ(word(add_terminal(std::string(59, 'x'))), "yes");

  const auto card = [this](const std::string& number, const std::string& pin) {
    const v1::IssueCardRequest request = issue_request(number, "jane", pin);
    return bank.answer<v1::IssueCardResponse>(request).refusal().message();
  };
  const std::string card_rule = "A card number is 8 to 19 digits, and this number ";
  EXPECT_EQ(card("1234567", janes_pin), card_rule + "is shorter.");
  EXPECT_EQ(card("12345678901234567890", janes_pin), card_rule + "is longer.");
  EXPECT_EQ(card("4000-0000-0000", janes_pin), card_rule + "has something else in it.");
  EXPECT_EQ(card("", janes_pin), card_rule + "is empty.");
  const std::string pin_rule = "A PIN is 4 to 12 digits, and this one ";
  EXPECT_EQ(card(janes_card, "12"), pin_rule + "is shorter.");
  EXPECT_EQ(card(janes_card, "1234567890123"), pin_rule + "is longer.");
  EXPECT_EQ(card(janes_card, "12a4"), pin_rule + "has something else in it.");

  v1::VerifyCardRequest verify;
  verify.set_terminal_id("atm-1");
  verify.set_card_number("4000");
  verify.set_pin(janes_pin);
  EXPECT_EQ(bank.answer<v1::VerifyCardResponse>(verify).refusal().message(),
            card_rule + "is shorter.");
}

TEST_F(BankShapeTest, OfACard) {
  const auto with = [this](auto change) {
    v1::IssueCardRequest request = issue_request(janes_card, "jane", janes_pin);
    change(request);
    return field<v1::IssueCardResponse>(request);
  };
  EXPECT_EQ(with([](auto& r) { r.set_card_number("1234567"); }), "card_number");
  EXPECT_EQ(with([](auto& r) { r.set_pin("12"); }), "pin");
  EXPECT_EQ(with([](auto& r) { r.clear_account_id(); }), "account_id");
  EXPECT_EQ(with([](auto& r) { *r.mutable_limits()->mutable_withdrawal_max() = euros(-1); }),
            "limits.withdrawal_max");
  EXPECT_EQ(with([](auto& r) {
              *r.mutable_limits()->mutable_withdrawal_max() = euros(1);
              *r.mutable_limits()->mutable_daily_amount_max() = euros(1);
              r.mutable_limits()->mutable_daily_amount_max()->set_currency("USD");
            }),
            "limits.daily_amount_max");
}

TEST_F(BankShapeTest, WhoMovesMoneyByHandSaysWhy) {
  v1::AdjustRequest adjust;
  adjust.set_id(bank.next_id());
  adjust.set_source_account_id("jane");
  adjust.set_target_account_id("john");
  *adjust.mutable_amount() = euros(1'00);
  EXPECT_EQ(field<v1::AdjustResponse>(adjust), "reason");
  v1::ReverseRequest reverse;
  reverse.set_id(bank.next_id());
  reverse.set_transfer_seq(1);
  EXPECT_EQ(field<v1::ReverseResponse>(reverse), "reason");
  v1::ResolveExceptionRequest resolve;
  resolve.set_id(bank.next_id());
  resolve.set_exception_seq(1);
  EXPECT_EQ(field<v1::ResolveExceptionResponse>(resolve), "reason");
}

TEST_F(BankShapeTest, AnEmptyRequestOfAnyKindIsRefusedAndChangesNothing) {
  EXPECT_EQ(field<v1::SignOnResponse>(v1::SignOnRequest()), "terminal_id");
  EXPECT_EQ(field<v1::VerifyCardResponse>(v1::VerifyCardRequest()), "terminal_id");
  EXPECT_EQ(field<v1::GetBalanceResponse>(v1::GetBalanceRequest()), "terminal_id");
  EXPECT_EQ(field<v1::ListStatementResponse>(v1::ListStatementRequest()), "terminal_id");
  EXPECT_EQ(field<v1::DepositResponse>(v1::DepositRequest()), "id");
  EXPECT_EQ(field<v1::TransferResponse>(v1::TransferRequest()), "id");
  EXPECT_EQ(field<v1::ChangePinResponse>(v1::ChangePinRequest()), "id");
  EXPECT_EQ(field<v1::LoadCashResponse>(v1::LoadCashRequest()), "id");
  EXPECT_EQ(field<v1::ResolveResponse>(v1::ResolveRequest()), "id");
  EXPECT_EQ(field<v1::FundAccountResponse>(v1::FundAccountRequest()), "id");
  EXPECT_EQ(field<v1::AddTerminalResponse>(v1::AddTerminalRequest()), "id");
  EXPECT_EQ(field<v1::ReplaceCardResponse>(v1::ReplaceCardRequest()), "id");
  EXPECT_EQ(field<v1::ResolveChangeResponse>(v1::ResolveChangeRequest()), "id");
  EXPECT_EQ(bank.process->store.last_seq(), 0U);
}

}  // namespace
}  // namespace bank
