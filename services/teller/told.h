// What customers are told: every answer of the ATM in words.
#pragma once

#include <string>

#include "atm/v1/atm.pb.h"
#include "ops/failure.h"
#include "rpc/status.h"
#include "teller/customer.h"

namespace teller {

// What became of a call that the customer did not wait for.
inline const rpc::Status gave_up = {.code = rpc::StatusCode::cancelled,
                                    .message = "you did not wait for it"};

// Why a call has no answer, without the status' name: "no answer came in time". No full stop.
std::string words_of(const rpc::Status& status);

// How a command ends whose call changed nothing.
ops::Failure no_answer(const rpc::Status& status);

// "You have not enough money." and what helps: the amounts that can be paid, the tries left.
std::string sentence(const atm::v1::Decline& decline);

// What a change came to, on a line or two: "60.00 EUR paid: 3 x 20.00 EUR." or why it was not done.
std::string sentence(const Outcome& outcome, const PendingChange& asked);

// The same of a change that an earlier command left without an answer: "Your earlier withdrawal of
// 60.00 EUR was done: ...".
std::string sentence_of_earlier(const Outcome& outcome, const PendingChange& change);

// That nobody knows what became of it, and what to do.
std::string sentence_of_unknown(const PendingChange& change, const rpc::Status& status);

// Where the bank has it; without a number if that is not told.
atm::v1::BankEntry bank_entry_of(const Outcome& outcome);

// "withdrawal of 60.00 EUR", "PIN change".
std::string name_of(const PendingChange& change);

// "balance" and "available", a line each.
std::string balance_lines(const bank::v1::Balance& balance);

// One note a line, as they come out.
std::string counted_out(const atm::v1::Withdrawn& withdrawn);

std::string statement_table(const bank::v1::Statement& statement);

}  // namespace teller
