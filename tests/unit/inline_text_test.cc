#include "ledger/inline_text.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace ledger {
namespace {

using Text = InlineText<4>;

TEST(InlineTextTest, IsTheTextThatItWasMadeOf) {
  for (const std::string text : {"", "a", "abc", "abcd"}) {
    EXPECT_EQ(Text(text).view(), text);
    EXPECT_EQ(Text(text).size(), text.size());
    EXPECT_EQ(Text(text).empty(), text.empty());
  }
  EXPECT_TRUE(Text().empty());
  EXPECT_EQ(Text("ab"), Text(std::string("ab")));
  EXPECT_NE(Text("ab"), Text("abc"));
}

TEST(InlineTextTest, StaysTooLongWhenItIs) {
  const Text cut("abcdefgh");
  EXPECT_EQ(cut.size(), 5U);
  EXPECT_NE(cut, Text("abcd"));
}

TEST(InlineTextTest, ForgetsALongerTextThatWasThereBefore) {
  Text text("abcd");
  text = "xy";
  EXPECT_EQ(text.view(), "xy");
  EXPECT_EQ(text, Text("xy"));
}

}  // namespace
}  // namespace ledger
