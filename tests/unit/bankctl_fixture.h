// The operator's command line before a scripted bank and ATM, on a loop whose time the test drives.
#pragma once

#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/random.h"
#include "atm/v1/staff.pb.h"
#include "bank/v1/operator.pb.h"
#include "bankctl/commands.h"
#include "bankctl/request.h"
#include "cli/message_json.h"
#include "loop_fixture.h"
#include "ops/failure.h"
#include "rpc/server.h"

namespace bankctl {

class NobodyThere final : public cli::Terminal {
 public:
  void write(std::string_view) override {}
  std::string why_lost() const override { return ""; }
  cli::Answer ask(std::string_view, async::Duration) override { return nobody; }
  cli::Answer ask_hidden(std::string_view, async::Duration) override { return nobody; }

 private:
  const cli::Answer nobody{.kind = cli::Answer::Kind::end_of_input, .text = ""};
};

class NoInterrupts final : public cli::Interrupts {
 public:
  explicit NoInterrupts(async::Loop& loop) : event(loop) {}
  async::Task<int> next() override {
    co_await event;
    co_return 2;
  }
  async::Event event;
};

// A bank and an ATM that answer what the test says.
class ScriptedBank {
 public:
  async::Task<bank::v1::FundAccountResponse> fund(bank::v1::FundAccountRequest request,
                                                  rpc::Context) {
    requests.push_back(cli::to_json(request));
    if (is_silent) co_await never;
    if (status != rpc::StatusCode::ok) throw rpc::Error(status, "This is why.");
    co_return fund_response;
  }
  async::Task<bank::v1::GetAccountResponse> get(bank::v1::GetAccountRequest request, rpc::Context) {
    questions.push_back("account " + request.account_id());
    if (question_is_silent) co_await never;
    if (!is_allowed) throw rpc::Error(rpc::StatusCode::permission_denied, "not you");
    bank::v1::GetAccountResponse response;
    if (mumbles) co_return response;
    if (request.account_id() == "nobody") {
      response.mutable_refusal()->set_message("There is no such account.");
    } else {
      response.mutable_account()->mutable_balance()->set_currency(currency);
    }
    co_return response;
  }
  async::Task<bank::v1::GetBankResponse> get_bank(bank::v1::GetBankRequest, rpc::Context) {
    questions.emplace_back("bank");
    bank::v1::GetBankResponse response;
    response.set_currency(currency_of_books.value_or(currency));
    co_return response;
  }
  async::Task<bank::v1::GetCardResponse> get_card(bank::v1::GetCardRequest request, rpc::Context) {
    questions.push_back("card " + request.card_number());
    bank::v1::GetCardResponse response;
    bank::v1::CardLimits& limits = *response.mutable_card()->mutable_limits();
    limits.mutable_withdrawal_max()->set_currency(currency);
    limits.mutable_daily_amount_max()->set_currency(currency);
    limits.set_daily_count_max(3);
    co_return response;
  }
  async::Task<bank::v1::GetExceptionResponse> get_exception(bank::v1::GetExceptionRequest request,
                                                            rpc::Context) {
    questions.push_back("exception " + std::to_string(request.exception_seq()));
    bank::v1::GetExceptionResponse response;
    *response.mutable_exception() = exception;
    response.mutable_exception()->set_kind(bank::v1::EXCEPTION_KIND_SUSPENDED_HOLD);
    response.mutable_exception()->mutable_amount()->set_currency(currency);
    co_return response;
  }
  async::Task<bank::v1::FindChangeResponse> find(bank::v1::FindChangeRequest request,
                                                 rpc::Context) {
    questions.push_back(cli::to_json(request));
    bank::v1::FindChangeResponse response;
    response.set_summary("It was never seen.");
    if (knows_nothing) response.mutable_never_seen();
    if (knows_nothing) co_return response;
    response.mutable_executed()->set_ledger_seq(found_seq);
    response.set_transfer_seq(found_seq);
    response.set_summary("It was found.");
    co_return response;
  }
  async::Task<bank::v1::ResolveChangeResponse> resolve(bank::v1::ResolveChangeRequest,
                                                       rpc::Context) {
    if (is_silent) co_await never;
    co_return bank::v1::ResolveChangeResponse();
  }
  async::Task<bank::v1::ListTransfersResponse> transfers(bank::v1::ListTransfersRequest,
                                                         rpc::Context) {
    if (status != rpc::StatusCode::ok) throw rpc::Error(status, "This is why.");
    co_return bank::v1::ListTransfersResponse();
  }
  async::Task<atm::v1::ListOpenItemsResponse> items(atm::v1::ListOpenItemsRequest, rpc::Context) {
    atm::v1::ListOpenItemsResponse response;
    for (const std::string& sentence : differences) response.add_exceptions(sentence);
    co_return response;
  }
  async::Task<atm::v1::ListTerminalsResponse> terminals(atm::v1::ListTerminalsRequest,
                                                        rpc::Context) {
    questions.emplace_back("terminals");
    atm::v1::ListTerminalsResponse response;
    response.add_terminals()->mutable_cash()->set_currency(currency);
    co_return response;
  }
  async::Task<atm::v1::SetServiceResponse> set_service(atm::v1::SetServiceRequest, rpc::Context) {
    atm::v1::SetServiceResponse response;
    response.mutable_terminal()->set_terminal_id("atm-1");
    response.mutable_terminal()->set_state(service);
    response.mutable_terminal()->set_reason("The operator took it out.");
    co_return response;
  }
  async::Task<bank::v1::ListAccountsResponse> list(bank::v1::ListAccountsRequest request,
                                                   rpc::Context) {
    const int page = request.page_token().empty() ? 0 : std::stoi(request.page_token());
    bank::v1::ListAccountsResponse response;
    for (int i = 0; i < 2; ++i) {
      bank::v1::Account& account = *response.add_accounts();
      account.set_name(word);
      account.set_account_id("account-" + std::to_string(2 * page + i));
      account.mutable_balance()->set_minor_units(100 * page - 5);
      account.mutable_balance()->set_currency("EUR");
    }
    if (page < 2) response.set_next_page_token(std::to_string(page + 1));
    co_return response;
  }
  async::Task<> watch(bank::v1::WatchTransfersRequest request, rpc::Context,
                      rpc::Writer<bank::v1::WatchTransfersResponse> writer) {
    for (std::uint64_t seq = request.from_ledger_seq(); seq < 3; ++seq) {
      bank::v1::WatchTransfersResponse response;
      response.mutable_transfer()->set_ledger_seq(seq);
      response.mutable_transfer()->set_kind("fund");
      co_await writer.write(response);
    }
    co_await never;
  }
  async::Task<atm::v1::AuditResponse> audit(atm::v1::AuditRequest, rpc::Context) {
    atm::v1::AuditResponse response;
    for (const std::string& difference : differences) response.add_differences(difference);
    if (knows_cash) response.mutable_at_bank()->set_currency("EUR");
    response.set_not_compared(not_compared);
    co_return response;
  }

  explicit ScriptedBank(async::Loop& loop) : never(loop) {}
  async::Event never;
  bool is_silent = false;
  bool question_is_silent = false;
  bool is_allowed = true;
  bool mumbles = false;                          // Answers neither yes nor no.
  std::string currency = "EUR";                  // Of everything here.
  std::optional<std::string> currency_of_books;  // If it is another.
  std::vector<std::string> questions;            // What was asked before a change was.
  bank::v1::FundAccountResponse fund_response;
  bank::v1::ExceptionView exception;
  std::string word;  // In each text that somebody chose.
  std::vector<std::string> differences;
  std::uint64_t found_seq = 13;                  // Of the transfer that any number or id leads to.
  bool knows_nothing = false;                    // Of no change that is asked about.
  rpc::StatusCode status = rpc::StatusCode::ok;  // Of a list of transfers, and of a fund.
  atm::v1::ServiceState service = atm::v1::SERVICE_STATE_IN_SERVICE;
  std::string not_compared;  // Of an audit.
  bool knows_cash = true;    // The bank answers the ATM that is audited.
  std::vector<std::string> requests;
};

class BankctlTest : public testing::Test {
 protected:
  BankctlTest() {
    server.emplace(loop, rpc::ServerLimits(), observer);
    server->handle<&ScriptedBank::fund>("bank.v1.OperatorService/FundAccount", bank);
    server->handle<&ScriptedBank::get>("bank.v1.OperatorService/GetAccount", bank);
    server->handle<&ScriptedBank::get_bank>("bank.v1.OperatorService/GetBank", bank);
    server->handle<&ScriptedBank::get_card>("bank.v1.OperatorService/GetCard", bank);
    server->handle<&ScriptedBank::get_exception>("bank.v1.OperatorService/GetException", bank);
    server->handle<&ScriptedBank::find>("bank.v1.OperatorService/FindChange", bank);
    server->handle<&ScriptedBank::resolve>("bank.v1.OperatorService/ResolveChange", bank);
    server->handle<&ScriptedBank::transfers>("bank.v1.OperatorService/ListTransfers", bank);
    server->handle<&ScriptedBank::items>("atm.v1.StaffService/ListOpenItems", bank);
    server->handle<&ScriptedBank::terminals>("atm.v1.StaffService/ListTerminals", bank);
    server->handle<&ScriptedBank::set_service>("atm.v1.StaffService/SetService", bank);
    server->handle<&ScriptedBank::list>("bank.v1.OperatorService/ListAccounts", bank);
    server->handle<&ScriptedBank::watch>("bank.v1.OperatorService/WatchTransfers", bank);
    server->handle<&ScriptedBank::audit>("atm.v1.StaffService/Audit", bank);
    server->serve(loop.listen(async::Endpoint::parse("bank:7001")));
    bank.fund_response.mutable_receipt()->set_ledger_seq(7);
    client.emplace(loop, cli::client_options(async::Endpoint::parse("bank:7001")), random);
    line.root().flag("json", settings.json, "JSON");
    line.root().flag("yes", settings.yes, "Yes").flag_only();
    line.root().option("currency", settings.currency, "CODE", "Currency");
    line.root().option("limit", settings.limit, ops::between<std::uint32_t>(1, 1000), "N", "Rows");
    commands.add(line.root(), bank_verbs());
    commands.add(line.root(), atm_verbs());
  }
  ~BankctlTest() override {
    client.reset();
    server.reset();
    loop.settle();
  }

  int send(OperatorCall call) {
    // A look-up changes nothing, and here it finds nothing.
    if (!is_connected && call.is_look_up) return found_nothing;
    last_method = call.method;
    last_request = cli::to_json(*call.request);
    if (!is_connected) return 0;
    OperatorCalls calls(loop, *client, interrupts, settings, out);
    const bool watches = call.method.ends_with("/WatchTransfers");
    async::Task<int> sending = watches ? calls.watch(std::move(call)) : calls.call(std::move(call));
    return finish(std::move(sending), watches);
  }
  Answer ask(OperatorCall call) {
    OperatorCalls calls(loop, *client, interrupts, settings, out);
    return finish(calls.ask(std::move(call)), false);
  }
  template <typename T>
  T finish(async::Task<T> task, bool is_interrupted) {
    async::Running<T> running(std::move(task));
    if (is_interrupted) loop.settle();
    if (is_interrupted) interrupts.event.set();
    for (int i = 0; i < 1000 && !running.is_done(); ++i)
      loop.advance(std::chrono::milliseconds(50));
    return running.result();
  }
  // Exit code and, of a failure, its sentence.
  std::string run(std::vector<std::string> words) {
    try {
      return std::to_string(line.run(std::move(words), {}, out));
    } catch (const ops::Failure& failure) {
      return std::to_string(ops::to_int(failure.code())) + " " + failure.what();
    }
  }
  std::string request_of(std::vector<std::string> words) {
    is_connected = false;
    bank.questions.clear();
    const std::string ran = run(std::move(words));
    return ran == "0" ? last_request : ran;
  }

  async::ManualLoop loop;
  async::SeededRandom random{1};
  ScriptedBank bank{loop};
  rpc::ServerObserver observer;
  std::optional<rpc::Server> server;
  std::optional<rpc::Client> client;
  NoInterrupts interrupts{loop};
  NobodyThere terminal;
  Settings settings;
  bool is_connected = true;
  std::string last_method;
  std::string last_request;
  std::ostringstream out;
  ops::CommandLine line{{.program = "bankctl",
                         .summary = "",
                         .prefix = "BANKCTL_",
                         .config_file_default = "",
                         .endings = {}}};
  Commands commands{settings,
                    terminal,
                    [] { return *ledger::OperationId::parse("0190b5c47a3e7c1d9f000123456789ab"); },
                    [this](OperatorCall call) { return ask(std::move(call)); },
                    [this](OperatorCall call) { return send(std::move(call)); },
                    out};
};

// What new_id() makes.
inline const std::string id = "0190b5c4-7a3e-7c1d-9f00-0123456789ab";

}  // namespace bankctl
