#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ledger/books.h"
#include "ledger/journal.h"
#include "ledger/rows.h"
#include "ledger/sqlite.h"
#include "ledger/tables.h"

namespace ledger {

// Disk that stays free: below this no change is taken (rule 26). Enough for the WAL and for the tables to catch up.
inline constexpr std::uint64_t disk_reserve_bytes = 64ULL * 1024 * 1024;
// So much more is free before changes are taken again: other programs' files that come and go at the
// reserve do not open and close the bank each time.
inline constexpr std::uint64_t disk_reserve_margin_bytes = 8ULL * 1024 * 1024;
// How long it is believed that there was room: we write much less than the reserve in this time.
inline constexpr std::chrono::milliseconds room_known_for{10};
// The WAL is checkpointed when it has this many pages, quiet or not.
inline constexpr std::int64_t wal_pages_max = 4'096;
// What a bank's WAL has in advance: all of it, with the frame of each page.
inline constexpr std::int64_t wal_size_ahead_default = (wal_pages_max + 64) * (4096 + 24);
// Of the records of a batch that is small.
inline constexpr std::size_t small_batch_max = std::size_t{16} * 1024;
// What our files say they are: "bank" in the database's application_id.
inline constexpr std::int32_t bank_application_id = 0x62616e6b;
inline constexpr std::int32_t bank_schema_version = 7;

// The bank's journal in one SQLite file: one row a batch, each with the hash of the row before it gone into its own, and tables
// that follow. Owned by the storage thread once it is loaded; made and loaded before that thread begins.
//
// Always true: the tables show the books as they stood after record `projected_through`, and `projection_` is the same books in
// memory. What was appended after that is read from the journal again when its turn comes: while the tables lag, memory holds nothing
// of it.
class SqliteJournal final : public Journal {
 public:
  // Opens or makes the file, and keeps every other process away from it. Throws StorageError.
  // The WAL is made `wal_size_ahead` bytes long in advance, in pieces, while nothing waits or batches are small: what is written
  // into a file as it stands is durable in two thirds of the time of what makes it longer.
  explicit SqliteJournal(const std::string& path, std::int64_t wal_size_ahead = 0);
  ~SqliteJournal() override;

  void load(Ledger& ledger) override;
  void append(const Batch& batch) override;
  void append_unsynced(const Batch& batch) override;
  void sync() override;
  ChainHead head() const override { return head_; }
  InstanceId instance_id() const override { return meta_.instance_id.bytes; }
  void project(std::size_t records_max) override;
  std::uint64_t projected_through() const override { return meta_.projected_through; }
  bool tidy(bool is_quiet) override;
  bool has_room() override;
  ReaderOpener reader_opener() override;

  // Throws if another has taken the files away or written over them since the last append: what was acknowledged may be lost. To be
  // called when nothing will be appended any more, on the thread that owns the journal then.
  void require_in_place() { database_.require_in_place(); }

  std::optional<Record> find(const OperationId& id) override { return tables_.find(id); }
  Record record_at(std::uint64_t ledger_seq, std::size_t position) override {
    return tables_.record_at(ledger_seq, position);
  }
  std::optional<HoldEntry> find_hold(const OperationId& id) override {
    return tables_.find_hold(id);
  }
  std::optional<Transfer> find_transfer(std::uint64_t ledger_seq) override {
    return tables_.find_transfer(ledger_seq);
  }

 private:
  // What a step has to write, each once, in the order of the tables.
  struct Dirty {
    std::set<AccountNumber> accounts;
    std::set<CardNumber> cards;
    std::set<TerminalNumber> terminals;
    std::set<std::uint64_t> holds;
    std::set<std::uint64_t> exceptions;
    std::set<std::uint64_t> reversals;
  };
  struct Writers;

  void load_tables();
  void load_open_holds();
  void remember_recent(Ledger& ledger);
  void replay(Ledger& ledger);
  void insert(const Batch& batch);
  void project_one(Dirty& dirty);
  void write(const Dirty& dirty);

  FileLock lock_;
  Database database_;
  const std::int64_t wal_size_ahead_;
  Tables tables_;
  std::unique_ptr<Writers> writers_;
  MetaRow meta_;
  ChainHead head_;
  Books projection_;
  // The batch that is being projected, and how much of it was.
  JournalRow batch_;
  std::size_t batch_done_ = 0;
  std::size_t appended_ = 0;     // Bytes of the last batch.
  sqlite3_file* wal_ = nullptr;  // Known from the first append on, and the same since.
  bool wal_is_long_ = false;
  bool has_room_ = true;
  std::chrono::steady_clock::time_point room_known_until_;
};

// Whether a disk with so much free has room for changes.
constexpr bool has_room_for_changes(std::uint64_t free_bytes, bool had_room) {
  return free_bytes >= disk_reserve_bytes + (had_room ? 0 : disk_reserve_margin_bytes);
}

}  // namespace ledger
