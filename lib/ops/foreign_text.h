// Text that somebody else chose: a customer's name, a reason, a peer's status, a method's name.
//
//   terminal.write("Good day, " + ForeignText(session.customer_name()).shown() + ".\n");
//
// Printed as it came, it could begin a line of its own, move the terminal's cursor, or turn the
// letters around it. So each table, prompt, sentence and log line lets it out through here only.
#pragma once

#include <string>
#include <string_view>

namespace ops {

// A view: lives as long as the text that it was made of. Any thread.
//
// Invariant: what comes out is valid UTF-8 on one line, without control characters (C0, DEL, C1),
// without line and paragraph separators, without what changes the direction of text, and without
// characters that show nothing, but for the two joiners that some scripts are spelt with.
class ForeignText {
 public:
  explicit ForeignText(std::string_view text) : text_(text) {}

  // For people: a space in place of each line break and tab, '?' in place of everything else that
  // may not come out, once for each byte that is not UTF-8. The rest is as it was.
  std::string shown() const;

  // The inside of a JSON string and of a log line: what may not come out is written as \n or
  // \u202e, and so are quotes and backslashes. A byte that is not UTF-8 becomes \u00 and its number.
  std::string escaped() const;

  // The same of text that is JSON already: quotes and backslashes stay.
  std::string as_json() const;

 private:
  std::string escaped(std::string_view beside) const;

  std::string_view text_;
};

bool is_utf8(std::string_view text);

}  // namespace ops
