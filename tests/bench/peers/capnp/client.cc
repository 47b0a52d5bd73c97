// Cap'n Proto's client: CONNECTIONS connections with DEPTH calls in flight on each, all on one event
// loop.
//
//   capnp_client PORT CONNECTIONS DEPTH WARM_UP SECONDS
#include <capnp/ez-rpc.h>
#include <cstdlib>
#include <memory>
#include <vector>

#include "accounts.h"
#include "capnp/bank.capnp.h"
#include "latency.h"

static kj::Promise<void> call(Bank::Client& bank, Latency& latency, unsigned random) {
  random = random * 1664525 + 1013904223;
  const auto began = Latency::Clock::now();
  auto request = bank.getBalanceRequest(capnp::MessageSize{32, 0});
  request.setTerminalId("t-0000");
  request.setCardNumber(card_number(static_cast<int>((random >> 8) % 1000)).c_str());
  const kj::byte token[16] = {};
  request.setToken(kj::arrayPtr(token, sizeof token));
  return request.send().then([&bank, &latency, random, began](auto&&) -> kj::Promise<void> {
    if (!latency.ended(began)) return kj::READY_NOW;
    return call(bank, latency, random);
  });
}

int main(int argc, char** argv) {
  if (argc != 6) return 64;
  std::vector<std::unique_ptr<capnp::EzRpcClient>> clients;
  std::vector<Bank::Client> banks;
  for (int at = 0; at < std::atoi(argv[2]); ++at) {
    clients.push_back(std::make_unique<capnp::EzRpcClient>(
        "127.0.0.1", static_cast<kj::uint>(std::atoi(argv[1]))));
    banks.push_back(clients.back()->getMain<Bank>());
  }
  Latency latency(std::atof(argv[4]), std::atof(argv[5]));
  kj::Vector<kj::Promise<void>> calls;
  for (int at = 0; at < std::atoi(argv[2]) * std::atoi(argv[3]); ++at) {
    Bank::Client& bank = banks[static_cast<std::size_t>(at) % banks.size()];
    calls.add(call(bank, latency, static_cast<unsigned>(at)));
  }
  kj::joinPromises(calls.releaseAsArray()).wait(clients.front()->getWaitScope());
  latency.print();
}
