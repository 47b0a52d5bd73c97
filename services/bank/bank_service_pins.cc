// The handlers of BankService that see a PIN. They take it out of the request, which wipes it there,
// before they do anything else.
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "bank/bank_service.h"
#include "bank/messages.h"
#include "bank/operations.h"

namespace bank {

using async::Task;
using ledger::Outcome;
using ledger::RefusalCode;
using rpc::Context;

namespace {

template <typename Response>
Response pin_refused(const ledger::Refusal& refusal) {
  Response response = refused<Response>(refusal);
  response.set_tries_left(refusal.left_count.value_or(0));
  return response;
}

v1::ChangePinResponse pin_changed(const Outcome& outcome) {
  if (!outcome) return pin_refused<v1::ChangePinResponse>(outcome.error());
  v1::ChangePinResponse response;
  response.mutable_changed()->set_ledger_seq(outcome->ledger_seq);
  response.mutable_changed()->set_replayed(outcome->replayed);
  return response;
}

}  // namespace

Task<v1::VerifyCardResponse> BankService::verify_card(v1::VerifyCardRequest request, Context) {
  std::expected<Pin, ledger::ShapeFault> pin = Pin::take(*request.mutable_pin());
  if (const auto fault = check_card_at_terminal(request)) {
    co_return refused<v1::VerifyCardResponse>(*fault);
  }
  if (!pin) co_return refused<v1::VerifyCardResponse>(malformed("pin", pin.error()));
  const ledger::Terminal* const terminal = store_.books().find_terminal(request.terminal_id());
  if (terminal == nullptr) {
    co_return refused<v1::VerifyCardResponse>({.code = RefusalCode::terminal_not_found});
  }
  if (!terminal->in_service) {
    co_return refused<v1::VerifyCardResponse>({.code = RefusalCode::terminal_out_of_service});
  }

  const Outcome tried =
      co_await pins_.attempt(request.card_number(), request.terminal_id(), std::move(*pin));
  if (!tried) {
    forget_if_locked(request.card_number());
    co_return pin_refused<v1::VerifyCardResponse>(tried.error());
  }
  co_return verified(request);
}

v1::VerifyCardResponse BankService::verified(const v1::VerifyCardRequest& request) {
  const ledger::Account& account = account_of(store_.books(), request.card_number());
  if (account.closed) {
    return refused<v1::VerifyCardResponse>({.code = RefusalCode::account_closed});
  }
  v1::VerifyCardResponse response;
  v1::VerifiedCard& card = *response.mutable_verified();
  card.set_token(tokens_.issue(request.card_number(), request.terminal_id()));
  card.set_account_id(account.id());
  card.set_customer_name(account.customer_name());
  card.set_currency(account.currency.text());
  return response;
}

Task<v1::ChangePinResponse> BankService::change_pin(v1::ChangePinRequest request, Context context) {
  std::expected<Pin, ledger::ShapeFault> old_pin = Pin::take(*request.mutable_old_pin());
  std::expected<Pin, ledger::ShapeFault> new_pin = Pin::take(*request.mutable_new_pin());
  Asked asked = to_operation(request, context.deadline);
  if (!asked) co_return refused<v1::ChangePinResponse>(asked.error());
  if (!old_pin) co_return refused<v1::ChangePinResponse>(malformed("old_pin", old_pin.error()));
  if (!new_pin) co_return refused<v1::ChangePinResponse>(malformed("new_pin", new_pin.error()));

  // A retry gets its first answer: its token may have gone, and its old PIN may be wrong by now.
  const std::optional<Outcome> first = co_await changes_.first_answer(*asked);
  const bool proven = is_proven(request);
  if (first && *first && proven) {
    const bool is_same = co_await set_this_pin(asked->id, std::move(*new_pin));
    if (!is_same) {
      co_return pin_refused<v1::ChangePinResponse>(
          {.code = RefusalCode::id_used_with_other_fields, .field = "new_pin"});
    }
  }
  if (first) co_return pin_changed(*first);
  if (!proven) refuse_unproven();
  if (new_pin->is_easily_guessed()) {
    co_return unsuitable_pin(
        "That PIN is too easily guessed; choose one whose digits are neither all the same nor a "
        "run, as 1234 or 4321.");
  }
  if (new_pin->is_same_as(*old_pin)) {
    co_return unsuitable_pin("The new PIN is the same as the old one; choose another.");
  }
  const Outcome changed =
      co_await pins_.change(std::move(*asked), std::move(*old_pin), std::move(*new_pin));
  forget_if_locked(request.card_number());
  co_return pin_changed(changed);
}

// A PIN's hash has another salt every time, so the ledger cannot compare what was asked for.
Task<bool> BankService::set_this_pin(ledger::OperationId id, Pin pin) {
  const std::vector<ledger::FoundChange> found = co_await store_.find_changes(id);
  for (const ledger::FoundChange& change : found) {
    const ledger::Operation& operation = change.record.operation;
    const auto* const set = std::get_if<ledger::SetPin>(&operation.change);
    if (set == nullptr || operation.id != id) continue;
    co_return co_await pins_.is_pin_of(set->pin_hash, std::move(pin));
  }
  co_return true;
}

void BankService::forget_if_locked(const std::string& card_number) {
  const ledger::Card* const card = store_.books().find_card(card_number);
  if (card != nullptr && card->state != ledger::CardState::active) tokens_.forget(card_number);
}

}  // namespace bank
