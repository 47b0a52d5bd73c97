// Was there one order of all changes and reads that explains what every client saw, and agrees with time?
#pragma once

#include <optional>
#include <span>
#include <string>

#include "history.h"
#include "ledger/record.h"

namespace sim {

// Checks a history of concurrent clients for strict serializability. The order is the journal's (`ledger_seq`): every change and
// refusal in it is decided again by a small model, every answer and read must show what the model has there, and who was answered
// before another asked comes first. Takes O(n log n). Returns nullopt if there is such an order, else the first call that has no place in it.
std::optional<std::string> find_disorder(const History& history,
                                         std::span<const ledger::Record> records);

}  // namespace sim
