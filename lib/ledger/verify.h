#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "ledger/chain.h"

namespace ledger {

// What a sound journal holds.
struct Verified {
  ChainHead head;
  std::size_t accounts = 0;
  std::uint64_t transfers = 0;
  // The tables show everything up to this record; they were compared as of there.
  std::uint64_t projected_through = 0;
};

// Goes through a bank's database from its first row: the file's own structure, the chain of hashes, every decision against the
// rules, the zero sum, and every row of the tables against the books that follow from the journal. Keeps banks away while it does so. Makes and
// changes no file, so none has to be writable. Throws StorageError (bad_data) that names the first row that is wrong, or says what a
// start refuses, (no_input) when there is no such file, (cannot_create) when it cannot look.
Verified verify(const std::string& path);

}  // namespace ledger
