// Items in words, for whoever has to find them at the bank and set right what is wrong.
#pragma once

#include <string>

#include "atm/records.h"

namespace atm {

// The amount, the masked card, when it was asked for, and the bank's own id of it: "60.00 EUR, card
// ************0010, 2026-11-30T16:05:04.000000Z, hold 019b2ec1-ac80-753c-b6d7-6cec99e07585".
std::string described(const Withdrawal& withdrawal, Currency currency);
std::string described(const Deposit& deposit, Currency currency);
std::string described(const Movement& movement, Currency currency);

// Of an item that ended as it must not. The operator may have settled it, which no ATM is told.
template <Record T>
std::string exception_sentence(const T& record, Currency currency) {
  return "The " + std::string(T::kind) + " " + record.id.text() + " (" +
         described(record, currency) + ") ended as an exception: " + record.exception +
         ". `bankctl exceptions list` shows whether it is settled.";
}

}  // namespace atm
