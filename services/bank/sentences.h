// What a person is told about a refusal.
#pragma once

#include <string>

#include "ledger/refusal.h"

namespace bank {

// One sentence, with money in major units: "Only 40.00 EUR are available."
std::string sentence(const ledger::Refusal& refusal);

}  // namespace bank
