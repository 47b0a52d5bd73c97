// From what the ledger says to the wire's messages.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bank/v1/bank.pb.h"
#include "bank/v1/operator.pb.h"
#include "ledger/books.h"
#include "ledger/record.h"
#include "ledger/store.h"

namespace bank {

v1::Money to_money(ledger::Cents amount, ledger::Currency currency);
// A card as it was named: a number masked, an id and an account with four digits as they are.
std::string shown_card(std::string_view name);
// What the bank believes is inside a terminal: minus its cash account's balance.
v1::Money cash_in(const ledger::Account& cash_account);
v1::Refusal to_message(const ledger::Refusal& refusal);
// A no that is the service's own and not the ledger's.
v1::ChangePinResponse unsuitable_pin(std::string_view sentence);

// These are filled where they are, and set every field: they are part of nearly every response, and a message is dear to make
// and to move.
void fill(v1::Money& money, ledger::Cents amount, ledger::Currency currency);
void fill(v1::Balance& balance, const ledger::Account& account);
void fill(v1::Receipt& message, const ledger::Receipt& receipt);
v1::Done to_done(const ledger::Receipt& receipt);
v1::HoldView to_view(const ledger::HoldEntry& hold, ledger::Currency currency);

v1::Account to_message(const ledger::Account& account);
v1::Terminal to_message(const ledger::Terminal& terminal, const ledger::Account& cash_account);
v1::Card to_message(const ledger::Card& card, const ledger::Account& account);
v1::OpenHold to_message(const ledger::HoldEntry& hold, const ledger::Books& books);
v1::ExceptionView to_message(const ledger::ExceptionEntry& exception);
v1::TrialBalance to_message(const ledger::Totals& totals);
v1::TransferView to_message(const ledger::Transfer& transfer, const ledger::Books& books);
// As the account sees it.
v1::StatementEntry to_entry(const ledger::Transfer& transfer, ledger::AccountNumber account,
                            const ledger::Books& books);

// The wire's form of hashes and instance ids.
template <std::size_t size>
std::string to_bytes(const std::array<std::uint8_t, size>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The wire's form of an id. Empty: it is not set.
inline std::string bytes_of(const ledger::OperationId& id) {
  return id.is_set() ? std::string(id.view()) : std::string();
}

// The account of a card that is known to exist, as that of one whose PIN was right.
const ledger::Account& account_of(const ledger::Books& books, std::string_view card_number);

// Sets `receipt` or `refusal` of a response, which may be one that was used before.
template <typename Response>
void refuse(Response& response, const ledger::Refusal& refusal) {
  *response.mutable_refusal() = to_message(refusal);
}
template <typename Response>
void answer(Response& response, const ledger::Outcome& outcome) {
  if (outcome) {
    fill(*response.mutable_receipt(), *outcome);
  } else {
    refuse(response, outcome.error());
  }
}

// A response with `receipt` or `refusal`.
template <typename Response>
Response receipt_or_refusal(const ledger::Outcome& outcome) {
  Response response;
  answer(response, outcome);
  return response;
}

// A response with `done` or `refusal`.
template <typename Response>
Response done_or_refusal(const ledger::Outcome& outcome) {
  Response response;
  if (outcome) {
    *response.mutable_done() = to_done(*outcome);
  } else {
    *response.mutable_refusal() = to_message(outcome.error());
  }
  return response;
}

// A response with `executed`, `refused`, `fenced` or `refusal`.
template <typename Response>
Response to_resolution(const ledger::Resolution& resolution) {
  using Is = ledger::Resolution::Is;
  Response response;
  const ledger::Outcome& outcome = resolution.outcome;
  if (resolution.is == Is::executed) {
    fill(*response.mutable_executed(), *outcome);
  } else if (resolution.is == Is::fenced) {
    response.mutable_fenced()->set_ledger_seq(outcome->ledger_seq);
  } else if (resolution.is == Is::refused) {
    *response.mutable_refused() = to_message(outcome.error());
  } else {
    *response.mutable_refusal() = to_message(outcome.error());
  }
  return response;
}

template <typename Response>
Response refused(const ledger::Refusal& refusal) {
  Response response;
  *response.mutable_refusal() = to_message(refusal);
  return response;
}

}  // namespace bank
