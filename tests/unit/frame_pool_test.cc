#include "async/frame_pool.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <malloc.h>
#include <set>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace async {
namespace {

#ifdef TELLER_SANITIZED
constexpr bool keeps_blocks = false;  // So that a use after free is seen.
#else
constexpr bool keeps_blocks = true;
#endif

// Takes a block, uses all of it, and gives it back.
void* use(std::size_t size) {
  void* const block = FramePool::allocate(size);
  std::memset(block, 0x5a, size);
  FramePool::release(block, size);
  return block;
}

bool is_filled(const void* block, std::size_t size, unsigned char byte) {
  const std::span bytes(static_cast<const unsigned char*>(block), size);
  return std::ranges::all_of(bytes, [byte](unsigned char each) { return each == byte; });
}

TEST(FramePoolTest, GivesABlockAgainForASizeOfTheSameClass) {
  void* const first = use(65);
  void* const second = use(128);
  EXPECT_TRUE(first == second || !keeps_blocks);
}

TEST(FramePoolTest, GivesDifferentBlocksWhileTheyAreInUse) {
  std::set<void*> blocks;
  for (int i = 0; i < 100; ++i) blocks.insert(FramePool::allocate(200));
  EXPECT_EQ(blocks.size(), 100U);
  for (void* const block : blocks) FramePool::release(block, 200);
}

TEST(FramePoolTest, GivesBlocksOfEverySizeThatDoNotOverlap) {
  std::vector<std::pair<void*, std::size_t>> blocks;
  for (std::size_t size = 1; size <= 2 * FramePool::block_size_max; ++size) {
    void* const block = FramePool::allocate(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t), 0U);
    std::memset(block, static_cast<int>(size & 0xffU), size);
    blocks.emplace_back(block, size);
  }
  for (const auto& [block, size] : blocks) {
    EXPECT_TRUE(is_filled(block, size, static_cast<unsigned char>(size & 0xffU))) << size;
    FramePool::release(block, size);
  }
}

// What the process has of malloc and has not given back; of malloc's caches a few blocks are counted
// in. A sanitizer's malloc does not count.
std::size_t bytes_in_use() { return mallinfo2().uordblks; }
constexpr std::size_t cached_bytes = 16 * 1024;

TEST(FramePoolTest, KeepsNoMoreThanItsLimitAndNothingAfterItsThread) {
  constexpr std::size_t size = 1024;
  constexpr std::size_t limit = FramePool::blocks_kept_per_class_max;
  const std::size_t before = bytes_in_use();
  std::size_t all = 0;
  std::size_t kept = 0;
  std::thread([&] {
    std::vector<void*> blocks(2 * limit);
    for (void*& block : blocks) block = FramePool::allocate(size);
    all = bytes_in_use() - before;
    for (void* const block : blocks) FramePool::release(block, size);
    kept = bytes_in_use() - before;
  }).join();
  EXPECT_TRUE(all >= 2 * limit * size || !keeps_blocks) << all;
  EXPECT_TRUE(kept >= limit * size || !keeps_blocks) << kept;
  EXPECT_LE(kept, limit * (size + 2 * sizeof(void*)) + 2 * limit * sizeof(void*) + cached_bytes);
  EXPECT_LE(bytes_in_use(), before + cached_bytes);
}

TEST(FramePoolTest, FreesBlocksThatAThreadGivesBackThatTookNone) {
  constexpr std::size_t size = 1024;
  const std::size_t before = bytes_in_use();
  std::vector<void*> blocks(1000);
  for (void*& block : blocks) block = FramePool::allocate(size);
  std::thread([&blocks] {
    for (void* const block : blocks) FramePool::release(block, size);
  }).join();
  EXPECT_LE(bytes_in_use(), before + blocks.size() * sizeof(void*) + cached_bytes);
}

TEST(FramePoolTest, ServesManyThreadsWithoutMixingThem) {
  std::atomic<int> mixed = 0;
  std::vector<std::thread> threads;
  for (int number = 1; number <= 4; ++number) {
    threads.emplace_back([number, &mixed] {
      std::vector<std::pair<void*, std::size_t>> mine;
      for (std::size_t size = 1; size < 3000; ++size) {
        mine.emplace_back(FramePool::allocate(size), size);
        std::memset(mine.back().first, number, size);
        if (mine.size() < 8) continue;
        for (const auto& [block, bytes] : mine) {
          if (!is_filled(block, bytes, static_cast<unsigned char>(number))) ++mixed;
          FramePool::release(block, bytes);
        }
        mine.clear();
      }
      for (const auto& [block, bytes] : mine) FramePool::release(block, bytes);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(mixed, 0);
}

}  // namespace
}  // namespace async
