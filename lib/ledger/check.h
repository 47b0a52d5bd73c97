#pragma once

#include "async/check.h"

namespace ledger {

// Stops the process when what must be true is not, in release builds too: a wrong sum must never reach the disk. Expected
// outcomes are not checked with this: those are refusals.
using async::check;

}  // namespace ledger
