// The transitions of a deposit: what each writes down, and what it tells the customer.
#include <utility>

#include "atm/deposits.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

Task<> Deposits::to_counted(DepositItem item, Notes counted) {
  item->record.state = DepositState::counted;
  item->record.counted = std::move(counted);
  item->record.counted_at_us = machinery_.now_us();
  co_await machinery_.journal.commit(
      item->terminal.entry(item->record, item->record.counted.encoded()));
}

Task<> Deposits::to_posting(DepositItem item) {
  item->record.state = DepositState::posting;
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
}

void Deposits::to_credited(const DepositItem& item, const wire::Receipt& receipt) {
  Deposit& deposit = item->record;
  deposit.state = DepositState::credited;
  deposit.credited = true;
  deposit.ledger_seq = receipt.ledger_seq();
  deposit.balance_told = receipt.has_balance();
  deposit.balance = Cents{receipt.balance().balance().minor_units()};
  deposit.available = Cents{receipt.balance().available().minor_units()};
  note(item);
}

void Deposits::count_as_kept(const DepositItem& item) {
  if (std::exchange(item->record.kept, true)) return;
  item->terminal.stock().keep(item->record.counted);
  ++item->terminal.today().deposits;
  item->terminal.today().deposited += item->record.counted.amount();
}

Task<> Deposits::to_kept(DepositItem item) {
  item->record.state = DepositState::kept;
  count_as_kept(item);
  v1::DepositResponse response;
  *response.mutable_deposited() = deposited(item->record);
  if (!item->answered.is_set()) item->record.answer = stored(response);
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
  item->answered.set();
}

// No answer by the customer's deadline: the notes stay, and the queue goes on asking.
Task<> Deposits::to_kept_uncredited(DepositItem item) {
  const Told<Accepted> told = co_await item->terminal.acceptor().keep(item->record.id);
  if (told && told->place == Place::returned) {
    co_return to_exception(item, wire::Refusal());
  }
  item->record.state = DepositState::posting;
  count_as_kept(item);
  v1::DepositResponse response;
  *response.mutable_deposited() = deposited(item->record);
  if (!item->answered.is_set()) item->record.answer = stored(response);
  co_await machinery_.journal.commit(item->terminal.entry(item->record, "kept, not yet credited"));
  item->answered.set();
}

Task<> Deposits::to_returned(DepositItem item) {
  item->record.state = DepositState::returned;
  answer_returned(item);
  co_await machinery_.journal.commit(item->terminal.entry(item->record, item->record.evidence));
}

Task<> Deposits::to_suspense(DepositItem item, std::string evidence) {
  item->record.state = DepositState::suspense;
  item->record.evidence = std::move(evidence);
  v1::DepositResponse response;
  response.mutable_suspense()->set_message(
      "The ATM cannot tell where your notes are. Staff will look; nothing of them is lost.");
  *response.mutable_suspense()->mutable_amount() =
      to_wire(item->record.counted.amount(), machinery_.settings.currency);
  if (!item->answered.is_set()) item->record.answer = stored(response);
  ++item->terminal.today().suspense;
  co_await machinery_.journal.commit(item->terminal.entry(item->record, item->record.evidence));
  item->answered.set();
}

void Deposits::to_exception(const DepositItem& item, const wire::Refusal& refusal) {
  item->record.exception =
      refusal.message().empty() ? wire::RefusalCode_Name(refusal.code()) : refusal.message();
  machinery_.log.error("the bank refused a deposit whose notes are kept",
                       {{"deposit", item->record.id.text()},
                        {"state", name(item->record.state)},
                        {"refusal", item->record.exception}});
  note(item, "refused: " + item->record.exception);
}

wire::DepositRequest Deposits::posting(const Deposit& deposit) const {
  wire::DepositRequest request;
  request.set_id(std::string(deposit.post_id.view()));
  request.set_terminal_id(deposit.terminal);
  request.set_card_number(deposit.card);
  *request.mutable_amount() = to_wire(deposit.counted.amount(), machinery_.settings.currency);
  return request;
}

v1::Deposited Deposits::deposited(const Deposit& deposit) const {
  v1::Deposited taken;
  *taken.mutable_amount() = to_wire(deposit.counted.amount(), machinery_.settings.currency);
  taken.set_credited(deposit.credited);
  if (deposit.balance_told) {
    *taken.mutable_balance() =
        to_wire(deposit.balance, deposit.available, machinery_.settings.currency);
  }
  return taken;
}

void Deposits::answer(const DepositItem& item, const v1::DepositResponse& response) {
  item->record.answer = stored(response);
  item->answered.set();
}

void Deposits::answer_returned(const DepositItem& item) {
  if (item->answered.is_set()) return;
  std::string sentence = "Your notes were given back.";
  if (!item->record.evidence.empty()) sentence += " The reason: " + item->record.evidence + ".";
  v1::DepositResponse response;
  *response.mutable_decline() = decline(v1::DECLINE_CODE_NOTES_RETURNED, sentence);
  answer(item, response);
}

void Deposits::note(const DepositItem& item, std::string detail) {
  machinery_.journal.note(item->terminal.entry(item->record, std::move(detail)));
}

v1::DepositResponse Deposits::first_answer(const Item<Deposit>& item) const {
  return from_stored<v1::DepositResponse>(item.record.answer);
}

v1::ResolveResponse Deposits::outcome(const Item<Deposit>& item) const {
  const Deposit& deposit = item.record;
  v1::ResolveResponse response;
  if (!item.answered.is_set()) {
    response.mutable_pending()->set_message("The deposit is under way, waiting for " +
                                            item.waiting_for + ".");
    return response;
  }
  v1::DepositResponse first = first_answer(item);
  if (deposit.credited || deposit.kept) {
    *response.mutable_deposited() = deposited(deposit);
  } else if (deposit.state == DepositState::returned && !first.has_decline()) {
    *response.mutable_declined() =
        decline(v1::DECLINE_CODE_NOTES_RETURNED, "Your notes were given back.");
  } else if (first.has_suspense()) {
    *response.mutable_suspense() = std::move(*first.mutable_suspense());
  } else {
    *response.mutable_declined() = std::move(*first.mutable_decline());
  }
  return response;
}

}  // namespace atm
