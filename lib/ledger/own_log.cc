#include "ledger/own_log.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

constexpr std::size_t number_size = 8;

Epoch draw_epoch(std::uint64_t number) {
  Epoch drawn;
  for (std::size_t at = number_size; at-- > 0; number >>= 8U) {
    drawn.bytes[at] = static_cast<char>(number);
  }
  randombytes_buf(drawn.bytes.data() + number_size, drawn.bytes.size() - number_size);
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

[[noreturn]] void refuse_old_log(const std::string& file) {
  refuse(file, wal_of(file) +
                   " is older than it, as when the two were copied one after the other while their "
                   "program ran. Put the log of the same time beside it, or restore a backup");
}

// For a shell.
std::string quoted(const std::string& file) {
  std::string quoted = "'";
  for (const char letter : file) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

[[noreturn]] void refuse_without_log(const std::string& file) {
  refuse(
      file,
      "its program did not close it, and " + wal_of(file) +
          " is missing or empty. Its newest changes may be in that file alone: put it "
          "back beside the database, under the name that the database had; or restore a "
          "backup. To go on with what the database has without it, as when sqlite3 has opened it "
          "since and put the log into it: sqlite3 " +
          quoted(file) + " 'PRAGMA journal_mode=DELETE', and then verify or audit it");
}

// SQLite takes back with a rollback journal what it has not finished, and cuts the file to the size that it had before.
// https://sqlite.org/fileformat2.html#the_rollback_journal
class RollbackJournal {
 public:
  RollbackJournal(const std::string& path, const std::string& file) : file_(file) {
    std::ifstream in(path, std::ios::binary);
    begin_.resize(begin_size);
    in.read(begin_.data(), static_cast<std::streamsize>(begin_size));
    begin_.resize(static_cast<std::size_t>(in.gcount()));
    std::error_code ignored;
    size_ = std::filesystem::file_size(path, ignored);
  }

  // We write with one only to make a file, and to one that keeps its size.
  bool is_of_size() const {
    if (!is_begun()) return true;
    std::error_code ignored;
    const std::uintmax_t size = std::filesystem::file_size(file_, ignored);
    const std::uintmax_t pages = number(16);
    return pages == 0 ? size <= page_size : size == pages * page_size;
  }

  // A file that has its log already is taken back to the mode before, and to nothing else: to its first page, but for the mode, the
  // number of the change and the version of SQLite.
  bool takes_back_the_mode_alone() const {
    if (!is_begun()) return true;
    const std::uintmax_t record = number(20);
    if (size_ <= record) return true;
    if (size_ != record + page_size + 8 || size_ > begin_.size()) return false;
    std::string first(page_size, '\0');
    std::ifstream(file_, std::ios::binary).read(first.data(), page_size);
    std::string before = begin_.substr(record + 4, page_size);
    for (const auto& [place, size] : {std::pair(18U, 2U), {24U, 4U}, {92U, 8U}}) {
      before.replace(place, size, first, place, size);
    }
    return number(record) == 1 && before == first;
  }

 private:
  static constexpr std::size_t page_size = 4096;
  // A header takes a sector, of at most 64 KiB; then comes a page, between its number and a checksum.
  static constexpr std::size_t begin_size = 65536 + page_size + 8;

  // SQLite does nothing with one that was not begun, and with none of another kind.
  bool is_begun() const {
    using namespace std::string_view_literals;
    return begin_.size() >= 28 && begin_.starts_with("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"sv);
  }
  std::uintmax_t number(std::size_t place) const {
    std::uintmax_t number = 0;
    for (const char byte : begin_.substr(place, 4)) {
      number = (number << 8U) | static_cast<unsigned char>(byte);
    }
    return number;
  }

  std::string file_;
  std::string begin_;
  std::uintmax_t size_ = 0;
};

[[noreturn]] void refuse_journal(const std::string& file, const std::string& journal) {
  refuse(file, journal +
                   " is another file's, or of a change by another program that was cut short. Move "
                   "that away; or, if sqlite3 was changing this file, let it open the file once");
}

}  // namespace

void require_own_log(const std::string& file, std::int32_t application, std::int32_t version) {
  if (!has_content(file)) return;  // It is new.
  const bool has_log = has_content(wal_of(file));
  const std::string journal = full_path(file) + "-journal";
  Database whole(file, Database::Access::at_rest);
  if (has_content(journal)) {
    if (has_log) refuse(file, journal + " lies beside it and is not its own; move that away");
    const RollbackJournal rollback(journal, file);
    if (!rollback.is_of_size()) refuse_journal(file, journal);
    // Of a making that was cut short, before there was a log. SQLite must see to that first.
    if (mode_of(whole) != Mode::log) return;
    if (!rollback.takes_back_the_mode_alone()) refuse_journal(file, journal);
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
  if (without->epoch.number() > row.epoch.number()) refuse_old_log(file);
}

std::uint64_t Epoch::number() const {
  std::uint64_t number = 0;
  for (const char byte : view().substr(0, number_size)) {
    number = (number << 8U) | static_cast<unsigned char>(byte);
  }
  return number;
}

namespace {

std::int64_t page_size_of(Database& database) { return database.number("PRAGMA page_size"); }

// One row is all that this page ever has.
std::int64_t page_begin_in(Database& database) {
  const std::int64_t page =
      database.number("SELECT rootpage FROM sqlite_schema WHERE name = 'log'");
  return (page - 1) * page_size_of(database);
}

// The file has a row of this log, or the one from before it. Both have the epoch of the file, and no older row has.
bool has_row_of_log(Database& database, std::int64_t page_begin, std::int64_t page_size,
                    const LogRow& row) {
  if (mode_of(database) != Mode::log) return false;
  // A leaf of a table says behind a header of 8 bytes where its only row begins. https://sqlite.org/fileformat2.html#b_tree_pages
  const std::string page = database.file_bytes(page_begin, page_size);
  const std::size_t high = static_cast<unsigned char>(page[8]);
  const std::size_t low = static_cast<unsigned char>(page[9]);
  const std::size_t begin = std::min(high << 8U | low, page.size());
  return std::string_view(page).substr(begin).contains(row.file_epoch.view());
}

}  // namespace

bool is_beside_its_log(Database& database) {
  return has_row_of_log(database, page_begin_in(database), page_size_of(database),
                        read_log_row(database));
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
      page_begin_(page_begin_in(database)),
      page_size_(page_size_of(database)),
      write_(database, LogTable::write) {
  if (is_new) {
    row_.epoch = row_.file_epoch = draw_epoch(1);
    write_row<LogTable>(write_, row_);
  } else {
    row_ = read_log_row(database);
  }
  is_in_file_ = has_row_of_log(database_, page_begin_, page_size_, row_);
}

void OwnLog::before_checkpoint() {
  row_.epoch = draw_epoch(row_.epoch.number() + 1);
  row_.needs_log = true;
  write_row<LogTable>(write_, row_);
}

void OwnLog::after_checkpoint(bool all) {
  is_in_file_ = is_in_file_ || all;
  if (all) row_.file_epoch = row_.epoch;
  row_.needs_log = false;
  write_row<LogTable>(write_, row_);
}

bool OwnLog::is_beside() const {
  return !is_in_file_ || has_row_of_log(database_, page_begin_, page_size_, row_);
}

}  // namespace ledger
