#include "ledger/own_log.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include <sodium.h>

#include "ledger/row.h"

namespace ledger {

const char* const create_log_table = R"(
CREATE TABLE log (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  epoch BLOB NOT NULL,
  file_epoch BLOB NOT NULL,
  needs_log INTEGER NOT NULL,
  row_check INTEGER NOT NULL
) STRICT;
)";

// Found by the row frame through their argument, so in no unnamed namespace.
static void write_column(RowWriter& column, const Epoch& value) { column.blob(value.view()); }
static void read_column(auto& column, Epoch& value) {
  const std::string_view stored = column.unchecked_blob();
  if (stored.size() == value.bytes.size()) std::ranges::copy(stored, value.bytes.begin());
  column.add_to_checksum(value.view());
}

namespace {

struct LogTable {
  static constexpr const char* name = "log";
  static constexpr std::string_view write = "INSERT OR REPLACE INTO log VALUES (?,?,?,?,?)";
  static constexpr std::string_view read = "SELECT * FROM log";
  static void columns(auto& column, auto& row) {
    column(row.one);
    column(row.epoch);
    column(row.file_epoch);
    column(row.needs_log);
  }
};

Epoch draw_epoch() {
  Epoch drawn;
  randombytes_buf(drawn.bytes.data(), drawn.bytes.size());
  return drawn;
}

LogRow read_log_row(Database& database) {
  Statement read = database.prepare(LogTable::read);
  const Rows rows(read);
  if (!read.step()) {
    throw StorageError(StorageError::Kind::bad_data,
                       database.path() + " is damaged: the row of table log is missing");
  }
  return read_row<LogTable, LogRow>(read, database.path());
}

// A checkpoint that was cut short may have left it unreadable without its log.
std::optional<LogRow> read_without_log(const std::string& file) {
  try {
    Database database(file, Database::Access::without_wal);
    return read_log_row(database);
  } catch (const StorageError&) {
    return std::nullopt;
  }
}

enum class Mode {
  none,  // It is noise.
  rollback,
  log,
  unknown,  // SQLite may read it, and writes nothing to it.
};

Mode mode_of(Database& database) {
  using namespace std::string_view_literals;
  constexpr std::string_view begin = "SQLite format 3\0"sv;
  const std::string header = database.file_bytes(0, mode_place + 2);
  if (!header.starts_with(begin)) return Mode::none;
  const std::string_view mode = std::string_view(header).substr(mode_place);
  if (mode == "\1\1"sv) return Mode::rollback;
  return mode == "\2\2"sv ? Mode::log : Mode::unknown;
}

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw StorageError(StorageError::Kind::bad_data, "cannot open " + file + ": " + why);
}

[[noreturn]] void refuse_log(const std::string& file) {
  refuse(file, wal_of(file) +
                   " holds changes of another database, as when a backup was copied over one whose "
                   "program had crashed. Put the database's own file back to keep these changes; "
                   "or move that file away to go on without them");
}

// For a shell.
std::string quoted(const std::string& file) {
  std::string quoted = "'";
  for (const char letter : file) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

[[noreturn]] void refuse_without_log(const std::string& file) {
  refuse(file, "its program did not close it, and " + wal_of(file) +
                   " is missing or empty. Its newest changes may be in that file alone: put it "
                   "back beside the database, under the name that the database had; or restore a "
                   "backup. To go on with what the database has without it: sqlite3 " +
                   quoted(file) + " 'PRAGMA journal_mode=DELETE', and then verify or audit it");
}

}  // namespace

void require_own_log(const std::string& file, std::int32_t application, std::int32_t version) {
  if (!has_content(file)) return;  // It is new.
  const bool has_log = has_content(wal_of(file));
  const std::string journal = full_path(file) + "-journal";
  Database whole(file, Database::Access::at_rest);
  // Of a making that was cut short, before there was a log. SQLite must see to that first.
  if (has_content(journal)) {
    if (mode_of(whole) != Mode::log) return;
    if (has_log) refuse(file, journal + " lies beside it and is not its own; move that away");
  }
  if (whole.number("SELECT count(*) FROM sqlite_schema") == 0) return;
  whole.open_schema(application, version, nullptr);
  const Mode mode = mode_of(whole);
  if (mode == Mode::unknown) {
    throw StorageError(StorageError::Kind::bad_data,
                       file + " is damaged: its header names no mode that SQLite writes");
  }
  const bool is_whole = mode == Mode::rollback;
  if (is_whole && has_log) refuse_log(file);
  const LogRow row = read_log_row(whole);
  if (!has_log) {
    if (row.needs_log && !is_whole) refuse_without_log(file);
    return;
  }
  const std::optional<LogRow> without = read_without_log(file);
  if (!without) return;
  if (without->epoch != row.file_epoch && without->file_epoch != row.file_epoch) refuse_log(file);
}

void close_if_whole(Database& database) {
  if (database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'log'") == 0) return;
  if (mode_of(database) != Mode::rollback) return;
  LogRow row = read_log_row(database);
  if (!row.needs_log) return;
  row.needs_log = false;
  Statement write = database.prepare(LogTable::write);
  write_row<LogTable>(write, row);
}

OwnLog::OwnLog(Database& database, bool is_new)
    : database_(database),
      page_size_(database.number("PRAGMA page_size")),
      write_(database, LogTable::write) {
  if (is_new) {
    row_.epoch = row_.file_epoch = draw_epoch();
    write_row<LogTable>(write_, row_);
  } else {
    row_ = read_log_row(database);
  }
  // One row is all that this page ever has.
  const std::int64_t page =
      database.number("SELECT rootpage FROM sqlite_schema WHERE name = 'log'");
  page_begin_ = (page - 1) * page_size_;
}

void OwnLog::before_checkpoint() {
  row_.epoch = draw_epoch();
  row_.needs_log = true;
  write_row<LogTable>(write_, row_);
}

void OwnLog::after_checkpoint(bool all) {
  is_in_file_ = is_in_file_ || all;
  if (all) row_.file_epoch = row_.epoch;
  row_.needs_log = false;
  write_row<LogTable>(write_, row_);
}

// The file has a row of this log, or the one from before it. Both have the epoch of the file, and no older row has.
bool OwnLog::is_beside() const {
  if (!is_in_file_) return true;
  return mode_of(database_) == Mode::log &&
         database_.file_bytes(page_begin_, page_size_).contains(row_.file_epoch.view());
}

}  // namespace ledger
