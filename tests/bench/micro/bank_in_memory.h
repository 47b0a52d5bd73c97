// A bank with accounts, for the cores: its journal is a real one on a disk, its loop and its network
// are in memory, so that it does the same whenever it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "async/manual_loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "async/stream.h"
#include "bank/bank_service.h"
#include "ledger/executor.h"
#include "ledger/sqlite_journal.h"
#include "ledger/store.h"
#include "ops/log.h"
#include "rpc/server.h"

namespace bench {

inline constexpr std::size_t accounts = 1'000;

// A new folder, gone with its owner.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

// The wall clock goes on by a millisecond with every batch, and nothing else moves.
class SteppedClock final : public ledger::StoreClock {
 public:
  ledger::Instant now() const override { return ledger::instant_of(now_us_); }
  async::Instant steady_now() const override { return async::Instant(std::chrono::hours(1)); }
  ledger::BusinessDay day_of(ledger::Instant) const override { return {20'000}; }
  void step() { now_us_ += 1'000; }
  std::uint64_t milliseconds() const { return static_cast<std::uint64_t>(now_us_) / 1'000; }

 private:
  std::int64_t now_us_ = 1'800'000'000'000'000;
};

// Opens accounts a-00000000 and so on, with cards, and terminal t-0000.
void fill(ledger::Ledger& ledger, ledger::Journal& journal, SteppedClock& clock);

// bankd, wired as its main does it, and one connection to it.
class BankInMemory {
 public:
  BankInMemory();
  ~BankInMemory();

  // A token for the card at t-0000.
  std::string token_of(std::size_t card);
  // Sends these requests in one write and lets the bank work until all is answered. Gives the bytes
  // of the replies.
  std::size_t exchange(const std::string& frames);

  SteppedClock clock;

 private:
  static async::Task<> count_replies(async::Stream* from, std::size_t* bytes);

  Folder folder_;
  async::ManualLoop loop_;
  async::SeededRandom random_{1};
  std::string log_lines_;
  ops::Log log_ =
      ops::Log::to_string("bankd", ops::LogLevel::info, ops::LogFormat::json, log_lines_);
  ledger::SqliteJournal journal_;
  ledger::ManualExecutor executor_;
  ledger::Store store_;
  bank::Changes changes_;
  bank::Tokens tokens_;
  bank::PinHasher hasher_;
  bank::PinDesk pins_;
  bank::BankService service_;
  rpc::ServerObserver observer_;
  rpc::Server server_;
  std::size_t reply_bytes_ = 0;
  async::Stream client_;
  async::TaskScope tasks_;
};

}  // namespace bench
