#include "ledger/recent_transfers.h"

#include <cstdint>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ledger {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Transfer numbered(std::uint64_t ledger_seq) {
  Transfer transfer;
  transfer.ledger_seq = ledger_seq;
  return transfer;
}

void add(RecentTransfers& transfers, std::initializer_list<std::uint64_t> numbers) {
  for (const std::uint64_t number : numbers) transfers.add(numbered(number));
}

std::vector<std::uint64_t> numbers(const std::vector<Transfer>& transfers) {
  std::vector<std::uint64_t> numbers;
  for (const Transfer& transfer : transfers) numbers.push_back(transfer.ledger_seq);
  return numbers;
}

// 2, 3, 5 | 8, 9 | 12: three blocks, as numbers of records that moved no money lie between them.
RecentTransfers three_blocks() {
  RecentTransfers transfers;
  add(transfers, {2, 3, 5});
  transfers.share();
  add(transfers, {8, 9});
  transfers.share();
  add(transfers, {12});
  return transfers;
}

TEST(RecentTransfersTest, AreFoundByTheirNumber) {
  const RecentTransfers transfers = three_blocks();
  for (const std::uint64_t number : {2U, 3U, 5U, 8U, 9U, 12U}) {
    ASSERT_NE(transfers.find(number), nullptr) << number;
    EXPECT_EQ(transfers.find(number)->ledger_seq, number);
  }
  for (const std::uint64_t number : {0U, 1U, 4U, 6U, 7U, 10U, 11U, 13U}) {
    EXPECT_EQ(transfers.find(number), nullptr) << number;
  }
  EXPECT_EQ(transfers.back().ledger_seq, 12U);
  EXPECT_EQ(RecentTransfers().find(1), nullptr);
}

TEST(RecentTransfersTest, AreListedBackwardsFromAnyNumber) {
  const RecentTransfers transfers = three_blocks();
  EXPECT_THAT(numbers(transfers.back_from(100, 100)), ElementsAre(12, 9, 8, 5, 3, 2));
  EXPECT_THAT(numbers(transfers.back_from(9, 3)), ElementsAre(9, 8, 5));
  EXPECT_THAT(numbers(transfers.back_from(7, 100)), ElementsAre(5, 3, 2));
  EXPECT_THAT(numbers(transfers.back_from(4, 100)), ElementsAre(3, 2));
  EXPECT_THAT(numbers(transfers.back_from(1, 100)), IsEmpty());
  EXPECT_THAT(numbers(transfers.back_from(100, 0)), IsEmpty());
}

TEST(RecentTransfersTest, AreListedForwardsAfterAnyNumber) {
  const RecentTransfers transfers = three_blocks();
  EXPECT_THAT(numbers(transfers.after(0, 100)), ElementsAre(2, 3, 5, 8, 9, 12));
  EXPECT_THAT(numbers(transfers.after(3, 3)), ElementsAre(5, 8, 9));
  EXPECT_THAT(numbers(transfers.after(5, 1)), ElementsAre(8));
  EXPECT_THAT(numbers(transfers.after(12, 100)), IsEmpty());
}

TEST(RecentTransfersTest, AreForgottenOneByOneAndNotByTheBlock) {
  RecentTransfers transfers = three_blocks();
  transfers.forget(3);
  EXPECT_EQ(transfers.size(), 4U);
  EXPECT_EQ(transfers.find(3), nullptr);
  EXPECT_NE(transfers.find(5), nullptr);
  EXPECT_THAT(numbers(transfers.back_from(100, 100)), ElementsAre(12, 9, 8, 5));
  EXPECT_THAT(numbers(transfers.after(0, 100)), ElementsAre(5, 8, 9, 12));
  transfers.forget(2);  // It does not come back.
  EXPECT_EQ(transfers.find(3), nullptr);
  transfers.forget(12);
  EXPECT_TRUE(transfers.empty());
  transfers.add(numbered(13));
  EXPECT_THAT(numbers(transfers.after(0, 100)), ElementsAre(13));
}

TEST(RecentTransfersTest, OfOneListComeToAnotherBlockByBlock) {
  RecentTransfers original;
  add(original, {1, 2});
  RecentTransfers copy = original;
  add(original, {3, 4});
  EXPECT_EQ(copy.find(3), nullptr) << "What is added to one is not in its copy.";
  copy.add(original.share());
  EXPECT_EQ(original.share(), nullptr) << "There is nothing more to share.";
  EXPECT_EQ(copy.find(3), original.find(3)) << "Both have one between them.";
  add(original, {5});
  EXPECT_EQ(copy.find(5), nullptr);
  original.forget(4);
  EXPECT_THAT(numbers(copy.after(0, 100)), ElementsAre(1, 2, 3, 4));
  copy.add(original.share());
  EXPECT_THAT(numbers(copy.after(0, 100)), ElementsAre(1, 2, 3, 4, 5));
}

TEST(RecentTransfersTest, ThatACopyAddsAreItsOwn) {
  RecentTransfers original;
  add(original, {1});
  RecentTransfers copy = original;
  copy.add(numbered(2));
  original.add(numbered(3));
  EXPECT_THAT(numbers(original.after(0, 100)), ElementsAre(1, 3));
  EXPECT_THAT(numbers(copy.after(0, 100)), ElementsAre(1, 2));
}

}  // namespace
}  // namespace ledger
