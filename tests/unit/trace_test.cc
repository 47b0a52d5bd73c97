#include "rpc/trace.h"

#include <string>

#include <gtest/gtest.h>

#include "async/random.h"

namespace rpc {
namespace {

constexpr char example[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(TraceTest, ATraceparentIsReadAndWritten) {
  const std::optional<Trace> trace = Trace::parse(example);
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->text(), example);
  EXPECT_EQ(trace->id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace->flags, 1);
}

TEST(TraceTest, ALaterVersionIsReadAsFarAsItIsKnown) {
  std::string later = example;
  later[1] = '1';
  EXPECT_TRUE(Trace::parse(later));
  EXPECT_TRUE(Trace::parse(later + "-more"));
  EXPECT_FALSE(Trace::parse(later + "more"));
  EXPECT_FALSE(Trace::parse(std::string(example) + "-more"));
}

TEST(TraceTest, EveryPlaceOfATraceparentIsChecked) {
  EXPECT_FALSE(Trace::parse(""));
  EXPECT_FALSE(Trace::parse(std::string_view(example).substr(0, 54)));
  for (std::size_t i = 0; i < Trace::text_size; ++i) {
    for (const char wrong : {'g', 'A', ' ', '\0'}) {
      std::string damaged = example;
      damaged[i] = wrong;
      EXPECT_FALSE(Trace::parse(damaged)) << i;
    }
  }
  EXPECT_FALSE(Trace::parse("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
  EXPECT_FALSE(Trace::parse("00-00000000000000000000000000000000-00f067aa0ba902b7-01"));
  EXPECT_FALSE(Trace::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"));
}

TEST(TraceTest, AChildIsTheSameTraceInAnotherSpan) {
  async::SeededRandom random(1);
  const Trace root = Trace::make(random);
  const Trace child = root.child(random);
  EXPECT_TRUE(Trace::parse(root.text()));
  EXPECT_EQ(child.trace_id, root.trace_id);
  EXPECT_NE(child.span_id, root.span_id);
  EXPECT_FALSE(Trace().child(random).is_set());
  EXPECT_EQ(Trace().text(), "");
}

}  // namespace
}  // namespace rpc
