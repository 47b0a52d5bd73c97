#include "bank/operations.h"

#include <chrono>
#include <expected>
#include <utility>

#include "ledger/planned_notes.h"
#include "ledger/shape.h"

namespace bank {
namespace {

using ledger::Cents;
using ledger::Currency;
using ledger::Deadline;
using ledger::Money;
using ledger::OperationId;
using ledger::Refusal;
using ledger::Result;

// Notes the first field that is wrong, and goes on: what it gives back then is never used.
class Reader {
 public:
  // Of a request by an ATM.
  template <typename Request>
  static Reader of_terminal(const Request& request) {
    Reader reader(request.id(), request.terminal_id());
    reader.note(check_terminal_id(request.terminal_id()));
    return reader;
  }
  // Of a request by the operator.
  template <typename Request>
  static Reader of_operator(const Request& request) {
    return Reader(request.id(), operator_principal);
  }

  OperationId id(std::string_view field, std::string_view bytes) {
    const std::optional<OperationId> id = OperationId::from_bytes(bytes);
    if (!id || !id->is_set()) note(malformed(field));
    return id.value_or(OperationId());
  }

  // The id on a receipt, which may be left out.
  template <typename Request>
  ledger::ReceiptId receipt(const Request& request) {
    if (request.receipt_id().empty()) return std::nullopt;
    return id("receipt_id", request.receipt_id());
  }

  // The card of a hold, which may be left out.
  template <typename Request>
  std::string held_card(const Request& request) {
    if (!request.card_number().empty()) note(check_card_number(request.card_number()));
    return request.card_number();
  }

  Currency currency(std::string_view field, std::string_view code) {
    const std::optional<Currency> currency = Currency::parse(code);
    if (!currency) note(malformed(field));
    return currency.value_or(Currency());
  }

  // An amount that must be there.
  template <typename Message>
  Money amount(const Message& message) {
    if (!message.has_amount()) note(malformed("amount"));
    if (!message.has_amount()) return {};
    return {.amount = Cents{message.amount().minor_units()},
            .currency = currency("currency", message.amount().currency())};
  }

  // An amount that may be left out. All those of one request have one currency.
  std::optional<Cents> optional_amount(std::string_view field, bool is_there,
                                       const v1::Money& money, Currency& common) {
    if (!is_there) return std::nullopt;
    const Currency own = currency(field, money.currency());
    if (common.is_set() && own != common) note(malformed(field));
    common = own;
    return Cents{money.minor_units()};
  }

  std::optional<Cents> withdrawal_max(const v1::CardLimits& limits, Currency& common) {
    return optional_amount("limits.withdrawal_max", limits.has_withdrawal_max(),
                           limits.withdrawal_max(), common);
  }
  std::optional<Cents> daily_amount_max(const v1::CardLimits& limits, Currency& common) {
    return optional_amount("limits.daily_amount_max", limits.has_daily_amount_max(),
                           limits.daily_amount_max(), common);
  }

  // The notes of a suspension, in the ledger's words.
  std::string planned(const v1::SuspendRequest& request, Currency& common) {
    std::vector<ledger::PlannedNotes> notes;
    for (const v1::PlannedNotes& each : request.planned()) {
      const auto value =
          optional_amount("planned", each.has_denomination(), each.denomination(), common);
      notes.push_back({.denomination = value.value_or(Cents{0}), .count = each.count()});
    }
    return ledger::to_text(notes);
  }

  std::string required(std::string_view field, const std::string& text) {
    if (text.empty()) note(malformed(field, ledger::ShapeFault::empty));
    return text;
  }

  void note(const std::optional<Refusal>& fault) {
    if (!fault_) fault_ = fault;
  }

  template <typename Kind>
  Asked operation(Kind&& change, Deadline deadline) {
    if (fault_) return std::unexpected(*fault_);
    Asked asked(std::in_place);  // Filled in place: it is large.
    asked->id = id_;
    asked->principal = principal_;
    asked->deadline = deadline;
    asked->change = std::forward<Kind>(change);
    return asked;
  }

 private:
  Reader(std::string_view id_bytes, std::string_view principal) : principal_(principal) {
    id_ = id("id", id_bytes);
  }

  OperationId id_;
  std::string_view principal_;
  std::optional<Refusal> fault_;
};

}  // namespace

Refusal malformed(std::string_view field, ledger::ShapeFault fault) {
  return {.code = ledger::RefusalCode::malformed, .fault = fault, .field = field};
}

std::optional<Refusal> check_terminal_id(std::string_view terminal_id) {
  const ledger::ShapeFault fault = ledger::why_not_terminal_id(terminal_id);
  if (fault == ledger::ShapeFault::none) return std::nullopt;
  return malformed("terminal_id", fault);
}

std::optional<Refusal> check_card_number(std::string_view card_number) {
  const ledger::ShapeFault fault = ledger::why_not_card_number(card_number);
  if (fault == ledger::ShapeFault::none) return std::nullopt;
  return malformed("card_number", fault);
}

Asked to_operation(const v1::HoldRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  reader.note(check_card_number(request.card_number()));
  const Money money = reader.amount(request);
  ledger::Hold hold{.card = request.card_number(),
                    .terminal = request.terminal_id(),
                    .amount = money.amount,
                    .currency = money.currency,
                    .time_to_live = std::chrono::milliseconds(request.time_to_live_ms()),
                    .receipt = reader.receipt(request)};
  return reader.operation(std::move(hold), deadline);
}

Asked to_operation(const v1::CaptureRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  const OperationId hold = reader.id("hold_id", request.hold_id());
  const Money money = reader.amount(request);
  ledger::Capture capture{.hold = hold,
                          .terminal = request.terminal_id(),
                          .amount = money.amount,
                          .currency = money.currency,
                          .card = reader.held_card(request),
                          .receipt = reader.receipt(request),
                          .evidence = request.evidence()};
  return reader.operation(std::move(capture), deadline);
}

Asked to_operation(const v1::VoidRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  const OperationId hold = reader.id("hold_id", request.hold_id());
  ledger::Void release{.hold = hold, .terminal = request.terminal_id()};
  return reader.operation(std::move(release), deadline);
}

Asked to_operation(const v1::SuspendRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  const OperationId hold = reader.id("hold_id", request.hold_id());
  Currency currency;
  const std::optional<Cents> amount =
      reader.optional_amount("amount", request.has_amount(), request.amount(), currency);
  std::string planned = reader.planned(request, currency);
  ledger::Suspend suspend{.hold = hold,
                          .terminal = request.terminal_id(),
                          .evidence = request.evidence(),
                          .card = reader.held_card(request),
                          .receipt = reader.receipt(request),
                          .amount = amount.value_or(Cents{0}),
                          .currency = currency,
                          .planned = std::move(planned)};
  // In the ledger, 0 is an amount that was left out.
  if (amount == Cents{0})
    reader.note(Refusal{.code = ledger::RefusalCode::amount_must_be_positive});
  return reader.operation(std::move(suspend), deadline);
}

Asked to_operation(const v1::DepositRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  reader.note(check_card_number(request.card_number()));
  const Money money = reader.amount(request);
  ledger::Post deposit{.kind = ledger::TransferKind::deposit,
                       .amount = money.amount,
                       .currency = money.currency,
                       .card = request.card_number(),
                       .terminal = request.terminal_id(),
                       .receipt = reader.receipt(request),
                       .kept = request.kept()};
  return reader.operation(std::move(deposit), deadline);
}

Asked to_operation(const v1::TransferRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  reader.note(check_card_number(request.card_number()));
  const Money money = reader.amount(request);
  ledger::Post transfer{.kind = ledger::TransferKind::transfer,
                        .target = request.target_account_id(),
                        .amount = money.amount,
                        .currency = money.currency,
                        .card = request.card_number(),
                        .terminal = request.terminal_id()};
  return reader.operation(std::move(transfer), deadline);
}

Asked to_operation(const v1::ChangePinRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  reader.note(check_card_number(request.card_number()));
  ledger::SetPin change{.card = request.card_number(),
                        .terminal = request.terminal_id(),
                        .old_pin = ledger::OldPin::wrong};
  return reader.operation(std::move(change), deadline);
}

Asked to_operation(const v1::LoadCashRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  const Money money = reader.amount(request);
  ledger::Post load{.kind = ledger::TransferKind::load_cash,
                    .amount = money.amount,
                    .currency = money.currency,
                    .terminal = request.terminal_id(),
                    .receipt = reader.receipt(request)};
  return reader.operation(std::move(load), deadline);
}

Asked to_operation(const v1::UnloadCashRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  const Money money = reader.amount(request);
  ledger::Post unload{.kind = ledger::TransferKind::unload_cash,
                      .amount = money.amount,
                      .currency = money.currency,
                      .terminal = request.terminal_id(),
                      .receipt = reader.receipt(request)};
  return reader.operation(std::move(unload), deadline);
}

Asked to_operation(const v1::ResolveRequest& request, Deadline deadline) {
  Reader reader = Reader::of_terminal(request);
  return reader.operation(ledger::Resolve{}, deadline);
}

Asked to_operation(const v1::OpenAccountRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  Currency currency = reader.currency("currency", request.currency());
  const std::optional<Cents> overdraft =
      reader.optional_amount("overdraft", request.has_overdraft(), request.overdraft(), currency);
  ledger::OpenAccount open{.account = request.account_id(),
                           .customer_name = request.name(),
                           .currency = currency,
                           .overdraft = overdraft.value_or(Cents{0})};
  return reader.operation(std::move(open), deadline);
}

Asked to_operation(const v1::FundAccountRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  const Money money = reader.amount(request);
  ledger::Post fund{.kind = ledger::TransferKind::fund,
                    .target = request.account_id(),
                    .amount = money.amount,
                    .currency = money.currency};
  reader.required("account_id", request.account_id());
  return reader.operation(std::move(fund), deadline);
}

Asked to_operation(const v1::FreezeAccountRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::Freeze freeze{.account = request.account_id(), .reason = request.reason()};
  return reader.operation(std::move(freeze), deadline);
}

Asked to_operation(const v1::UnfreezeAccountRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::Unfreeze unfreeze{.account = request.account_id(), .reason = request.reason()};
  return reader.operation(std::move(unfreeze), deadline);
}

Asked to_operation(const v1::CloseAccountRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::Close close{.account = request.account_id(), .reason = request.reason()};
  return reader.operation(std::move(close), deadline);
}

Asked to_operation(const v1::SetOverdraftRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  Currency currency;
  const std::optional<Cents> overdraft =
      reader.optional_amount("overdraft", request.has_overdraft(), request.overdraft(), currency);
  if (!overdraft) reader.note(malformed("overdraft"));
  ledger::SetOverdraft set{.account = request.account_id(),
                           .overdraft = overdraft.value_or(Cents{0}),
                           .currency = currency};
  return reader.operation(std::move(set), deadline);
}

Asked to_operation(const v1::AddTerminalRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  reader.note(check_terminal_id(request.terminal_id()));
  const Currency currency = reader.currency("currency", request.currency());
  ledger::AddTerminal add{.terminal = request.terminal_id(), .currency = currency};
  return reader.operation(std::move(add), deadline);
}

Asked to_operation(const v1::SetTerminalServiceRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::SetTerminalService set{.terminal = request.terminal_id(),
                                 .in_service = request.in_service()};
  return reader.operation(std::move(set), deadline);
}

Asked to_operation(const v1::IssueCardRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  Currency currency;
  const v1::CardLimits& named = request.limits();
  const ledger::CardLimits limits{
      .withdrawal_max = reader.withdrawal_max(named, currency).value_or(Cents{0}),
      .daily_amount_max = reader.daily_amount_max(named, currency).value_or(Cents{0}),
      .daily_count_max = named.daily_count_max()};
  ledger::IssueCard issue{.card = request.card_number(),
                          .account = request.account_id(),
                          .limits = limits,
                          .currency = currency};
  return reader.operation(std::move(issue), deadline);
}

Asked to_operation(const v1::BlockCardRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::BlockCard block{.card = request.card_number(), .reason = request.reason()};
  return reader.operation(std::move(block), deadline);
}

Asked to_operation(const v1::UnblockCardRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::UnblockCard unblock{.card = request.card_number(), .reason = request.reason()};
  return reader.operation(std::move(unblock), deadline);
}

Asked to_operation(const v1::ReplaceCardRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::ReplaceCard replace{.old_card = request.old_card_number(),
                              .new_card = request.new_card_number(),
                              .reason = request.reason()};
  return reader.operation(std::move(replace), deadline);
}

Asked to_operation(const v1::SetCardLimitsRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  Currency currency;
  const v1::CardLimits& named = request.limits();
  ledger::SetCardLimits set{.card = request.card_number()};
  set.withdrawal_max = reader.withdrawal_max(named, currency);
  set.daily_amount_max = reader.daily_amount_max(named, currency);
  if (named.has_daily_count_max()) set.daily_count_max = named.daily_count_max();
  set.currency = currency;
  return reader.operation(std::move(set), deadline);
}

Asked to_operation(const v1::AdjustRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  const Money money = reader.amount(request);
  ledger::Adjust adjust{.source = request.source_account_id(),
                        .target = request.target_account_id(),
                        .amount = money.amount,
                        .currency = money.currency,
                        .reason = reader.required("reason", request.reason())};
  return reader.operation(std::move(adjust), deadline);
}

Asked to_operation(const v1::ReverseRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::Reverse reverse{.transfer_seq = request.transfer_seq(),
                          .reason = reader.required("reason", request.reason())};
  return reader.operation(std::move(reverse), deadline);
}

Asked to_operation(const v1::ResolveExceptionRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  ledger::ResolveException resolve{.exception_seq = request.exception_seq(),
                                   .paid = std::nullopt,
                                   .reason = reader.required("reason", request.reason())};
  resolve.paid =
      reader.optional_amount("paid", request.has_paid(), request.paid(), resolve.currency);
  return reader.operation(std::move(resolve), deadline);
}

Asked to_operation(const v1::ResolveChangeRequest& request, Deadline deadline) {
  Reader reader = Reader::of_operator(request);
  return reader.operation(ledger::Resolve{}, deadline);
}

}  // namespace bank
