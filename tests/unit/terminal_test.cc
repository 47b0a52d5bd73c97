// Asking at a real terminal: a pseudo-terminal stands for the person's.
#include "cli/terminal.h"

#include <array>
#include <chrono>
#include <csignal>
#include <deque>
#include <fcntl.h>
#include <pty.h>
#include <string>
#include <termios.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "ops/failure.h"
#include "ops/files.h"
#include "temporary_directory.h"

namespace cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Standard input is a new terminal within the test; `keyboard` is its other end.
class TerminalTest : public testing::Test {
 protected:
  TerminalTest() : input_before_(::dup(STDIN_FILENO)) {
    int own_end = -1;
    EXPECT_EQ(::openpty(&keyboard, &own_end, nullptr, nullptr, nullptr), 0);
    ::dup2(own_end, STDIN_FILENO);
    ::close(own_end);
  }
  ~TerminalTest() override {
    ::dup2(input_before_, STDIN_FILENO);
    ::close(input_before_);
    ::close(keyboard);
  }

  void type(std::string_view keys) const {
    EXPECT_EQ(::write(keyboard, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  static bool echoes() {
    termios state{};
    ::tcgetattr(STDIN_FILENO, &state);
    return (state.c_lflag & ECHO) != 0;
  }
  // What the terminal showed of what was typed, so far.
  std::string shown() const {
    ::fcntl(keyboard, F_SETFL, O_NONBLOCK);
    std::array<char, 256> buffer{};
    const ssize_t count = ::read(keyboard, buffer.data(), buffer.size());
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : "";
  }

  int keyboard = -1;
  int input_before_;
  // Where prompts go; read by nobody.
  int paper = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  UserTerminal terminal{paper};
};

// Does something once the terminal's echo is off: typing earlier would be thrown away.
class OnceHidden {
 public:
  template <typename Act>
  explicit OnceHidden(Act act)
      : thread_([act] {
          termios state{};
          do {
            ::tcgetattr(STDIN_FILENO, &state);
            std::this_thread::yield();
          } while ((state.c_lflag & ECHO) != 0);
          act();
        }) {}
  ~OnceHidden() { thread_.join(); }

 private:
  std::thread thread_;
};

TEST_F(TerminalTest, GivesALineAtATime) {
  type("first\nsecond\n");
  EXPECT_EQ(terminal.ask("? ", seconds(5)).text, "first");
  EXPECT_EQ(terminal.ask("? ", seconds(5)).text, "second");
}

TEST_F(TerminalTest, APinIsNotShownAndTheEchoIsOnAgain) {
  EXPECT_TRUE(echoes());
  const OnceHidden typing([this] { type("1234\n"); });
  const Answer answer = terminal.ask_hidden("PIN: ", seconds(5));
  EXPECT_EQ(answer.text, "1234");
  EXPECT_TRUE(echoes());
  EXPECT_EQ(shown().find("1234"), std::string::npos);
}

TEST_F(TerminalTest, WhateverEndsTheQuestionTheEchoIsOnAgain) {
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM}) {
    const OnceHidden interrupting([signal] { ::kill(::getpid(), signal); });
    EXPECT_EQ(terminal.ask_hidden("PIN: ", seconds(5)).kind, Answer::Kind::interrupted);
    EXPECT_TRUE(echoes());
  }
}

TEST_F(TerminalTest, ATerminalThatHangsUpEndsTheQuestionAndNotTheProcess) {
  ::close(keyboard);
  EXPECT_EQ(terminal.ask("? ", seconds(5)).kind, Answer::Kind::end_of_input);
  ::raise(SIGHUP);  // The system sends it after the input has ended, and perhaps twice.
  std::signal(SIGHUP, SIG_DFL);
  keyboard = -1;
}

TEST_F(TerminalTest, ASecondHangupDoesNotEndTheProcess) {
  const OnceHidden hanging_up([] { ::kill(::getpid(), SIGHUP); });
  EXPECT_EQ(terminal.ask_hidden("PIN: ", seconds(5)).kind, Answer::Kind::interrupted);
  ::raise(SIGHUP);
  std::signal(SIGHUP, SIG_DFL);
}

TEST_F(TerminalTest, CtrlDAndSilenceEndTheQuestion) {
  type("\x04");
  EXPECT_EQ(terminal.ask("? ", seconds(5)).kind, Answer::Kind::end_of_input);
  EXPECT_EQ(terminal.ask("? ", milliseconds(1)).kind, Answer::Kind::timed_out);
}

TEST_F(TerminalTest, OnlyYesIsYes) {
  for (const auto& [line, expected] : {std::pair{"y\n", true},
                                       {"yes\n", true},
                                       {"Y\n", true},
                                       {" Yes \n", true},
                                       {"\n", false},
                                       {"n\n", false},
                                       {"yet\n", false},
                                       {"y y\n", false},
                                       {"\x04", false}}) {
    type(line);
    EXPECT_EQ(confirm(terminal, "Do it?"), expected) << line;
  }
}

TEST_F(TerminalTest, WhatBreaksThePinsRuleIsSaid) {
  const testkit::TemporaryDirectory directory;
  const std::string path = directory.file("pin");
  for (const auto& [typed, why] : {std::pair{"", "is empty"},
                                   {"123", "is shorter"},
                                   {"1234567890123", "is longer"},
                                   {"12a4", "has something else in it"}}) {
    ops::write_file_atomically(path, typed);
    try {
      read_pin(terminal, "", path);
      ADD_FAILURE() << typed;
    } catch (const ops::Failure& failure) {
      EXPECT_EQ(failure.what(), "The PIN's file " + path +
                                    " holds no PIN: a PIN is 4 to 12 digits, and this one " +
                                    std::string(why) + ".");
    }
  }
  ops::remove_file_durably(path);
}

// Types these lines, and then leaves.
class Typist final : public Terminal {
 public:
  explicit Typist(std::deque<std::string> lines) : lines_(std::move(lines)) {}
  void write(std::string_view text) override { screen += text; }
  std::string why_lost() const override { return ""; }
  Answer ask(std::string_view prompt, async::Duration) override {
    write(prompt);
    if (lines_.empty()) return {Answer::Kind::end_of_input, ""};
    Answer answer{.text = lines_.front()};
    lines_.pop_front();
    return answer;
  }
  Answer ask_hidden(std::string_view prompt, async::Duration wait_max) override {
    return ask(prompt, wait_max);
  }

  std::string screen;

 private:
  std::deque<std::string> lines_;
};

TEST_F(TerminalTest, WhatIsNoPinIsAskedForAgain) {
  Typist typist({"", "12", "1234"});
  EXPECT_EQ(read_pin(typist, "PIN: ", ""), "1234");
  EXPECT_EQ(typist.screen,
            "PIN: A PIN is 4 to 12 digits, and this one is empty.\n"
            "PIN: A PIN is 4 to 12 digits, and this one is shorter.\nPIN: ");
}

TEST_F(TerminalTest, TwoNewPinsThatDifferAreANoOfWhoWasAsked) {
  Typist typist({"1357", "1358"});
  try {
    read_new_pin(typist, "", "--new-pin-file");
    ADD_FAILURE();
  } catch (const ops::Failure& failure) {
    EXPECT_EQ(failure.code(), ops::ExitCode::declined);
  }
}

TEST_F(TerminalTest, WhoeverGivesNoPinHasSaidNo) {
  Typist typist({});
  try {
    read_pin(typist, "PIN: ", "");
    ADD_FAILURE();
  } catch (const ops::Failure& failure) {
    EXPECT_EQ(failure.code(), ops::ExitCode::declined);
    EXPECT_STREQ(failure.what(), "No PIN was given, so nothing was done.");
  }
}

TEST_F(TerminalTest, AQuestionThatCannotBeShownIsNotAsked) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  UserTerminal unseen(full);
  EXPECT_EQ(unseen.why_lost(), "");
  type("y\n");
  EXPECT_EQ(unseen.ask("Do it? ", seconds(5)).kind, Answer::Kind::unasked);
  EXPECT_EQ(unseen.why_lost(), "No space left on device");
  EXPECT_EQ(unseen.ask_hidden("PIN: ", seconds(5)).kind, Answer::Kind::unasked);
  EXPECT_TRUE(echoes());
  EXPECT_FALSE(confirm(unseen, "Do it?"));
  ::close(full);
}

TEST(CardNumber, MayBeTypedWithSpaces) {
  EXPECT_EQ(card_number("4000 0000 0000 0010"), "4000000000000010");
  EXPECT_EQ(card_number(" 4000\t0000 "), "40000000");
  EXPECT_EQ(card_number("4000-0000-0000-0010"), "4000000000000010");
  for (const char* name : {"4000-x", "card-17", "jane-1/0010"}) EXPECT_EQ(card_number(name), name);
}

TEST(CardNumber, HasARuleThatIsSaid) {
  const std::string rule = "A card number is 8 to 19 digits, and this number ";
  EXPECT_EQ(why_not_card_number("4000000000000010"), "");
  EXPECT_EQ(why_not_card_number(""), rule + "is empty.");
  EXPECT_EQ(why_not_card_number("4000"), rule + "is shorter.");
  EXPECT_EQ(why_not_card_number("40000000000000000010"), rule + "is longer.");
  EXPECT_EQ(why_not_card_number("4000-0000-000x"), rule + "has something else in it.");
  EXPECT_EQ(why_not_card_number("abc"), rule + "has something else in it.");
}

TEST_F(TerminalTest, APinIsFourToTwelveDigits) {
  const testkit::TemporaryDirectory directory;
  const std::string path = directory.file("pin");
  for (const char* wrong : {"123", "1234567890123", "12a4", "", "12 34"}) {
    ops::write_file_atomically(path, wrong);
    EXPECT_THROW(read_pin(terminal, "", path), ops::Failure) << wrong;
  }
  ops::write_file_atomically(path, "1234\r\n");
  EXPECT_EQ(read_pin(terminal, "", path), "1234");
  ops::remove_file_durably(path);
  EXPECT_THROW(read_pin(terminal, "", path), ops::Failure);
}

TEST_F(TerminalTest, StandardInputHoldsTheOldPinAndThenTheNew) {
  type("1234\n4321\n");
  EXPECT_EQ(read_pin(terminal, "", "-"), "1234");
  EXPECT_EQ(read_new_pin(terminal, "-", "--new-pin-file"), "4321");
}

TEST(NoTerminal, NobodyIsAsked) {
  const int input = ::dup(STDIN_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  UserTerminal terminal(STDERR_FILENO);
  EXPECT_THROW(read_pin(terminal, "PIN: ", ""), ops::Failure);
  EXPECT_THROW(read_pin(terminal, "PIN: ", "-"), ops::Failure);
  std::string told;
  try {
    read_new_pin(terminal, "", "--new-pin-file");
  } catch (const ops::Failure& failure) {
    told = failure.what();
  }
  EXPECT_EQ(told,
            "There is no terminal to ask for the new PIN: use --new-pin-file FILE, or "
            "--new-pin-file - for standard input.");
  ::dup2(input, STDIN_FILENO);
  ::close(input);
  ::close(nothing);
}

}  // namespace
}  // namespace cli
