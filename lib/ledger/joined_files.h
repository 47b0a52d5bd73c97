#pragma once

#include <array>
#include <cstddef>

#include <sqlite3.h>

namespace ledger {

// SQLite writes a page at a time, and a write costs more by its being one than by its bytes. These stand before the methods of its
// files, and do what follows each other at once. Internal to Database. They outlive the files; a file's reads and writes are one
// thread's.

// Bytes on their way to a file.
class JoinedWrites {
 public:
  // Goes together with what was kept back, where it comes right behind that and there is room.
  int write(const sqlite3_io_methods& real, sqlite3_file& file, const void* bytes, int size,
            sqlite3_int64 position);
  // Writes what was kept back. It is kept no longer, also if that fails.
  int flush(const sqlite3_io_methods& real, sqlite3_file& file);

 private:
  // SQLite itself writes no more than 128 KiB at a time.
  std::array<char, std::size_t{64} * 1024> bytes_;
  std::size_t size_ = 0;
  sqlite3_int64 begin_ = 0;
};

// A WAL: the frames of a commit are one write, and a checkpoint reads many at once.
//
// Always true: what is kept back is at the end of all frames, and no commit. What is written over what is there goes through as it
// comes. So who syncs the file need not know of this, nor who else reads it.
class WalFile : public sqlite3_io_methods {
 public:
  // The file belongs to an open connection, the only one that writes it. Pages are of the size that our databases have.
  explicit WalFile(sqlite3_file& wal);
  WalFile(const WalFile&) = delete;
  WalFile& operator=(const WalFile&) = delete;
  ~WalFile() = default;

 private:
  static int read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 position);
  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 position);
  int read_ahead(sqlite3_file& file, char* bytes, int size, sqlite3_int64 position);
  bool is_ahead(sqlite3_int64 position, int size) const {
    return position >= ahead_begin_ && position + size <= ahead_end_;
  }
  int write_frames(sqlite3_file& file, const char* bytes, int size, sqlite3_int64 position);

  const sqlite3_io_methods& real_;
  JoinedWrites writes_;
  bool is_commit_ = false;  // The last frame's header says that it ends a transaction.
  sqlite3_int64 end_ = -1;  // Of the frames that were written one after the other; not known: -1.
  // What was read at once, until something is written.
  std::array<char, std::size_t{64} * 1024> ahead_;
  sqlite3_int64 ahead_begin_ = 0;
  sqlite3_int64 ahead_end_ = 0;
  sqlite3_int64 next_read_ = -1;  // The page of the frame behind the one that was read last.
};

// A database with a WAL, which is written by checkpoints only: all that they move is written before its sync, and before readers
// look for it here.
class DatabaseFile : public sqlite3_io_methods {
 public:
  // The file belongs to an open connection, the only one that writes it.
  explicit DatabaseFile(sqlite3_file& database);
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;
  ~DatabaseFile() = default;

  // How those writes of a checkpoint ended that SQLite does not ask about. After a failure nothing is done any more: pages are
  // missing here, so the WAL must stay.
  int checkpoint_result() const { return checkpoint_result_; }

 private:
  // Whatever else is done with the file, it has what was written before.
  template <typename Call>
  static int after_writes(sqlite3_file* file, Call call);

  const sqlite3_io_methods& real_;
  JoinedWrites writes_;
  int checkpoint_result_ = SQLITE_OK;
};

}  // namespace ledger
