#include "ledger/row.h"

// In the header alone, for it is called for every row.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace ledger {

void RowChecksum::append_long(std::string_view bytes) {
  if (long_.empty()) long_.assign(buffer_.data(), size_);
  long_ += bytes;
}

std::int64_t RowChecksum::value() const {
  const std::string_view bytes =
      long_.empty() ? std::string_view(buffer_.data(), size_) : std::string_view(long_);
  return static_cast<std::int64_t>(XXH3_64bits(bytes.data(), bytes.size()));
}

void fail_row(const std::string& file, std::string_view table, std::int64_t key) {
  throw StorageError(StorageError::Kind::bad_data,
                     file + " is damaged: row " + std::to_string(key) + " of table " +
                         std::string(table) + " is not what was written");
}

}  // namespace ledger
