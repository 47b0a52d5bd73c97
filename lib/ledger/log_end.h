#pragma once

#include <array>
#include <cstdint>
#include <optional>

struct sqlite3_file;

namespace ledger {

// The last frame that the connection which writes a database has committed to its log. When another has emptied or cut the log, or
// written over it, this frame is not where it was: SQLite itself would append behind the gap, and after a crash read no further than
// to there. Internal to Database. Used by the connection's thread.
class LogEnd {
 public:
  // After each commit: the log has so many frames now.
  void committed(sqlite3_file& log, std::int64_t frames);
  // Nothing was committed yet, or the frame is there, as each before it was when the next one came.
  bool is_there(sqlite3_file& log) const;
  // What SQLite calls it when the log could not be read, and nobody knows what is there; SQLITE_OK (0) else.
  int failure() const { return failure_; }

 private:
  // It has a checksum over all frames up to this one, and salts that are others whenever the log is begun anew.
  using Header = std::array<char, 24>;
  // Nullopt: the frame is not whole, or cannot be read.
  std::optional<Header> header_of(sqlite3_file& log, std::int64_t frame) const;
  static bool is_one_log(const Header& left, const Header& right);

  std::int64_t frames_ = 0;
  std::optional<Header> header_;
  bool was_there_ = true;
  mutable int failure_ = 0;
};

}  // namespace ledger
