#include "ledger/wal_file.h"

#include <algorithm>
#include <cstring>

namespace ledger {

WalFile::WalFile(sqlite3_file& file) : sqlite3_io_methods(*file.pMethods), real_(*file.pMethods) {
  xWrite = write;
  file.pMethods = this;
}

int WalFile::write(sqlite3_file* file, const void* bytes, int size, sqlite3_int64 position) {
  auto* const methods = const_cast<sqlite3_io_methods*>(file->pMethods);
  return static_cast<WalFile*>(methods)->write_joined(*file, bytes, size, position);
}

int WalFile::write_joined(sqlite3_file& file, const void* bytes, int size, sqlite3_int64 position) {
  const bool is_page = size == page_size;
  if (has_header_) {
    has_header_ = false;
    if (is_page && position == end_ + header_size) {
      std::memcpy(frame_.data() + header_size, bytes, page_size);
      const int result = real_.xWrite(&file, frame_.data(), header_size + page_size, end_);
      end_ = position + page_size;
      return result;
    }
    const int result = real_.xWrite(&file, frame_.data(), header_size, end_);
    if (result != SQLITE_OK) return result;
  }
  if (size == header_size && position == end_) {
    std::memcpy(frame_.data(), bytes, header_size);
    has_header_ = true;
    return SQLITE_OK;
  }
  // The first bytes are the WAL's own header: its frames begin anew behind it.
  if (position == 0) end_ = size;
  if (is_page && position > 0) end_ = std::max(end_, position + page_size);
  return real_.xWrite(&file, bytes, size, position);
}

}  // namespace ledger
