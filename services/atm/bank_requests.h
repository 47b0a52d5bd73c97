// What the bank is told of a withdrawal's hold or of a deposit, the first time and whenever it is told
// again.
#pragma once

#include "atm/records.h"
#include "bank/v1/bank.pb.h"

namespace atm {

// Each says what the hold was: a bank that has lost it, as an old backup has, names the customer to
// its operator.
::bank::v1::CaptureRequest capture_of(const Withdrawal& withdrawal, Currency currency);
::bank::v1::SuspendRequest suspend_of(const Withdrawal& withdrawal, Currency currency);
::bank::v1::VoidRequest void_of(const Withdrawal& withdrawal);
// Under the id with which it is posted now. `kept`: the customer does not get the notes back, whatever the bank says.
::bank::v1::DepositRequest deposit_of(const Deposit& deposit, bool kept, Currency currency);

}  // namespace atm
