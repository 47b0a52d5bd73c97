// The audit of an ATM that does not run (rule 20).
#pragma once

#include <filesystem>
#include <iosfwd>

namespace atm {

// Reads every row of the journal and verifies it, follows the chain of its events, adds up every
// terminal's notes, and compares them with what its simulated devices really hold. Prints the
// figures and one sentence for each difference. Returns 0, or 65 if there is any. Throws
// StorageError, and ops::Failure when the folder holds no journal.
int audit_offline(const std::filesystem::path& data, std::ostream& out);

}  // namespace atm
