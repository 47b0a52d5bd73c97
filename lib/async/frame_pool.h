// Memory for coroutine frames and other small things that come and go with every request.
#pragma once

#include <cstddef>

namespace async {

// Free lists by size, one set a thread, so that a request costs no call of malloc once the loop is
// warm. A block may be given back on another thread than it was taken on; it then serves that
// thread. Blocks over a named size go to malloc, and under the address sanitizer all do, so that it
// sees every use after free.
class FramePool {
 public:
  static constexpr std::size_t block_size_max = 2048;
  static constexpr std::size_t size_step = 64;

  static void* allocate(std::size_t size);
  static void release(void* block, std::size_t size) noexcept;
};

// Base for what shall live in the pool.
struct Pooled {
  static void* operator new(std::size_t size) { return FramePool::allocate(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    FramePool::release(block, size);
  }
};

}  // namespace async
