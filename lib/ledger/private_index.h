#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <sqlite3.h>

namespace ledger {

// Stands before the methods of a database's file, as the classes of joined_files.h do: the index of its WAL is in this connection's
// memory and not in FILE-shm, so that one can read the WAL and leave nothing behind. Internal to Database. It outlives the file.
class PrivateIndex : public sqlite3_io_methods {
 public:
  // The file belongs to a connection that was opened just now, the only one while it lives.
  explicit PrivateIndex(sqlite3_file& database);
  PrivateIndex(const PrivateIndex&) = delete;
  PrivateIndex& operator=(const PrivateIndex&) = delete;
  ~PrivateIndex() = default;

 private:
  static int map(sqlite3_file* file, int region, int size, int extend, void volatile** memory);

  std::vector<std::unique_ptr<std::byte[]>> regions_;
};

}  // namespace ledger
