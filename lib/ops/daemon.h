// What every daemon does alike: its common options, its signals, telling that it is ready.
//
//   ops::DaemonOptions daemon;
//   ops::add_daemon_options(command, daemon);
//   ...
//   const ops::Log log = ops::start_logging(line, daemon);
//   async::UvLoop loop;
//   rpc::Server server(loop, limits, observer);
//   ...
//   const auto ready = [&] { return ops::write_ready_file(daemon.ready_file, endpoints); };
//   const auto drain = [&] { return server.drain(loop.in(4s)); };
//   const auto reload = ops::reload_log_level(line, log);
//   ops::serve_until_signalled(loop, log, {.drain = drain, .reload = reload, .ready = ready});
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "async/task.h"
#include "async/uv_loop.h"
#include "ops/log.h"
#include "ops/options.h"
#include "ops/time_zone.h"

namespace ops {

struct DaemonOptions {
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  std::optional<std::filesystem::path> ready_file;
  TimeZone time_zone;  // For Calendar::of_zone, first thing.
};

void add_daemon_options(Command& command, DaemonOptions& options);

// Starts the log of the program, under its name: from now on it also has the error that ends the
// program. Also sees to it that SIGUSR1, which asks a loop in debug mode for its tasks, does no harm to
// one that is not. Before any loop is made.
Log start_logging(CommandLine& line, const DaemonOptions& options);

// Lets the process open as many files as the machine allows, and returns how many connections that
// leaves room for, beside the files that a daemon needs itself.
std::size_t connections_max(std::size_t wanted);

struct SignalHooks {
  // The first SIGTERM or SIGINT, once: stops accepting and finishes what is in flight. When it is
  // done the daemon ends.
  std::function<async::Task<>()> drain;
  // SIGHUP. Not set: the log says that it does nothing.
  std::function<void()> reload;
  // When a signal would be heard: tells whoever started us that we serve. Called again after a while if it returns false.
  std::function<bool()> ready = {};
};

// Runs `loop` until a signal has come and the draining is done. A second SIGTERM or SIGINT ends the
// process at once, with 128 and the signal's number: what was acknowledged is on the disk. Throws
// what loop.fail() was told.
void serve_until_signalled(async::UvLoop& loop, const Log& log, SignalHooks hooks);

// What --help says of a daemon that reloads.
inline constexpr const char* reload_footer =
    "On SIGHUP it reads environment and configuration file again: log-level changes at once, "
    "unless a flag\n"
    "says it, the rest at the next start; the log says what.";

// A SignalHooks::reload: sets the log's level to what environment and file say now, unless the
// command line says it, and logs which other options they have changed, which hold from the next
// start on. A mistake in them is logged, and nothing is set. `line` outlives it.
std::function<void()> reload_log_level(CommandLine& line, Log log);

}  // namespace ops
