// BankLink: the ATM's connection to its bank.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "atm/backoff.h"
#include "atm/bank_methods.h"
#include "atm/journal.h"
#include "atm/settings.h"
#include "bank/v1/bank.pb.h"
#include "rpc/client.h"

namespace atm {

// What the bank last said about a terminal.
struct Standing {
  bool signed_on = false;
  bool in_service = false;
  // Why it is not signed on, in a sentence.
  std::string reason = "the bank does not answer";
  // Minus the terminal's cash account.
  Cents cash = {};
};

// Signs every terminal on at each new connection and every heartbeat, and remembers in the journal
// what it saw of the bank's history (rule 24). Owned by the Atm; loop thread only.
//
// Invariant: while the bank's history is broken, what was seen before is not forgotten, and no
// terminal is in service; and nothing but sign-on is sent to a bank that is not the remembered one.
class BankLink final : public rpc::ConnectionObserver {
 public:
  BankLink(async::Loop& loop, const Settings& settings, rpc::ClientOptions options,
           async::Random& random, Journal& journal, std::vector<std::string> terminals);
  ~BankLink() override;

  // Begins to connect, and keeps trying.
  void start();

  const Standing& standing(const std::string& terminal) const { return standings_.at(terminal); }
  bool history_is_broken() const { return memory_.history_broken; }
  // Set when the history breaks, until whoever sends the settled items again has sent them all and
  // clears it.
  async::Event& history_broke() { return history_broke_; }
  // The operator agrees to go on with the bank as it is now. False: no bank answers.
  Task<bool> accept_history(std::string reason);
  // Whether calls for this terminal have a chance.
  bool is_usable(const std::string& terminal) const;
  // Asks for the terminal's standing anew. False: the bank did not answer.
  Task<bool> refresh(std::string terminal, rpc::Context context);

  // One attempt. Silence, and what is no answer of the bank, is a Status.
  template <typename Request, typename Response>
  Task<rpc::Reply<Response>> try_call(const rpc::Method<Request, Response>& method, Request request,
                                      rpc::Context context) {
    rpc::Reply<Response> reply =
        co_await client_.try_call(method, std::move(request), std::move(context));
    if (reply) saw(seq_of(*reply));
    co_return reply;
  }

  // Rule 17: asks until the bank has answered, whatever the answer. `Request` was journalled.
  // `trace` is that of the customer's request, if it is known.
  template <typename Request, typename Response>
  Task<Response> until_answered(const rpc::Method<Request, Response>& method, Request request,
                                rpc::Trace trace = {}) {
    Backoff backoff(random_, std::chrono::milliseconds(200), std::chrono::seconds(30));
    while (true) {
      co_await usable(request.terminal_id());
      rpc::Context context(loop_.in(settings_.bank_patience), trace);
      Request copy = request;
      rpc::Reply<Response> reply = co_await try_call(method, std::move(copy), std::move(context));
      if (reply) co_return std::move(*reply);
      co_await loop_.sleep_for(backoff.next());
    }
  }

 private:
  Task<> on_connected(rpc::Channel& fresh) override;
  void on_disconnected(const rpc::Status& why) override;

  Task<> sign_on(rpc::Channel* channel, std::string terminal, rpc::Context context);
  void signed_on(const std::string& terminal, const ::bank::v1::SignedOn& answer,
                 std::uint64_t highest_before);
  void refused(const std::string& terminal, const ::bank::v1::Refusal& refusal);
  Task<> usable(std::string terminal);
  Task<> keep_in_touch();
  void saw(std::uint64_t seq);
  void standing_changed();
  void note_memory(std::string state, std::string detail);

  template <typename Response>
  static std::uint64_t seq_of(const Response& response) {
    if constexpr (requires { response.receipt().ledger_seq(); }) {
      return response.receipt().ledger_seq();
    } else if constexpr (requires { response.ledger_seq(); }) {
      return response.ledger_seq();
    } else {
      return 0;
    }
  }

  async::Loop& loop_;
  const Settings& settings_;
  async::Random& random_;
  Journal& journal_;
  std::map<std::string, Standing> standings_;
  BankMemory memory_;
  std::optional<::bank::v1::SignedOn> now_;  // What the bank said last, agreed or not.
  async::Event changed_;
  async::Event history_broke_;
  rpc::Client client_;
  async::TaskScope tasks_;
};

}  // namespace atm
