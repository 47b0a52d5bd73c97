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
  epoch_before BLOB NOT NULL,
  is_open INTEGER NOT NULL,
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
    column(row.epoch_before);
    column(row.is_open);
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

// Of the first bytes of a file. Noise is in neither mode.
constexpr std::int64_t header_size = 20;
bool is_in_mode(std::string_view header, char mode) {
  constexpr std::string_view begin("SQLite format 3", 16);
  return header.starts_with(begin) && header[mode_place] == mode && header[mode_place + 1] == mode;
}
constexpr char rollback_mode = 1;
constexpr char log_mode = 2;

bool is_in_rollback_mode(Database& database) {
  return is_in_mode(database.file_bytes(0, header_size), rollback_mode);
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

[[noreturn]] void refuse_without_log(const std::string& file) {
  refuse(file, "its program did not close it, and " + wal_of(file) +
                   " is missing or empty, which has its newest changes. Put that file back beside "
                   "it, under the name that the database had; or restore a backup. Only if another "
                   "program, such as sqlite3, has opened the database since, these changes are in "
                   "it. To go on with what it has: sqlite3 " +
                   file + " 'PRAGMA journal_mode=DELETE'");
}

}  // namespace

void require_own_log(const std::string& file, std::int32_t application, std::int32_t version) {
  require_schema(file, application, version);
  // What is new has no row. A rollback journal is there when its making was cut short.
  if (!has_content(file) || has_content(full_path(file) + "-journal")) return;
  Database whole(file, Database::Access::at_rest);
  if (whole.number("SELECT count(*) FROM sqlite_schema") == 0) return;
  const bool is_whole = is_in_rollback_mode(whole);
  const bool has_log = has_content(wal_of(file));
  if (is_whole && has_log) refuse_log(file);
  const LogRow row = read_log_row(whole);
  if (!has_log) {
    if (row.is_open && !is_whole) refuse_without_log(file);
    return;
  }
  const std::optional<LogRow> without = read_without_log(file);
  if (!without) return;
  if (without->epoch != row.epoch && without->epoch != row.epoch_before) refuse_log(file);
}

void close_if_whole(Database& database) {
  if (database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'log'") == 0) return;
  if (!is_in_rollback_mode(database)) return;
  LogRow row = read_log_row(database);
  if (!row.is_open) return;
  row.is_open = false;
  Statement write = database.prepare(LogTable::write);
  write_row<LogTable>(write, row);
}

OwnLog::OwnLog(Database& database, bool is_new)
    : database_(database),
      page_size_(database.number("PRAGMA page_size")),
      write_(database, LogTable::write) {
  if (is_new) {
    row_.epoch = row_.epoch_before = draw_epoch();
    write_row<LogTable>(write_, row_);
  } else {
    row_ = read_log_row(database);
  }
  // One row is all that this page ever has.
  const std::int64_t page =
      database.number("SELECT rootpage FROM sqlite_schema WHERE name = 'log'");
  page_begin_ = (page - 1) * page_size_;
}

void OwnLog::begin() {
  is_in_file_ = true;
  row_.epoch_before = row_.epoch;
  row_.epoch = draw_epoch();
  write_row<LogTable>(write_, row_);
}

void OwnLog::set_open(bool is_open) {
  row_.is_open = is_open;
  write_row<LogTable>(write_, row_);
}

// The file has this log's row or the one before it. Both name the epoch before this log, and no older row does.
bool OwnLog::is_beside() const {
  if (!is_in_file_) return true;
  return is_in_mode(database_.file_bytes(0, header_size), log_mode) &&
         database_.file_bytes(page_begin_, page_size_).contains(row_.epoch_before.view());
}

}  // namespace ledger
