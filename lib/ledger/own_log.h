#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/sqlite.h"

// A database and its write-ahead log are two files, and only together they have everything. Whether they belong together, neither is
// missing, and nobody has written over the file, is told by one row. Internal to what opens databases.
//
// The table `log` of each of our databases has this row:
//   epoch: drawn anew by the last commit before each checkpoint. Its number is one more than the last one's.
//   file_epoch: the epoch that the file had when this log began. A log begins when a checkpoint has moved all of the one before, and
//     its first commit writes this.
//   needs_log: a file that has this row without a log lacks something, or may. True from the last commit before a checkpoint until the
//     first one after it. So the file says this from a run's first checkpoint, which comes before its first change, or before the
//     first change at which nobody reads what would have to stay.
//
// A checkpoint moves a page only when it may move the newest that the log has of it. So the row that our checkpoints leave in the file
// is the one from just before, with needs_log, and it gets there only by a checkpoint that moves all or is cut short. Whoever else
// takes what the database has together with its log (a backup; sqlite3, when it closes a crashed database and removes the log) takes
// everything, and nearly always a row that needs no log.
//
// File and log belong together when the file, read without the log, has
//   - as its epoch the log's file_epoch: all of the log before, and nothing of this one; or
//   - the log's own file_epoch: that, and something of this log, which has it too.
// A copy of an earlier log has neither, whatever it has of that log. And the file's epoch has no higher number than the log's: whoever
// copies a log, and the file when a checkpoint has moved more than that into it, has a log that is older than its file.
//
// What a power cut leaves is served:
//   - No log, and the file needs none: the run had not begun to move anything, or had ended.
//   - The log has no whole commit: its changes are in the file, or nobody was told of them. The log is there, however torn.
//   - A checkpoint had begun to write to the file: the log and its name were synced before, and it has everything. A row that is torn
//     does not match its check, and says nothing.
// In none of these does the file need a log that is gone.
namespace ledger {

extern const char* const create_log_table;

// A database is in rollback mode (bytes 18 and 19 of its file) when it is a backup, or when the operator has given up a log. It is
// whole, whatever its row says.
inline constexpr std::int64_t mode_place = 18;

// A number, and what was drawn at random, so that no two logs have the same.
struct Epoch {
  std::array<char, 16> bytes{};

  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::uint64_t number() const;
  friend bool operator==(const Epoch&, const Epoch&) = default;
};

struct LogRow {
  std::int64_t one = 1;
  Epoch epoch{};
  Epoch file_epoch{};
  bool needs_log = false;
};

// Throws bad_data if the log holds changes of another database than this one, as when an old copy was put over it: reading one
// through the other would mix them, and destroy both. Or if there is no log and must be one: what only it had would be lost. Throws
// what open_schema throws, too. No file is changed or made. The caller has locked the database.
void require_own_log(const std::string& file, std::int32_t application, std::int32_t version);

// Of a connection that only reads, in a View: what the file has without the log that it reads is what belongs to that. False: it was
// overwritten, as by a copy of another time.
bool is_beside_its_log(Database& database);

// Says of a database in rollback mode that it needs no log, before it gets one.
void close_if_whole(Database& database);

// The row, as the connection keeps it that writes the database. Owned by that connection, used by its thread, and dies before it.
class OwnLog {
 public:
  // Reads the row, or makes that of a new database. Throws bad_data.
  OwnLog(Database& database, bool is_new);

  // The last commit before a checkpoint, and the first after it. `all`: the file has everything, and a new log begins.
  void before_checkpoint();
  void after_checkpoint(bool all);
  // What the file has without its log is what was there at first, or what this connection moved there. False: it was overwritten, as
  // by a copy of another time.
  bool is_beside() const;

 private:
  Database& database_;
  LogRow row_;
  std::int64_t page_begin_;  // Where the file has the row.
  std::int64_t page_size_;
  // Not before the first checkpoint of a new file, nor of one where a power cut has torn it.
  bool is_in_file_;
  Statement write_;
};

}  // namespace ledger
