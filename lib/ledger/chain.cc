#include "ledger/chain.h"

#include <cstddef>

#include <sodium.h>

#include "ledger/check.h"

namespace ledger {
namespace {

std::array<unsigned char, 8> big_endian(std::uint64_t value) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    bytes[place] = static_cast<unsigned char>(value >> (56 - 8 * place));
  }
  return bytes;
}

void add(crypto_generichash_state& state, const unsigned char* bytes, std::size_t size) {
  check(crypto_generichash_update(&state, bytes, size) == 0);
}

}  // namespace

Hash chain(const Hash& before, std::uint64_t ledger_seq, Instant at, std::string_view records) {
  const auto seq_bytes = big_endian(ledger_seq);
  const auto at_bytes = big_endian(static_cast<std::uint64_t>(microseconds_of(at)));
  crypto_generichash_state state;
  Hash hash{};
  check(crypto_generichash_init(&state, nullptr, 0, hash.size()) == 0);
  add(state, before.data(), before.size());
  add(state, seq_bytes.data(), seq_bytes.size());
  add(state, at_bytes.data(), at_bytes.size());
  add(state, reinterpret_cast<const unsigned char*>(records.data()), records.size());
  check(crypto_generichash_final(&state, hash.data(), hash.size()) == 0);
  return hash;
}

std::string to_text(const Hash& hash) {
  std::string text(2 * hash.size() + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), hash.data(), hash.size());
  text.pop_back();
  return text;
}

}  // namespace ledger
