// Frames, byte by byte.

#include "rpc/frame.h"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/stream.h"
#include "test/v1/echo.pb.h"

namespace rpc {
namespace {

using testing::ElementsAre;

constexpr char oversize[] = "<too long>";

// What a reader makes of a stream that arrives in these pieces.
std::vector<std::string> read(FrameReader& reader, const std::vector<std::string>& pieces) {
  std::vector<std::string> frames;
  const auto collect = [&frames](const Frame& frame) {
    frames.push_back(frame.oversize ? oversize : std::string(async::text_of(frame.body)));
    return true;
  };
  for (const std::string& piece : pieces) {
    EXPECT_EQ(reader.feed(async::bytes_of(piece), collect), piece.size());
  }
  return frames;
}

std::vector<std::string> one_by_one(const std::string& bytes) {
  std::vector<std::string> pieces;
  for (const char byte : bytes) pieces.emplace_back(1, byte);
  return pieces;
}

std::string frame_of(const std::string& body) {
  std::string bytes;
  std::uint8_t* const place = append_frame_space(bytes, body.size());
  std::copy(body.begin(), body.end(), place);
  return bytes;
}

TEST(FrameTest, AFrameIsItsLengthAndItsBody) {
  FrameReader reader;
  EXPECT_THAT(read(reader, {std::string("\0\3abc", 5)}), ElementsAre("abc"));
  EXPECT_FALSE(reader.is_partial());
}

TEST(FrameTest, OneReadBringsManyFramesAndTheBeginningOfAnother) {
  FrameReader reader;
  EXPECT_THAT(read(reader, {frame_of("a") + frame_of("bc") + frame_of("def").substr(0, 4)}),
              ElementsAre("a", "bc"));
  EXPECT_TRUE(reader.is_partial());
  EXPECT_THAT(read(reader, {"f" + frame_of("g")}), ElementsAre("def", "g"));
  EXPECT_FALSE(reader.is_partial());
}

TEST(FrameTest, EvenTheLengthCanBeSplit) {
  FrameReader reader;
  EXPECT_THAT(read(reader, {std::string("\0", 1), std::string("\1", 1), "x"}), ElementsAre("x"));
}

TEST(FrameTest, BytesOneByOneGiveTheSameFrames) {
  FrameReader reader;
  EXPECT_THAT(read(reader, one_by_one(frame_of("a") + frame_of("") + frame_of("bcd"))),
              ElementsAre("a", "", "bcd"));
  EXPECT_FALSE(reader.is_partial());
}

TEST(FrameTest, AFrameOfLengthZeroIsHandedOut) {
  FrameReader reader;
  EXPECT_THAT(read(reader, {std::string("\0\0\0\0", 4)}), ElementsAre("", ""));
}

TEST(FrameTest, TheLongestFrameFits) {
  const std::string body(frame_body_size_max, 'x');
  FrameReader reader;
  EXPECT_THAT(read(reader, {frame_of(body).substr(0, 70), frame_of(body).substr(70)}),
              ElementsAre(body));
}

TEST(FrameTest, AFrameOverTheLimitIsReportedOnceAndSkipped) {
  for (const bool split : {false, true}) {
    FrameReader reader(3);
    const std::string bytes = frame_of("abc") + frame_of("abcd") + frame_of("") + frame_of("e");
    const std::vector<std::string> pieces = split ? one_by_one(bytes) : std::vector{bytes};
    EXPECT_THAT(read(reader, pieces), ElementsAre("abc", oversize, "", "e"));
    EXPECT_FALSE(reader.is_partial());
  }
}

TEST(FrameTest, AFrameThatIsBeingSkippedIsPartial) {
  FrameReader reader(3);
  EXPECT_THAT(read(reader, {frame_of("abcd").substr(0, 3)}), ElementsAre(oversize));
  EXPECT_TRUE(reader.is_partial());
  EXPECT_THAT(read(reader, {"bcd"}), ElementsAre());
  EXPECT_FALSE(reader.is_partial());
}

TEST(FrameTest, AReaderThatIsStoppedSaysHowFarItCame) {
  const std::string bytes = frame_of("ab") + frame_of("cd") + frame_of("ef");
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameReader reader;
    std::vector<std::string> frames;
    const auto stop_after_each = [&frames](const Frame& frame) {
      frames.emplace_back(async::text_of(frame.body));
      return false;
    };
    for (const std::string& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
      std::size_t used = 0;
      while (used < piece.size()) {
        used += reader.feed(async::bytes_of(piece).subspan(used), stop_after_each);
      }
    }
    EXPECT_THAT(frames, ElementsAre("ab", "cd", "ef")) << cut;
  }
}

// Whatever the slicing, the frames are the same.
TEST(FrameTest, AnySlicingGivesTheSameFrames) {
  std::mt19937 random(7);
  const auto below = [&random](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 500; ++round) {
    const std::size_t limit = 1 + below(300);
    std::string stream;
    std::vector<std::string> expected;
    for (std::size_t i = below(20); i > 0; --i) {
      const std::string body(below(400), static_cast<char>('a' + below(26)));
      stream += frame_of(body);
      expected.push_back(body.size() > limit ? oversize : body);
    }
    std::vector<std::string> pieces;
    for (std::size_t begin = 0; begin < stream.size();) {
      const std::size_t size = 1 + below(below(2) == 0 ? 5 : 900);
      pieces.push_back(stream.substr(begin, size));
      begin += size;
    }
    FrameReader reader(limit);
    ASSERT_EQ(read(reader, pieces), expected) << round;
    ASSERT_FALSE(reader.is_partial());
  }
}

TEST(FrameTest, AMessageIsWrittenBehindWhatIsThere) {
  test::v1::EchoRequest message;
  message.set_text("hi");
  std::string buffer = "before";
  EXPECT_TRUE(append_frame(buffer, message));
  EXPECT_EQ(buffer, std::string("before\0\4\x0a\2hi", 12));
}

TEST(FrameTest, AMessageThatDoesNotFitIsNotWritten) {
  test::v1::EchoRequest message;
  message.set_text(std::string(frame_body_size_max - 4, 'x'));  // A tag and a length of 3 bytes.
  std::string buffer;
  EXPECT_TRUE(append_frame(buffer, message));
  EXPECT_EQ(buffer.size(), frame_header_size + frame_body_size_max);
  message.mutable_text()->push_back('x');
  EXPECT_FALSE(append_frame(buffer, message));
  EXPECT_EQ(buffer.size(), frame_header_size + frame_body_size_max);
}

}  // namespace
}  // namespace rpc
