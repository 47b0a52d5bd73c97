// Process: a child process and its pipes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/stream.h"
#include "async/task.h"
#include "async/uv_loop.h"

namespace async {

// How a process ended.
struct ExitStatus {
  int code = 0;    // What it returned; of no meaning when a signal ended it.
  int signal = 0;  // The signal that ended it, or 0.

  bool success() const noexcept { return code == 0 && signal == 0; }
};

struct ProcessOptions {
  std::vector<std::string> command;  // The program, found on PATH, and its arguments.
  // "NAME=value"; not set: this process's own.
  std::optional<std::vector<std::string>> environment = std::nullopt;
  std::string directory = {};  // Empty: this process's own.
  // A pipe to it, or what this process has.
  bool pipe_input = true;
  bool pipe_output = true;
  bool pipe_errors = false;
};

// A child process. Move-only, loop thread only. Destroying it kills the child if it still runs:
// nothing is left behind. Closing its input is how most programs are told that there is no more.
class Process {
 public:
  // Throws IoError (ENOENT: there is no such program).
  Process(UvLoop& loop, const ProcessOptions& options);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  int pid() const noexcept;
  // The other ends of its standard streams. Each may be moved away. Not there unless piped.
  Stream& input();
  Stream& output();
  Stream& errors();

  // Asks it to end (SIGTERM), or ends it (SIGKILL). Nothing happens when it has ended.
  void terminate() noexcept;
  void kill() noexcept;
  void signal(int number) noexcept;
  // Done when it has ended; may be awaited again, by one task at a time. Destroying this under it
  // makes it throw IoError(ECANCELED).
  Task<ExitStatus> wait();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace async
