// What holds for every stream, whatever carries it.

#include "async/stream.h"

#include <array>
#include <cerrno>

#include "stream_fixture.h"

namespace async {
namespace {

using StreamTest = StreamFixture;

INSTANTIATE_TEST_SUITE_P(Carriers, StreamTest,
                         testing::Values(Carrier::memory, Carrier::tcp, Carrier::unix_socket),
                         name_of);

TEST_P(StreamTest, CarriesBytesBothWays) {
  write(near, "hello");
  EXPECT_EQ(read(far), "hello");
  write(far, "good day");
  EXPECT_EQ(read(near), "good day");
}

TEST_P(StreamTest, KeepsTheOrderOfManyWrites) {
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    write(near, std::to_string(i) + ";");
    expected += std::to_string(i) + ";";
  }
  near.close();
  EXPECT_EQ(rest(far), expected);
}

TEST_P(StreamTest, AReadWaitsUntilSomethingArrives) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  write(near, "now");
  EXPECT_EQ(finish(reading), "now");
}

Task<std::string> read_byte_by_byte(Stream* stream) {
  std::string all;
  std::array<std::byte, 1> buffer{};
  while (true) {
    const std::size_t size = co_await stream->read(buffer);
    if (size == 0) co_return all;
    all += text_of(buffer);
  }
}

TEST_P(StreamTest, CanBeReadByteByByte) {
  auto reading = start(read_byte_by_byte(&far));
  write(near, "hello, ");
  write(near, "world");
  near.close();
  EXPECT_EQ(finish(reading), "hello, world");
}

TEST_P(StreamTest, CanBeWrittenByteByByte) {
  for (const char letter : std::string("hello")) write(near, std::string(1, letter));
  near.close();
  EXPECT_EQ(rest(far), "hello");
}

TEST_P(StreamTest, WhatAReadLeavesIsReadNext) {
  write(near, "hello, world");
  std::array<std::byte, 5> buffer{};
  EXPECT_EQ(loop.run(far.read(buffer)), 5U);
  EXPECT_EQ(text_of(buffer), "hello");
  EXPECT_EQ(read(far), ", world");
  write(near, "more");
  EXPECT_EQ(read(far), "more");
}

TEST_P(StreamTest, WhatAReadLeavesMovesWithTheStream) {
  write(near, "hello, world");
  std::array<std::byte, 5> buffer{};
  loop.run(far.read(buffer));
  Stream moved = std::move(far);
  near.close();
  EXPECT_EQ(rest(moved), ", world");
}

TEST_P(StreamTest, AnEmptyWriteIsDoneAtOnce) {
  auto writing = start(near.write(std::string()));
  EXPECT_TRUE(writing.is_done());
  EXPECT_EQ(near.try_write({}), 0U);
}

TEST_P(StreamTest, CarriesAWriteThatIsLargerThanEveryBuffer) {
  const std::string large = pattern(8 * 1024 * 1024);
  auto writing = start(write_text(&near, large));
  EXPECT_EQ(read_exactly(far, large.size()), large);
  finish(writing);
}

TEST_P(StreamTest, CarriesLargeWritesBothWaysAtOnce) {
  const std::string large = pattern(2 * 1024 * 1024);
  auto there = start(write_text(&near, large));
  auto back = start(write_text(&far, large));
  EXPECT_EQ(read_exactly(far, large.size()), large);
  EXPECT_EQ(read_exactly(near, large.size()), large);
  finish(there);
  finish(back);
}

TEST_P(StreamTest, AWriteWaitsWhileNobodyReads) {
  const std::string large = pattern(more_than_fits);
  auto writing = start(write_text(&near, large));
  EXPECT_TRUE(pending(writing));
  const std::string beginning = read_exactly(far, 1);
  EXPECT_TRUE(pending(writing));
  EXPECT_TRUE(beginning + read_exactly(far, large.size() - beginning.size()) == large);
  finish(writing);
}

// The bytes that arrive while nobody waits stay in the system, not in the process.
TEST_P(StreamTest, AWriteWaitsWhenTheReaderHasGivenUp) {
  {
    auto reading = start(read_text(&far));
    EXPECT_TRUE(pending(reading));
  }
  auto writing = start(write_text(&near, pattern(more_than_fits)));
  turn(100);
  EXPECT_TRUE(pending(writing));
}

TEST_P(StreamTest, WritesWithoutWaitingOnlyWhatFits) {
  const std::string large = pattern(more_than_fits);
  std::size_t fits = near.try_write(bytes_of(large));
  EXPECT_GT(fits, 0U);
  EXPECT_LT(fits, large.size());
  // The system may have moved bytes on meanwhile, and then has room again, but not for ever.
  std::string written = large.substr(0, fits);
  while ((fits = near.try_write(bytes_of(large))) > 0) written += large.substr(0, fits);
  EXPECT_TRUE(read_exactly(far, written.size()) == written);
  EXPECT_EQ(near.try_write(bytes_of("more")), 4U);
  EXPECT_EQ(read(far), "more");
}

TEST_P(StreamTest, WritesNothingWithoutWaitingBehindAWriteThatWaits) {
  auto writing = start(write_text(&near, pattern(more_than_fits)));
  EXPECT_EQ(near.try_write(bytes_of("first!")), 0U);
}

TEST_P(StreamTest, EndsForTheReaderWhenTheWriterShutsDown) {
  write(near, "last");
  loop.run(near.shutdown());
  EXPECT_EQ(rest(far), "last");
  EXPECT_EQ(read(far), "");  // And stays so.
  write(far, "still open this way");
  EXPECT_EQ(read(near), "still open this way");
}

TEST_P(StreamTest, EndsForAReaderThatWaits) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  loop.run(near.shutdown());
  EXPECT_EQ(finish(reading), "");
}

TEST_P(StreamTest, EndsForTheReaderWhenTheWriterCloses) {
  write(near, "last");
  near.close();
  EXPECT_EQ(rest(far), "last");
  EXPECT_EQ(read(far), "");
}

TEST_P(StreamTest, CanBeShutDownTwice) {
  loop.run(near.shutdown());
  loop.run(near.shutdown());
  EXPECT_EQ(read(far), "");
}

TEST_P(StreamTest, RefusesToWriteAfterItsShutdown) {
  loop.run(near.shutdown());
  EXPECT_EQ(error_of([&] { write(near, "late"); }), "EPIPE");
  EXPECT_EQ(error_of([&] { near.try_write(bytes_of("late")); }), "EPIPE");
}

TEST_P(StreamTest, ShutsDownAfterTheWritesThatWait) {
  const std::string large = pattern(8 * 1024 * 1024);
  auto writing = start(write_text(&near, large));
  auto reading = start(read_until_end(&far));
  finish(writing);
  loop.run(near.shutdown());
  EXPECT_TRUE(finish(reading) == large);
}

Task<> write_for_ever(Stream* stream, Loop* loop) {
  while (true) {
    co_await stream->write(std::string("is anybody there?"));
    co_await turns(loop, 1);
  }
}

TEST_P(StreamTest, BreaksForTheWriterWhenTheReaderCloses) {
  far.close();
  const std::string error = error_of([&] { loop.run(write_for_ever(&near, &loop)); });
  EXPECT_TRUE(error == "EPIPE" || error == "ECONNRESET") << error;
}

TEST_P(StreamTest, BreaksForAWriterThatWaitsWhenTheReaderCloses) {
  auto writing = start(write_text(&near, pattern(more_than_fits)));
  EXPECT_TRUE(pending(writing));
  far.close();
  const std::string error = error_of([&] { finish(writing); });
  EXPECT_TRUE(error == "EPIPE" || error == "ECONNRESET") << error;
}

TEST_P(StreamTest, IsResetByAPeerThatClosesBeforeItHasReadEverything) {
  write(near, "ignored");
  far.close();
  EXPECT_EQ(error_of([&] { read(near); }), "ECONNRESET");
}

TEST_P(StreamTest, GivesItsErrorAgainWhenItIsReadAgain) {
  write(near, "ignored");
  far.close();
  EXPECT_EQ(error_of([&] { read(near); }), "ECONNRESET");
  EXPECT_EQ(error_of([&] { read(near); }), "ECONNRESET");
}

TEST_P(StreamTest, IsReadLineByLine) {
  write(near, "one\ntwo\n\nfo");
  EXPECT_EQ(loop.run(far.read_line(100)), "one\n");
  EXPECT_EQ(loop.run(far.read_line(100)), "two\n");
  EXPECT_EQ(loop.run(far.read_line(100)), "\n");
  auto reading = start(far.read_line(100));
  EXPECT_TRUE(pending(reading));
  write(near, "ur\nfive");
  EXPECT_EQ(finish(reading), "four\n");
  std::array<std::byte, 2> two{};
  EXPECT_EQ(loop.run(far.read(two)), 2U);
  near.close();
  EXPECT_EQ(loop.run(far.read_line(100)), "ve");
  EXPECT_EQ(loop.run(far.read_line(100)), "");
}

TEST_P(StreamTest, RefusesALineThatIsTooLong) {
  write(near, "12345\n");
  EXPECT_EQ(error_of([&] { loop.run(far.read_line(5)); }), "EMSGSIZE");
}

TEST_P(StreamTest, ReadsEverythingUpToALimit) {
  write(near, "12345");
  near.close();
  EXPECT_EQ(loop.run(far.read_all(5)), "12345");
}

TEST_P(StreamTest, RefusesToReadMoreThanTheLimit) {
  write(near, "123456");
  EXPECT_EQ(error_of([&] { loop.run(far.read_all(5)); }), "EMSGSIZE");
}

}  // namespace
}  // namespace async
