// The bank's methods that an ATM calls.
#pragma once

#include "bank/v1/bank.pb.h"
#include "rpc/method.h"

namespace atm::bank_methods {

namespace wire = ::bank::v1;

inline constinit const rpc::Method<wire::SignOnRequest, wire::SignOnResponse> sign_on{
    "bank.v1.BankService/SignOn"};
inline constinit const rpc::Method<wire::VerifyCardRequest, wire::VerifyCardResponse> verify_card{
    "bank.v1.BankService/VerifyCard"};
inline constinit const rpc::Method<wire::GetBalanceRequest, wire::GetBalanceResponse> get_balance{
    "bank.v1.BankService/GetBalance"};
inline constinit const rpc::Method<wire::ListStatementRequest, wire::ListStatementResponse>
    list_statement{"bank.v1.BankService/ListStatement"};
inline constinit const rpc::Method<wire::HoldRequest, wire::HoldResponse> hold{
    "bank.v1.BankService/Hold"};
inline constinit const rpc::Method<wire::CaptureRequest, wire::CaptureResponse> capture{
    "bank.v1.BankService/Capture"};
inline constinit const rpc::Method<wire::VoidRequest, wire::VoidResponse> void_hold{
    "bank.v1.BankService/Void"};
inline constinit const rpc::Method<wire::SuspendRequest, wire::SuspendResponse> suspend{
    "bank.v1.BankService/Suspend"};
inline constinit const rpc::Method<wire::GetHoldRequest, wire::GetHoldResponse> get_hold{
    "bank.v1.BankService/GetHold"};
inline constinit const rpc::Method<wire::DepositRequest, wire::DepositResponse> deposit{
    "bank.v1.BankService/Deposit"};
inline constinit const rpc::Method<wire::TransferRequest, wire::TransferResponse> transfer{
    "bank.v1.BankService/Transfer"};
inline constinit const rpc::Method<wire::ChangePinRequest, wire::ChangePinResponse> change_pin{
    "bank.v1.BankService/ChangePin"};
inline constinit const rpc::Method<wire::LoadCashRequest, wire::LoadCashResponse> load_cash{
    "bank.v1.BankService/LoadCash"};
inline constinit const rpc::Method<wire::UnloadCashRequest, wire::UnloadCashResponse> unload_cash{
    "bank.v1.BankService/UnloadCash"};
inline constinit const rpc::Method<wire::ResolveRequest, wire::ResolveResponse> resolve{
    "bank.v1.BankService/Resolve"};

}  // namespace atm::bank_methods
