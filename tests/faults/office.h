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
  std::vector<Card> cards;
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
  Office(World& world, OfficePlan plan, Paid paid);

  Task<> open_the_bank();
  void go();
  // The operator decides what is in suspense, for ever.
  void watch_exceptions();
  bool is_quiet() const { return tasks_.size() == 0; }
  // After the last fault.
  Task<std::optional<wire::GetTrialBalanceResponse>> trial_balance();
  void close() { for_ever_.cancel(); }

  void spawn(Task<> task) { tasks_.spawn(std::move(task)); }
  NodeLoop& loop() { return loop_; }
  const History& history() const { return history_; }

 private:
  Task<> clerk();
  Task<> foreign_atm(std::string terminal);
  Task<> withdraw_abroad(rpc::Client* client, std::string terminal, std::string token, Card card);
  Task<> adjust(rpc::Client* client);
  Task<> fund(rpc::Client* client);
  Task<> set_overdraft(rpc::Client* client);
  Task<> freeze_a_while(rpc::Client* client);
  Task<> look_at_an_account(rpc::Client* client);
  Task<> decide_exceptions();
  template <typename Response, typename Request>
  Task<Response> until_answered(rpc::Client* client, std::string method, Request request,
                                Observed* observed);
  template <typename Response, typename Request>
  Task<> change(rpc::Client* client, std::string method, Request request);
  void remember(Observed observed, const wire::Receipt& receipt, std::string account);
  void remember(Observed observed, const wire::Done& done);
  void remember_no(Observed observed);
  std::string make_id();
  std::unique_ptr<rpc::Client> make_client();
  const std::string& any_account() { return plan_.accounts[world_.below(plan_.accounts.size())]; }

  World& world_;
  OfficePlan plan_;
  Paid paid_;
  NodeLoop loop_;
  History history_;
  async::TaskScope tasks_;
  async::TaskScope for_ever_;
};

}  // namespace sim
