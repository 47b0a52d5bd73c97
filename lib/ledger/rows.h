#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "ledger/entries.h"
#include "ledger/record.h"
#include "ledger/row.h"
#include "ledger/sqlite.h"

// The projection's tables: which columns each has. Internal to the SQLite journal.
namespace ledger {

// The columns of the ledger's own types.
inline void write_column(RowWriter& column, Cents value) { column(value.value); }
inline void write_column(RowWriter& column, BusinessDay value) {
  column(std::int64_t{value.number});
}
inline void write_column(RowWriter& column, const CardDigits& value) { column.text(value); }
inline void write_column(RowWriter& column, Currency value) { column.keep(value.text()); }
// Not set: NULL.
inline void write_column(RowWriter& column, const OperationId& value) {
  column.blob(value.view(), value.is_set());
}

void read_column(auto& column, Cents& value) { column(value.value); }
void read_column(auto& column, BusinessDay& value) {
  value.number = static_cast<std::int32_t>(column.integer());
}
void read_column(auto& column, CardDigits& value) { value = column.text(); }
void read_column(auto& column, Currency& value) {
  value = Currency::parse(column.text()).value_or(Currency());
}
void read_column(auto& column, OperationId& value) {
  value = OperationId::from_bytes(column.unchecked_blob()).value_or(OperationId());
  column.add_to_checksum(value.view());
}

// Where a record is: in which row of the journal, and where in its records.
inline constexpr std::string_view outcome_yes = "yes";

struct OperationRow {
  std::uint64_t ledger_seq = 0;
  OperationId id;
  Instant at;
  std::string kind;
  std::string outcome;
  std::uint64_t batch = 0;
  std::int64_t position = 0;
  std::int64_t size = 0;
  // The id on the receipt, if one was told. Not set: none.
  OperationId receipt;
  // What it moved, if anything.
  std::optional<Transfer> transfer;

  friend bool operator==(const OperationRow&, const OperationRow&) = default;
};
// Of a record in that row of the journal; where in it, and what it moved, is left to be filled in.
OperationRow row_of(const Record& record, std::uint64_t batch);
// What the row's record moved. What ends a hold has the receipt's id from there.
void set_transfer(OperationRow& row, Transfer transfer);

// The tables, each with its columns in order. `Row` may be const. What is read whole has the names of its columns, for
// Database::for_each.
struct AccountTable {
  static constexpr const char* name = "account";
  static constexpr std::string_view write =
      "INSERT OR REPLACE INTO account VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr std::string_view all_columns =
      "number, id, customer_name, kind, currency, balance, held, overdraft, last_transfer, "
      "open_holds, frozen, closed, row_check";
  static void columns(auto& column, auto& row) {
    column(row.number);
    if constexpr (std::is_const_v<std::remove_reference_t<decltype(row)>>) {
      column(row.id());
      column(row.customer_name());
    } else {
      AccountNames names;
      column(names.id);
      column(names.customer_name);
      row.names = std::make_shared<const AccountNames>(std::move(names));
    }
    column(row.kind);
    column(row.currency);
    column(row.balance);
    column(row.held);
    column(row.overdraft);
    column(row.last_transfer);
    column(row.open_holds);
    column(row.frozen);
    column(row.closed);
  }
};

struct CardTable {
  static constexpr const char* name = "card";
  static constexpr std::string_view write =
      "INSERT OR REPLACE INTO card VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr std::string_view all_columns =
      "number, card, account, pin_hash, state, withdrawal_max, daily_amount_max, daily_count_max, "
      "usage_day, usage_amount, usage_count, wrong_pins, replaced_by, row_check";
  static void columns(auto& column, auto& row) {
    column(row.number);
    column(row.card);
    column(row.account);
    column(row.pin_hash);
    column(row.state);
    column(row.limits.withdrawal_max);
    column(row.limits.daily_amount_max);
    column(row.limits.daily_count_max);
    column(row.usage.day);
    column(row.usage.amount);
    column(row.usage.count);
    column(row.wrong_pins);
    column(row.replaced_by);
  }
};

struct TerminalTable {
  static constexpr const char* name = "terminal";
  static constexpr std::string_view write = "INSERT OR REPLACE INTO terminal VALUES (?,?,?,?,?,?)";
  static constexpr std::string_view all_columns =
      "number, id, cash_account, currency, in_service, row_check";
  static void columns(auto& column, auto& row) {
    column(row.number);
    column(row.id);
    column(row.cash_account);
    column(row.currency);
    column(row.in_service);
  }
};

struct HoldTable {
  static constexpr const char* name = "hold";
  static constexpr std::string_view write =
      "INSERT OR REPLACE INTO hold VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
  // The index finds them, the table says what they are: of a row that it finds by an index alone, a newer SQLite takes ended_seq to
  // be 0 unseen.
  static constexpr std::string_view read =
      "SELECT * FROM hold WHERE ledger_seq IN (SELECT ledger_seq FROM hold WHERE ended_seq = 0) "
      "ORDER BY ledger_seq";
  static void columns(auto& column, auto& row) {
    column(row.ledger_seq);
    column(row.id);
    column(row.principal);
    column(row.account);
    column(row.card);
    column(row.terminal);
    column(row.amount);
    column(row.made_at);
    column(row.expires_at);
    column(row.state);
    column(row.limit_day);
    column(row.exception_seq);
    column(row.captured);
    column(row.ended_seq);
    column(row.receipt);
  }
};

struct ExceptionTable {
  static constexpr const char* name = "exception";
  static constexpr std::string_view write =
      "INSERT OR REPLACE INTO exception VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr std::string_view all_columns =
      "ledger_seq, kind, at, account, terminal, hold, amount, currency, evidence, resolved, "
      "resolution, receipt, planned, row_check";
  static void columns(auto& column, auto& row) {
    column(row.ledger_seq);
    column(row.kind);
    column(row.at);
    column(row.account);
    column(row.terminal);
    column(row.hold);
    column(row.amount);
    column(row.currency);
    column(row.evidence);
    column(row.resolved);
    column(row.resolution);
    column(row.receipt);
    column(row.planned);
  }
};

struct ReversalRow {
  std::uint64_t transfer_seq = 0;
  std::uint64_t reversing_seq = 0;
};

struct ReversalTable {
  static constexpr const char* name = "reversal";
  static constexpr std::string_view write = "INSERT OR REPLACE INTO reversal VALUES (?,?,?)";
  static constexpr std::string_view all_columns = "transfer_seq, reversing_seq, row_check";
  static void columns(auto& column, auto& row) {
    column(row.transfer_seq);
    column(row.reversing_seq);
  }
};

// By what else than its id and its number a record is found. An index over all of table operation would cost every record as much
// as two columns; most have neither.
struct FoundByRow {
  std::uint64_t ledger_seq = 0;
  OperationId receipt{};
  bool declined = false;

  friend bool operator==(const FoundByRow&, const FoundByRow&) = default;
};
// Of a whole row; nothing if it is found by neither.
std::optional<FoundByRow> found_by(const OperationRow& row);

struct FoundByTable {
  static constexpr const char* name = "found_by";
  static constexpr std::string_view write = "INSERT INTO found_by VALUES (?,?,?,?)";
  static void columns(auto& column, auto& row) {
    column(row.ledger_seq);
    column(row.receipt);
    column(row.declined);
  }
};

// The one row that says whose journal this is, and how far the tables have come.
struct MetaRow {
  std::int64_t one = 1;
  OperationId instance_id;
  Instant created_at;
  std::uint64_t projected_through = 0;
  Instant projected_at;
  BusinessDay projected_day;
  // How many rows the tables have that are read at the start. A damaged page may hide the rows that it holds.
  std::uint64_t accounts = 0;
  std::uint64_t cards = 0;
  std::uint64_t terminals = 0;
  std::uint64_t exceptions = 0;
  std::uint64_t reversals = 0;
};

struct MetaTable {
  static constexpr const char* name = "meta";
  static constexpr std::string_view write =
      "INSERT OR REPLACE INTO meta VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr std::string_view read = "SELECT * FROM meta";
  static void columns(auto& column, auto& row) {
    column(row.one);
    column(row.instance_id);
    column(row.created_at);
    column(row.projected_through);
    column(row.projected_at);
    column(row.projected_day);
    column(row.accounts);
    column(row.cards);
    column(row.terminals);
    column(row.exceptions);
    column(row.reversals);
  }
};

struct OperationTable {
  static constexpr const char* name = "operation";
  static constexpr std::string_view write =
      "INSERT INTO operation VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr int transfer_columns = 12;
  static void columns(auto& column, auto& row) {
    column(row.ledger_seq);
    column(row.id);
    column(row.at);
    column(row.kind);
    column(row.outcome);
    column(row.batch);
    column(row.position);
    column(row.size);
    column(row.receipt);
  }
  static void columns_of_transfer(auto& column, auto& transfer) {
    column(transfer.kind);
    column(transfer.source);
    column(transfer.target);
    column(transfer.amount);
    column(transfer.currency);
    column(transfer.source_balance);
    column(transfer.target_balance);
    column(transfer.source_previous);
    column(transfer.target_previous);
    column(transfer.terminal);
    column(transfer.reason);
    column(transfer.reverses);
  }
};

void write_operation(Statement& statement, const OperationRow& row);
OperationRow read_operation(const Statement& statement, const std::string& path);

extern const char* const create_tables;

}  // namespace ledger
