#include "bench/micro/bank_in_memory.h"

#include <stdlib.h>
#include <utility>

#include "async/check.h"
#include "bench/load/wire.h"

namespace bench {
namespace {

// A journal that has the accounts.
std::string filled(const std::string& path, SteppedClock& clock) {
  ledger::SqliteJournal journal(path);
  ledger::Ledger ledger(journal);
  journal.load(ledger);
  fill(ledger, journal, clock);
  return path;
}

}  // namespace

Folder::Folder() {
  std::string name = (std::filesystem::temp_directory_path() / "teller-micro.XXXXXX").string();
  async::check(::mkdtemp(name.data()) != nullptr, "a folder can be made");
  path_ = name;
}

Folder::~Folder() { std::filesystem::remove_all(path_); }

void fill(ledger::Ledger& ledger, ledger::Journal& journal, SteppedClock& clock) {
  const auto eur = ledger::Currency::of("EUR");
  load::ChangeIds ids(1);
  ledger::Batch batch;
  const auto change = [&](ledger::Change what) {
    const load::ChangeId id = ids.next(clock.milliseconds());
    ledger::Operation operation{.id = *ledger::OperationId::from_bytes({id.data(), id.size()}),
                                .principal = "operator",
                                .change = std::move(what)};
    const ledger::Moment moment{clock.now(), clock.day_of(clock.now()), clock.steady_now()};
    const ledger::Answer answer = ledger.execute(std::move(operation), moment, batch);
    async::check(answer.outcome.has_value(), "the bank is filled");
  };
  change(ledger::OpenAccount{.account = load::account_name(0), .currency = eur});
  change(ledger::AddTerminal{.terminal = load::terminal_name(0), .currency = eur});
  for (std::size_t at = 0; at < accounts; ++at) {
    const std::string name = load::account_name(at);
    if (at > 0) change(ledger::OpenAccount{.account = name, .currency = eur});
    change(ledger::Post{.kind = ledger::TransferKind::fund,
                        .target = name,
                        .amount = ledger::Cents{1'000'000'000},
                        .currency = eur});
    change(ledger::IssueCard{
        .card = load::card_number(at), .account = name, .pin_hash = "$argon2id$none"});
  }
  journal.append(batch);
  while (journal.projected_through() < ledger.books().last_seq()) journal.project(4'096);
  for (int passed = 0; passed < 60'000; ++passed) clock.step();  // A minute, and all that is old.
}

BankInMemory::BankInMemory()
    : journal_(filled(folder_.file("bank.db"), clock)),
      store_(loop_, journal_, executor_, clock),
      changes_(store_, log_),
      tokens_(loop_, random_),
      hasher_(loop_, {.passes = 1, .memory_bytes = 8192}),
      pins_(loop_, store_, changes_, hasher_, random_),
      service_(store_, changes_, pins_, tokens_),
      server_(loop_, rpc::ServerLimits(), observer_),
      client_(nullptr),
      tasks_(loop_) {
  service_.add_to(server_);
  std::pair<async::Stream, async::Stream> ends = async::memory_stream_pair(loop_, 1U << 20U);
  server_.serve(std::move(ends.first));
  client_ = std::move(ends.second);
  tasks_.spawn(count_replies(&client_, &reply_bytes_));
  loop_.settle();
}

BankInMemory::~BankInMemory() {
  tasks_.cancel();
  client_.close();
}

std::string BankInMemory::token_of(std::size_t card) {
  return tokens_.issue(load::card_number(card), load::terminal_name(0));
}

std::size_t BankInMemory::exchange(const std::string& frames) {
  const std::size_t before = reply_bytes_;
  clock.step();
  async::check(client_.try_write(async::bytes_of(frames)) == frames.size(), "all of it fits");
  loop_.settle();
  while (executor_.step()) loop_.settle();
  loop_.settle();
  log_lines_.clear();
  return reply_bytes_ - before;
}

async::Task<> BankInMemory::count_replies(async::Stream* from, std::size_t* bytes) {
  while (true) {
    const std::span<const std::byte> read = co_await from->read_some();
    if (read.empty()) co_return;
    *bytes += read.size();
  }
}

}  // namespace bench
