// The transitions of a deposit: what each writes down, and what it tells the customer.
#include <utility>

#include "atm/deposits.h"
#include "atm/described.h"
#include "atm/messages.h"
#include "ops/suggest.h"

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
  deposit.told_in = machinery_.bank.history();
  deposit.balance_told = receipt.has_balance();
  deposit.balance = Cents{receipt.balance().balance().minor_units()};
  deposit.available = Cents{receipt.balance().available().minor_units()};
  note(item);
}

void Deposits::count_as_kept(const DepositItem& item) {
  if (std::exchange(item->record.kept, true)) return;
  item->terminal.stock().keep(item->record.counted);
  DayTotals& today = item->terminal.today();
  ++today.deposits;
  today.deposited += item->record.counted.amount();
}

Task<> Deposits::to_kept(DepositItem item) {
  item->record.state = DepositState::kept;
  count_as_kept(item);
  answer_deposited(item);
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
  item->answered.set();
}

// No answer by the customer's deadline: the notes stay, and the queue goes on asking.
Task<> Deposits::to_kept_uncredited(DepositItem item) {
  Told<Accepted> told = co_await item->terminal.acceptor().keep(item->record.id);
  co_await to_taken(item, std::move(told));
}

// An acceptor that gave them back all the same has ended the deposit for the customer; what the bank
// knows of it is asked later.
Task<> Deposits::to_taken(DepositItem item, Told<Accepted> told) {
  item->record.state = DepositState::posting;
  if (told && (told->place == Place::returned || told->place == Place::never_seen)) {
    item->record.evidence = "the acceptor did not keep them";
    answer_returned(item);
  } else {
    if (told && told->place == Place::kept) count_as_kept(item);
    answer_deposited(item);
  }
  const char* const detail = is_promised(item) ? "taken, not yet credited" : "given back";
  co_await machinery_.journal.commit(item->terminal.entry(item->record, detail));
  item->answered.set();
}

Task<> Deposits::note_kept(DepositItem item) {
  count_as_kept(item);
  co_await machinery_.journal.commit(item->terminal.entry(item->record, "kept"));
}

Task<> Deposits::to_returned(DepositItem item) {
  item->record.state = DepositState::returned;
  answer_returned(item);
  co_await machinery_.journal.commit(item->terminal.entry(item->record, item->record.evidence));
  item->answered.set();
}

Task<> Deposits::to_suspense(DepositItem item, std::string evidence) {
  item->record.state = DepositState::suspense;
  item->record.evidence = std::move(evidence);
  answer_suspense(item);
  ++item->terminal.today().suspense;
  co_await machinery_.journal.commit(item->terminal.entry(item->record, item->record.evidence));
  machinery_.log.warn("a deposit is in suspense", {{"terminal", item->terminal.id()},
                                                   {"deposit", item->record.id.text()},
                                                   {"why", item->record.evidence}});
  item->answered.set();
}

void Deposits::to_exception(const DepositItem& item, std::string why) {
  item->record.exception = std::move(why);
  machinery_.log.error("a deposit ended as an exception",
                       {{"deposit", item->record.id.text()},
                        {"was", described(item->record, machinery_.settings.currency)},
                        {"state", name(item->record.state)},
                        {"why", item->record.exception}});
  note(item, item->record.exception);
  item->answered.set();
}

v1::Deposited Deposits::deposited(const Deposit& deposit) const {
  v1::Deposited taken;
  *taken.mutable_amount() = to_wire(deposit.counted.amount(), machinery_.settings.currency);
  taken.set_credited(deposit.credited);
  if (deposit.credited) *taken.mutable_bank() = bank_entry(deposit.post_id, deposit.ledger_seq);
  Notes handed_back;
  for (const Notes::Entry& more : deposit.put_in - deposit.counted) {
    if (more.count > 0) handed_back.add(more.denomination, more.count);
  }
  *taken.mutable_handed_back() = to_wire(handed_back, machinery_.settings.currency);
  if (deposit.balance_told) {
    *taken.mutable_balance() =
        to_wire(deposit.balance, deposit.available, machinery_.settings.currency);
  }
  return taken;
}

void Deposits::answer(const DepositItem& item, const v1::DepositResponse& response) {
  if (item->record.answer.bytes.empty()) item->record.answer = stored(response);
}

void Deposits::answer_deposited(const DepositItem& item) {
  v1::DepositResponse response;
  *response.mutable_deposited() = deposited(item->record);
  answer(item, response);
}

void Deposits::answer_suspense(const DepositItem& item) {
  v1::DepositResponse response;
  response.mutable_suspense()->set_message(
      "The ATM cannot tell where your notes are. Staff will look; nothing of them is lost.");
  *response.mutable_suspense()->mutable_amount() =
      to_wire(item->record.counted.amount(), machinery_.settings.currency);
  answer(item, response);
}

bool Deposits::is_promised(const DepositItem& item) const {
  return first_answer(*item).has_deposited();
}

void Deposits::answer_returned(const DepositItem& item) {
  std::string sentence = "Your notes were given back.";
  if (!item->record.evidence.empty()) {
    sentence += ops::as_sentence(" The reason: " + item->record.evidence);
  }
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

// Whether or not the acceptor has said by now that it kept them.
void Deposits::taken(const Deposit& deposit, v1::ResolveResponse& response) const {
  if (deposit.exception.empty()) {
    *response.mutable_deposited() = deposited(deposit);
    return;
  }
  v1::Suspense& suspense = *response.mutable_suspense();
  suspense.set_message("Your notes were counted, but not credited: " + deposit.exception +
                       ". Your bank's operator has to decide; nothing of them is lost.");
  *suspense.mutable_amount() = to_wire(deposit.counted.amount(), machinery_.settings.currency);
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
  if (deposit.credited) {
    *response.mutable_deposited() = deposited(deposit);
  } else if (deposit.state == DepositState::returned && !first.has_decline()) {
    *response.mutable_declined() =
        decline(v1::DECLINE_CODE_NOTES_RETURNED, "Your notes were given back.");
  } else if (deposit.kept || first.has_deposited()) {
    taken(deposit, response);
  } else if (first.has_suspense()) {
    *response.mutable_suspense() = std::move(*first.mutable_suspense());
  } else {
    async::check(first.has_decline(), "a deposit that was not taken was declined");
    *response.mutable_declined() = std::move(*first.mutable_decline());
  }
  return response;
}

}  // namespace atm
