#include "ledger/file_lock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger/check.h"

namespace ledger {
namespace {

using Kind = StorageError::Kind;

std::string directory_of(const std::string& file) {
  const std::filesystem::path parent = std::filesystem::path(file).parent_path();
  return parent.empty() ? "." : parent.string();
}

std::string reason() { return std::strerror(errno); }

[[noreturn]] void cannot_open(const std::string& file, const std::string& why,
                              Kind kind = Kind::cannot_create) {
  throw StorageError(kind, "cannot open " + file + ": " + why);
}

// By the user that files are opened as.
bool may(const std::string& path, int mode) {
  return faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0;
}

std::string user() { return "user " + std::to_string(geteuid()); }

void require_directory(const std::string& file, bool writes) {
  struct stat place{};
  const std::string directory = directory_of(file);
  if (stat(directory.c_str(), &place) != 0) {
    cannot_open(file, "there is no directory " + directory,
                writes ? Kind::cannot_create : Kind::no_input);
  }
  if (!S_ISDIR(place.st_mode)) cannot_open(file, directory + " is not a directory");
  if (writes && !may(directory, W_OK | X_OK)) {
    cannot_open(file, user() + " may not write in " + directory);
  }
}

// "process 1234 (bankd)", as far as the system tells. A lock of another container is listed without its process, or not at all.
std::string holder_of(int descriptor) {
  struct stat locked{};
  std::ifstream locks("/proc/locks");
  if (fstat(descriptor, &locked) != 0) return "another process";
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, strictness, access, file;
    int pid = 0;
    words >> number >> kind >> strictness >> access >> pid >> file;
    unsigned device_major = 0;
    unsigned device_minor = 0;
    unsigned long long inode = 0;
    char colon = 0;
    std::istringstream parts(file);
    parts >> std::hex >> device_major >> colon >> device_minor >> colon >> std::dec >> inode;
    if (kind != "FLOCK" || pid <= 0 || inode != locked.st_ino ||
        makedev(device_major, device_minor) != locked.st_dev) {
      continue;
    }
    std::string command;
    std::ifstream("/proc/" + std::to_string(pid) + "/comm") >> command;
    return "process " + std::to_string(pid) + (command.empty() ? "" : " (" + command + ")");
  }
  return "another process";
}

// A database that is there already was given such a name on purpose.
void require_free_name(const std::string& file) {
  const std::optional<std::string_view> ending = reserved_ending(file);
  if (!ending || identity_of(file)) return;
  cannot_open(file, "a name that ends in " + std::string(*ending) +
                        " is that of a file beside a database; choose another one");
}

// Locks what `descriptor` has open, or closes it and throws.
void take(int descriptor, int how, const std::string& file) {
  if (flock(descriptor, how | LOCK_NB) == 0) return;
  const bool is_taken = errno == EWOULDBLOCK;
  const std::string why =
      is_taken ? "it is in use by " + holder_of(descriptor) : "cannot lock it: " + reason();
  close(descriptor);
  cannot_open(file, why);
}

int open_or_throw(const std::string& path, int flags, const std::string& file) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (descriptor < 0) cannot_open(file, "cannot open or create " + path + ": " + reason());
  return descriptor;
}

}  // namespace

std::optional<FileState> state_of(const std::string& file) {
  constexpr std::int64_t nanoseconds_a_second = 1'000'000'000;
  struct stat found{};
  if (stat(file.c_str(), &found) != 0) return std::nullopt;
  const FileIdentity identity{.device = found.st_dev, .number = found.st_ino};
  return FileState{
      .identity = identity,
      .changed_at = found.st_ctim.tv_sec * nanoseconds_a_second + found.st_ctim.tv_nsec};
}

bool FileState::shows_writes_after(std::chrono::system_clock::time_point now) const {
  constexpr std::chrono::seconds clock_step_max(2);
  return now.time_since_epoch() - std::chrono::nanoseconds(changed_at) > clock_step_max;
}

std::optional<FileIdentity> identity_of(const std::string& file) {
  const std::optional<FileState> found = state_of(file);
  return found ? std::optional(found->identity) : std::nullopt;
}

std::string full_path(const std::string& file) {
  std::error_code error;
  const std::filesystem::path path =
      std::filesystem::weakly_canonical(std::filesystem::absolute(file, error), error);
  if (error) cannot_open(file, error.message());
  return path.string();
}

std::string wal_of(const std::string& file) { return full_path(file) + "-wal"; }

bool has_content(const std::string& file) {
  sqlite3_vfs* const files = sqlite3_vfs_find(nullptr);
  int found = 0;
  const bool is_known =
      files->xAccess(files, full_path(file).c_str(), SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK;
  return is_known && found != 0;
}

std::optional<std::string_view> reserved_ending(std::string_view name) {
  constexpr std::array<std::string_view, 5> endings{"-journal", "-wal", "-shm", ".lock",
                                                    ".partial"};
  const auto* const found = std::ranges::find_if(
      endings, [&](std::string_view ending) { return name.ends_with(ending); });
  return found == endings.end() ? std::nullopt : std::optional(*found);
}

namespace {

// False: nothing is there. Throws StorageError where it is something else.
bool is_regular_file(const std::string& file) {
  struct stat place{};
  if (stat(file.c_str(), &place) != 0) return false;
  if (S_ISDIR(place.st_mode)) cannot_open(file, "it is a directory");
  if (!S_ISREG(place.st_mode)) cannot_open(file, "it is no regular file");
  return true;
}

}  // namespace

void require_place(const std::string& file, bool writes) {
  require_directory(file, writes);
  const bool exists = is_regular_file(file);
  if (!exists && !writes) cannot_open(file, "it does not exist", Kind::no_input);
  if (exists && writes && !may(file, R_OK | W_OK)) {
    cannot_open(file, user() + " may not read and write it");
  }
  // SQLite would destroy such a log.
  if (!has_content(file) && has_content(wal_of(file))) {
    cannot_open(file, "it is missing or empty, but " + wal_of(file) +
                          " holds changes of it; put the database back beside that file, or "
                          "restore a backup and move that file away");
  }
  if (exists) return;
  const int made = open_or_throw(file, O_RDWR | O_CREAT, file);
  fchmod(made, 0600);  // Whatever the umask.
  close(made);
}

FileLock::FileLock(const std::string& file, Use use) {
  const bool writes = use == Use::write;
  require_directory(file, writes);
  is_regular_file(file);  // No lock is left beside what can never be a database.
  // Before anything is made or looked at: it may be another's at this moment.
  if (writes) {
    require_free_name(file);
    const std::string name = file + ".lock";
    name_ = open_or_throw(name, O_RDWR | O_CREAT, file);
    take(name_, LOCK_EX, file);
  }
  try {
    require_place(file, writes);
    file_ = open_or_throw(file, writes ? O_RDWR : O_RDONLY, file);
    take(file_, writes ? LOCK_EX : LOCK_SH, file);
  } catch (const StorageError&) {
    if (name_ >= 0) close(name_);
    throw;
  }
}

// Closing the file ends SQLite's locks on it, too.
FileLock::~FileLock() {
  close(file_);
  if (name_ >= 0) close(name_);
}

std::uint64_t free_bytes(const std::string& file) {
  struct statvfs disk{};
  if (statvfs(directory_of(file).c_str(), &disk) != 0) {
    throw StorageError(Kind::io, "cannot ask how much disk is free for " + file + ": " + reason());
  }
  return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

std::string advice_on_room(const std::string& file) {
  constexpr std::uint64_t start_needs_bytes = 1024 * 1024;
  struct statvfs disk{};
  if (statvfs(directory_of(file).c_str(), &disk) != 0) return "";
  if (std::uint64_t{disk.f_bavail} * disk.f_frsize >= start_needs_bytes) return "";
  return "; its disk is full: make room there, and start again";
}

}  // namespace ledger
