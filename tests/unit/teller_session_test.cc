// The session at the ATM, played by a person whose lines are known.
#include "hostile_text.h"
#include "teller/session.h"
#include "teller_fixture.h"

namespace teller {
namespace {

using cli::Answer;
using testing::HasSubstr;
using testing::Not;

// A person who says what the test wrote down, then hangs up.
class ScriptedTerminal final : public cli::Terminal {
 public:
  void write(std::string_view text) override {
    if (!loses.empty() && text.find(loses) != std::string_view::npos) lost = "It is full";
    if (lost.empty()) screen += text;
  }
  std::string why_lost() const override { return lost; }
  Answer ask(std::string_view prompt, async::Duration) override {
    write(prompt);
    Answer answer = next();
    write(answer.text + "\n");
    return answer;
  }
  Answer ask_hidden(std::string_view prompt, async::Duration) override {
    write(prompt);
    write("\n");
    return next();
  }

  std::deque<Answer> answers;
  std::string screen;
  std::string loses;  // What has this in it is lost, and all that comes after.
  std::string lost;

 private:
  Answer next() {
    if (!lost.empty()) return {.kind = Answer::Kind::unasked, .text = ""};
    if (answers.empty()) return {.kind = Answer::Kind::end_of_input, .text = ""};
    Answer answer = answers.front();
    answers.pop_front();
    return answer;
  }
};

class SessionTest : public TellerFixture {
 protected:
  // Plays a session; gives its exit code.
  int play(std::deque<std::string> lines, std::optional<std::string> pin = std::nullopt) {
    arrive();
    for (std::string& line : lines) terminal.answers.push_back({.text = std::move(line)});
    Session session(loop, *customer, terminal, interrupts,
                    {.masked_card = "************0010", .pin = std::move(pin)});
    return finish(session.run());
  }
  const std::string& screen() const { return terminal.screen; }

  ScriptedTerminal terminal;
};

TEST_F(SessionTest, CardPinMenuCashReceiptCard) {
  atm.withdrawal_entry = 7;
  EXPECT_EQ(play({"1234", "1", "1", "0"}), 0);
  EXPECT_THAT(screen(), HasSubstr("PIN: \n\nGood day, Jane Doe.\n"));
  EXPECT_THAT(screen(), HasSubstr("Please take your cash:\n  1. 20.00 EUR\n"));
  EXPECT_THAT(screen(), HasSubstr("  Receipt    "));
  EXPECT_THAT(screen(), HasSubstr("  Card       ************0010\n"
                                  "  What       withdrawal of 20.00 EUR\n"
                                  "  Available  80.00 EUR\n"
                                  "  Number     " +
                                  customer->last_id().text() + "\n  At bank    entry 7\n"));
  EXPECT_TRUE(screen().ends_with("Please take your card. Good-bye.\n"));
  EXPECT_THAT(screen(), Not(HasSubstr("1234")));
  EXPECT_FALSE(atm.has_sessions());
  EXPECT_TRUE(pending->read().empty());
}

TEST_F(SessionTest, WhatOthersChoseStaysOnItsLine) {
  const auto visit = [this](const std::string& text) {
    atm.customer_name = atm.terminal_id = atm.reason = text;
    atm.suspense_next.emplace().set_message(text);
    atm::v1::Decline decline;
    decline.set_message(text);
    terminal.screen.clear();
    play({"1234", "3", "5", "withdraw 20", "2", "1x20", "2", text, "4", text, "1", "y", "0"});
    atm.decline_next = decline;
    play({"1234"});
    return screen();
  };
  const std::string harmless = visit(std::string(ops::harmless_text));
  const std::string typed(ops::hostile_text);
  std::string hostile = visit(typed);
  // The terminal's own echo of what was typed at the two questions.
  for (int i = 0; i < 2; ++i)
    hostile.replace(hostile.find(": " + typed + "\n") + 2, typed.size(), "jane");
  EXPECT_EQ(ops::line_count(hostile), ops::line_count(harmless)) << hostile;
  EXPECT_EQ(ops::fault_in(hostile), "") << hostile;
}

TEST_F(SessionTest, NotesAreCountedOutOneByOne) {
  play({"1234", "withdraw 60", "end"});
  EXPECT_THAT(screen(), HasSubstr("  1. 20.00 EUR\n  2. 20.00 EUR\n  3. 20.00 EUR\n"));
}

TEST_F(SessionTest, EveryChoiceOfTheMenu) {
  EXPECT_EQ(play({"1234", "3", "2", "2x50", "4", "john", "9.50", "y", "5", "6", "1234", "4321",
                  "4321", "0"}),
            0);
  EXPECT_THAT(screen(), HasSubstr("Balance:   100.00 EUR\n"));
  EXPECT_THAT(screen(), HasSubstr("100.00 EUR credited."));
  EXPECT_THAT(screen(), HasSubstr("Transfer 9.50 EUR to john? [y/N] y\n"));
  EXPECT_THAT(screen(), HasSubstr("9.50 EUR transferred."));
  EXPECT_THAT(screen(), HasSubstr("-10.00 EUR"));  // The statement's tenth entry.
  EXPECT_THAT(screen(), HasSubstr("Your PIN was changed."));
  EXPECT_EQ(atm.pin, "4321");
}

TEST_F(SessionTest, WhatIsWrittenWronglyIsAskedAgainAndNothingIsSent) {
  EXPECT_EQ(
      play({"1234", "9", "1",    "5",   "12.345", "1",    "-1",   "withdraw 0", "2",    "3x", "2",
            "12",   "4", "john", "1e3", "4",      "john", "5",    "n",          "1",    "0",  "1",
            "",     "2", "",     "4",   "",       "6",    "1234", "1111",       "2222", "0"}),
      0);
  EXPECT_EQ(atm.changes_seen, 0);
  EXPECT_THAT(screen(), HasSubstr("'9' is none of the choices. A number of the menu, or a word: "));
  EXPECT_THAT(screen(), HasSubstr("'12.345' is not an amount: EUR has at most 2 digits after the "
                                  "point."));
  EXPECT_THAT(screen(), HasSubstr("'-1' is not an amount: it must not be negative."));
  EXPECT_THAT(screen(), HasSubstr("An amount must be more than 0."));
  EXPECT_THAT(screen(), HasSubstr("No notes make 12: there are notes of 5, 10, 20, 50, 100 "
                                  "and 200 EUR."));
  EXPECT_THAT(screen(), HasSubstr("Nothing was transferred."));
  EXPECT_THAT(screen(), HasSubstr("The two are not the same; your PIN stays as it was."));
}

TEST_F(SessionTest, WhatStandsBehindAWordIsNotAskedForAgain) {
  play({"1234", "deposit 1x20 1x10", "transfer 5 jane", "y", "transfer 2.50\tjohn", "n", "2 1x50",
        "quit"});
  EXPECT_THAT(screen(), HasSubstr("30.00 EUR credited."));
  EXPECT_THAT(screen(), HasSubstr("Transfer 5.00 EUR to jane? [y/N] y\n"));
  EXPECT_THAT(screen(), HasSubstr("5.00 EUR transferred."));
  EXPECT_THAT(screen(), HasSubstr("Transfer 2.50 EUR to john? [y/N] n\nNothing was transferred."));
  EXPECT_THAT(screen(), HasSubstr("50.00 EUR credited."));
  EXPECT_THAT(screen(), Not(HasSubstr("Your notes")));
  EXPECT_THAT(screen(), Not(HasSubstr("To which account")));
  EXPECT_EQ(atm.balance, 17500);
}

TEST_F(SessionTest, WhatAWordLacksIsAskedFor) {
  play({"1234", "transfer 5", "jane", "y", "transfer jane", "transfer 5", "", "transfer", "jane",
        "", "transfer 2,50", "deposit", "", "withdraw", "", "quit"});
  EXPECT_THAT(screen(), HasSubstr("Your choice: transfer 5\n"
                                  "To which account (nothing to go back): jane\n"
                                  "Transfer 5.00 EUR to jane? [y/N] y\n"));
  EXPECT_THAT(screen(), HasSubstr("5.00 EUR transferred."));
  EXPECT_THAT(screen(), HasSubstr("Your choice: transfer jane\n'jane' is not an amount"));
  EXPECT_THAT(screen(), HasSubstr("Amount (nothing to go back): \n\n"));
  EXPECT_THAT(screen(), HasSubstr("'2,50' is not an amount"));
  EXPECT_THAT(screen(), Not(HasSubstr("'' is not")));
  EXPECT_EQ(atm.balance, 9500);
}

TEST_F(SessionTest, AnAccountThatIsNoTextIsToldBeforeAnythingIsAsked) {
  EXPECT_EQ(
      play({"1234", "transfer 5 caf\xe9", "transfer 5", "caf\xe9", "transfer 5 jane", "y", "0"}),
      0);
  EXPECT_THAT(screen(), HasSubstr("The account must be UTF-8, as all text that the servers take "
                                  "is.\n"));
  EXPECT_THAT(screen(), Not(HasSubstr("Transfer 5.00 EUR to caf")));
  EXPECT_EQ(atm.balance, 9500);
}

TEST_F(SessionTest, WordsMayHaveCapitalLettersAndAnEmptyLineIsNoChoice) {
  EXPECT_EQ(play({"1234", "", "  ", "WITHDRAW 20", "Deposit 1X20,1x10", "transfer 5 jane", "YES",
                  "transfer 5 jane", "Y", "Balance", "HELP", "Q"}),
            0);
  EXPECT_THAT(screen(), HasSubstr("20.00 EUR paid"));
  EXPECT_THAT(screen(), HasSubstr("30.00 EUR credited."));
  EXPECT_THAT(screen(), HasSubstr("Balance:   100.00 EUR\n"));
  EXPECT_THAT(screen(), Not(HasSubstr("none of the choices")));
}

TEST_F(SessionTest, NotesMayBeWrittenAsPeopleWriteThem) {
  for (const char* notes : {"2x50,1x20", "2X50 1X20", "2 x 50, 1 x 20", "2x 50 1 x20", "120"}) {
    terminal.answers.clear();
    terminal.screen.clear();
    play({"1234", "2", notes, "0"});
    EXPECT_THAT(screen(), HasSubstr("120.00 EUR credited.")) << notes;
  }
}

TEST_F(SessionTest, WhatWasTypedActsOnNoTerminalWhenItIsShownAgain) {
  EXPECT_EQ(play({"1234", "a\x1b[31mb", "withdraw \x1b[A", "0"}), 0);
  EXPECT_THAT(screen(), HasSubstr("'a?[31mb' is none of the choices."));
  EXPECT_THAT(screen(), HasSubstr("'?[A' is not an amount"));
}

TEST_F(SessionTest, WhatAWordDoesNotTakeIsSaidAndNothingIsSent) {
  play({"1234", "transfer 5 to jane", "balance now", "q"});
  EXPECT_THAT(screen(), HasSubstr("Say how much and to which account, as transfer 9.50 john."));
  EXPECT_THAT(screen(), HasSubstr("'balance now' is none of the choices."));
  EXPECT_THAT(screen(), Not(HasSubstr("Balance:")));
  EXPECT_EQ(atm.changes_seen, 0);
}

TEST_F(SessionTest, TheUsualWordsForHelpAndTheEndAreKnown) {
  for (const char* word : {"help", "?"}) {
    terminal.screen.clear();
    EXPECT_EQ(play({"1234", word, "0"}), 0);
    EXPECT_THAT(screen(), HasSubstr("A number of the menu, or a word: withdraw 60,")) << word;
    EXPECT_THAT(screen(), Not(HasSubstr("none of the choices"))) << word;
  }
  for (const char* word : {"quit", "q", "exit", "end", "0"}) {
    terminal.answers.clear();
    terminal.screen.clear();
    EXPECT_EQ(play({"1234", word, "balance"}), 0);
    EXPECT_THAT(screen(), Not(HasSubstr("Balance:"))) << word;
  }
}

TEST_F(SessionTest, TheMenusAmountsAreThoseThatTheAtmOffers) {
  atm.currency = "JPY";
  atm.faces = {1000, 2000, 5000, 10000};
  atm.usual_amounts = {1000, 2000, 5000, 10000};
  play({"1234", "1", "3", "1", "5", "4000", "2", "7000", "0"});
  EXPECT_THAT(screen(), HasSubstr("  1  1000 JPY\n  2  2000 JPY\n  3  5000 JPY\n  4  10000 JPY\n"
                                  "  5  Another amount\n"));
  EXPECT_THAT(screen(), HasSubstr("5000 JPY paid"));
  EXPECT_THAT(screen(), HasSubstr("4000 JPY paid"));
  EXPECT_THAT(screen(), HasSubstr("7000 JPY credited"));
  terminal.answers.clear();
  terminal.screen.clear();
  atm.usual_amounts = {};
  play({"1234", "1", "3000", "0"});
  EXPECT_THAT(screen(), HasSubstr("Amount (nothing to go back): "));
  EXPECT_THAT(screen(), HasSubstr("3000 JPY paid"));
}

TEST_F(SessionTest, AWrongPinMayBeTriedAgain) {
  EXPECT_EQ(play({"9999", "1234", "0"}), 0);
  EXPECT_THAT(screen(), HasSubstr("The PIN is wrong. Tries left: 2.\nPIN: \n\nGood day"));
}

TEST_F(SessionTest, WhatIsNoPinIsAskedAgainAndIsNoTry) {
  EXPECT_EQ(play({"", "12", "12a4", "1234", "0"}), 0);
  EXPECT_THAT(screen(), HasSubstr("PIN: \nA PIN is 4 to 12 digits, and this one is empty.\n"
                                  "PIN: \nA PIN is 4 to 12 digits, and this one is shorter.\n"
                                  "PIN: \nA PIN is 4 to 12 digits, and this one has something else "
                                  "in it.\nPIN: \n\nGood day"));
  EXPECT_EQ(atm.tries_left, 3);
}

TEST_F(SessionTest, WhoeverLeavesAfterAWrongPinWasTold) {
  EXPECT_EQ(play({"9999"}), 1);
  terminal.answers.clear();
  EXPECT_EQ(play({"9999", "1234", "0"}), 0);
}

TEST_F(SessionTest, ANewPinIsAskedForUntilItIsOneAndNothingGoesBack) {
  EXPECT_EQ(play({"1234", "6", "", "6", "1234", "", "6", "12", "1234", "4", "4321", "4321", "0"}),
            0);
  EXPECT_THAT(screen(), HasSubstr("Your PIN (nothing to go back): \n\n  1  Withdraw cash"));
  EXPECT_THAT(screen(), HasSubstr("New PIN (nothing to go back): \n\n  1  Withdraw cash"));
  EXPECT_THAT(screen(), HasSubstr("this one is shorter.\nNew PIN (nothing to go back): \n"));
  EXPECT_EQ(atm.changes_seen, 1);
  EXPECT_EQ(atm.pin, "4321");
}

TEST_F(SessionTest, ThreeWrongPinsEndIt) {
  EXPECT_EQ(play({"9999", "9998", "9997", "1234"}), 1);
  EXPECT_THAT(screen(), Not(HasSubstr("Good day")));
  EXPECT_TRUE(screen().ends_with("Please take your card. Good-bye.\n"));
}

TEST_F(SessionTest, WhoLeavesGetsTheCardBack) {
  using Kind = Answer::Kind;
  for (const Kind kind : {Kind::end_of_input, Kind::interrupted, Kind::timed_out}) {
    for (const std::deque<std::string>& before :
         {std::deque<std::string>{}, {"1234"}, {"1234", "1"}}) {
      terminal.answers.clear();
      terminal.screen.clear();
      arrive();
      for (const std::string& line : before) terminal.answers.push_back({.text = line});
      terminal.answers.push_back({.kind = kind, .text = ""});
      EXPECT_EQ(play({}), 0);
      EXPECT_TRUE(screen().ends_with("Please take your card. Good-bye.\n"));
      EXPECT_FALSE(atm.has_sessions());
    }
  }
  EXPECT_THAT(screen(), HasSubstr("You have been silent for too long."));
}

TEST_F(SessionTest, ADeclineKeepsTheSession) {
  EXPECT_EQ(play({"1234", "withdraw 500", "withdraw 20", "0"}), 0);
  EXPECT_THAT(screen(), HasSubstr("You have not enough money.\n"));
  EXPECT_EQ(atm.paid_count, 1);
}

TEST_F(SessionTest, AChangeWithoutAnAnswerEndsItWith75AndTheNextSessionSettlesIt) {
  atm.mishaps = {Mishap::silence};
  EXPECT_EQ(play({"1234", "withdraw 60", "3"}), 75);
  EXPECT_THAT(screen(), HasSubstr("your withdrawal of 60.00 EUR may have been done, or may not"));
  EXPECT_EQ(pending->read().size(), 1);
  atm.end_sessions();
  terminal.screen.clear();
  terminal.answers.clear();
  EXPECT_EQ(play({"1234", "3", "0"}), 0);
  EXPECT_TRUE(
      screen().starts_with("One moment: what became of your earlier withdrawal of 60.00 EUR?\n"
                           "Your earlier withdrawal of 60.00 EUR was done: 60.00 EUR paid"))
      << screen();
  EXPECT_THAT(screen(), HasSubstr("Balance:   40.00 EUR\n"));
}

TEST_F(SessionTest, NothingBeginsWhileAnEarlierChangeIsUnknown) {
  atm.mishaps = {Mishap::goes_down};
  EXPECT_EQ(play({"1234", "withdraw 60"}), 75);
  terminal.screen.clear();
  EXPECT_EQ(play({"1234"}), 75);
  EXPECT_THAT(screen(), HasSubstr("It still has no answer"));
  EXPECT_THAT(screen(), Not(HasSubstr("PIN: ")));
}

TEST_F(SessionTest, AnAtmThatIsGoneEndsItWith69) {
  atm.close();
  EXPECT_EQ(play({"1234"}), 69);
  EXPECT_THAT(screen(), HasSubstr("The ATM does not answer"));
  EXPECT_THAT(screen(), Not(HasSubstr("PIN: ")));
}

TEST_F(SessionTest, AnAtmThatIsGoneAfterAChangeHasChangedNothingElse) {
  atm.is_credited = false;
  atm.loses_balances = true;
  EXPECT_EQ(play({"1234", "deposit 2x20", "3"}), 69);
  EXPECT_THAT(screen(), HasSubstr("Nothing else was changed."));
  EXPECT_THAT(screen(), HasSubstr("What       deposit of 40.00 EUR, not yet credited"));
}

TEST_F(SessionTest, AnAtmOfSeveralTerminalsEndsItWith64) {
  atm.decline_next.emplace().set_code(atm::v1::DECLINE_CODE_NO_SUCH_TERMINAL);
  EXPECT_EQ(play({"1234"}), 64);
}

TEST_F(SessionTest, WhyThereIsNoAnswerIsSaidWithoutTheNamesOfCalls) {
  const auto names_none = [this] {
    for (int code = 1; code <= static_cast<int>(rpc::status_code_max); ++code) {
      const auto name = rpc::name(rpc::status_code(static_cast<std::uint32_t>(code)));
      EXPECT_THAT(screen(), Not(HasSubstr(std::string(name)))) << screen();
    }
  };
  atm.mishaps = {Mishap::goes_down};
  EXPECT_EQ(play({"1234", "withdraw 20"}), 75);
  names_none();
  EXPECT_EQ(play({"1234"}), 75);
  EXPECT_THAT(screen(), HasSubstr("It still has no answer ("));
  names_none();
  customer->told();
  terminal.screen.clear();
  EXPECT_EQ(play({"1234"}), 69);
  EXPECT_THAT(screen(), HasSubstr("The ATM does not answer: "));
  names_none();
}

// Where the screen is lost; the code; what standard errors say; what was paid; what waits on the disk.
struct Loss {
  std::string at;
  int code;
  std::string meaning;
  int paid;
  std::size_t waits;
};

TEST_F(SessionTest, WhoseScreenIsLostBeginsNothingMoreAndIsToldTheRestByTheNextCommand) {
  const std::string told_later =
      "Your withdrawal of 20.00 EUR was done, and your next teller command "
      "tells it";
  for (const Loss& loss : {Loss{"PIN: ", 73, "Nothing else was begun", 0, 0},
                           {"Good day", 73, "Nothing else was begun", 0, 0},
                           {"Your choice", 73, "Nothing else was begun", 0, 0},
                           {"One moment", 73, "Nothing else was begun", 0, 0},
                           {"take your cash", 74, told_later, 1, 1},
                           {"Number  ", 74, told_later, 1, 1},
                           {"take your card", 73, "Nothing else was begun", 1, 0}}) {
    SCOPED_TRACE(loss.at);
    terminal = ScriptedTerminal();
    terminal.loses = loss.at;
    atm.paid_count = 0;
    try {
      play({"1234", "withdraw 20", "0"});
      ADD_FAILURE() << "not noticed";
    } catch (const ops::Failure& failure) {
      EXPECT_EQ(ops::to_int(failure.code()), loss.code);
      EXPECT_EQ(failure.what(), "Standard output cannot be written: It is full. " + loss.meaning);
    }
    EXPECT_EQ(atm.paid_count, loss.paid);
    EXPECT_EQ(pending->read().size(), loss.waits);
    EXPECT_FALSE(atm.has_sessions());
    if (loss.waits > 0) {
      terminal = ScriptedTerminal();
      EXPECT_EQ(play({}), 0);
      EXPECT_THAT(screen(),
                  HasSubstr("Your earlier withdrawal of 20.00 EUR was done: 20.00 EUR paid"));
    }
  }
}

TEST_F(SessionTest, ANoAndAnUnknownOutcomeKeepTheirCodesWhereTheScreenIsLost) {
  const auto code_of = [this](const std::string& at, std::deque<std::string> lines) {
    terminal = ScriptedTerminal();
    terminal.loses = at;
    try {
      return play(std::move(lines));
    } catch (const ops::Failure& failure) {
      EXPECT_THAT(failure.what(), HasSubstr("our next teller command"));
      return -ops::to_int(failure.code());
    }
  };
  EXPECT_EQ(code_of("not enough", {"1234", "withdraw 500", "withdraw 20"}), -1);
  EXPECT_EQ(code_of("was not done", {"1234", "withdraw 20"}), -73);
  EXPECT_EQ(pending->read().size(), 1);
  EXPECT_EQ(code_of("", {"1234"}), 0);
  atm.suspense_next.emplace();
  EXPECT_EQ(code_of("ATM cannot tell", {"1234", "withdraw 20"}), -75);
  EXPECT_EQ(code_of("", {}), 0);
  atm.mishaps = {Mishap::silence};
  EXPECT_EQ(code_of("No answer", {"1234", "withdraw 20"}), -75);
  EXPECT_EQ(atm.paid_count, 1);
}

TEST_F(SessionTest, AnExpiredSessionEndsIt) {
  arrive();
  terminal.answers = {{.text = "1234"}};
  Session session(loop, *customer, terminal, interrupts,
                  {.masked_card = "************0010", .pin = std::nullopt});
  atm.decline_next = atm::v1::Decline();
  atm.decline_next->set_code(atm::v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(finish(session.run()), 1);
  EXPECT_THAT(screen(), HasSubstr("Your session is over."));
}

TEST_F(SessionTest, APinThatIsGivenIsNotAskedFor) {
  EXPECT_EQ(play({"3", "0"}, "1234"), 0);
  EXPECT_THAT(screen(), Not(HasSubstr("PIN: ")));
}

}  // namespace
}  // namespace teller
