// Office: who uses the bank directly. Its operator, and clerks and foreign ATMs that work at once and remember what they saw.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/scope.h"
#include "bank/v1/bank.pb.h"
#include "bank/v1/operator.pb.h"
#include "history.h"
#include "rpc/client.h"
#include "town.h"
#include "world.h"

namespace sim {

namespace wire = ::bank::v1;

struct OfficePlan {
  std::vector<std::string> accounts;
  std::vector<std::string> terminals;
  int clerks = 2;
  int foreign_atms = 1;
  int errands_per_clerk = 8;
  std::int64_t opening = 300'00;
};

// As the town, a machine that never fails. Every change is asked for with one id until the bank has answered.
class Office {
 public:
  // `paid`: what really came out for a withdrawal, as the operator would find on the camera's tape.
  using Paid = std::function<std::int64_t(const OperationId& withdrawal)>;
  Office(World& world, OfficePlan plan, Wallet& cards, Paid paid);

  Task<> open_the_bank();
  void go();
  // The operator decides what is in suspense, for ever.
  void watch_exceptions();
  // An old backup is in the bank, which ends with record `last_seq`: what was seen after it never happened, and the operator does
  // again what customers depend on.
  void backup_was_restored(std::uint64_t last_seq);
  // For good, as soon as nothing is in it and no hold on it.
  Task<> close_account(std::string account);
  bool is_quiet() const { return tasks_.size() == 0; }
  // After the last fault.
  Task<std::optional<wire::GetTrialBalanceResponse>> trial_balance();
  void close() { for_ever_.cancel(); }

  void spawn(Task<> task) { tasks_.spawn(std::move(task)); }
  NodeLoop& loop() { return loop_; }
  // What was seen of the bank's history as it is.
  History history() const;

 private:
  Task<> clerk();
  Task<> foreign_atm(std::string terminal);
  Task<> withdraw_abroad(rpc::Client* client, std::string terminal, std::string token, Card card);
  Task<> adjust(rpc::Client* client);
  Task<> fund(rpc::Client* client);
  Task<> set_overdraft(rpc::Client* client);
  Task<> freeze_a_while(rpc::Client* client);
  Task<> look_at_an_account(rpc::Client* client);
  Task<> replace_a_card(rpc::Client* client);
  Task<> unblock(rpc::Client* client, std::string card);
  Task<> do_again();
  // Each once more with its old id, whatever the answer.
  template <typename Response, typename Request>
  Task<> tell_again(rpc::Client* client, std::string method, std::vector<Request> requests);
  Task<> decide_exceptions();
  template <typename Response, typename Request>
  Task<Response> until_answered(rpc::Client* client, std::string method, Request request,
                                Observed* observed);
  template <typename Response, typename Request>
  Task<> change(rpc::Client* client, std::string method, Request request);
  void remember(Observed observed, const wire::Receipt& receipt, std::string account);
  void remember(Observed observed, const wire::Done& done);
  void remember_no(Observed observed);
  bool is_void(const Observed& observed) const;
  std::string make_id();
  std::unique_ptr<rpc::Client> make_client();
  const std::string& any_account() { return plan_.accounts[world_.below(plan_.accounts.size())]; }

  World& world_;
  OfficePlan plan_;
  Wallet& cards_;
  Paid paid_;
  // What is told again to a bank that was restored.
  std::vector<wire::ReplaceCardRequest> replaced_;
  std::vector<wire::CaptureRequest> captured_;
  std::vector<wire::VoidRequest> voided_;
  std::uint64_t cards_made_ = 0;
  std::optional<Instant> restored_at_;
  std::uint64_t restored_seq_ = 0;
  NodeLoop loop_;
  History history_;
  async::TaskScope tasks_;
  async::TaskScope for_ever_;
};

}  // namespace sim
