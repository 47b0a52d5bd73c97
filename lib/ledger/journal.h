#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/chain.h"
#include "ledger/history.h"
#include "ledger/ledger.h"
#include "ledger/storage_error.h"

namespace ledger {

// Made at random with the journal: two banks never have the same.
using InstanceId = std::array<std::uint8_t, 16>;

// What a copy of the journal holds.
struct BackupDone {
  std::uint64_t ledger_seq = 0;
  std::uint64_t bytes = 0;
};

// No look-up finds more records than this.
inline constexpr std::size_t found_max = 100;

// Reads what is in the tables, beside the thread that writes them. Any thread, one call at a time; it may wait for the disk.
// Throws StorageError.
class JournalReader {
 public:
  virtual ~JournalReader() = default;

  // The transfers of one account from `from_seq` (one of them) back to older ones.
  virtual std::vector<Transfer> statement(AccountNumber account, std::uint64_t from_seq,
                                          std::size_t limit) = 0;
  // Every account's transfers, newest first, all before `before_seq`.
  virtual std::vector<Transfer> transfers_before(std::uint64_t before_seq, std::size_t limit) = 0;
  // Every account's transfers, oldest first, after `after_seq` and up to `through_seq`.
  virtual std::vector<Transfer> transfers_after(std::uint64_t after_seq, std::uint64_t through_seq,
                                                std::size_t limit) = 0;
  virtual std::optional<HoldEntry> find_hold(const OperationId& id) = 0;
  virtual std::optional<Record> find(const OperationId& id) = 0;
  // In no order, at most about found_max, and none after `through_seq`: also what the tables do not show yet.
  virtual std::vector<Record> records_about(const OperationId& id, std::uint64_t through_seq) = 0;
  // Also one that the tables do not show yet.
  virtual std::optional<Record> record(std::uint64_t ledger_seq) = 0;
  // What was declined, newest first, from `from_seq` back: also what the tables do not show yet.
  virtual std::vector<Record> declines_back_from(std::uint64_t from_seq, std::size_t limit) = 0;
  // All that belongs to a change, by any of its ids, oldest first: a hold with what ended it, a receipt's id with all that
  // was done under it. At most found_max records, none after `through_seq`.
  std::vector<Record> find_changes(const OperationId& id, std::uint64_t through_seq);
  // A whole copy of everything durable, as a new file; appends go on meanwhile. Throws cannot_create when the file is there
  // already or cannot be made; io, and there is no copy, when another has written over the bank's file, or the record `through_seq`
  // would not be in it.
  virtual BackupDone backup(const std::string& path, std::uint64_t through_seq) = 0;
  BackupDone backup(const std::string& path) { return backup(path, 0); }
  // The chain's hash when this record was the last; nothing if no append ended with it.
  virtual std::optional<Hash> hash_at(std::uint64_t ledger_seq) = 0;
};

// What makes a batch durable, and finds what the ledger has forgotten. The journal is the truth; its tables are an index that
// follows behind. Owned by the storage thread. Throws StorageError, after which it must not be used any more.
class Journal : public History {
 public:
  // At start: gives the empty ledger everything that was ever made durable.
  virtual void load(Ledger& ledger) = 0;

  // Durable when it returns. When it throws, nobody knows whether it is.
  virtual void append(const Batch& batch) = 0;
  // Durable when a `sync` that began afterwards has returned. Nobody may be told of it before, nor may the tables show it.
  virtual void append_unsynced(const Batch& batch) { append(batch); }
  // Any thread, one call at a time, beside all else that the journal does. When it throws, nobody knows what is durable.
  virtual void sync() {}
  virtual ChainHead head() const = 0;
  virtual InstanceId instance_id() const = 0;

  // Brings the tables forward by at most `records_max` records, which are durable. Stalls the next append for as long, so ask for
  // little.
  virtual void project(std::size_t records_max) = 0;
  // The tables show everything up to this record.
  virtual std::uint64_t projected_through() const = 0;
  // Upkeep: a piece of all there is when nothing waits, else what cannot wait any longer or helps those who wait. True: it is quiet
  // and there is another piece.
  virtual bool tidy(bool is_quiet) = 0;

  // False: too little disk is left to promise that changes can be made durable (rule 26).
  virtual bool has_room() = 0;

  // Opens a reader, once the journal is loaded: at any time, on any thread, also when the journal is gone.
  using ReaderOpener = std::function<std::unique_ptr<JournalReader>()>;
  virtual ReaderOpener reader_opener() = 0;
  std::unique_ptr<JournalReader> open_reader() { return reader_opener()(); }
};

}  // namespace ledger
