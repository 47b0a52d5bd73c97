#include "async/frame_pool.h"

#include <utility>

namespace async {

constinit thread_local std::array<FramePool::FreeList, FramePool::class_count>
    FramePool::free_lists_{};

// Lets a thread keep blocks from its first new one on, and frees them at its end.
class FramePool::ThreadEnd {
 public:
  ThreadEnd() {
    for (FreeList& list : free_lists_) list.room = blocks_kept_per_class_max;
  }
  ThreadEnd(const ThreadEnd&) = delete;
  ThreadEnd& operator=(const ThreadEnd&) = delete;
  ~ThreadEnd() {
    for (FreeList& list : free_lists_) {
      list.room = 0;
      while (list.head != nullptr) ::operator delete(std::exchange(list.head, list.head->next));
    }
  }
};

void* FramePool::allocate_anew(std::size_t size) {
#ifdef TELLER_SANITIZED
  return ::operator new(size);
#else
  if (size > block_size_max) return ::operator new(size);
  static thread_local const ThreadEnd thread_end;
  return ::operator new((class_of(size) + 1) * size_step);
#endif
}

void FramePool::release_for_good(void* block, std::size_t) noexcept { ::operator delete(block); }

}  // namespace async
