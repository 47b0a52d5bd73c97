// AtmService: what a customer asks of an ATM.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "atm/declines.h"
#include "atm/deposits.h"
#include "atm/machinery.h"
#include "atm/messages.h"
#include "atm/register.h"
#include "atm/relays.h"
#include "atm/terminal.h"
#include "atm/unknown_ids.h"
#include "atm/v1/atm.pb.h"
#include "atm/withdrawals.h"
#include "rpc/server.h"

namespace atm {

// The one that is named, or the only one when none is.
Terminal* find_terminal(const Terminals& terminals, const std::string& id);
// Why there is none: a sentence without its end, which names those that there are.
std::string why_no_terminal(const Terminals& terminals, const std::string& id);

// The handlers of atm.v1.AtmService. Owned by the Atm; loop thread only.
class AtmService {
 public:
  AtmService(Machinery& machinery, Terminals& terminals, Register& known, Withdrawals& withdrawals,
             Deposits& deposits, Relays& relays, UnknownIds& unknown_ids, Declines& declines)
      : machinery_(machinery),
        terminals_(terminals),
        known_(known),
        withdrawals_(withdrawals),
        deposits_(deposits),
        relays_(relays),
        unknown_ids_(unknown_ids),
        declines_(declines) {}

  void serve_on(rpc::Server& server);

  Task<v1::InsertCardResponse> insert_card(v1::InsertCardRequest request, rpc::Context context);
  Task<v1::GetBalanceResponse> get_balance(v1::GetBalanceRequest request, rpc::Context context);
  Task<v1::WithdrawResponse> withdraw(v1::WithdrawRequest request, rpc::Context context);
  Task<v1::DepositResponse> deposit(v1::DepositRequest request, rpc::Context context);
  Task<v1::TransferResponse> transfer(v1::TransferRequest request, rpc::Context context);
  Task<v1::ListStatementResponse> list_statement(v1::ListStatementRequest request,
                                                 rpc::Context context);
  Task<v1::ChangePinResponse> change_pin(v1::ChangePinRequest request, rpc::Context context);
  Task<v1::ResolveResponse> resolve(v1::ResolveRequest request, rpc::Context context);
  Task<v1::EndSessionResponse> end_session(v1::EndSessionRequest request, rpc::Context context);

 private:
  // The session of a caller, and its terminal.
  struct Customer {
    Terminal* terminal = nullptr;
    Session session;
  };
  std::optional<Customer> customer(const std::string& session_id, const rpc::Context& context);
  // What is kept of a change that is asked for, if it is declined here. Returns nullopt if no customer
  // asks for it, or it has no id.
  template <typename Request>
  std::optional<Declined> attempt_of(std::string_view kind, const Request& request,
                                     const rpc::Context& context);
  // The no that the customer was told of that id before, as far as it is kept: nothing is begun under
  // it any more. Returns nullopt if there was none, or an answer to it is known.
  template <typename Response>
  std::optional<Response> first_no(const std::optional<Declined>& attempt);
  // `no`: of what the customer is told, UNSPECIFIED if that is no decline. The bank keeps what it
  // declines itself.
  Task<> keep_if_declined(std::optional<Declined> attempt, v1::Decline no, bool is_replayed);
  Task<v1::WithdrawResponse> answer_withdraw(v1::WithdrawRequest request, rpc::Context context);
  Task<v1::DepositResponse> answer_deposit(v1::DepositRequest request, rpc::Context context);
  Task<v1::TransferResponse> answer_transfer(v1::TransferRequest request, rpc::Context context);
  Task<v1::ChangePinResponse> answer_change_pin(v1::ChangePinRequest request, rpc::Context context);

  // Before anything new is begun for the customer: who it is, that the terminal serves, is free,
  // and that the disk has room (rule 26).
  std::expected<Customer, v1::Decline> may_begin(const std::string& session_id,
                                                 const rpc::Context& context);
  // Done when the customer's own change before this one is over: one whose caller gave up goes on
  // without him. At once for whoever asks again about an id that is known.
  template <Record T>
  Task<> until_free(Items<T>* items, std::string id, std::string session_id, rpc::Context context);
  // The id's shape, and that it was neither fenced nor used for anything but a T.
  template <Record T>
  Task<std::expected<OperationId, v1::Decline>> usable_id(std::string bytes);
  std::expected<WithdrawalItem, v1::Decline> begin_withdrawal(OperationId id,
                                                              v1::WithdrawRequest request,
                                                              rpc::Context context);
  std::expected<DepositItem, v1::Decline> begin_deposit(OperationId id, v1::DepositRequest request,
                                                        rpc::Context context);
  static std::optional<std::string_view> differing_field(const Relay& first, const Relay& wanted);
  std::vector<Cents> usual_amounts(const std::vector<Cassette>& cassettes) const;
  std::optional<v1::Decline> wrong_amount(const ::bank::v1::Money& amount) const;
  std::optional<v1::Decline> wrong_notes(const WireNotes& notes) const;
  bool may_be_elsewhere(const v1::ResolveRequest& request) const;

  Machinery& machinery_;
  Terminals& terminals_;
  Register& known_;
  Withdrawals& withdrawals_;
  Deposits& deposits_;
  Relays& relays_;
  UnknownIds& unknown_ids_;
  Declines& declines_;
};

}  // namespace atm
