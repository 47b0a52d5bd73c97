#include "bank/bank_service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bank/change_views.h"
#include "bank/messages.h"
#include "bank/operations.h"
#include "bank/sentences.h"

namespace bank {

using async::Task;
using ledger::Outcome;
using ledger::RefusalCode;
using rpc::Context;

namespace {

bool is_on_receipt_only(const std::vector<ledger::FoundChange>& found,
                        const ledger::OperationId& id) {
  const auto is_own = [&](const ledger::FoundChange& change) {
    return change.record.operation.id == id;
  };
  const auto is_on_it = [&](const ledger::FoundChange& change) {
    return ledger::receipt_of(change.record.operation.change) == id;
  };
  return std::ranges::none_of(found, is_own) && std::ranges::any_of(found, is_on_it);
}

}  // namespace

// --- Who the bank is, and what it holds ---

Task<v1::SignOnResponse> BankService::sign_on(const v1::SignOnRequest& request, Context) {
  if (const auto fault = check_terminal_id(request.terminal_id())) {
    co_return refused<v1::SignOnResponse>(*fault);
  }
  if (store_.books().find_terminal(request.terminal_id()) == nullptr) {
    co_return refused<v1::SignOnResponse>({.code = RefusalCode::terminal_not_found});
  }
  const bool agrees = co_await history_holds(request.seen_ledger_seq(), request.seen_chain_head());

  v1::SignOnResponse response;
  v1::SignedOn& signed_on = *response.mutable_signed_on();
  const ledger::ChainHead head = store_.chain_head();
  const ledger::Terminal& terminal = *store_.books().find_terminal(request.terminal_id());
  signed_on.set_instance_id(to_bytes(store_.instance_id()));
  signed_on.set_ledger_seq(head.ledger_seq);
  signed_on.set_chain_head(to_bytes(head.hash));
  signed_on.set_history_agrees(agrees);
  signed_on.set_in_service(terminal.in_service);
  *signed_on.mutable_cash() = cash_in(store_.books().cash_account(terminal));
  co_return response;
}

// Whether this is the bank that told an ATM so, with nothing lost since (rule 24).
Task<bool> BankService::history_holds(std::uint64_t ledger_seq, std::string chain_head) {
  if (ledger_seq > store_.last_seq()) co_return false;
  if (chain_head.empty()) co_return true;
  const std::optional<ledger::Hash> hash = co_await store_.hash_at(ledger_seq);
  co_return hash&& to_bytes(*hash) == chain_head;
}

Task<> BankService::get_balance(const v1::GetBalanceRequest& request, Context,
                                rpc::Answer<v1::GetBalanceResponse> response) {
  const ledger::Books& books = store_.books();
  if (const auto fault = check_card_at_terminal(request)) {
    response->set_ledger_seq(0);
    co_return refuse(*response, *fault);
  }
  if (!is_proven(request)) refuse_unproven();

  fill(*response->mutable_balance(), account_of(books, request.card_number()));
  response->set_ledger_seq(books.last_seq());
}

Task<v1::ListStatementResponse> BankService::list_statement(const v1::ListStatementRequest& request,
                                                            Context) {
  if (const auto fault = check_card_at_terminal(request)) {
    co_return refused<v1::ListStatementResponse>(*fault);
  }
  if (!is_proven(request)) refuse_unproven();
  const ledger::Account& account = account_of(store_.books(), request.card_number());
  const ledger::AccountNumber number = account.number;
  const std::string list = "statement " + account.id();
  const auto page = pages_.page(list, request, statement_page_sizes);
  if (!page) co_return refused<v1::ListStatementResponse>(malformed(page.error()));

  const ledger::TransferPage found = co_await store_.statement(number, page->from, page->size);
  v1::ListStatementResponse response;
  v1::Statement& statement = *response.mutable_statement();
  const ledger::Books& books = store_.books();
  const std::uint64_t cut_at = fill_page(
      found.transfers, *page,
      [&](const auto& transfer) { return std::optional(to_entry(transfer, number, books)); },
      [](const auto& transfer) { return transfer.ledger_seq; }, statement.mutable_entries());
  const std::uint64_t next = cut_at != 0 ? cut_at : found.next;
  if (next != 0) statement.set_next_page_token(pages_.make(list, next));
  statement.set_ledger_seq(found.ledger_seq);
  co_return response;
}

// --- What the customer starts ---

Task<> BankService::hold(const v1::HoldRequest& request, Context context,
                         rpc::Answer<v1::HoldResponse> response) {
  const bool proven = is_proven(request);
  Changes::Submitted asked = changes_.make_proven(to_operation(request, context.deadline), proven);
  context.request_is_read();
  const Outcome held = co_await asked;
  answer(*response, held);
}

Task<> BankService::transfer(const v1::TransferRequest& request, Context context,
                             rpc::Answer<v1::TransferResponse> response) {
  const bool proven = is_proven(request);
  const Parties parties =
      about(request.target_account_id(), request.amount().currency(), /*asked_by_operator=*/false);
  Changes::Submitted asked = changes_.make_proven(to_operation(request, context.deadline), proven);
  context.request_is_read();
  const Outcome transferred = co_await asked;
  answer(*response, transferred);
  if (transferred) co_return;
  response->mutable_refusal()->set_message(sentence(transferred.error(), store_.books(), parties));
}

// --- What the ATM does by itself: retried from its journal, long after the customer has gone ---

Task<> BankService::capture(const v1::CaptureRequest& request, Context context,
                            rpc::Answer<v1::CaptureResponse> response) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  context.request_is_read();
  const Outcome captured = co_await asked;
  answer(*response, captured);
}

Task<v1::VoidResponse> BankService::void_hold(const v1::VoidRequest& request, Context context) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  const Outcome voided = co_await asked;
  v1::VoidResponse response = receipt_or_refusal<v1::VoidResponse>(voided);
  response.set_hold_was_unknown(voided && voided->hold_was_unknown);
  co_return response;
}

Task<v1::SuspendResponse> BankService::suspend(const v1::SuspendRequest& request, Context context) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  const Outcome suspended = co_await asked;
  co_return receipt_or_refusal<v1::SuspendResponse>(suspended);
}

Task<v1::GetHoldResponse> BankService::get_hold(const v1::GetHoldRequest& request, Context) {
  if (const auto fault = check_terminal_id(request.terminal_id())) {
    co_return refused<v1::GetHoldResponse>(*fault);
  }
  const std::optional<ledger::OperationId> id = ledger::OperationId::from_bytes(request.hold_id());
  if (!id) co_return refused<v1::GetHoldResponse>(malformed("hold_id"));

  const std::optional<ledger::HoldEntry> hold = co_await store_.find_hold(*id);
  // Another terminal's hold is none of this one's business.
  if (!hold || hold->principal != request.terminal_id()) {
    co_return refused<v1::GetHoldResponse>({.code = RefusalCode::hold_not_found});
  }
  v1::GetHoldResponse response;
  *response.mutable_hold() = to_view(*hold, store_.books().account(hold->account).currency);
  co_return response;
}

Task<> BankService::deposit(const v1::DepositRequest& request, Context context,
                            rpc::Answer<v1::DepositResponse> response) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  context.request_is_read();
  const Outcome deposited = co_await asked;
  answer(*response, deposited);
}

Task<v1::LoadCashResponse> BankService::load_cash(const v1::LoadCashRequest& request,
                                                  Context context) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  const Outcome loaded = co_await asked;
  co_return receipt_or_refusal<v1::LoadCashResponse>(loaded);
}

Task<v1::UnloadCashResponse> BankService::unload_cash(const v1::UnloadCashRequest& request,
                                                      Context context) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  const Outcome unloaded = co_await asked;
  co_return receipt_or_refusal<v1::UnloadCashResponse>(unloaded);
}

Task<v1::ResolveResponse> BankService::resolve(const v1::ResolveRequest& request, Context context) {
  Asked asked = to_operation(request, context.deadline);
  if (!asked) co_return refused<v1::ResolveResponse>(asked.error());
  const ledger::OperationId id = asked->id;
  const std::string asked_by = asked->principal;
  std::vector<ledger::FoundChange> found = co_await store_.find_changes(id);
  if (is_on_receipt_only(found, id)) co_return tell_of_receipt(found, id, asked_by);

  const ledger::Resolution resolution = co_await changes_.resolve(std::move(*asked));
  auto response = to_resolution<v1::ResolveResponse>(resolution);
  if (response.has_refusal()) co_return response;
  // What came before the fence while it was asked for is what became of it; after the fence nothing comes.
  if (found.empty()) found = co_await store_.find_changes(id);
  std::erase_if(found, is_fence);
  if (is_on_receipt_only(found, id)) co_return tell_of_receipt(found, id, asked_by);
  const auto is_other = [&](const ledger::FoundChange& change) {
    return change.record.operation.id != id;
  };
  std::erase_if(found, is_other);
  const bool is_told = !response.has_fenced() && !found.empty();
  if (is_told) *response.mutable_change() = to_view(found.front(), store_.books());
  co_return response;
}

// What an ATM knows by the customer's id alone. Another terminal's is none of this one's business.
v1::ResolveResponse BankService::tell_of_receipt(const std::vector<ledger::FoundChange>& found,
                                                 const ledger::OperationId& id,
                                                 const std::string& asked_by) const {
  const auto is_anothers = [&](const ledger::FoundChange& change) {
    const ledger::Operation& operation = change.record.operation;
    return ledger::receipt_of(operation.change) == id && operation.principal != asked_by;
  };
  if (std::ranges::any_of(found, is_anothers)) {
    return refused<v1::ResolveResponse>({.code = RefusalCode::id_belongs_to_another});
  }
  v1::ResolveResponse response;
  fill_outcome(response, found);
  describe(response, found);
  return response;
}

void BankService::describe(v1::ResolveResponse& response,
                           const std::vector<ledger::FoundChange>& found) const {
  const ledger::FoundChange* const told = main_change(found);
  if (told != nullptr) *response.mutable_change() = to_view(*told, store_.books());
}

void BankService::add_to(rpc::Server& server) {
  server.handle<&BankService::sign_on>("bank.v1.BankService/SignOn", *this);
  server.handle<&BankService::verify_card>("bank.v1.BankService/VerifyCard", *this);
  server.handle<&BankService::get_balance>("bank.v1.BankService/GetBalance", *this);
  server.handle<&BankService::list_statement>("bank.v1.BankService/ListStatement", *this);
  server.handle<&BankService::hold>("bank.v1.BankService/Hold", *this);
  server.handle<&BankService::capture>("bank.v1.BankService/Capture", *this);
  server.handle<&BankService::void_hold>("bank.v1.BankService/Void", *this);
  server.handle<&BankService::suspend>("bank.v1.BankService/Suspend", *this);
  server.handle<&BankService::get_hold>("bank.v1.BankService/GetHold", *this);
  server.handle<&BankService::deposit>("bank.v1.BankService/Deposit", *this);
  server.handle<&BankService::transfer>("bank.v1.BankService/Transfer", *this);
  server.handle<&BankService::change_pin>("bank.v1.BankService/ChangePin", *this);
  server.handle<&BankService::load_cash>("bank.v1.BankService/LoadCash", *this);
  server.handle<&BankService::unload_cash>("bank.v1.BankService/UnloadCash", *this);
  server.handle<&BankService::resolve>("bank.v1.BankService/Resolve", *this);
}

}  // namespace bank
