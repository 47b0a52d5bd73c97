#include "atm/messages.h"

#include <sodium.h>

namespace atm {

::bank::v1::Money to_wire(Cents amount, Currency currency) {
  ::bank::v1::Money money;
  money.set_minor_units(amount.value);
  money.set_currency(currency.text());
  return money;
}

v1::Notes to_wire(const Notes::Entry& notes, Currency currency) {
  v1::Notes wire;
  *wire.mutable_denomination() = to_wire(notes.denomination, currency);
  wire.set_count(static_cast<std::uint32_t>(notes.count));
  return wire;
}

WireNotes to_wire(const Notes& notes, Currency currency) {
  WireNotes wire;
  for (const Notes::Entry& entry : notes) *wire.Add() = to_wire(entry, currency);
  return wire;
}

::bank::v1::Balance to_wire(Cents balance, Cents available, Currency currency) {
  ::bank::v1::Balance wire;
  *wire.mutable_balance() = to_wire(balance, currency);
  *wire.mutable_available() = to_wire(available, currency);
  return wire;
}

v1::BankEntry bank_entry(const OperationId& id, std::uint64_t ledger_seq) {
  v1::BankEntry entry;
  entry.set_id(std::string(id.view()));
  entry.set_ledger_seq(ledger_seq);
  return entry;
}

v1::Decline decline(v1::DeclineCode code, std::string_view sentence) {
  v1::Decline declined;
  declined.set_code(code);
  declined.set_message(std::string(sentence));
  return declined;
}

v1::Decline other_currency(Currency ours) {
  return decline(v1::DECLINE_CODE_MALFORMED, "This ATM handles " + ours.text() + " only.");
}

v1::Decline account_in_other_currency(Currency account, Currency ours) {
  return decline(
      v1::DECLINE_CODE_MALFORMED,
      "Your account is in " + account.text() + ", and this ATM handles " + ours.text() + " only.");
}

v1::Decline other_denomination(Cents denomination, std::span<const Cents> ours, Currency currency) {
  return decline(v1::DECLINE_CODE_MALFORMED,
                 "This ATM does not handle notes of " + ledger::to_text({denomination, currency}) +
                     ", only of " + ledger::to_text(ours, currency) + ".");
}

v1::Decline undecided_by_bank(v1::DeclineCode code, const rpc::Status& status,
                              std::string_view silence) {
  const bool has_said_why = status.code == rpc::StatusCode::resource_exhausted ||
                            status.code == rpc::StatusCode::failed_precondition;
  if (!has_said_why || status.message.empty()) return decline(code, silence);
  return decline(code, "The bank cannot do it now: " + status.message);
}

v1::Decline decline_by_bank(const ::bank::v1::Refusal& refusal) {
  v1::Decline declined = decline(v1::DECLINE_CODE_BY_BANK, refusal.message());
  *declined.mutable_refusal() = refusal;
  return declined;
}

std::string clause_of(const ::bank::v1::Refusal& refusal) {
  std::string clause = refusal.message();
  if (clause.empty()) clause = ::bank::v1::RefusalCode_Name(refusal.code());
  if (clause.ends_with('.')) clause.pop_back();
  return clause;
}

std::string refused_by_bank(const ::bank::v1::Refusal& refusal) {
  return "the bank refused it: " + clause_of(refusal);
}

v1::Decline cannot_make(Cents amount, std::span<const Cents> nearest, Currency currency) {
  std::string sentence = "The notes inside cannot make ";
  sentence += ledger::to_text({.amount = amount, .currency = currency}) + "; ";
  if (nearest.empty()) {
    sentence += "the ATM is empty.";
  } else {
    sentence += nearest.size() > 1 ? "the nearest are " : "the nearest is ";
    sentence += ledger::to_text({.amount = nearest.front(), .currency = currency});
    if (nearest.size() > 1) {
      sentence += " and " + ledger::to_text({.amount = nearest.back(), .currency = currency});
    }
    sentence += ".";
  }
  v1::Decline declined = decline(v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT, sentence);
  for (const Cents each : nearest) *declined.add_nearest() = to_wire(each, currency);
  return declined;
}

Blob stored(const google::protobuf::Message& message) { return {message.SerializeAsString()}; }

void wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace atm
