// Makes the calls of the operator's commands, prints their answers, and says what they mean.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "async/endpoint.h"
#include "async/loop.h"
#include "async/random.h"
#include "async/time.h"
#include "cli/caller.h"
#include "cli/terminal.h"
#include "rpc/client.h"

namespace bankctl {

// What holds for every command.
struct Settings {
  async::Endpoint bank = async::Endpoint::parse("127.0.0.1:7001");
  async::Endpoint atm = async::Endpoint::parse("127.0.0.1:7002");
  bool json = false;
  bool yes = false;
  std::string currency;  // Of all amounts. Empty: the server is asked.
  async::Duration timeout = std::chrono::seconds(10);
  std::uint32_t limit = 1000;  // Rows of a list.
};

// One call, as a command makes it.
struct OperatorCall {
  std::string method;  // "bank.v1.OperatorService/OpenAccount"
  std::string server;  // "the bank"
  std::unique_ptr<google::protobuf::Message> request;
  // Found nothing, it is not answered: another call follows.
  bool is_look_up = false;
  // Asked before a change that is not sent without its answer.
  bool is_before_change = false;
  // For an id that somebody typed: an earlier try with it may have been done.
  bool may_repeat = false;
};

// What is said of a try that changed nothing; without a full stop.
std::string_view nothing_changed(bool may_repeat);

// The exit code of a look-up that found nothing, which no program ends with.
inline constexpr int found_nothing = -1;

// Owned by a command; loop thread only. Prints answers to `out`; every failure is an ops::Failure
// whose sentence says what to do next.
class OperatorCalls {
 public:
  OperatorCalls(async::Loop& loop, rpc::Channel& channel, cli::Interrupts& interrupts,
                const Settings& settings, std::ostream& out)
      : loop_(loop), channel_(channel), interrupts_(interrupts), settings_(settings), out_(out) {}

  // Returns the answer to a question. Throws Failure(declined) for a no.
  async::Task<std::unique_ptr<google::protobuf::Message>> ask(OperatorCall call);
  // Returns the exit code: 0; 1 for a definite no; 65 when something does not add up.
  async::Task<int> call(OperatorCall call);
  // Prints each response on a line until the person has seen enough.
  async::Task<int> watch(OperatorCall call);

 private:
  async::Task<> exchange_all(const OperatorCall& call, google::protobuf::Message& response);
  async::Task<rpc::Status> exchange(const OperatorCall& call, google::protobuf::Message& response);
  async::Task<rpc::Status> exchange_pages(const OperatorCall& call,
                                          google::protobuf::Message& response);
  void print(const google::protobuf::Message& response) const;
  int judge(const google::protobuf::Message& response) const;
  void fail_with_no(const OperatorCall& call, const rpc::Status& status) const;
  [[noreturn]] void fail(const OperatorCall& call, const rpc::Status& status) const;

  async::Loop& loop_;
  rpc::Channel& channel_;
  cli::Interrupts& interrupts_;
  const Settings& settings_;
  std::ostream& out_;
};

}  // namespace bankctl
