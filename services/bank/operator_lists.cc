// The operator's reads: what is committed, a page at a time.
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include "async/scope.h"
#include "bank/change_views.h"
#include "bank/messages.h"
#include "bank/operations.h"
#include "bank/operator_service.h"
#include "bank/sentences.h"
#include "rpc/status.h"

namespace bank {

using async::Task;
using rpc::Context;

namespace {

// These responses have no refusal: what is wrong with the question is the call's status.
Page require_page(const std::expected<Page, std::string_view>& page) {
  if (page) return *page;
  throw rpc::Error(rpc::StatusCode::invalid_argument, sentence(malformed(page.error())));
}

// The entries of a dense list from a place on; places count from 1.
template <typename List>
auto from_place(const List& list, std::uint64_t from) {
  const std::uint64_t skipped = std::min<std::uint64_t>(from == 0 ? 0 : from - 1, list.size());
  return std::ranges::subrange(list.begin() + static_cast<std::ptrdiff_t>(skipped), list.end());
}

// Its place.
constexpr auto place_in_list = [](const auto& entry) {
  return std::uint64_t{static_cast<std::uint32_t>(entry.number)} + 1;
};
constexpr auto key_of = [](const auto& entry) { return entry.first; };

// Counts a watcher for as long as it watches.
class Watching {
 public:
  explicit Watching(std::size_t& watchers) : watchers_(watchers) {
    if (watchers_ >= watchers_max) {
      throw rpc::Error(rpc::StatusCode::resource_exhausted, "Too many are watching already.");
    }
    ++watchers_;
  }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;
  ~Watching() { --watchers_; }

 private:
  std::size_t& watchers_;
};

}  // namespace

std::optional<ledger::AccountNumber> OperatorService::account_number(
    const std::string& account_id) const {
  if (account_id.empty()) return std::nullopt;
  const ledger::Account* const account = store_.books().find_account(account_id);
  if (account == nullptr) {
    throw rpc::Error(rpc::StatusCode::not_found, "There is no account " + account_id + ".");
  }
  return account->number;
}

Task<v1::GetBankResponse> OperatorService::get_bank(const v1::GetBankRequest&, Context) {
  v1::GetBankResponse response;
  for (const ledger::Totals& totals : store_.books().totals()) {
    response.add_currencies(totals.currency.text());
  }
  if (response.currencies().empty()) response.set_currency(currency_.text());
  if (response.currencies_size() == 1) response.set_currency(response.currencies(0));
  const auto currency = ledger::Currency::parse(response.currency());
  if (currency) response.set_minor_digits(static_cast<std::uint32_t>(currency->minor_digits()));
  co_return response;
}

Task<v1::GetAccountResponse> OperatorService::get_account(const v1::GetAccountRequest& request,
                                                          Context) {
  const ledger::Books& books = store_.books();
  const ledger::Account* const account = books.find_account(request.account_id());
  v1::GetAccountResponse response;
  if (account == nullptr) {
    const ledger::Refusal refusal{.code = ledger::RefusalCode::account_not_found};
    *response.mutable_refusal() = to_message(refusal);
    const Parties parties = about(request.account_id());
    response.mutable_refusal()->set_message(sentence(refusal, books, parties));
  } else {
    *response.mutable_account() = to_message(*account);
  }
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<v1::ListAccountsResponse> OperatorService::list_accounts(
    const v1::ListAccountsRequest& request, Context) {
  const std::string list = "accounts";
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const ledger::Books& books = store_.books();
  v1::ListAccountsResponse response;
  const std::uint64_t next = fill_page(
      from_place(books.accounts(), page.from), page,
      [](const ledger::Account& account) { return std::optional(to_message(account)); },
      place_in_list, response.mutable_accounts());
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<v1::ListTerminalsResponse> OperatorService::list_terminals(
    const v1::ListTerminalsRequest& request, Context) {
  const std::string list = "terminals";
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const ledger::Books& books = store_.books();
  v1::ListTerminalsResponse response;
  const std::uint64_t next = fill_page(
      from_place(books.terminals(), page.from), page,
      [&books](const ledger::Terminal& terminal) {
        return std::optional(to_message(terminal, books.cash_account(terminal)));
      },
      place_in_list, response.mutable_terminals());
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<v1::GetCardResponse> OperatorService::get_card(const v1::GetCardRequest& request, Context) {
  const ledger::Books& books = store_.books();
  const auto card = books.find_named_card(request.card_number());
  v1::GetCardResponse response;
  if (!card) {
    *response.mutable_refusal() = to_message({.code = card.error()});
  } else {
    *response.mutable_card() = to_message(**card, books.account((*card)->account));
  }
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<v1::ListCardsResponse> OperatorService::list_cards(const v1::ListCardsRequest& request,
                                                        Context) {
  const std::string list = "cards " + request.account_id();
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const std::optional<ledger::AccountNumber> only = account_number(request.account_id());
  const ledger::Books& books = store_.books();
  v1::ListCardsResponse response;
  const std::uint64_t next = fill_page(
      from_place(books.cards(), page.from), page,
      [&](const ledger::Card& card) {
        std::optional<v1::Card> message;
        if (!only || card.account == *only) message = to_message(card, books.account(card.account));
        return message;
      },
      place_in_list, response.mutable_cards());
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<v1::GetTrialBalanceResponse> OperatorService::get_trial_balance(
    const v1::GetTrialBalanceRequest&, Context) {
  v1::GetTrialBalanceResponse response;
  for (const ledger::Totals& totals : store_.books().totals()) {
    *response.add_currencies() = to_message(totals);
  }
  const ledger::ChainHead head = store_.chain_head();
  response.set_ledger_seq(head.ledger_seq);
  response.set_chain_head(to_bytes(head.hash));
  co_return response;
}

Task<v1::ListTransfersResponse> OperatorService::list_transfers(
    const v1::ListTransfersRequest& request, Context) {
  const std::string list = "transfers " + request.account_id();
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const std::optional<ledger::AccountNumber> only = account_number(request.account_id());
  Task<ledger::TransferPage> look_up =
      only ? store_.statement(*only, page.from, page.size) : store_.transfers(page.from, page.size);
  const ledger::TransferPage found = co_await look_up;

  v1::ListTransfersResponse response;
  const ledger::Books& books = store_.books();
  const std::uint64_t cut_at = fill_page(
      found.transfers, page,
      [&books](const auto& transfer) { return std::optional(to_message(transfer, books)); },
      [](const auto& transfer) { return transfer.ledger_seq; }, response.mutable_transfers());
  const std::uint64_t next = cut_at != 0 ? cut_at : found.next;
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(found.ledger_seq);
  co_return response;
}

Task<> OperatorService::watch_transfers(v1::WatchTransfersRequest request, Context,
                                        rpc::Writer<v1::WatchTransfersResponse> writer) {
  const Watching counted(watchers_);
  const std::uint64_t from = request.from_ledger_seq();
  std::uint64_t told = from == 0 ? store_.last_seq() : from - 1;
  // The place in the journal is all that a watcher has: one that reads slowly is told later, from
  // the disk if need be, and keeps one step in memory.
  while (true) {
    std::vector<ledger::Transfer> transfers = co_await store_.next_transfers(told, watch_step_max);
    told = transfers.back().ledger_seq;
    Task<> telling = tell(writer, std::move(transfers));
    const async::Deadline patience = loop_.in(watch_step_time_max);
    const auto is_told = co_await async::with_deadline(loop_, patience, std::move(telling));
    if (!is_told) {
      throw rpc::Error(rpc::StatusCode::resource_exhausted,
                       "The watcher reads too slowly; watch again from where it stopped.");
    }
  }
}

Task<> OperatorService::tell(rpc::Writer<v1::WatchTransfersResponse> writer,
                             std::vector<ledger::Transfer> transfers) {
  for (const ledger::Transfer& transfer : transfers) {
    v1::WatchTransfersResponse response;
    *response.mutable_transfer() = to_message(transfer, store_.books());
    co_await writer.write(response);
  }
}

Task<v1::ListHoldsResponse> OperatorService::list_holds(const v1::ListHoldsRequest& request,
                                                        Context) {
  const std::string list = "holds";
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const ledger::Books& books = store_.books();
  v1::ListHoldsResponse response;
  const std::uint64_t next = fill_page(
      std::ranges::subrange(books.holds().lower_bound(page.from), books.holds().end()), page,
      [&books](const auto& numbered) {
        std::optional<v1::OpenHold> message;
        if (numbered.second.is_open()) message = to_message(numbered.second, books);
        return message;
      },
      key_of, response.mutable_holds());
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(books.last_seq());
  co_return response;
}

Task<> OperatorService::add_paid(v1::ExceptionView& exception) {
  const bool is_decided =
      exception.resolved() && exception.kind() == v1::EXCEPTION_KIND_SUSPENDED_HOLD;
  const auto id = ledger::OperationId::from_bytes(exception.hold_id());
  if (!is_decided || !id) co_return;
  const std::optional<ledger::HoldEntry> hold = co_await store_.find_hold(*id);
  if (!hold) co_return;
  const auto currency = ledger::Currency::parse(exception.amount().currency());
  *exception.mutable_paid() = to_money(hold->captured, currency.value_or(ledger::Currency()));
}

Task<v1::ListExceptionsResponse> OperatorService::list_exceptions(
    const v1::ListExceptionsRequest& request, Context) {
  const bool all = request.with_resolved();
  const std::string list = all ? "exceptions" : "open exceptions";
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  const ledger::Books& books = store_.books();
  v1::ListExceptionsResponse response;
  const std::uint64_t next = fill_page(
      std::ranges::subrange(books.exceptions().lower_bound(page.from), books.exceptions().end()),
      page,
      [all](const auto& numbered) {
        std::optional<v1::ExceptionView> message;
        if (all || !numbered.second.resolved) message = to_message(numbered.second);
        return message;
      },
      key_of, response.mutable_exceptions());
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(books.last_seq());
  for (v1::ExceptionView& exception : *response.mutable_exceptions()) co_await add_paid(exception);
  co_return response;
}

Task<v1::GetExceptionResponse> OperatorService::get_exception(
    const v1::GetExceptionRequest& request, Context) {
  const ledger::Books& books = store_.books();
  const auto found = books.exceptions().find(request.exception_seq());
  v1::GetExceptionResponse response;
  if (found == books.exceptions().end()) {
    *response.mutable_refusal() = to_message({.code = ledger::RefusalCode::exception_not_found});
  } else {
    *response.mutable_exception() = to_message(found->second);
  }
  response.set_ledger_seq(books.last_seq());
  if (response.has_exception()) co_await add_paid(*response.mutable_exception());
  co_return response;
}

Task<v1::ListDeclinesResponse> OperatorService::list_declines(
    const v1::ListDeclinesRequest& request, Context) {
  const std::string list = "declines " + request.account_id();
  const Page page = require_page(pages_.page(list, request, operator_page_sizes));
  account_number(request.account_id());
  const ledger::RecordPage found = co_await store_.declines(page.from, page.size);

  v1::ListDeclinesResponse response;
  const ledger::Books& books = store_.books();
  const std::uint64_t cut_at = fill_page(
      found.records, page,
      [&](const ledger::Record& record) {
        std::optional<v1::ChangeView> view = to_view({.record = record, .hold = {}}, books);
        const bool is_listed =
            request.account_id().empty() || view->account_id() == request.account_id();
        return is_listed ? view : std::nullopt;
      },
      [](const ledger::Record& record) { return record.ledger_seq; }, response.mutable_declines());
  const std::uint64_t next = cut_at != 0 ? cut_at : found.next;
  if (next != 0) response.set_next_page_token(pages_.make(list, next));
  response.set_ledger_seq(found.ledger_seq);
  co_return response;
}

Task<v1::BackupResponse> OperatorService::backup(const v1::BackupRequest& request, Context) {
  if (request.path().empty()) {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "The request's path names no file.");
  }
  v1::BackupResponse response;
  try {
    const std::string path = std::filesystem::absolute(request.path()).string();
    const ledger::BackupDone done = co_await store_.backup(path);
    response.set_path(path);
    response.set_ledger_seq(done.ledger_seq);
    response.set_bytes(done.bytes);
  } catch (const ledger::StorageError& error) {
    // The operator's path, and not the bank's storage: an answer, and no reason to stop.
    if (error.kind() != ledger::StorageError::Kind::cannot_create) throw;
    throw rpc::Error(rpc::StatusCode::failed_precondition, error.what());
  }
  co_return response;
}

}  // namespace bank
