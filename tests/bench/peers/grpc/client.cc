// gRPC's callback client, the faster of its two: CONNECTIONS channels with a TCP connection each, and
// DEPTH calls in flight on each. With SECONDS 0 each connection makes one call and then stays until
// standard input ends.
//
//   grpc_client PORT CONNECTIONS DEPTH WARM_UP SECONDS
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <grpcpp/grpcpp.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accounts.h"
#include "bank/v1/bank.grpc.pb.h"
#include "latency.h"

using bank::v1::BankService;

static std::mutex mutex;
static std::condition_variable all_ended;
static int running = 0;

class Caller {
 public:
  Caller(BankService::Stub& stub, Latency& latency, unsigned seed, bool once)
      : stub_(stub), latency_(latency), random_(seed), once_(once) {
    request_.set_terminal_id("t-0000");
    request_.set_token(std::string(16, '\0'));
  }

  void call() {
    context_ = std::make_unique<grpc::ClientContext>();
    random_ = random_ * 1664525 + 1013904223;
    request_.set_card_number(card_number(static_cast<int>((random_ >> 8) % 1000)));
    began_ = Latency::Clock::now();
    stub_.async()->GetBalance(context_.get(), &request_, &response_,
                              [this](grpc::Status status) { ended(status); });
  }

 private:
  void ended(const grpc::Status& status) {
    if (!status.ok()) std::abort();
    bool goes_on = false;
    {
      const std::lock_guard lock(mutex);
      goes_on = latency_.ended(began_) && !once_;
      if (!goes_on) {
        --running;
        all_ended.notify_all();
      }
    }
    if (goes_on) call();
  }

  BankService::Stub& stub_;
  Latency& latency_;
  unsigned random_;
  bool once_;
  std::unique_ptr<grpc::ClientContext> context_;
  bank::v1::GetBalanceRequest request_;
  bank::v1::GetBalanceResponse response_;
  Latency::Clock::time_point began_;
};

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  const int connections = std::atoi(argv[2]);
  const int depth = std::atoi(argv[3]);
  const double seconds = std::atof(argv[5]);
  std::vector<std::unique_ptr<BankService::Stub>> stubs;
  for (int at = 0; at < connections; ++at) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs.push_back(BankService::NewStub(grpc::CreateCustomChannel(
        "127.0.0.1:" + std::string(argv[1]), grpc::InsecureChannelCredentials(), arguments)));
  }
  Latency latency(std::atof(argv[4]), seconds);
  std::vector<std::unique_ptr<Caller>> callers;
  for (int at = 0; at < connections * depth; ++at) {
    BankService::Stub& stub = *stubs[static_cast<std::size_t>(at % connections)];
    callers.push_back(
        std::make_unique<Caller>(stub, latency, static_cast<unsigned>(at), seconds == 0));
  }
  running = static_cast<int>(callers.size());
  for (const auto& caller : callers) {
    caller->call();
    if (seconds > 0) continue;
    // A few at a time: 10,000 at once are more than the listener's queue takes.
    const int left = static_cast<int>(&callers.back() - &caller) + 32;
    std::unique_lock lock(mutex);
    all_ended.wait(lock, [&] { return running <= left; });
  }
  std::unique_lock lock(mutex);
  all_ended.wait(lock, [] { return running == 0; });
  latency.print();
  std::fflush(stdout);
  if (seconds == 0) std::getchar();
  std::_Exit(0);
}
