// How a program ends: its exit status, and the one sentence it says.
#pragma once

#include <stdexcept>
#include <string>

namespace ops {

// What every program of ours can exit with: <sysexits.h>, and 1 for a definite no. Documented in
// docs/cli.md.
enum class ExitCode : int {
  ok = 0,
  declined = 1,      // The bank or the ATM said no: a definite answer, nothing was changed.
  usage = 64,        // The command line is wrong.
  bad_data = 65,     // What was given cannot be right: an amount of 0, differences in an audit.
  no_input = 66,     // A file that should be read is not there.
  unavailable = 69,  // The server does not answer, an address is taken. This run changed nothing.
  internal = 70,     // A promise of our own was broken.
  cannot_create = 73,
  io_error = 74,  // Reading or writing failed; of a daemon also a failed commit.
  unknown_outcome =
      75,         // No answer. It may have happened, or may not: ask again, with the same id.
  protocol = 76,  // The other side speaks something else.
  no_permission = 77,
  config = 78,  // The configuration file or an environment variable is wrong.
};

constexpr int to_int(ExitCode code) { return static_cast<int>(code); }

// Ends the program with this code, after this sentence on standard error. Thrown anywhere, caught
// in run_main only.
class Failure : public std::runtime_error {
 public:
  Failure(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

}  // namespace ops
