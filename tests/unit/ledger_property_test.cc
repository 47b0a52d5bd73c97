// Whatever is asked, in whatever order: what is always true stays true.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/codec.h"
#include "ledger/sqlite_journal.h"
#include "ledger/verify.h"
#include "ledger_fixture.h"
#include "temporary_directory.h"

namespace ledger {
namespace {

// A step as RapidCheck makes and shrinks it: numbers that are read as an operation.
struct Step {
  std::uint8_t what = 0;
  std::uint8_t who = 0;
  std::uint8_t other = 0;
  std::uint16_t amount = 0;
};

std::ostream& operator<<(std::ostream& out, const Step& step) {
  return out << int{step.what} << "/" << int{step.who} << "/" << int{step.other} << "/"
             << step.amount;
}

}  // namespace
}  // namespace ledger

namespace rc {
template <>
struct Arbitrary<ledger::Step> {
  static Gen<ledger::Step> arbitrary() {
    return gen::build<ledger::Step>(
        gen::set(&ledger::Step::what, gen::inRange<std::uint8_t>(0, 20)),
        gen::set(&ledger::Step::who, gen::inRange<std::uint8_t>(0, 4)),
        gen::set(&ledger::Step::other, gen::inRange<std::uint8_t>(0, 12)),
        gen::set(&ledger::Step::amount, gen::inRange<std::uint16_t>(0, 400)));
  }
};
}  // namespace rc

namespace ledger {
namespace {

// Three customers with cards at two terminals, and ids that are used again.
class World {
 public:
  explicit World(Bank& bank) : bank_(bank) {
    for (int number = 0; number < 3; ++number) {
      bank.open(account(number), 100);
      bank.must(IssueCard{.card = card(number),
                          .account = account(number),
                          .pin_hash = "hash",
                          .limits = {Cents{300}, Cents{500}, 5}});
    }
    for (const char* const terminal : {"t0", "t1"}) {
      bank.must(AddTerminal{.terminal = terminal, .currency = eur});
    }
    for (std::uint64_t number = 0; number < 12; ++number) ids_.push_back(bank.next_id());
  }

  static std::string account(int number) { return "a" + std::to_string(number % 4); }
  static std::string card(int number) { return "400000000000000" + std::to_string(number % 4); }

  Change change_of(const Step& step) const {
    const std::string who = account(step.who);
    const std::string other = account(step.other);
    const std::string terminal = step.other % 2 == 0 ? "t0" : "t1";
    const Cents amount{step.amount};
    const OperationId& named = ids_[step.other % ids_.size()];
    switch (step.what) {
      case 0:
      case 1:
        return Post{.source = who, .target = other, .amount = amount, .currency = eur};
      case 2:
        return Post{.kind = TransferKind::deposit,
                    .amount = amount,
                    .currency = eur,
                    .card = card(step.who),
                    .terminal = terminal};
      case 3:
        return Post{.kind = TransferKind::fund, .target = who, .amount = amount, .currency = eur};
      case 4:
      case 5:
      case 6:
        return Hold{.card = card(step.who),
                    .terminal = terminal,
                    .amount = amount,
                    .currency = eur,
                    .time_to_live = std::chrono::milliseconds(1 + step.amount * 100)};
      case 7:
      case 8:
        return Capture{.hold = named, .amount = amount, .currency = eur};
      case 9:
        return Void{.hold = named};
      case 10:
        return Suspend{.hold = named};
      case 11:
        return Resolve{};
      case 12:
        return SetOverdraft{.account = who, .overdraft = amount};
      case 13:
        return step.amount % 2 == 0 ? Change(Freeze{.account = who})
                                    : Change(Unfreeze{.account = who});
      case 14:
        return Close{.account = who};
      case 15:
        return Reverse{.transfer_seq = step.amount};
      case 16: {
        const std::optional<Cents> paid = step.who == 0 ? std::nullopt : std::optional(amount);
        const auto& exceptions = bank_.books().exceptions();
        const std::uint64_t seq = exceptions.empty() ? 1 : exceptions.rbegin()->first;
        return ResolveException{.exception_seq = seq, .paid = paid};
      }
      case 17:
        return Adjust{.source = who, .target = "equity:eur", .amount = amount, .currency = eur};
      case 18:
        return RecordPinAttempt{.card = card(step.who), .right = step.amount % 3 == 0};
      default:
        return UnblockCard{.card = card(step.who)};
    }
  }

  // Half of the steps use an id that others use too.
  OperationId id_of(const Step& step) {
    return step.amount % 2 == 0 ? ids_[step.amount / 2 % ids_.size()] : bank_.next_id();
  }

 private:
  Bank& bank_;
  std::vector<OperationId> ids_;
};

void check_what_is_always_true(const Books& books) {
  RC_ASSERT(books.is_balanced());
  Cents held{0};
  for (const auto& [ledger_seq, hold] : books.holds()) {
    if (hold.is_reserved()) held += hold.amount;
    RC_ASSERT(!(hold.is_reserved() && !hold.is_open()));
    RC_ASSERT(hold.captured <= hold.amount);
  }
  RC_ASSERT(books.totals().front().held == held);
  for (const Account& account : books.accounts()) {
    RC_ASSERT(!account.closed || (account.balance == Cents{0} && account.open_holds == 0));
  }
}

// What may take an account below its limit: cash that was out already, and the operator's lowering of the overdraft.
bool may_overdraw(const Change& change) {
  return std::holds_alternative<Capture>(change) || std::holds_alternative<Suspend>(change) ||
         std::holds_alternative<SetOverdraft>(change) ||
         std::holds_alternative<ResolveException>(change);
}

void play(Bank& bank, World& world, const Step& step) {
  bank.pass(std::chrono::milliseconds(step.amount * 10));
  if (step.other == 3) bank.now.day.number += 1;
  const Change change = world.change_of(step);
  const OperationId id = world.id_of(step);
  std::vector<Cents> before;
  for (const Account& account : bank.books().accounts()) before.push_back(account.available());

  const Answer answer = bank.answer(change, id);
  for (const Account& account : bank.books().accounts()) {
    if (account.kind != AccountKind::customer || may_overdraw(change)) continue;
    const Cents was = before[static_cast<std::size_t>(account.number)];
    RC_ASSERT(account.available() >= Cents{0} || account.available() >= was);
  }
  check_what_is_always_true(bank.books());

  // The same again is the same answer and changes nothing, unless the id was left unused.
  const bool is_pinned = answer.outcome.has_value() || answer.outcome.error().ledger_seq != 0;
  if (!is_pinned) return;
  const std::uint64_t last = bank.books().last_seq();
  const Answer again = bank.answer(change, id);
  const bool was_recorded = !std::holds_alternative<RecordPinAttempt>(change);
  if (was_recorded) RC_ASSERT(bank.books().last_seq() == last);
  RC_ASSERT(answer.fenced == again.fenced);
  if (was_recorded && answer.outcome.has_value()) {
    RC_ASSERT(again.outcome->ledger_seq == answer.outcome->ledger_seq);
    RC_ASSERT(again.outcome->balance == answer.outcome->balance);
  }
}

TEST(LedgerPropertyTest, WhatIsAlwaysTrueStaysTrue) {
  const auto property = [](const std::vector<Step>& steps) {
    Bank bank(1s);
    World world(bank);
    for (const Step& step : steps) {
      play(bank, world, step);
      if (step.other == 7) bank.project();
    }
    Books before = bank.books();
    bank.restart();
    RC_ASSERT(bank.books() == before);
  };
  EXPECT_TRUE(rc::check("zero sum, limits, one answer an id", property));
}

// The same steps through a ledger that forgets nothing, one in memory that forgets at once, and one on disk that is opened anew.
TEST(LedgerPropertyTest, EveryJournalGivesTheSameBooksAndTheSameAnswers) {
  const auto property = [](const std::vector<Step>& steps) {
    const testkit::TemporaryDirectory directory(testkit::fast_directory());
    const std::string file = directory.file("bank.db");
    auto sqlite = std::make_unique<SqliteJournal>(file);
    Bank remembering(1000h);
    Bank forgetting(0us);
    Bank on_disk(*sqlite, 0us);
    World first(remembering);
    World second(forgetting);
    World third(on_disk);
    for (const Step& step : steps) {
      const auto ask = [&step](Bank& bank, World& world) {
        bank.pass(std::chrono::milliseconds(step.amount * 10));
        return bank.answer(world.change_of(step), world.id_of(step));
      };
      const Answer expected = ask(remembering, first);
      const Answer forgotten = ask(forgetting, second);
      const Answer stored = ask(on_disk, third);
      RC_ASSERT((forgotten.outcome == expected.outcome));
      RC_ASSERT((stored.outcome == expected.outcome));
      RC_ASSERT(stored.fenced == expected.fenced);
      forgetting.project();
      if (step.other < 4) on_disk.project();
      if (step.other == 5) {
        sqlite.reset();
        sqlite = std::make_unique<SqliteJournal>(file);
        on_disk.restart_on(*sqlite);
      }
    }
    RC_ASSERT(forgetting.books() == remembering.books());
    RC_ASSERT(on_disk.books() == remembering.books());
    RC_ASSERT(on_disk.journal().head() == remembering.journal().head());
    sqlite.reset();
    const Verified verified = verify(file);
    RC_ASSERT(verified.head == remembering.journal().head());
  };
  EXPECT_TRUE(rc::check("three ledgers agree", property));
}

}  // namespace
}  // namespace ledger
