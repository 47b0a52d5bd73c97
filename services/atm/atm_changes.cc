// The handlers of AtmService that change something: each carries an id, which gets one answer.
#include <algorithm>
#include <utility>

#include "atm/atm_service.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

v1::Decline malformed_id() {
  return decline(v1::DECLINE_CODE_MALFORMED, "The id must be 16 bytes, not all of them zero.");
}

v1::Decline other_fields(std::string_view field) {
  std::string sentence = "The id was used before for something else: its ";
  sentence += field;
  sentence += " differs.";
  return decline(v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS, sentence);
}

v1::Decline fenced() {
  return decline(v1::DECLINE_CODE_ID_FENCED,
                 "The ATM was asked before what became of this id, and begins nothing under it.");
}

Notes from_wire(const WireNotes& wire) {
  Notes notes;
  for (const v1::Notes& each : wire) {
    notes.add(Cents{each.denomination().minor_units()}, each.count());
  }
  return notes;
}

bool is_all_of(Currency currency, const WireNotes& wire) {
  const auto is_of = [&](const v1::Notes& each) {
    return each.denomination().currency() == currency.text();
  };
  return std::ranges::all_of(wire, is_of);
}

}  // namespace

Task<v1::WithdrawResponse> AtmService::withdraw(v1::WithdrawRequest request, rpc::Context context) {
  std::optional<Declined> attempt = attempt_of("withdrawal", request, context);
  const bool is_countable = !wrong_amount(request.amount());
  if (attempt && is_countable) attempt->amount = Cents{request.amount().minor_units()};
  co_await until_free(&known_.withdrawals, request.id(), request.session_id(), context);
  std::optional<v1::WithdrawResponse> response = first_no<v1::WithdrawResponse>(attempt);
  if (!response) response = co_await answer_withdraw(std::move(request), std::move(context));
  co_await keep_if_declined(std::move(attempt), response->decline(), response->replayed());
  co_return *std::move(response);
}

Task<v1::DepositResponse> AtmService::deposit(v1::DepositRequest request, rpc::Context context) {
  std::optional<Declined> attempt = attempt_of("deposit", request, context);
  const bool is_countable = !wrong_notes(request.notes());
  if (attempt && is_countable) attempt->amount = from_wire(request.notes()).amount();
  co_await until_free(&known_.deposits, request.id(), request.session_id(), context);
  std::optional<v1::DepositResponse> response = first_no<v1::DepositResponse>(attempt);
  if (!response) response = co_await answer_deposit(std::move(request), std::move(context));
  co_await keep_if_declined(std::move(attempt), response->decline(), response->replayed());
  co_return *std::move(response);
}

Task<v1::TransferResponse> AtmService::transfer(v1::TransferRequest request, rpc::Context context) {
  std::optional<Declined> attempt = attempt_of("transfer", request, context);
  const bool is_countable = !wrong_amount(request.amount());
  if (attempt && is_countable) attempt->amount = Cents{request.amount().minor_units()};
  co_await until_free(&known_.relays, request.id(), request.session_id(), context);
  std::optional<v1::TransferResponse> response = first_no<v1::TransferResponse>(attempt);
  if (!response) response = co_await answer_transfer(std::move(request), std::move(context));
  co_await keep_if_declined(std::move(attempt), response->decline(), response->replayed());
  co_return *std::move(response);
}

Task<v1::ChangePinResponse> AtmService::change_pin(v1::ChangePinRequest request,
                                                   rpc::Context context) {
  std::optional<Declined> attempt = attempt_of("change_pin", request, context);
  co_await until_free(&known_.relays, request.id(), request.session_id(), context);
  std::optional<v1::ChangePinResponse> response = first_no<v1::ChangePinResponse>(attempt);
  if (response) {
    wipe(*request.mutable_old_pin());
    wipe(*request.mutable_new_pin());
  }
  if (!response) response = co_await answer_change_pin(std::move(request), std::move(context));
  co_await keep_if_declined(std::move(attempt), response->decline(), false);
  co_return *std::move(response);
}

template <typename Request>
std::optional<Declined> AtmService::attempt_of(std::string_view kind, const Request& request,
                                               const rpc::Context& context) {
  const std::optional<OperationId> id = OperationId::from_bytes(request.id());
  const std::optional<Customer> asking = customer(request.session_id(), context);
  if (!id || !id->is_set() || !asking) return std::nullopt;
  return Declined{.at_us = machinery_.now_us(),
                  .terminal = asking->terminal->id(),
                  .id = *id,
                  .kind = std::string(kind),
                  .card = asking->session.card};
}

template <typename Response>
std::optional<Response> AtmService::first_no(const std::optional<Declined>& attempt) {
  if (!attempt) return std::nullopt;
  const Declined* const first = declines_.final_no(attempt->id);
  if (first == nullptr || known_.knows(attempt->id)) return std::nullopt;
  std::string_view differs;
  if (first->amount != attempt->amount) differs = "amount";
  if (first->card != attempt->card) differs = "card";
  if (first->kind != attempt->kind) differs = "kind";
  Response response;
  if (!differs.empty()) {
    *response.mutable_decline() = other_fields(differs);
    return response;
  }
  *response.mutable_decline() = decline(static_cast<v1::DeclineCode>(first->code), first->sentence);
  if constexpr (requires { response.set_replayed(true); }) response.set_replayed(true);
  return response;
}

// A no that is heard stays one: a crash forgets none. The first answer to an id may still be on its
// way to the disk when another asks.
Task<> AtmService::keep_if_declined(std::optional<Declined> attempt, v1::Decline no,
                                    bool is_replayed) {
  if (!attempt || no.code() == v1::DECLINE_CODE_UNSPECIFIED) co_return;
  if (no.code() == v1::DECLINE_CODE_BY_BANK) co_return;
  if (!is_replayed) {
    attempt->code = no.code();
    attempt->sentence = no.message();
    declines_.keep(*std::move(attempt));
  }
  co_await declines_.until_stored();
}

template <Record T>
Task<> AtmService::until_free(Items<T>* items, std::string id, std::string session_id,
                              rpc::Context context) {
  const std::optional<OperationId> change = OperationId::from_bytes(id);
  if (!change || items->knows(*change)) co_return;
  const std::optional<Customer> asking = customer(session_id, context);
  if (!asking) co_return;
  while (asking->terminal->is_busy() && !context.is_abandoned()) co_await asking->terminal->idle();
}

template <Record T>
Task<std::expected<OperationId, v1::Decline>> AtmService::usable_id(std::string bytes) {
  const std::optional<OperationId> id = OperationId::from_bytes(bytes);
  if (!id || !id->is_set()) co_return std::unexpected(malformed_id());
  if (known_.is_used_otherwise<T>(*id)) co_return std::unexpected(other_fields("kind"));
  if (!known_.fences.knows(*id)) co_return *id;
  // The fence may be on its way to the disk; nobody hears of it before it is there.
  co_await machinery_.journal.flush();
  co_return std::unexpected(fenced());
}

Task<v1::WithdrawResponse> AtmService::answer_withdraw(v1::WithdrawRequest request,
                                                       rpc::Context context) {
  v1::WithdrawResponse response;
  const std::expected<OperationId, v1::Decline> id = co_await usable_id<Withdrawal>(request.id());
  if (!id) {
    *response.mutable_decline() = id.error();
    co_return response;
  }
  WithdrawalItem item = known_.withdrawals.find(*id, *terminals_.begin()->second);
  const bool replayed = item != nullptr;
  if (replayed) {
    const std::optional<Customer> asking = customer(request.session_id(), context);
    std::string_view differs;
    if (asking && item->record.card != asking->session.card) differs = "card";
    if (item->record.amount != Cents{request.amount().minor_units()}) differs = "amount";
    if (request.amount().currency() != machinery_.settings.currency.text()) differs = "currency";
    if (!differs.empty()) {
      *response.mutable_decline() = other_fields(differs);
      co_return response;
    }
  }
  if (!replayed) {
    std::expected<WithdrawalItem, v1::Decline> begun =
        begin_withdrawal(*id, std::move(request), std::move(context));
    if (!begun) {
      *response.mutable_decline() = begun.error();
      co_return response;
    }
    item = *std::move(begun);
  }
  co_await item->answered;
  response = withdrawals_.first_answer(*item);
  response.set_replayed(replayed);
  co_return response;
}

std::expected<WithdrawalItem, v1::Decline> AtmService::begin_withdrawal(OperationId id,
                                                                        v1::WithdrawRequest request,
                                                                        rpc::Context context) {
  if (auto wrong = wrong_amount(request.amount())) return std::unexpected(*std::move(wrong));
  std::expected<Customer, v1::Decline> asking = may_begin(request.session_id(), context);
  if (!asking) return std::unexpected(std::move(asking.error()));
  Terminal& terminal = *asking->terminal;
  const Cents amount{request.amount().minor_units()};
  const std::vector<Cassette> cassettes = terminal.stock().cassettes();
  std::expected<Picks, NearestAmounts> plan = plan_mix(cassettes, amount);
  if (!plan) {
    return std::unexpected(cannot_make(amount, plan.error(), machinery_.settings.currency));
  }
  Withdrawal withdrawal{
      .id = id, .card = asking->session.card, .amount = amount, .plan = *std::move(plan)};
  return withdrawals_.begin(terminal, std::move(withdrawal), asking->session.token,
                            std::move(context));
}

Task<v1::DepositResponse> AtmService::answer_deposit(v1::DepositRequest request,
                                                     rpc::Context context) {
  v1::DepositResponse response;
  const std::expected<OperationId, v1::Decline> id = co_await usable_id<Deposit>(request.id());
  if (!id) {
    *response.mutable_decline() = id.error();
    co_return response;
  }
  DepositItem item = known_.deposits.find(*id, *terminals_.begin()->second);
  const bool replayed = item != nullptr;
  if (replayed) {
    const std::optional<Customer> asking = customer(request.session_id(), context);
    std::string_view differs;
    if (asking && item->record.card != asking->session.card) differs = "card";
    if (item->record.put_in != from_wire(request.notes())) differs = "notes";
    if (!is_all_of(machinery_.settings.currency, request.notes())) differs = "currency";
    if (!differs.empty()) {
      *response.mutable_decline() = other_fields(differs);
      co_return response;
    }
  }
  if (!replayed) {
    std::expected<DepositItem, v1::Decline> begun =
        begin_deposit(*id, std::move(request), std::move(context));
    if (!begun) {
      *response.mutable_decline() = begun.error();
      co_return response;
    }
    item = *std::move(begun);
  }
  co_await item->answered;
  response = deposits_.first_answer(*item);
  response.set_replayed(replayed);
  co_return response;
}

std::expected<DepositItem, v1::Decline> AtmService::begin_deposit(OperationId id,
                                                                  v1::DepositRequest request,
                                                                  rpc::Context context) {
  if (auto wrong = wrong_notes(request.notes())) return std::unexpected(*std::move(wrong));
  std::expected<Customer, v1::Decline> asking = may_begin(request.session_id(), context);
  if (!asking) return std::unexpected(std::move(asking.error()));
  const Currency ours = machinery_.settings.currency;
  if (asking->session.currency != ours) {
    return std::unexpected(account_in_other_currency(asking->session.currency, ours));
  }
  if (const auto why = asking->terminal->acceptor().out_of_order()) {
    return std::unexpected(
        decline(v1::DECLINE_CODE_OUT_OF_SERVICE, "No deposits are taken: " + *why + "."));
  }
  Deposit deposit{.id = id, .card = asking->session.card, .put_in = from_wire(request.notes())};
  return deposits_.begin(*asking->terminal, std::move(deposit), std::move(context));
}

Task<v1::TransferResponse> AtmService::answer_transfer(v1::TransferRequest request,
                                                       rpc::Context context) {
  v1::TransferResponse response;
  const std::expected<OperationId, v1::Decline> id = co_await usable_id<Relay>(request.id());
  if (!id) {
    *response.mutable_decline() = id.error();
    co_return response;
  }
  RelayItem before = known_.relays.find(*id, *terminals_.begin()->second);
  const std::optional<Customer> repeating = customer(request.session_id(), context);
  const bool is_anothers =
      before != nullptr && repeating && before->record.card != repeating->session.card;
  if (before != nullptr && !is_anothers && before->record.of == RelayKind::transfer &&
      before->record.state != RelayState::sent &&
      before->record.target == request.target_account_id() &&
      request.amount().currency() == machinery_.settings.currency.text() &&
      before->record.amount == Cents{request.amount().minor_units()}) {
    co_return co_await relays_.transfer(std::move(before), "", std::move(context));
  }
  if (auto wrong = wrong_amount(request.amount())) {
    *response.mutable_decline() = *std::move(wrong);
    co_return response;
  }
  const std::expected<Customer, v1::Decline> asking = may_begin(request.session_id(), context);
  if (!asking) {
    *response.mutable_decline() = asking.error();
    co_return response;
  }
  Relay wanted{.id = *id,
               .of = RelayKind::transfer,
               .card = asking->session.card,
               .target = request.target_account_id(),
               .amount = Cents{request.amount().minor_units()}};
  Relay copy = wanted;
  const RelayItem item = co_await relays_.remember(*asking->terminal, std::move(copy));
  if (const auto field = differing_field(item->record, wanted)) {
    *response.mutable_decline() = other_fields(*field);
    co_return response;
  }
  co_return co_await relays_.transfer(item, asking->session.token, std::move(context));
}

Task<v1::ChangePinResponse> AtmService::answer_change_pin(v1::ChangePinRequest request,
                                                          rpc::Context context) {
  v1::ChangePinResponse response;
  wire::ChangePinRequest pins;
  pins.set_old_pin(request.old_pin());
  pins.set_new_pin(request.new_pin());
  wipe(*request.mutable_old_pin());
  wipe(*request.mutable_new_pin());
  const std::expected<OperationId, v1::Decline> id = co_await usable_id<Relay>(request.id());
  if (!id) {
    *response.mutable_decline() = id.error();
    co_return response;
  }
  const std::expected<Customer, v1::Decline> asking = may_begin(request.session_id(), context);
  if (!asking) {
    *response.mutable_decline() = asking.error();
    co_return response;
  }
  pins.set_token(asking->session.token);
  const Relay wanted{.id = *id, .of = RelayKind::change_pin, .card = asking->session.card};
  Relay copy = wanted;
  const RelayItem item = co_await relays_.remember(*asking->terminal, std::move(copy));
  if (const auto field = differing_field(item->record, wanted)) {
    *response.mutable_decline() = other_fields(*field);
    co_return response;
  }
  co_return co_await relays_.change_pin(item, std::move(pins), std::move(context));
}

std::optional<std::string_view> AtmService::differing_field(const Relay& first,
                                                            const Relay& wanted) {
  if (first.of != wanted.of) return "kind";
  if (first.card != wanted.card) return "card_number";
  if (first.target != wanted.target) return "target_account_id";
  if (first.amount != wanted.amount) return "amount";
  return std::nullopt;
}

// Rule 21: answers or fences, and never moves cash.
Task<v1::ResolveResponse> AtmService::resolve(v1::ResolveRequest request, rpc::Context context) {
  v1::ResolveResponse response;
  const std::optional<OperationId> id = OperationId::from_bytes(request.id());
  if (!id || !id->is_set()) {
    *response.mutable_declined() = malformed_id();
    co_return response;
  }
  // Ids are the whole ATM's: whichever terminal the customer names now, what was done is found.
  Terminal* const named = find_terminal(terminals_, request.terminal_id());
  Terminal& at = named != nullptr ? *named : *terminals_.begin()->second;
  const WithdrawalItem withdrawal = known_.withdrawals.find(*id, at);
  if (withdrawal != nullptr) co_return withdrawals_.outcome(*withdrawal);
  const DepositItem deposit = known_.deposits.find(*id, at);
  if (deposit != nullptr) co_return deposits_.outcome(*deposit);
  RelayItem relay = known_.relays.find(*id, at);
  if (relay != nullptr) co_return co_await relays_.resolve(std::move(relay), std::move(context));
  if (known_.movements.knows(*id)) {
    *response.mutable_declined() = other_fields("kind");
    co_return response;
  }
  if (may_be_elsewhere(request)) {
    response.mutable_cannot_know()->set_message(
        "It was not begun at this ATM, which cannot know what became of it: ask the ATM where it "
        "was begun.");
    co_return response;
  }
  co_return co_await unknown_ids_.resolve(at, *id, std::move(context));
}

// Of an id that was never used here: whether it may have been used at another ATM.
bool AtmService::may_be_elsewhere(const v1::ResolveRequest& request) const {
  if (!request.atm_id().empty()) return request.atm_id() != machinery_.bank.atm_id();
  return !request.terminal_id().empty() && !terminals_.contains(request.terminal_id());
}

}  // namespace atm
