#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "ledger/entries.h"
#include "ledger/record.h"
#include "ledger/sqlite.h"

// The rows of the projection's tables: which columns each has, and how they are written, read and checked. Internal to the SQLite
// journal.
namespace ledger {

// A key-less 64-bit hash over a row's columns, stored in its last one: tells a row that a disk or a hand has changed. It is no
// protection from who can compute it too; the chain is.
class RowCheck {
 public:
  void add(std::int64_t value) {
    std::array<char, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    append({bytes.data(), bytes.size()});
  }
  void add(std::string_view value) {
    add(static_cast<std::int64_t>(value.size()));
    append(value);
  }
  std::int64_t value() const;

 private:
  void append(std::string_view bytes) {
    if (bytes.empty()) return;  // It may be nowhere: a damaged row has NULL where a text should be.
    if (!long_.empty() || bytes.size() > buffer_.size() - size_) return append_long(bytes);
    std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append_long(std::string_view bytes);

  // Most rows fit; a long text moves them all to the heap.
  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
  std::string long_;
};

// Binds a row's columns in turn, and at the end their check.
class RowWriter {
 public:
  explicit RowWriter(Statement& statement) : statement_(statement) {}

  void operator()(std::int64_t value) {
    check_.add(value);
    statement_.bind(++parameter_, value);
  }
  void operator()(std::uint64_t value) { (*this)(static_cast<std::int64_t>(value)); }
  void operator()(std::uint32_t value) { (*this)(std::int64_t{value}); }
  void operator()(bool value) { (*this)(std::int64_t{value ? 1 : 0}); }
  void operator()(Cents value) { (*this)(value.value); }
  void operator()(Instant value) { (*this)(microseconds_of(value)); }
  void operator()(BusinessDay value) { (*this)(std::int64_t{value.number}); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum value) {
    (*this)(static_cast<std::int64_t>(value));
  }
  void operator()(const std::string& value) { text(value); }
  void operator()(const CardDigits& value) { text(value); }
  void operator()(Currency value) {
    // The text has to live until the row is written.
    currency_ = value.text();
    (*this)(currency_);
  }
  // Not set: NULL.
  void operator()(const OperationId& value) {
    check_.add(value.view());
    if (value.is_set()) {
      statement_.bind_blob(++parameter_, value.view());
    } else {
      statement_.bind_null(++parameter_);
    }
  }
  template <typename Enum>
  void operator()(const std::optional<Enum>& value) {
    (*this)(value.has_value() ? static_cast<std::int64_t>(*value) : std::int64_t{-1});
  }
  // A column that stays NULL.
  void skip() { statement_.bind_null(++parameter_); }

  void finish() {
    statement_.bind(++parameter_, check_.value());
    statement_.run();
  }

 private:
  void text(std::string_view value) {
    check_.add(value);
    statement_.bind_text(++parameter_, value);
  }

  Statement& statement_;
  RowCheck check_;
  std::string currency_;
  int parameter_ = 0;
};

// Reads a row's columns in turn, from a Statement or from RowValues; `is_sound` then says whether they are what was written.
template <typename Source>
class RowReader {
 public:
  explicit RowReader(const Source& source) : source_(source) {}

  void operator()(std::int64_t& value) {
    value = source_.integer(column_++);
    check_.add(value);
  }
  void operator()(std::uint64_t& value) { value = static_cast<std::uint64_t>(next()); }
  void operator()(std::uint32_t& value) { value = static_cast<std::uint32_t>(next()); }
  void operator()(bool& value) { value = next() != 0; }
  void operator()(Cents& value) { (*this)(value.value); }
  void operator()(Instant& value) { value = instant_of(next()); }
  void operator()(BusinessDay& value) { value.number = static_cast<std::int32_t>(next()); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    value = static_cast<Enum>(next());
  }
  void operator()(std::string& value) { value = text(); }
  void operator()(CardDigits& value) { value = text(); }
  void operator()(Currency& value) {
    std::string text;
    (*this)(text);
    value = Currency::parse(text).value_or(Currency());
  }
  void operator()(OperationId& value) {
    value = OperationId::from_bytes(source_.blob(column_++)).value_or(OperationId());
    check_.add(value.view());
  }
  template <typename Enum>
  void operator()(std::optional<Enum>& value) {
    const std::int64_t number = next();
    value = number < 0 ? std::nullopt : std::optional(static_cast<Enum>(number));
  }

  bool is_null() const { return source_.is_null(column_); }
  void skip() { ++column_; }
  bool is_sound() const { return source_.integer(column_) == check_.value(); }

 private:
  std::int64_t next() {
    std::int64_t value = 0;
    (*this)(value);
    return value;
  }
  std::string_view text() {
    const std::string_view text = source_.text(column_++);
    check_.add(text);
    return text;
  }

  const Source& source_;
  RowCheck check_;
  int column_ = 0;
};

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
      "INSERT OR REPLACE INTO exception VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";
  static constexpr std::string_view all_columns =
      "ledger_seq, kind, at, account, terminal, hold, amount, currency, evidence, resolved, "
      "resolution, receipt, row_check";
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

// Writes one row.
template <typename Table, typename Row>
void write_row(Statement& statement, const Row& row) {
  RowWriter column(statement);
  Table::columns(column, row);
  column.finish();
}
void write_row(Statement& statement, const OperationRow& row);

// Reads the row that a statement stands on, or that a function is given. Throws bad_data, naming the row, when it is not what was written.
template <typename Table, typename Row, typename Source>
Row read_row(const Source& source, const std::string& path) {
  Row row;
  RowReader column(source);
  Table::columns(column, row);
  if (!column.is_sound()) {
    throw StorageError(StorageError::Kind::bad_data,
                       path + " is damaged: row " + std::to_string(source.integer(0)) +
                           " of table " + Table::name + " is not what was written");
  }
  return row;
}
OperationRow read_operation(const Statement& statement, const std::string& path);

extern const char* const create_tables;

}  // namespace ledger
