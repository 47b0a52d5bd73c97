#include "ledger/joined_files.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ledger {
namespace {

// https://sqlite.org/fileformat2.html#the_write_ahead_log
constexpr int header_size = 24;
constexpr int page_size = 4096;
constexpr int frame_size = header_size + page_size;
// Where a frame's header has the size of the database behind a commit, and 0 in frames that end none.
constexpr std::size_t commit_place = 4;

// What SQLite was given for the file in place of its own.
template <typename Methods>
Methods& methods_of(sqlite3_file* file) {
  return *static_cast<Methods*>(const_cast<sqlite3_io_methods*>(file->pMethods));
}

}  // namespace

int JoinedWrites::write(const sqlite3_io_methods& real, sqlite3_file& file, const void* bytes,
                        int size, sqlite3_int64 position) {
  const auto count = static_cast<std::size_t>(size);
  if (position != begin_ + static_cast<sqlite3_int64>(size_) || count > bytes_.size() - size_) {
    const int result = flush(real, file);
    if (result != SQLITE_OK) return result;
  }
  if (count > bytes_.size()) return real.xWrite(&file, bytes, size, position);
  if (size_ == 0) begin_ = position;
  std::memcpy(bytes_.data() + size_, bytes, count);
  size_ += count;
  return SQLITE_OK;
}

int JoinedWrites::flush(const sqlite3_io_methods& real, sqlite3_file& file) {
  const auto size = static_cast<int>(std::exchange(size_, 0));
  return size == 0 ? SQLITE_OK : real.xWrite(&file, bytes_.data(), size, begin_);
}

WalFile::WalFile(sqlite3_file& wal) : sqlite3_io_methods(*wal.pMethods), real_(*wal.pMethods) {
  xRead = read;
  xWrite = write;
  wal.pMethods = this;
}

int WalFile::read(sqlite3_file* file, void* bytes, int size, sqlite3_int64 position) {
  return methods_of<WalFile>(file).read_ahead(*file, static_cast<char*>(bytes), size, position);
}

int WalFile::read_ahead(sqlite3_file& file, char* bytes, int size, sqlite3_int64 position) {
  const int flushed = writes_.flush(real_, file);
  if (flushed != SQLITE_OK) return flushed;
  const bool is_next = position == std::exchange(next_read_, position + frame_size);
  if (is_next && size == page_size && !is_ahead(position, size)) {
    sqlite3_int64 end = 0;
    const bool is_known = real_.xFileSize(&file, &end) == SQLITE_OK;
    const auto wanted = static_cast<int>(
        std::clamp<sqlite3_int64>(end - position, 0, static_cast<sqlite3_int64>(ahead_.size())));
    const bool is_there =
        is_known && real_.xRead(&file, ahead_.data(), wanted, position) == SQLITE_OK;
    ahead_begin_ = position;
    ahead_end_ = is_there ? position + wanted : position;
  }
  // Any other read is of what the file has now.
  if (size != page_size || !is_ahead(position, size)) {
    return real_.xRead(&file, bytes, size, position);
  }
  std::memcpy(bytes, ahead_.data() + (position - ahead_begin_), static_cast<std::size_t>(size));
  return SQLITE_OK;
}

int WalFile::write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 position) {
  return methods_of<WalFile>(file).write_frames(*file, static_cast<const char*>(bytes), size,
                                                position);
}

int WalFile::write_frames(sqlite3_file& file, const char* bytes, int size, sqlite3_int64 position) {
  ahead_end_ = ahead_begin_;
  const bool is_header = size == header_size;
  const bool is_page = size == page_size;
  if (position != end_ || !(is_header || is_page)) {
    const int result = writes_.flush(real_, file);
    if (result != SQLITE_OK) return result;
    // The first bytes are the WAL's own header: its frames begin anew behind it.
    if (position == 0) end_ = size;
    if (is_page && position > 0) end_ = std::max(end_, position + page_size);
    return real_.xWrite(&file, bytes, size, position);
  }
  if (is_header) {
    constexpr std::array<char, 4> none{};
    is_commit_ = std::memcmp(bytes + commit_place, none.data(), none.size()) != 0;
  }
  end_ += size;
  const int result = writes_.write(real_, file, bytes, size, position);
  return result == SQLITE_OK && is_page && is_commit_ ? writes_.flush(real_, file) : result;
}

template <typename Call>
int DatabaseFile::after_writes(sqlite3_file* file, Call call) {
  auto& that = methods_of<DatabaseFile>(file);
  if (that.checkpoint_result_ != SQLITE_OK) return that.checkpoint_result_;
  const int result = that.writes_.flush(that.real_, *file);
  return result == SQLITE_OK ? call(that.real_) : result;
}

DatabaseFile::DatabaseFile(sqlite3_file& database)
    : sqlite3_io_methods(*database.pMethods), real_(*database.pMethods) {
  xWrite = [](sqlite3_file* file, const void* bytes, int size, sqlite3_int64 position) {
    auto& that = methods_of<DatabaseFile>(file);
    if (that.checkpoint_result_ != SQLITE_OK) return that.checkpoint_result_;
    return that.writes_.write(that.real_, *file, bytes, size, position);
  };
  xRead = [](sqlite3_file* file, void* bytes, int size, sqlite3_int64 position) {
    return after_writes(file, [&](auto& real) { return real.xRead(file, bytes, size, position); });
  };
  xSync = [](sqlite3_file* file, int flags) {
    return after_writes(file, [&](auto& real) { return real.xSync(file, flags); });
  };
  xTruncate = [](sqlite3_file* file, sqlite3_int64 size) {
    return after_writes(file, [&](auto& real) { return real.xTruncate(file, size); });
  };
  xFileSize = [](sqlite3_file* file, sqlite3_int64* size) {
    return after_writes(file, [&](auto& real) { return real.xFileSize(file, size); });
  };
  // Behind this, readers are told that they find the pages here; a checkpoint that an old reader cuts short syncs nothing before.
  xFileControl = [](sqlite3_file* file, int operation, void* argument) {
    auto& that = methods_of<DatabaseFile>(file);
    if (operation == SQLITE_FCNTL_CKPT_DONE) {
      that.checkpoint_result_ = that.writes_.flush(that.real_, *file);
    }
    return that.real_.xFileControl(file, operation, argument);
  };
  database.pMethods = this;
}

}  // namespace ledger
