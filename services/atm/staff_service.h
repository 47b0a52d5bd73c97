// StaffService: what the staff that looks after an ATM asks of it.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "atm/atm_service.h"
#include "atm/audit.h"
#include "atm/declines.h"
#include "atm/machinery.h"
#include "atm/movements.h"
#include "atm/register.h"
#include "atm/v1/staff.pb.h"
#include "rpc/server.h"

namespace atm {

// The handlers of atm.v1.StaffService. An unknown terminal is NOT_FOUND. Owned by the Atm; loop
// thread only.
class StaffService {
 public:
  StaffService(Machinery& machinery, Terminals& terminals, Register& known, Movements& movements,
               const Declines& declines)
      : machinery_(machinery),
        terminals_(terminals),
        known_(known),
        movements_(movements),
        declines_(declines) {}

  void serve_on(rpc::Server& server);

  Task<v1::ListTerminalsResponse> list_terminals(v1::ListTerminalsRequest request,
                                                 rpc::Context context);
  Task<v1::ListCassettesResponse> list_cassettes(v1::ListCassettesRequest request,
                                                 rpc::Context context);
  Task<v1::LoadResponse> load(v1::LoadRequest request, rpc::Context context);
  Task<v1::UnloadResponse> unload(v1::UnloadRequest request, rpc::Context context);
  Task<v1::CountResponse> count(v1::CountRequest request, rpc::Context context);
  Task<v1::GetDayTotalsResponse> get_day_totals(v1::GetDayTotalsRequest request,
                                                rpc::Context context);
  Task<v1::AuditResponse> audit(v1::AuditRequest request, rpc::Context context);
  Task<v1::SetServiceResponse> set_service(v1::SetServiceRequest request, rpc::Context context);
  Task<v1::AcceptBankHistoryResponse> accept_bank_history(v1::AcceptBankHistoryRequest request,
                                                          rpc::Context context);
  Task<v1::ListOpenItemsResponse> list_open_items(v1::ListOpenItemsRequest request,
                                                  rpc::Context context);
  Task<v1::ListDeclinesResponse> list_declines(v1::ListDeclinesRequest request,
                                               rpc::Context context);
  Task<v1::SetFaultResponse> set_fault(v1::SetFaultRequest request, rpc::Context context);

 private:
  // Throws rpc::Error(NOT_FOUND).
  Terminal& terminal(const std::string& id);
  v1::Terminal view(const Terminal& terminal) const;
  v1::DeclinedAttempt view(const Declined& declined) const;
  std::vector<v1::OpenItem> open_items(const Terminal& terminal) const;
  // A sentence for each item that the bank refused, the newest first. Such an item is no longer
  // open.
  std::vector<std::string> exceptions(const Terminal& terminal) const;
  // Returns when the bank has said whether it has cash inside an untouched terminal, or why it does
  // not say so.
  Task<> hear_of_cash(Terminal& at, async::Deadline until);
  // The holds of what waits for the bank's operator: no cash moves for such items, here or at the bank,
  // until that decision. Returns nullopt if others are open: what is here and what the bank has may
  // then differ for a while.
  std::optional<std::vector<OperationId>> suspended_holds(const Terminal& terminal) const;
  // Returns "" if the bank says that all of them still wait for its operator; else a clause that says
  // why its figure cannot be compared: one is decided, or the bank does not answer or does not tell.
  Task<std::string> why_not_comparable(std::string terminal, std::vector<OperationId> holds,
                                       async::Deadline until, rpc::Trace trace);
  // Throws FAILED_PRECONDITION while the disk is nearly full.
  void require_room() const;
  void add_difference_with_bank(const Terminal& at, Cents at_bank,
                                v1::AuditResponse& response) const;
  std::optional<v1::Decline> wrong_load(const Terminal& terminal,
                                        const v1::LoadRequest& request) const;
  // What this id was before, or a new movement.
  std::expected<MovementItem, v1::Decline> find_or_begin(Terminal& terminal, Movement wanted,
                                                         std::optional<v1::Decline> wrong,
                                                         bool& replayed);

  Machinery& machinery_;
  Terminals& terminals_;
  Register& known_;
  Movements& movements_;
  const Declines& declines_;
};

}  // namespace atm
