// Messages: between the wire's types and the ATM's, and the words that customers read.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>
#include <google/protobuf/repeated_ptr_field.h>

#include "atm/mix.h"
#include "atm/notes.h"
#include "atm/table.h"
#include "atm/v1/atm.pb.h"
#include "bank/v1/bank.pb.h"
#include "rpc/status.h"

namespace atm {

using WireNotes = google::protobuf::RepeatedPtrField<v1::Notes>;

::bank::v1::Money to_wire(Cents amount, Currency currency);
WireNotes to_wire(const Notes& notes, Currency currency);
v1::Notes to_wire(const Notes::Entry& notes, Currency currency);
::bank::v1::Balance to_wire(Cents balance, Cents available, Currency currency);

// Where the bank has a change, for the receipt.
v1::BankEntry bank_entry(const OperationId& id, std::uint64_t ledger_seq);
v1::Decline decline(v1::DeclineCode code, std::string_view sentence);
// That amounts and notes of another currency are nothing to this ATM.
v1::Decline other_currency(Currency ours);
// That no notes of its currency go into an account in another.
v1::Decline account_in_other_currency(Currency account, Currency ours);
// That it handles other notes of its currency.
v1::Decline other_denomination(Cents denomination, std::span<const Cents> ours, Currency currency);
// Of a call that the bank did not decide: "The bank cannot do it now: <why>" where it has said why it
// takes nothing, else `silence`.
v1::Decline undecided_by_bank(v1::DeclineCode code, const rpc::Status& status,
                              std::string_view silence);
v1::Decline decline_by_bank(const ::bank::v1::Refusal& refusal);
// What it says, as a clause for a sentence of ours: without the full stop with which the bank ends it.
std::string clause_of(const ::bank::v1::Refusal& refusal);
// For the operator, as the exception that an item ends with: "the bank refused it: ...".
std::string refused_by_bank(const ::bank::v1::Refusal& refusal);
v1::Decline cannot_make(Cents amount, std::span<const Cents> nearest, Currency currency);

// What a message says, as it is journalled, and back. What the journal holds was checked when it
// was read, so it parses.
Blob stored(const google::protobuf::Message& message);
template <typename Message>
Message from_stored(const Blob& blob) {
  Message message;
  const bool parsed = message.ParseFromString(blob.bytes);
  ledger::check(parsed);
  return message;
}

// Overwrites a secret in a message before its memory is given back.
void wipe(std::string& secret);

}  // namespace atm
