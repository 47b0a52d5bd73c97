// What holds for every stream while its reading is paused.

#include <array>

#include "async/stream.h"
#include "stream_fixture.h"

namespace async {
namespace {

using StreamPauseTest = StreamFixture;

INSTANTIATE_TEST_SUITE_P(Carriers, StreamPauseTest,
                         testing::Values(Carrier::memory, Carrier::tcp, Carrier::unix_socket),
                         name_of);

TEST_P(StreamPauseTest, APausedReaderGetsNothingUntilReadingIsResumed) {
  far.pause_reading();
  EXPECT_TRUE(far.is_paused());
  auto reading = start(read_text(&far));
  write(near, "hello");
  EXPECT_TRUE(pending(reading));
  far.resume_reading();
  EXPECT_FALSE(far.is_paused());
  EXPECT_EQ(finish(reading), "hello");
}

TEST_P(StreamPauseTest, AReaderThatWaitsAlreadyIsHeldBackToo) {
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  far.pause_reading();
  write(near, "hello");
  EXPECT_TRUE(pending(reading));
  far.resume_reading();
  EXPECT_EQ(finish(reading), "hello");
}

TEST_P(StreamPauseTest, PausingAndResumingChangesNothingForAReaderThatWaits) {
  auto reading = start(read_text(&far));
  far.pause_reading();
  far.pause_reading();
  far.resume_reading();
  far.resume_reading();
  EXPECT_TRUE(pending(reading));
  write(near, "hello");
  EXPECT_EQ(finish(reading), "hello");
}

TEST_P(StreamPauseTest, AWriterWaitsWhileItsPeerIsPaused) {
  far.pause_reading();
  auto reading = start(read_until_end(&far));
  const std::string large = pattern(more_than_fits);
  auto writing = start(write_text(&near, large));
  EXPECT_TRUE(pending(writing));
  far.resume_reading();
  finish(writing);
  near.close();
  EXPECT_EQ(finish(reading), large);
}

TEST_P(StreamPauseTest, TheEndWaitsToo) {
  far.pause_reading();
  auto reading = start(read_text(&far));
  near.close();
  EXPECT_TRUE(pending(reading));
  far.resume_reading();
  EXPECT_EQ(finish(reading), "");
}

TEST_P(StreamPauseTest, AReadThatIsCancelledMeanwhileLosesNothingAndRepeatsNothing) {
  write(near, "first");
  EXPECT_EQ(read_exactly(far, 5), "first");
  far.pause_reading();
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  write(near, "second");
  far.resume_reading();
  EXPECT_EQ(read_exactly(far, 6), "second");
}

TEST_P(StreamPauseTest, AReadThatIsCancelledWhenReadingWasJustResumedLosesNothing) {
  auto kept = start(read_text(&far));
  EXPECT_TRUE(pending(kept));
  kept.cancel();
  write(near, "hello, ");
  turn();
  far.pause_reading();
  auto reading = start(read_text(&far));
  far.resume_reading();
  reading.cancel();
  write(near, "world");
  near.close();
  EXPECT_EQ(rest(far), "hello, world");
}

TEST_P(StreamPauseTest, ReadingMayBePausedAgainBeforeTheReaderHasItsTurn) {
  auto kept = start(read_text(&far));
  EXPECT_TRUE(pending(kept));
  kept.cancel();
  write(near, "hello");
  turn();
  far.pause_reading();
  auto reading = start(read_text(&far));
  far.resume_reading();
  far.pause_reading();
  EXPECT_EQ(finish(reading), "hello");
}

TEST_P(StreamPauseTest, WhatAnEarlierReadLeftOverIsStillGiven) {
  write(near, "hello");
  std::array<std::byte, 1> one{};
  EXPECT_EQ(loop.run(far.read(one)), 1U);
  far.pause_reading();
  EXPECT_EQ(read_exactly(far, 4), "ello");
}

TEST_P(StreamPauseTest, AReadEndsWhenItsPausedStreamIsClosed) {
  far.pause_reading();
  auto reading = start(read_text(&far));
  EXPECT_TRUE(pending(reading));
  far.close();
  EXPECT_EQ(error_of([&] { finish(reading); }), "ECANCELED");
}

}  // namespace
}  // namespace async
