// What a person is told about a refusal.
#pragma once

#include <string>
#include <vector>

#include "ledger/books.h"
#include "ledger/entries.h"
#include "ledger/refusal.h"

namespace bank {

// One sentence, with money in major units: "Only 40.00 EUR are available."
std::string sentence(const ledger::Refusal& refusal);

// The notes that a suspended hold's terminal may have paid: "They are 3x20.00 EUR, 1x50.00 EUR."
std::string sentence_of_planned(const ledger::ExceptionEntry& exception);

// The accounts that a request names, and its amount's currency.
struct Parties {
  std::vector<std::string> accounts = {};
  std::string currency = "";
  // A customer is not told in which currency somebody else's account is.
  bool asked_by_operator = true;
};
// Those of a request that names one account.
Parties about(std::string account, std::string currency = "", bool asked_by_operator = true);
// The same, but names the account that the refusal is about: "There is no account nobody." It says
// what sentence(refusal) does where none of them is so any more.
std::string sentence(const ledger::Refusal& refusal, const ledger::Books& books,
                     const Parties& parties);

}  // namespace bank
