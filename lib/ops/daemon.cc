#include "ops/daemon.h"

#include <csignal>
#include <cstdlib>
#include <utility>
#include <vector>

#include "async/scope.h"
#include "ops/failure.h"

namespace ops {
namespace {

async::Task<> answer_signals(async::UvLoop* loop, Log log, SignalHooks hooks) {
  const std::vector<int> signals = {SIGTERM, SIGINT, SIGHUP};
  bool is_draining = false;
  while (true) {
    const int signal = co_await loop->next_signal(signals);
    if (signal == SIGHUP) {
      log.info("reloading");
      if (hooks.reload) hooks.reload();
    } else if (is_draining) {
      std::_Exit(128 + signal);
    } else {
      is_draining = true;
      log.info("draining", {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
      if (hooks.drain) hooks.drain();
    }
  }
}

}  // namespace

void add_daemon_options(Command& command, DaemonOptions& options) {
  command.option("log-level", options.log_level, "LEVEL", "debug, info, warn or error");
  command.option("log-format", options.log_format, "FORMAT",
                 "json, text, or auto: text on a terminal, JSON elsewhere");
  command.option("ready-file", options.ready_file, "FILE",
                 "Written once everything listens: a line HOST:PORT for each listener");
  command.option("time-zone", options.time_zone, "NAME",
                 "Whose days are business days, as Europe/Vienna");
}

Log start_logging(std::string name, const DaemonOptions& options) {
  return Log::to_stdout(std::move(name), options.log_level, options.log_format);
}

void serve_until_signalled(async::UvLoop& loop, const Log& log, async::Task<> serving,
                           SignalHooks hooks) {
  async::Task<> signals = answer_signals(&loop, log, std::move(hooks));
  loop.run(async::first_of(std::move(serving), std::move(signals)));
}

std::function<void()> reload_log_level(const CommandLine& line, Log log) {
  return [&line, log = std::move(log)] {
    try {
      const std::optional<std::string> text = line.reread("log-level", process_environment());
      if (!text) return;
      const Parsed<LogLevel> level = Value<LogLevel>::parse(*text);
      if (!level) throw Failure(ExitCode::config, "log-level " + level.error());
      log.set_level(*level);
      log.info("log level set", {{"log_level", *text}});
    } catch (const Failure& failure) {
      log.error("the configuration was not reloaded", {{"reason", failure.what()}});
    }
  };
}

}  // namespace ops
