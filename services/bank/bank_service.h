// BankService: what an ATM asks of the bank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "bank/changes.h"
#include "bank/pages.h"
#include "bank/pin.h"
#include "bank/pin_desk.h"
#include "bank/tokens.h"
#include "bank/v1/bank.pb.h"
#include "ledger/store.h"
#include "rpc/context.h"
#include "rpc/server.h"

namespace bank {

// bank.v1.BankService: shape first, then whether the customer was proven, then the ledger. The
// principal of a call is its terminal. What is asked all day fills responses that were used before
// (rpc::Server::handle); the rest returns new ones. Holds nothing itself: who restarts the bank loses tokens,
// and no money. Owned by main or a test; loop thread only; outlived by everything that it is given.
class BankService {
 public:
  BankService(ledger::Store& store, Changes& changes, PinDesk& pins, Tokens& tokens)
      : store_(store),
        changes_(changes),
        pins_(pins),
        tokens_(tokens),
        pages_(store.instance_id()) {}

  void add_to(rpc::Server& server);

  async::Task<v1::SignOnResponse> sign_on(const v1::SignOnRequest& request, rpc::Context context);
  async::Task<v1::VerifyCardResponse> verify_card(v1::VerifyCardRequest request,
                                                  rpc::Context context);
  async::Task<> get_balance(const v1::GetBalanceRequest& request, rpc::Context context,
                            rpc::Answer<v1::GetBalanceResponse> response);
  async::Task<v1::ListStatementResponse> list_statement(const v1::ListStatementRequest& request,
                                                        rpc::Context context);
  async::Task<> hold(const v1::HoldRequest& request, rpc::Context context,
                     rpc::Answer<v1::HoldResponse> response);
  async::Task<> capture(const v1::CaptureRequest& request, rpc::Context context,
                        rpc::Answer<v1::CaptureResponse> response);
  // "void" is a word of C++.
  async::Task<v1::VoidResponse> void_hold(const v1::VoidRequest& request, rpc::Context context);
  async::Task<v1::SuspendResponse> suspend(const v1::SuspendRequest& request, rpc::Context context);
  async::Task<v1::GetHoldResponse> get_hold(const v1::GetHoldRequest& request,
                                            rpc::Context context);
  async::Task<> deposit(const v1::DepositRequest& request, rpc::Context context,
                        rpc::Answer<v1::DepositResponse> response);
  async::Task<> transfer(const v1::TransferRequest& request, rpc::Context context,
                         rpc::Answer<v1::TransferResponse> response);
  async::Task<v1::ChangePinResponse> change_pin(v1::ChangePinRequest request, rpc::Context context);
  async::Task<v1::LoadCashResponse> load_cash(const v1::LoadCashRequest& request,
                                              rpc::Context context);
  async::Task<v1::UnloadCashResponse> unload_cash(const v1::UnloadCashRequest& request,
                                                  rpc::Context context);
  async::Task<v1::ResolveResponse> resolve(const v1::ResolveRequest& request, rpc::Context context);

 private:
  template <typename Request>
  bool is_proven(const Request& request) const {
    return tokens_.proves(request.token(), request.card_number(), request.terminal_id());
  }
  v1::ResolveResponse tell_of_receipt(const std::vector<ledger::FoundChange>& found,
                                      const ledger::OperationId& id,
                                      const std::string& asked_by) const;
  void describe(v1::ResolveResponse& response, const std::vector<ledger::FoundChange>& found) const;
  async::Task<bool> history_holds(std::uint64_t ledger_seq, std::string chain_head);
  v1::VerifyCardResponse verified(const v1::VerifyCardRequest& request);
  // Whether the PIN change that was made under this id set this PIN.
  async::Task<bool> set_this_pin(ledger::OperationId id, Pin pin);
  // A card that was locked meanwhile has no tokens any more.
  void forget_if_locked(const std::string& card_number);

  ledger::Store& store_;
  Changes& changes_;
  PinDesk& pins_;
  Tokens& tokens_;
  PageTokens pages_;
};

}  // namespace bank
