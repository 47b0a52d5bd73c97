// Audit: is every cent accounted for? (rule 20)
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "atm/notes.h"
#include "atm/stock.h"

namespace atm {

struct Books {
  Cents loaded, deposited, in_cassettes, in_deposit_bin, rejected, presented, unknown, unloaded;
};
Books books_of(const Stock& stock);

// The first equation, inside the ATM, of every denomination: one sentence for each that does not
// hold.
std::vector<std::string> differences_inside(const Stock& stock, Currency currency);

// The second, between the ATM and the bank, which holds when nothing is on its way.
std::optional<std::string> difference_with_bank(const Stock& stock, Cents at_bank,
                                                Currency currency);

// What the devices found, against what the books have there: one sentence for each denomination
// and place that differ.
std::vector<std::string> differences_found(const std::string& place, const Notes& expected,
                                           const Notes& counted, Currency currency);

}  // namespace atm
