#include "ledger/journal.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ledger {

std::vector<Record> JournalReader::find_changes(const OperationId& id, std::uint64_t through_seq) {
  std::map<std::uint64_t, Record> found;
  std::vector<OperationId> ids = {id};
  for (std::size_t at = 0; at < ids.size() && found.size() < found_max; ++at) {
    const OperationId next = ids[at];
    for (Record& record : records_about(next, through_seq)) {
      if (record.ledger_seq > through_seq || found.size() == found_max) continue;
      for (const OperationId& other : ids_in(record)) {
        if (std::ranges::find(ids, other) == ids.end()) ids.push_back(other);
      }
      found.try_emplace(record.ledger_seq, std::move(record));
    }
  }
  std::vector<Record> list;
  for (auto& [ledger_seq, record] : found) list.push_back(std::move(record));
  return list;
}

}  // namespace ledger
