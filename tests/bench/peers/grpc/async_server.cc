// gRPC's asynchronous server: one completion queue, one thread, which is its fastest on one core.
#include <grpcpp/grpcpp.h>
#include <memory>
#include <string>

#include "bank/v1/bank.grpc.pb.h"
#include "grpc/balance.h"

using Service = bank::v1::BankService::WithAsyncMethod_GetBalance<bank::v1::BankService::Service>;

// One call: waits to come, is answered, ends.
class Call {
 public:
  Call(Service& service, grpc::ServerCompletionQueue& queue) : service_(service), queue_(queue) {
    service.RequestGetBalance(&context_, &request_, &responder_, &queue, &queue, this);
  }

  void advance(bool ok, const Balances& balances) {
    if (!ok || answered_) {
      delete this;
      return;
    }
    new Call(service_, queue_);
    answer(balances, request_, response_);
    answered_ = true;
    responder_.Finish(response_, grpc::Status::OK, this);
  }

 private:
  Service& service_;
  grpc::ServerCompletionQueue& queue_;
  grpc::ServerContext context_;
  bank::v1::GetBalanceRequest request_;
  bank::v1::GetBalanceResponse response_;
  grpc::ServerAsyncResponseWriter<bank::v1::GetBalanceResponse> responder_{&context_};
  bool answered_ = false;
};

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  const Balances balances = all_balances();
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::string(argv[1]), grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  for (int waiting = 0; waiting < 1024; ++waiting) new Call(service, *queue);
  void* tag = nullptr;
  for (bool ok = false; queue->Next(&tag, &ok);) static_cast<Call*>(tag)->advance(ok, balances);
}
