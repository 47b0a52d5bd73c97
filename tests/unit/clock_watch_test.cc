// That a bank says when its journal's time is ahead of the clock, how far, and until when.
#include "bank/clock_watch.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

using testing::HasSubstr;

class ClockWatchTest : public BankTest {
 protected:
  ClockWatchTest() { watch(); }

  // As a start of bankd does.
  void watch() {
    tasks.emplace(bank.loop);
    clock_watch.emplace(bank.loop, bank.process->store, bank.clock, bank.log);
    tasks->spawn(clock_watch->run());
    bank.loop.settle();
  }
  void restart() {
    tasks.reset();
    clock_watch.reset();
    bank.restart();
    watch();
  }
  void set_ahead(std::chrono::microseconds ahead) {
    bank.clock.ahead = ahead;
    open("account-" + std::to_string(++accounts), 0);  // Something is journalled.
    bank.loop.advance(clock_look);
  }
  std::string warned() {
    const std::string lines = std::exchange(bank.log_lines, {});
    return lines.find("ahead of the clock") == std::string::npos ? "" : lines;
  }

  int accounts = 0;
  std::optional<ClockWatch> clock_watch;
  std::optional<async::TaskScope> tasks;
};

TEST_F(ClockWatchTest, AClockThatWasAheadIsToldOnceWithHowFarAndUntilWhen) {
  set_ahead(24h);
  EXPECT_EQ(warned(), "") << "nobody knows that it is";
  set_ahead(-1h);
  const std::string line = warned();
  EXPECT_THAT(line, HasSubstr("ahead_s=899"));
  EXPECT_THAT(line, HasSubstr("until=2025-12-19T00:00:"));
  EXPECT_THAT(line, HasSubstr("no limit is renewed and no hold expires"));
  set_ahead(-2h);
  EXPECT_EQ(warned(), "") << "it is known";
}

TEST_F(ClockWatchTest, AStartTellsItAgain) {
  set_ahead(24h);
  set_ahead(0h);
  EXPECT_NE(warned(), "");
  restart();
  EXPECT_THAT(warned(), HasSubstr("until="));
}

TEST_F(ClockWatchTest, ThatItIsOverIsToldToo) {
  set_ahead(1h);
  set_ahead(0h);
  EXPECT_NE(warned(), "");
  bank.loop.advance(1h);
  EXPECT_THAT(std::exchange(bank.log_lines, {}), HasSubstr("the clock has reached"));
  set_ahead(1h);
  set_ahead(0h);
  EXPECT_NE(warned(), "");
}

TEST_F(ClockWatchTest, AClockThatIsPutRightByALittleIsNoNews) {
  set_ahead(30s);
  set_ahead(0h);
  EXPECT_EQ(warned(), "");
}

}  // namespace
}  // namespace bank
