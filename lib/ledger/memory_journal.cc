#include "ledger/memory_journal.h"

#include <algorithm>
#include <deque>
#include <ranges>
#include <utility>

#include "ledger/check.h"
#include "ledger/codec.h"

namespace ledger {

class MemoryJournal::Tables {
 public:
  std::mutex mutex;           // Guards everything here.
  std::deque<Entry> entries;  // Record n is at place n - 1.
  std::map<OperationId, Record> records;
  std::map<OperationId, HoldEntry> holds;
  std::map<std::uint64_t, Transfer> transfers;
  std::map<std::uint64_t, Hash> hashes;
};

class MemoryJournal::Reader final : public JournalReader {
 public:
  explicit Reader(std::shared_ptr<Tables> tables) : tables_(std::move(tables)) {}

  std::vector<Transfer> statement(AccountNumber account, std::uint64_t from_seq,
                                  std::size_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<Transfer> found;
    while (from_seq != 0 && found.size() < limit) {
      const auto place = tables_->transfers.find(from_seq);
      if (place == tables_->transfers.end()) break;
      const Transfer& transfer = place->second;
      if (transfer.source != account && transfer.target != account) break;
      from_seq = transfer.source == account ? transfer.source_previous : transfer.target_previous;
      found.push_back(transfer);
    }
    return found;
  }
  std::vector<Transfer> transfers_before(std::uint64_t before_seq, std::size_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<Transfer> found;
    auto place = tables_->transfers.lower_bound(before_seq);
    while (place != tables_->transfers.begin() && found.size() < limit) {
      --place;
      found.push_back(place->second);
    }
    return found;
  }
  std::vector<Transfer> transfers_after(std::uint64_t after_seq, std::uint64_t through_seq,
                                        std::size_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<Transfer> found;
    for (auto place = tables_->transfers.upper_bound(after_seq);
         place != tables_->transfers.end() && place->first <= through_seq && found.size() < limit;
         ++place) {
      found.push_back(place->second);
    }
    return found;
  }
  std::optional<HoldEntry> find_hold(const OperationId& id) override {
    const std::lock_guard lock(tables_->mutex);
    const auto found = tables_->holds.find(id);
    return found == tables_->holds.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<Record> find(const OperationId& id) override {
    const std::lock_guard lock(tables_->mutex);
    const auto found = tables_->records.find(id);
    return found == tables_->records.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<Record> records_about(const OperationId& id, std::uint64_t through_seq) override {
    const std::lock_guard lock(tables_->mutex);
    const auto hold = tables_->holds.find(id);
    const std::uint64_t ended = hold == tables_->holds.end() ? 0 : hold->second.ended_seq;
    std::vector<Record> found;
    for (const auto& [record, position] : tables_->entries) {
      if (record.ledger_seq > through_seq || found.size() == found_max) break;
      if (is_about(record, id) || record.ledger_seq == ended) found.push_back(record);
    }
    return found;
  }
  std::optional<Record> record(std::uint64_t ledger_seq) override {
    const std::lock_guard lock(tables_->mutex);
    if (ledger_seq == 0 || ledger_seq > tables_->entries.size()) return std::nullopt;
    return tables_->entries[static_cast<std::size_t>(ledger_seq - 1)].record;
  }
  std::vector<Record> declines_back_from(std::uint64_t from_seq, std::size_t limit) override {
    const std::lock_guard lock(tables_->mutex);
    std::vector<Record> found;
    for (std::uint64_t seq = std::min<std::uint64_t>(from_seq, tables_->entries.size());
         seq > 0 && found.size() < limit; --seq) {
      const Record& record = tables_->entries[static_cast<std::size_t>(seq - 1)].record;
      if (why_declined(record).has_value()) found.push_back(record);
    }
    return found;
  }
  BackupDone backup(const std::string& path, std::uint64_t) override {
    throw StorageError(StorageError::Kind::cannot_create,
                       "cannot create " + path + ": a journal in memory has no copy");
  }
  std::optional<Hash> hash_at(std::uint64_t ledger_seq) override {
    const std::lock_guard lock(tables_->mutex);
    const auto found = tables_->hashes.find(ledger_seq);
    return found == tables_->hashes.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::shared_ptr<Tables> tables_;
};

MemoryJournal::MemoryJournal(InstanceId instance_id)
    : instance_id_(instance_id), tables_(std::make_shared<Tables>()) {}
MemoryJournal::~MemoryJournal() = default;

void MemoryJournal::load(Ledger& ledger) {
  ledger.books_to_restore() = projection_;
  const Instant line = ledger.restored();
  const std::uint64_t projected = projection_.last_seq();
  for (const Entry& entry : tables_->entries) {
    const std::optional<Instant> made_at = entry.record.operation.id.made_at();
    if (entry.record.ledger_seq > projected) {
      ledger.replay(entry.record, entry.position);
    } else if (made_at.has_value() && *made_at > line) {
      ledger.remember(entry.record, entry.position);
    }
  }
}

void MemoryJournal::append(const Batch& batch) {
  check(!batch.empty());
  const std::lock_guard lock(tables_->mutex);
  std::string_view bytes = *batch.bytes;
  while (!bytes.empty()) {
    const std::size_t position = batch.bytes->size() - bytes.size();
    std::optional<Record> record = decode(bytes);
    check(record.has_value());
    tables_->entries.push_back(Entry{*std::move(record), position});
  }
  const Record& last = batch.records.back();
  head_.hash = chain(head_.hash, last.ledger_seq, last.at, *batch.bytes);
  head_.ledger_seq = last.ledger_seq;
  check(head_.ledger_seq == tables_->entries.size());
  tables_->hashes.emplace(head_.ledger_seq, head_.hash);
}

void MemoryJournal::project(std::size_t records_max) {
  const std::lock_guard lock(tables_->mutex);
  for (std::size_t count = 0; count < records_max; ++count) {
    const std::size_t place = static_cast<std::size_t>(projection_.last_seq());
    if (place == tables_->entries.size()) break;
    const Record& record = tables_->entries[place].record;
    Effects effects = projection_.project(record);
    if (record.operation.id.is_set()) tables_->records.emplace(record.operation.id, record);
    if (effects.movement.has_value()) {
      tables_->transfers.emplace(record.ledger_seq, *std::move(effects.movement));
    }
    if (effects.hold_seq != 0) {
      const HoldEntry& hold = projection_.holds().at(effects.hold_seq);
      tables_->holds.insert_or_assign(hold.id, hold);
    }
  }
  projection_.forget(projection_.last_seq());
}

std::uint64_t MemoryJournal::projected_through() const { return projection_.last_seq(); }

Journal::ReaderOpener MemoryJournal::reader_opener() {
  return [tables = tables_] { return std::make_unique<Reader>(tables); };
}

std::optional<Record> MemoryJournal::find(const OperationId& id) {
  return Reader(tables_).find(id);
}

Record MemoryJournal::record_at(std::uint64_t ledger_seq, std::size_t position) {
  const std::lock_guard lock(tables_->mutex);
  const Entry& entry = tables_->entries.at(static_cast<std::size_t>(ledger_seq - 1));
  check(entry.position == position);
  return entry.record;
}

std::optional<HoldEntry> MemoryJournal::find_hold(const OperationId& id) {
  return Reader(tables_).find_hold(id);
}

std::optional<Transfer> MemoryJournal::find_transfer(std::uint64_t ledger_seq) {
  const std::lock_guard lock(tables_->mutex);
  const auto found = tables_->transfers.find(ledger_seq);
  return found == tables_->transfers.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace ledger
