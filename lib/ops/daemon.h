// What every daemon does alike: its common options, its signals, telling that it is ready.
//
//   ops::DaemonOptions daemon;
//   ops::add_daemon_options(command, daemon);
//   ...
//   const ops::Log log = ops::start_logging("bankd", daemon);
//   async::UvLoop loop;
//   ops::write_ready_file(*daemon.ready_file, endpoints);   // ops/files.h; once everything listens
//   ops::serve_until_signalled(loop, log, server.serve(), {.drain = [&] { server.drain(); }});
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "async/task.h"
#include "async/uv_loop.h"
#include "ops/log.h"
#include "ops/options.h"

namespace ops {

struct DaemonOptions {
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::automatic;
  std::optional<std::filesystem::path> ready_file;
  std::string time_zone = "UTC";  // For Calendar::of_zone, first thing.
};

void add_daemon_options(Command& command, DaemonOptions& options);

Log start_logging(std::string name, const DaemonOptions& options);

struct SignalHooks {
  // The first SIGTERM or SIGINT, once: stop accepting, finish what is in flight, and let `serving`
  // end.
  std::function<void()> drain;
  // SIGHUP. Not set: it is ignored.
  std::function<void()> reload;
};

// Runs `serving` to its end on `loop`, and answers signals beside it. A second SIGTERM or SIGINT
// ends the process at once, with 128 and the signal's number: what was acknowledged is on the disk.
// Throws what `serving` throws.
void serve_until_signalled(async::UvLoop& loop, const Log& log, async::Task<> serving,
                           SignalHooks hooks);

// A SignalHooks::reload: sets the log's level to what environment and file say now.
std::function<void()> reload_log_level(const CommandLine& line, Log log);

}  // namespace ops
