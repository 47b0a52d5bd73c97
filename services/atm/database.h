// Database: one SQLite file, and nothing of SQLite's C interface beyond this header.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace atm {

// SQLite said no, or what the file holds cannot be. A sentence that names the file. After a failed
// commit its outcome is unknown: whoever catches this stops serving.
class DatabaseError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t { cannot_open, in_use, wrong_version, damaged, io };
  DatabaseError(Kind kind, const std::string& sentence)
      : std::runtime_error(sentence), kind_(kind) {}
  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};
// A column's value: INTEGER, TEXT or BLOB. Nothing is NULL.
using Value = std::variant<std::int64_t, std::string, Blob>;

class Database;

// A prepared statement. Owned by whoever prepared it, destroyed before its database; one thread at
// a time, the database's.
class Statement {
 public:
  // Binds the values in order, from the beginning of a run.
  void bind(std::span<const Value> values);
  // True: there is a row.
  bool step();
  std::int64_t integer(int column) const;
  Value value(int column) const;
  int columns() const;
  // Runs to the end without asking for rows.
  void run(std::span<const Value> values);

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(&database), statement_(statement) {}

  Database* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// A connection to one file. Used by one thread at a time; what the statements of a transaction did
// is on the disk when commit() returns, and survives power loss.
class Database {
 public:
  enum class Mode : std::uint8_t { create, existing, read_only };

  // Throws DatabaseError.
  Database(std::filesystem::path path, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // The schema's version; 0 of a new file. Makes it `version` by running `schema`, and refuses a
  // file of any other version with a sentence.
  void ensure_schema(std::int64_t version, const std::string& schema);

  Statement prepare(const std::string& sql);
  void execute(const std::string& sql);
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void fail(int code, const std::string& doing) const;

  std::filesystem::path path_;
  sqlite3* handle_ = nullptr;
};

// Everything between making it and commit() happens whole or not at all.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

// Held as long as it lives: no other process serves from the same file. A lock beside the file,
// freed by the kernel whatever becomes of the process.
class FileLock {
 public:
  // Throws DatabaseError(in_use) with a sentence.
  explicit FileLock(const std::filesystem::path& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int descriptor_;
};

}  // namespace atm
