// What holds for every stream when a task that waits for it, or the stream itself, goes away.

#include <memory>
#include <optional>

#include "async/stream.h"
#include "stream_fixture.h"

namespace async {
namespace {

using StreamCancelTest = StreamFixture;

INSTANTIATE_TEST_SUITE_P(Carriers, StreamCancelTest,
                         testing::Values(Carrier::memory, Carrier::tcp, Carrier::unix_socket),
                         name_of);

TEST_P(StreamCancelTest, ACancelledReadLosesNothing) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  write(near, "hello, ");
  turn();
  write(near, "world");
  near.close();
  EXPECT_EQ(rest(far), "hello, world");
}

TEST_P(StreamCancelTest, AReadThatIsCancelledWhenItsBytesAreUnderWayLosesNothing) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  near.try_write(bytes_of("hello"));
  reading.cancel();
  EXPECT_EQ(read(far), "hello");
}

TEST_P(StreamCancelTest, WhatArrivedAfterACancelledReadComesBeforeTheEnd) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  write(near, "last");
  near.close();
  turn();
  EXPECT_EQ(rest(far), "last");
}

TEST_P(StreamCancelTest, ACancelledReadOfALineLosesNothing) {
  auto reading = start(far.read_line(100));
  write(near, "hello, ");
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  write(near, "world\nnext");
  near.close();
  EXPECT_EQ(loop.run(far.read_line(100)), "hello, world\n");
  EXPECT_EQ(loop.run(far.read_line(100)), "next");
  EXPECT_EQ(loop.run(far.read_line(100)), "");
}

TEST_P(StreamCancelTest, ACancelledReadToTheEndLosesNothing) {
  auto reading = start(far.read_all(100));
  write(near, "hello, ");
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  write(near, "world");
  near.close();
  EXPECT_EQ(rest(far), "hello, world");
}

TEST_P(StreamCancelTest, ACancelledReadCanBeBegunAgainAtOnce) {
  for (int i = 0; i < 100; ++i) {
    auto reading = start(read_text(&far));
    reading.cancel();
  }
  write(near, "hello");
  EXPECT_EQ(read(far), "hello");
}

// The system still writes from the bytes, and later writes come after whatever it writes.
TEST_P(StreamCancelTest, ACancelledWriteKeepsItsBytesAsLongAsTheSystemNeedsThem) {
  const std::string large = pattern(more_than_fits);
  auto writing = start(write_text(&near, large));
  EXPECT_TRUE(pending(writing));
  writing.cancel();
  auto next = start(write_text(&near, "|end"));
  auto reading = start(read_until_end(&far));
  finish(next);
  near.close();
  const std::string arrived = finish(reading);
  ASSERT_TRUE(arrived.ends_with("|end"));
  EXPECT_TRUE(large.starts_with(std::string_view(arrived).substr(0, arrived.size() - 4)));
}

TEST_P(StreamCancelTest, ACancelledWriteMayOutliveItsStream) {
  auto writing = start(write_text(&near, pattern(more_than_fits)));
  EXPECT_TRUE(pending(writing));
  writing.cancel();
  near.close();
  turn();
}

TEST_P(StreamCancelTest, ACancelledShutdownStillEndsTheStream) {
  auto ending = start(near.shutdown());
  ending.cancel();
  EXPECT_EQ(read(far), "");
}

Task<> destroy_when_read(std::unique_ptr<Stream> stream, std::string* seen) {
  const std::span<const std::byte> bytes = co_await stream->read_some();
  seen->assign(text_of(bytes));
  stream.reset();
}

TEST_P(StreamCancelTest, AReaderMayDestroyItsStreamWhenItGoesOn) {
  std::string seen;
  auto reading = start(destroy_when_read(std::make_unique<Stream>(std::move(far)), &seen));
  EXPECT_TRUE(pending(reading));
  write(near, "hello");
  finish(reading);
  EXPECT_EQ(seen, "hello");
  EXPECT_EQ(read(near), "");
}

TEST_P(StreamCancelTest, AReaderMayDestroyItsStreamAtItsEnd) {
  std::string seen = "not yet";
  auto reading = start(destroy_when_read(std::make_unique<Stream>(std::move(far)), &seen));
  EXPECT_TRUE(pending(reading));
  near.close();
  finish(reading);
  EXPECT_EQ(seen, "");
}

Task<> close_when_read(Stream* read, Stream* closed) {
  co_await read->read_some();
  closed->close();
}

TEST_P(StreamCancelTest, AReaderMayCloseTheOtherEnd) {
  auto reading = start(close_when_read(&far, &near));
  EXPECT_TRUE(pending(reading));
  write(near, "hello");
  finish(reading);
  EXPECT_EQ(rest(far), "");
}

Task<> destroy_when_written(std::unique_ptr<Stream> stream, std::string text) {
  co_await stream->write(std::move(text));
  stream.reset();
}

TEST_P(StreamCancelTest, AWriterMayDestroyItsStreamWhenItGoesOn) {
  const std::string large = pattern(more_than_fits);
  auto writing = start(destroy_when_written(std::make_unique<Stream>(std::move(near)), large));
  EXPECT_TRUE(pending(writing));
  EXPECT_TRUE(rest(far) == large);
  finish(writing);
}

TEST_P(StreamCancelTest, ATaskThatOwnsItsStreamMayBeCancelledWhileItReads) {
  std::string seen = "nothing";
  auto reading = start(destroy_when_read(std::make_unique<Stream>(std::move(far)), &seen));
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  EXPECT_EQ(seen, "nothing");
  EXPECT_EQ(read(near), "");
}

TEST_P(StreamCancelTest, ATaskThatOwnsItsStreamMayBeCancelledWhileItWrites) {
  auto writing = start(
      destroy_when_written(std::make_unique<Stream>(std::move(near)), pattern(more_than_fits)));
  EXPECT_TRUE(pending(writing));
  writing.cancel();
  rest(far);
}

TEST_P(StreamCancelTest, ClosingAStreamEndsTheReadThatWaits) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  far.close();
  EXPECT_FALSE(reading.is_done());  // It goes on in a turn of its own, not within close().
  EXPECT_EQ(error_of([&] { finish(reading); }), "ECANCELED");
}

TEST_P(StreamCancelTest, ClosingAStreamEndsTheWriteThatWaits) {
  auto writing = start(write_text(&near, pattern(more_than_fits)));
  EXPECT_TRUE(pending(writing));
  near.close();
  EXPECT_FALSE(writing.is_done());
  EXPECT_EQ(error_of([&] { finish(writing); }), "ECANCELED");
}

TEST_P(StreamCancelTest, AReadThatWaitsMayBeCancelledAfterItsStreamWasClosed) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  far.close();
  reading.cancel();
  turn();
}

TEST_P(StreamCancelTest, AReadMayBeClosedWhenItsBytesAreUnderWay) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  near.try_write(bytes_of("hello"));
  far.close();
  EXPECT_EQ(error_of([&] { finish(reading); }), "ECANCELED");
}

TEST_P(StreamCancelTest, BothEndsMayCloseAtOnce) {
  near.close();
  far.close();
  turn();
}

TEST_P(StreamCancelTest, BothEndsMayCloseUnderTheirReaders) {
  auto first = start(read_text(&near));
  auto second = start(read_text(&far));
  EXPECT_TRUE(pending(first));
  near.close();
  far.close();
  EXPECT_EQ(error_of([&] { finish(first); }), "ECANCELED");
  EXPECT_EQ(error_of([&] { finish(second); }), "ECANCELED");
}

TEST_P(StreamCancelTest, StopsTheProcessWhenTwoTasksRead) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  EXPECT_DEATH(start(read_text(&far)), "a stream is read by one task");
}

TEST_P(StreamCancelTest, StopsTheProcessWhenItIsUsedAfterItWasClosed) {
  near.close();
  EXPECT_DEATH(near.try_write(bytes_of("late")), "a stream is used while it is open");
  EXPECT_DEATH(start(read_text(&near)), "a stream is used while it is open");
}

}  // namespace
}  // namespace async
