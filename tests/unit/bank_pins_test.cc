// Cards and PINs over the wire: tries, locks, unknown cards, new PINs.
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

class BankPinsTest : public BankTest {
 protected:
  BankPinsTest() { open_doors(); }

  // "PIN_WRONG 2".
  std::string try_pin(const std::string& pin, const std::string& card = janes_card) {
    const v1::VerifyCardResponse response = verify(pin, card);
    EXPECT_EQ(response.tries_left(), response.refusal().left_count());
    return word(response) + " " + std::to_string(response.tries_left());
  }
  v1::ChangePinResponse change_pin(const std::string& old_pin, const std::string& new_pin) {
    return bank.answer<v1::ChangePinResponse>(change_pin_request(token(), old_pin, new_pin));
  }
  rpc::StatusCode status_of_pin(const std::string& pin) {
    v1::VerifyCardResponse response;
    return bank.ask(verify_request(pin, janes_card), response).code;
  }
  v1::CardState card_state(const std::string& account) {
    v1::ListCardsRequest request;
    request.set_account_id(account);
    return bank.answer<v1::ListCardsResponse>(request).cards(0).state();
  }
  // How long the bank takes to answer.
  template <typename Response, typename Request>
  async::Duration time_of(Request request) {
    const async::Instant began = bank.loop.now();
    const auto asked = bank.begin<Response>(std::move(request));
    bank.loop.settle();
    while (!asked->status) bank.loop.advance(1ms);
    return bank.loop.now() - began;
  }
};

TEST_F(BankPinsTest, ThreeWrongPinsLockACardAndTheRightOneDoesNotHelp) {
  EXPECT_EQ(try_pin("0001"), "PIN_WRONG 2");
  EXPECT_EQ(try_pin("0002"), "PIN_WRONG 1");
  EXPECT_EQ(try_pin("0003"), "PIN_WRONG 0");
  EXPECT_EQ(try_pin("0004"), "PIN_TRIES_EXCEEDED 0");
  EXPECT_EQ(try_pin(janes_pin), "PIN_TRIES_EXCEEDED 0");
  EXPECT_EQ(card_state("jane"), v1::CARD_STATE_PIN_LOCKED);
  EXPECT_EQ(try_pin(johns_pin, johns_card), "yes 0");

  EXPECT_EQ(unblock(janes_card), "yes");
  EXPECT_EQ(try_pin("0005"), "PIN_WRONG 2");
  EXPECT_EQ(try_pin(janes_pin), "yes 0");
  EXPECT_EQ(try_pin("0006"), "PIN_WRONG 2") << "The right one forgets the wrong ones.";
}

TEST_F(BankPinsTest, ARightPinChangesNothingAndIsTakenWhileTheDiskIsFull) {
  bank.journal.is_full = true;
  EXPECT_EQ(try_pin(janes_pin), "yes 0");
  const v1::VerifyCardResponse verified = verify(janes_pin, janes_card);
  EXPECT_FALSE(verified.verified().token().empty());
  EXPECT_EQ(status_of_pin("0001"), rpc::StatusCode::failed_precondition)
      << "A wrong one must be written down.";
  bank.journal.is_full = false;
  EXPECT_EQ(try_pin("0001"), "PIN_WRONG 2");
  bank.journal.is_full = true;
  EXPECT_EQ(status_of_pin(janes_pin), rpc::StatusCode::failed_precondition)
      << "The right one forgets the wrong ones, which is a change.";
  bank.journal.is_full = false;
  EXPECT_EQ(try_pin(janes_pin), "yes 0");
}

TEST_F(BankPinsTest, WrongPinsOutliveARestart) {
  EXPECT_EQ(try_pin("0001"), "PIN_WRONG 2");
  EXPECT_EQ(try_pin("0002"), "PIN_WRONG 1");
  bank.restart();
  EXPECT_EQ(try_pin("0003"), "PIN_WRONG 0");
  bank.restart();
  EXPECT_EQ(try_pin(janes_pin), "PIN_TRIES_EXCEEDED 0");
}

TEST_F(BankPinsTest, AWrongPinIsInTheJournalBeforeItIsTold) {
  bank.executor.is_held = true;
  const auto asked = bank.begin<v1::VerifyCardResponse>(verify_request("0001"));
  bank.loop.settle();
  bank.loop.advance(1s);
  EXPECT_FALSE(asked->status.has_value());
  bank.executor.go_on();
  bank.loop.settle();
  EXPECT_EQ(word(asked->response), "PIN_WRONG");
}

TEST_F(BankPinsTest, GuessesSideBySideAreNoMoreThanThree) {
  std::vector<RunningCallPtr<v1::VerifyCardResponse>> guesses;
  for (int i = 0; i < 20; ++i) {
    guesses.push_back(
        bank.begin<v1::VerifyCardResponse>(verify_request("100" + std::to_string(i % 10))));
  }
  guesses.push_back(bank.begin<v1::VerifyCardResponse>(verify_request(janes_pin)));
  bank.loop.settle();
  bank.loop.advance(1s);
  std::map<std::string, int> answers;
  for (const auto& guess : guesses) {
    ASSERT_TRUE(guess->status && guess->status->is_ok());
    ++answers[word(guess->response)];
  }
  EXPECT_EQ(answers, (std::map<std::string, int>{{"PIN_WRONG", 3}, {"PIN_TRIES_EXCEEDED", 18}}));
}

TEST_F(BankPinsTest, GuessesThatNobodyWaitsForAreCountedToo) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(bank.code<v1::VerifyCardResponse>(verify_request("0001"), 50ms),
              rpc::StatusCode::deadline_exceeded);
  }
  EXPECT_EQ(try_pin(janes_pin), "PIN_TRIES_EXCEEDED 0");
}

TEST_F(BankPinsTest, AnUnknownCardIsAnsweredLikeAWrongPin) {
  const std::string unknown = "4999999999999999";
  for (const char* pin : {"0001", "0002", "0003", "0004"}) {
    const v1::VerifyCardResponse janes = verify(pin);
    const v1::VerifyCardResponse nobodys = verify(pin, unknown);
    EXPECT_EQ(janes.SerializeAsString(), nobodys.SerializeAsString()) << janes.DebugString();
  }
}

TEST_F(BankPinsTest, NoRefusalOfAPinTellsByItsTimeWhatWasDone) {
  EXPECT_EQ(time_of<v1::VerifyCardResponse>(verify_request("0001")), refused_pin_time_min);
  EXPECT_EQ(time_of<v1::VerifyCardResponse>(verify_request("0001", "4999999999999999")),
            refused_pin_time_min);
  EXPECT_EQ(time_of<v1::VerifyCardResponse>(verify_request(janes_pin)), 0ms);
}

TEST_F(BankPinsTest, ABlockedCardIsNoPlaceToGuess) {
  block(janes_card);
  EXPECT_EQ(try_pin(janes_pin), "CARD_BLOCKED 0");
  EXPECT_EQ(try_pin("0001"), "CARD_BLOCKED 0");
}

TEST_F(BankPinsTest, OnlyFourToTwelveDigitsAreTried) {
  for (const char* pin : {"", "123", "1234567890123", "12a4"}) {
    const v1::VerifyCardResponse response = verify(pin);
    EXPECT_EQ(word(response), "MALFORMED") << pin;
    EXPECT_EQ(response.refusal().field(), "pin");
  }
  EXPECT_EQ(try_pin("0001"), "PIN_WRONG 2") << "Those were no tries.";
}

TEST_F(BankPinsTest, ATerminalOutOfServiceVerifiesNobody) {
  v1::SetTerminalServiceRequest request;
  request.set_terminal_id("atm-1");
  request.set_in_service(false);
  EXPECT_EQ(change<v1::SetTerminalServiceResponse>(request), "yes");
  EXPECT_EQ(try_pin(janes_pin), "TERMINAL_OUT_OF_SERVICE 0");
  v1::VerifyCardRequest elsewhere = verify_request(janes_pin);
  elsewhere.set_terminal_id("atm-9");
  EXPECT_EQ(word(bank.answer<v1::VerifyCardResponse>(elsewhere)), "TERMINAL_NOT_FOUND");
}

// --- New PINs ---

TEST_F(BankPinsTest, AChangedPinIsTheOnlyOne) {
  EXPECT_EQ(word(change_pin(janes_pin, "8642")), "yes");
  EXPECT_EQ(try_pin(janes_pin), "PIN_WRONG 2");
  EXPECT_EQ(try_pin("8642"), "yes 0");
}

TEST_F(BankPinsTest, AChangeWithTheWrongOldPinIsATry) {
  const std::string proven = token();
  const auto wrong = [&] {
    const auto request = change_pin_request(proven, "0001", "8642");
    const auto response = bank.answer<v1::ChangePinResponse>(request);
    return word(response) + " " + std::to_string(response.tries_left());
  };
  EXPECT_EQ(wrong(), "PIN_WRONG 2");
  EXPECT_EQ(wrong(), "PIN_WRONG 1");
  EXPECT_EQ(wrong(), "PIN_WRONG 0");
  EXPECT_EQ(card_state("jane"), v1::CARD_STATE_PIN_LOCKED);
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(proven)),
            rpc::StatusCode::unauthenticated)
      << "A locked card's tokens are worth nothing.";
}

TEST_F(BankPinsTest, AnEasilyGuessedPinIsNotTaken) {
  const std::string proven = token();
  const auto request = change_pin_request(proven, janes_pin, "1234");
  const auto refused = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_EQ(word(refused), "PIN_UNSUITABLE");
  EXPECT_EQ(try_pin(janes_pin), "yes 0");
  v1::ChangePinRequest malformed = change_pin_request(proven, janes_pin, "12");
  EXPECT_EQ(bank.answer<v1::ChangePinResponse>(malformed).refusal().field(), "new_pin");
  malformed = change_pin_request(proven, "12", "8642");
  EXPECT_EQ(bank.answer<v1::ChangePinResponse>(malformed).refusal().field(), "old_pin");
}

TEST_F(BankPinsTest, TheSameIdWithAnotherNewPinIsNotToldThatItWasChanged) {
  const v1::ChangePinRequest first = change_pin_request(token(), janes_pin, "8520");
  EXPECT_EQ(word(bank.answer<v1::ChangePinResponse>(first)), "yes");
  v1::ChangePinRequest other = first;
  other.set_new_pin("9630");
  const auto told = bank.answer<v1::ChangePinResponse>(other);
  EXPECT_EQ(word(told), "ID_USED_WITH_OTHER_FIELDS");
  EXPECT_EQ(told.refusal().field(), "new_pin");
  EXPECT_TRUE(bank.answer<v1::ChangePinResponse>(first).changed().replayed());
  EXPECT_EQ(try_pin("8520"), "yes 0");

  // Whoever has not proven the card's PIN is told the first answer, and learns nothing of any PIN.
  other.set_token("");
  EXPECT_TRUE(bank.answer<v1::ChangePinResponse>(other).changed().replayed());
}

TEST_F(BankPinsTest, ATokenIsAskedForAfterShapeAndIdempotency) {
  const v1::HoldRequest held = hold_request(token(), 10'00);
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(held)), "yes");
  const v1::HoldRequest later = hold_request(held.token(), 10'00);
  EXPECT_EQ(
      word(bank.answer<v1::ChangePinResponse>(change_pin_request(held.token(), janes_pin, "8520"))),
      "yes");
  EXPECT_EQ(word(bank.answer<v1::GetBalanceResponse>(balance_request(held.token()))), "yes")
      << "A token outlives a change of PIN.";
  EXPECT_EQ(try_pin("8520"), "yes 0");  // Another one takes its place.

  EXPECT_TRUE(bank.answer<v1::HoldResponse>(held).receipt().replayed());
  EXPECT_EQ(bank.code<v1::HoldResponse>(later), rpc::StatusCode::unauthenticated);
  v1::HoldRequest malformed = later;
  malformed.set_time_to_live_ms(0);
  EXPECT_EQ(bank.answer<v1::HoldResponse>(malformed).refusal().field(), "time_to_live_ms");
  v1::HoldRequest proven = later;
  proven.set_token(verify("8520").verified().token());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(proven)), "yes") << "The id was left unused.";
}

TEST_F(BankPinsTest, AnUnsuitablePinLeavesTheIdForAnother) {
  v1::ChangePinRequest request = change_pin_request(token(), janes_pin, "1234");
  const auto unsuitable = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_EQ(word(unsuitable), "PIN_UNSUITABLE");
  EXPECT_EQ(unsuitable.refusal().ledger_seq(), 0U) << "It is not pinned.";
  request.set_new_pin(janes_pin);
  const auto same = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_EQ(word(same), "PIN_UNSUITABLE");
  EXPECT_EQ(same.refusal().message(), "The new PIN is the same as the old one; choose another.");
  request.set_new_pin("8520");
  EXPECT_EQ(word(bank.answer<v1::ChangePinResponse>(request)), "yes");
}

TEST_F(BankPinsTest, ARetriedChangeGetsItsFirstAnswerWithoutTokenAndWithAnOldPinThatIsWrongNow) {
  const v1::ChangePinRequest request = change_pin_request(token(), janes_pin, "8642");
  const auto changed = bank.answer<v1::ChangePinResponse>(request);
  ASSERT_EQ(word(changed), "yes");
  const auto again = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_TRUE(again.changed().replayed());
  bank.restart();
  const auto later = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_TRUE(later.changed().replayed());
  EXPECT_EQ(later.changed().ledger_seq(), changed.changed().ledger_seq());
  EXPECT_EQ(try_pin("0001"), "PIN_WRONG 2") << "No retry was a try.";
}

TEST_F(BankPinsTest, ARetriedChangeThatWasRefusedIsNoSecondTry) {
  const v1::ChangePinRequest request = change_pin_request(token(), "0001", "8642");
  const auto refused = bank.answer<v1::ChangePinResponse>(request);
  bank.restart();
  const auto again = bank.answer<v1::ChangePinResponse>(request);
  EXPECT_EQ(again.SerializeAsString(), refused.SerializeAsString());
  EXPECT_EQ(try_pin("0002"), "PIN_WRONG 1");
}

TEST_F(BankPinsTest, TheSameChangeTwiceAtOnceIsOneChange) {
  const v1::ChangePinRequest request = change_pin_request(token(), janes_pin, "8642");
  const auto first = bank.begin<v1::ChangePinResponse>(request);
  const auto second = bank.begin<v1::ChangePinResponse>(request);
  bank.loop.settle();
  EXPECT_EQ(word(first->response), "yes");
  EXPECT_EQ(word(second->response), "yes");
  EXPECT_NE(first->response.changed().replayed(), second->response.changed().replayed());
  EXPECT_EQ(try_pin("8642"), "yes 0");
}

// --- Cards that take another's place ---

TEST_F(BankPinsTest, AReplacedCardIsBlockedForEver) {
  const std::string proven = token();
  v1::ReplaceCardRequest request;
  request.set_old_card_number(janes_card);
  request.set_new_card_number("4000000000000044");
  request.set_pin("8642");
  request.set_reason("worn");
  EXPECT_EQ(change<v1::ReplaceCardResponse>(request), "yes");
  EXPECT_EQ(bank.code<v1::GetBalanceResponse>(balance_request(proven)),
            rpc::StatusCode::unauthenticated);
  EXPECT_EQ(try_pin(janes_pin), "CARD_BLOCKED 0");
  EXPECT_EQ(unblock(janes_card), "CARD_REPLACED");
  v1::UnblockCardRequest again;
  again.set_id(bank.next_id());
  again.set_card_number(janes_card);
  again.set_reason("found");
  EXPECT_EQ(bank.answer<v1::UnblockCardResponse>(again).refusal().message(),
            "The card was replaced, and stays blocked for ever.");
  EXPECT_EQ(verify("8642", "4000000000000044").verified().account_id(), "jane");
}

}  // namespace
}  // namespace bank
