#pragma once

#include <string>

#include "ledger/file_lock.h"
#include "ledger/journal.h"

// Beside the bank's journal: who reads it. Internal to the SQLite journal.
namespace ledger {

// Opens a read-only connection when it is called; throws (io) if the file is not the one any more that the name stood for when this
// was made.
Journal::ReaderOpener open_readers_of(const std::string& file);

}  // namespace ledger
