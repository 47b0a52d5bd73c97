#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/chain.h"
#include "ledger/entries.h"
#include "ledger/journal.h"
#include "ledger/record.h"
#include "ledger/rows.h"
#include "ledger/sqlite.h"

namespace ledger {

// One batch in the journal, named by its last record.
struct JournalRow {
  std::uint64_t seq = 0;
  std::string records;
};

// The questions that the bank's tables answer, over one connection and on its thread. Every row is checked when it is read.
// Internal to the SQLite journal.
class Tables {
 public:
  explicit Tables(Database& database);

  std::optional<Record> find(const OperationId& id);
  // What the tables do not show yet is in the journal: with the next three that is read, too, from one view of the file.
  std::optional<Record> record(std::uint64_t ledger_seq);
  // Those that have this id or receipt, and of a hold of this id what is done with it and what ended it. In no order, at most
  // found_max of the tables', and none after `through_seq`.
  std::vector<Record> records_about(const OperationId& id, std::uint64_t through_seq);
  // What was declined, newest first, from `from_seq` back.
  std::vector<Record> declines_back_from(std::uint64_t from_seq, std::size_t limit);
  std::optional<HoldEntry> find_hold(const OperationId& id);
  std::optional<Transfer> find_transfer(std::uint64_t ledger_seq);
  std::vector<Transfer> statement(AccountNumber account, std::uint64_t from_seq, std::size_t limit);
  std::vector<Transfer> transfers_before(std::uint64_t before_seq, std::size_t limit);
  std::vector<Transfer> transfers_after(std::uint64_t after_seq, std::uint64_t through_seq,
                                        std::size_t limit);
  std::optional<Hash> hash_at(std::uint64_t ledger_seq);
  // Of the row before; zeros when this is the first.
  Hash hash_before(std::uint64_t ledger_seq);
  // Where the records are whose ids are this one or greater: the first so many, in the order of their ids.
  std::vector<OperationRow> operations_from(std::string_view id_prefix, std::size_t limit);
  Record record(const OperationRow& row);
  // The batch with this record in it, which is there: also one that the tables do not show. Those that follow on it are read
  // fastest, one after the other, until `end_batches`.
  void read_batch(std::uint64_t ledger_seq, JournalRow& row);
  void end_batches();
  // A record of the journal, by where its batch has it.
  Record record_at(std::uint64_t ledger_seq, std::size_t position);

  [[noreturn]] void damaged(const std::string& what) const;

 private:
  Hash hash_in(const Statement& statement, std::uint64_t ledger_seq) const;
  std::optional<OperationRow> operation(const OperationId& id);
  std::optional<Record> projected_record(std::uint64_t ledger_seq);
  std::vector<Record> records(Statement& found);
  // What the tables do not show yet, up to this record, oldest first.
  template <std::invocable<Record&> Use>
  void for_each_unprojected(std::uint64_t through_seq, Use&& use);

  Database& database_;
  Statement by_id_;
  Statement by_seq_;
  Statement by_receipt_;
  Statement declines_;
  Statement from_id_;
  Statement before_;
  Statement after_;
  Statement hold_;
  Statement hash_;
  Statement hash_before_;
  Statement record_;
  Statement batch_;
  // Where `batch_` stands: the record after the batch that it gave. 0: it was not begun.
  std::uint64_t batch_next_ = 0;
};

}  // namespace ledger
