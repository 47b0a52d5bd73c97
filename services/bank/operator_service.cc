#include "bank/operator_service.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "bank/change_views.h"
#include "bank/messages.h"
#include "bank/pin.h"
#include "bank/sentences.h"

namespace bank {

using async::Task;
using ledger::Outcome;
using rpc::Context;

namespace {

template <typename Response>
void name_accounts(Response& response, const Outcome& outcome, const Parties& parties,
                   const ledger::Books& books) {
  if (outcome) return;
  response.mutable_refusal()->set_message(sentence(outcome.error(), books, parties));
}

}  // namespace

template <typename Response>
Task<Response> OperatorService::change(Asked asked, Parties parties) {
  const Outcome changed = co_await changes_.make(std::move(asked));
  Response response = done_or_refusal<Response>(changed);
  name_accounts(response, changed, parties, store_.books());
  co_return response;
}

// --- Accounts ---

Task<v1::OpenAccountResponse> OperatorService::open_account(const v1::OpenAccountRequest& request,
                                                            Context context) {
  return change<v1::OpenAccountResponse>(to_operation(request, context.deadline));
}

Task<v1::FundAccountResponse> OperatorService::fund_account(const v1::FundAccountRequest& request,
                                                            Context context) {
  Changes::Submitted asked = changes_.make(to_operation(request, context.deadline));
  Outcome funded = co_await asked;
  // The ledger's name of the account that gets the money is not this request's.
  if (!funded && funded.error().field == "target_account_id") funded.error().field = "account_id";
  auto response = receipt_or_refusal<v1::FundAccountResponse>(funded);
  const Parties parties = about(request.account_id(), request.amount().currency());
  name_accounts(response, funded, parties, store_.books());
  co_return response;
}

Task<v1::FreezeAccountResponse> OperatorService::freeze_account(
    const v1::FreezeAccountRequest& request, Context context) {
  return change<v1::FreezeAccountResponse>(to_operation(request, context.deadline),
                                           {.accounts = {request.account_id()}});
}

Task<v1::UnfreezeAccountResponse> OperatorService::unfreeze_account(
    const v1::UnfreezeAccountRequest& request, Context context) {
  return change<v1::UnfreezeAccountResponse>(to_operation(request, context.deadline),
                                             {.accounts = {request.account_id()}});
}

Task<v1::CloseAccountResponse> OperatorService::close_account(
    const v1::CloseAccountRequest& request, Context context) {
  return change<v1::CloseAccountResponse>(to_operation(request, context.deadline),
                                          {.accounts = {request.account_id()}});
}

Task<v1::SetOverdraftResponse> OperatorService::set_overdraft(
    const v1::SetOverdraftRequest& request, Context context) {
  return change<v1::SetOverdraftResponse>(
      to_operation(request, context.deadline),
      {.accounts = {request.account_id()}, .currency = request.overdraft().currency()});
}

// --- Terminals ---

Task<v1::AddTerminalResponse> OperatorService::add_terminal(const v1::AddTerminalRequest& request,
                                                            Context context) {
  return change<v1::AddTerminalResponse>(to_operation(request, context.deadline));
}

Task<v1::SetTerminalServiceResponse> OperatorService::set_terminal_service(
    const v1::SetTerminalServiceRequest& request, Context context) {
  return change<v1::SetTerminalServiceResponse>(to_operation(request, context.deadline));
}

// --- Cards. A PIN is taken out of its request, which wipes it there, before anything else. What
// the bank issues may be easily guessed: it is for the customer to change. ---

Task<v1::IssueCardResponse> OperatorService::issue_card(v1::IssueCardRequest request,
                                                        Context context) {
  std::expected<Pin, ledger::ShapeFault> pin = Pin::take(*request.mutable_pin());
  Asked asked = to_operation(request, context.deadline);
  if (!asked) co_return refused<v1::IssueCardResponse>(asked.error());
  if (!pin) co_return refused<v1::IssueCardResponse>(malformed("pin", pin.error()));

  std::get<ledger::IssueCard>(asked->change).pin_hash = co_await hasher_.hash(std::move(*pin));
  const Outcome issued = co_await changes_.make(std::move(asked));
  auto response = done_or_refusal<v1::IssueCardResponse>(issued);
  name_accounts(response, issued, {.accounts = {request.account_id()}}, store_.books());
  co_return response;
}

Task<v1::BlockCardResponse> OperatorService::block_card(const v1::BlockCardRequest& request,
                                                        Context context) {
  Task<v1::BlockCardResponse> changing =
      change<v1::BlockCardResponse>(to_operation(request, context.deadline));
  v1::BlockCardResponse response = co_await std::move(changing);
  // A retry is told its first answer: what the customer has proven since stays.
  if (response.has_done() && !response.done().replayed()) forget_tokens(request.card_number());
  co_return response;
}

Task<v1::UnblockCardResponse> OperatorService::unblock_card(const v1::UnblockCardRequest& request,
                                                            Context context) {
  return change<v1::UnblockCardResponse>(to_operation(request, context.deadline));
}

Task<v1::ReplaceCardResponse> OperatorService::replace_card(v1::ReplaceCardRequest request,
                                                            Context context) {
  std::expected<Pin, ledger::ShapeFault> pin = Pin::take(*request.mutable_pin());
  Asked asked = to_operation(request, context.deadline);
  if (!asked) co_return refused<v1::ReplaceCardResponse>(asked.error());
  if (!pin) co_return refused<v1::ReplaceCardResponse>(malformed("pin", pin.error()));

  std::get<ledger::ReplaceCard>(asked->change).pin_hash = co_await hasher_.hash(std::move(*pin));
  const Outcome replaced = co_await changes_.make(std::move(asked));
  if (replaced && !replaced->replayed) forget_tokens(request.old_card_number());
  co_return done_or_refusal<v1::ReplaceCardResponse>(replaced);
}

void OperatorService::forget_tokens(const std::string& card_name) {
  const auto card = store_.books().find_named_card(card_name);
  if (card) tokens_.forget((*card)->card);
}

Task<v1::SetCardLimitsResponse> OperatorService::set_card_limits(
    const v1::SetCardLimitsRequest& request, Context context) {
  return change<v1::SetCardLimitsResponse>(to_operation(request, context.deadline));
}

// --- The books, by hand ---

Task<v1::AdjustResponse> OperatorService::adjust(const v1::AdjustRequest& request,
                                                 Context context) {
  return change<v1::AdjustResponse>(
      to_operation(request, context.deadline),
      {.accounts = {request.source_account_id(), request.target_account_id()},
       .currency = request.amount().currency()});
}

Task<v1::ReverseResponse> OperatorService::reverse(const v1::ReverseRequest& request,
                                                   Context context) {
  return change<v1::ReverseResponse>(to_operation(request, context.deadline));
}

Task<v1::ResolveChangeResponse> OperatorService::resolve_change(
    const v1::ResolveChangeRequest& request, Context context) {
  Asked asked = to_operation(request, context.deadline);
  if (!asked) co_return refused<v1::ResolveChangeResponse>(asked.error());
  const ledger::OperationId id = asked->id;
  v1::ResolveChangeResponse response;
  std::vector<ledger::FoundChange> found = co_await store_.find_changes(id);
  if (found.empty()) {
    const ledger::Resolution fenced = co_await changes_.resolve(std::move(*asked));
    if (fenced.is == ledger::Resolution::Is::unanswered) {
      co_return to_resolution<v1::ResolveChangeResponse>(fenced);
    }
    // What came before the fence while it was asked for is what became of it; after the fence nothing comes.
    found = co_await store_.find_changes(id);
  }
  fill_found(response, found, store_.books());
  co_return response;
}

Task<v1::FindChangeResponse> OperatorService::find_change(const v1::FindChangeRequest& request,
                                                          Context) {
  const auto id = ledger::OperationId::from_bytes(request.id());
  const bool by_number = request.id().empty() && request.ledger_seq() != 0;
  if (!by_number && (!id || !id->is_set() || request.ledger_seq() != 0)) {
    co_return refused<v1::FindChangeResponse>(malformed("id"));
  }
  Task<std::vector<ledger::FoundChange>> look_up =
      by_number ? store_.find_changes(request.ledger_seq()) : store_.find_changes(*id);
  const std::vector<ledger::FoundChange> found = co_await look_up;
  v1::FindChangeResponse response;
  if (found.empty()) response.mutable_never_seen();
  fill_found(response, found, store_.books());
  if (found.empty() && by_number) {
    response.set_summary("The bank's journal has no such number yet: it ends with " +
                         std::to_string(store_.last_seq()) + ".");
  }
  response.set_ledger_seq(store_.last_seq());
  co_return response;
}

Task<v1::ResolveExceptionResponse> OperatorService::resolve_exception(
    const v1::ResolveExceptionRequest& request, Context context) {
  const std::uint64_t exception_seq = request.exception_seq();
  const Outcome changed = co_await changes_.make(to_operation(request, context.deadline));
  auto response = done_or_refusal<v1::ResolveExceptionResponse>(changed);
  if (!changed && changed.error().fault == ledger::ShapeFault::unpayable) {
    v1::Refusal& refusal = *response.mutable_refusal();
    const ledger::ExceptionEntry& exception = store_.books().exceptions().at(exception_seq);
    refusal.set_message(refusal.message() + " " + sentence_of_planned(exception));
  }
  co_return response;
}

void OperatorService::add_to(rpc::Server& server) {
  using Me = OperatorService;
  server.handle<&Me::get_bank>("bank.v1.OperatorService/GetBank", *this);
  server.handle<&Me::open_account>("bank.v1.OperatorService/OpenAccount", *this);
  server.handle<&Me::fund_account>("bank.v1.OperatorService/FundAccount", *this);
  server.handle<&Me::freeze_account>("bank.v1.OperatorService/FreezeAccount", *this);
  server.handle<&Me::unfreeze_account>("bank.v1.OperatorService/UnfreezeAccount", *this);
  server.handle<&Me::close_account>("bank.v1.OperatorService/CloseAccount", *this);
  server.handle<&Me::set_overdraft>("bank.v1.OperatorService/SetOverdraft", *this);
  server.handle<&Me::get_account>("bank.v1.OperatorService/GetAccount", *this);
  server.handle<&Me::list_accounts>("bank.v1.OperatorService/ListAccounts", *this);
  server.handle<&Me::add_terminal>("bank.v1.OperatorService/AddTerminal", *this);
  server.handle<&Me::set_terminal_service>("bank.v1.OperatorService/SetTerminalService", *this);
  server.handle<&Me::list_terminals>("bank.v1.OperatorService/ListTerminals", *this);
  server.handle<&Me::issue_card>("bank.v1.OperatorService/IssueCard", *this);
  server.handle<&Me::block_card>("bank.v1.OperatorService/BlockCard", *this);
  server.handle<&Me::unblock_card>("bank.v1.OperatorService/UnblockCard", *this);
  server.handle<&Me::replace_card>("bank.v1.OperatorService/ReplaceCard", *this);
  server.handle<&Me::set_card_limits>("bank.v1.OperatorService/SetCardLimits", *this);
  server.handle<&Me::get_card>("bank.v1.OperatorService/GetCard", *this);
  server.handle<&Me::list_cards>("bank.v1.OperatorService/ListCards", *this);
  server.handle<&Me::adjust>("bank.v1.OperatorService/Adjust", *this);
  server.handle<&Me::reverse>("bank.v1.OperatorService/Reverse", *this);
  server.handle<&Me::get_trial_balance>("bank.v1.OperatorService/GetTrialBalance", *this);
  server.handle<&Me::list_transfers>("bank.v1.OperatorService/ListTransfers", *this);
  server.handle<&Me::watch_transfers>("bank.v1.OperatorService/WatchTransfers", *this);
  server.handle<&Me::list_holds>("bank.v1.OperatorService/ListHolds", *this);
  server.handle<&Me::find_change>("bank.v1.OperatorService/FindChange", *this);
  server.handle<&Me::resolve_change>("bank.v1.OperatorService/ResolveChange", *this);
  server.handle<&Me::list_declines>("bank.v1.OperatorService/ListDeclines", *this);
  server.handle<&Me::list_exceptions>("bank.v1.OperatorService/ListExceptions", *this);
  server.handle<&Me::get_exception>("bank.v1.OperatorService/GetException", *this);
  server.handle<&Me::resolve_exception>("bank.v1.OperatorService/ResolveException", *this);
  server.handle<&Me::backup>("bank.v1.OperatorService/Backup", *this);
}

}  // namespace bank
