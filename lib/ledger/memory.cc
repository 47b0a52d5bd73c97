#include "ledger/memory.h"

#include <algorithm>
#include <cstdint>
#include <malloc.h>
#include <memory>
#include <sys/mman.h>
#include <vector>

namespace ledger {
namespace {

// What is asked for in one piece up to this size comes from the heap, and the heap keeps twice as much for later: where glibc arrives
// by itself after it was given back a piece of this size (DEFAULT_MMAP_THRESHOLD_MAX).
constexpr std::size_t piece_max = std::size_t{32} * 1024 * 1024;
constexpr std::size_t page_size = 4096;

bool set_up_heap() {
  return mallopt(M_MMAP_THRESHOLD, int{piece_max}) == 1 &&
         mallopt(M_TRIM_THRESHOLD, int{2 * piece_max}) == 1;
}

}  // namespace

void expect_memory(std::size_t bytes) {
  static const bool is_set_up = set_up_heap();
  if (!is_set_up) return;
  // All at once, so that none is the same as another; given back, they are the first that the heap gives.
  std::vector<std::unique_ptr<std::byte[]>> pieces;
  while (bytes >= page_size) {
    const std::size_t size = std::min(bytes, piece_max / 2);
    pieces.push_back(std::make_unique_for_overwrite<std::byte[]>(size));
    std::byte* const begin = pieces.back().get();
    // Whole pages: the heap has others' on the first and the last.
    const std::size_t skipped = page_size - reinterpret_cast<std::uintptr_t>(begin) % page_size;
    const std::size_t length = (size - skipped) / page_size * page_size;
    // Whoever has an older kernel gets it page by page.
    ::madvise(begin + skipped, length, MADV_POPULATE_WRITE);
    bytes -= size;
  }
}

}  // namespace ledger
