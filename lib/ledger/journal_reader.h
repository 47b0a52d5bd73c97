#pragma once

#include <string>

#include "ledger/file_lock.h"
#include "ledger/journal.h"

// Beside the bank's journal: who reads it, and what must be true of its files before it is opened. Internal to the SQLite journal.
namespace ledger {

// A bank's database is in rollback mode (bytes 18 and 19 of its file) only as a backup, which has no WAL; the first start changes that.
inline constexpr std::uint64_t mode_place = 18;

// Opens a read-only connection when it is called; throws (io) if the file is not the one any more that the name stood for when this
// was made.
Journal::ReaderOpener open_readers_of(const std::string& file);

// Throws bad_data if the WAL holds changes of another database than this one, as when an old backup was copied over it. Reading one
// through the other would mix them, and destroy both. Throws what Database::open_schema throws, too, if it is no bank's database.
// Neither file is changed. To be called by who has locked them.
void require_own_wal(const std::string& file);

}  // namespace ledger
