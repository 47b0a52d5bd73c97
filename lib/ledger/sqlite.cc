#include "ledger/sqlite.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include <sqlite3.h>

#include "ledger/check.h"
#include "ledger/joined_files.h"
#include "ledger/own_log.h"
#include "ledger/private_index.h"

namespace ledger {
namespace {

using Kind = StorageError::Kind;

// A name under which SQLite believes that the file never changes: it locks nothing, and looks for no WAL.
std::string immutable_name(const std::string& path) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string name = "file:";
  for (const char letter : full_path(path)) {
    const auto code = static_cast<unsigned char>(letter);
    const bool is_plain = std::isalnum(code) != 0 || letter == '/';
    if (is_plain) name += letter;
    if (!is_plain) name += {'%', digits[code >> 4U], digits[code & 15U]};
  }
  return name + "?immutable=1";
}

// SQLite's statistics of memory take a lock at each allocation, and nobody asks for them. Where SQLite was used before us they stay.
void leave_statistics() {
  [[maybe_unused]] static const int result = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

Database::Database(std::string path, Access access) : path_(std::move(path)) {
  leave_statistics();
  writes_ = access == Access::read_write || access == Access::exclusive;
  require_place(path_, writes_);
  wal_path_ = wal_of(path_);
  const bool has_wal = has_content(wal_path_);
  const bool ignores_wal = access == Access::without_wal || (access == Access::at_rest && !has_wal);
  const std::string name = ignores_wal ? immutable_name(path_) : full_path(path_);
  const int flags = (writes_ ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) |
                    (ignores_wal ? SQLITE_OPEN_URI : 0) | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(name.c_str(), &handle_, flags, nullptr);
  try {
    if (result != SQLITE_OK) fail(result);
    identity_ = identity_of(path_);
    if (access == Access::at_rest && has_wal) {
      sqlite3_file* const database = file(SQLITE_FCNTL_FILE_POINTER);
      check(database != nullptr);
      index_ = std::make_unique<PrivateIndex>(*database);
    }
    set_pragmas(access);
    define_visit();
    if (has_wal) wal_identity_ = identity_of(wal_path_);
  } catch (...) {
    // A constructor that throws has no destructor to do this.
    leave_files();
    sqlite3_close(handle_);
    throw;
  }
}

Database::~Database() {
  const bool is_whole = !has_failed_ && (log_ == nullptr || end_run());
  if (!is_whole) leave_files();
  log_.reset();
  begin_.reset();
  begin_view_.reset();
  commit_.reset();
  check(sqlite3_close(handle_) == SQLITE_OK, "a statement is still open");
}

// The next start finds file and WAL as a crash would have left them.
void Database::leave_files() {
  if (handle_ == nullptr) return;
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void Database::set_pragmas(Access access) {
  sqlite3_busy_timeout(handle_, 2000);
  execute("PRAGMA mmap_size=0; PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF");
  if (access != Access::read_write && access != Access::exclusive) {
    leave_files();
    execute("PRAGMA query_only=ON");
    return;
  }
  // Before the first access: then there is no index in shared memory at all.
  if (access == Access::exclusive) execute("PRAGMA locking_mode=EXCLUSIVE");
  close_if_whole(*this);
  execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0");
  set_page_cache(page_cache_kibibytes);
  const auto count_pages = [](void* database, sqlite3*, const char*, int pages) {
    Database& that = *static_cast<Database*>(database);
    that.wal_pages_ = pages;
    if (sqlite3_file* const wal = that.wal()) that.log_end_.committed(*wal, pages);
    return SQLITE_OK;
  };
  sqlite3_wal_hook(handle_, count_pages, this);
}

void Database::fail(int result) const {
  has_failed_ = true;
  const int primary = result & 0xff;
  const bool known = handle_ != nullptr && sqlite3_errcode(handle_) != SQLITE_OK;
  const std::string why = known ? sqlite3_errmsg(handle_) : sqlite3_errstr(result);
  // All that is asked is fixed: SQL that fails asks for a table that was there.
  const bool is_damaged = primary == SQLITE_CORRUPT ||
                          (is_in_use_ && (primary == SQLITE_NOTADB || primary == SQLITE_ERROR));
  if (is_damaged) throw StorageError(Kind::bad_data, path_ + " is damaged: " + why);
  if (is_in_use_)
    throw StorageError(Kind::io,
                       "cannot read or write " + path_ + ": " + why + advice_on_room(path_));
  switch (primary) {
    case SQLITE_NOTADB:
      throw StorageError(Kind::cannot_create, "cannot open " + path_ + ": it is not a database");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw StorageError(Kind::cannot_create, "cannot open " + path_ + ": " + why);
    default:
      throw StorageError(Kind::io,
                         "cannot read or write " + path_ + ": " + why + advice_on_room(path_));
  }
}

void Database::fail_as_not_ours(const std::string& what) {
  has_failed_ = true;
  throw StorageError(Kind::io, "cannot write " + path_ + ": " + what);
}

void Database::fail_to_read(const std::string& file, int result) const {
  has_failed_ = true;
  throw StorageError(Kind::io, "cannot read " + file + ": " + sqlite3_errstr(result));
}

void Database::require_in_place() {
  const auto fail_as_moved = [this](const std::string& file) {
    fail_as_not_ours("somebody has moved, removed or replaced " + file + " while it was in use");
  };
  const std::optional<FileState> now = state_of(path_);
  if (!now || now->identity != identity_) fail_as_moved(path_);
  const std::optional<FileIdentity> wal = identity_of(wal_path_);
  if (!wal_identity_) wal_identity_ = wal;
  if (!wal || wal != wal_identity_) fail_as_moved(wal_path_);
  require_log();
  if (now->changed_at == ours_since_) return;
  if (log_ && !log_->is_beside()) {
    fail_as_not_ours("something was written over it while it was in use. Move it and " + wal_path_ +
                     " away, and restore a backup");
  }
  if (now->shows_writes_after(std::chrono::system_clock::now())) ours_since_ = now->changed_at;
}

void Database::require_log() {
  sqlite3_file* const wal = this->wal();
  if (wal == nullptr || log_end_.is_there(*wal)) return;
  if (log_end_.failure() != SQLITE_OK) fail_to_read(wal_path_, log_end_.failure());
  fail_as_not_ours("something was written over " + wal_path_ +
                   ", or cut off it, while it was in use. Its newest changes may be lost: put that "
                   "file back if you can, and verify the database before you start it again");
}

void Database::execute(const char* sql) {
  const int result = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) fail(result);
}

Statement Database::prepare(std::string_view sql) { return Statement(*this, sql); }
Statement Database::prepare_later(std::string_view sql) {
  return Statement(*this, sql, Statement::When::later);
}

std::int64_t Database::number(std::string_view sql) {
  Statement statement(*this, sql);
  check(statement.step());
  return statement.integer(0);
}

// What for_each gives its rows to, and what that has thrown: it must not pass through SQLite.
struct Database::Visit {
  const std::function<void(const RowValues&)>& row;
  std::exception_ptr thrown;
};

// An aggregate that is told every row, and whose sum is nothing.
void Database::define_visit() {
  const auto step = [](sqlite3_context* context, int, sqlite3_value** values) {
    Visit& visit = *static_cast<Database*>(sqlite3_user_data(context))->visit_;
    try {
      visit.row(RowValues(values));
    } catch (...) {
      visit.thrown = std::current_exception();
      sqlite3_result_error_code(context, SQLITE_ABORT);
    }
  };
  const auto finish = [](sqlite3_context*) {};
  const int result = sqlite3_create_function_v2(
      handle_, "visit", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, this, nullptr, step, finish, nullptr);
  if (result != SQLITE_OK) fail(result);
}

void Database::for_each(std::string_view columns, std::string_view table,
                        const std::function<void(const RowValues&)>& row) {
  Visit visit{.row = row, .thrown = nullptr};
  visit_ = &visit;
  // Not by an index, so in the order of the key.
  const std::string sql =
      "SELECT visit(" + std::string(columns) + ") FROM " + std::string(table) + " NOT INDEXED";
  try {
    number(sql);
  } catch (const StorageError&) {
    if (visit.thrown) std::rethrow_exception(visit.thrown);
    throw;
  }
}

void Database::open_schema(std::int32_t application, std::int32_t version, const char* create) {
  const std::int64_t found_version = number("PRAGMA user_version");
  const std::int64_t found_application = number("PRAGMA application_id");
  const bool is_new = found_version == 0 && found_application == 0 &&
                      number("SELECT count(*) FROM sqlite_schema") == 0;
  if (is_new && create == nullptr) {
    throw StorageError(Kind::cannot_create, "cannot open " + path_ + ": it is empty");
  }
  if (is_new) {
    Transaction transaction(*this);
    execute(create);
    execute(create_log_table);
    execute(("PRAGMA application_id=" + std::to_string(application)).c_str());
    execute(("PRAGMA user_version=" + std::to_string(version)).c_str());
    log_ = std::make_unique<OwnLog>(*this, true);
    transaction.commit();
  }
  if (!is_new && found_application != application) {
    throw StorageError(Kind::cannot_create,
                       "cannot open " + path_ + ": it is another program's database");
  }
  if (!is_new && found_version != version) {
    throw StorageError(Kind::other_schema,
                       "cannot open " + path_ + ": its schema " + std::to_string(found_version) +
                           " is " + (found_version > version ? "newer" : "older") +
                           " than this program's " + std::to_string(version) +
                           ", the only one it reads: use the version that wrote it");
  }
  set_in_use();
  if (!writes_) return;
  if (!log_) log_ = std::make_unique<OwnLog>(*this, false);
  // A file that was closed, and that nothing is written to, has everything.
  if (is_new || has_content(wal_path_)) before_write();
}

void Database::before_write() {
  require_log();
  has_written_ = true;
  if (!needs_log_) checkpoint();
}

bool Database::end_run() {
  try {
    // The last row, which needs no log, is moved when everything else was.
    return !has_written_ || (checkpoint() && move_pages());
  } catch (const StorageError&) {
    return false;
  }
}

void Database::set_durable(bool durable) {
  execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
}

bool Database::checkpoint() {
  if (!log_) return move_pages();
  require_in_place();
  // A checkpoint syncs the WAL before it moves anything.
  set_durable(false);
  log_->before_checkpoint();
  set_durable(true);
  const bool all = move_pages();
  needs_log_ = needs_log_ || all;
  set_durable(false);
  log_->after_checkpoint(all);
  set_durable(true);
  return all;
}

bool Database::move_pages() {
  int pages = 0;
  int moved = 0;
  const int result =
      sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  if (result != SQLITE_OK && result != SQLITE_BUSY) fail(result);
  if (database_file_ != nullptr && database_file_->checkpoint_result() != SQLITE_OK) {
    fail(database_file_->checkpoint_result());
  }
  if (result != SQLITE_OK || pages != moved) return false;
  wal_pages_ = 0;
  return true;
}

void Database::set_page_cache(int kibibytes) {
  execute(("PRAGMA cache_size=-" + std::to_string(kibibytes)).c_str());
}

sqlite3_file* Database::file(int which) {
  sqlite3_file* file = nullptr;
  const int found = sqlite3_file_control(handle_, "main", which, static_cast<void*>(&file));
  return found == SQLITE_OK && file != nullptr && file->pMethods != nullptr ? file : nullptr;
}

std::string Database::file_bytes(std::int64_t begin, std::int64_t size) {
  sqlite3_file* const database = file(SQLITE_FCNTL_FILE_POINTER);
  check(database != nullptr);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  const int result =
      database->pMethods->xRead(database, bytes.data(), static_cast<int>(size), begin);
  if (result == SQLITE_OK || result == SQLITE_IOERR_SHORT_READ) return bytes;
  fail_to_read(path_, result);
}

sqlite3_file* Database::wal() { return file(SQLITE_FCNTL_JOURNAL_POINTER); }

void Database::join_writes() {
  sqlite3_file* const wal = this->wal();
  sqlite3_file* const database = file(SQLITE_FCNTL_FILE_POINTER);
  check(wal != nullptr && database != nullptr && wal_file_ == nullptr);
  wal_file_ = std::make_unique<WalFile>(*wal);
  database_file_ = std::make_unique<DatabaseFile>(*database);
}

// The connection may be in use, so it is not asked what went wrong.
void Database::sync(sqlite3_file* wal) const {
  const int result = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (result == SQLITE_OK) return;
  has_failed_ = true;
  throw StorageError(
      Kind::io, "cannot write " + path_ + ": " + sqlite3_errstr(result) + advice_on_room(path_));
}

bool Database::lengthen_wal(std::int64_t wanted) {
  // SQLite writes no more than 128 KiB at a time.
  static const std::array<char, 64 * 1024> zeros{};
  constexpr int writes_a_piece = 8;
  sqlite3_file* const wal = this->wal();
  if (wal == nullptr) return false;
  require_log();
  sqlite3_int64 size = 0;
  int result = wal->pMethods->xFileSize(wal, &size);
  if (result == SQLITE_OK && size >= wanted) return false;
  // Zeros behind the last frame are no frame: SQLite overwrites them, and after a crash it reads no further.
  for (int count = 0; count < writes_a_piece && size < wanted && result == SQLITE_OK; ++count) {
    const auto bytes = std::min<std::int64_t>(zeros.size(), wanted - size);
    result = wal->pMethods->xWrite(wal, zeros.data(), static_cast<int>(bytes), size);
    size += bytes;
  }
  if (result == SQLITE_OK) result = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  if (result != SQLITE_OK) fail(result);
  return true;
}

Statement::Statement(Database& database, std::string_view sql, When when)
    : database_(&database), sql_(sql) {
  if (when == When::now) prepared();
}

sqlite3_stmt* Statement::prepared() {
  if (statement_ != nullptr) return statement_;
  const int result =
      sqlite3_prepare_v3(database_->handle_, sql_.data(), static_cast<int>(sql_.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (result != SQLITE_OK) database_->fail(result);
  return statement_;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(prepared(), parameter, value) == SQLITE_OK);
}

void Statement::bind_text(int parameter, std::string_view value) {
  const char* const data = value.empty() ? "" : value.data();
  check(sqlite3_bind_text(prepared(), parameter, data, static_cast<int>(value.size()),
                          SQLITE_STATIC) == SQLITE_OK);
}

void Statement::bind_blob(int parameter, std::string_view value) {
  const char* const data = value.empty() ? "" : value.data();
  check(sqlite3_bind_blob(prepared(), parameter, data, static_cast<int>(value.size()),
                          SQLITE_STATIC) == SQLITE_OK);
}

void Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(prepared(), parameter) == SQLITE_OK);
}

bool Statement::step() {
  const int result = sqlite3_step(prepared());
  if (result == SQLITE_ROW) return true;
  if (result != SQLITE_DONE) {
    // The message is read before the reset forgets it.
    try {
      database_->fail(result);
    } catch (...) {
      reset();
      throw;
    }
  }
  reset();
  return false;
}

void Statement::run() { check(!step(), "a statement gave rows that nobody reads"); }

void Statement::reset() { sqlite3_reset(statement_); }

namespace {

std::string_view view(const void* data, int size) {
  return data == nullptr
             ? std::string_view()
             : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

}  // namespace

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::text(int column) const {
  const void* const data = sqlite3_column_text(statement_, column);
  return view(data, sqlite3_column_bytes(statement_, column));
}

std::string_view Statement::blob(int column) const {
  const void* const data = sqlite3_column_blob(statement_, column);
  return view(data, sqlite3_column_bytes(statement_, column));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t RowValues::integer(int column) const { return sqlite3_value_int64(values_[column]); }

std::string_view RowValues::text(int column) const {
  const void* const data = sqlite3_value_text(values_[column]);
  return view(data, sqlite3_value_bytes(values_[column]));
}

std::string_view RowValues::blob(int column) const {
  const void* const data = sqlite3_value_blob(values_[column]);
  return view(data, sqlite3_value_bytes(values_[column]));
}

bool RowValues::is_null(int column) const {
  return sqlite3_value_type(values_[column]) == SQLITE_NULL;
}

Statement& Database::kept(std::unique_ptr<Statement>& statement, std::string_view sql) {
  if (!statement) statement = std::make_unique<Statement>(*this, sql);
  return *statement;
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.before_write();
  database_.kept(database_.begin_, "BEGIN IMMEDIATE").run();
}

Transaction::~Transaction() {
  // SQLite may have rolled back by itself, so the result says nothing.
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

void Transaction::commit() {
  database_.kept(database_.commit_, "COMMIT").run();
  open_ = false;
}

View::View(Database& database) : database_(database) {
  database_.kept(database_.begin_view_, "BEGIN").run();
}

View::~View() {
  // Nothing was written that could fail to be.
  sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

}  // namespace ledger
