#include "atm/mix.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace atm {
namespace {

Cassette cassette(std::uint32_t position, std::int64_t denomination, std::int64_t count) {
  return {.position = position, .denomination = Cents{denomination * 100}, .count = count};
}

Picks plan(const std::vector<Cassette>& cassettes, std::int64_t amount) {
  const std::expected<Picks, NearestAmounts> picks = plan_mix(cassettes, Cents{amount * 100});
  EXPECT_TRUE(picks.has_value());
  return picks.value_or(Picks());
}

std::vector<std::int64_t> nearest(const std::vector<Cassette>& cassettes, std::int64_t amount) {
  const std::expected<Picks, NearestAmounts> picks = plan_mix(cassettes, Cents{amount * 100});
  EXPECT_FALSE(picks.has_value());
  std::vector<std::int64_t> amounts;
  for (const Cents each : picks.error()) amounts.push_back(each.value / 100);
  return amounts;
}

using Amounts = std::vector<std::int64_t>;

TEST(MixTest, TheFewestNotesAreTaken) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 100), cassette(2, 50, 100)};
  EXPECT_EQ(notes_of(plan(cassettes, 120)), (Notes{{Cents{5000}, 2}, {Cents{2000}, 1}}));
}

TEST(MixTest, GreedIsNotEnough) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 100), cassette(2, 50, 100)};
  EXPECT_EQ(notes_of(plan(cassettes, 60)), (Notes{{Cents{2000}, 3}}));
  EXPECT_EQ(notes_of(plan(cassettes, 110)), (Notes{{Cents{5000}, 1}, {Cents{2000}, 3}}));
}

TEST(MixTest, CassettesOfOneDenominationAreEmptiedEvenly) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 10), cassette(2, 20, 13)};
  const Picks picks = plan(cassettes, 100);
  EXPECT_EQ(encoded(picks), "1:2000*1 2:2000*4");
}

TEST(MixTest, BetweenEquallyManyNotesTheFullerCassettesAreTaken) {
  // 50 is 20 + 30 or 10 + 40.
  const std::vector<Cassette> low = {cassette(1, 10, 50), cassette(2, 20, 3), cassette(3, 30, 3),
                                     cassette(4, 40, 50)};
  EXPECT_EQ(encoded(plan(low, 50)), "1:1000*1 4:4000*1");
  const std::vector<Cassette> high = {cassette(1, 10, 3), cassette(2, 20, 50), cassette(3, 30, 50),
                                      cassette(4, 40, 3)};
  EXPECT_EQ(encoded(plan(high, 50)), "2:2000*1 3:3000*1");
}

TEST(MixTest, AnAmountBetweenIsAnsweredWithItsNeighbours) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 100), cassette(2, 50, 100)};
  EXPECT_EQ(nearest(cassettes, 30), (Amounts{20, 40}));
  EXPECT_EQ(nearest(cassettes, 10), (Amounts{20}));
}

TEST(MixTest, AnAmountThatIsNoMultipleOfAnyNoteIsAnsweredWithItsNeighbours) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 100)};
  const std::expected<Picks, NearestAmounts> picks = plan_mix(cassettes, Cents{4001});
  EXPECT_EQ(picks.error(), (NearestAmounts{Cents{4000}, Cents{6000}}));
}

TEST(MixTest, MoreThanThereIsIsAnsweredWithAllThereIs) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 3), cassette(2, 50, 1)};
  EXPECT_EQ(nearest(cassettes, 120), (Amounts{110}));
}

TEST(MixTest, ALargestAmountIsRefusedQuickly) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 10'000), cassette(2, 50, 10'000)};
  const std::expected<Picks, NearestAmounts> picks =
      plan_mix(cassettes, Cents{std::numeric_limits<std::int64_t>::max()});
  EXPECT_EQ(picks.error(), (NearestAmounts{Cents{5'000'00}}));
}

TEST(MixTest, NoMoreNotesAreTakenThanOneDispenseMoves) {
  const std::vector<Cassette> cassettes = {cassette(1, 20, 1000)};
  EXPECT_EQ(notes_of(plan(cassettes, 2000)).count(), 100);
  EXPECT_EQ(nearest(cassettes, 2020), (Amounts{2000}));
}

TEST(MixTest, EmptyCassettesMakeNothing) {
  EXPECT_EQ(nearest({cassette(1, 20, 0)}, 20), Amounts());
  EXPECT_EQ(nearest({}, 20), Amounts());
}

// What a plan should be, by trying everything.
struct Best {
  std::int64_t notes = std::numeric_limits<std::int64_t>::max();
  std::int64_t unevenness = std::numeric_limits<std::int64_t>::max();
  friend auto operator<=>(const Best&, const Best&) = default;
};

Best judge(const std::vector<Cassette>& cassettes, const std::vector<std::int64_t>& counts) {
  Best best{.notes = 0, .unevenness = 0};
  for (std::size_t i = 0; i < cassettes.size(); ++i) {
    best.notes += counts[i];
    best.unevenness += (cassettes[i].count - counts[i]) * (cassettes[i].count - counts[i]);
  }
  return best;
}

void try_all(const std::vector<Cassette>& cassettes, std::int64_t left,
             std::vector<std::int64_t>& counts, Best& best) {
  const std::size_t i = counts.size();
  if (i == cassettes.size()) {
    if (left == 0) best = std::min(best, judge(cassettes, counts));
    return;
  }
  for (std::int64_t count = 0; count <= cassettes[i].count; ++count) {
    counts.push_back(count);
    try_all(cassettes, left - count * cassettes[i].denomination.value, counts, best);
    counts.pop_back();
  }
}

TEST(MixTest, APlanIsExactAndTheBestOfAll) {
  rc::check([] {
    std::vector<Cassette> cassettes;
    const int size = *rc::gen::inRange(1, 5);
    for (int i = 0; i < size; ++i) {
      cassettes.push_back({.position = static_cast<std::uint32_t>(i) + 1,
                           .denomination = Cents{*rc::gen::inRange<std::int64_t>(1, 8) * 5},
                           .count = *rc::gen::inRange<std::int64_t>(0, 6)});
    }
    const Cents amount{*rc::gen::inRange<std::int64_t>(1, 120)};
    Best expected;
    std::vector<std::int64_t> counts;
    try_all(cassettes, amount.value, counts, expected);

    const std::expected<Picks, NearestAmounts> picks = plan_mix(cassettes, amount);
    RC_ASSERT(picks.has_value() == (expected != Best()));
    if (!picks) return;
    RC_ASSERT(notes_of(*picks).amount() == amount);
    std::vector<std::int64_t> taken(cassettes.size());
    for (const Pick& pick : *picks) taken[pick.position - 1] = pick.count;
    RC_ASSERT(judge(cassettes, taken) == expected);
  });
}

// Each as its own plan would be. The table that tells it is one for all of them: its time does not grow
// with their number.
TEST(MixTest, WhichOfManyAmountsCanBeMadeIsToldAsByTheirPlans) {
  rc::check([] {
    std::vector<Cassette> cassettes;
    const int size = *rc::gen::inRange(0, 5);
    for (int i = 0; i < size; ++i) {
      cassettes.push_back({.position = static_cast<std::uint32_t>(i) + 1,
                           .denomination = Cents{*rc::gen::inRange<std::int64_t>(1, 8) * 5},
                           .count = *rc::gen::inRange<std::int64_t>(0, 6)});
    }
    std::vector<Cents> amounts;
    std::vector<Cents> expected;
    for (std::int64_t amount = 1; amount <= 240; ++amount) amounts.push_back(Cents{amount});
    for (const Cents amount : amounts) {
      if (plan_mix(cassettes, amount)) expected.push_back(amount);
    }
    RC_ASSERT(makeable(cassettes, amounts) == expected);
  });
}

TEST(MixTest, AnAmountOfMoreNotesThanOneDispenseMovesCannotBeMade) {
  const std::vector<Cassette> cassettes = {cassette(1, 1, 1000), cassette(2, 200, 1)};
  const std::vector<Cents> amounts = {Cents{100'00}, Cents{101'00}, Cents{299'00}, Cents{300'00}};
  EXPECT_EQ(makeable(cassettes, amounts), (std::vector<Cents>{Cents{100'00}, Cents{299'00}}));
  EXPECT_EQ(makeable(cassettes, {}), std::vector<Cents>());
}

}  // namespace
}  // namespace atm
