// What clients of the bank observed: when they asked, when they were answered, and what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/time.h"
#include "ledger/operation_id.h"

namespace sim {

// One call that was answered by the bank, from its first sending to its answer, retries included.
struct Observed {
  async::Instant asked;
  async::Instant answered;
  // Of a change: its id; not set: a read.
  ledger::OperationId id{};
  bool is_yes = true;
  // The record that made the change, or the newest that a read shows. 0: not told (a refusal).
  std::uint64_t ledger_seq = 0;
  // The account as it was told, right after the change or as the read found it.
  std::string account{};
  std::optional<std::int64_t> balance{};
  std::optional<std::int64_t> available{};

  bool is_read() const { return !id.is_set(); }
};

using History = std::vector<Observed>;

}  // namespace sim
