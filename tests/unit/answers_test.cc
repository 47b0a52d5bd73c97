#include "ledger/answers.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ledger_fixture.h"

namespace ledger {
namespace {

// Another one for each number, without an order.
OperationId id_of_number(std::uint64_t number) {
  std::mt19937_64 bits(number);
  std::array<std::uint8_t, 10> random{};
  for (std::uint8_t& byte : random) byte = static_cast<std::uint8_t>(bits());
  return OperationId::make(Instant(std::chrono::hours(24)), random);
}

class AnswersTest : public testing::Test {
 protected:
  // To the batch that is not in the journal yet.
  void add(const OperationId& id) {
    Record record;
    record.ledger_seq = ++last_seq;
    record.at = Instant(std::chrono::hours(24));
    record.operation.id = id;
    record.operation.change = OpenAccount{.account = "a", .currency = Currency::of("EUR")};
    record.outcome = Receipt{.ledger_seq = last_seq};
    const std::size_t position = batch->size();
    encode(record, *batch);
    answers.add(record, position, batch);
  }
  std::uint64_t found(const OperationId& id) {
    NoHistory nothing;
    const std::optional<Record> record = answers.find(id, nothing);
    return record.has_value() ? record->ledger_seq : 0;
  }

  std::shared_ptr<std::string> batch = std::make_shared<std::string>();
  std::uint64_t last_seq = 0;
  Answers answers;
};

TEST_F(AnswersTest, TwoIdsThatShareATagAreToldApart) {
  std::map<std::uint32_t, std::uint64_t> numbers;
  std::uint64_t number = 0;
  std::uint64_t before = 0;
  while (before == 0) {
    ++number;
    const auto [place, is_new] = numbers.emplace(index_tag(id_of_number(number)), number);
    if (!is_new) before = place->second;
  }
  add(id_of_number(before));
  EXPECT_EQ(found(id_of_number(number)), 0U);
  add(id_of_number(number));
  EXPECT_EQ(found(id_of_number(before)), 1U);
  EXPECT_EQ(found(id_of_number(number)), 2U);
}

TEST_F(AnswersTest, ManyAreFoundUntilTheyAreForgotten) {
  constexpr std::uint64_t count = 20'000;
  for (std::uint64_t number = 1; number <= count; ++number) add(id_of_number(number));
  answers.forget(count / 2, Instant(std::chrono::hours(25)));
  EXPECT_EQ(answers.size(), count / 2);
  for (std::uint64_t number = 1; number <= count; ++number) {
    ASSERT_EQ(found(id_of_number(number)), number <= count / 2 ? 0 : number);
  }
  EXPECT_EQ(found(id_of_number(count + 1)), 0U);
}

// Whoever knows the hash can make ids that differ only where it looks last.
TEST_F(AnswersTest, IdsThatACallerHasChosenDoNotShareAPlace) {
  constexpr std::uint32_t count = 4096;
  std::set<std::uint32_t> places;
  for (std::uint32_t number = 0; number < count; ++number) {
    OperationId id = id_of_number(1);
    id.bytes[15] = static_cast<std::uint8_t>(number >> 4U);  // The highest bits, as it is read.
    id.bytes[14] = static_cast<std::uint8_t>(number << 4U);
    places.insert(index_tag(id) % (2 * count));
  }
  EXPECT_GT(places.size(), count / 4);
}

TEST_F(AnswersTest, IdsOfTheFutureAreKeptUpToALimitAndLookedUpBeyondIt) {
  constexpr std::array<std::uint8_t, 10> any{1};
  const auto id_ahead = [&](std::uint64_t number) {
    return OperationId::make(Instant(std::chrono::hours(48)) + std::chrono::milliseconds(number),
                             any);
  };
  constexpr std::uint64_t count = Answers::ahead_max + 1'000;
  for (std::uint64_t number = 1; number <= count; ++number) add(id_ahead(number));
  answers.forget(count, Instant(std::chrono::hours(25)));
  EXPECT_EQ(answers.size(), Answers::ahead_max);
  EXPECT_TRUE(answers.is_complete_for(id_ahead(0)));
  EXPECT_TRUE(answers.is_complete_for(id_ahead(Answers::ahead_max)));
  EXPECT_FALSE(answers.is_complete_for(id_ahead(Answers::ahead_max + 1)));
  EXPECT_FALSE(answers.is_complete_for(id_ahead(count)));
  EXPECT_EQ(found(id_ahead(1)), 1U);
}

TEST_F(AnswersTest, IdsThatAreNewerThanAllThatAreForgottenNeedNoLookUp) {
  constexpr std::array<std::uint8_t, 10> any{1};
  const auto id_at = [&](int hours) {
    return OperationId::make(Instant(std::chrono::hours(hours)), any);
  };
  answers.be_incomplete(Instant(std::chrono::hours(3)), Instant(std::chrono::hours(5)));
  EXPECT_TRUE(answers.is_complete_for(id_at(2)));
  EXPECT_FALSE(answers.is_complete_for(id_at(3)));
  EXPECT_FALSE(answers.is_complete_for(id_at(5)));
  EXPECT_TRUE(answers.is_complete_for(id_at(6)));
}

TEST(Refusals, AreSaidInWordsAndNotInNamesOfTheCode) {
  for (int number = 0; number <= UINT8_MAX; ++number) {
    const auto code = static_cast<RefusalCode>(number);
    const std::string words = reason(code);
    EXPECT_EQ(words.find('_'), std::string::npos) << words;
    EXPECT_TRUE(words.front() >= 'a' && words.front() <= 'z') << words;
    EXPECT_NE(words.find(' '), std::string::npos) << words;
    EXPECT_NE(words.back(), '.') << words;
  }
}

}  // namespace
}  // namespace ledger
