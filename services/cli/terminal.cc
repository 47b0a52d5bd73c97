#include "cli/terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "ledger/operation.h"
#include "ops/failure.h"
#include "ops/files.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"

namespace cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t line_size_max = 1024;

volatile std::sig_atomic_t was_interrupted = 0;
volatile std::sig_atomic_t was_stopped = 0;
volatile std::sig_atomic_t was_hung_up = 0;

void note_interrupt(int signal) {
  was_interrupted = 1;
  if (signal == SIGHUP) was_hung_up = 1;
}
void note_stop(int) { was_stopped = 1; }

// Ctrl-C, Ctrl-\, SIGHUP and SIGTERM end a question instead of the process, and Ctrl-Z waits until
// the terminal is as it was, within its scope. One that was ignored stays so. They are let in by
// wait() only, so that none comes between a look at the flags and the wait. A terminal that has hung
// up is heard of up to three times, by the end of its input and by one or two SIGHUP in any order:
// after the first, the others do not end the process.
class InterruptScope {
 public:
  InterruptScope() {
    was_interrupted = 0;
    was_stopped = 0;
    was_hung_up = 0;
    sigset_t all;
    ::sigemptyset(&all);
    for (const int signal : signals) ::sigaddset(&all, signal);
    ::pthread_sigmask(SIG_BLOCK, &all, &mask_before_);
    for (std::size_t i = 0; i < signals.size(); ++i) {
      struct sigaction action{};
      action.sa_handler = signals[i] == SIGTSTP ? note_stop : note_interrupt;
      ::sigaction(signals[i], &action, &before_[i]);
      if (before_[i].sa_handler == SIG_IGN) ::sigaction(signals[i], &before_[i], nullptr);
    }
  }
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope() {
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);  // What is pending is noted.
    for (std::size_t i = 0; i < signals.size(); ++i) {
      const bool is_over = signals[i] == SIGHUP && was_hung_up != 0;
      if (is_over && before_[i].sa_handler == SIG_DFL) before_[i].sa_handler = SIG_IGN;
      ::sigaction(signals[i], &before_[i], nullptr);
    }
  }

  bool is_interrupted() const { return was_interrupted != 0; }
  bool is_stopped() const { return was_stopped != 0; }
  // Whether standard input can be read. Looks up now and then: another thread may take a signal.
  bool wait(milliseconds at_most) const {
    const auto slice = std::min(at_most, milliseconds(500));
    const timespec time{.tv_sec = 0, .tv_nsec = std::chrono::nanoseconds(slice).count()};
    pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const bool is_readable = ::ppoll(&input, 1, &time, &mask_before_) > 0;
    if (is_terminal_ && (input.revents & POLLHUP) != 0) was_hung_up = 1;
    return is_readable;
  }
  // Stops the process, as Ctrl-Z wanted; returns when it is continued.
  void stop() const {
    was_stopped = 0;
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    struct sigaction noting{};
    ::sigaction(SIGTSTP, &action, &noting);
    sigset_t one;
    ::sigemptyset(&one);
    ::sigaddset(&one, SIGTSTP);
    ::raise(SIGTSTP);
    ::pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    ::pthread_sigmask(SIG_BLOCK, &one, nullptr);
    ::sigaction(SIGTSTP, &noting, nullptr);
  }

 private:
  static constexpr std::array<int, 5> signals = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};

  const bool is_terminal_ = can_ask() || errno == EIO;  // EIO: it has hung up already.
  sigset_t mask_before_{};
  std::array<struct sigaction, signals.size()> before_{};
};

// No echo within its scope, but for the time that the process is stopped. What was typed before the
// question is thrown away.
class HiddenScope {
 public:
  HiddenScope() { hide(); }
  HiddenScope(const HiddenScope&) = delete;
  HiddenScope& operator=(const HiddenScope&) = delete;
  ~HiddenScope() { show(); }

  void hide() {
    termios now{};
    if (::tcgetattr(STDIN_FILENO, &now) != 0) return;
    before_ = now;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
  }
  void show() {
    if (before_) ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*before_);
    before_.reset();
  }

 private:
  std::optional<termios> before_;
};

// `stop` stops the process and asks anew when it goes on.
template <typename Stop>
Answer read_line(const InterruptScope& interrupts, async::Duration wait_max, Stop stop) {
  Answer answer;
  const auto until = std::chrono::steady_clock::now() + wait_max;
  while (true) {
    if (interrupts.is_interrupted()) return {Answer::Kind::interrupted, ""};
    if (interrupts.is_stopped()) {
      stop();
      answer.text.clear();
    }
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return {Answer::Kind::timed_out, ""};
    if (!interrupts.wait(left)) continue;
    char letter = 0;
    const ssize_t count = ::read(STDIN_FILENO, &letter, 1);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0 && answer.text.empty()) return {Answer::Kind::end_of_input, ""};
    if (count <= 0 || letter == '\n') return answer;
    if (letter != '\r' && answer.text.size() < line_size_max) answer.text += letter;
  }
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }
bool is_blank(char letter) { return letter == ' ' || letter == '\t'; }

// What is wrong with `text`, which must be so many digits; "" if nothing is.
std::string_view fault_of_digits(std::string_view text, std::size_t size_min,
                                 std::size_t size_max) {
  if (text.empty()) return "is empty";
  if (!std::ranges::all_of(text, is_digit)) return "has something else in it";
  if (text.size() < size_min) return "is shorter";
  return text.size() > size_max ? "is longer" : "";
}

std::string checked_pin(const std::string& text, const std::string& source) {
  std::string why = why_not_pin(text);
  if (why.empty()) return text;
  why.front() = 'a';  // "A PIN is 4 to 12 digits, ..."
  throw ops::Failure(ops::ExitCode::bad_data, source + " holds no PIN: " + why);
}

std::string ask_pin(Terminal& terminal, std::string_view prompt) {
  while (true) {
    const Answer answer = terminal.ask_hidden(prompt, patience);
    if (!answer.is_line()) {
      throw ops::Failure(ops::ExitCode::declined, "No PIN was given, so nothing was done.");
    }
    const std::string why = why_not_pin(answer.text);
    if (why.empty()) return answer.text;
    terminal.write(why + "\n");
  }
}

std::string pin_from(const std::string& file) {
  if (file != "-") {
    std::string text = ops::read_secret_file(file, "PIN's file");
    return checked_pin(text.substr(0, text.find_last_not_of("\r\n") + 1), "The PIN's file " + file);
  }
  const InterruptScope interrupts;
  const Answer answer = read_line(interrupts, patience, [&] { interrupts.stop(); });
  if (!answer.is_line()) {
    throw ops::Failure(ops::ExitCode::no_input, "Standard input holds no PIN.");
  }
  return checked_pin(answer.text, "Standard input");
}

void require_somebody_to_ask(const std::string& what, const std::string& option) {
  if (can_ask()) return;
  throw ops::Failure(ops::ExitCode::usage, "There is no terminal to ask for " + what + ": use " +
                                               option + " FILE, or " + option +
                                               " - for standard input.");
}

}  // namespace

void UserTerminal::write(std::string_view text) {
  if (failure_ == 0) failure_ = ops::write_all(output_, text);
}

std::string UserTerminal::why_lost() const { return failure_ == 0 ? "" : std::strerror(failure_); }

Answer UserTerminal::ask(std::string_view prompt, async::Duration wait_max) {
  const InterruptScope interrupts;
  write(prompt);
  if (failure_ != 0) return {Answer::Kind::unasked, ""};
  Answer answer = read_line(interrupts, wait_max, [&] {
    interrupts.stop();
    write(prompt);
  });
  if (!answer.is_line()) write("\n");
  return answer;
}

Answer UserTerminal::ask_hidden(std::string_view prompt, async::Duration wait_max) {
  const InterruptScope interrupts;  // First: the echo is on again before a signal can end us.
  HiddenScope hidden;
  write(prompt);
  if (failure_ != 0) return {Answer::Kind::unasked, ""};
  Answer answer = read_line(interrupts, wait_max, [&] {
    hidden.show();
    interrupts.stop();
    hidden.hide();
    write(prompt);
  });
  write("\n");
  return answer;
}

bool can_ask() { return ::isatty(STDIN_FILENO) != 0; }

bool confirm(Terminal& terminal, std::string_view question) {
  const std::string prompt = ops::ForeignText(question).shown() + " [y/N] ";
  const Answer answer = terminal.ask(prompt, patience);
  return answer.is_line() && is_yes(answer.text);
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string in_small_letters(std::string text) {
  for (char& letter : text) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return text;
}

bool is_yes(std::string_view text) {
  const std::string word = in_small_letters(trimmed(text));
  return word == "y" || word == "yes";
}

std::string why_not_text(std::string_view name, std::string_view text) {
  if (ops::is_utf8(text)) return "";
  return std::string(name) + " must be UTF-8, as all text that the servers take is.";
}

void require_text(std::string_view name, std::string_view text) {
  const std::string why = why_not_text(name, text);
  if (!why.empty()) throw ops::Failure(ops::ExitCode::usage, why);
}

std::string card_number(std::string text) {
  std::erase_if(text, is_blank);
  const bool is_number =
      std::ranges::all_of(text, [](char letter) { return is_digit(letter) || letter == '-'; });
  if (is_number) std::erase(text, '-');
  return text;
}

std::string_view fault_of_card_number(std::string_view text) {
  static_assert(ledger::card_digits_min == 8 && ledger::card_digits_max == 19);
  return fault_of_digits(text, ledger::card_digits_min, ledger::card_digits_max);
}

std::string why_not_card_number(std::string_view text) {
  const std::string_view fault = fault_of_card_number(text);
  if (fault.empty()) return "";
  return "A card number is 8 to 19 digits, and this number " + std::string(fault) + ".";
}

std::string why_not_pin(std::string_view text) {
  const std::string_view fault = fault_of_digits(text, 4, 12);
  if (fault.empty()) return "";
  return "A PIN is 4 to 12 digits, and this one " + std::string(fault) + ".";
}

std::string read_pin(Terminal& terminal, std::string_view prompt, const std::string& file) {
  if (!file.empty()) return pin_from(file);
  require_somebody_to_ask("the PIN", "--pin-file");
  return ask_pin(terminal, prompt);
}

std::string read_new_pin(Terminal& terminal, const std::string& file, const std::string& option) {
  if (!file.empty()) return pin_from(file);
  require_somebody_to_ask("the new PIN", option);
  std::string pin = ask_pin(terminal, "New PIN: ");
  if (ask_pin(terminal, "New PIN again: ") == pin) return pin;
  throw ops::Failure(ops::ExitCode::declined,
                     "The two PINs are not the same; nothing was changed.");
}

}  // namespace cli
