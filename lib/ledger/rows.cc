#include "ledger/rows.h"

#include <utility>

namespace ledger {

// Numbers of accounts, cards and terminals are dense and count from 0; times are microseconds since 1970; amounts are cents.
const char* const create_tables = R"(
CREATE TABLE meta (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  instance_id BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  projected_through INTEGER NOT NULL,
  projected_at INTEGER NOT NULL,
  projected_day INTEGER NOT NULL,
  accounts INTEGER NOT NULL,
  cards INTEGER NOT NULL,
  terminals INTEGER NOT NULL,
  exceptions INTEGER NOT NULL,
  reversals INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  hash BLOB NOT NULL,
  records BLOB NOT NULL
) STRICT;
CREATE TABLE account (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  customer_name TEXT NOT NULL,
  kind INTEGER NOT NULL,
  currency TEXT NOT NULL,
  balance INTEGER NOT NULL,
  held INTEGER NOT NULL,
  overdraft INTEGER NOT NULL,
  last_transfer INTEGER NOT NULL,
  open_holds INTEGER NOT NULL,
  frozen INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE card (
  number INTEGER PRIMARY KEY,
  card TEXT NOT NULL,
  account INTEGER NOT NULL,
  pin_hash TEXT NOT NULL,
  state INTEGER NOT NULL,
  withdrawal_max INTEGER NOT NULL,
  daily_amount_max INTEGER NOT NULL,
  daily_count_max INTEGER NOT NULL,
  usage_day INTEGER NOT NULL,
  usage_amount INTEGER NOT NULL,
  usage_count INTEGER NOT NULL,
  wrong_pins INTEGER NOT NULL,
  replaced_by INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE terminal (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  cash_account INTEGER NOT NULL,
  currency TEXT NOT NULL,
  in_service INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE hold (
  ledger_seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  principal TEXT NOT NULL,
  account INTEGER NOT NULL,
  card INTEGER NOT NULL,
  terminal INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  made_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  state INTEGER NOT NULL,
  limit_day INTEGER NOT NULL,
  exception_seq INTEGER NOT NULL,
  captured INTEGER NOT NULL,
  ended_seq INTEGER NOT NULL,
  receipt BLOB,
  row_check INTEGER NOT NULL
) STRICT;
CREATE INDEX open_hold ON hold (ledger_seq) WHERE ended_seq = 0;
CREATE TABLE exception (
  ledger_seq INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  at INTEGER NOT NULL,
  account TEXT NOT NULL,
  terminal TEXT NOT NULL,
  hold BLOB,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  evidence TEXT NOT NULL,
  resolved INTEGER NOT NULL,
  resolution TEXT NOT NULL,
  receipt BLOB,
  planned TEXT NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE reversal (
  transfer_seq INTEGER PRIMARY KEY,
  reversing_seq INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE TABLE operation (
  ledger_seq INTEGER PRIMARY KEY,
  id BLOB,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  outcome TEXT NOT NULL,
  batch INTEGER NOT NULL,
  position INTEGER NOT NULL,
  size INTEGER NOT NULL,
  receipt BLOB,
  transfer_kind INTEGER,
  source INTEGER,
  target INTEGER,
  amount INTEGER,
  currency TEXT,
  source_balance INTEGER,
  target_balance INTEGER,
  source_previous INTEGER,
  target_previous INTEGER,
  terminal TEXT,
  reason TEXT,
  reverses INTEGER,
  row_check INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX operation_id ON operation (id) WHERE id IS NOT NULL;
CREATE TABLE found_by (
  ledger_seq INTEGER PRIMARY KEY,
  receipt BLOB,
  declined INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
CREATE INDEX found_by_receipt ON found_by (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX declined ON found_by (ledger_seq) WHERE declined = 1;
CREATE VIEW transfer AS
  SELECT o.ledger_seq, datetime(o.at / 1000000, 'unixepoch') AS at, hex(o.id) AS id, o.kind,
         s.id AS source, t.id AS target, o.amount, o.currency, o.terminal, o.reason,
         hex(o.receipt) AS receipt, nullif(o.reverses, 0) AS reverses
  FROM operation AS o
  JOIN account AS s ON s.number = o.source
  JOIN account AS t ON t.number = o.target;
)";

OperationRow row_of(const Record& record, std::uint64_t batch) {
  OperationRow row;
  row.ledger_seq = record.ledger_seq;
  row.id = record.operation.id;
  row.at = record.at;
  row.kind = name(record.operation.change);
  row.outcome = outcome_yes;
  if (const std::optional<RefusalCode> why = why_declined(record)) row.outcome = name(*why);
  row.batch = batch;
  row.receipt = receipt_of(record.operation.change).value_or(OperationId());
  return row;
}

std::optional<FoundByRow> found_by(const OperationRow& row) {
  const bool is_declined = row.outcome != outcome_yes;
  if (!row.receipt.is_set() && !is_declined) return std::nullopt;
  return FoundByRow{.ledger_seq = row.ledger_seq, .receipt = row.receipt, .declined = is_declined};
}

void set_transfer(OperationRow& row, Transfer transfer) {
  row.receipt = transfer.receipt;
  row.transfer = std::move(transfer);
}

void write_operation(Statement& statement, const OperationRow& row) {
  RowWriter column(statement);
  OperationTable::columns(column, row);
  if (row.transfer.has_value()) {
    OperationTable::columns_of_transfer(column, *row.transfer);
  } else {
    for (int count = 0; count < OperationTable::transfer_columns; ++count) column.skip();
  }
  column.finish();
}

OperationRow read_operation(const Statement& statement, const std::string& path) {
  OperationRow row;
  RowReader column(statement);
  OperationTable::columns(column, row);
  if (column.is_null()) {
    for (int count = 0; count < OperationTable::transfer_columns; ++count) column.skip();
  } else {
    Transfer& transfer = row.transfer.emplace();
    OperationTable::columns_of_transfer(column, transfer);
    transfer.ledger_seq = row.ledger_seq;
    transfer.at = row.at;
    transfer.id = row.id;
    transfer.receipt = row.receipt;
  }
  if (!column.is_sound()) fail_row(path, OperationTable::name, statement.integer(0));
  return row;
}

}  // namespace ledger
