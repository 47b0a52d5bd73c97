#include "atm/database.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

#include <sqlite3.h>

#include "async/check.h"

namespace atm {

namespace {

// Another process reads (an audit): its lock lasts milliseconds.
constexpr int busy_time_ms = 5'000;

int flags_of(Database::Mode mode) {
  switch (mode) {
    case Database::Mode::create:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    case Database::Mode::existing:
      return SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    case Database::Mode::read_only:
      return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
  }
  return 0;
}

DatabaseError::Kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return DatabaseError::Kind::cannot_open;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
      return DatabaseError::Kind::damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return DatabaseError::Kind::in_use;
    default:
      return DatabaseError::Kind::io;
  }
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
  sqlite3_finalize(statement);
}

void Statement::bind(std::span<const Value> values) {
  sqlite3_stmt* const statement = statement_.get();
  sqlite3_reset(statement);
  int index = 0;
  for (const Value& value : values) {
    ++index;
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, index, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      code = sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT,
                                 SQLITE_UTF8);
    } else {
      const std::string& bytes = std::get<Blob>(value).bytes;
      // A null pointer would bind NULL.
      const void* const data = bytes.empty() ? "" : bytes.data();
      code = sqlite3_bind_blob64(statement, index, data, bytes.size(), SQLITE_TRANSIENT);
    }
    if (code != SQLITE_OK) database_->fail(code, "bind a value");
  }
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_->fail(code, "run a statement");
  sqlite3_reset(statement_.get());
  return false;
}

void Statement::run(std::span<const Value> values) {
  bind(values);
  while (step()) {
  }
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

int Statement::columns() const { return sqlite3_column_count(statement_.get()); }

Value Statement::value(int column) const {
  sqlite3_stmt* const statement = statement_.get();
  const int type = sqlite3_column_type(statement, column);
  if (type == SQLITE_INTEGER) return std::int64_t{sqlite3_column_int64(statement, column)};
  const void* const data = sqlite3_column_blob(statement, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  std::string bytes;
  if (data != nullptr) bytes.assign(static_cast<const char*>(data), size);
  if (type == SQLITE_TEXT) return bytes;
  return Blob{std::move(bytes)};
}

Database::Database(std::filesystem::path path, Mode mode) : path_(std::move(path)) {
  const int code = sqlite3_open_v2(path_.c_str(), &handle_, flags_of(mode), nullptr);
  if (code != SQLITE_OK) {
    const std::string why = handle_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(handle_);
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw DatabaseError(DatabaseError::Kind::cannot_open,
                        path_.string() + " cannot be opened: " + why);
  }
  try {
    sqlite3_extended_result_codes(handle_, 1);
    sqlite3_busy_timeout(handle_, busy_time_ms);
    if (mode == Mode::read_only) return;
    execute("PRAGMA journal_mode = WAL");
    execute("PRAGMA synchronous = FULL");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Database::~Database() {
  // Deferred by SQLite until the last statement is gone.
  sqlite3_close_v2(handle_);
}

void Database::ensure_schema(std::int64_t version, const std::string& schema) {
  std::int64_t found = 0;
  {
    Statement statement = prepare("PRAGMA user_version");
    if (statement.step()) found = statement.integer(0);
  }
  if (found == version) return;
  if (found != 0) {
    throw DatabaseError(DatabaseError::Kind::wrong_version,
                        path_.string() + " has schema version " + std::to_string(found) +
                            ", but this program reads version " + std::to_string(version));
  }
  Transaction transaction(*this);
  execute(schema);
  execute("PRAGMA user_version = " + std::to_string(version));
  transaction.commit();
}

Statement Database::prepare(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) fail(code, "prepare \"" + sql + "\"");
  return {*this, statement};
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "execute \"" + sql.substr(0, 60) + "\"");
}

void Database::fail(int code, const std::string& doing) const {
  throw DatabaseError(kind_of(code),
                      path_.string() + ": cannot " + doing + ": " + sqlite3_errmsg(handle_));
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const DatabaseError&) {
    // SQLite has rolled back by itself; the error that brought us here says why.
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

FileLock::FileLock(const std::filesystem::path& path)
    : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) {
    throw DatabaseError(DatabaseError::Kind::cannot_open,
                        path.string() + " cannot be opened: " + std::strerror(errno));
  }
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  ::close(descriptor_);
  throw DatabaseError(DatabaseError::Kind::in_use,
                      path.string() + " is locked: another atmd serves from this folder");
}

FileLock::~FileLock() { ::close(descriptor_); }

}  // namespace atm
