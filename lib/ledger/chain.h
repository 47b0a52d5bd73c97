#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/time.h"

namespace ledger {

using Hash = std::array<std::uint8_t, 32>;

// The end of the journal: its last record, and the hash that every row before has gone into.
struct ChainHead {
  std::uint64_t ledger_seq = 0;
  Hash hash{};

  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

// The head after one more row: BLAKE2b-256 over the head before, the row's number and time as 8 bytes each, the most significant
// first, and its records.
Hash chain(const Hash& before, std::uint64_t ledger_seq, Instant at, std::string_view records);

// For people, in hexadecimal.
std::string to_text(const Hash& hash);

}  // namespace ledger
