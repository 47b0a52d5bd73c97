#include "async/generator.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace async {
namespace {

Generator<int> count_to(int last) {
  for (int i = 1; i <= last; ++i) co_yield i;
}

Generator<int, int> running_sum() {
  int sum = 0;
  while (true) sum += co_yield sum;
}

Generator<std::string> fail_after(std::string word) {
  co_yield word;
  throw std::runtime_error("no more words");
}

Generator<int> hold(std::shared_ptr<int> thing) {
  co_yield *thing;
  co_yield *thing;
}

TEST(GeneratorTest, GivesOneValueATime) {
  Generator<int> numbers = count_to(2);
  EXPECT_EQ(numbers.next(), 1);
  EXPECT_EQ(numbers.next(), 2);
  EXPECT_EQ(numbers.next(), std::nullopt);
  EXPECT_EQ(numbers.next(), std::nullopt);
}

TEST(GeneratorTest, CanBeLoopedOver) {
  std::vector<int> taken;
  for (const int number : count_to(3)) taken.push_back(number);
  EXPECT_EQ(taken, (std::vector<int>{1, 2, 3}));
}

TEST(GeneratorTest, RunsNothingBeforeAValueIsTaken) {
  auto alive = std::make_shared<int>(7);
  {
    Generator<int> never = hold(alive);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(GeneratorTest, TakesWhatIsSentToIt) {
  Generator<int, int> sum = running_sum();
  EXPECT_EQ(sum.next(), 0);
  EXPECT_EQ(sum.send(3), 3);
  EXPECT_EQ(sum.send(4), 7);
}

TEST(GeneratorTest, ThrowsItsErrorWhereTheValueIsTaken) {
  Generator<std::string> words = fail_after("one");
  EXPECT_EQ(words.next(), "one");
  EXPECT_THROW(words.next(), std::runtime_error);
  EXPECT_EQ(words.next(), std::nullopt);
}

Generator<std::string> repeat(std::string word) {
  co_yield word;
  co_yield word;
  const std::string constant = word;
  co_yield constant;
  co_yield std::move(word);
  co_yield "more";
}

TEST(GeneratorTest, LeavesWhatItYieldsToTheGenerator) {
  Generator<std::string> words = repeat("a word that is too long to be held in place");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(words.next(), "a word that is too long to be held in place");
  }
  EXPECT_EQ(words.next(), "more");
}

Generator<std::string, int> repeat_when_asked(std::string word) {
  while (true) co_yield word;
}

TEST(GeneratorTest, LeavesWhatItYieldsInAConversation) {
  Generator<std::string, int> words =
      repeat_when_asked("a word that is too long to be held in place");
  EXPECT_EQ(words.next(), "a word that is too long to be held in place");
  EXPECT_EQ(words.send(1), "a word that is too long to be held in place");
}

Generator<std::unique_ptr<int>> make_things() { co_yield std::make_unique<int>(7); }

TEST(GeneratorTest, YieldsWhatCanOnlyBeMoved) {
  Generator<std::unique_ptr<int>> things = make_things();
  EXPECT_EQ(**things.next(), 7);
}

TEST(GeneratorTest, DestroysItsLocalsWhereverItStands) {
  auto alive = std::make_shared<int>(7);
  {
    Generator<int> values = hold(alive);
    EXPECT_EQ(values.next(), 7);
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(GeneratorDeathTest, ConversationsBeginByListening) {
  Generator<int, int> sum = running_sum();
  EXPECT_EQ(sum.next(), 0);
  EXPECT_DEATH((void)sum.next(), "values are sent");
}

}  // namespace
}  // namespace async
