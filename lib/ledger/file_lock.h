#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/storage_error.h"

// Where a database lies, and who may use it.
namespace ledger {

// Which file a name stands for. One file may have several names, and a name may come to stand for another file.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t number = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Returns nullopt if there is no such file.
std::optional<FileIdentity> identity_of(const std::string& file);

struct FileState {
  FileIdentity identity;
  // Its ctime in nanoseconds: any write to the file changes it; so do chmod, touch and links.
  std::int64_t changed_at = 0;

  // A write after `now` would change it: the clocks of some file systems go in steps of two seconds.
  bool shows_writes_after(std::chrono::system_clock::time_point now) const;
};
// Returns nullopt if there is no such file.
std::optional<FileState> state_of(const std::string& file);

// The name for SQLite, which takes `:memory:` and `file:...` for something else: the whole path, behind symbolic links.
std::string full_path(const std::string& file);
// The write-ahead log's name.
std::string wal_of(const std::string& file);
// There is such a file, and something in it; SQLite's own file system is asked.
bool has_content(const std::string& file);

// Names with such endings are those of files beside a database or a backup: SQLite and we remove, or read as a log, what lies there.
// Returns the ending, or nullopt.
std::optional<std::string_view> reserved_ending(std::string_view name);

// Throws if a database cannot lie there, or is to be read and is not there, and says why before SQLite says only that it cannot open
// it. What is to be written is made if there is none, for its owner only; but not beside the log of a database that is gone.
void require_place(const std::string& file, bool writes);

// Keeps every other process away from a database, by locks that end with this process however it ends. Not SQLite's own exclusive
// mode, which would keep our read-only connections away too. Made before the first connection, destroyed after the last.
//
// Both are locked: the name (FILE.lock), since the file may be moved away under it, and the file, since it may have other names.
class FileLock {
 public:
  enum class Use : std::uint8_t {
    write,  // Nobody else may use it.
    read,   // Others may read too. Makes nothing, and locks no name.
  };
  // Throws cannot_create, naming the process that has it if the system tells.
  explicit FileLock(const std::string& file, Use use = Use::write);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int name_ = -1;
  int file_ = -1;
};

// Free bytes on the disk that holds this file, for who may not be root.
std::uint64_t free_bytes(const std::string& file);

// What a sentence about a failed write or opening goes on with where that disk has no room: what to do.
// "" where it has, or cannot be asked.
std::string advice_on_room(const std::string& file);

}  // namespace ledger
