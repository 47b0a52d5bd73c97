#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "async/check.h"
#include "bench/load/wire.h"
#include "bench/micro/bank_in_memory.h"
#include "bench/micro/cores.h"
#include "ledger/codec.h"
#include "ledger/memory_journal.h"

namespace bench {
namespace {

constexpr std::size_t batch_size = 64;

// Transfers between accounts, as an ATM's customers make them.
class Transfers {
 public:
  ledger::Operation next(const SteppedClock& clock) {
    const load::ChangeId id = random_.next(clock.milliseconds());
    const std::size_t card = random_.random() % accounts;
    const std::size_t other = (card + 1 + random_.random() % (accounts - 1)) % accounts;
    return {.id = *ledger::OperationId::from_bytes({id.data(), id.size()}),
            .principal = load::terminal_name(0),
            .change = ledger::Post{.kind = ledger::TransferKind::transfer,
                                   .target = load::account_name(other),
                                   .amount = ledger::Cents{1},
                                   .currency = ledger::Currency::of("EUR"),
                                   .card = load::card_number(card),
                                   .terminal = load::terminal_name(0)}};
  }

 private:
  load::ChangeIds random_{3};
};

// Decides and applies transfers. A journal is there for what the ledger forgot, and has nothing.
class Decide final : public Work {
 public:
  Decide() {
    journal_.load(ledger_);
    fill(ledger_, journal_, clock_);
    ledger_.forget(journal_.projected_through());
  }

  void run(std::size_t times) override {
    for (std::size_t at = 0; at < times; ++at) {
      if (at % batch_size == 0) {
        batch_.clear();
        clock_.step();
      }
      const ledger::Moment moment{clock_.now(), clock_.day_of(clock_.now()), clock_.steady_now()};
      const ledger::Answer answer = ledger_.execute(transfers_.next(clock_), moment, batch_);
      async::check(answer.outcome.has_value(), "a transfer is made");
    }
  }

 private:
  SteppedClock clock_;
  ledger::MemoryJournal journal_;
  ledger::Ledger ledger_{journal_};
  ledger::Batch batch_;
  Transfers transfers_;
};

// The same in batches of 64 on a disk, with the tables brought up to date behind them.
class Append final : public Work {
 public:
  Append() {
    journal_.load(ledger_);
    fill(ledger_, journal_, clock_);
    ledger_.forget(journal_.projected_through());
  }

  void run(std::size_t times) override {
    for (std::size_t at = 0; at < times; ++at) {
      if (at % batch_size == 0) commit();
      const ledger::Moment moment{clock_.now(), clock_.day_of(clock_.now()), clock_.steady_now()};
      const ledger::Answer answer = ledger_.execute(transfers_.next(clock_), moment, batch_);
      async::check(answer.outcome.has_value(), "a transfer is made");
    }
    commit();
  }

 private:
  void commit() {
    if (batch_.empty()) return;
    journal_.append(batch_);
    batch_.clear();
    clock_.step();
    if (ledger_.books().last_seq() - journal_.projected_through() < 512) return;
    journal_.project(512);
    ledger_.forget(journal_.projected_through());
    journal_.tidy(false);
  }

  Folder folder_;
  SteppedClock clock_;
  ledger::SqliteJournal journal_{folder_.file("bank.db")};
  ledger::Ledger ledger_{journal_};
  ledger::Batch batch_;
  Transfers transfers_;
};

constexpr std::array cores = {
    Core{"ledger", "decide and apply a transfer", &make<Decide>},
    Core{"store", "the same with journal and tables, 64 a commit", &make<Append>},
};

}  // namespace

std::span<const Core> ledger_cores() { return cores; }

}  // namespace bench
