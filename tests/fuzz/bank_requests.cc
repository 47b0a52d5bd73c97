// Scripts of requests to the bank (peer.h says how a line reads). Whatever is asked: every call is
// answered once, an error changes nothing, a refusal moves nothing, the books add up to zero, and
// the journal alone gives the same books again.
#include <vector>

#include "bank_fixture.h"
#include "fuzz/peer.h"

namespace {

using bank::BankBench;

constexpr std::size_t lines_max = 40;

struct Seen {
  std::uint64_t last_seq = 0;
  std::vector<std::int64_t> balances;
  std::size_t cards = 0;
  std::size_t terminals = 0;

  explicit Seen(const ledger::Books& books)
      : last_seq(books.last_seq()),
        cards(books.cards().size()),
        terminals(books.terminals().size()) {
    for (const ledger::Account& account : books.accounts()) {
      balances.push_back(account.balance.value);
    }
  }
  bool moved_to(const Seen& later) const {
    return balances != later.balances || cards != later.cards || terminals != later.terminals;
  }
};

bool is_refused(const std::string& method, const rpc::v1::Response& response) {
  const auto answer = fuzz::answer_to(method, response);
  return answer != nullptr && fuzz::has(*answer, "refusal");
}

class Play {
 public:
  void run(std::string_view text) {
    bench_.loop.settle();
    {
      fuzz::Peer peer(bench_.loop, bench_.process->server);
      fuzz::for_each_line(text, lines_max, [&](std::string_view line) { step(peer, line); });
    }
    bench_.loop.advance(2 * patience);
    const ledger::Books before = bench_.process->store.books();
    fuzz::require(before.is_balanced(), "the books are balanced");
    bench_.restart();
    fuzz::require(bench_.process->store.books() == before, "the journal gives the same books");
  }

 private:
  static constexpr auto patience = std::chrono::milliseconds(50);

  void step(fuzz::Peer& peer, std::string_view line) {
    if (const auto wait = fuzz::wait_of(line)) return bench_.loop.advance(*wait);
    const rpc::v1::Request request = script_.request(line, ++calls_);
    const Seen before(bench_.process->store.books());
    peer.replies.clear();
    peer.send(request);
    bench_.loop.settle();
    bench_.loop.advance(patience);
    const Seen after(bench_.process->store.books());
    for (const rpc::v1::Response& response : peer.replies) {
      if (response.id() != request.id() || response.more()) continue;
      learn(request.method(), response);
      if (response.code() != 0) {
        fuzz::require(after.last_seq == before.last_seq, "an error changes nothing");
      } else if (is_refused(request.method(), response)) {
        fuzz::require(!before.moved_to(after), "a refusal moves nothing");
      }
    }
  }

  void learn(const std::string& method, const rpc::v1::Response& response) {
    if (!method.ends_with("/VerifyCard")) return;
    bank::v1::VerifyCardResponse verified;
    if (!verified.ParseFromString(response.body()) || !verified.has_verified()) return;
    script_.token = verified.verified().token();
  }

  BankBench bench_;
  fuzz::Script script_;
  std::uint64_t calls_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  google::protobuf::LogSilencer quiet;
  Play play;
  play.run(fuzz::text_of(data, size));
  return 0;
}
