#include "ledger/recent_transfers.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
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
    ASSERT_TRUE(transfers.find(number).has_value()) << number;
    EXPECT_EQ(transfers.find(number)->ledger_seq, number);
  }
  for (const std::uint64_t number : {0U, 1U, 4U, 6U, 7U, 10U, 11U, 13U}) {
    EXPECT_FALSE(transfers.find(number).has_value()) << number;
  }
  EXPECT_EQ(transfers.back().ledger_seq, 12U);
  EXPECT_FALSE(RecentTransfers().find(1).has_value());
}

TEST(RecentTransfersTest, AreFoundAsTheyWere) {
  const Transfer transfer{
      .ledger_seq = 7,
      .at = Instant(std::chrono::microseconds(8)),
      .id = OperationId::make(Instant(std::chrono::seconds(9)), std::array<std::uint8_t, 10>{1}),
      .kind = TransferKind::reversal,
      .source = AccountNumber{10},
      .target = AccountNumber{11},
      .amount = Cents{12},
      .currency = Currency::of("EUR"),
      .source_balance = Cents{-13},
      .target_balance = Cents{14},
      .source_previous = 5,
      .target_previous = 6,
      .terminal = "t-0001",
      .reason = std::string(text_size_max, 'r'),
      .receipt =
          OperationId::make(Instant(std::chrono::seconds(8)), std::array<std::uint8_t, 10>{2}),
      .reverses = 4};
  Transfer other = transfer;
  other.ledger_seq = 8;
  other.terminal = "";
  other.reason = "why";
  other.receipt = {};
  other.reverses = 0;
  RecentTransfers transfers;
  transfers.add(transfer);
  transfers.add(other);
  EXPECT_EQ(transfers.find(7), transfer);
  EXPECT_EQ(transfers.find(8), other);
  EXPECT_EQ(transfers.back(), other);
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
  EXPECT_FALSE(transfers.find(3).has_value());
  EXPECT_TRUE(transfers.find(5).has_value());
  EXPECT_THAT(numbers(transfers.back_from(100, 100)), ElementsAre(12, 9, 8, 5));
  EXPECT_THAT(numbers(transfers.after(0, 100)), ElementsAre(5, 8, 9, 12));
  transfers.forget(2);  // It does not come back.
  EXPECT_FALSE(transfers.find(3).has_value());
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
  EXPECT_FALSE(copy.find(3).has_value()) << "What is added to one is not in its copy.";
  const RecentTransfers::Block block = original.share();
  copy.add(block);
  EXPECT_EQ(original.share(), nullptr) << "There is nothing more to share.";
  EXPECT_EQ(block.use_count(), 3) << "Both have one between them.";
  EXPECT_EQ(copy.find(3), original.find(3));
  add(original, {5});
  EXPECT_FALSE(copy.find(5).has_value());
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
