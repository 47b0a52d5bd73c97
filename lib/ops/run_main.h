// The outer edge of a program: where every exception that nobody caught becomes one sentence and an
// exit code.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ops/failure.h"

namespace ops {

class Log;

struct Ending {
  ExitCode code;
  std::string sentence;
};

// Returns the ending for an exception that a module of its own throws, such as a journal's; nullopt
// for any other.
using Endings = std::function<std::optional<Ending>(const std::exception&)>;

// Runs `body` and returns its exit code. Of an exception:
//   Failure              its own code
//   what `endings` knows as it says
//   async::IoError       77 not permitted, 69 an address is taken or nobody answers, else 74
//   std::system_error    66 a file is not there, 77 not permitted, 73 it cannot be made, else 74
//   everything else      70
// The sentence goes to standard error, behind the program's name: "bankd: 127.0.0.1:7001 is taken".
// Whatever it quotes, it is one line (ForeignText).
// Where the code would be 0 but standard output could not be written, it is 74. Other codes stay.
// Nothing is caught that ends the process (check failures).
//
// Where the program keeps a log by then, its last line has the sentence, too, as an error with the
// code: `log` is asked once the body has ended. Where both go to the same place, such as one terminal,
// only the log has it.
int run_main(std::string_view program, const std::function<int()>& body,
             const Endings& endings = {}, const std::function<const Log*()>& log = {});

// What run_main does with one exception.
Ending ending_of(const std::exception& error, const Endings& endings = {});

}  // namespace ops
