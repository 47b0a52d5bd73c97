// Any bytes on a connection to the bank: the server goes on, and another caller does not notice.
//
// The first byte is the size of the slices in which the rest arrives.
#include "bank_fixture.h"
#include "fuzz/peer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  google::protobuf::LogSilencer quiet;
  bank::BankBench bench;
  bench.loop.settle();
  {
    fuzz::Peer peer(bench.loop, bench.process->server);
    std::string_view bytes = fuzz::text_of(data + 1, size - 1);
    const std::size_t slice_size = 1 + std::size_t{data[0]} * 16;
    while (!bytes.empty()) {
      peer.send(bytes.substr(0, slice_size));
      bytes.remove_prefix(std::min(slice_size, bytes.size()));
      bench.loop.settle();
    }

    fuzz::require(bench.code<bank::v1::GetTrialBalanceResponse>(
                      bank::v1::GetTrialBalanceRequest()) == rpc::StatusCode::ok,
                  "another caller is answered");
  }
  bench.loop.advance(std::chrono::milliseconds(100));
  fuzz::require(bench.process->store.books().is_balanced(), "the books are balanced");
  return 0;
}
