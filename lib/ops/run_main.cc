#include "ops/run_main.h"

#include <cerrno>
#include <csignal>
#include <iostream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "async/endpoint.h"
#include "ops/foreign_text.h"
#include "ops/log.h"
#include "ops/options.h"
#include "ops/standard_streams.h"
#include "ops/suggest.h"

namespace ops {
namespace {

ExitCode code_of_io_error(int negative_errno) {
  switch (-negative_errno) {
    case EACCES:
    case EPERM:
      return ExitCode::no_permission;
    case EIO:
    case ENOSPC:
    case EBADF:
    case EINVAL:
      return ExitCode::io_error;
    default:  // The network: taken, refused, unreachable, reset, a name that is not known.
      return ExitCode::unavailable;
  }
}

ExitCode code_of_system_error(const std::error_code& error) {
  if (error == std::errc::no_such_file_or_directory) return ExitCode::no_input;
  if (error == std::errc::permission_denied || error == std::errc::operation_not_permitted) {
    return ExitCode::no_permission;
  }
  if (error == std::errc::is_a_directory || error == std::errc::not_a_directory ||
      error == std::errc::file_exists || error == std::errc::read_only_file_system) {
    return ExitCode::cannot_create;
  }
  return ExitCode::io_error;
}

// Whoever reads one reads the other: one terminal, file, pipe or socket.
bool output_and_errors_are_one() {
  struct stat output{};
  struct stat errors{};
  return ::fstat(STDOUT_FILENO, &output) == 0 && ::fstat(STDERR_FILENO, &errors) == 0 &&
         output.st_dev == errors.st_dev && output.st_ino == errors.st_ino;
}

}  // namespace

Ending ending_of(const std::exception& error, const Endings& endings) {
  if (const auto* failure = dynamic_cast<const Failure*>(&error)) {
    return {failure->code(), as_sentence(failure->what())};
  }
  if (endings) {
    if (std::optional<Ending> known = endings(error)) return *known;
  }
  if (dynamic_cast<const async::SocketFileError*>(&error) != nullptr) {
    return {ExitCode::cannot_create, as_sentence(error.what())};
  }
  if (const auto* io = dynamic_cast<const async::IoError*>(&error)) {
    return {code_of_io_error(io->code()), as_sentence(io->what())};
  }
  if (const auto* system = dynamic_cast<const std::system_error*>(&error)) {
    return {code_of_system_error(system->code()), as_sentence(system->what())};
  }
  return {ExitCode::internal,
          as_sentence(std::string("Something happened that must not: ") + error.what())};
}

int run_main(std::string_view program, const std::function<int()>& body, const Endings& endings,
             const std::function<const Log*()>& log) {
  open_standard_descriptors();
  // A peer or a pipe that closed is an error of that write, not our end.
  std::signal(SIGPIPE, SIG_IGN);
  // So is a file that may grow no longer (RLIMIT_FSIZE).
  std::signal(SIGXFSZ, SIG_IGN);
  StandardStream output(StandardStream::output);
  const StandardStream errors(StandardStream::errors);
  const auto end = [&](const std::exception& error) {
    const Ending ending = ending_of(error, endings);
    if (const Log* const kept = log ? log() : nullptr) {
      kept->error("ended by an error",
                  {{"reason", ending.sentence}, {"exit_code", to_int(ending.code)}});
      if (output_and_errors_are_one()) return to_int(ending.code);
    }
    // "bankctl account needs a command ..." names the program already.
    const bool names_program = ending.sentence.starts_with(std::string(program) + " ");
    const std::string name = names_program ? "" : std::string(program) + ": ";
    std::cerr << name + ForeignText(ending.sentence).shown() + "\n";
    return to_int(ending.code);
  };
  int code = to_int(ExitCode::ok);
  try {
    code = body();
  } catch (const std::exception& error) {
    code = end(error);
  }
  // Another code says more than that its output was lost.
  const std::string why = output.finish();
  const bool is_lost = code == to_int(ExitCode::ok) && !why.empty();
  return is_lost ? end(Failure(ExitCode::io_error, why)) : code;
}

int CommandLine::run(int argc, const char* const* argv) {
  return run_main(
      program_.program,
      [&] {
        std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
        return run(std::move(arguments), process_environment(), std::cout);
      },
      program_.endings, [this] { return log_.get(); });
}

}  // namespace ops
