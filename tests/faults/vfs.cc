// SQLite on a simulated disk: a VFS whose files are sim::File, with the locks and the shared memory that WAL needs.
#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <new>
#include <unistd.h>

#include <sqlite3.h>

#include "async/check.h"
#include "disk.h"

namespace sim {

struct Handle;

struct File::Sharing {
  std::vector<std::unique_ptr<std::string>> regions;
  std::vector<Handle*> handles;  // Who has the file open.
};

// An open file. SQLite gives the memory for it.
struct Handle {
  sqlite3_file base;
  Disk* disk;
  std::shared_ptr<File> file;
  int lock = SQLITE_LOCK_NONE;
  unsigned shared_slots = 0;
  unsigned exclusive_slots = 0;
};

namespace {

std::map<std::string, Disk*>& mounts() {
  static std::map<std::string, Disk*> all;
  return all;
}

Disk* disk_of(const char* path) {
  if (path == nullptr) return nullptr;
  for (const auto& [folder, disk] : mounts()) {
    if (std::string_view(path).starts_with(folder)) return disk;
  }
  return nullptr;
}

sqlite3_vfs* real_vfs = nullptr;

Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }

int close_file(sqlite3_file* file) {
  Handle& handle = of(file);
  std::erase(handle.file->sharing->handles, &handle);
  handle.~Handle();
  return SQLITE_OK;
}

int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 offset) {
  if (!of(file).disk->may_read()) return SQLITE_IOERR_READ;
  const std::string_view data = of(file).file->data();
  const auto begin = std::min(static_cast<std::size_t>(offset), data.size());
  const std::size_t there = std::min(static_cast<std::size_t>(size), data.size() - begin);
  if (there > 0) std::memcpy(to, data.data() + begin, there);
  if (there == static_cast<std::size_t>(size)) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, static_cast<std::size_t>(size) - there);
  return SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
  Handle& handle = of(file);
  if (!handle.disk->may_change()) return SQLITE_IOERR_WRITE;
  const std::string_view bytes(static_cast<const char*>(from), static_cast<std::size_t>(size));
  handle.file->write(static_cast<std::size_t>(offset), bytes);
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = of(file);
  if (!handle.disk->may_change()) return SQLITE_IOERR_TRUNCATE;
  handle.file->truncate(static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int sync_file(sqlite3_file* file, int) {
  Handle& handle = of(file);
  if (!handle.disk->may_change()) return SQLITE_IOERR_FSYNC;
  if (handle.disk->before_sync) handle.disk->before_sync();
  if (!handle.disk->ignores_syncs) handle.file->sync();
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  *size = static_cast<sqlite3_int64>(of(file).file->data().size());
  return SQLITE_OK;
}

int highest_lock_of_others(const Handle& self) {
  int highest = SQLITE_LOCK_NONE;
  for (const Handle* other : self.file->sharing->handles) {
    if (other != &self) highest = std::max(highest, other->lock);
  }
  return highest;
}

int lock_file(sqlite3_file* file, int level) {
  Handle& handle = of(file);
  if (handle.lock >= level) return SQLITE_OK;
  const int others = highest_lock_of_others(handle);
  const bool is_free = level == SQLITE_LOCK_SHARED     ? others < SQLITE_LOCK_PENDING
                       : level == SQLITE_LOCK_RESERVED ? others < SQLITE_LOCK_RESERVED
                                                       : others == SQLITE_LOCK_NONE;
  if (is_free) {
    handle.lock = level;
  } else if (level == SQLITE_LOCK_EXCLUSIVE && others < SQLITE_LOCK_RESERVED) {
    handle.lock = SQLITE_LOCK_PENDING;
  }
  return is_free ? SQLITE_OK : SQLITE_BUSY;
}

int unlock_file(sqlite3_file* file, int level) {
  of(file).lock = std::min(of(file).lock, level);
  return SQLITE_OK;
}

int check_reserved(sqlite3_file* file, int* result) {
  *result = highest_lock_of_others(of(file)) >= SQLITE_LOCK_RESERVED ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int device_characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  auto& regions = of(file).file->sharing->regions;
  const auto place = static_cast<std::size_t>(region);
  *memory = nullptr;
  if (regions.size() <= place && extend == 0) return SQLITE_OK;
  while (regions.size() <= place) {
    regions.push_back(std::make_unique<std::string>(static_cast<std::size_t>(size), '\0'));
  }
  *memory = regions[place]->data();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  Handle& handle = of(file);
  const unsigned slots = ((1U << static_cast<unsigned>(count)) - 1U)
                         << static_cast<unsigned>(offset);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    handle.shared_slots &= ~slots;
    handle.exclusive_slots &= ~slots;
    return SQLITE_OK;
  }
  const bool is_exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (const Handle* other : handle.file->sharing->handles) {
    if (other == &handle) continue;
    const unsigned taken = other->exclusive_slots | (is_exclusive ? other->shared_slots : 0U);
    if ((taken & slots) != 0) return SQLITE_BUSY;
  }
  (is_exclusive ? handle.exclusive_slots : handle.shared_slots) |= slots;
  return SQLITE_OK;
}

void barrier(sqlite3_file*) {}

int unmap_shared(sqlite3_file* file, int deletes) {
  Handle& handle = of(file);
  handle.shared_slots = handle.exclusive_slots = 0;
  if (deletes != 0) handle.file->sharing->regions.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = device_characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

// What looks at the real file system before it opens finds something there.
void leave_a_trace(const char* path) {
  const int descriptor = ::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor >= 0) ::close(descriptor);
}

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  Disk* const disk = disk_of(path);
  if (disk == nullptr) return real_vfs->xOpen(real_vfs, path, file, flags, out_flags);
  file->pMethods = nullptr;
  const bool creates = (flags & SQLITE_OPEN_CREATE) != 0;
  const std::shared_ptr<File> found = disk->open(path, creates);
  if (found == nullptr) return SQLITE_CANTOPEN;
  const bool has_trace = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  if (has_trace && creates) leave_a_trace(path);
  if (!found->sharing) found->sharing = std::make_shared<File::Sharing>();
  auto* const handle =
      new (file) Handle{.base = {.pMethods = &methods}, .disk = disk, .file = found};
  found->sharing->handles.push_back(handle);
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs*, const char* path, int sync_directory) {
  Disk* const disk = disk_of(path);
  if (disk == nullptr) return real_vfs->xDelete(real_vfs, path, sync_directory);
  if (!disk->is_on()) return SQLITE_IOERR_DELETE;
  ::unlink(path);
  return disk->remove(path) ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT;
}

// As SQLite's own: an empty file does not exist.
int access_file(sqlite3_vfs*, const char* path, int flags, int* result) {
  Disk* const disk = disk_of(path);
  if (disk == nullptr) return real_vfs->xAccess(real_vfs, path, flags, result);
  const std::shared_ptr<File> found = disk->open(path, false);
  *result = found != nullptr && !found->data().empty() ? 1 : 0;
  return SQLITE_OK;
}

int full_path(sqlite3_vfs*, const char* path, int size, char* out) {
  if (disk_of(path) == nullptr) return real_vfs->xFullPathname(real_vfs, path, size, out);
  sqlite3_snprintf(size, out, "%s", path);
  return SQLITE_OK;
}

// The same for every run: what SQLite draws from this (the salts of a WAL) must not differ between two runs of one seed.
int randomness(sqlite3_vfs*, int size, char* out) {
  for (int i = 0; i < size; ++i) out[i] = static_cast<char>(i * 37 + 11);
  return size;
}

// Nobody waits: whoever holds a lock in this thread will not let go of it meanwhile.
int sleep_for(sqlite3_vfs*, int microseconds) { return microseconds; }

void install() {
  if (real_vfs != nullptr) return;
  real_vfs = sqlite3_vfs_find(nullptr);
  static sqlite3_vfs simulated = *real_vfs;
  simulated.iVersion = 2;
  simulated.szOsFile = std::max(real_vfs->szOsFile, static_cast<int>(sizeof(Handle)));
  simulated.zName = "simulated";
  simulated.xOpen = open_file;
  simulated.xDelete = delete_file;
  simulated.xAccess = access_file;
  simulated.xFullPathname = full_path;
  simulated.xRandomness = randomness;
  simulated.xSleep = sleep_for;
  async::check(sqlite3_vfs_register(&simulated, 1) == SQLITE_OK, "SQLite takes the simulated disk");
}

}  // namespace

Mount::Mount(std::string folder, Disk& disk) : folder_(std::move(folder)) {
  install();
  sqlite3_randomness(0, nullptr);
  mounts()[folder_ + "/"] = &disk;
}

Mount::~Mount() { mounts().erase(folder_ + "/"); }

}  // namespace sim
