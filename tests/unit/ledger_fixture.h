// The words in which the ledger's tests are written: a small bank, asked by name.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "ledger/ledger.h"
#include "ledger/memory_journal.h"

namespace ledger {

using namespace std::chrono_literals;

inline const Currency eur = Currency::of("EUR");
inline const Currency usd = Currency::of("USD");
inline constexpr Instant noon = Instant(std::chrono::hours(24 * 365 * 56 + 12));

// What a ledger said: a yes with its receipt, or a no with its refusal.
inline std::string word(const Outcome& outcome) {
  return outcome.has_value() ? "yes" : std::string(name(outcome.error().code));
}

// A history without anything in it.
class NoHistory final : public History {
 public:
  std::optional<Record> find(const OperationId&) override { return std::nullopt; }
  Record record_at(std::uint64_t, std::size_t) override {
    ADD_FAILURE() << "nothing was appended";
    return {};
  }
  std::optional<HoldEntry> find_hold(const OperationId&) override { return std::nullopt; }
  std::optional<Transfer> find_transfer(std::uint64_t) override { return std::nullopt; }
};

// A ledger over a journal, time that stands still, and ids that nobody chose.
class Bank {
 public:
  explicit Bank(std::chrono::microseconds horizon = memory_horizon_default)
      : horizon_(horizon),
        own_journal_(std::make_unique<MemoryJournal>()),
        journal_(own_journal_.get()) {
    restart();
  }
  Bank(Journal& journal, std::chrono::microseconds horizon)
      : horizon_(horizon), journal_(&journal) {
    restart();
  }

  // A ledger that knows only what is in the journal.
  void restart() {
    ledger_ = std::make_unique<Ledger>(*journal_, horizon_);
    journal_->load(*ledger_);
  }
  // The same, over the same file opened anew.
  void restart_on(Journal& journal) {
    journal_ = &journal;
    restart();
  }

  OperationId next_id() { return id_at(now.at, ++ids_); }
  static OperationId id_at(Instant made_at, std::uint64_t number) {
    std::array<std::uint8_t, 10> random{};
    // The first bytes hold the version and the variant.
    for (std::size_t place = 0; place < 7; ++place) {
      random[3 + place] = static_cast<std::uint8_t>(number >> (8 * place));
    }
    return OperationId::make(made_at, random);
  }

  Answer answer(Change change, OperationId id, std::string principal = "atm-1") {
    Operation operation{.id = id, .principal = std::move(principal), .change = std::move(change)};
    return answer(std::move(operation));
  }
  Answer answer(Operation operation) {
    Batch batch;
    const Moment moment{std::max(now.at, books().last_at()), std::max(now.day, books().last_day()),
                        now.clock};
    ledger_->expire_holds(moment, 100, batch);
    Answer answer = ledger_->execute(std::move(operation), moment, batch);
    if (!batch.empty()) append(batch);
    last_batch = std::move(batch);
    return answer;
  }
  Outcome ask(Change change, OperationId id, std::string principal = "atm-1") {
    return answer(std::move(change), id, std::move(principal)).outcome;
  }
  Outcome ask(Change change) { return ask(std::move(change), next_id()); }
  // Asks for what must be granted.
  Receipt must(Change change) {
    const Outcome outcome = ask(std::move(change));
    EXPECT_EQ(word(outcome), "yes");
    return outcome.value_or(Receipt());
  }

  // Jane with 100.00, her card, and a terminal that was loaded with 1,000.00.
  void open_jane() {
    must(OpenAccount{.account = "jane", .customer_name = "Jane Doe", .currency = eur});
    must(Post{
        .kind = TransferKind::fund, .target = "jane", .amount = Cents{100'00}, .currency = eur});
    must(AddTerminal{.terminal = "t1", .currency = eur});
    must(Post{.kind = TransferKind::load_cash,
              .amount = Cents{1000'00},
              .currency = eur,
              .terminal = "t1"});
    must(IssueCard{.card = janes_card, .account = "jane", .pin_hash = "hash"});
  }
  void open(const std::string& account, std::int64_t cents) {
    must(OpenAccount{.account = account, .currency = eur});
    if (cents == 0) return;
    must(Post{
        .kind = TransferKind::fund, .target = account, .amount = Cents{cents}, .currency = eur});
  }

  static Hold hold(std::int64_t cents, std::chrono::milliseconds life = 60s) {
    return Hold{.card = janes_card,
                .terminal = "t1",
                .amount = Cents{cents},
                .currency = eur,
                .time_to_live = life};
  }
  static Capture capture(OperationId hold, std::int64_t cents) {
    return Capture{.hold = hold, .terminal = "t1", .amount = Cents{cents}, .currency = eur};
  }
  static Post transfer(const std::string& source, const std::string& target, std::int64_t cents) {
    return Post{.source = source, .target = target, .amount = Cents{cents}, .currency = eur};
  }
  static Post deposit(std::int64_t cents) {
    return Post{.kind = TransferKind::deposit,
                .amount = Cents{cents},
                .currency = eur,
                .card = janes_card,
                .terminal = "t1"};
  }

  // A hold that was granted.
  OperationId held(std::int64_t cents, std::chrono::milliseconds life = 60s) {
    const OperationId id = next_id();
    EXPECT_EQ(word(ask(hold(cents, life), id)), "yes");
    return id;
  }

  const Account& account(const std::string& id) const { return *books().find_account(id); }
  std::int64_t balance(const std::string& id) const { return account(id).balance.value; }
  std::int64_t available(const std::string& id) const { return account(id).available().value; }
  const Card& card() const { return *books().find_card(janes_card); }
  const Books& books() const { return ledger_->books(); }
  Ledger& ledger() { return *ledger_; }
  Journal& journal() { return *journal_; }

  // The tables catch up, and the ledger forgets what it may.
  void project() {
    journal_->project(1'000'000);
    ledger_->forget(journal_->projected_through());
  }
  void pass(std::chrono::microseconds time) { now.at += time; }
  void next_day() {
    now.at += 24h;
    ++now.day.number;
  }

  static constexpr const char* janes_card = "4000000000000002";
  Moment now{.at = noon, .day = BusinessDay{20440}};
  Batch last_batch;
  bool leaves_syncs = false;  // What is appended is not durable until somebody syncs the journal.

 private:
  void append(const Batch& batch) {
    if (leaves_syncs) return journal_->append_unsynced(batch);
    journal_->append(batch);
  }

  std::chrono::microseconds horizon_;
  std::unique_ptr<MemoryJournal> own_journal_;
  Journal* journal_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t ids_ = 0;
};

// Jane's bank, which is balanced whatever a test did.
class LedgerTest : public testing::Test {
 protected:
  LedgerTest() { bank.open_jane(); }
  ~LedgerTest() override { EXPECT_TRUE(bank.books().is_balanced()); }

  std::string ask(Change change) { return word(bank.ask(std::move(change))); }
  std::string ask(Change change, OperationId id, std::string principal = "atm-1") {
    return word(bank.ask(std::move(change), id, std::move(principal)));
  }
  const ExceptionEntry& only_exception() {
    EXPECT_EQ(bank.books().exceptions().size(), 1U);
    return bank.books().exceptions().begin()->second;
  }
  void limit(CardLimits limits) {
    bank.must(SetCardLimits{.card = Bank::janes_card,
                            .withdrawal_max = limits.withdrawal_max,
                            .daily_amount_max = limits.daily_amount_max,
                            .daily_count_max = limits.daily_count_max});
  }

  Bank bank;
};

}  // namespace ledger
