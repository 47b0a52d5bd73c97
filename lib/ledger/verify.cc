#include "ledger/verify.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "ledger/codec.h"
#include "ledger/ledger.h"
#include "ledger/own_log.h"
#include "ledger/sqlite_journal.h"
#include "ledger/tables.h"

namespace ledger {
namespace {

// How often what can be found in the tables is forgotten.
constexpr std::uint64_t forget_every = 4096;

// The tables as they would have answered when the journal stood at a certain record.
class PastTables final : public History {
 public:
  explicit PastTables(Tables& tables) : tables_(tables) {}

  std::optional<Record> find(const OperationId& id) override {
    std::optional<Record> record = tables_.find(id);
    if (record.has_value() && record->ledger_seq > through) return std::nullopt;
    return record;
  }
  Record record_at(std::uint64_t ledger_seq, std::size_t position) override {
    return tables_.record_at(ledger_seq, position);
  }
  std::optional<HoldEntry> find_hold(const OperationId& id) override {
    std::optional<HoldEntry> hold = tables_.find_hold(id);
    const bool had_ended = hold.has_value() && hold->ended_seq != 0 && hold->ended_seq <= through;
    return had_ended ? hold : std::nullopt;
  }
  std::optional<Transfer> find_transfer(std::uint64_t ledger_seq) override {
    if (ledger_seq > through) return std::nullopt;
    return tables_.find_transfer(ledger_seq);
  }

  std::uint64_t through = 0;

 private:
  Tables& tables_;
};

class Verifier {
 public:
  explicit Verifier(const std::string& path)
      : database_(path, Database::Access::at_rest),
        tables_(with_schema(database_)),
        history_(tables_),
        ledger_(history_) {}

  Verified run() {
    check_file();
    Statement meta = database_.prepare(MetaTable::read);
    {
      const Rows rows(meta);
      if (meta.step()) meta_ = read_row<MetaTable, MetaRow>(meta, database_.path());
    }
    if (meta_.projected_through == 0) check_tables();
    check_journal();
    if (ledger_.books().last_seq() < meta_.projected_through) {
      tables_.damaged("its journal ends before its tables do");
    }
    if (!ledger_.books().is_balanced()) tables_.damaged("its books are not balanced");
    verified_.accounts = ledger_.books().accounts().size();
    verified_.projected_through = meta_.projected_through;
    return verified_;
  }

 private:
  static Database& with_schema(Database& database) {
    database.open_schema(bank_application_id, bank_schema_version, nullptr);
    return database;
  }

  // What SQLite itself can tell; not quick_check, which would not miss a row in an index.
  void check_file() {
    Statement read = database_.prepare("PRAGMA integrity_check(1)");
    const Rows rows(read);
    if (!read.step() || read.text(0) != "ok") tables_.damaged(std::string(read.text(0)));
    check_schema();
  }

  // It is text in the file, kept as it was written.
  void check_schema() {
    Statement read = database_.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name");
    const Rows rows(read);
    while (read.step()) {
      if (std::string_view(create_tables).contains(read.text(1)) ||
          std::string_view(create_log_table).contains(read.text(1))) {
        continue;
      }
      tables_.damaged("the definition of " + std::string(read.text(0)) +
                      " is not what was written");
    }
  }

  void check_journal() {
    Statement read = database_.prepare("SELECT seq, at, hash, records FROM journal ORDER BY seq");
    const Rows rows(read);
    while (read.step()) {
      const auto seq = static_cast<std::uint64_t>(read.integer(0));
      const std::string row = "journal row " + std::to_string(seq);
      const Instant at = instant_of(read.integer(1));
      const std::string_view records = read.blob(3);
      const Hash hash = chain(verified_.head.hash, seq, at, records);
      if (!std::ranges::equal(read.blob(2), hash, {},
                              [](char byte) { return static_cast<std::uint8_t>(byte); })) {
        tables_.damaged(row + " does not follow from the row before it");
      }
      check_records(row, seq, records);
      if (ledger_.books().last_seq() != seq) tables_.damaged(row + " ends with another record");
      if (ledger_.books().last_at() != at)
        tables_.damaged(row + " has another time than its records");
      verified_.head = ChainHead{seq, hash};
    }
  }

  void check_records(const std::string& row, std::uint64_t batch, std::string_view records) {
    std::string_view rest = records;
    while (!rest.empty()) {
      const std::string_view start = rest;
      const std::optional<Record> record = decode(rest);
      if (!record.has_value()) tables_.damaged(row + " holds what is no record");
      const std::size_t size = start.size() - rest.size();
      const std::string what = row + ", record " + std::to_string(record->ledger_seq);
      history_.through = record->ledger_seq - 1;
      if (const std::optional<std::string> fault = ledger_.find_fault(*record)) {
        tables_.damaged(what + " (" + std::string(name(record->operation.change)) + ") " + *fault);
      }
      ledger_.replay(*record, records.size() - start.size());
      const RecentTransfers& moves = ledger_.books().recent_transfers();
      const bool moved = !moves.empty() && moves.last_seq() == record->ledger_seq;
      verified_.transfers += moved ? 1 : 0;
      const bool held =
          record->outcome.has_value() && std::holds_alternative<Hold>(record->operation.change);
      holds_ += held ? 1 : 0;
      if (record->ledger_seq > meta_.projected_through) continue;
      OperationRow expected = row_of(*record, batch);
      expected.position = static_cast<std::int64_t>(records.size() - start.size());
      expected.size = static_cast<std::int64_t>(size);
      if (moved) set_transfer(expected, moves.back());
      check_operation(expected);
      if (const std::optional<FoundByRow> more = found_by(expected)) check_found_by(*more);
      if (record->ledger_seq == meta_.projected_through) check_tables();
      if (record->ledger_seq % forget_every == 0) forget();
    }
  }

  // Only what the tables show can be forgotten, and an ended hold is compared before it is.
  void forget() {
    for (const auto& [ledger_seq, hold] : ledger_.books().holds()) {
      if (!hold.is_open()) check_hold(hold);
    }
    ledger_.forget(ledger_.books().last_seq());
  }

  void check_operation(const OperationRow& expected) {
    Statement& read = operation_;
    const Rows rows(read);
    read.bind(1, static_cast<std::int64_t>(expected.ledger_seq));
    const std::string what = "row " + std::to_string(expected.ledger_seq) + " of table operation";
    if (!read.step()) tables_.damaged(what + " is missing");
    if (read_operation(read, database_.path()) != expected) {
      tables_.damaged(what + " is not what the journal says");
    }
  }

  void check_hold(const HoldEntry& expected) { check_row<HoldTable>(hold_, expected); }

  void check_found_by(const FoundByRow& expected) {
    ++found_by_rows_;
    check_row<FoundByTable>(found_by_, expected);
  }

  template <typename Table, typename Row>
  void check_row(Statement& read, const Row& expected) {
    const Rows rows(read);
    read.bind(1, static_cast<std::int64_t>(expected.ledger_seq));
    const std::string what =
        "row " + std::to_string(expected.ledger_seq) + " of table " + Table::name;
    if (!read.step()) tables_.damaged(what + " is missing");
    const auto found = read_row<Table, Row>(read, database_.path());
    if (!(found == expected)) tables_.damaged(what + " is not what the journal says");
  }

  // The books stand where the tables say they do: row for row the same, and no row more.
  void check_tables() {
    const Books& books = ledger_.books();
    if (meta_.projected_at != books.last_at() || meta_.projected_day != books.last_day()) {
      tables_.damaged("table meta is not what the journal says");
    }
    check_table(AccountTable(), books.accounts());
    check_table(CardTable(), books.cards());
    check_table(TerminalTable(), books.terminals());
    std::vector<ExceptionEntry> exceptions;
    for (const auto& [ledger_seq, exception] : books.exceptions()) exceptions.push_back(exception);
    check_table(ExceptionTable(), exceptions);
    for (const auto& [ledger_seq, hold] : books.holds()) check_hold(hold);
    check_count("hold WHERE ended_seq = 0",
                std::ranges::count_if(books.holds(),
                                      [](const auto& hold) { return hold.second.is_open(); }));
    check_count("hold", static_cast<std::int64_t>(holds_));
    check_count("operation", static_cast<std::int64_t>(meta_.projected_through));
    check_count("found_by", static_cast<std::int64_t>(found_by_rows_));
    const auto check_reversal = [&](const RowValues& values) {
      const auto row = read_row<ReversalTable, ReversalRow>(values, database_.path());
      if (books.reversed_by(row.transfer_seq) != row.reversing_seq) {
        tables_.damaged("row " + std::to_string(row.transfer_seq) +
                        " of table reversal is not what the journal says");
      }
    };
    database_.for_each(ReversalTable::all_columns, ReversalTable::name, check_reversal);
    check_count("reversal", static_cast<std::int64_t>(books.reversal_count()));
  }

  template <typename Table, typename List>
  void check_table(Table, const List& expected) {
    using Row = typename List::value_type;
    auto next = expected.begin();
    const auto check_row = [&](const RowValues& values) {
      if (next == expected.end()) return;  // The count will tell.
      if (!(read_row<Table, Row>(values, database_.path()) == *next)) {
        tables_.damaged("row " + std::to_string(values.integer(0)) + " of table " + Table::name +
                        " is not what the journal says");
      }
      ++next;
    };
    database_.for_each(Table::all_columns, Table::name, check_row);
    if (next != expected.end())
      tables_.damaged(std::string("a row of table ") + Table::name + " is missing");
    check_count(Table::name, static_cast<std::int64_t>(expected.size()));
  }

  void check_count(const std::string& table, std::int64_t expected) {
    const std::int64_t found = database_.number("SELECT count(*) FROM " + table);
    if (found == expected) return;
    tables_.damaged("table " + table + " has " + std::to_string(found) + " rows instead of " +
                    std::to_string(expected));
  }

  Database database_;
  Tables tables_;
  PastTables history_;
  Ledger ledger_;
  MetaRow meta_;
  Verified verified_;
  std::uint64_t holds_ = 0;
  std::uint64_t found_by_rows_ = 0;
  Statement operation_ = database_.prepare("SELECT * FROM operation WHERE ledger_seq = ?");
  Statement hold_ = database_.prepare("SELECT * FROM hold WHERE ledger_seq = ?");
  Statement found_by_ = database_.prepare("SELECT * FROM found_by WHERE ledger_seq = ?");
};

}  // namespace

Verified verify(const std::string& path) {
  const FileLock lock(path, FileLock::Use::read);
  // What a start refuses is not sound.
  require_own_log(path, bank_application_id, bank_schema_version);
  return Verifier(path).run();
}

}  // namespace ledger
