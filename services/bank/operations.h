// From the wire's requests to the ledger's operations.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bank/changes.h"
#include "bank/v1/bank.pb.h"
#include "bank/v1/operator.pb.h"
#include "ledger/operation.h"
#include "ledger/refusal.h"

// A request whose shape is wrong becomes a refusal, MALFORMED with the field; the ledger checks
// again what can be said of an operation by itself. Nothing here knows what the books say. PINs are
// left out: their hashes are filled in when they are known.
namespace bank {

// Whose ids the operator's are.
using ledger::operator_principal;

Asked to_operation(const v1::HoldRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::CaptureRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::VoidRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::SuspendRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::DepositRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::TransferRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ChangePinRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::LoadCashRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::UnloadCashRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ResolveRequest& request, ledger::Deadline deadline);

Asked to_operation(const v1::OpenAccountRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::FundAccountRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::FreezeAccountRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::UnfreezeAccountRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::CloseAccountRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::SetOverdraftRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::AddTerminalRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::SetTerminalServiceRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::IssueCardRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::BlockCardRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::UnblockCardRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ReplaceCardRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::SetCardLimitsRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::AdjustRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ReverseRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ResolveExceptionRequest& request, ledger::Deadline deadline);
Asked to_operation(const v1::ResolveChangeRequest& request, ledger::Deadline deadline);

// What the services ask of a request before they look anything up; nullopt if it is well formed.
std::optional<ledger::Refusal> check_terminal_id(std::string_view terminal_id);
std::optional<ledger::Refusal> check_card_number(std::string_view card_number);
template <typename Request>
std::optional<ledger::Refusal> check_card_at_terminal(const Request& request) {
  if (auto fault = check_terminal_id(request.terminal_id())) return fault;
  return check_card_number(request.card_number());
}
ledger::Refusal malformed(std::string_view field,
                          ledger::ShapeFault fault = ledger::ShapeFault::none);

}  // namespace bank
