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
#include "temporary_directory.h"

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

// A daemon whose configuration file changes while it runs.
class ReloadTest : public DaemonTest {
 protected:
  ReloadTest() {
    Command& serve = line.root().command("serve", "");
    add_daemon_options(serve, options);
    serve.option("currency", currency, "CODE", "Of everything");
    serve.run([] { return 0; });
  }

  void start(const std::string& file, std::vector<std::string> words = {"serve"}) {
    write_file_atomically(path, file);
    std::ostringstream out;
    line.run(std::move(words), {}, out);
    log.set_level(options.log_level);
  }
  // What the log says of it.
  std::string reload(const std::string& file) {
    write_file_atomically(path, file);
    lines.clear();
    reload_log_level(line, log)();
    return lines;
  }

  const testkit::TemporaryDirectory directory;
  const std::string path = directory.file("bankd.toml");
  CommandLine line{{.program = "bankd",
                    .summary = "",
                    .prefix = "BANKD_",
                    .config_file_default = path,
                    .endings = {}}};
  DaemonOptions options;
  std::string currency = "EUR";
};

TEST_F(ReloadTest, TheLogLevelIsSetAtOnce) {
  start("log-level = \"info\"\n");
  EXPECT_NE(reload("log-level = \"warn\"\n").find("log_level=warn"), std::string::npos);
  EXPECT_FALSE(log.writes(LogLevel::info));
  reload("");
  EXPECT_TRUE(log.writes(LogLevel::info)) << "the default";
}

TEST_F(ReloadTest, WhatHoldsOnlyFromTheNextStartOnIsNotClaimed) {
  start("");
  const std::string told = reload("currency = \"JPY\"\nlog-level = \"warn\"\n");
  EXPECT_NE(told.find("options that were changed hold from the next start on"), std::string::npos);
  EXPECT_NE(told.find("options=currency"), std::string::npos) << told;
  EXPECT_EQ(currency, "EUR");
  EXPECT_FALSE(log.writes(LogLevel::info));
}

TEST_F(ReloadTest, AMistakeAnywhereIsLoggedAndNothingIsSet) {
  start("");
  for (const std::string mistake :
       {"log-level = \"loud\"\n", "log-level = \"error\"\nlisen = \"x\"\n",
        "log-level = \"error\"\nlog-format = \"pretty\"\n", "log-level = \n"}) {
    EXPECT_NE(reload(mistake).find("the configuration was not reloaded"), std::string::npos)
        << mistake;
    EXPECT_TRUE(log.writes(LogLevel::info)) << mistake;
  }
}

TEST_F(ReloadTest, AFlagStillBeatsTheFile) {
  start("", {"serve", "--log-level", "warn"});
  EXPECT_EQ(reload("log-level = \"debug\"\n"), "") << "nothing changed, and info is not logged";
  EXPECT_FALSE(log.writes(LogLevel::info));
}

TEST_F(DaemonTest, SighupWithoutAnythingToReloadSaysSo) {
  loop.post([this] {
    loop.post([this] {
      std::raise(SIGHUP);
      later(SIGTERM);
    });
  });
  serve_until_signalled(loop, log, {.drain = [this] { return drain(); }, .reload = {}});
  EXPECT_NE(lines.find("nothing is reloaded"), std::string::npos);
}

}  // namespace
}  // namespace ops
