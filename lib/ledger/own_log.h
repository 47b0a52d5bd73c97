#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/sqlite.h"

// A database and its write-ahead log are two files, and only together they have everything. How one tells that they belong together,
// that neither is missing, and that nobody has written over the file. Internal to what opens databases.
//
// Every database of ours has a table `log` with one row, which the first commit of each log writes:
//   epoch, epoch_before: drawn anew by that commit, and what it was until then. A log begins anew only when the file has all of it and
//     is synced; so what the file has without its log is of one of the two epochs, or the log is another's.
//   is_open: the file is nothing without its log. A run sets it by a synced commit, which makes the log's name durable too, and moves
//     that into the file before its first change. It removes it by its last commit, when the file has everything else.
//
// What a power cut leaves is served:
//   - The file is not open and has no log: the run had not begun, or had ended.
//   - The log has no whole commit: its changes are in the file, or nobody was told of them. The log is there, however torn.
//   - A checkpoint had begun to write to the file: the log was synced before, and has it all. A row that is torn does not match its
//     check, and says nothing.
// In none of these is the file open and its log gone.
//
// Another program that opens a crashed database, such as sqlite3, moves the log into it and removes it. That looks like a log that is
// lost, so only the operator can say which it is.
namespace ledger {

extern const char* const create_log_table;

// A database is in rollback mode (bytes 18 and 19 of its file) when it is a backup, or when the operator has given up a log. It is
// whole, whatever its row says.
inline constexpr std::int64_t mode_place = 18;

// Drawn at random, so that no two logs have the same.
struct Epoch {
  std::array<char, 16> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

struct LogRow {
  std::int64_t one = 1;
  Epoch epoch{};
  Epoch epoch_before{};
  bool is_open = false;
};

// Throws bad_data if the log holds changes of another database than this one, as when an old copy was put over it: reading one
// through the other would mix them, and destroy both. Or if there is no log and must be one: what only it had would be lost. Throws
// what require_schema throws, too. No file is changed or made. The caller has locked the database.
void require_own_log(const std::string& file, std::int32_t application, std::int32_t version);

// Says of a database in rollback mode that it is not open, before it gets a log.
void close_if_whole(Database& database);

// The row, as the connection keeps it that writes the database. Owned by that connection, used by its thread, and dies before it.
class OwnLog {
 public:
  // Reads the row, or makes that of a new database. Throws bad_data.
  OwnLog(Database& database, bool is_new);

  // The log's first commit, when the file has all of the last one.
  void begin();
  void set_open(bool is_open);
  // What the file has without its log is what this connection moved there, if it has. False: it was overwritten, as by a copy of
  // another time.
  bool is_beside() const;

 private:
  Database& database_;
  LogRow row_;
  bool is_in_file_ = false;
  std::int64_t page_begin_;  // Where the file has the row.
  std::int64_t page_size_;
  Statement write_;
};

}  // namespace ledger
