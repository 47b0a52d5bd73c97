// What a customer's command prints, for people and as JSON, and what it exits with.
#include <algorithm>

#include "cli/amount.h"
#include "hostile_text.h"
#include "ops/failure.h"
#include "teller/commands.h"
#include "teller_fixture.h"

namespace teller {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using What = Wish::What;

class CommandTest : public TellerFixture {
 protected:
  // Exit code, standard output and standard error of one command.
  struct Ran {
    int code = 0;
    std::string out;
    std::string errors;
  };
  Ran run(Wish wish, bool json = false) {
    arrive();
    std::ostringstream out;
    if (output_is_lost) out.setstate(std::ios::badbit);
    std::ostringstream errors;
    const Pins pins{.pin = [this] { return pin; }, .new_pin = [] { return std::string("4321"); }};
    CustomerCommand command(*customer, interrupts, pins, json, out, errors);
    const int code = finish(command.run(std::move(wish)));
    return {.code = code, .out = out.str(), .errors = errors.str()};
  }
  Ran withdraw(std::int64_t amount, bool json = false) {
    return run({.what = What::withdraw, .amount = std::to_string(amount)}, json);
  }

  std::string pin = "1234";
  bool output_is_lost = false;
};

TEST_F(CommandTest, BalanceIsTwoLines) {
  const Ran ran = run({.what = What::balance});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "Balance:   100.00 EUR\nAvailable: 100.00 EUR\n");
  EXPECT_EQ(ran.errors, "");
  EXPECT_FALSE(atm.has_sessions());
}

TEST_F(CommandTest, BalanceIsOneJsonObject) {
  EXPECT_EQ(run({.what = What::balance}, true).out,
            "{\"outcome\":\"balance\",\"balance\":{\"balance\":{\"minor_units\":10000,"
            "\"currency\":\"EUR\"},\"available\":{\"minor_units\":10000,\"currency\":\"EUR\"}}}\n");
}

TEST_F(CommandTest, AWithdrawalTellsItsNotesAndWhatIsLeft) {
  const Ran ran = withdraw(60);
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "60.00 EUR paid: 3 x 20.00 EUR.\nAvailable: 40.00 EUR.\n");
  arrive();
  EXPECT_FALSE(customer->earlier());
}

TEST_F(CommandTest, AWithdrawalAsJsonHasItsId) {
  const Ran ran = withdraw(60, true);
  EXPECT_THAT(ran.out,
              StartsWith("{\"outcome\":\"withdrawn\",\"id\":\"" + customer->last_id().text() +
                         "\",\"withdrawn\":{\"amount\":{\"minor_units\":6000,"));
}

TEST_F(CommandTest, ADeclineIsASentenceAndExitsOne) {
  const Ran ran = withdraw(200);
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.errors, "teller: You have not enough money.\n");
  const Ran json = withdraw(200, true);
  EXPECT_EQ(json.code, 1);
  EXPECT_THAT(json.out, StartsWith("{\"outcome\":\"declined\",\"id\":\""));
  EXPECT_THAT(json.out, HasSubstr("\"declined\":{\"code\":\"by_bank\","));
}

TEST_F(CommandTest, ADeclineNamesTheAmountsThatCanBePaid) {
  atm::v1::Decline decline;
  decline.set_code(atm::v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  *decline.add_nearest() = euros(40);
  *decline.add_nearest() = euros(60);
  insert_card();
  finish(customer->end_session());
  atm.decline_next = decline;
  // The first decline is for the card: say it there, too.
  EXPECT_EQ(withdraw(50).errors,
            "teller: This ATM has no notes that make this amount. It can pay "
            "40.00 EUR or 60.00 EUR.\n");
}

TEST_F(CommandTest, AnAtmOfSeveralTerminalsIsToldWhichOne) {
  atm.decline_next.emplace().set_code(atm::v1::DECLINE_CODE_NO_SUCH_TERMINAL);
  const Ran ran = run({.what = What::balance});
  EXPECT_EQ(ran.errors, "teller: The ATM has no such terminal. Say which with --terminal ID.\n");
  EXPECT_EQ(ran.code, 64);
}

TEST_F(CommandTest, WhatOthersChoseStaysOnItsLine) {
  const auto said = [this](const std::string& text) {
    atm.reason = atm.terminal_id = text;
    std::string all = run({.what = What::statement}).out;
    atm.suspense_next.emplace().set_message(text);
    all += withdraw(20).errors;
    atm.decline_next.emplace().set_message(text);
    all += withdraw(20).errors;
    atm.currency = text;
    all += withdraw(20).errors;
    atm.currency = "EUR";
    return all;
  };
  const std::string harmless = said(std::string(ops::harmless_text));
  const std::string hostile = said(std::string(ops::hostile_text));
  EXPECT_EQ(ops::line_count(hostile), ops::line_count(harmless)) << hostile;
  EXPECT_EQ(ops::fault_in(hostile), "") << hostile;
}

TEST_F(CommandTest, AWrongPinExitsOneAndTellsTheTriesLeft) {
  pin = "9999";
  const Ran ran = run({.what = What::balance});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.errors, "teller: The PIN is wrong. Tries left: 2.\n");
}

TEST_F(CommandTest, WithoutAnAtmNothingWasChanged) {
  atm.close();
  const Ran ran = withdraw(60);
  EXPECT_EQ(ran.code, 69);
  EXPECT_THAT(ran.errors, StartsWith("teller: the ATM does not answer: cannot connect"));
  EXPECT_THAT(ran.errors, HasSubstr("Nothing was changed."));
  EXPECT_TRUE(pending->read().empty());
}

TEST_F(CommandTest, WithoutAnAtmNobodyIsAskedForAPin) {
  for (const bool is_there : {false, true}) {
    arrive();
    if (!is_there) atm.close();
    if (is_there) atm.open();
    loop.advance(std::chrono::seconds(10));
    bool is_asked = false;
    std::ostringstream out;
    std::ostringstream errors;
    const auto ask = [&] {
      is_asked = true;
      return std::string("1234");
    };
    const Pins pins{.pin = ask, .new_pin = ask, .show = {}, .asks_somebody = true};
    CustomerCommand command(*customer, interrupts, pins, false, out, errors);
    EXPECT_EQ(finish(command.run({.what = What::balance})), is_there ? 0 : 69);
    EXPECT_EQ(is_asked, is_there);
  }
}

TEST_F(CommandTest, WithoutAnAnswerItExits75AndTheNextCommandTellsWhatBecameOfIt) {
  atm.mishaps = {Mishap::silence};
  const Ran lost = withdraw(60);
  EXPECT_EQ(lost.code, 75);
  EXPECT_THAT(lost.errors,
              HasSubstr("your withdrawal of 60.00 EUR may have been done, or may not"));
  atm.end_sessions();
  const Ran next = run({.what = What::balance});
  EXPECT_EQ(next.code, 0);
  EXPECT_EQ(next.out,
            "Your earlier withdrawal of 60.00 EUR was done: 60.00 EUR paid: 3 x 20.00 EUR.\n"
            "Balance:   40.00 EUR\nAvailable: 40.00 EUR\n")
      << "what was available then is not told as what is";
  const Ran after = run({.what = What::balance});
  EXPECT_EQ(after.out, "Balance:   40.00 EUR\nAvailable: 40.00 EUR\n");
}

TEST_F(CommandTest, AnEarlierChangeThatNeverArrivedIsSaidOnceToBeUndone) {
  atm.mishaps = {Mishap::silence_not_done};
  withdraw(60);
  atm.end_sessions();
  EXPECT_THAT(run({.what = What::balance}).out,
              testing::StartsWith("Your earlier withdrawal of 60.00 EUR was not done, and never "
                                  "will be.\nBalance: "));
}

TEST_F(CommandTest, AWithdrawalThatWasGivenUpHasANumberToAskTheBankWith) {
  using namespace atm::v1;
  for (const DeclineCode code :
       {DECLINE_CODE_CANCELLED, DECLINE_CODE_BANK_SILENT, DECLINE_CODE_DISPENSER_FAULT}) {
    atm.lie.emplace().mutable_declined()->set_code(code);
    atm.lie->mutable_declined()->set_message("Nothing was paid.");
    const std::string told = withdraw(60).errors;
    EXPECT_EQ(told, "teller: Nothing was paid. Receipt " + customer->last_id().text() + ".\n");
  }
  atm.mishaps = {Mishap::silence};
  withdraw(60);
  const std::string id = pending->read().front().id.text();
  atm.end_sessions();
  EXPECT_THAT(run({.what = What::balance}).out,
              StartsWith("Your earlier withdrawal of 60.00 EUR was not done: Nothing was paid.\n"
                         "Receipt " +
                         id + ".\n"));
}

TEST_F(CommandTest, AnAnswerToAnotherKindOfChangeExits75AndIsNotForgotten) {
  atm.lie.emplace().mutable_withdrawn();
  const Ran lost = withdraw(60);
  EXPECT_EQ(lost.code, 75);
  EXPECT_EQ(lost.out, "");
  EXPECT_THAT(lost.errors, HasSubstr("what the ATM says is no answer to a withdrawal): your "
                                     "withdrawal of 60.00 EUR may have been done, or may not"));
  atm.lie->mutable_pin_changed();
  EXPECT_EQ(withdraw(20).code, 75);
  EXPECT_THAT(run({.what = What::balance}).errors, HasSubstr("still has no answer"));
  atm.lie.reset();
  EXPECT_THAT(run({.what = What::balance}).out, StartsWith("Your earlier withdrawal of 60.00 EUR "
                                                           "was done"));
}

TEST_F(CommandTest, TheNextCommandTellsInJsonToo) {
  atm.mishaps = {Mishap::silence_not_done};
  const Ran lost = withdraw(60, true);
  EXPECT_EQ(lost.code, 75);
  const std::string id = customer->last_id().text();
  EXPECT_THAT(lost.out, StartsWith("{\"outcome\":\"unknown\",\"id\":\"" + id + "\",\"message\":"));
  atm.end_sessions();
  const Ran next = run({.what = What::balance}, true);
  EXPECT_THAT(next.out, HasSubstr("\"earlier\":{\"id\":\"" + id +
                                  "\",\"kind\":\"withdrawal\",\"what\":\"60.00 EUR\",\"outcome\":"
                                  "\"declined\""));
  EXPECT_THAT(next.out, StartsWith("{\"outcome\":\"balance\""));
}

TEST_F(CommandTest, NothingNewBeginsWhileAnEarlierChangeIsUnknown) {
  atm.mishaps = {Mishap::goes_down};
  EXPECT_EQ(withdraw(60).code, 75);
  const Ran second = withdraw(20);
  EXPECT_EQ(second.code, 75);
  EXPECT_THAT(second.errors, StartsWith("teller: Your earlier withdrawal of 60.00 EUR still has no "
                                        "answer"));
  EXPECT_THAT(second.errors, HasSubstr("Nothing else was begun"));
  EXPECT_EQ(atm.changes_seen, 1);
  atm.open();
  const Ran third = withdraw(20);
  EXPECT_EQ(third.code, 0);
  EXPECT_EQ(atm.balance, 2000);
}

TEST_F(CommandTest, AQuestionWithoutAnAnswerSaysNothingOfWhatAnEarlierChangeDid) {
  atm.mishaps = {Mishap::goes_down};
  EXPECT_EQ(withdraw(60).code, 75);
  const Ran balance = run({.what = What::balance});
  EXPECT_EQ(balance.code, 69);
  EXPECT_THAT(balance.errors,
              testing::EndsWith(". This command changed nothing; what became of your earlier "
                                "withdrawal of 60.00 EUR is still unknown.\n"));
}

TEST_F(CommandTest, CtrlCWhileWaitingIsUnknownAndRemembered) {
  atm.mishaps = {Mishap::silence};
  arrive();
  std::ostringstream out;
  std::ostringstream errors;
  const Pins pins{.pin = [] { return std::string("1234"); }, .new_pin = {}};
  CustomerCommand command(*customer, interrupts, pins, false, out, errors);
  async::Running<int> running(command.run({.what = What::withdraw, .amount = "60"}));
  loop.settle();
  interrupts.press();
  loop.advance(std::chrono::seconds(5));
  ASSERT_TRUE(running.is_done());
  EXPECT_EQ(running.result(), 75);
  EXPECT_THAT(errors.str(), HasSubstr("you did not wait for it"));
  EXPECT_EQ(pending->read().size(), 1);
}

TEST_F(CommandTest, WhatCannotBePrintedIsToldAgain) {
  output_is_lost = true;
  const Ran lost = withdraw(60);
  EXPECT_EQ(lost.code, 74);
  EXPECT_EQ(lost.errors,
            "teller: The output cannot be written. It was done, and your next teller command tells "
            "it.\n");
  EXPECT_EQ(pending->read().size(), 1);
  const Ran untold = withdraw(20);
  EXPECT_EQ(untold.code, 73);
  EXPECT_EQ(
      untold.errors,
      "teller: The output cannot be written. Nothing was changed; what became of your earlier "
      "withdrawal of 60.00 EUR is told by your next teller command.\n");
  EXPECT_EQ(atm.changes_seen, 1);
  output_is_lost = false;
  EXPECT_THAT(run({.what = What::balance}).out,
              StartsWith("Your earlier withdrawal of 60.00 EUR was "
                         "done"));
}

TEST_F(CommandTest, ANoIsANoAlsoWhereItCannotBePrinted) {
  output_is_lost = true;
  const Ran ran = withdraw(200, true);
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.errors, "teller: You have not enough money.\n");
}

TEST_F(CommandTest, WhatJsonCouldNotTellOfAnEarlierChangeIsSaid) {
  atm.mishaps = {Mishap::silence};
  EXPECT_EQ(withdraw(60).code, 75);
  atm.end_sessions();
  arrive();
  class Full final : public std::streambuf {};  // As a disk: the first write fails.
  Full full;
  std::ostream out(&full);
  std::ostringstream errors;
  const Pins pins{.pin = [this] { return pin; }, .new_pin = {}};
  CustomerCommand command(*customer, interrupts, pins, true, out, errors);
  finish(command.run({.what = What::balance}));
  EXPECT_THAT(errors.str(), StartsWith("teller: Your earlier withdrawal of 60.00 EUR was done: "
                                       "60.00 EUR paid"));
}

TEST_F(CommandTest, SuspenseIsNotDoneAndNotDeclined) {
  atm::v1::Suspense suspense;
  *suspense.mutable_amount() = euros(60);
  atm.suspense_next = suspense;
  const Ran ran = withdraw(60);
  EXPECT_EQ(ran.code, 75);
  EXPECT_THAT(ran.errors,
              HasSubstr("60.00 EUR stays reserved until your bank has looked into it. Receipt " +
                        customer->last_id().text()));
  EXPECT_TRUE(pending->read().empty()) << "an answer is not asked for again";
  EXPECT_THAT(run({.what = What::balance}).out, StartsWith("Balance:"));
}

TEST_F(CommandTest, AmountsAreInTheAccountsCurrency) {
  atm.currency = "JPY";
  atm.faces = {1000, 5000, 10000};
  EXPECT_EQ(withdraw(800).out, "800 JPY paid: 0 x 2000 JPY.\nAvailable: 9200 JPY.\n");
  EXPECT_EQ(run({.what = What::deposit, .notes = {"10x1000"}}).out,
            "10000 JPY credited.\nAvailable: 19200 JPY.\n");
  EXPECT_EQ(run({.what = What::deposit, .notes = {"6000"}}).out,
            "6000 JPY credited.\nAvailable: 25200 JPY.\n");
  EXPECT_EQ(run({.what = What::transfer, .amount = "200", .target_account = "john"}).out,
            "200 JPY transferred.\nAvailable: 25000 JPY.\n");
}

TEST_F(CommandTest, AnotherCurrencyIsNotSent) {
  atm.currency = "KWD";
  const Ran ran = run({.what = What::withdraw, .amount = "60", .currency = "EUR"});
  EXPECT_EQ(ran.code, 64);
  EXPECT_EQ(ran.errors, "teller: Your account is in KWD, and not in EUR.\n");
  const Ran deposit = run({.what = What::deposit, .notes = {"1x20"}, .currency = "EUR"});
  EXPECT_EQ(deposit.code, 64);
  EXPECT_EQ(deposit.errors, "teller: This ATM's notes are in KWD, and not in EUR.\n");
  EXPECT_EQ(atm.changes_seen, 0);
}

TEST_F(CommandTest, WhatTheAtmDidNotAcceptOfADepositIsTold) {
  atm.hands_back.emplace();
  *atm.hands_back->mutable_denomination() = euros(50);
  atm.hands_back->set_count(2);
  const Wish deposit{.what = What::deposit, .notes = {"1x20"}};
  EXPECT_EQ(run(deposit).out,
            "20.00 EUR credited. Not accepted, and handed back: 2 x 50.00 EUR.\n"
            "Available: 120.00 EUR.\n");
}

TEST_F(CommandTest, WhatIsNoAmountOfTheAccountsCurrencyIsNotSentAndEndsTheSession) {
  atm.currency = "JPY";
  const Ran ran = run({.what = What::withdraw, .amount = "60.5"}, true);
  EXPECT_EQ(ran.code, 64);
  EXPECT_EQ(ran.out,
            "{\"outcome\":\"error\",\"message\":\"'60.5' is not an amount: JPY has no digits after "
            "a point.\"}\n");
  EXPECT_EQ(atm.changes_seen, 0);
  EXPECT_FALSE(atm.has_sessions());
}

TEST_F(CommandTest, WhatIsAboutToBeDoneIsShown) {
  arrive();
  atm.currency = "KWD";
  std::ostringstream out;
  std::ostringstream errors;
  std::string shown;
  const Pins pins{.pin = [] { return std::string("1234"); },
                  .new_pin = {},
                  .show =
                      [&](const std::string& what) {
                        EXPECT_TRUE(!shown.empty() || atm.changes_seen == 0);
                        shown += what + "\n";
                      }};
  CustomerCommand command(*customer, interrupts, pins, false, out, errors);
  EXPECT_EQ(finish(command.run({.what = What::withdraw, .amount = "6"})), 0);
  EXPECT_EQ(shown, "Your withdrawal of 6.000 KWD ...\n");
  CustomerCommand transfer(*customer, interrupts, pins, false, out, errors);
  const Wish two{.what = What::transfer, .amount = "2", .target_account = "john"};
  EXPECT_EQ(finish(transfer.run(two)), 0);
  EXPECT_THAT(shown, testing::EndsWith("Your transfer of 2.000 KWD to john ...\n"));
  pending->write({.id = cli::new_id(loop.wall_now(), random),
                  .kind = "deposit",
                  .what = "50.000 KWD",
                  .atm_id = atm.atm_id});
  CustomerCommand next(*customer, interrupts, pins, false, out, errors);
  EXPECT_EQ(finish(next.run({.what = What::balance})), 0);
  EXPECT_THAT(shown, testing::EndsWith("One moment: what became of your earlier deposit of 50.000 "
                                       "KWD?\n"));
}

TEST_F(CommandTest, DepositTransferStatementAndPin) {
  const Wish deposit{.what = What::deposit, .notes = {"2x50", "1x20"}};
  EXPECT_EQ(run(deposit).out, "120.00 EUR credited.\nAvailable: 220.00 EUR.\n");
  const Wish transfer{.what = What::transfer, .amount = "20", .target_account = "john"};
  EXPECT_EQ(run(transfer).out, "20.00 EUR transferred.\nAvailable: 200.00 EUR.\n");
  const Ran statement = run({.what = What::statement, .entries = 2});
  EXPECT_EQ(statement.out,
            "TIME                  WHAT        WITH           AMOUNT     BALANCE\n"
            "2026-11-23 02:09:45Z  withdrawal  cash:atm-1  -1.00 EUR  100.00 EUR\n"
            "2026-11-23 02:09:45Z  withdrawal  cash:atm-1  -2.00 EUR  100.00 EUR\n"
            "There are older entries.\nFor more of them say --entries N.\n");
  EXPECT_EQ(run({.what = What::change_pin}).out, "Your PIN was changed.\n");
  EXPECT_EQ(atm.pin, "4321");
}

TEST_F(CommandTest, AFailureBeforeTheAtmIsAskedIsOneObjectThatTellsOfTheEarlierChange) {
  atm.mishaps = {Mishap::silence};
  EXPECT_EQ(withdraw(60).code, 75);
  atm.end_sessions();
  arrive();
  std::ostringstream out;
  std::ostringstream errors;
  const auto no_file = []() -> std::string {
    throw ops::Failure(ops::ExitCode::no_input, "pin.txt is not there");
  };
  CustomerCommand command(*customer, interrupts, {.pin = no_file, .new_pin = no_file}, true, out,
                          errors);
  EXPECT_THROW(finish(command.run({.what = What::balance})), ops::Failure);
  EXPECT_THAT(out.str(), StartsWith("{\"outcome\":\"error\",\"message\":\"pin.txt is not there.\","
                                    "\"earlier\":{\"id\":"));
  EXPECT_EQ(std::ranges::count(out.str(), '\n'), 1);
}

TEST_F(CommandTest, AChangeAtAnotherAtmIsMentionedAndNotForgotten) {
  atm.mishaps = {Mishap::silence};
  EXPECT_EQ(withdraw(60).code, 75);
  atm.become("the other of ATMs");
  const Ran here = withdraw(20);
  EXPECT_EQ(here.code, 0);
  EXPECT_EQ(here.errors,
            "teller: Your earlier withdrawal of 60.00 EUR was begun at another ATM and has no "
            "answer yet; ask there.\n");
  atm.become("the first of ATM");
  EXPECT_THAT(run({.what = What::balance}).out,
              StartsWith("Your earlier withdrawal of 60.00 EUR was done: 60.00 EUR paid"));
}

}  // namespace
}  // namespace teller
