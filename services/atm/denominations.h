// Denominations: which notes an ATM handles.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "atm/notes.h"

namespace atm {

// The notes of a currency that cash machines are filled with, smallest first; nullopt if unknown.
std::optional<std::vector<Cents>> usual_denominations(Currency currency);

// As the configuration names them, each in major units, in any order, some perhaps joined by commas:
// {"5", "10,20"}. Smallest first; at least one. The error is the end of a sentence that
// begins with the option's name.
std::expected<std::vector<Cents>, std::string> parse_denominations(
    const std::vector<std::string>& listed, Currency currency);

}  // namespace atm
