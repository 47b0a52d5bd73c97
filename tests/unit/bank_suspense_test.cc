// What the operator is told of a hold in suspense, and may decide of it.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class BankSuspenseTest : public BankTest {
 protected:
  BankSuspenseTest() { open_doors(); }

  v1::ResolveExceptionRequest decision(std::uint64_t exception_seq, std::int64_t paid) {
    v1::ResolveExceptionRequest request;
    request.set_id(bank.next_id());
    request.set_exception_seq(exception_seq);
    *request.mutable_paid() = euros(paid);
    request.set_reason("counted the cassettes");
    return request;
  }
  static void plan(v1::SuspendRequest& request, std::uint32_t count, v1::Money denomination) {
    v1::PlannedNotes& notes = *request.add_planned();
    *notes.mutable_denomination() = std::move(denomination);
    notes.set_count(count);
  }
  static v1::Money yen(std::int64_t amount) {
    v1::Money money;
    money.set_minor_units(amount);
    money.set_currency("JPY");
    return money;
  }
  std::vector<v1::ExceptionView> exceptions() {
    const auto found = bank.answer<v1::ListExceptionsResponse>(v1::ListExceptionsRequest());
    return {found.exceptions().begin(), found.exceptions().end()};
  }
};

TEST_F(BankSuspenseTest, AnAmountThatThePlannedNotesCannotMakeIsRefused) {
  const std::string hold = held(60'00);
  v1::SuspendRequest suspend = suspend_request(hold);
  plan(suspend, 3, euros(20'00));
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "yes");
  const std::uint64_t exception = exceptions()[0].exception_seq();
  for (const bool restarted : {false, true}) {
    if (restarted) bank.restart();
    const auto no = bank.answer<v1::ResolveExceptionResponse>(decision(exception, 33'00));
    EXPECT_EQ(no.refusal().field(), "paid");
    EXPECT_EQ(
        no.refusal().message(),
        "The notes that may have been paid cannot make that; the nearest amount below that they "
        "make is 20.00 EUR. They are 3x20.00 EUR.");
  }
  EXPECT_EQ(balance("jane"), 100'00);
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(decision(exception, 40'00))), "yes");
}

TEST_F(BankSuspenseTest, NotesOfAnotherCurrencyThanTheHoldsAreRefusedWithAnAmountOrWithout) {
  const std::string hold = held(60'00);
  v1::SuspendRequest suspend = suspend_request(hold);
  plan(suspend, 3, yen(2'000));
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "CURRENCY_MISMATCH");
  suspend = suspend_request(hold);
  *suspend.mutable_amount() = yen(6'000);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "CURRENCY_MISMATCH");
  plan(suspend, 3, euros(20'00));
  suspend.set_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "MALFORMED") << "two in one request";
  suspend.clear_amount();
  suspend.set_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "yes");
}

TEST_F(BankSuspenseTest, ARefusedSuspensionsExceptionSaysWhatTheBankKnowsOfTheHold) {
  v1::HoldRequest hold = hold_request(token(), 60'00);
  hold.set_receipt_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "yes");
  v1::SuspendRequest suspend = suspend_request(hold.id());
  *suspend.mutable_amount() = yen(6'000);
  suspend.set_receipt_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "CURRENCY_MISMATCH");
  suspend.clear_amount();
  suspend.set_id(bank.next_id());
  plan(suspend, 3, yen(2'000));
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "CURRENCY_MISMATCH");
  ASSERT_EQ(exceptions().size(), 2U);
  for (const v1::ExceptionView& exception : exceptions()) {
    EXPECT_EQ(exception.amount().minor_units(), 60'00);
    EXPECT_EQ(exception.amount().currency(), "EUR");
    EXPECT_EQ(exception.receipt_id(), hold.receipt_id());
  }
}

TEST_F(BankSuspenseTest, ALostSuspensionSaysHowMuchIsInQuestionIfItWasTold) {
  v1::SuspendRequest suspend = suspend_request(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "HOLD_NOT_FOUND");
  plan(suspend, 3, euros(20'00));
  suspend.set_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "HOLD_NOT_FOUND");
  suspend = suspend_request(bank.next_id());
  *suspend.mutable_amount() = euros(60'00);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "HOLD_NOT_FOUND");
  ASSERT_EQ(exceptions().size(), 3U);
  EXPECT_FALSE(exceptions()[0].has_amount());
  EXPECT_FALSE(exceptions()[1].has_amount()) << "what was planned is not what was held";
  EXPECT_EQ(exceptions()[2].amount().minor_units(), 60'00);
  EXPECT_EQ(exceptions()[2].amount().currency(), "EUR");
}

}  // namespace
}  // namespace bank
