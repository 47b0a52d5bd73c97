// JournalFile: the ATM's journal on the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "atm/records.h"
#include "atm/stock.h"
#include "ledger/file_lock.h"
#include "ledger/sqlite.h"

namespace atm {

// One SQLite file for all terminals of an atmd, under an exclusive lock. write() is called on a
// thread of the pool, one call at a time; everything else on the loop's thread, through a
// connection of its own. A test puts another in its place to crash at a write.
class JournalFile {
 public:
  enum class Use : std::uint8_t {
    serve,  // Makes folder and file if there are none.
    audit,  // Only reads, while no atmd runs: makes and changes nothing.
  };
  // Throws StorageError.
  explicit JournalFile(const std::filesystem::path& folder, Use use = Use::serve);
  virtual ~JournalFile() = default;

  // All rows, or none. When it returns they are on the disk; when it throws nobody knows. Not for an audit.
  virtual void write(std::span<const Row> rows);
  // The next write() moves what the WAL holds into the database: all of it, when no view of an older
  // state is kept. To be asked between writes.
  bool is_full_of_changes() const { return writer_->database.wal_pages() >= wal_pages_max; }

  template <Record T>
  std::vector<T> read(const std::string& condition = "1", std::vector<Value> values = {}) {
    see_newest();
    return reads_.read<T>(condition, values);
  }
  template <Record T>
  std::vector<T> read_first(int count, const std::string& column, const std::string& condition,
                            std::vector<Value> values) {
    see_newest();
    return reads_.read_first<T>(count, column, condition, values);
  }
  // By its id, for who remembers what was written lately: this looks at the file as it was at the
  // first such look after see_newest(). To see it as it is now costs more than ten such looks.
  template <Record T>
  std::optional<T> find(const OperationId& id) {
    if (!view_) view_.emplace(reader_);
    return reads_.find<T>(id);
  }
  void see_newest() { view_.reset(); }
  // The last event's number and check value; zeros when there is none.
  struct Tail {
    std::uint64_t number = 0;
    std::int64_t check = 0;
  };
  Tail tail();
  // What SQLite itself can tell: pages, indexes, and that no row is hidden. Reads the whole file;
  // throws StorageError(bad_data).
  void require_sound();

 private:
  // 4 MB.
  static constexpr std::int64_t wal_pages_max = 1000;

  struct Writer {
    explicit Writer(const std::string& file);
    ledger::Database database;
    Tables tables;
  };

  ledger::FileLock lock_;
  std::unique_ptr<Writer> writer_;  // Null in an audit.
  ledger::Database reader_;
  Tables reads_;
  std::optional<ledger::View> view_;  // Of the reader's.
};

inline constexpr std::string_view journal_file_name = "journal.db";

}  // namespace atm
