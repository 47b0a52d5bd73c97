// Terminal: asks a person, one line at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "async/time.h"

namespace cli {

// What a person did when asked. `text` is what was typed, without its newline, if it was a line.
// Unasked: the question could not be shown.
struct Answer {
  enum class Kind : std::uint8_t { line, end_of_input, interrupted, timed_out, unasked };

  Kind kind = Kind::line;
  std::string text;

  bool is_line() const { return kind == Kind::line; }
};

// A person, or a test that plays one. Owned by main or a test. Asking blocks the thread, the loop
// too: nothing else may wait for an answer at that time.
class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual void write(std::string_view text) = 0;
  // Why something that was written did not arrive, as "No space left on device"; "" if all did. From
  // the first loss on nothing more is written, and every question is unasked.
  virtual std::string why_lost() const = 0;
  virtual Answer ask(std::string_view prompt, async::Duration wait_max) = 0;
  // The same without showing what is typed.
  virtual Answer ask_hidden(std::string_view prompt, async::Duration wait_max) = 0;
};

// The real one, on file descriptors. While it asks, SIGINT, SIGQUIT, SIGHUP and SIGTERM are answers,
// and Ctrl-Z stops the process, which asks again when it goes on. Whatever happens, the echo is on
// again when it has asked, and while it is stopped.
class UserTerminal final : public Terminal {
 public:
  // Reads standard input; writes to `output`: 1 for a session, 2 for questions beside the data.
  explicit UserTerminal(int output) : output_(output) {}

  void write(std::string_view text) override;
  std::string why_lost() const override;
  Answer ask(std::string_view prompt, async::Duration wait_max) override;
  Answer ask_hidden(std::string_view prompt, async::Duration wait_max) override;

 private:
  int output_;
  int failure_ = 0;  // An errno.
};

// Whether standard input is a terminal: nobody is asked otherwise.
bool can_ask();

inline constexpr async::Duration patience = std::chrono::minutes(5);

// What was typed, without the blanks around it; and with a to z in place of A to Z.
std::string trimmed(std::string_view text);
std::string in_small_letters(std::string text);

// "y" and "yes" are yes, in capital letters and with blanks around them, too; everything else is no.
bool is_yes(std::string_view text);
// Asks for it. The question is one line, whatever it quotes.
bool confirm(Terminal& terminal, std::string_view question);

// The sentence that says that what was given as `name` is nothing that a server takes as text; ""
// if one does. require_text() throws it as Failure(usage).
std::string why_not_text(std::string_view name, std::string_view text);
void require_text(std::string_view name, std::string_view text);

// A card's number as it is printed on the card, "4000 0000 0000 0010", without its spaces; or without
// its hyphens, if digits are all that it has beside them. Other text is only freed from spaces.
std::string card_number(std::string text);

// The sentence that says what a card's number, or a PIN, must be, and what is wrong with this one;
// "" if it is one. fault_of_card_number() is its end: "is shorter".
std::string_view fault_of_card_number(std::string_view text);
std::string why_not_card_number(std::string_view text);
std::string why_not_pin(std::string_view text);

// A PIN: from `file` ("-" is standard input, its first line), else asked for until it is one; never an
// argument. Throws Failure: bad_data for a file's that is none, declined when the person gave none,
// usage when there is nobody to ask.
std::string read_pin(Terminal& terminal, std::string_view prompt, const std::string& file);
// Asked for twice when asked for: nobody sees what they type.
std::string read_new_pin(Terminal& terminal, const std::string& file, const std::string& option);

}  // namespace cli
