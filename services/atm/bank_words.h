// BankWords: whether what a bank says can be (rules 1 and 17).
#pragma once

#include <string>

#include <google/protobuf/message.h>

#include "bank/v1/bank.pb.h"
#include "ledger/money.h"

namespace atm {

// Why an answer of the bank's cannot be, in a clause; empty when it can. Each
// of its amounts has to be in this ATM's currency, or in an account's own where
// only that is shown; a balance has both of its amounts; of a hold no more can
// be captured than was held, something when it is called captured, and nothing
// else; what was done has a number in the bank's journal, and a refusal a
// reason. An answer that cannot be is none: what it was to say is unknown.
std::string why_impossible(const google::protobuf::Message& answer, ledger::Currency ours);

}  // namespace atm
