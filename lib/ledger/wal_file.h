#pragma once

#include <array>
#include <cstddef>

#include <sqlite3.h>

namespace ledger {

// Stands before the methods of a WAL's file, and writes each frame at once: SQLite writes its header and its page apart, and a write
// costs more by its being one than by its bytes. Internal to Database. Outlives the file; its writes are one thread's.
//
// Always true: a header is kept back only at the end of all frames, where SQLite's next write is its page. What is written over
// what is there goes through as it comes.
class WalFile : public sqlite3_io_methods {
 public:
  // The file belongs to an open connection. Pages are of the size that our databases have.
  explicit WalFile(sqlite3_file& file);
  WalFile(const WalFile&) = delete;
  WalFile& operator=(const WalFile&) = delete;
  ~WalFile() = default;

 private:
  // https://sqlite.org/fileformat2.html#the_write_ahead_log
  static constexpr int header_size = 24;
  static constexpr int page_size = 4096;

  static int write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 position);
  int write_joined(sqlite3_file& file, const void* bytes, int size, sqlite3_int64 position);

  const sqlite3_io_methods& real_;
  std::array<char, std::size_t{header_size} + page_size> frame_{};
  bool has_header_ = false;  // The frame's first part is in `frame_`, to be written at `end_`.
  sqlite3_int64 end_ = -1;   // Of the frames that were written one after the other; not known: -1.
};

}  // namespace ledger
