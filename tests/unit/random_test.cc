// The system's random numbers, which are taken in pieces: none comes twice, whatever is drawn.

#include "async/random.h"

#include <array>
#include <cstddef>
#include <set>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace async {
namespace {

TEST(SystemRandomTest, NoIdComesTwice) {
  SystemRandom random;
  std::set<std::array<std::byte, 10>> drawn;
  constexpr std::size_t draws = 10'000;
  for (std::size_t draw = 0; draw < draws; ++draw) {
    std::array<std::byte, 10> id{};
    random.fill(id);
    drawn.insert(id);
  }
  EXPECT_EQ(drawn.size(), draws);
}

TEST(SystemRandomTest, EveryByteThatIsAskedForIsRandom) {
  SystemRandom random;
  for (const std::size_t size : {1U, 7U, 500U, 512U, 513U, 5000U}) {
    // A byte that is never filled would stay zero each time.
    std::vector<std::byte> seen(size);
    for (int time = 0; time < 20; ++time) {
      std::vector<std::byte> bytes(size);
      random.fill(bytes);
      for (std::size_t place = 0; place < size; ++place) seen[place] |= bytes[place];
    }
    for (const std::byte each : seen) EXPECT_NE(each, std::byte{0}) << "of " << size;
  }
}

TEST(SystemRandomTest, TwoOfThemDrawOtherNumbers) {
  SystemRandom first;
  SystemRandom second;
  EXPECT_NE(first.next(), second.next());
}

}  // namespace
}  // namespace async
