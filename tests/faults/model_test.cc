// The ledger, and each store under it, against a model of the rules that was written without them.
#include "model.h"

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "disk.h"
#include "ledger/sqlite_journal.h"
#include "ledger_fixture.h"
#include "temporary_folder.h"

namespace sim {
namespace {

using ledger::Cents;
using ledger::eur;

// Numbers that are read as an operation, so that RapidCheck can shrink them.
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
}  // namespace sim

namespace rc {
template <>
struct Arbitrary<sim::Step> {
  static Gen<sim::Step> arbitrary() {
    return gen::build<sim::Step>(gen::set(&sim::Step::what, gen::inRange<std::uint8_t>(0, 27)),
                                 gen::set(&sim::Step::who, gen::inRange<std::uint8_t>(0, 4)),
                                 gen::set(&sim::Step::other, gen::inRange<std::uint8_t>(0, 16)),
                                 gen::set(&sim::Step::amount, gen::inRange<std::uint16_t>(1, 300)));
  }
};
}  // namespace rc

namespace sim {
namespace {

ledger::Change change_of(const Step& step, const std::vector<ledger::OperationId>& holds,
                         std::uint64_t last_seq) {
  const std::string who = "a" + std::to_string(step.who);  // a3 is never opened.
  const std::string other = "a" + std::to_string((step.who + 1 + step.other % 2) % 4);
  const std::string card = "400000000000000" + std::to_string(step.who);
  const std::string terminal = "t" + std::to_string(step.other % 3);  // t2 does not exist.
  const Cents amount{step.amount};
  const ledger::OperationId hold =
      holds.empty() ? ledger::Bank::id_at(ledger::noon, 7) : holds[step.other % holds.size()];
  // Now and then the money of a hold is said to be of another currency.
  const ledger::Currency said = step.amount % 7 == 0 ? ledger::Currency::of("USD") : eur;
  switch (step.what) {
    case 0:
    case 1:
      return ledger::Post{.source = who, .target = other, .amount = amount, .currency = eur};
    case 2:
      return ledger::Post{
          .target = other, .amount = amount, .currency = eur, .card = card, .terminal = terminal};
    case 3:
      return ledger::Post{.kind = ledger::TransferKind::deposit,
                          .amount = amount,
                          .currency = eur,
                          .card = card,
                          .terminal = terminal,
                          .kept = step.amount % 2 == 0};
    case 4:
      return ledger::Post{
          .kind = ledger::TransferKind::fund, .target = who, .amount = amount, .currency = eur};
    case 5:
      return ledger::Post{.kind = ledger::TransferKind::load_cash,
                          .amount = amount,
                          .currency = eur,
                          .terminal = terminal};
    case 6:
      return ledger::Post{.kind = ledger::TransferKind::unload_cash,
                          .amount = amount,
                          .currency = eur,
                          .terminal = terminal};
    case 7:
    case 8:
    case 9:
      return ledger::Hold{.card = card,
                          .terminal = terminal,
                          .amount = amount,
                          .currency = eur,
                          .time_to_live = std::chrono::milliseconds(1 + step.amount * 60)};
    case 10:
    case 11:
      return ledger::Capture{.hold = hold,
                             .terminal = step.amount % 4 == 0 ? terminal : "",
                             .amount = amount,
                             .currency = said};
    case 12:
      return ledger::Void{.hold = hold, .terminal = {}};
    case 13:
      if (step.amount % 2 == 0) return ledger::Suspend{.hold = hold, .evidence = "seen"};
      return ledger::Suspend{.hold = hold, .evidence = "seen", .amount = amount, .currency = said};
    case 14: {
      const bool has_paid = step.amount % 3 != 0;
      return ledger::ResolveException{
          .exception_seq = last_seq - std::min<std::uint64_t>(last_seq - 1, step.other / 2),
          .paid = has_paid ? std::optional(Cents{step.amount % 40}) : std::nullopt,
          .reason = "decided"};
    }
    case 15:
      return ledger::SetOverdraft{.account = who, .overdraft = amount};
    case 16:
      return ledger::Freeze{.account = who};
    case 17:
      return ledger::Unfreeze{.account = who};
    case 18:
      return ledger::Close{.account = who};
    case 19:
      return ledger::Adjust{
          .source = who, .target = "equity:eur", .amount = amount, .currency = eur};
    case 20:
      return ledger::Reverse{.transfer_seq =
                                 last_seq - std::min<std::uint64_t>(last_seq - 1, step.other)};
    case 21:
      return ledger::SetTerminalService{.terminal = terminal, .in_service = step.amount % 3 != 0};
    case 22:
      return ledger::RecordPinAttempt{.card = card, .right = step.amount % 3 == 0};
    case 23:
      return ledger::UnblockCard{.card = card};
    case 24:
      return ledger::SetPin{
          .card = card,
          .terminal = terminal,
          .pin_hash = "hash",
          .old_pin = step.amount % 3 == 0 ? ledger::OldPin::right : ledger::OldPin::wrong};
    case 25:
      return ledger::BlockCard{.card = card};
    default:
      return ledger::ReplaceCard{.old_card = card,
                                 .new_card = "400000000000000" + std::to_string(step.other % 6),
                                 .pin_hash = "hash"};
  }
}

// Plays the steps in a bank; the model follows each record. A batch is decided whole by one of them before the other sees it.
class Race {
 public:
  explicit Race(ledger::Bank& bank) : bank_(bank) {
    for (int number = 0; number < 3; ++number) {
      const std::string account = "a" + std::to_string(number);
      ask(ledger::OpenAccount{.account = account, .currency = eur});
      ask(ledger::Post{.kind = ledger::TransferKind::fund,
                       .target = account,
                       .amount = Cents{200},
                       .currency = eur});
      ask(ledger::IssueCard{.card = "400000000000000" + std::to_string(number),
                            .account = account,
                            .pin_hash = "hash",
                            .limits = {Cents{250}, Cents{400}, 4}});
    }
    for (const char* terminal : {"t0", "t1"}) {
      ask(ledger::AddTerminal{.terminal = terminal, .currency = eur});
    }
  }
  void play(const Step& step) {
    bank_.pass(std::chrono::milliseconds(step.amount * 10));
    if (step.other == 3) bank_.now.day.number += 1;
    const ledger::Change change = change_of(step, holds_, bank_.books().last_seq());
    const ledger::OperationId id = ask(change);
    if (std::holds_alternative<ledger::Hold>(change)) holds_.push_back(id);
  }
  void compare_accounts() const {
    for (const ledger::Account& account : bank_.books().accounts()) {
      const Model::Account* const model = model_.find(account.id());
      if (model == nullptr) {
        RC_ASSERT(account.balance == Cents{0});
        continue;
      }
      RC_ASSERT(account.balance.value == model->balance);
      RC_ASSERT(account.held.value == model->held);
      RC_ASSERT(account.frozen == model->is_frozen);
      RC_ASSERT(account.closed == model->is_closed);
    }
  }

 private:
  ledger::OperationId ask(const ledger::Change& change) {
    const ledger::OperationId id = bank_.next_id();
    const ledger::Answer answer = bank_.answer(change, id);
    for (const ledger::Record& record : bank_.last_batch.records) {
      const std::optional<std::string> differs = model_.follow(record);
      RC_ASSERT(differs == std::nullopt);
    }
    (void)answer;
    return id;
  }

  ledger::Bank& bank_;
  Model model_;
  std::vector<ledger::OperationId> holds_;
};

TEST(ModelTest, TheLedgerDecidesAsTheModelDoes) {
  const auto property = [](const std::vector<Step>& steps) {
    ledger::Bank bank(std::chrono::hours(1000));
    Race race(bank);
    for (const Step& step : steps) race.play(step);
    race.compare_accounts();
  };
  EXPECT_TRUE(rc::check("the ledger and the model", property));
}

TEST(ModelTest, AJournalInMemoryThatForgetsAtOnceDoes) {
  const auto property = [](const std::vector<Step>& steps) {
    ledger::Bank bank(std::chrono::microseconds(0));
    Race race(bank);
    for (const Step& step : steps) {
      race.play(step);
      bank.project();
      if (step.other == 5) bank.restart();
    }
    race.compare_accounts();
  };
  EXPECT_TRUE(rc::check("a forgetful store and the model", property));
}

// On a disk that loses power now and then, with everything that was not synced.
TEST(ModelTest, SqliteOnADiskThatLosesPowerDoes) {
  const auto property = [](const std::vector<Step>& steps) {
    const TemporaryFolder folder;
    Disk disk;
    const Mount mount(folder.path(), disk);
    async::SeededRandom random(steps.size());
    const std::string file = folder.path() + "/bank.db";
    auto journal = std::make_unique<ledger::SqliteJournal>(file);
    ledger::Bank bank(*journal, std::chrono::microseconds(0));
    Race race(bank);
    for (const Step& step : steps) {
      race.play(step);
      if (step.other < 4) bank.project();
      if (step.other == 4) journal->tidy(true);
      if (step.other != 5 && step.other != 6) continue;
      disk.power_off();
      journal.reset();
      disk.power_on(static_cast<Loss>(step.amount % 5), random);
      journal = std::make_unique<ledger::SqliteJournal>(file);
      bank.restart_on(*journal);
    }
    race.compare_accounts();
  };
  EXPECT_TRUE(rc::check("a file and the model", property));
}

}  // namespace
}  // namespace sim
