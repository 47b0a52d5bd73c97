#include "ledger/shared_list.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ledger/index.h"

namespace ledger {
namespace {

using testing::ElementsAre;

SharedList<std::string> list_of(std::size_t size) {
  SharedList<std::string> list;
  for (std::size_t place = 0; place < size; ++place) list.push_back(std::to_string(place));
  return list;
}

TEST(SharedListTest, HasWhatWasAppendedInItsOrder) {
  EXPECT_THAT(list_of(3), ElementsAre("0", "1", "2"));
  const SharedList<std::string> many = list_of(1000);
  EXPECT_EQ(many.size(), 1000U);
  EXPECT_EQ(many[63], "63");
  EXPECT_EQ(many[64], "64");
  EXPECT_EQ(*(many.begin() + 999), "999");
  EXPECT_EQ(many.end() - many.begin(), 1000);
}

TEST(SharedListTest, ACopySharesWhatNeitherHasChanged) {
  SharedList<std::string> list = list_of(200);
  SharedList<std::string> copy = list;
  EXPECT_EQ(&copy[0], &list[0]);
  copy.at(0) = "changed";
  EXPECT_NE(&copy[1], &list[1]) << "it is in the block that was changed";
  EXPECT_EQ(&copy[199], &list[199]);
}

// A random walk over two lists that were copied from one another now and then, each beside a vector.
RC_GTEST_PROP(SharedListTest, AChangeIsSeenByNobodyElse,
              (const std::vector<std::pair<std::uint8_t, std::uint8_t>>& steps)) {
  SharedList<int> lists[2];
  std::vector<int> models[2];
  for (std::size_t place = 0; place < 130; ++place) {
    lists[0].push_back(0);
    models[0].push_back(0);
  }
  int value = 0;
  for (const auto& [kind, place] : steps) {
    const std::size_t which = kind & 1U;
    switch (kind % 3) {
      case 0:
        lists[1 - which] = lists[which];
        models[1 - which] = models[which];
        break;
      case 1:
        lists[which].push_back(++value);
        models[which].push_back(value);
        break;
      default:
        if (place >= models[which].size()) break;
        lists[which].at(place) = ++value;
        models[which][place] = value;
    }
    for (const std::size_t each : {0U, 1U}) {
      RC_ASSERT(std::vector<int>(lists[each].begin(), lists[each].end()) == models[each]);
    }
  }
}

TEST(NumberIndexTest, ACopyAndItsOriginalGoOnByThemselves) {
  NumberIndex index;
  index.reserve(10);
  index.insert(3, 1);
  NumberIndex copy = index;
  copy.insert(5, 2);
  index.erase(3, 1);
  const auto any = [](std::uint32_t) { return true; };
  EXPECT_EQ(index.find(3, any), std::nullopt);
  EXPECT_EQ(index.find(5, any), std::nullopt);
  EXPECT_EQ(copy.find(3, any), 1U);
  EXPECT_EQ(copy.find(5, any), 2U);
}

}  // namespace
}  // namespace ledger
