#include "ledger/index.h"

#include <sodium.h>

namespace ledger {
namespace {

std::array<std::uint64_t, 2> drawn_key() {
  std::array<std::uint64_t, 2> key{};
  randombytes_buf(key.data(), sizeof key);
  return key;
}

}  // namespace

const std::array<std::uint64_t, 2> index_key = drawn_key();

}  // namespace ledger
