// The change that a customer asked for and whose answer nobody has seen yet: on the disk before it
// is sent (rule 21 of the money rules).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ledger/operation_id.h"

namespace teller {

struct PendingChange {
  ledger::OperationId id;
  std::string kind;  // "withdrawal", "deposit", "transfer", "PIN change"
  std::string what;  // "60.00 EUR"; empty for a PIN change.

  friend bool operator==(const PendingChange&, const PendingChange&) = default;
};

// One customer at one ATM: what they wait for, and that only one command of theirs runs at a time.
// The file's name tells neither card nor PIN. Owned by main; no threads.
//
// Invariant: while a change may have been sent and its outcome was not told, the file holds it.
class PendingFile {
 public:
  // Throws Failure(unavailable) while another command with this card is running, and
  // Failure(cannot_create) when nothing can be kept there.
  PendingFile(const std::filesystem::path& directory, std::string_view atm,
              std::string_view terminal, std::string_view card);
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile();

  // Throws Failure(io_error) when there is one that cannot be read.
  std::optional<PendingChange> read() const;
  // On the disk when this returns. There must be none.
  void write(const PendingChange& change);
  // Its outcome was told.
  void clear();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;
};

}  // namespace teller
