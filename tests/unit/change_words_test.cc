// The words in which the operator reads what became of a change.
#include <cstdint>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class ChangeWordsTest : public BankTest {
 protected:
  ChangeWordsTest() { open_doors(); }
  std::uint64_t last_seq() { return bank.process->store.last_seq(); }
  v1::FindChangeResponse newest() {
    v1::FindChangeRequest by_number;
    by_number.set_ledger_seq(last_seq());
    return bank.answer<v1::FindChangeResponse>(by_number);
  }
};

TEST_F(ChangeWordsTest, AWrongPinWasDeclined) {
  EXPECT_EQ(word(verify("1111", johns_card)), "PIN_WRONG");
  const v1::FindChangeResponse found = newest();
  EXPECT_EQ(found.refused().code(), v1::REFUSAL_CODE_PIN_WRONG);
  EXPECT_EQ(found.refused().left_count(), 2U);
  EXPECT_EQ(found.refused().ledger_seq(), last_seq());
  EXPECT_EQ(found.summary(),
            "It was declined: The PIN is wrong; it can be tried 2 times more. It was "
            "record_pin_attempt of ************0028.");
}

TEST_F(ChangeWordsTest, AReversalNamesTheAccountsAsTheMoneyWentAndWhoseTheBalanceIs) {
  const v1::TransferRequest paid = transfer_request(token(), "john", 9'50);
  EXPECT_EQ(word(bank.answer<v1::TransferResponse>(paid)), "yes");
  const auto reverse = [this](std::uint64_t seq) {
    v1::ReverseRequest request;
    request.set_id(bank.next_id());
    request.set_transfer_seq(seq);
    request.set_reason("wrong");
    bank.answer<v1::ReverseResponse>(request);
    return newest();
  };
  const std::uint64_t paid_seq = last_seq();
  const auto back = reverse(paid_seq);
  EXPECT_EQ(back.changes(0).account_id(), "john");
  EXPECT_EQ(back.executed().balance().balance().minor_units(),
            account("john").balance().minor_units());
  EXPECT_THAT(
      back.summary(),
      testing::StartsWith("It was done: reverse of 9.50 EUR from john to jane, taking back " +
                          std::to_string(paid_seq) + ". The balance of john was "));
  const std::uint64_t back_seq = last_seq();
  EXPECT_EQ(reverse(back_seq).summary(),
            "It was done: reverse of 9.50 EUR from jane to john, taking back " +
                std::to_string(back_seq) + ". The balance of jane was 90.50 EUR after it.");
  EXPECT_EQ(reverse(back_seq).summary(),
            "It was declined: That transfer was taken back already. It was reverse of transfer " +
                std::to_string(back_seq) + ".");
}

TEST_F(ChangeWordsTest, WhatHasNoAmountSaysWhatItWasAbout) {
  EXPECT_EQ(word(add_terminal("atm-7")), "yes");
  EXPECT_EQ(newest().summary(), "It was done: add_terminal of atm-7.");
  EXPECT_EQ(freeze("jane"), "yes");
  EXPECT_EQ(newest().summary(), "It was done: freeze of jane.");
  v1::ReplaceCardRequest replace;
  replace.set_old_card_number(janes_card);
  replace.set_new_card_number("4000000000000044");
  replace.set_pin("8642");
  replace.set_reason("worn");
  EXPECT_EQ(change<v1::ReplaceCardResponse>(replace), "yes");
  EXPECT_EQ(newest().summary(),
            "It was done: replace_card of ************0010, with ************0044.");
  EXPECT_EQ(unblock(janes_card), "CARD_REPLACED");
  EXPECT_EQ(newest().summary(),
            "It was declined: The card was replaced, and stays blocked for ever. It was "
            "unblock_card of ************0010.");
}

}  // namespace
}  // namespace bank
