// The checker itself: it accepts what a correct bank showed to concurrent clients, and finds what a broken one could show.
#include "serializability.h"

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>
#include <vector>

#include <gtest/gtest.h>

#include "async/random.h"
#include "ledger_fixture.h"

namespace sim {
namespace {

using ledger::Cents;
using ledger::eur;

// A bank that did everything right, and what its clients saw: calls overlap, and each takes effect somewhere within.
struct Witnessed {
  std::vector<ledger::Record> records;
  History history;
};

class Clients {
 public:
  explicit Clients(std::uint64_t seed) : random_(seed) {
    for (const char* account : {"a", "b", "c"}) {
      change(ledger::OpenAccount{.account = account, .currency = eur}, account);
      change(ledger::Post{.kind = ledger::TransferKind::fund,
                          .target = account,
                          .amount = Cents{100},
                          .currency = eur},
             account);
    }
    change(ledger::AddTerminal{.terminal = "t", .currency = eur}, "a");
    change(ledger::IssueCard{.card = "4000000000000002", .account = "a", .pin_hash = "hash"}, "a");
    for (int i = 0; i < 60; ++i) act();
  }
  Witnessed seen;

 private:
  async::Instant soon(std::uint64_t most) {
    return now_ + async::Duration(static_cast<async::Duration::rep>(random_.below(most)));
  }
  std::string any() { return std::string(1, static_cast<char>('a' + random_.below(3))); }

  void act() {
    const std::string account = any();
    const Cents amount{static_cast<std::int64_t>(1 + random_.below(60))};
    switch (random_.below(6)) {
      case 0:
      case 1:
        return look(account);
      case 2:
        holds_.push_back(change(ledger::Hold{.card = "4000000000000002",
                                             .terminal = "t",
                                             .amount = amount,
                                             .currency = eur,
                                             .time_to_live = std::chrono::minutes(1)},
                                "a"));
        return;
      case 3:
        if (holds_.empty()) return;
        change(
            ledger::Capture{
                .hold = holds_.back(), .terminal = "t", .amount = Cents{1}, .currency = eur},
            "a");
        return holds_.pop_back();
      default:
        change(ledger::Post{.source = account,
                            .target = account == "a" ? "b" : "a",
                            .amount = amount,
                            .currency = eur},
               account);
    }
  }

  Observed call() {
    now_ += async::Duration(100);
    return {.asked = now_ - async::Duration(static_cast<async::Duration::rep>(random_.below(400))),
            .answered = soon(400)};
  }
  ledger::OperationId change(const ledger::Change& what, const std::string& account) {
    const ledger::OperationId id = bank_.next_id();
    const ledger::Outcome outcome = bank_.ask(what, id);
    for (const ledger::Record& record : bank_.last_batch.records) seen.records.push_back(record);
    Observed observed = call();
    observed.id = id;
    observed.is_yes = outcome.has_value();
    if (outcome) {
      observed.ledger_seq = outcome->ledger_seq;
      if (outcome->currency.is_set()) {
        observed.account = account;
        observed.balance = outcome->balance.value;
        observed.available = outcome->available.value;
      }
    }
    seen.history.push_back(observed);
    return id;
  }
  void look(const std::string& account) {
    Observed observed = call();
    observed.ledger_seq = bank_.books().last_seq();
    observed.account = account;
    observed.balance = bank_.balance(account);
    observed.available = bank_.available(account);
    seen.history.push_back(observed);
  }

  async::SeededRandom random_;
  ledger::Bank bank_;
  async::Instant now_{async::Duration(1'000'000)};
  std::vector<ledger::OperationId> holds_;
};

TEST(SerializabilityTest, WhatACorrectBankShowsHasAnOrder) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const Witnessed seen = Clients(seed).seen;
    EXPECT_EQ(find_disorder(seen.history, seen.records), std::nullopt) << "seed " << seed;
  }
}

using Break = std::function<bool(Witnessed&)>;

Observed* last_read(Witnessed& seen) {
  const auto found = std::find_if(seen.history.rbegin(), seen.history.rend(),
                                  [](const Observed& call) { return call.is_read(); });
  return found == seen.history.rend() ? nullptr : &*found;
}
Observed* last_yes(Witnessed& seen) {
  const auto found =
      std::find_if(seen.history.rbegin(), seen.history.rend(), [](const Observed& call) {
        return !call.is_read() && call.is_yes && call.balance.has_value();
      });
  return found == seen.history.rend() ? nullptr : &*found;
}

struct Broken {
  const char* name;
  Break plant;  // False: this history has nothing to break so.
};
std::ostream& operator<<(std::ostream& out, const Broken& broken) { return out << broken.name; }

const Broken broken_banks[] = {
    {"AReadIsStale",
     [](Witnessed& seen) {
       // What an earlier read of the same account rightly showed, shown again later.
       Observed* const late = last_read(seen);
       for (const Observed& early : seen.history) {
         if (late == nullptr || !early.is_read() || early.account != late->account) continue;
         const bool is_past = std::ranges::any_of(seen.history, [&](const Observed& call) {
           return call.answered < late->asked && call.ledger_seq > early.ledger_seq;
         });
         if (!is_past) continue;
         late->ledger_seq = early.ledger_seq;
         late->balance = early.balance;
         late->available = early.available;
         return true;
       }
       return false;
     }},
    {"AReadShowsWhatNeverWas",
     [](Witnessed& seen) {
       Observed* const read = last_read(seen);
       if (read != nullptr) ++*read->balance;
       return read != nullptr;
     }},
    {"AReadForgetsAHold",
     [](Witnessed& seen) {
       Observed* const read = last_read(seen);
       if (read == nullptr || *read->balance == *read->available) return false;
       read->available = read->balance;
       return true;
     }},
    {"AnAcknowledgedChangeIsLost",
     [](Witnessed& seen) {
       seen.records.pop_back();
       return seen.history.back().ledger_seq > seen.records.size();
     }},
    {"AnEarlierAnswerComesLater",
     [](Witnessed& seen) {
       Observed* const change = last_yes(seen);
       if (change == nullptr || change->ledger_seq < 5) return false;
       // As if it had begun and ended before the first.
       change->asked = async::Instant(async::Duration(1));
       change->answered = async::Instant(async::Duration(2));
       return true;
     }},
    {"ADoneChangeIsToldAsRefused",
     [](Witnessed& seen) {
       Observed* const change = last_yes(seen);
       if (change == nullptr) return false;
       change->is_yes = false;
       change->ledger_seq = 0;
       return true;
     }},
    {"AReceiptTellsAnotherBalance",
     [](Witnessed& seen) {
       Observed* const change = last_yes(seen);
       if (change != nullptr) ++*change->balance;
       return change != nullptr;
     }},
    {"AnIdHasTwoEffects",
     [](Witnessed& seen) {
       for (const ledger::Record& record : seen.records) {
         if (!std::holds_alternative<ledger::Post>(record.operation.change)) continue;
         ledger::Record again = record;
         again.ledger_seq = seen.records.size() + 1;
         seen.records.push_back(again);
         return true;
       }
       return false;
     }},
    {"WhatIsNotThereIsSpent",
     [](Witnessed& seen) {
       for (ledger::Record& record : seen.records) {
         if (record.outcome ||
             record.outcome.error().code != ledger::RefusalCode::insufficient_funds) {
           continue;
         }
         record.outcome = ledger::Receipt{.ledger_seq = record.ledger_seq};
         return true;
       }
       return false;
     }},
    {"ATransferIsOneCentOff",
     [](Witnessed& seen) {
       for (ledger::Record& record : seen.records) {
         auto* const post = std::get_if<ledger::Post>(&record.operation.change);
         if (post == nullptr || !record.outcome) continue;
         post->amount += Cents{1};
         return true;
       }
       return false;
     }},
};

class BrokenBankTest : public testing::TestWithParam<Broken> {};

TEST_P(BrokenBankTest, IsFoundInEveryHistoryThatShowsIt) {
  int planted = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Witnessed seen = Clients(seed).seen;
    if (!GetParam().plant(seen)) continue;
    ++planted;
    EXPECT_NE(find_disorder(seen.history, seen.records), std::nullopt) << "seed " << seed;
  }
  EXPECT_GT(planted, 10);
}

INSTANTIATE_TEST_SUITE_P(Planted, BrokenBankTest, testing::ValuesIn(broken_banks),
                         [](const auto& broken) { return std::string(broken.param.name); });

}  // namespace
}  // namespace sim
