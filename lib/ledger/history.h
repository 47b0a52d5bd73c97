#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "ledger/entries.h"
#include "ledger/record.h"

namespace ledger {

// What the ledger has not in memory: answers that it only knows the place of, and answers, ended holds and transfers that it may have
// forgotten, which are in the journal's tables. Asked by the thread that decides, while it decides; an answer costs a look-up on disk. A
// broken disk throws (StorageError).
class History {
 public:
  virtual ~History() = default;

  // The record that answered this id first.
  virtual std::optional<Record> find(const OperationId& id) = 0;
  // A record of the journal that the tables need not show yet, by where its batch has it.
  virtual Record record_at(std::uint64_t ledger_seq, std::size_t position) = 0;
  virtual std::optional<HoldEntry> find_hold(const OperationId& id) = 0;
  virtual std::optional<Transfer> find_transfer(std::uint64_t ledger_seq) = 0;
};

}  // namespace ledger
