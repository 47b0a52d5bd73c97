#include "async/frame_pool.h"

#include <array>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TELLER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TELLER_SANITIZED 1
#endif
#endif

namespace async {

#ifdef TELLER_SANITIZED

void* FramePool::allocate(std::size_t size) { return ::operator new(size); }
void FramePool::release(void* block, std::size_t size) noexcept { ::operator delete(block, size); }

#else

namespace {

struct FreeBlock {
  FreeBlock* next;
};

constexpr std::size_t class_count = FramePool::block_size_max / FramePool::size_step;

// A loop that once had a burst of requests should not keep the burst's memory for ever.
constexpr std::size_t blocks_kept_per_class_max = 4096;

struct FreeLists {
  std::array<FreeBlock*, class_count> heads{};
  std::array<std::size_t, class_count> counts{};

  ~FreeLists() {
    for (FreeBlock*& head : heads) {
      while (head != nullptr) {
        FreeBlock* const block = head;
        head = block->next;
        ::operator delete(block);
      }
    }
    closed = true;
  }
  bool closed = false;
};

thread_local FreeLists free_lists;

constexpr std::size_t class_of(std::size_t size) {
  return (size + FramePool::size_step - 1) / FramePool::size_step - 1;
}

}  // namespace

void* FramePool::allocate(std::size_t size) {
  if (size > block_size_max) return ::operator new(size);
  const std::size_t index = class_of(size);
  FreeBlock* const block = free_lists.heads[index];
  if (block == nullptr) return ::operator new((index + 1) * size_step);
  free_lists.heads[index] = block->next;
  --free_lists.counts[index];
  return block;
}

void FramePool::release(void* block, std::size_t size) noexcept {
  if (size > block_size_max) return ::operator delete(block);
  const std::size_t index = class_of(size);
  if (free_lists.closed || free_lists.counts[index] == blocks_kept_per_class_max) {
    return ::operator delete(block);
  }
  free_lists.heads[index] = ::new (block) FreeBlock{free_lists.heads[index]};
  ++free_lists.counts[index];
}

#endif

}  // namespace async
