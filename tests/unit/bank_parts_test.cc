// What bankd is put together from: PINs, tokens, page tokens, the turnstile.
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <sodium.h>

#include "async/future.h"
#include "async/manual_loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "bank/pages.h"
#include "bank/pin.h"
#include "bank/pin_hasher.h"
#include "bank/tokens.h"
#include "bank/turnstile.h"
#include "rpc/status.h"

namespace bank {
namespace {

using namespace std::chrono_literals;

constexpr PinCost cheap{.passes = 1, .memory_bytes = 8192};

Pin pin_of(std::string digits) {
  std::expected<Pin, ledger::ShapeFault> pin = Pin::take(digits);
  EXPECT_TRUE(pin.has_value()) << digits;
  return std::move(*pin);
}

TEST(Pin, HasFourToTwelveDigitsAndNothingElse) {
  for (const char* text : {"1234", "0000", "123456789012"}) {
    std::string typed = text;
    EXPECT_TRUE(Pin::take(typed)) << text;
  }
  for (const char* text : {"", "123", "1234567890123", "12a4", "12 4", "-123", "12.4"}) {
    std::string typed = text;
    EXPECT_FALSE(Pin::take(typed)) << text;
  }
}

TEST(Pin, IsWipedFromWhereItWasTakenAndMovedFrom) {
  std::string typed = "4711";
  const char* const memory = typed.data();
  Pin pin = *Pin::take(typed);
  EXPECT_TRUE(typed.empty());
  EXPECT_EQ(std::string(memory, 4), std::string(4, '\0'));

  const Pin moved = std::move(pin);
  EXPECT_EQ(moved.digits(), "4711");
  EXPECT_EQ(pin.digits(), "");  // NOLINT(bugprone-use-after-move): what is left is the point.
}

TEST(Pin, IsWipedAlsoWhenItIsNone) {
  std::string typed = "471";
  const char* const memory = typed.data();
  EXPECT_FALSE(Pin::take(typed));
  EXPECT_EQ(std::string(memory, 3), std::string(3, '\0'));
}

TEST(Pin, IsEasilyGuessedWhenItIsOneDigitOrARun) {
  for (const char* text : {"0000", "777777", "1234", "9876", "7890", "0987", "3210", "012345"}) {
    EXPECT_TRUE(pin_of(text).is_easily_guessed()) << text;
  }
  for (const char* text : {"0001", "1235", "1243", "1357", "4711", "8520", "123412"}) {
    EXPECT_FALSE(pin_of(text).is_easily_guessed()) << text;
  }
}

class PinHasherTest : public testing::Test {
 protected:
  std::string hash(std::string digits) { return loop.run(hasher.hash(pin_of(std::move(digits)))); }
  bool matches(std::string of, std::string digits) {
    return loop.run(hasher.matches(std::move(of), pin_of(std::move(digits))));
  }

  async::ManualLoop loop;
  PinHasher hasher{loop, cheap};
};

TEST_F(PinHasherTest, KnowsThePinThatMadeAHash) {
  const std::string stored = hash("4711");
  EXPECT_TRUE(stored.starts_with("$argon2id$"));
  EXPECT_EQ(stored.find("4711"), std::string::npos);
  EXPECT_TRUE(matches(stored, "4711"));
  EXPECT_FALSE(matches(stored, "4712"));
  EXPECT_FALSE(matches(stored, "47110"));
  EXPECT_NE(hash("4711"), stored) << "Each has its own salt.";
}

TEST_F(PinHasherTest, NoPinIsNobodys) {
  EXPECT_TRUE(hasher.of_nobody().starts_with("$argon2id$"));
  EXPECT_FALSE(matches(hasher.of_nobody(), "0000"));
}

// A text that argon2 cannot read would be refused at once, and so tell which cards exist.
TEST_F(PinHasherTest, NobodysHashIsOneThatTakesItsTime) {
  const std::string& hash = hasher.of_nobody();
  EXPECT_EQ(crypto_pwhash_str_needs_rehash(hash.c_str(), cheap.passes, cheap.memory_bytes), 0);
}

TEST_F(PinHasherTest, WhatIsStoredCostsWhatIsRecommended) {
  PinHasher real(loop, PinCost());
  EXPECT_TRUE(real.of_nobody().starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << real.of_nobody();
}

async::Task<> count_hash(PinHasher* hasher, int* done, int* refused) {
  Pin pin = pin_of("4711");
  try {
    const std::string hash = co_await hasher->hash(std::move(pin));
    ++*done;
  } catch (const rpc::Error& error) {
    EXPECT_EQ(error.status().code, rpc::StatusCode::resource_exhausted);
    ++*refused;
  }
}

TEST_F(PinHasherTest, TooManyAtOnceAreRefusedAndTheOthersAreServed) {
  int done = 0;
  int refused = 0;
  async::TaskScope scope(loop);
  const std::size_t room = pin_hashes_at_once_max + pin_hashes_waiting_max;
  for (std::size_t i = 0; i < room + 3; ++i) scope.spawn(count_hash(&hasher, &done, &refused));
  EXPECT_EQ(refused, 3);
  loop.settle();
  EXPECT_EQ(done, static_cast<int>(room));
}

class TurnstileTest : public testing::Test {
 protected:
  async::Task<> visit(int number, async::Event* may_leave) {
    const Turnstile::Pass inside = co_await turnstile.enter();
    entered.push_back(number);
    co_await *may_leave;
    left.push_back(number);
  }

  async::ManualLoop loop;
  Turnstile turnstile{loop, 1};
  std::vector<int> entered;
  std::vector<int> left;
  async::Event leave_one{loop};
  async::Event leave_two{loop};
  async::Event leave_three{loop};
};

TEST_F(TurnstileTest, LetsThemInOneByOneInTheirOrder) {
  async::TaskScope scope(loop);
  scope.spawn(visit(1, &leave_one));
  scope.spawn(visit(2, &leave_two));
  scope.spawn(visit(3, &leave_three));
  loop.settle();
  EXPECT_EQ(entered, std::vector({1}));
  EXPECT_EQ(turnstile.waiting(), 2U);

  leave_one.set();
  loop.settle();
  EXPECT_EQ(entered, std::vector({1, 2}));
  leave_two.set();
  leave_three.set();
  loop.settle();
  EXPECT_EQ(left, std::vector({1, 2, 3}));
  EXPECT_TRUE(turnstile.is_idle());
}

TEST_F(TurnstileTest, WhoIsCancelledInTheQueueHoldsUpNobody) {
  async::TaskScope scope(loop);
  scope.spawn(visit(1, &leave_one));
  {
    async::TaskScope cancelled(loop);
    cancelled.spawn(visit(2, &leave_two));
    loop.settle();
  }
  EXPECT_EQ(turnstile.waiting(), 0U);
  scope.spawn(visit(3, &leave_three));
  leave_one.set();
  leave_three.set();
  loop.settle();
  EXPECT_EQ(left, std::vector({1, 3}));
  EXPECT_TRUE(turnstile.is_idle());
}

TEST_F(TurnstileTest, APlaceWhoseNewOwnerIsCancelledOnTheWayInGoesOn) {
  auto first = std::make_unique<async::TaskScope>(loop);
  first->spawn(visit(1, &leave_one));
  auto cancelled = std::make_unique<async::TaskScope>(loop);
  cancelled->spawn(visit(2, &leave_two));
  async::TaskScope scope(loop);
  scope.spawn(visit(3, &leave_three));
  loop.settle();

  first.reset();      // Leaves: the second is let in, and has not gone on yet ...
  cancelled.reset();  // ... when it is cancelled.
  leave_three.set();
  loop.settle();
  EXPECT_EQ(left, std::vector({3}));
  EXPECT_TRUE(turnstile.is_idle());
}

class TokensTest : public testing::Test {
 protected:
  async::ManualLoop loop;
  async::SeededRandom random{1};
  Tokens tokens{loop, random};
};

TEST_F(TokensTest, AreForOneCardAtOneTerminal) {
  const std::string token = tokens.issue("card-1", "atm-1");
  EXPECT_EQ(token.size(), token_size);
  EXPECT_TRUE(tokens.proves(token, "card-1", "atm-1"));
  EXPECT_FALSE(tokens.proves(token, "card-1", "atm-2"));
  EXPECT_FALSE(tokens.proves(token, "card-2", "atm-1"));
  EXPECT_FALSE(tokens.proves("", "card-1", "atm-1"));
  EXPECT_FALSE(tokens.proves(token.substr(1), "card-1", "atm-1"));
  EXPECT_FALSE(tokens.proves(std::string(token_size, '\0'), "card-1", "atm-1"));
}

TEST_F(TokensTest, LastAQuarterOfAnHour) {
  const std::string token = tokens.issue("card-1", "atm-1");
  loop.advance(token_life - 1ms);
  EXPECT_TRUE(tokens.proves(token, "card-1", "atm-1"));
  loop.advance(1ms);
  EXPECT_FALSE(tokens.proves(token, "card-1", "atm-1"));
  tokens.issue("card-2", "atm-1");
  EXPECT_EQ(tokens.size(), 1U) << "What has expired is not kept.";
}

TEST_F(TokensTest, ANewOneTakesTheOldOnesPlace) {
  const std::string first = tokens.issue("card-1", "atm-1");
  loop.advance(10min);
  const std::string second = tokens.issue("card-1", "atm-1");
  EXPECT_FALSE(tokens.proves(first, "card-1", "atm-1"));
  loop.advance(10min);
  tokens.issue("card-2", "atm-1");
  EXPECT_TRUE(tokens.proves(second, "card-1", "atm-1")) << "It lives by its own time.";
}

TEST_F(TokensTest, OfABlockedCardAreForgottenAtEveryTerminal) {
  const std::string here = tokens.issue("card-1", "atm-1");
  const std::string there = tokens.issue("card-1", "atm-2");
  const std::string others = tokens.issue("card-10", "atm-1");
  tokens.forget("card-1");
  EXPECT_FALSE(tokens.proves(here, "card-1", "atm-1"));
  EXPECT_FALSE(tokens.proves(there, "card-1", "atm-2"));
  EXPECT_TRUE(tokens.proves(others, "card-10", "atm-1"));
}

TEST_F(TokensTest, OfACardAtManyTerminalsEndOneByOne) {
  std::vector<std::string> issued;
  const auto name = [](std::size_t at) { return "atm-" + std::to_string(at); };
  for (std::size_t at = 0; at < 4; ++at) {
    issued.push_back(tokens.issue("card-1", name(at)));
    loop.advance(1min);
  }
  issued[1] = tokens.issue("card-1", name(1));  // The second lives longest now.
  const std::vector<std::size_t> order = {0, 2, 3, 1};
  loop.advance(token_life - 4min);
  for (std::size_t ended = 1; ended <= order.size(); ++ended) {
    tokens.issue("card-2", "atm-1");  // What has expired goes now.
    for (std::size_t place = 0; place < order.size(); ++place) {
      const std::size_t at = order[place];
      EXPECT_EQ(tokens.proves(issued[at], "card-1", name(at)), place >= ended)
          << at << " of " << ended;
    }
    EXPECT_EQ(tokens.size(), order.size() - ended + 1);
    loop.advance(ended == 1 ? 2min : 1min);
  }
}

TEST_F(TokensTest, AreNotMixedUpWhenTheirPlacesAreUsedAgain) {
  const std::string first = tokens.issue("card-1", "atm-1");
  loop.advance(1min);
  tokens.forget("card-1");
  const std::string second = tokens.issue("card-2", "atm-1");
  EXPECT_FALSE(tokens.proves(first, "card-1", "atm-1"));
  EXPECT_FALSE(tokens.proves(first, "card-2", "atm-1"));
  loop.advance(token_life - 1min);
  tokens.issue("card-3", "atm-1");  // The first one's time is over, not that of who has its place.
  EXPECT_TRUE(tokens.proves(second, "card-2", "atm-1"));
}

TEST_F(TokensTest, AreBounded) {
  const std::string oldest = tokens.issue("card", "atm-1");
  for (std::size_t i = 0; i < tokens_max; ++i) tokens.issue(std::to_string(i), "atm-1");
  EXPECT_EQ(tokens.size(), tokens_max);
  EXPECT_FALSE(tokens.proves(oldest, "card", "atm-1"));
}

PageTokens tokens_of(std::string_view instance) {
  std::array<std::uint8_t, PageTokens::key_size> key{};
  std::ranges::copy(instance, key.begin());
  return PageTokens(key);
}

TEST(PageTokens, AreBelievedForTheirListOnly) {
  const PageTokens pages = tokens_of("0123456789abcdef");
  const std::string token = pages.make("statement jane", 17);
  EXPECT_EQ(pages.read("statement jane", token), 17U);
  EXPECT_EQ(pages.read("statement john", token), std::nullopt);
  EXPECT_EQ(pages.read("accounts", token), std::nullopt);
  EXPECT_EQ(tokens_of("0123456789abcdef").read("statement jane", token), 17U);
  EXPECT_EQ(tokens_of("fedcba9876543210").read("statement jane", token), std::nullopt);
}

TEST(PageTokens, CannotBeMadeUp) {
  const PageTokens pages = tokens_of("0123456789abcdef");
  const std::string token = pages.make("accounts", 0xfedcba9876543210U);
  EXPECT_EQ(pages.read("accounts", token), 0xfedcba9876543210U);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_EQ(pages.read("accounts", changed), std::nullopt) << i;
  }
  for (const char* text : {"", "1", "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "+123456789abcdef"}) {
    EXPECT_EQ(pages.read("accounts", text), std::nullopt) << text;
  }
  EXPECT_EQ(pages.read("accounts", token + "0"), std::nullopt);
}

}  // namespace
}  // namespace bank
