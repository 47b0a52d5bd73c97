#include "atm/relays.h"

#include <utility>

#include "atm/messages.h"
#include "ops/log.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

v1::Decline never_to_be_done(const Relay& relay) {
  std::string_view why = "It was not done, and can never be done under this id.";
  if (relay.state == RelayState::done) {
    why =
        "It was done, but your bank went back to an older state and has lost it. It can never be "
        "done under this id.";
  }
  return decline(v1::DECLINE_CODE_ID_FENCED, why);
}

v1::Decline why_not_begun(const rpc::Status& status) {
  if (status.code == rpc::StatusCode::unauthenticated) {
    return decline(v1::DECLINE_CODE_NO_SESSION, "The session is over; please insert your card.");
  }
  return undecided_by_bank(v1::DECLINE_CODE_OUT_OF_SERVICE, status, "The bank cannot do it now.");
}

// The bank has something under this id. A PIN is not compared: who asks names none.
bool is_of(const Relay& relay, const wire::ChangeView& change) {
  if (change.card() != ops::mask_card(relay.card)) return false;
  if (relay.of == RelayKind::change_pin) return change.kind() == "set_pin";
  return change.kind() == "transfer" && change.amount().minor_units() == relay.amount.value &&
         change.target_account_id() == relay.target;
}

bool has_done(const Relay& relay, const wire::ResolveResponse& bank) {
  return bank.has_executed() && is_of(relay, bank.change());
}

}  // namespace

Task<RelayItem> Relays::remember(Terminal& terminal, Relay relay) {
  RelayItem item = items_.find(relay.id, terminal);
  if (item != nullptr) {
    // The first may still be on its way to the disk; nothing is sent before it is there.
    if (item->record.state == RelayState::sent) co_await machinery_.journal.flush();
    item->is_repeated = true;
    co_return item;
  }
  relay.terminal = terminal.id();
  relay.sent_at_us = machinery_.now_us();
  item = items_.add(terminal, std::move(relay));
  co_await machinery_.journal.commit(terminal.entry(item->record));
  co_return item;
}

Task<v1::TransferResponse> Relays::transfer(RelayItem item, std::string token,
                                            rpc::Context context) {
  const Relay& relay = item->record;
  if (relay.state != RelayState::sent) {
    co_await require_still_so(item, std::move(context));
    v1::TransferResponse first = from_stored<v1::TransferResponse>(relay.answer);
    first.set_replayed(true);
    co_return first;
  }
  wire::TransferRequest request;
  request.set_id(std::string(relay.id.view()));
  request.set_terminal_id(relay.terminal);
  request.set_card_number(relay.card);
  request.set_token(std::move(token));
  request.set_target_account_id(relay.target);
  *request.mutable_amount() = to_wire(relay.amount, machinery_.settings.currency);
  require_accepted_history();
  const rpc::Context waits = context;
  const std::uint32_t history = machinery_.bank.history();
  const rpc::Reply<wire::TransferResponse> reply = co_await machinery_.bank.try_call(
      bank_methods::transfer, std::move(request), std::move(context));
  v1::TransferResponse response;
  if (!reply) {
    const bool did_nothing = co_await was_not_begun(item, reply.error(), waits);
    if (!did_nothing) co_return from_stored<v1::TransferResponse>(relay.answer);
    *response.mutable_decline() = why_not_begun(reply.error());
    co_return response;
  }
  if (reply->has_refusal()) {
    *response.mutable_decline() = decline_by_bank(reply->refusal());
    ended(item, RelayState::declined, stored(response), 0, history);
  } else {
    *response.mutable_transferred()->mutable_amount() =
        to_wire(relay.amount, machinery_.settings.currency);
    *response.mutable_transferred()->mutable_balance() = reply->receipt().balance();
    *response.mutable_transferred()->mutable_bank() =
        bank_entry(relay.id, reply->receipt().ledger_seq());
    ended(item, RelayState::done, stored(response), reply->receipt().ledger_seq(), history);
  }
  response = from_stored<v1::TransferResponse>(relay.answer);
  response.set_replayed(reply->receipt().replayed());
  co_return response;
}

Task<v1::ChangePinResponse> Relays::change_pin(RelayItem item, wire::ChangePinRequest request,
                                               rpc::Context context) {
  const Relay& relay = item->record;
  // Of one that was done the bank alone can tell whether this is the same PIN: the ATM keeps none.
  if (relay.state != RelayState::sent) co_await require_still_so(item, context);
  if (relay.state == RelayState::declined) {
    co_return from_stored<v1::ChangePinResponse>(relay.answer);
  }
  request.set_id(std::string(relay.id.view()));
  request.set_terminal_id(relay.terminal);
  request.set_card_number(relay.card);
  require_accepted_history();
  const rpc::Context waits = context;
  const std::uint32_t history = machinery_.bank.history();
  const rpc::Reply<wire::ChangePinResponse> reply = co_await machinery_.bank.try_call(
      bank_methods::change_pin, std::move(request), std::move(context));
  v1::ChangePinResponse response;
  if (!reply) {
    const bool did_nothing = co_await was_not_begun(item, reply.error(), waits);
    if (!did_nothing) co_return from_stored<v1::ChangePinResponse>(relay.answer);
    *response.mutable_decline() = why_not_begun(reply.error());
    co_return response;
  }
  if (reply->has_refusal()) {
    *response.mutable_decline() = decline_by_bank(reply->refusal());
    response.mutable_decline()->set_tries_left(reply->tries_left());
    // Of another PIN than the first: that says nothing of what became of the id.
    const bool is_other_pin =
        reply->refusal().code() == wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS;
    if (is_other_pin) co_return response;
    ended(item, RelayState::declined, stored(response), 0, history);
  } else {
    *response.mutable_changed()->mutable_bank() =
        bank_entry(relay.id, reply->changed().ledger_seq());
    ended(item, RelayState::done, stored(response), reply->changed().ledger_seq(), history);
  }
  co_return from_stored<v1::ChangePinResponse>(relay.answer);
}

// Of a sending that was not answered: true if the bank has forgotten the customer's token, or has no
// room, and did nothing. False if an earlier sending of the same id got an answer, which is remembered by now.
// Throws rpc::Error when nobody can say.
Task<bool> Relays::was_not_begun(RelayItem item, rpc::Status status, rpc::Context context) {
  const bool is_no = status.code == rpc::StatusCode::unauthenticated ||
                     status.code == rpc::StatusCode::failed_precondition;
  if (!is_no) throw rpc::Error(std::move(status));
  if (!item->is_repeated) co_return true;
  const bool is_known = co_await ask_bank(item, std::move(context));
  if (is_known) co_return false;
  throw rpc::Error(rpc::StatusCode::unavailable, "the bank has not said what became of it");
}

// One that the operator has not agreed to may not be the one that stays.
void Relays::require_accepted_history() const {
  if (!machinery_.bank.history_is_broken()) return;
  throw rpc::Error(rpc::StatusCode::unavailable,
                   "the bank's history went back, or another bank answers: nothing was sent");
}

bool Relays::is_still_so(const Relay& relay) const {
  return relay.state != RelayState::sent && relay.told_in == machinery_.bank.history();
}

Task<> Relays::require_still_so(RelayItem item, rpc::Context context) {
  if (is_still_so(item->record)) co_return;
  const bool is_known = co_await ask_bank(item, std::move(context));
  if (is_known) co_return;
  throw rpc::Error(rpc::StatusCode::unavailable, "the bank has not said what became of it");
}

void Relays::ended(const RelayItem& item, RelayState state, Blob answer, std::uint64_t ledger_seq,
                   std::uint32_t told_in) {
  // A copy of the request was faster.
  if (item->record.state != RelayState::sent && item->record.told_in >= told_in) return;
  item->record.state = state;
  item->record.answer = std::move(answer);
  item->record.ledger_seq = ledger_seq;
  item->record.told_in = told_in;
  // The bank remembers it too: a restart would find it out from there.
  machinery_.journal.note(transition_of(item->record, machinery_.now_us()));
  items_.ended(item);
}

Task<v1::ResolveResponse> Relays::resolve(RelayItem item, rpc::Context context) {
  if (!is_still_so(item->record)) {
    const bool is_known = co_await ask_bank(item, std::move(context));
    if (!is_known) {
      v1::ResolveResponse response;
      response.mutable_pending()->set_message("The bank has not said yet what became of it.");
      co_return response;
    }
  }
  co_return outcome(item->record);
}

// Asks what became of it, or sees to it that it never can be done. False: the bank does not say.
Task<bool> Relays::ask_bank(RelayItem item, rpc::Context context) {
  // A bank that is not the remembered one has not seen it, and cannot know; a history that the
  // operator has not agreed to may lack it, and may not be the one that stays.
  if (!machinery_.bank.is_usable(item->record.terminal)) co_return false;
  if (machinery_.bank.history_is_broken()) co_return false;
  const std::uint32_t history = machinery_.bank.history();
  wire::ResolveRequest request;
  request.set_terminal_id(item->record.terminal);
  request.set_id(std::string(item->record.id.view()));
  const rpc::Reply<wire::ResolveResponse> reply = co_await machinery_.bank.try_call(
      bank_methods::resolve, std::move(request), std::move(context));
  // What this terminal sent under another's id was refused, and always will be.
  const bool is_anothers =
      reply && reply->refusal().code() == wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER;
  if (!reply || (reply->has_refusal() && !is_anothers)) co_return false;
  if (machinery_.bank.history() != history) co_return false;
  const RelayState state = has_done(item->record, *reply) ? RelayState::done : RelayState::declined;
  ended(item, state, told_by(item->record, *reply), reply->executed().ledger_seq(), history);
  co_return true;
}

Blob Relays::told_by(const Relay& relay, const wire::ResolveResponse& bank) const {
  const bool was_done = has_done(relay, bank);
  // The first no stays.
  if (!was_done && relay.state == RelayState::declined) return relay.answer;
  v1::Decline declined = never_to_be_done(relay);
  if (bank.has_refused()) declined = decline_by_bank(bank.refused());
  if (bank.has_executed()) {
    declined = decline(v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS,
                       "The id was used before for something else.");
  }
  const v1::BankEntry entry = bank_entry(relay.id, bank.executed().ledger_seq());
  if (relay.of == RelayKind::change_pin) {
    v1::ChangePinResponse pin;
    if (was_done) *pin.mutable_changed()->mutable_bank() = entry;
    if (!was_done) *pin.mutable_decline() = declined;
    return stored(pin);
  }
  v1::TransferResponse transfer;
  if (was_done) {
    v1::Transferred& transferred = *transfer.mutable_transferred();
    *transferred.mutable_amount() = to_wire(relay.amount, machinery_.settings.currency);
    *transferred.mutable_balance() = bank.executed().balance();
    *transferred.mutable_bank() = entry;
  } else {
    *transfer.mutable_decline() = declined;
  }
  return stored(transfer);
}

v1::ResolveResponse Relays::outcome(const Relay& relay) const {
  v1::ResolveResponse response;
  if (relay.of == RelayKind::transfer) {
    v1::TransferResponse first = from_stored<v1::TransferResponse>(relay.answer);
    if (first.has_decline()) {
      *response.mutable_declined() = std::move(*first.mutable_decline());
    } else {
      *response.mutable_transferred() = std::move(*first.mutable_transferred());
    }
    return response;
  }
  v1::ChangePinResponse first = from_stored<v1::ChangePinResponse>(relay.answer);
  if (first.has_decline()) {
    *response.mutable_declined() = std::move(*first.mutable_decline());
  } else {
    *response.mutable_pin_changed() = std::move(*first.mutable_changed());
  }
  return response;
}

}  // namespace atm
