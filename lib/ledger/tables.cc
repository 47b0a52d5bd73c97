#include "ledger/tables.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ledger/codec.h"

namespace ledger {

Tables::Tables(Database& database)
    : database_(database),
      by_id_(database.prepare_later("SELECT * FROM operation WHERE id = ?")),
      by_seq_(database.prepare_later("SELECT * FROM operation WHERE ledger_seq = ?")),
      by_receipt_(database.prepare_later(
          "SELECT operation.* FROM found_by JOIN operation USING (ledger_seq) "
          "WHERE found_by.receipt = ? ORDER BY ledger_seq LIMIT ?")),
      declines_(database.prepare_later(
          "SELECT operation.* FROM found_by JOIN operation USING (ledger_seq) "
          "WHERE declined = 1 AND ledger_seq <= ? ORDER BY ledger_seq DESC LIMIT ?")),
      from_id_(database.prepare_later("SELECT * FROM operation WHERE id >= ? ORDER BY id LIMIT ?")),
      before_(database.prepare_later(
          "SELECT * FROM operation WHERE ledger_seq < ? AND source IS NOT NULL "
          "ORDER BY ledger_seq DESC LIMIT ?")),
      after_(
          database.prepare_later("SELECT * FROM operation WHERE ledger_seq > ? AND ledger_seq <= ? "
                                 "AND source IS NOT NULL ORDER BY ledger_seq LIMIT ?")),
      hold_(database.prepare_later("SELECT * FROM hold WHERE ledger_seq = ?")),
      hash_(database.prepare_later("SELECT hash FROM journal WHERE seq = ?")),
      hash_before_(database.prepare_later(
          "SELECT hash, seq FROM journal WHERE seq < ? ORDER BY seq DESC LIMIT 1")),
      record_(database.prepare_later("SELECT substr(records, ?, ?) FROM journal WHERE seq = ?")),
      batch_(
          database.prepare_later("SELECT seq, records FROM journal WHERE seq >= ? ORDER BY seq")) {}

void Tables::damaged(const std::string& what) const {
  throw StorageError(StorageError::Kind::bad_data, database_.path() + " is damaged: " + what);
}

std::optional<OperationRow> Tables::operation(const OperationId& id) {
  const Rows rows(by_id_);
  by_id_.bind_blob(1, id.view());
  if (!by_id_.step()) return std::nullopt;
  return read_operation(by_id_, database_.path());
}

Record Tables::record(const OperationRow& row) {
  const Rows rows(record_);
  record_.bind(1, row.position + 1);
  record_.bind(2, row.size);
  record_.bind(3, static_cast<std::int64_t>(row.batch));
  std::string_view bytes;
  if (record_.step()) bytes = record_.blob(0);
  std::optional<Record> record = decode(bytes);
  const bool is_it = record.has_value() && bytes.empty() && record->ledger_seq == row.ledger_seq &&
                     record->operation.id == row.id;
  if (!is_it) {
    damaged("record " + std::to_string(row.ledger_seq) + " is not where table operation says");
  }
  return *std::move(record);
}

void Tables::read_batch(std::uint64_t ledger_seq, JournalRow& row) {
  if (ledger_seq != batch_next_) {
    end_batches();
    batch_.bind(1, static_cast<std::int64_t>(ledger_seq));
  }
  batch_next_ = 0;
  if (!batch_.step())
    damaged("record " + std::to_string(ledger_seq) + " is missing in its journal");
  row.seq = static_cast<std::uint64_t>(batch_.integer(0));
  row.records = batch_.blob(1);
  batch_next_ = row.seq + 1;
}

void Tables::end_batches() {
  batch_.reset();
  batch_next_ = 0;
}

Record Tables::record_at(std::uint64_t ledger_seq, std::size_t position) {
  JournalRow row;
  read_batch(ledger_seq, row);
  end_batches();
  std::string_view bytes = row.records;
  bytes.remove_prefix(std::min(position, bytes.size()));
  std::optional<Record> record = decode(bytes);
  if (!record.has_value() || record->ledger_seq != ledger_seq) {
    damaged("record " + std::to_string(ledger_seq) + " is not where it was written");
  }
  return *std::move(record);
}

std::optional<Record> Tables::find(const OperationId& id) {
  const std::optional<OperationRow> row = operation(id);
  if (!row.has_value()) return std::nullopt;
  return record(*row);
}

std::optional<Record> Tables::projected_record(std::uint64_t ledger_seq) {
  std::optional<OperationRow> row;
  {
    const Rows rows(by_seq_);
    by_seq_.bind(1, static_cast<std::int64_t>(ledger_seq));
    if (!by_seq_.step()) return std::nullopt;
    row = read_operation(by_seq_, database_.path());
  }
  return record(*row);
}

// The rows that a statement finds, and then their records.
std::vector<Record> Tables::records(Statement& found) {
  std::vector<OperationRow> rows_found;
  {
    const Rows rows(found);
    while (found.step()) rows_found.push_back(read_operation(found, database_.path()));
  }
  std::vector<Record> list;
  for (const OperationRow& row : rows_found) list.push_back(record(row));
  return list;
}

template <std::invocable<Record&> Use>
void Tables::for_each_unprojected(std::uint64_t through_seq, Use&& use) {
  const auto projected =
      static_cast<std::uint64_t>(database_.number("SELECT projected_through FROM meta"));
  Statement read = database_.prepare("SELECT records FROM journal WHERE seq > ? ORDER BY seq");
  const Rows rows(read);
  read.bind(1, static_cast<std::int64_t>(projected));
  while (read.step()) {
    std::string_view rest = read.blob(0);
    while (!rest.empty()) {
      std::optional<Record> record = decode(rest);
      if (!record.has_value()) damaged("its journal holds what is no record");
      if (record->ledger_seq > through_seq) return;
      if (record->ledger_seq > projected) use(*record);
    }
  }
}

std::optional<Record> Tables::record(std::uint64_t ledger_seq) {
  std::optional<Record> found = projected_record(ledger_seq);
  if (found.has_value()) return found;
  for_each_unprojected(ledger_seq, [&](Record& record) {
    if (record.ledger_seq == ledger_seq) found = std::move(record);
  });
  return found;
}

std::vector<Record> Tables::records_about(const OperationId& id, std::uint64_t through_seq) {
  by_receipt_.bind_blob(1, id.view());
  by_receipt_.bind(2, static_cast<std::int64_t>(found_max));
  std::vector<Record> list = records(by_receipt_);
  if (std::optional<Record> own = find(id)) {
    const std::optional<HoldEntry> hold = find_hold(id);
    list.push_back(*std::move(own));
    if (hold.has_value() && !hold->is_open()) {
      if (std::optional<Record> end = projected_record(hold->ended_seq))
        list.push_back(*std::move(end));
    }
  }
  for_each_unprojected(through_seq, [&](Record& record) {
    if (is_about(record, id)) list.push_back(std::move(record));
  });
  std::erase_if(list, [&](const Record& record) { return record.ledger_seq > through_seq; });
  return list;
}

std::vector<Record> Tables::declines_back_from(std::uint64_t from_seq, std::size_t limit) {
  std::vector<Record> found;
  for_each_unprojected(from_seq, [&](Record& record) {
    if (why_declined(record).has_value()) found.push_back(std::move(record));
  });
  std::ranges::reverse(found);
  if (found.size() > limit) found.resize(limit);
  declines_.bind(1, static_cast<std::int64_t>(from_seq));
  declines_.bind(2, static_cast<std::int64_t>(limit - found.size()));
  std::ranges::move(records(declines_), std::back_inserter(found));
  return found;
}

std::optional<HoldEntry> Tables::find_hold(const OperationId& id) {
  const std::optional<OperationRow> row = operation(id);
  if (!row.has_value()) return std::nullopt;
  const Rows rows(hold_);
  hold_.bind(1, static_cast<std::int64_t>(row->ledger_seq));
  if (!hold_.step()) return std::nullopt;
  return read_row<HoldTable, HoldEntry>(hold_, database_.path());
}

std::optional<Transfer> Tables::find_transfer(std::uint64_t ledger_seq) {
  const Rows rows(by_seq_);
  by_seq_.bind(1, static_cast<std::int64_t>(ledger_seq));
  if (!by_seq_.step()) return std::nullopt;
  return read_operation(by_seq_, database_.path()).transfer;
}

std::vector<Transfer> Tables::statement(AccountNumber account, std::uint64_t from_seq,
                                        std::size_t limit) {
  std::vector<Transfer> found;
  while (from_seq != 0 && found.size() < limit) {
    std::optional<Transfer> transfer = find_transfer(from_seq);
    if (!transfer.has_value()) break;
    const bool is_source = transfer->source == account;
    if (!is_source && transfer->target != account) break;
    const std::uint64_t previous =
        is_source ? transfer->source_previous : transfer->target_previous;
    if (previous >= from_seq) damaged("the transfers of an account go round in a circle");
    from_seq = previous;
    found.push_back(*std::move(transfer));
  }
  return found;
}

std::vector<Transfer> Tables::transfers_before(std::uint64_t before_seq, std::size_t limit) {
  const Rows rows(before_);
  before_.bind(1, static_cast<std::int64_t>(before_seq));
  before_.bind(2, static_cast<std::int64_t>(limit));
  std::vector<Transfer> found;
  while (before_.step()) {
    found.push_back(*read_operation(before_, database_.path()).transfer);
  }
  return found;
}

std::vector<Transfer> Tables::transfers_after(std::uint64_t after_seq, std::uint64_t through_seq,
                                              std::size_t limit) {
  const Rows rows(after_);
  after_.bind(1, static_cast<std::int64_t>(after_seq));
  after_.bind(2, static_cast<std::int64_t>(through_seq));
  after_.bind(3, static_cast<std::int64_t>(limit));
  std::vector<Transfer> found;
  while (after_.step()) found.push_back(*read_operation(after_, database_.path()).transfer);
  return found;
}

Hash Tables::hash_in(const Statement& statement, std::uint64_t ledger_seq) const {
  const std::string_view stored = statement.blob(0);
  Hash hash{};
  if (stored.size() != hash.size()) {
    damaged("journal row " + std::to_string(ledger_seq) + " has no hash");
  }
  std::ranges::transform(stored, hash.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return hash;
}

std::optional<Hash> Tables::hash_at(std::uint64_t ledger_seq) {
  const Rows rows(hash_);
  hash_.bind(1, static_cast<std::int64_t>(ledger_seq));
  if (!hash_.step()) return std::nullopt;
  return hash_in(hash_, ledger_seq);
}

Hash Tables::hash_before(std::uint64_t ledger_seq) {
  const Rows rows(hash_before_);
  hash_before_.bind(1, static_cast<std::int64_t>(ledger_seq));
  if (!hash_before_.step()) return {};
  return hash_in(hash_before_, static_cast<std::uint64_t>(hash_before_.integer(1)));
}

std::vector<OperationRow> Tables::operations_from(std::string_view id_prefix, std::size_t limit) {
  const Rows rows(from_id_);
  from_id_.bind_blob(1, id_prefix);
  from_id_.bind(2, static_cast<std::int64_t>(limit));
  std::vector<OperationRow> found;
  while (from_id_.step()) found.push_back(read_operation(from_id_, database_.path()));
  return found;
}

}  // namespace ledger
