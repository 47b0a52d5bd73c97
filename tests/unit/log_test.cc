// That a log line is one line, whatever is in it.
#include "ops/log.h"

#include <algorithm>
#include <regex>

#include <gtest/gtest.h>

#include "ops/foreign_text.h"

namespace ops {
namespace {

class LogTest : public testing::Test {
 protected:
  Log json() { return Log::to_string("bankd", LogLevel::info, LogFormat::json, lines); }
  Log text() { return Log::to_string("bankd", LogLevel::info, LogFormat::text, lines); }
  // The lines without their times.
  std::string timeless() const {
    const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|\d\d:\d\d:\d\d\.\d{3})");
    return std::regex_replace(lines, time, "TIME");
  }

  std::string lines;
};

TEST_F(LogTest, AnEventIsOneJsonObject) {
  json().info(
      "listening",
      {{"address", "127.0.0.1:7001"}, {"connections_max", 1024U}, {"left", -3}, {"durable", true}});
  EXPECT_EQ(timeless(),
            "{\"ts\":\"TIME\",\"level\":\"info\",\"logger\":\"bankd\",\"msg\":\"listening\","
            "\"address\":\"127.0.0.1:7001\",\"connections_max\":1024,\"left\":-3,"
            "\"durable\":true}\n");
}

TEST_F(LogTest, AnEventIsOneLineOnATerminal) {
  text().warn("slow disk", {{"file", "my bank.db"}, {"took_us", 12}, {"who", "jane"}});
  EXPECT_EQ(timeless(), "TIME warn  bankd  slow disk  file=\"my bank.db\"  took_us=12  who=jane\n");
}

TEST_F(LogTest, WhatAPeerSendsCannotForgeAFieldALineOrAnEscape) {
  const std::string evil =
      "\"},\n\x1b[2J{}\x1f"
      "admin\x1d"
      "true\\\x7f\xff\xc0\xaf \xe2\x82\xac";
  json().info(evil, {{"method", evil}});
  const std::string escaped =
      "\\\"},\\n\\u001b[2J{}\\u001fadmin\\u001dtrue\\\\\\u007f\\u00ff\\u00c0\\u00af \xe2\x82\xac";
  EXPECT_EQ(timeless(), "{\"ts\":\"TIME\",\"level\":\"info\",\"logger\":\"bankd\",\"msg\":\"" +
                            escaped + "\",\"method\":\"" + escaped + "\"}\n");
  lines.clear();
  text().info("x", {{"method", "a\nb"}});
  EXPECT_EQ(timeless(), "TIME info  bankd  x  method=a\\nb\n");
}

TEST_F(LogTest, TheLevelHoldsForEveryCopy) {
  const Log log = json();
  const Log rpc = log.named("rpc");
  rpc.debug("not seen");
  EXPECT_EQ(lines, "");
  log.set_level(LogLevel::debug);
  rpc.debug("seen");
  EXPECT_NE(lines.find("\"logger\":\"rpc\",\"msg\":\"seen\""), std::string::npos);
  log.set_level(LogLevel::error);
  EXPECT_FALSE(rpc.writes(LogLevel::warn));
  EXPECT_TRUE(rpc.writes(LogLevel::error));
}

TEST_F(LogTest, StandardOutputHasEveryLineWhenTheLastCopyIsGone) {
  testing::internal::CaptureStdout();
  {
    const Log log = Log::to_stdout("bankd", LogLevel::info, LogFormat::json);
    const Log rpc = log.named("rpc");
    for (int i = 0; i < 1000; ++i) rpc.info("event", {{"number", i}});
  }
  lines = testing::internal::GetCapturedStdout();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1000);
  EXPECT_NE(lines.find("\"msg\":\"event\",\"number\":999}"), std::string::npos);
}

TEST(MaskCard, ShowsTheLastFourDigitsOnly) {
  EXPECT_EQ(mask_card("4000000000000002"), "************0002");
  EXPECT_EQ(mask_card("40000002"), "****0002");
  EXPECT_EQ(mask_card("4000002"), "*******");
  EXPECT_EQ(mask_card(""), "");
}

TEST(ForeignText, IsShownOnOneLineWithoutWhatActsOnATerminal) {
  const auto shown = [](std::string_view text) { return ForeignText(text).shown(); };
  EXPECT_EQ(shown("Jane Doe"), "Jane Doe");
  EXPECT_EQ(shown("J\xc3\xbcrgen \xd7\x90\xd7\x91 \xe6\x97\xa5 \xf0\x9f\x92\xb6"),
            "J\xc3\xbcrgen \xd7\x90\xd7\x91 \xe6\x97\xa5 \xf0\x9f\x92\xb6");
  EXPECT_EQ(shown("\xd9\x85\xe2\x80\x8c\xd9\x87"),
            "\xd9\x85\xe2\x80\x8c\xd9\x87");  // Joiners spell.
  EXPECT_EQ(shown("a\nb\r\nc\td\xc2\x85"
                  "e\xe2\x80\xa8"
                  "f"),
            "a b  c d e f");
  EXPECT_EQ(shown("\x1b[2J\x7f\xc2\x9b"
                  "1A"),
            "?[2J??1A");
  EXPECT_EQ(shown("\xe2\x80\xae"
                  "1\xe2\x81\xa6"
                  "2\xd8\x9c"
                  "3\xe2\x80\x8b"),
            "?1?2?3?");
  EXPECT_EQ(shown("\x9b\xc0\x8a\xe2\x80"), "?????");
}

TEST(ForeignText, IsEscapedWithoutLoss) {
  const auto escaped = [](std::string_view text) { return ForeignText(text).escaped(); };
  EXPECT_EQ(escaped("a\"b\\c\n"), "a\\\"b\\\\c\\n");
  EXPECT_EQ(escaped("\xf0\x9f\x92\xb6"), "\xf0\x9f\x92\xb6");
  EXPECT_EQ(escaped("\xf0\x9f\x92"), "\\u00f0\\u009f\\u0092");
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\u00ed\\u00a0\\u0080");
  EXPECT_EQ(escaped(std::string_view("\0", 1)), "\\u0000");
  EXPECT_EQ(escaped("\xc2\x9b\xe2\x80\xae\xf3\xa0\x81\x81"), "\\u009b\\u202e\\udb40\\udc41");
}

}  // namespace
}  // namespace ops
