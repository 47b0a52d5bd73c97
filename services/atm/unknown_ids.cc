#include "atm/unknown_ids.h"

#include <string>
#include <utility>
#include <vector>

#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

v1::ResolveResponse pending(std::string_view why) {
  v1::ResolveResponse response;
  response.mutable_pending()->set_message(std::string(why));
  return response;
}

v1::ResolveResponse declined(v1::Decline why) {
  v1::ResolveResponse response;
  *response.mutable_declined() = std::move(why);
  return response;
}

v1::ResolveResponse never_done() {
  return declined(
      decline(v1::DECLINE_CODE_ID_FENCED, "It was not done, and can never be done under this id."));
}

v1::BankEntry entry_of(const wire::ResolveResponse& bank) {
  v1::BankEntry entry;
  entry.set_id(bank.change().id());
  entry.set_ledger_seq(bank.executed().ledger_seq());
  return entry;
}

}  // namespace

Task<v1::ResolveResponse> UnknownIds::resolve(Terminal& at, OperationId id, rpc::Context context) {
  const ItemPointer<Fence> before = known_.fences.find(id, at);
  if (before != nullptr) {
    co_await machinery_.journal.flush();
    co_return from_stored<v1::ResolveResponse>(before->record.answer);
  }
  if (!declines_.final_no(id) && !machinery_.disk.is_left()) {
    throw rpc::Error(rpc::StatusCode::resource_exhausted, std::string(disk_nearly_full));
  }
  const std::optional<AtBank> bank = co_await ask_bank(at, id, std::move(context));
  const std::optional<v1::ResolveResponse> same_no = own_no(id);
  if (same_no) co_await declines_.until_stored();
  if (!bank && same_no) co_return *same_no;
  if (!bank) co_return pending("The bank has not said yet what it knows of it.");
  v1::ResolveResponse told = told_by(*bank);
  const bool is_passed_through = told.has_transferred() || told.has_pin_changed();
  // The bank knows those by the same id: whoever sends it once more gets the first answer.
  if (is_passed_through || told.has_cannot_know()) co_return told;
  if (told.has_declined()) {
    const Told<std::optional<Cents>> amount = co_await moved(id);
    if (!amount) co_return pending("A device of this ATM has not said yet what it did.");
    if (*amount) told = moved_here(**amount);
  }
  // An earlier sending may have come late.
  if (known_.knows(id)) co_return pending("It is under way.");
  if (same_no && told.has_declined()) co_return *same_no;
  // Nothing is begun under an id that was declined: it needs no fence.
  if (same_no) co_return told;
  co_return co_await fence(at, id, std::move(told));
}

Task<std::optional<UnknownIds::AtBank>> UnknownIds::ask_bank(Terminal& at, OperationId id,
                                                             rpc::Context context) {
  // A history that the operator has not agreed to may lack what was done.
  if (machinery_.bank.history_is_broken()) co_return std::nullopt;
  std::vector<std::string> terminals = {at.id()};
  for (const auto& [name, terminal] : terminals_) {
    if (name != at.id()) terminals.push_back(name);
  }
  const rpc::Context until(machinery_.before(context.deadline), context.trace);
  std::optional<AtBank> anothers;
  bool is_whole = true;
  for (const std::string& terminal : terminals) {
    if (!machinery_.bank.is_usable(terminal)) {
      is_whole = false;
      continue;
    }
    wire::ResolveRequest request;
    request.set_terminal_id(terminal);
    request.set_id(std::string(id.view()));
    const rpc::Reply<AtBank> reply =
        co_await machinery_.bank.try_call(bank_methods::resolve, std::move(request), until);
    if (!reply || reply->outcome_case() == AtBank::OUTCOME_NOT_SET) co_return std::nullopt;
    if (!reply->has_refusal()) co_return *reply;
    if (reply->refusal().code() != wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER) co_return std::nullopt;
    anothers = *reply;
  }
  if (!is_whole) co_return std::nullopt;
  co_return anothers;
}

v1::ResolveResponse UnknownIds::told_by(const AtBank& bank) const {
  if (bank.has_executed()) return executed(bank);
  if (bank.has_refused()) return declined(decline_by_bank(bank.refused()));
  if (bank.has_fenced()) return never_done();
  v1::ResolveResponse response;
  response.mutable_cannot_know()->set_message(
      "This ATM does not know of it, and the bank has it from elsewhere: ask the ATM where it was "
      "begun, or your bank.");
  return response;
}

v1::ResolveResponse UnknownIds::executed(const AtBank& bank) const {
  const wire::ChangeView& change = bank.change();
  v1::ResolveResponse response;
  if (change.kind() == "transfer") {
    *response.mutable_transferred()->mutable_amount() = change.amount();
    *response.mutable_transferred()->mutable_balance() = bank.executed().balance();
    *response.mutable_transferred()->mutable_bank() = entry_of(bank);
  } else if (change.kind() == "set_pin") {
    *response.mutable_pin_changed()->mutable_bank() = entry_of(bank);
  } else if (change.kind() == "deposit") {
    v1::Deposited& deposited = *response.mutable_deposited();
    *deposited.mutable_amount() = change.amount();
    *deposited.mutable_balance() = bank.executed().balance();
    *deposited.mutable_bank() = entry_of(bank);
    deposited.set_credited(true);
  } else if (change.kind() == "hold" && change.hold_state() == wire::HOLD_STATE_VOIDED) {
    return never_done();
  } else if (change.kind() == "hold" && change.hold_state() == wire::HOLD_STATE_CAPTURED) {
    *response.mutable_withdrawn()->mutable_amount() = change.paid();
    *response.mutable_withdrawn()->mutable_balance() = bank.executed().balance();
    *response.mutable_withdrawn()->mutable_bank() = entry_of(bank);
  } else {
    v1::Suspense& suspense = *response.mutable_suspense();
    suspense.set_message(
        "The bank knows of it, and this ATM's journal does not. Your bank's operator has to say "
        "what became of it.");
    *suspense.mutable_amount() = change.amount();
    *suspense.mutable_bank() = entry_of(bank);
  }
  return response;
}

// A device remembers what it did for an id, also when an old journal was restored. One that does not
// answer is not waited for where nothing was missing from the journal when it was last counted.
Task<Told<std::optional<Cents>>> UnknownIds::moved(OperationId id) {
  bool is_silent = false;
  for (const auto& [name, terminal] : terminals_) {
    const Told<Dispensed> paid = co_await terminal->dispenser().presented(id);
    const bool has_paid = paid && paid->acted && !(paid->sure && paid->presented.empty());
    if (has_paid) co_return notes_of(paid->presented).amount();
    const Told<Accepted> taken = co_await terminal->acceptor().where(id);
    if (taken && taken->place == Place::kept) co_return taken->notes.amount();
    if ((!paid || !taken) && !terminal->journal_is_complete()) is_silent = true;
  }
  if (is_silent) co_return std::unexpected(DeviceSilent());
  co_return std::nullopt;
}

v1::ResolveResponse UnknownIds::moved_here(Cents amount) const {
  v1::ResolveResponse response;
  response.mutable_suspense()->set_message(
      "This ATM moved notes for it, of which its journal knows nothing. Your bank's operator has "
      "to say what became of it.");
  *response.mutable_suspense()->mutable_amount() = to_wire(amount, machinery_.settings.currency);
  return response;
}

std::optional<v1::ResolveResponse> UnknownIds::own_no(const OperationId& id) const {
  const Declined* const first = declines_.final_no(id);
  if (first == nullptr) return std::nullopt;
  return declined(decline(static_cast<v1::DeclineCode>(first->code), first->sentence));
}

Task<v1::ResolveResponse> UnknownIds::fence(Terminal& at, OperationId id,
                                            v1::ResolveResponse answer) {
  Fence fence{
      .id = id, .terminal = at.id(), .fenced_at_us = machinery_.now_us(), .answer = stored(answer)};
  const ItemPointer<Fence> item = known_.fences.add(at, std::move(fence));
  co_await machinery_.journal.commit(at.entry(item->record));
  // Now that the journal has it, memory may forget it.
  known_.fences.ended(item);
  co_return answer;
}

}  // namespace atm
