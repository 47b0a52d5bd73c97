// What both gRPC servers answer.
#pragma once

#include "accounts.h"
#include "bank/v1/bank.pb.h"

inline void answer(const Balances& balances, const bank::v1::GetBalanceRequest& request,
                   bank::v1::GetBalanceResponse& response) {
  const std::int64_t cents = balances.find(request.card_number())->second;
  bank::v1::Balance& balance = *response.mutable_balance();
  balance.mutable_balance()->set_minor_units(cents);
  balance.mutable_balance()->set_currency("EUR");
  balance.mutable_available()->set_minor_units(cents);
  balance.mutable_available()->set_currency("EUR");
  response.set_ledger_seq(20'000);
}
