// What signals do to a daemon.
#include "ops/daemon.h"

#include <csignal>
#include <sstream>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <vector>

#include <gtest/gtest.h>

#include "async/future.h"
#include "ops/files.h"

namespace ops {
namespace {

class DaemonTest : public testing::Test {
 protected:
  ~DaemonTest() override { EXPECT_EQ(loop.open_handles(), 0U); }

  // Sends the process a signal in a coming turn of the loop.
  void later(int signal) {
    loop.post([this, signal] { loop.post([signal] { std::raise(signal); }); });
  }
  async::Task<> drain() {
    happened.emplace_back("draining");
    co_await loop.sleep_for(std::chrono::milliseconds(1));
    happened.emplace_back("drained");
  }
  SignalHooks hooks() {
    return {.drain = [this] { return drain(); }, .reload = [this] { reload(); }};
  }
  void reload() {
    happened.emplace_back("reloaded");
    later(SIGTERM);
  }

  async::UvLoop loop;
  std::string lines;
  Log log = Log::to_string("daemon", LogLevel::info, LogFormat::text, lines);
  std::vector<std::string> happened;
};

TEST(Connections, AreAsManyAsFilesMayBeOpenLessThoseOfTheDaemonItself) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 100;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  EXPECT_EQ(connections_max(10), 10U);
  rlimit after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
  EXPECT_EQ(after.rlim_cur, before.rlim_max) << "what the machine allows";
  EXPECT_LT(connections_max(SIZE_MAX), after.rlim_max);
}

TEST_F(DaemonTest, SigtermDrainsAndReturns) {
  later(SIGTERM);
  serve_until_signalled(loop, log, hooks());
  EXPECT_EQ(happened, (std::vector<std::string>{"draining", "drained"}));
  EXPECT_NE(lines.find("draining  signal=SIGTERM"), std::string::npos);
}

TEST_F(DaemonTest, SigintDrainsToo) {
  later(SIGINT);
  serve_until_signalled(loop, log, hooks());
  EXPECT_EQ(happened.size(), 2U);
}

TEST_F(DaemonTest, SighupReloadsAndGoesOn) {
  later(SIGHUP);
  serve_until_signalled(loop, log, hooks());
  EXPECT_EQ(happened, (std::vector<std::string>{"reloaded", "draining", "drained"}));
}

TEST_F(DaemonTest, ASecondSignalEndsItAtOnce) {
  const auto drain_for_ever = [this]() -> async::Task<> {
    later(SIGTERM);
    co_await loop.sleep_for(std::chrono::hours(1));
  };
  const auto serve = [&] {
    later(SIGTERM);
    serve_until_signalled(loop, log, {.drain = drain_for_ever, .reload = {}});
  };
  EXPECT_EXIT(serve(), testing::ExitedWithCode(128 + SIGTERM), "");
}

TEST_F(DaemonTest, WhatTheLoopWasToldToFailWithComesOut) {
  loop.post([this] { loop.fail(std::make_exception_ptr(std::runtime_error("the disk is gone"))); });
  EXPECT_THROW(serve_until_signalled(loop, log, hooks()), std::runtime_error);
  EXPECT_TRUE(happened.empty());
}

TEST_F(DaemonTest, TheLogLevelIsReadAgain) {
  const std::string path = testing::TempDir() + "daemon_test.toml";
  CommandLine line({.program = "bankd",
                    .summary = "",
                    .prefix = "BANKD_",
                    .config_file_default = path,
                    .endings = {}});
  DaemonOptions options;
  Command& serve = line.root().command("serve", "");
  add_daemon_options(serve, options);
  serve.run([] { return 0; });
  write_file_atomically(path, "log-level = \"warn\"\n");
  std::ostringstream out;
  line.run({"serve"}, {}, out);
  EXPECT_EQ(options.log_level, LogLevel::warn);
  const auto reload = reload_log_level(line, log);
  write_file_atomically(path, "log-level = \"error\"\n");
  reload();
  EXPECT_FALSE(log.writes(LogLevel::warn));
  write_file_atomically(path, "log-level = \"loud\"\n");
  reload();
  EXPECT_NE(lines.find("the configuration was not reloaded"), std::string::npos);
  EXPECT_FALSE(log.writes(LogLevel::warn));
  remove_file_durably(path);
}

}  // namespace
}  // namespace ops
