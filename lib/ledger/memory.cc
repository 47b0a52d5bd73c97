#include "ledger/memory.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <malloc.h>
#include <memory>
#include <sys/mman.h>
#include <vector>

namespace ledger {
namespace {

constexpr int mebibyte = 1024 * 1024;
// Pieces up to this size come from the heap: the most that glibc allows (DEFAULT_MMAP_THRESHOLD_MAX).
constexpr int piece_max = 32 * mebibyte;
constexpr int kept_max = 128 * mebibyte;
constexpr std::size_t memory_page_size = 4096;

std::atomic<bool> is_arranged = false;

}  // namespace

void arrange_heap() {
  is_arranged = ::mallopt(M_ARENA_MAX, 1) == 1 && ::mallopt(M_TOP_PAD, mebibyte) == 1 &&
                ::mallopt(M_MMAP_THRESHOLD, piece_max) == 1 &&
                ::mallopt(M_TRIM_THRESHOLD, kept_max) == 1;
}

void expect_memory(std::size_t bytes) {
  if (!is_arranged) return;
  // All at once, so that none is the same as another; given back, they are the first that the heap gives.
  std::vector<std::unique_ptr<std::byte[]>> pieces;
  while (bytes >= memory_page_size) {
    const std::size_t size = std::min(bytes, std::size_t{piece_max / 2});
    pieces.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    std::byte* const begin = pieces.back().get();
    // Whole pages: the heap has others' on the first and the last.
    const std::size_t skipped =
        memory_page_size - reinterpret_cast<std::uintptr_t>(begin) % memory_page_size;
    const std::size_t length = (size - skipped) / memory_page_size * memory_page_size;
    // Whoever has an older kernel gets it page by page.
    ::madvise(begin + skipped, length, MADV_POPULATE_WRITE);
    bytes -= size;
  }
}

}  // namespace ledger
