// The change that a customer asked for and whose answer nobody has seen yet: on the disk before it
// is sent (rule 21 of the money rules).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/operation_id.h"

namespace teller {

inline constexpr std::array<std::string_view, 4> change_kinds = {"withdrawal", "deposit",
                                                                 "transfer", "PIN change"};

struct PendingChange {
  ledger::OperationId id;
  std::string kind;  // One of change_kinds.
  std::string what;  // "60.00 EUR"; empty for a PIN change.
  // Which ATM was asked, as it states itself: 16 bytes; empty if it does not.
  std::string atm_id = {};
  // Of the amount that was asked for; empty for a PIN change.
  std::string currency = {};

  friend bool operator==(const PendingChange&, const PendingChange&) = default;
};

// What a card's holder waits for, a file for each ATM, and that only one command with the card runs
// at a time. The files' names tell neither card nor PIN, and nothing depends on how an ATM's address
// is spelled. Owned by main; no threads.
//
// Invariant: while a change may have been sent and its outcome was not told, a file holds it.
class PendingFiles {
 public:
  // Throws Failure(unavailable) while another command with this card is running, and
  // Failure(cannot_create) when nothing can be kept there.
  PendingFiles(const std::filesystem::path& directory, std::string_view card);
  PendingFiles(const PendingFiles&) = delete;
  PendingFiles& operator=(const PendingFiles&) = delete;
  ~PendingFiles();

  // At every ATM. Throws Failure(io_error), which says what to do, if one of the files is damaged
  // or the folder cannot be read. Never waits.
  std::vector<PendingChange> read() const;
  // Whether one waits at this ATM.
  bool holds(const std::string& atm_id) const;
  // On the disk when this returns. There must be none at its ATM.
  void write(const PendingChange& change);
  // The outcome of the one at this ATM was told.
  void clear(const std::string& atm_id);

 private:
  std::filesystem::path path_of(const std::string& atm_id) const;

  std::filesystem::path directory_;
  std::string card_name_;  // What each file's name begins with.
  int lock_ = -1;
};

}  // namespace teller
