// Standard input, output and errors, as a program may rely on them.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <streambuf>
#include <string>
#include <string_view>

#include "ops/failure.h"

namespace ops {

// Opens what the program was started without (`<&-`, `>&-`), so that no file or socket of its own
// becomes a standard descriptor. Reading such input fails, and so does writing such output. Once, by
// main, before anything is opened.
void open_standard_descriptors();

// Writes all of `text`, also into a pipe that does not block, and waits while it is full: at most
// `patience` in all, if that is given. Returns 0, or the errno of the failure: EAGAIN when it lost its
// patience. Any thread.
int write_all(int descriptor, std::string_view text,
              std::optional<std::chrono::milliseconds> patience = {});

// Flushes `out`, such as std::cout. Returns "" if all was written, else why not: "Standard output
// cannot be written: No space left on device". No full stop: what it means for the command follows.
std::string why_unwritten(std::ostream& out);

// Whether anything was written to `out`, perhaps in vain, since its StandardStream was made.
bool has_text(const std::ostream& out);

// Throws Failure(code) where why_unwritten() has an answer, whose sentence ends with `consequence`: "Nothing was done".
void require_written(std::ostream& out, ExitCode code, const std::string& consequence = "");

// What std::cout or std::cerr writes through for as long as this lives: nothing is lost, and a
// failure is not silent. Main's thread only.
//
// A failed write makes the stream bad and throws nothing: what became of a change must be said all
// the same. A program that prints for as long as there is something looks at the stream.
class StandardStream final : public std::streambuf {
 public:
  // To standard output.
  static constexpr struct Output {
  } output{};
  // To standard errors. There is nowhere to report a failure, and nobody who does not read may keep
  // the program from ending.
  static constexpr struct Errors {
  } errors{};

  explicit StandardStream(Output);
  explicit StandardStream(Errors);
  StandardStream(const StandardStream&) = delete;
  StandardStream& operator=(const StandardStream&) = delete;
  ~StandardStream() override;

  // Writes what is still here. Returns "", or why anything could not be written.
  std::string finish();
  bool has_text() const { return has_text_; }

 private:
  int_type overflow(int_type letter) override;
  std::streamsize xsputn(const char* text, std::streamsize size) override;
  int sync() override;
  bool write_out();  // False: it failed, now or before.

  std::ostream& stream_;
  const int descriptor_;
  const std::optional<std::chrono::milliseconds> patience_;
  const bool by_line_;  // A terminal shows each line at once.
  std::streambuf* const before_;
  std::string waiting_;
  bool has_text_ = false;
  int failure_ = 0;  // An errno.
};

}  // namespace ops
