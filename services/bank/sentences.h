// What a person is told about a refusal.
#pragma once

#include <string>

#include "ledger/entries.h"
#include "ledger/refusal.h"

namespace bank {

// One sentence, with money in major units: "Only 40.00 EUR are available."
std::string sentence(const ledger::Refusal& refusal);

// The notes that a suspended hold's terminal may have paid: "They are 3x20.00 EUR, 1x50.00 EUR."
std::string sentence_of_planned(const ledger::ExceptionEntry& exception);

}  // namespace bank
