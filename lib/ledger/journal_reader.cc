#include "ledger/journal_reader.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "ledger/own_log.h"
#include "ledger/sqlite.h"
#include "ledger/tables.h"

namespace ledger {
namespace {

using Kind = StorageError::Kind;

// A file that is being written gets its name only when it is whole.
class NewFile {
 public:
  explicit NewFile(std::string path) : path_(std::move(path)), partial_(path_ + ".partial") {
    if (const std::optional<std::string_view> ending = reserved_ending(path_)) {
      fail("a name that ends in " + std::string(*ending) +
           " is that of a file beside a database; choose another one");
    }
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(path_, error))) {
      fail("it exists already");
    }
    // A crash may have left a finished backup under both names. And any file may have been given this name, even the bank's own, whose
    // locks SQLite would lose when it is closed here. Only the name goes.
    struct stat named{};
    if (lstat(partial_.c_str(), &named) == 0 && S_ISREG(named.st_mode) && named.st_nlink > 1) {
      unlink(partial_.c_str());
    }
    constexpr int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    descriptor_ = open(partial_.c_str(), flags, 0600);
    if (descriptor_ < 0) fail_with(partial_, errno);
    // What a crash has left of an earlier one is written over, but not what another is writing or has just finished.
    struct stat found{};
    const bool is_free = fstat(descriptor_, &found) == 0 && S_ISREG(found.st_mode) &&
                         flock(descriptor_, LOCK_EX | LOCK_NB) == 0 &&
                         identity_of(partial_) == FileIdentity{found.st_dev, found.st_ino};
    if (is_free && ftruncate(descriptor_, 0) == 0) return;
    close(descriptor_);
    fail(partial_ + " is in the way: it is another backup's, or no file");
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    unlink(partial_.c_str());
    close(descriptor_);
  }

  const std::string& partial() const { return partial_; }
  // Returns its size.
  std::uint64_t finish() {
    constexpr std::array<char, 2> rollback_mode{1, 1};
    constexpr auto count = static_cast<ssize_t>(rollback_mode.size());
    const bool is_marked = pwrite(descriptor_, rollback_mode.data(), rollback_mode.size(),
                                  static_cast<off_t>(mode_place)) == count;
    struct stat file{};
    if (!is_marked || fsync(descriptor_) != 0 || fstat(descriptor_, &file) != 0) {
      fail_with(partial_, errno);
    }
    // Unlike a rename this never replaces what somebody else has put there since.
    if (link(partial_.c_str(), path_.c_str()) != 0) fail_with(path_, errno);
    sync_name();
    return static_cast<std::uint64_t>(file.st_size);
  }
  [[noreturn]] void fail(const std::string& why) const {
    throw StorageError(Kind::cannot_create, "cannot create " + path_ + ": " + why);
  }

 private:
  // A file that is not there is none that anybody has heard of.
  [[noreturn]] void fail_with(const std::string& file, int error) const {
    std::error_code ignored;
    const bool is_there = std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
    fail((file == path_ || !is_there ? "" : file + ": ") + std::strerror(error));
  }
  // Without its name on the disk it is no backup.
  void sync_name() const {
    std::string directory = std::filesystem::path(path_).parent_path().string();
    if (directory.empty()) directory = ".";
    const int folder = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_synced = folder >= 0 && fsync(folder) == 0;
    const int error = errno;
    if (folder >= 0) close(folder);
    if (is_synced) return;
    unlink(path_.c_str());
    fail("cannot sync " + directory + ": " + std::strerror(error));
  }

  std::string path_;
  std::string partial_;
  int descriptor_ = -1;
};

// The connection that writes a backup. Nobody needs the file before it is finished, and then it is synced: it takes neither a
// journal nor syncs.
class Copy {
 public:
  explicit Copy(const NewFile& file) : file_(file) {
    constexpr int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int result = sqlite3_open_v2(full_path(file.partial()).c_str(), &handle_, flags, nullptr);
    if (result == SQLITE_OK) {
      result = sqlite3_exec(handle_, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", nullptr,
                            nullptr, nullptr);
    }
    if (result == SQLITE_OK) return;
    const std::string why = sqlite3_errmsg(handle_);
    sqlite3_close(handle_);
    file.fail(why);
  }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { sqlite3_close(handle_); }

  // One snapshot from the first page to the last.
  void take(Database& source) {
    sqlite3_backup* const backup = sqlite3_backup_init(handle_, "main", source.handle(), "main");
    if (backup == nullptr) file_.fail(sqlite3_errmsg(handle_));
    // The end tells of no failure that a further step might have made good, such as a lock.
    const int result = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    if (is_of_reading(result)) source.fail(result);
    if (result != SQLITE_DONE) file_.fail(sqlite3_errstr(result));
  }

 private:
  // The copy is only written, so what is read is the source.
  static bool is_of_reading(int result) {
    const int primary = result & 0xff;
    return primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_PROTOCOL ||
           result == SQLITE_IOERR_READ || result == SQLITE_IOERR_SHORT_READ ||
           result == SQLITE_IOERR_FSTAT || result == SQLITE_IOERR_SHMMAP ||
           result == SQLITE_IOERR_SHMLOCK || result == SQLITE_IOERR_CORRUPTFS;
  }

  const NewFile& file_;
  sqlite3* handle_ = nullptr;
};

class Reader final : public JournalReader {
 public:
  explicit Reader(const std::string& path)
      : database_(path, Database::Access::read_only), tables_(in_use(database_)) {}

  std::vector<Transfer> statement(AccountNumber account, std::uint64_t from_seq,
                                  std::size_t limit) override {
    return tables_.statement(account, from_seq, limit);
  }
  std::vector<Transfer> transfers_before(std::uint64_t before_seq, std::size_t limit) override {
    return tables_.transfers_before(before_seq, limit);
  }
  std::vector<Transfer> transfers_after(std::uint64_t after_seq, std::uint64_t through_seq,
                                        std::size_t limit) override {
    return tables_.transfers_after(after_seq, through_seq, limit);
  }
  std::optional<HoldEntry> find_hold(const OperationId& id) override {
    return tables_.find_hold(id);
  }
  std::optional<Record> find(const OperationId& id) override { return tables_.find(id); }
  std::vector<Record> records_about(const OperationId& id, std::uint64_t through_seq) override {
    const View view(database_);  // One moment for the tables and for what they lack.
    return tables_.records_about(id, through_seq);
  }
  std::optional<Record> record(std::uint64_t ledger_seq) override {
    const View view(database_);
    return tables_.record(ledger_seq);
  }
  std::vector<Record> declines_back_from(std::uint64_t from_seq, std::size_t limit) override {
    const View view(database_);
    return tables_.declines_back_from(from_seq, limit);
  }
  std::optional<Hash> hash_at(std::uint64_t ledger_seq) override {
    return tables_.hash_at(ledger_seq);
  }

  BackupDone backup(const std::string& path, std::uint64_t through_seq) override {
    NewFile file(path);
    BackupDone done;
    {
      Copy copy(file);
      const View view(database_);
      require_beside();
      // The number that is read here is the copy's.
      done.ledger_seq =
          static_cast<std::uint64_t>(database_.number("SELECT coalesce(max(seq), 0) FROM journal"));
      // What it shows may have been appended and not synced: a copy must not know what this bank could still forget.
      if (sqlite3_file* const wal = database_.wal()) database_.sync(wal);
      copy.take(database_);
      if (done.ledger_seq < through_seq) fail_as_not_ours();
      require_beside();
    }
    done.bytes = file.finish();
    return done;
  }

 private:
  // Twice: a checkpoint may just be writing where the first one looks.
  void require_beside() {
    if (!is_beside_its_log(database_) && !is_beside_its_log(database_)) fail_as_not_ours();
  }
  [[noreturn]] void fail_as_not_ours() const {
    throw StorageError(Kind::io, "cannot read " + database_.path() +
                                     ": something was written over it or over its log while it "
                                     "was in use, so there is no backup of it");
  }
  static Database& in_use(Database& database) {
    database.set_in_use();
    return database;
  }

  Database database_;
  Tables tables_;
};

}  // namespace

Journal::ReaderOpener open_readers_of(const std::string& file) {
  return [file, identity = identity_of(file)]() -> std::unique_ptr<JournalReader> {
    const std::string cannot = "cannot read " + file + ": ";
    if (identity_of(file) != identity) {
      throw StorageError(Kind::io, cannot + "somebody has moved, removed or replaced it");
    }
    try {
      return std::make_unique<Reader>(file);
    } catch (const StorageError& error) {
      // Nobody has named it just now: it is a file that was served from.
      if (error.kind() == Kind::bad_data) throw;
      throw StorageError(Kind::io, error.what());
    }
  };
}

}  // namespace ledger
