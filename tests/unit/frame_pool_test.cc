#include "async/frame_pool.h"

#include <cstring>
#include <set>
#include <thread>
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

TEST(FramePoolTest, TakesEverySize) {
  for (std::size_t size = 1; size <= 2 * FramePool::block_size_max; ++size) use(size);
}

TEST(FramePoolTest, KeepsNoMoreThanItsLimit) {
  std::vector<void*> blocks;
  for (std::size_t i = 0; i < 2 * FramePool::blocks_kept_per_class_max; ++i) {
    blocks.push_back(FramePool::allocate(64));
  }
  for (void* const block : blocks) FramePool::release(block, 64);
  for (void*& block : blocks) block = FramePool::allocate(64);
  for (void* const block : blocks) FramePool::release(block, 64);
}

TEST(FramePoolTest, TakesBlocksBackOnAThreadThatTookNone) {
  std::vector<void*> blocks;
  for (int i = 0; i < 10; ++i) blocks.push_back(FramePool::allocate(64));
  std::thread([&blocks] {
    for (void* const block : blocks) FramePool::release(block, 64);
  }).join();
}

TEST(FramePoolTest, ServesManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (std::size_t size = 1; size < 3000; ++size) use(size);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace async
