#include "ops/daemon.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "async/scope.h"
#include "async/signals.h"
#include "ops/failure.h"

namespace ops {
namespace {

const char* name_of(int signal) { return signal == SIGTERM ? "SIGTERM" : "SIGINT"; }

// Until SIGTERM or SIGINT: gives which.
async::Task<int> wait_for_the_end(async::Signals* signals, const Log* log,
                                  const SignalHooks* hooks) {
  while (true) {
    const int signal = co_await signals->next();
    if (signal != SIGHUP) co_return signal;
    if (hooks->reload) {
      hooks->reload();
    } else {
      log->warn("nothing is reloaded: no option changes while this runs", {{"signal", "SIGHUP"}});
    }
  }
}

async::Task<> end_at_once_when_told_again(async::Signals* signals) {
  while (true) {
    const int signal = co_await signals->next();
    if (signal != SIGHUP) std::_Exit(128 + signal);
  }
}

// What sched_setattr(2) takes; the C library of Debian 12 does not know it.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = 0;  // SCHED_OTHER.
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t slice_ns = 0;
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};

// A loop has little to do at a time, and does it at once: from Linux 6.12 on, who asks for short slices gets the processor when it
// wakes, and not after the 3 ms of whoever has it. Without this, every hundredth inquiry waited that long beside 20,000 changes a
// second on one processor. It gets no more time than others. Where the system does not grant it, nothing is lost but that.
void ask_for_short_slices() {
  SchedulingAttributes attributes;
  errno = 0;
  attributes.nice = ::getpriority(PRIO_PROCESS, 0);
  if (errno != 0) return;
  attributes.slice_ns = 100'000;  // The shortest there is.
  ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

async::Task<> tell_ready(async::UvLoop* loop, const SignalHooks* hooks) {
  constexpr std::chrono::milliseconds pause(50);
  while (hooks->ready && !hooks->ready()) co_await loop->sleep_for(pause);
}

async::Task<> serve(async::UvLoop* loop, const Log* log, const SignalHooks* hooks) {
  const std::vector<int> watched = {SIGTERM, SIGINT, SIGHUP};
  async::Signals signals(*loop, watched);  // Until the end: none may end the process in between.
  async::TaskScope beside(*loop);
  beside.spawn(tell_ready(loop, hooks));
  const int signal = co_await wait_for_the_end(&signals, log, hooks);
  beside.cancel();
  log->info("draining", {{"signal", name_of(signal)}});
  async::TaskScope impatience(*loop);
  impatience.spawn(end_at_once_when_told_again(&signals));
  if (hooks->drain) co_await hooks->drain();
  log->info("stopped");
}

}  // namespace

void add_daemon_options(Command& command, DaemonOptions& options) {
  command.option("log-level", options.log_level, "LEVEL", "debug, info, warn or error");
  command.option("log-format", options.log_format, "FORMAT",
                 "json, text, or auto: text on a terminal, JSON elsewhere");
  command.option(
      "ready-file", options.ready_file, "FILE",
      "Written once everything listens: a line HOST:PORT for each listener; may be a FIFO");
  command.option("time-zone", options.time_zone, "NAME",
                 "Whose days are business days, as Europe/Vienna");
}

Log start_logging(CommandLine& line, const DaemonOptions& options) {
  std::signal(SIGUSR1, SIG_IGN);  // A loop in debug mode, which begins later, hears it.
  Log log = Log::to_stdout(line.program(), options.log_level, options.log_format);
  line.tell_end_to(log);
  return log;
}

std::size_t connections_max(std::size_t wanted) {
  constexpr std::size_t files_of_its_own = 64;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return wanted;
  files.rlim_cur = files.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &files) != 0) ::getrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur == RLIM_INFINITY) return wanted;
  const auto open_max = static_cast<std::size_t>(files.rlim_cur);
  return std::min(wanted,
                  open_max > 2 * files_of_its_own ? open_max - files_of_its_own : open_max / 2);
}

void serve_until_signalled(async::UvLoop& loop, const Log& log, SignalHooks hooks) {
  ask_for_short_slices();
  loop.run(serve(&loop, &log, &hooks));
}

std::function<void()> reload_log_level(CommandLine& line, Log log) {
  return [&line, log = std::move(log)] {
    constexpr std::array<std::string_view, 1> live = {"log-level"};
    try {
      std::string later;
      for (const CommandLine::Change& change : line.reread(live, process_environment())) {
        if (change.option != live[0]) {
          later += (later.empty() ? "" : ", ") + change.option;
          continue;
        }
        log.set_level(Value<LogLevel>::parse(change.texts.front()).value());
        log.warn("the log level is another now", {{"log_level", change.texts.front()}});
      }
      if (later.empty()) {
        log.info("the configuration was read again, and nothing waits for the next start");
      } else {
        log.warn("options that were changed hold from the next start on", {{"options", later}});
      }
    } catch (const Failure& failure) {
      log.error("the configuration was not reloaded", {{"reason", failure.what()}});
    }
  };
}

}  // namespace ops
