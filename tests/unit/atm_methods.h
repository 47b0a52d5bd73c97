// The methods of an ATM that its tests call.
#pragma once

#include "atm/v1/atm.pb.h"
#include "atm/v1/staff.pb.h"
#include "rpc/method.h"
#include "rpc/v1/health.pb.h"

namespace atm {

inline constexpr rpc::Method<v1::InsertCardRequest, v1::InsertCardResponse> insert_card_method{
    "atm.v1.AtmService/InsertCard"};
inline constexpr rpc::Method<v1::GetBalanceRequest, v1::GetBalanceResponse> get_balance_method{
    "atm.v1.AtmService/GetBalance"};
inline constexpr rpc::Method<v1::WithdrawRequest, v1::WithdrawResponse> withdraw_method{
    "atm.v1.AtmService/Withdraw"};
inline constexpr rpc::Method<v1::DepositRequest, v1::DepositResponse> deposit_method{
    "atm.v1.AtmService/Deposit"};
inline constexpr rpc::Method<v1::TransferRequest, v1::TransferResponse> transfer_method{
    "atm.v1.AtmService/Transfer"};
inline constexpr rpc::Method<v1::ChangePinRequest, v1::ChangePinResponse> change_pin_method{
    "atm.v1.AtmService/ChangePin"};
inline constexpr rpc::Method<v1::ResolveRequest, v1::ResolveResponse> resolve_method{
    "atm.v1.AtmService/Resolve"};
inline constexpr rpc::Method<v1::EndSessionRequest, v1::EndSessionResponse> end_session_method{
    "atm.v1.AtmService/EndSession"};
inline constexpr rpc::Method<v1::LoadRequest, v1::LoadResponse> load_method{
    "atm.v1.StaffService/Load"};
inline constexpr rpc::Method<v1::UnloadRequest, v1::UnloadResponse> unload_method{
    "atm.v1.StaffService/Unload"};
inline constexpr rpc::Method<v1::CountRequest, v1::CountResponse> count_method{
    "atm.v1.StaffService/Count"};
inline constexpr rpc::Method<v1::AuditRequest, v1::AuditResponse> audit_method{
    "atm.v1.StaffService/Audit"};
inline constexpr rpc::Method<v1::ListTerminalsRequest, v1::ListTerminalsResponse>
    list_terminals_method{"atm.v1.StaffService/ListTerminals"};
inline constexpr rpc::Method<v1::ListOpenItemsRequest, v1::ListOpenItemsResponse>
    list_open_items_method{"atm.v1.StaffService/ListOpenItems"};
inline constexpr rpc::Method<v1::ListDeclinesRequest, v1::ListDeclinesResponse>
    list_declines_method{"atm.v1.StaffService/ListDeclines"};
inline constexpr rpc::Method<v1::SetServiceRequest, v1::SetServiceResponse> set_service_method{
    "atm.v1.StaffService/SetService"};
inline constexpr rpc::Method<v1::SetFaultRequest, v1::SetFaultResponse> set_fault_method{
    "atm.v1.StaffService/SetFault"};
inline constexpr rpc::Method<v1::GetDayTotalsRequest, v1::GetDayTotalsResponse> day_totals_method{
    "atm.v1.StaffService/GetDayTotals"};
inline constexpr rpc::Method<v1::AcceptBankHistoryRequest, v1::AcceptBankHistoryResponse>
    accept_history_method{"atm.v1.StaffService/AcceptBankHistory"};
inline constexpr rpc::Method<v1::ListCassettesRequest, v1::ListCassettesResponse> cassettes_method{
    "atm.v1.StaffService/ListCassettes"};
inline constexpr rpc::Method<rpc::v1::CheckRequest, rpc::v1::CheckResponse> check_health_method{
    "rpc.v1.HealthService/Check"};

}  // namespace atm
