#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "ledger/file_lock.h"
#include "ledger/log_end.h"
#include "ledger/storage_error.h"

struct sqlite3;
struct sqlite3_file;
struct sqlite3_stmt;
struct sqlite3_value;

// SQLite for journals: the bank's, and an ATM's. Everything here throws StorageError with one sentence that names the file.
namespace ledger {

// Of the connection that writes: the upper pages of every table and index that grows stay in memory.
inline constexpr int page_cache_kibibytes = 4 * 1024;

class Statement;
class DatabaseFile;
class OwnLog;
class PrivateIndex;
class WalFile;

// The columns of a row that is given to a function. They count from 0; views are valid during the call.
class RowValues {
 public:
  explicit RowValues(sqlite3_value** values) : values_(values) {}

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3_value** values_;
};

// One connection. One thread at a time.
class Database {
 public:
  enum class Access {
    // The one connection that writes. Makes the file if there is none. WAL, synchronous=FULL, no mmap, no checkpoints but those
    // asked for: only this connection ever writes the WAL or checkpoints it.
    read_write,
    // As read_write, and no other connection may be open meanwhile: locks and the WAL's index stay in this process.
    exclusive,
    // Reads beside the one that writes. Never writes, never checkpoints.
    read_only,
    // Reads what nobody writes meanwhile, with its WAL. Makes and changes no file, so nothing has to be writable.
    at_rest,
    // As at_rest, but what only the WAL has is not seen.
    without_wal,
  };

  // Throws cannot_create when the file cannot be opened or made, or is no database; no_input when it is only to be read and not
  // there.
  Database(std::string path, Access access);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Statements without results, several at once.
  void execute(const char* sql);
  Statement prepare(std::string_view sql);
  // Prepared at its first use, for what a start does not need. `sql` is a literal.
  Statement prepare_later(std::string_view sql);
  // The one number that a pragma or a query gives.
  std::int64_t number(std::string_view sql);

  // Passes each row of a table to a function, in the order of its key: these columns of it, with commas. A statement that is stepped
  // takes several calls a column.
  void for_each(std::string_view columns, std::string_view table,
                const std::function<void(const RowValues&)>& row);

  // Checks whose file this is and of which form: `application` is a number of the program's own, `version` the schema that it reads
  // and writes. A new file gets both, and `create` is run in the same transaction. Throws other_schema when the file is older or
  // newer, which is left as it is, or cannot_create when it is another program's, or empty and `create` is null.
  // What is opened to write needs its WAL from the first change on, and is whole without it when the connection has ended well
  // (own_log.h).
  void open_schema(std::int32_t application, std::int32_t version, const char* create);
  // From now on it is in use: whatever fails is a read or a write that failed, and not the operator's mistake. After open_schema it is.
  void set_in_use() { is_in_use_ = true; }
  // Throws if the file or its WAL is not under its name any more, or something was written over one of them: what was written would
  // be lost, or mixed with another's. To be called when a change is written, before anybody is told.
  void require_in_place();
  // The same of the WAL's end alone: what is written behind a gap would hide that something is missing. To be called before a change
  // is written without a Transaction, which does it. Before the first, it has the file say that it needs its WAL; again before the next
  // where a reader kept it from that.
  void before_write();

  // What the file has there without its WAL; zeros behind its end.
  std::string file_bytes(std::int64_t begin, std::int64_t size);

  // False: commits wait for nothing until it is true again; a power cut takes back the newest of them, never half of one, and a
  // later durable commit makes them durable too.
  void set_durable(bool durable);
  // Moves what the WAL holds into the database, as far as no reader needs it. When that is all of it, and no reader looks into the
  // WAL, the next commit begins it anew. Throws what require_in_place does. False: something was left, or may have been.
  bool checkpoint();
  // How much of the file it keeps in memory at most.
  void set_page_cache(int kibibytes);
  // The file of the WAL, for as long as this connection lives. Null: there is none yet.
  sqlite3_file* wal();
  // From now on the frames of a commit are one write, and a checkpoint reads and writes many pages at once. There is a WAL, and this
  // connection writes it.
  void join_writes();
  // Makes durable what was committed to the WAL while commits were not; a durable commit came before. Any thread, also while another
  // uses this connection.
  void sync(sqlite3_file* wal) const;
  // Makes the WAL's file a piece longer, until it has this many bytes. True: it was not that long yet.
  bool lengthen_wal(std::int64_t wanted);
  // What the WAL holds. After a checkpoint that moved everything it is one page, which is nobody's change (own_log.h).
  std::int64_t wal_pages() const { return wal_pages_; }

  const std::string& path() const { return path_; }
  sqlite3* handle() const { return handle_; }
  // Throws what the result of a call to SQLite means.
  [[noreturn]] void fail(int result) const;

 private:
  friend class Statement;
  friend class Transaction;
  friend class View;
  struct Visit;

  void require_log();
  sqlite3_file* file(int which);
  bool move_pages();
  // False: what was committed is not all in the file.
  bool end_run();
  // When the connection ends it moves nothing into the file, and removes no WAL.
  void leave_files();
  void set_pragmas(Access access);
  void define_visit();
  [[noreturn]] void fail_as_not_ours(const std::string& what);
  [[noreturn]] void fail_to_read(const std::string& file, int result) const;
  // Prepared at its first use: every commit needs it.
  Statement& kept(std::unique_ptr<Statement>& statement, std::string_view sql);

  std::string path_;
  sqlite3* handle_ = nullptr;
  bool writes_ = false;
  bool is_in_use_ = false;
  // What the files are like is for the next start to see.
  mutable std::atomic<bool> has_failed_ = false;
  std::int64_t wal_pages_ = 0;
  std::string wal_path_;
  std::optional<FileIdentity> identity_;
  std::int64_t ours_since_ = 0;  // The file's ctime when it was seen to be ours; 0: it was not.
  std::optional<FileIdentity> wal_identity_;  // Not known before it is written.
  LogEnd log_end_;
  std::unique_ptr<WalFile> wal_file_;
  std::unique_ptr<DatabaseFile> database_file_;
  std::unique_ptr<PrivateIndex> index_;
  Visit* visit_ = nullptr;  // While for_each runs.
  std::unique_ptr<Statement> begin_;
  std::unique_ptr<Statement> begin_view_;
  std::unique_ptr<Statement> commit_;
  std::unique_ptr<OwnLog> log_;  // Of a connection that writes, from open_schema on.
  bool has_written_ = false;     // Or found a WAL.
  bool needs_log_ = false;       // And the file says so.
};

// A prepared statement, used again and again: bind, step, read, reset. Move-only; dies before its connection.
class Statement {
 public:
  enum class When { now, later };
  Statement(Database& database, std::string_view sql, When when = When::now);
  Statement(Statement&& other) noexcept
      : database_(other.database_),
        sql_(other.sql_),
        statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  // Parameters count from 1. Texts and blobs must live until the statement is reset.
  void bind(int parameter, std::int64_t value);
  void bind_text(int parameter, std::string_view value);
  void bind_blob(int parameter, std::string_view value);
  void bind_null(int parameter);

  // True: there is a row to read. False: it is done, and reset.
  bool step();
  // For what gives no rows.
  void run();
  void reset();

  // Columns count from 0. Views are valid until the next step or reset.
  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  sqlite3_stmt* prepared();

  Database* database_;
  std::string_view sql_;  // Until it is prepared.
  sqlite3_stmt* statement_ = nullptr;
};

// Takes everything back that was not committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();

  // When it throws, nobody knows what is on disk: stop.
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

// While it lives, a connection sees the file as it was at its first read, and only reads: reads take no locks of their own, and what
// was read stays in memory. The WAL can not be checkpointed whole meanwhile.
class View {
 public:
  explicit View(Database& database);
  View(const View&) = delete;
  View& operator=(const View&) = delete;
  ~View();

 private:
  Database& database_;
};

// Resets a statement at the end of a block, however that ends.
class Rows {
 public:
  explicit Rows(Statement& statement) : statement_(statement) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { statement_.reset(); }

 private:
  Statement& statement_;
};

}  // namespace ledger
