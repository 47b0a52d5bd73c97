// Cap'n Proto's two-party server.
#include <capnp/ez-rpc.h>
#include <cstdlib>
#include <string_view>

#include "accounts.h"
#include "capnp/bank.capnp.h"

class BankImpl final : public Bank::Server {
  kj::Promise<void> getBalance(GetBalanceContext context) override {
    const auto number = context.getParams().getCardNumber();
    const std::int64_t cents =
        balances_.find(std::string_view(number.begin(), number.size()))->second;
    auto results = context.getResults(capnp::MessageSize{24, 0});
    fill(results.initBalance(), cents);
    fill(results.initAvailable(), cents);
    results.setLedgerSeq(20'000);
    return kj::READY_NOW;
  }

  static void fill(Money::Builder money, std::int64_t cents) {
    money.setMinorUnits(cents);
    money.setCurrency("EUR");
  }

  const Balances balances_ = all_balances();
};

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  capnp::EzRpcServer server(kj::heap<BankImpl>(), "127.0.0.1",
                            static_cast<kj::uint>(std::atoi(argv[1])));
  kj::NEVER_DONE.wait(server.getWaitScope());
}
