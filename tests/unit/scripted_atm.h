// An ATM in the test's process: it keeps the rules about ids and sessions, and loses calls on
// demand.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/manual_loop.h"
#include "atm/v1/atm.pb.h"
#include "rpc/server.h"

namespace teller {

// What becomes of the next change.
enum class Mishap : std::uint8_t {
  none,
  lost_on_the_way,   // The connection breaks before the ATM has it.
  answer_lost,       // It is done, then the connection breaks.
  goes_down,         // It is done, then the ATM is gone.
  silence,           // It is done, and no answer comes.
  silence_not_done,  // It is not done, and no answer comes.
  replaced,          // It is done, the connection breaks, and then another ATM is there.
  mumbles,           // It is done, and the answer says neither yes nor no.
};

// One customer's account and one terminal, as atm.v1.AtmService. Loop thread only.
class ScriptedAtm {
 public:
  explicit ScriptedAtm(async::ManualLoop& loop) : loop_(loop), never_(loop) { open(); }

  std::deque<Mishap> mishaps;  // Of the next changes, in order.
  std::optional<atm::v1::Decline> decline_next;
  std::optional<atm::v1::Suspense> suspense_next;
  std::optional<atm::v1::ResolveResponse> lie;  // Told of each change instead of what became of it.
  std::string pin = "1234";
  std::string customer_name = "Jane Doe";
  std::string terminal_id = "atm-1";
  std::string reason;  // Of every entry in the statement.
  std::string currency = "EUR";
  std::string atm_id = "the first of ATM";
  // In minor units.
  std::vector<std::int64_t> faces = {500, 1000, 2000, 5000, 10000, 20000};
  std::vector<std::int64_t> usual_amounts = {2000, 5000, 10000, 20000};
  std::int64_t balance = 10000;
  std::uint32_t tries_left = 3;
  int pending_answers = 0;  // So many times Resolve says that it is still at it.
  int paid_count = 0;       // How often cash came out.
  int changes_seen = 0;
  std::optional<atm::v1::Notes> hands_back;  // Of a deposit, beside what it takes.
  int sessions_begun = 0;
  std::uint64_t withdrawal_entry = 0;  // Where the bank has each withdrawal; 0: not told.
  bool is_credited = true;             // What is deposited.
  bool loses_balances = false;         // Who asks for a balance hears nothing.

  void close() { server_.reset(); }
  void open() {
    sessions_.clear();  // They belong to the connection.
    server_.emplace(loop_, rpc::ServerLimits(), observer_);
    server_->handle<&ScriptedAtm::insert_card>("atm.v1.AtmService/InsertCard", *this);
    server_->handle<&ScriptedAtm::get_balance>("atm.v1.AtmService/GetBalance", *this);
    server_->handle<&ScriptedAtm::list_statement>("atm.v1.AtmService/ListStatement", *this);
    server_->handle<&ScriptedAtm::withdraw>("atm.v1.AtmService/Withdraw", *this);
    server_->handle<&ScriptedAtm::deposit>("atm.v1.AtmService/Deposit", *this);
    server_->handle<&ScriptedAtm::transfer>("atm.v1.AtmService/Transfer", *this);
    server_->handle<&ScriptedAtm::change_pin>("atm.v1.AtmService/ChangePin", *this);
    server_->handle<&ScriptedAtm::resolve>("atm.v1.AtmService/Resolve", *this);
    server_->handle<&ScriptedAtm::end_session>("atm.v1.AtmService/EndSession", *this);
    server_->serve(loop_.listen(async::Endpoint::parse("atm:7002")));
  }
  void end_sessions() { sessions_.clear(); }
  // Another ATM is at the address, with the same bank behind it.
  void become(const std::string& other) {
    known_at_[atm_id] = std::exchange(outcomes_, std::move(known_at_[other]));
    atm_id = other;
    sessions_.clear();
  }
  bool has_sessions() const { return !sessions_.empty(); }

  async::Task<atm::v1::InsertCardResponse> insert_card(atm::v1::InsertCardRequest request,
                                                       rpc::Context) {
    atm::v1::InsertCardResponse response;
    if (decline_next) {
      *response.mutable_decline() = *std::exchange(decline_next, std::nullopt);
    } else if (!sessions_.empty()) {
      response.mutable_decline()->set_code(atm::v1::DECLINE_CODE_TERMINAL_BUSY);
    } else if (request.pin() != pin) {
      response.mutable_decline()->set_code(atm::v1::DECLINE_CODE_BY_BANK);
      response.mutable_decline()->set_message("The PIN is wrong.");
      response.mutable_decline()->set_tries_left(--tries_left);
    } else {
      const std::string id = "session-" + std::to_string(++sessions_begun);
      sessions_.insert(id);
      response.mutable_session()->set_session_id(id);
      response.mutable_session()->set_atm_id(atm_id);
      response.mutable_session()->set_terminal_id(terminal_id);
      response.mutable_session()->set_customer_name(customer_name);
      response.mutable_session()->set_currency(currency);
      for (const std::int64_t face : faces) {
        *response.mutable_session()->add_denominations() = money(face);
      }
      for (const std::int64_t amount : usual_amounts) {
        *response.mutable_session()->add_usual_amounts() = money(amount);
      }
    }
    co_return response;
  }
  async::Task<atm::v1::GetBalanceResponse> get_balance(atm::v1::GetBalanceRequest request,
                                                       rpc::Context) {
    atm::v1::GetBalanceResponse response;
    if (loses_balances) throw rpc::Error(rpc::StatusCode::unavailable, "gone");
    if (!sessions_.contains(request.session_id())) {
      response.mutable_decline()->set_code(atm::v1::DECLINE_CODE_NO_SESSION);
    } else {
      *response.mutable_balance() = balance_now();
    }
    co_return response;
  }
  // Twelve entries, five a page.
  async::Task<atm::v1::ListStatementResponse> list_statement(atm::v1::ListStatementRequest request,
                                                             rpc::Context) {
    atm::v1::ListStatementResponse response;
    int next = request.page_token().empty() ? 0 : std::stoi(request.page_token());
    for (std::uint32_t i = 0; i < 5 && i < request.page_size() && next < 12; ++i, ++next) {
      auto& entry = *response.mutable_statement()->add_entries();
      entry.set_kind("withdrawal");
      entry.set_counterparty("cash:" + terminal_id);
      entry.set_reason(reason);
      entry.set_at_us(1795399785000000);
      *entry.mutable_amount() = money(-100 * (next + 1));
      *entry.mutable_balance_after() = money(10000);
    }
    if (next < 12) response.mutable_statement()->set_next_page_token(std::to_string(next));
    co_return response;
  }
  async::Task<atm::v1::WithdrawResponse> withdraw(atm::v1::WithdrawRequest request, rpc::Context) {
    const Mishap mishap = next_mishap();
    atm::v1::ResolveResponse outcome;
    if (is_done(mishap))
      outcome = decide(
          request.id(), request.session_id(),
          [&](auto& yes) {
            if (suspense_next) {
              *yes.mutable_suspense() = *std::exchange(suspense_next, std::nullopt);
              return;
            }
            balance -= request.amount().minor_units();
            ++paid_count;
            *yes.mutable_withdrawn()->mutable_amount() = request.amount();
            *yes.mutable_withdrawn()->mutable_balance() = balance_now();
            yes.mutable_withdrawn()->mutable_bank()->set_ledger_seq(withdrawal_entry);
            atm::v1::Notes& notes = *yes.mutable_withdrawn()->add_notes();
            *notes.mutable_denomination() = money(2000);
            notes.set_count(static_cast<std::uint32_t>(request.amount().minor_units() / 2000));
          },
          request.amount().minor_units());
    async::Task<> happening = happen(mishap);
    co_await happening;
    if (mishap == Mishap::mumbles) outcome.Clear();
    if (lie) outcome = *lie;
    atm::v1::WithdrawResponse response;
    if (outcome.has_withdrawn()) *response.mutable_withdrawn() = outcome.withdrawn();
    if (outcome.has_declined()) *response.mutable_decline() = outcome.declined();
    if (outcome.has_suspense()) *response.mutable_suspense() = outcome.suspense();
    co_return response;
  }
  async::Task<atm::v1::DepositResponse> deposit(atm::v1::DepositRequest request, rpc::Context) {
    const Mishap mishap = next_mishap();
    std::int64_t sum = 0;
    for (const auto& notes : request.notes())
      sum += notes.denomination().minor_units() * notes.count();
    atm::v1::ResolveResponse outcome;
    if (is_done(mishap))
      outcome = decide(
          request.id(), request.session_id(),
          [&](auto& yes) {
            balance += sum;
            *yes.mutable_deposited()->mutable_amount() = money(sum);
            yes.mutable_deposited()->set_credited(is_credited);
            if (hands_back) *yes.mutable_deposited()->add_handed_back() = *hands_back;
            *yes.mutable_deposited()->mutable_balance() = balance_now();
          },
          0);
    async::Task<> happening = happen(mishap);
    co_await happening;
    if (mishap == Mishap::mumbles) outcome.Clear();
    if (lie) outcome = *lie;
    atm::v1::DepositResponse response;
    if (outcome.has_deposited()) *response.mutable_deposited() = outcome.deposited();
    if (outcome.has_declined()) *response.mutable_decline() = outcome.declined();
    co_return response;
  }
  async::Task<atm::v1::TransferResponse> transfer(atm::v1::TransferRequest request, rpc::Context) {
    const Mishap mishap = next_mishap();
    atm::v1::ResolveResponse outcome;
    if (is_done(mishap))
      outcome = decide(
          request.id(), request.session_id(),
          [&](auto& yes) {
            balance -= request.amount().minor_units();
            *yes.mutable_transferred()->mutable_amount() = request.amount();
            *yes.mutable_transferred()->mutable_balance() = balance_now();
          },
          request.amount().minor_units());
    async::Task<> happening = happen(mishap);
    co_await happening;
    if (mishap == Mishap::mumbles) outcome.Clear();
    if (lie) outcome = *lie;
    atm::v1::TransferResponse response;
    if (outcome.has_transferred()) *response.mutable_transferred() = outcome.transferred();
    if (outcome.has_declined()) *response.mutable_decline() = outcome.declined();
    co_return response;
  }
  async::Task<atm::v1::ChangePinResponse> change_pin(atm::v1::ChangePinRequest request,
                                                     rpc::Context) {
    const Mishap mishap = next_mishap();
    atm::v1::ResolveResponse outcome;
    if (is_done(mishap))
      outcome = decide(
          request.id(), request.session_id(),
          [&](auto& yes) {
            pin = request.new_pin();
            yes.mutable_pin_changed();
          },
          0);
    async::Task<> happening = happen(mishap);
    co_await happening;
    if (mishap == Mishap::mumbles) outcome.Clear();
    if (lie) outcome = *lie;
    atm::v1::ChangePinResponse response;
    if (outcome.has_pin_changed()) response.mutable_changed();
    if (outcome.has_declined()) *response.mutable_decline() = outcome.declined();
    co_return response;
  }
  async::Task<atm::v1::ResolveResponse> resolve(atm::v1::ResolveRequest request, rpc::Context) {
    atm::v1::ResolveResponse response;
    if (pending_answers > 0) {
      --pending_answers;
      response.mutable_pending()->set_message("The bank was asked.");
      co_return response;
    }
    const auto known = outcomes_.find(request.id());
    if (known != outcomes_.end()) co_return lie ? *lie : known->second;
    if (!request.atm_id().empty() && request.atm_id() != atm_id) {
      response.mutable_cannot_know();
      co_return response;
    }
    response.mutable_declined()->set_code(atm::v1::DECLINE_CODE_ID_FENCED);
    response.mutable_declined()->set_message("It never reached the ATM.");
    outcomes_[request.id()] = response;
    co_return response;
  }
  async::Task<atm::v1::EndSessionResponse> end_session(atm::v1::EndSessionRequest request,
                                                       rpc::Context) {
    sessions_.erase(request.session_id());
    co_return atm::v1::EndSessionResponse();
  }

 private:
  static bool is_done(Mishap mishap) {
    return mishap != Mishap::lost_on_the_way && mishap != Mishap::silence_not_done;
  }
  bank::v1::Money money(std::int64_t minor_units) const {
    bank::v1::Money money;
    money.set_minor_units(minor_units);
    money.set_currency(currency);
    return money;
  }
  bank::v1::Balance balance_now() const {
    bank::v1::Balance now;
    *now.mutable_balance() = money(balance);
    *now.mutable_available() = money(balance);
    return now;
  }
  Mishap next_mishap() {
    ++changes_seen;
    if (mishaps.empty()) return Mishap::none;
    const Mishap next = mishaps.front();
    mishaps.pop_front();
    return next;
  }
  // One effect for each id; the session is asked for only by what is new.
  template <typename Do>
  atm::v1::ResolveResponse decide(const std::string& id, const std::string& session, Do act,
                                  std::int64_t needed) {
    const auto known = outcomes_.find(id);
    if (known != outcomes_.end()) return known->second;
    atm::v1::ResolveResponse outcome;
    if (!sessions_.contains(session)) {
      outcome.mutable_declined()->set_code(atm::v1::DECLINE_CODE_NO_SESSION);
      return outcome;
    }
    if (decline_next) {
      *outcome.mutable_declined() = *std::exchange(decline_next, std::nullopt);
    } else if (needed > balance) {
      outcome.mutable_declined()->set_code(atm::v1::DECLINE_CODE_BY_BANK);
      outcome.mutable_declined()->set_message("You have not enough money.");
    } else {
      act(outcome);
    }
    outcomes_[id] = outcome;
    return outcome;
  }
  async::Task<> happen(Mishap mishap) {
    const bool is_replaced = mishap == Mishap::replaced;
    const bool comes_back =
        is_replaced || mishap == Mishap::lost_on_the_way || mishap == Mishap::answer_lost;
    if (comes_back || mishap == Mishap::goes_down) {
      loop_.post([this, comes_back, is_replaced] {
        close();
        if (is_replaced) become("the other of ATMs");
        if (comes_back) open();
      });
    }
    if (mishap != Mishap::none && mishap != Mishap::mumbles) co_await never_;
  }

  async::ManualLoop& loop_;
  async::Event never_;
  rpc::ServerObserver observer_;
  std::map<std::string, atm::v1::ResolveResponse> outcomes_;
  std::map<std::string, std::map<std::string, atm::v1::ResolveResponse>> known_at_;  // By ATM.
  std::set<std::string> sessions_;
  std::optional<rpc::Server> server_;
};

}  // namespace teller
