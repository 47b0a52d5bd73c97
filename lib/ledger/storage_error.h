#pragma once

#include <cstdint>
#include <string>

#include "async/fatal.h"

namespace ledger {

// The storage broke, or cannot be used: the world's fault and not an answer. Ends the process, with the exit status that says
// which; the text is one sentence that names the file.
class StorageError : public async::Fatal {
 public:
  // The values are sysexits.
  enum class Kind : std::uint8_t {
    bad_data = 65,  // What is on disk is not what was written.
    no_input = 66,  // What is only to be read is not there.
    cannot_create =
        73,  // No such directory, no permission, locked by another process, not a database.
    // A read or a write failed, or the file is not the one any more that was opened. After a failed commit the outcome is unknown.
    io = 74,
    other_schema = 78,  // Written by another version of this program.
  };

  StorageError(Kind kind, const std::string& sentence) : Fatal(sentence), kind_(kind) {}

  Kind kind() const { return kind_; }
  int exit_status() const { return static_cast<int>(kind_); }

 private:
  Kind kind_;
};

}  // namespace ledger
