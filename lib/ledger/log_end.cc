#include "ledger/log_end.h"

#include <algorithm>
#include <string_view>

#include <sqlite3.h>

namespace ledger {

// The new frame is read before the old one is looked for: what was cut off the log until then shows now, and what is cut off it later
// shows at the next commit. Where the log was begun anew there is no old one: a checkpoint had moved it.
void LogEnd::committed(sqlite3_file& log, std::int64_t frames) {
  const std::optional<Header> header = header_of(log, frames);
  const bool goes_on = header && header_ && is_one_log(*header, *header_);
  was_there_ = was_there_ && header.has_value() && (!goes_on || is_there(log));
  frames_ = frames;
  header_ = header;
}

bool LogEnd::is_there(sqlite3_file& log) const {
  return was_there_ && (frames_ == 0 || header_of(log, frames_) == header_);
}

// https://sqlite.org/fileformat2.html#the_write_ahead_log
std::optional<LogEnd::Header> LogEnd::header_of(sqlite3_file& log, std::int64_t frame) const {
  constexpr std::int64_t log_begin = 32;
  constexpr std::size_t bytes_a_page = 4096;
  Header header;
  std::array<char, header.size() + bytes_a_page> bytes;
  constexpr auto size = static_cast<std::int64_t>(bytes.size());
  const std::int64_t begin = log_begin + (frame - 1) * size;
  const int result = log.pMethods->xRead(&log, bytes.data(), static_cast<int>(size), begin);
  if (result != SQLITE_OK && result != SQLITE_IOERR_SHORT_READ) failure_ = result;
  if (result != SQLITE_OK) return std::nullopt;
  std::copy_n(bytes.begin(), header.size(), header.begin());
  return header;
}

bool LogEnd::is_one_log(const Header& left, const Header& right) {
  constexpr std::size_t salts_place = 8;
  constexpr std::size_t salts_size = 8;
  const auto salts_of = [](const Header& header) {
    return std::string_view(header.data(), header.size()).substr(salts_place, salts_size);
  };
  return salts_of(left) == salts_of(right);
}

}  // namespace ledger
