// OperatorService: what the bank's operator asks of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/task.h"
#include "async/time.h"
#include "bank/changes.h"
#include "bank/operations.h"
#include "bank/pages.h"
#include "bank/pin_hasher.h"
#include "bank/sentences.h"
#include "bank/tokens.h"
#include "bank/v1/operator.pb.h"
#include "ledger/store.h"
#include "rpc/context.h"
#include "rpc/server.h"

namespace bank {

// Watchers at a time. Each costs one step of transfers, however slowly it reads, and is cut when it
// does not take a step in this time.
inline constexpr std::size_t watchers_max = 64;
inline constexpr std::size_t watch_step_max = 256;
inline constexpr async::Duration watch_step_time_max = std::chrono::seconds(30);

// bank.v1.OperatorService. The principal of every call is operator_principal. Changes go the
// ledger's way; lists read what is committed, in the order in which things were opened or happened,
// so that a page never moves under its reader. Owned by main or a test; loop thread only; outlived
// by everything that it is given.
class OperatorService {
 public:
  // `currency` is what an empty bank's first account or terminal is in, unless it is named.
  OperatorService(async::Loop& loop, ledger::Store& store, Changes& changes, PinHasher& hasher,
                  Tokens& tokens, ledger::Currency currency = ledger::Currency::of("EUR"))
      : loop_(loop),
        store_(store),
        changes_(changes),
        hasher_(hasher),
        tokens_(tokens),
        currency_(currency),
        pages_(store.instance_id()) {}

  void add_to(rpc::Server& server);

  // Changes (operator_service.cc).
  async::Task<v1::OpenAccountResponse> open_account(const v1::OpenAccountRequest& request,
                                                    rpc::Context context);
  async::Task<v1::FundAccountResponse> fund_account(const v1::FundAccountRequest& request,
                                                    rpc::Context context);
  async::Task<v1::FreezeAccountResponse> freeze_account(const v1::FreezeAccountRequest& request,
                                                        rpc::Context context);
  async::Task<v1::UnfreezeAccountResponse> unfreeze_account(
      const v1::UnfreezeAccountRequest& request, rpc::Context context);
  async::Task<v1::CloseAccountResponse> close_account(const v1::CloseAccountRequest& request,
                                                      rpc::Context context);
  async::Task<v1::SetOverdraftResponse> set_overdraft(const v1::SetOverdraftRequest& request,
                                                      rpc::Context context);
  async::Task<v1::AddTerminalResponse> add_terminal(const v1::AddTerminalRequest& request,
                                                    rpc::Context context);
  async::Task<v1::SetTerminalServiceResponse> set_terminal_service(
      const v1::SetTerminalServiceRequest& request, rpc::Context context);
  async::Task<v1::IssueCardResponse> issue_card(v1::IssueCardRequest request, rpc::Context context);
  async::Task<v1::BlockCardResponse> block_card(const v1::BlockCardRequest& request,
                                                rpc::Context context);
  async::Task<v1::UnblockCardResponse> unblock_card(const v1::UnblockCardRequest& request,
                                                    rpc::Context context);
  async::Task<v1::ReplaceCardResponse> replace_card(v1::ReplaceCardRequest request,
                                                    rpc::Context context);
  async::Task<v1::SetCardLimitsResponse> set_card_limits(const v1::SetCardLimitsRequest& request,
                                                         rpc::Context context);
  async::Task<v1::AdjustResponse> adjust(const v1::AdjustRequest& request, rpc::Context context);
  async::Task<v1::ReverseResponse> reverse(const v1::ReverseRequest& request, rpc::Context context);
  async::Task<v1::FindChangeResponse> find_change(const v1::FindChangeRequest& request,
                                                  rpc::Context context);
  async::Task<v1::ResolveChangeResponse> resolve_change(const v1::ResolveChangeRequest& request,
                                                        rpc::Context context);
  async::Task<v1::ResolveExceptionResponse> resolve_exception(
      const v1::ResolveExceptionRequest& request, rpc::Context context);

  // Reads (operator_lists.cc).
  async::Task<v1::GetBankResponse> get_bank(const v1::GetBankRequest& request,
                                            rpc::Context context);
  async::Task<v1::GetAccountResponse> get_account(const v1::GetAccountRequest& request,
                                                  rpc::Context context);
  async::Task<v1::ListAccountsResponse> list_accounts(const v1::ListAccountsRequest& request,
                                                      rpc::Context context);
  async::Task<v1::ListTerminalsResponse> list_terminals(const v1::ListTerminalsRequest& request,
                                                        rpc::Context context);
  async::Task<v1::GetCardResponse> get_card(const v1::GetCardRequest& request,
                                            rpc::Context context);
  async::Task<v1::ListCardsResponse> list_cards(const v1::ListCardsRequest& request,
                                                rpc::Context context);
  async::Task<v1::GetTrialBalanceResponse> get_trial_balance(
      const v1::GetTrialBalanceRequest& request, rpc::Context context);
  async::Task<v1::ListTransfersResponse> list_transfers(const v1::ListTransfersRequest& request,
                                                        rpc::Context context);
  async::Task<> watch_transfers(v1::WatchTransfersRequest request, rpc::Context context,
                                rpc::Writer<v1::WatchTransfersResponse> writer);
  async::Task<v1::ListHoldsResponse> list_holds(const v1::ListHoldsRequest& request,
                                                rpc::Context context);
  async::Task<v1::ListExceptionsResponse> list_exceptions(const v1::ListExceptionsRequest& request,
                                                          rpc::Context context);
  async::Task<v1::GetExceptionResponse> get_exception(const v1::GetExceptionRequest& request,
                                                      rpc::Context context);
  async::Task<v1::ListDeclinesResponse> list_declines(const v1::ListDeclinesRequest& request,
                                                      rpc::Context context);
  async::Task<v1::BackupResponse> backup(const v1::BackupRequest& request, rpc::Context context);

 private:
  // Makes the change, and answers with `done` or `refusal`, which names the account that it is about.
  template <typename Response>
  async::Task<Response> change(Asked asked, Parties parties = {});
  // A card is blocked or replaced, as it was named: nobody's PIN was proven for it any more.
  void forget_tokens(const std::string& card_name);
  // Tells a watcher one step of transfers.
  async::Task<> tell(rpc::Writer<v1::WatchTransfersResponse> writer,
                     std::vector<ledger::Transfer> transfers);
  // What was decided of a suspended hold that the customer got.
  async::Task<> add_paid(v1::ExceptionView& exception);
  // Of the account that a list is narrowed to; nothing when it is not. Throws NOT_FOUND.
  std::optional<ledger::AccountNumber> account_number(const std::string& account_id) const;

  async::Loop& loop_;
  ledger::Store& store_;
  Changes& changes_;
  PinHasher& hasher_;
  Tokens& tokens_;
  ledger::Currency currency_;
  PageTokens pages_;
  std::size_t watchers_ = 0;
};

}  // namespace bank
