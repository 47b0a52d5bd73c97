// What an ATM gets from the bank.
#include <string>

#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class BankServiceTest : public BankTest {
 protected:
  BankServiceTest() { open_doors(); }
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
}

}  // namespace
}  // namespace bank
