// BankLink: the ATM's connection to its bank.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
#include "ops/log.h"
#include "rpc/client.h"

namespace atm {

// What the bank last said about a terminal.
struct Standing {
  bool signed_on = false;
  bool in_service = false;
  // Why it is not signed on or not in service: a clause.
  std::string reason = "the bank does not answer";
  // Not empty: the bank keeps it in another currency than that of the notes here, so no load can be
  // booked. A clause, which holds until the bank says otherwise.
  std::string other_currency = {};
  // Minus the terminal's cash account.
  Cents cash = {};
};

// Signs every terminal on at each new connection and every heartbeat, and remembers in the journal
// what it saw of the bank's history (rule 24). When that went back, it asks the bank for the newest
// of the chain heads that it has kept: what came after it must be told again. Owned by the Atm;
// loop thread only.
//
// Invariant: while the bank's history is broken no terminal is in service, nor is one of which the
// bank has still to be told again; and nothing but sign-on is sent to a bank that is not the
// remembered one.
class BankLink final : public rpc::ConnectionObserver {
 public:
  BankLink(async::Loop& loop, const Settings& settings, rpc::ClientOptions options,
           async::Random& random, Journal& journal, std::vector<std::string> terminals,
           ops::Log log);
  ~BankLink() override;

  // Begins to connect, and keeps trying.
  void start();

  const Standing& standing(const std::string& terminal) const { return standings_.at(terminal); }
  // Which ATM this is: 16 bytes, made before the first customer is served. Empty until then.
  const std::string& atm_id() const { return memory_.atm_id.bytes; }
  bool history_is_broken() const { return memory_.history_broken; }
  // Nobody has agreed to the bank that answers, and it is sent nothing: it is not the one that this ATM knows.
  bool is_another_bank() const;
  // The bank that is connected now has said which it is, and its history was compared.
  bool has_compared() const { return client_.is_connected() && now_.has_value(); }
  // In which of the bank's histories its answers count now (see BankMemory).
  std::uint32_t history() const { return memory_.history; }
  // Every terminal whose notes ever moved here, also those that this ATM no longer has.
  std::vector<std::string> terminals_to_tell_of() const;
  // Whether the bank may have to be told something of this terminal again, and after which number.
  bool is_to_tell_again(const std::string& terminal) const { return to_tell_.contains(terminal); }
  std::uint64_t common_seq(const std::string& terminal) const { return to_tell_.at(terminal); }
  std::uint32_t told_again() const { return memory_.told_again; }
  void item_was_told_again();
  // The number to keep with a no of the bank's, given the one that came with it. A no that the bank
  // does not keep, such as that an id is fenced, comes with none. What it was said for may have
  // happened since the last sign-on, so a bank that is told again what came after that must hear of
  // it: it gets the next number after all that were seen.
  std::uint64_t number_of_no(std::uint64_t ledger_seq);
  template <typename Record>
  void remember_no(Record& record, const ::bank::v1::Refusal& refusal) {
    record.ledger_seq = number_of_no(refusal.ledger_seq());
    record.told_in = memory_.history;
  }
  // Returns whether that was the last one.
  bool was_told_again(const std::string& terminal);
  // Returns when the bank has been told of all terminals again but of those that it does not sign
  // on, which are given back.
  Task<std::vector<std::string>> until_told_again();
  // The operator agrees to go on with the bank as it is now. False: no bank answers.
  Task<bool> accept_history(std::string reason);
  // Whether calls for this terminal have a chance.
  bool is_usable(const std::string& terminal) const;
  // Returns after the next change of any terminal's standing, or of what is to be told again.
  Task<> until_changed();
  // Asks for the terminal's standing anew. False: the bank did not answer.
  Task<bool> refresh(std::string terminal, rpc::Context context);

  // One attempt. Silence, and what is no answer of the bank or cannot be one, is a Status.
  template <typename Request, typename Response>
  Task<rpc::Reply<Response>> try_call(const rpc::Method<Request, Response>& method, Request request,
                                      rpc::Context context) {
    if (!is_our_bank()) {
      co_return std::unexpected(
          rpc::Status{.code = rpc::StatusCode::unavailable,
                      .message = now_ ? "another bank answers" : "the bank does not answer",
                      .never_sent = true});
    }
    rpc::Reply<Response> reply =
        co_await client_.try_call(method, std::move(request), std::move(context));
    if (!reply) co_return reply;
    std::optional<rpc::Status> nonsense = no_answer(method.name(), *reply);
    if (nonsense) co_return std::unexpected(*std::move(nonsense));
    saw(seq_of(*reply));
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
  Task<> make_atm_id();
  Task<::bank::v1::SignOnResponse> ask(rpc::Channel* channel, std::string terminal, BankHead seen,
                                       rpc::Context context);
  // The number of the newest head that the bank and we both know; 0: of none.
  Task<std::uint64_t> find_common_seq(rpc::Channel* channel, std::string terminal);
  // `was_overtaken`: since this was asked the bank has said no without a number.
  void signed_on(const std::string& terminal, const ::bank::v1::SignedOn& answer,
                 bool was_overtaken);
  void begin_history(const ::bank::v1::SignedOn& answer, std::uint64_t common_seq);
  void remember_head(std::uint64_t seq, const std::string& head);
  void forget_heads_after(std::uint64_t seq);
  // Not the one that is remembered.
  // The one that is remembered has signed a terminal on over this connection.
  bool is_our_bank() const { return now_ && !is_another_bank(); }
  // This connection's bank has answered, but does not sign the terminal on.
  bool is_left_out(const std::string& terminal) const;
  void refused(const std::string& terminal, const ::bank::v1::Refusal& refusal);
  Task<> usable(std::string terminal);
  Task<> keep_in_touch();
  // Of an answer that cannot be: that it is none, so what it was to say is unknown.
  std::optional<rpc::Status> no_answer(std::string_view method,
                                       const google::protobuf::Message& answer) const;
  void saw(std::uint64_t seq);
  void standing_changed();
  void note_memory(std::string state, std::string detail);

  template <typename Response>
  static std::uint64_t seq_of(const Response& response) {
    if constexpr (requires { response.receipt().ledger_seq(); }) {
      return std::max(response.receipt().ledger_seq(), response.refusal().ledger_seq());
    } else if constexpr (requires { response.executed().ledger_seq(); }) {
      return std::max(response.executed().ledger_seq(), response.fenced().ledger_seq());
    } else if constexpr (requires { response.changed().ledger_seq(); }) {
      return response.changed().ledger_seq();
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
  ops::Log log_;
  std::optional<bool> answers_;  // As the log has it.
  std::map<std::string, Standing> standings_;
  BankMemory memory_;
  std::uint64_t unnumbered_noes_ = 0;  // Since the start.
  std::vector<BankHead> heads_;        // Oldest first, none of an empty slot.
  // What the bank said last over this connection, agreed or not.
  std::optional<::bank::v1::SignedOn> now_;
  std::map<std::string, std::uint64_t> to_tell_;  // By terminal, the number after which.
  async::Event changed_;
  rpc::Client client_;
  async::TaskScope tasks_;
};

}  // namespace atm
