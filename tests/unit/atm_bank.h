// A bank for an ATM under test: the bank's rules as far as an ATM sees them, in memory, with faults
// to switch on. Its whole state is a value, so a test can restore an old backup.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/future.h"
#include "async/manual_loop.h"
#include "atm/bank_methods.h"
#include "bank/v1/bank.pb.h"
#include "rpc/server.h"

namespace atm {

namespace wire = ::bank::v1;

// What a test's bank does with a method's next calls. The last two answer OK with a body that says
// neither yes nor no, as a later version of the bank might: after doing it, or instead.
enum class Mood : std::uint8_t {
  well,
  silent,
  reply_lost,
  refuses,
  does_and_mumbles,
  mumbles,
  does_and_speaks_of_yen,  // In every amount of its answer, whatever it was asked in.
  does_and_says_no_number,
  is_full,  // VerifyCard and changes decide nothing, for want of disk.
};

// A request without what is not compared with a retry.
template <typename Request>
std::string compared(Request request) {
  if constexpr (requires { request.clear_token(); }) request.clear_token();
  if constexpr (requires { request.clear_kept(); }) request.clear_kept();
  if constexpr (requires { request.clear_evidence(); }) {
    request.clear_evidence();
    request.clear_card_number();
    request.clear_receipt_id();
  }
  return request.SerializeAsString();
}

class AtmBank {
 public:
  static constexpr std::uint32_t pin_tries = 3;

  struct Customer {
    std::string name;
    std::string pin;
    std::int64_t balance = 0;
    std::int64_t held = 0;
    std::uint32_t tries_left = pin_tries;
  };
  struct Hold {
    std::string card;
    std::string terminal;
    std::int64_t amount = 0;
    std::int64_t captured = 0;
    wire::HoldState state = wire::HOLD_STATE_HELD;
    std::string evidence = {};
    google::protobuf::RepeatedPtrField<wire::PlannedNotes> planned = {};
  };
  // What is known of an id.
  struct Pinned {
    std::string terminal = {};
    std::string method = {};  // Empty: it is fenced.
    std::string fields = {};  // The request, but for what is not compared.
    std::string response = {};
    std::uint64_t seq = 0;
  };
  struct State {
    std::map<std::string, Customer> customers;  // By card, which is also the account's name.
    std::map<std::string, Hold> holds;
    std::map<std::string, Pinned> answers;
    std::set<std::string> fenced;
    std::map<std::string, std::string> receipts;  // By the change's own id.
    std::vector<std::string> heads = {"head of nothing"};
    std::map<std::string, std::int64_t> cash;
    std::string instance = "instance-1234567";
    bool in_service = true;
  };

  explicit AtmBank(async::ManualLoop& loop);

  static async::Endpoint address() { return async::Endpoint::parse("bank:7001"); }

  // What bankd says of a refusal.
  static std::string sentence_of(wire::RefusalCode code);

  // The bank's process starts, or is gone with every connection.
  void open();
  void close() { server_.reset(); }

  State state;
  std::string cash_currency = "EUR";     // Of the terminals, as sign-on says it.
  std::string account_currency = "EUR";  // Of the accounts, as VerifyCard says it.
  std::set<std::string> terminals = {"atm-1", "atm-2"};
  std::set<std::string> ignored_terminals;  // Whose sign-on is not answered.
  // Called before a terminal's sign-on is answered.
  std::function<void(const std::string& terminal)> signing_on = [](const std::string&) {};
  std::map<std::string, Mood> moods;  // By method: "Hold".
  // By method, before it decides; "SignedOn": between a sign-on's decision and its answer.
  std::map<std::string, async::Duration> delays;
  int signed_on_count = 0;                           // Sign-ons that were answered yes.
  std::map<std::string, wire::RefusalCode> refusal;  // Of a method that refuses.
  std::vector<std::string> asked;                    // Methods, in order.
  std::vector<bool> deposits_kept;                   // Of each Deposit that was asked for.
  // Changes what GetHold answers.
  std::function<void(wire::HoldView& hold)> telling_hold = [](wire::HoldView&) {};
  // Called before and after each change is decided: a crash of the ATM.
  std::function<bool()> crash_point;

  std::size_t times_asked(const std::string& method) const {
    return static_cast<std::size_t>(std::count(asked.begin(), asked.end(), method));
  }
  std::int64_t seq() const { return static_cast<std::int64_t>(state.heads.size()) - 1; }

  // As after a restart: no token counts any more.
  void forget_tokens() { token_prefix_ = "new " + token_prefix_; }

  // The operator says how much of a suspended hold was paid.
  void decide(std::int64_t paid) {
    for (auto& [id, hold] : state.holds) decide(hold, "atm-1", paid);
  }
  void decide(Hold& hold, const std::string& terminal, std::int64_t paid);

 private:
  // Decides once per id, with the faults that the test switched on.
  template <typename Request, typename Response>
  async::Task<Response> once(std::string method, Request request,
                             std::function<Response(const Request&)> decide);
  template <typename Request, typename Response>
  Response answer(const std::string& method, Request request,
                  const std::function<Response(const Request&)>& decide);
  template <typename Response>
  Response first_answer(const Pinned& first, const Pinned& wanted);
  // For ever: the id never executes.
  void fence(const std::string& id, const std::string& terminal);
  void require_room(const std::string& method) {
    if (moods[method] != Mood::is_full) return;
    throw rpc::Error(rpc::StatusCode::failed_precondition, "The disk is full.");
  }
  template <typename Response>
  bool mumbled(const std::string& method, Response& response);
  template <typename Request>
  void require_token(const Request& request) const;
  std::string token_of(const std::string& card, const std::string& terminal) const {
    return token_prefix_ + card + " at " + terminal;
  }
  // Why the PIN is not taken.
  template <typename Response>
  std::optional<Response> wrong_pin(Customer& customer, const std::string& pin);
  template <typename Response>
  std::optional<Response> no_such_terminal(const std::string& terminal) const;
  void next_seq();
  std::string known_by(const std::string& id) const;
  void describe(wire::ChangeView& change, const std::string& id) const;
  wire::Balance balance_of(const std::string& card);
  wire::Balance cash_account(const std::string& terminal);
  void end(Hold& hold, wire::HoldState as);
  void end_by_capture(Hold& hold, const std::string& terminal, std::int64_t amount);
  template <typename Response>
  std::optional<Response> wrong_hold(const std::string& hold_id, const std::string& terminal);
  async::Task<wire::SignOnResponse> sign_on(wire::SignOnRequest request, rpc::Context);
  async::Task<wire::VerifyCardResponse> verify_card(wire::VerifyCardRequest request, rpc::Context);
  async::Task<wire::GetBalanceResponse> get_balance(wire::GetBalanceRequest request, rpc::Context);
  async::Task<wire::HoldResponse> hold(wire::HoldRequest request, rpc::Context);
  async::Task<wire::CaptureResponse> capture(wire::CaptureRequest request, rpc::Context);
  async::Task<wire::VoidResponse> void_hold(wire::VoidRequest request, rpc::Context);
  async::Task<wire::SuspendResponse> suspend(wire::SuspendRequest request, rpc::Context);
  async::Task<wire::GetHoldResponse> get_hold(wire::GetHoldRequest request, rpc::Context);
  async::Task<wire::DepositResponse> deposit(wire::DepositRequest request, rpc::Context);
  async::Task<wire::TransferResponse> transfer(wire::TransferRequest request, rpc::Context);
  async::Task<wire::ChangePinResponse> change_pin(wire::ChangePinRequest request, rpc::Context);
  async::Task<wire::LoadCashResponse> load_cash(wire::LoadCashRequest request, rpc::Context);
  async::Task<wire::UnloadCashResponse> unload_cash(wire::UnloadCashRequest request, rpc::Context);
  async::Task<wire::ResolveResponse> resolve(wire::ResolveRequest request, rpc::Context);

  async::ManualLoop& loop_;
  async::Event never_;
  rpc::ServerObserver observer_;
  std::int64_t heads_made_ = 0;
  std::string token_prefix_ = "token of ";
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace atm
