// Memory for coroutine frames and other small things that come and go with every request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

// Free lists by size, one set a thread, so that a request costs no call of malloc once the loop is
// warm. A block may be given back on another thread than it was taken on; it then serves that
// thread. Blocks over a named size go to malloc, and under a sanitizer all do, so that it sees
// every use after free.
class FramePool {
 public:
  static constexpr std::size_t block_size_max = 2048;
  static constexpr std::size_t size_step = 64;
  // A loop that once had a burst of requests should not keep the burst's memory for ever.
  static constexpr std::size_t blocks_kept_per_class_max = 4096;

  static void* allocate(std::size_t size) {
#ifndef TELLER_SANITIZED
    if (size <= block_size_max) {
      FreeList& list = free_lists_[class_of(size)];
      if (list.head != nullptr) {
        FreeBlock* const block = list.head;
        list.head = block->next;
        ++list.room;
        return block;
      }
    }
#endif
    return allocate_anew(size);
  }

  static void release(void* block, std::size_t size) noexcept {
#ifndef TELLER_SANITIZED
    if (size <= block_size_max) {
      FreeList& list = free_lists_[class_of(size)];
      if (list.room > 0) {
        list.head = ::new (block) FreeBlock{list.head};
        --list.room;
        return;
      }
    }
#endif
    release_for_good(block, size);
  }

 private:
  struct FreeBlock {
    FreeBlock* next;
  };
  struct FreeList {
    FreeBlock* head;
    std::size_t room;  // How many more blocks it keeps: none before the thread's first and after
                       // its end.
  };
  class ThreadEnd;
  static constexpr std::size_t class_count = block_size_max / size_step;

  static constexpr std::size_t class_of(std::size_t size) {
    return (size + size_step - 1) / size_step - 1;
  }
  static void* allocate_anew(std::size_t size);
  static void release_for_good(void* block, std::size_t size) noexcept;

  // Without constructor and destructor, so that reaching it costs no look whether it is there.
  static constinit thread_local std::array<FreeList, class_count> free_lists_;
};

// Base for what shall live in the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    FramePool::release(block, size);
  }
};

}  // namespace async
