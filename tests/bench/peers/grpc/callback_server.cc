// gRPC's callback server: insecure, on loopback, everything else as it comes.
#include <grpcpp/grpcpp.h>
#include <string>

#include "bank/v1/bank.grpc.pb.h"
#include "grpc/balance.h"

class Bank final : public bank::v1::BankService::CallbackService {
  grpc::ServerUnaryReactor* GetBalance(grpc::CallbackServerContext* context,
                                       const bank::v1::GetBalanceRequest* request,
                                       bank::v1::GetBalanceResponse* response) override {
    answer(balances_, *request, *response);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const Balances balances_ = all_balances();
};

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  Bank bank;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:" + std::string(argv[1]), grpc::InsecureServerCredentials());
  builder.RegisterService(&bank);
  builder.BuildAndStart()->Wait();
}
