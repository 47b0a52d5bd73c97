// What a configuration file may hold, and that everything else is named with its line.
#include "ops/config_file.h"

#include <gtest/gtest.h>

#include "ops/failure.h"

namespace ops {
namespace {

std::string error_of(std::string_view text) {
  try {
    parse_config(text, "f");
  } catch (const Failure& failure) {
    return failure.what();
  }
  return "it did not fail";
}

using Texts = std::vector<std::string>;

TEST(ConfigFile, HoldsTextsNumbersTruthsAndLists) {
  const ConfigFile file = parse_config(
      "a = \"x # \\\"y\\\" \\n\"  # A comment.\r\n"
      "b-c='C:\\n'\n\n  d = -12\ne = true\n"
      "f = [1, 'two',\n  # In between.\n  \"3\",\n]\n\"g\" = []",
      "f");
  EXPECT_EQ(file.at("a").values, Texts{"x # \"y\" \n"});
  EXPECT_EQ(file.at("b-c").values, Texts{"C:\\n"});
  EXPECT_EQ(file.at("d").values, Texts{"-12"});
  EXPECT_EQ(file.at("e").values, Texts{"true"});
  EXPECT_EQ(file.at("f").values, (Texts{"1", "two", "3"}));
  EXPECT_EQ(file.at("g").values, Texts{});
  EXPECT_EQ(file.at("f").line, 6);
}

TEST(ConfigFile, AnEmptyFileHoldsNothing) {
  EXPECT_TRUE(parse_config("", "f").empty());
  EXPECT_TRUE(parse_config("\n# Only this.", "f").empty());
}

TEST(ConfigFile, WhatItDoesNotUnderstandIsAnErrorWithItsLine) {
  EXPECT_EQ(error_of("a = 1\nport = [1,\n"),
            "f line 3 needs a \"text\" in quotes, a whole number, "
            "true, false, or an array of those.");
  EXPECT_EQ(error_of("a = [1 2]"), "f line 1 has an array that does not end with ']'.");
  EXPECT_EQ(error_of("a = hello"),
            "f line 1 needs a \"text\" in quotes, a whole number, true, "
            "false, or an array of those.");
  EXPECT_EQ(error_of("a = 1 2"),
            "f line 1 has something after its value; a text stands in \"quotes\".");
  EXPECT_EQ(error_of("a = \"x"), "f line 1 has a text without its closing quote.");
  EXPECT_EQ(error_of("a = 'x\n'"), "f line 1 has a text without its closing quote.");
  EXPECT_EQ(error_of("a = \"\\q\""),
            "f line 1 has an escape that is not \\\" \\\\ \\n \\t \\r \\b \\f.");
  EXPECT_EQ(error_of("a 1"), "f line 1 lacks a `=` after 'a'.");
  EXPECT_EQ(error_of("= 1"), "f line 1 does not begin with an option's name.");
  EXPECT_EQ(error_of("a = 1\na = 2"), "f line 2 sets 'a' a second time.");
  EXPECT_EQ(error_of("[table]"),
            "f line 1 has a [table]; options stand at the top level, one `key = value` a line.");
}

TEST(ConfigFile, AQuotedTextReadsBackAsItWas) {
  const std::string text = "a\"b\\c\nd\te";
  EXPECT_EQ(parse_config("k = " + quote_config_string(text), "f").at("k").values, Texts{text});
}

}  // namespace
}  // namespace ops
