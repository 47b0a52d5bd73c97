// What the bank says of a refusal: the rule and what broke it, and which account it is about.
#include "bank_words.h"

namespace bank {
namespace {

using BankSentenceTest = BankTest;

TEST_F(BankSentenceTest, OfTextsIdsAndTimesTheRuleIsSaidAndWhatBreaksIt) {
  const auto adjust = [this](const std::string& reason) {
    v1::AdjustRequest request;
    request.set_id(bank.next_id());
    request.set_source_account_id("jane");
    request.set_target_account_id("john");
    *request.mutable_amount() = euros(1'00);
    request.set_reason(reason);
    return bank.answer<v1::AdjustResponse>(request).refusal().message();
  };
  EXPECT_EQ(adjust(""), "A reason is 1 to 1024 bytes, and this one is empty.");
  EXPECT_EQ(adjust(std::string(1025, 'x')), "A reason is 1 to 1024 bytes, and this one is longer.");
  v1::OpenAccountRequest open = open_request("jane");
  open.set_name(std::string(129, 'x'));
  EXPECT_EQ(bank.answer<v1::OpenAccountResponse>(open).refusal().message(),
            "A customer's name is at most 128 bytes, and this one is longer.");
  v1::HoldRequest hold = hold_request("", 1'00);
  hold.set_time_to_live_ms(0);
  EXPECT_EQ(bank.answer<v1::HoldResponse>(hold).refusal().message(),
            "A hold's time to live is 1 to 604800000 ms, and this one is not.");
  hold.mutable_amount()->set_currency("eur");
  EXPECT_EQ(bank.answer<v1::HoldResponse>(hold).refusal().message(),
            "A currency is three capital letters, as EUR, and this one is not.");
}

TEST_F(BankSentenceTest, TheOperatorReadsWhichAccountItIsAndItsCurrency) {
  open_doors();
  const auto adjust = [this](const std::string& source, const std::string& target,
                             const std::string& currency = "EUR") {
    v1::AdjustRequest request;
    request.set_id(bank.next_id());
    request.set_source_account_id(source);
    request.set_target_account_id(target);
    *request.mutable_amount() = euros(1'00);
    request.mutable_amount()->set_currency(currency);
    request.set_reason("by hand");
    return bank.answer<v1::AdjustResponse>(request).refusal().message();
  };
  EXPECT_EQ(adjust("equity:eur", "nobody"), "There is no account nobody.");
  EXPECT_EQ(adjust("nobody", "jane"), "There is no account nobody.");
  EXPECT_EQ(adjust("jane", "john", "USD"), "The account jane is in EUR, and not in USD.");
  freeze("jane");
  EXPECT_EQ(adjust("jane", "john"), "The account jane is frozen.");
  v1::CloseAccountRequest close;
  open("empty", 0);
  close.set_account_id("empty");
  close.set_reason("asked for");
  EXPECT_EQ(change<v1::CloseAccountResponse>(close), "yes");
  EXPECT_EQ(adjust("john", "empty"), "The account empty is closed.");
  EXPECT_EQ(fund("empty", 1).refusal().message(), "The account empty is closed.");
  EXPECT_EQ(fund("nobody", 1).refusal().message(), "There is no account nobody.");
}

TEST_F(BankSentenceTest, ACustomerReadsWhichAccountItIsAndNotItsCurrency) {
  open_doors();
  const std::string proven = token();
  const auto transfer = [&](const std::string& target) {
    return bank.answer<v1::TransferResponse>(transfer_request(proven, target, 1'00))
        .refusal()
        .message();
  };
  EXPECT_EQ(transfer("nm"), "There is no account nm.");
  v1::OpenAccountRequest yen = open_request("kenji");
  yen.set_currency("JPY");
  EXPECT_EQ(word(bank.answer<v1::OpenAccountResponse>(yen)), "yes");
  EXPECT_EQ(transfer("kenji"), "The account kenji is not in EUR.");
}

}  // namespace
}  // namespace bank
