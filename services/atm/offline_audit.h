// The audit of an ATM that does not run (rule 20).
#pragma once

#include <filesystem>
#include <iosfwd>

namespace atm {

// Reads every row of the journal and of the simulated devices' file and verifies it, follows the
// chain of the events, whose items must all be there, adds up every terminal's notes, and compares
// them with what its devices really hold. A withdrawal in suspense does not keep it from comparing:
// as many notes as are unknown may lie inside. Prints the figures, what was not compared and why, and
// one sentence for each difference. Returns 0; 65 if there is any difference, also where notes have
// moved and the devices' file is missing; else 69 if an item under way, or a device that does not
// answer, kept it from comparing. Throws StorageError, and ops::Failure when the folder holds no
// journal.
int audit_offline(const std::filesystem::path& data, std::ostream& out);

}  // namespace atm
