#include "ledger/money.h"

#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace ledger {
namespace {

const Currency euro = Currency::of("EUR");
const Currency jpy = Currency::of("JPY");
const Currency kwd = Currency::of("KWD");
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

std::int64_t parsed(const std::string& text, Currency currency = euro) {
  return parse_major_units(text, currency).value().value;
}
std::string refused(const std::string& text, Currency currency = euro) {
  return parse_major_units(text, currency).error();
}

TEST(MoneyTest, SumsThatDoNotFitAreToldAndNotWrapped) {
  EXPECT_EQ(plus(Cents{1}, Cents{2}), Cents{3});
  EXPECT_EQ(plus(Cents{most}, Cents{1}), std::nullopt);
  EXPECT_EQ(plus(Cents{least}, Cents{-1}), std::nullopt);
  EXPECT_EQ(minus(Cents{least}, Cents{1}), std::nullopt);
  EXPECT_EQ(minus(Cents{0}, Cents{least}), std::nullopt);
  EXPECT_EQ(minus(Cents{-1}, Cents{least}), Cents{most});
}

TEST(MoneyDeathTest, ASumThatWasThoughtToFitStopsTheProcess) {
  EXPECT_DEATH(Cents{most} + Cents{1}, "money.h");
  EXPECT_DEATH(-Cents{least}, "money.h");
}

TEST(MoneyTest, ACurrencyIsThreeCapitalLetters) {
  EXPECT_EQ(Currency::parse("EUR")->text(), "EUR");
  for (const char* const text : {"", "EU", "EURO", "eur", "EU1", "EU ", "E\0R"}) {
    EXPECT_FALSE(Currency::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Currency().is_set());
  EXPECT_EQ(Currency().text(), "");
}

TEST(MoneyTest, AmountsAreReadInMajorUnits) {
  EXPECT_EQ(parsed("60"), 60'00);
  EXPECT_EQ(parsed("60.5"), 60'50);
  EXPECT_EQ(parsed("60.00"), 60'00);
  EXPECT_EQ(parsed("0.01"), 1);
  EXPECT_EQ(parsed("0"), 0);
  EXPECT_EQ(parsed("007"), 7'00);
  EXPECT_EQ(parsed("1000", jpy), 1000);
  EXPECT_EQ(parsed("1.234", kwd), 1234);
  EXPECT_EQ(parsed("92233720368547758.07"), most);
}

TEST(MoneyTest, WhatIsNoAmountIsRefusedInOneSentence) {
  EXPECT_EQ(refused("12.345"),
            "'12.345' is not an amount: EUR has at most 2 digits after the point");
  EXPECT_EQ(refused("1.5", jpy), "'1.5' is not an amount: JPY has no digits after a point");
  EXPECT_EQ(refused("92233720368547758.08"),
            "'92233720368547758.08' is not an amount: it is too large");
  EXPECT_EQ(refused("1000000000000000000"),
            "'1000000000000000000' is not an amount: it is too large");
  for (const char* const text : {"", "-1", "+1", "1e3", "1,5", " 1", "1 ", "1.", ".5", ".", "1.2.3",
                                 "0x10", "abc", "\xd9\xa1"}) {
    EXPECT_FALSE(parse_major_units(text, euro).has_value()) << text;
  }
}

TEST(MoneyTest, OnlyMoneyOfIso4217IsListed) {
  for (const char* const code : {"EUR", "JPY", "KWD", "CLF", "XAF", "XPF", "XTS", "AED", "ZWG"}) {
    EXPECT_TRUE(Currency::of(code).is_listed()) << code;
  }
  for (const char* const code : {"ERU", "XYZ", "UEU", "AAA", "XAU", "DEM", "ZZZ"}) {
    EXPECT_FALSE(Currency::of(code).is_listed()) << code;
  }
  EXPECT_FALSE(Currency().is_listed());
}

TEST(MoneyTest, ATextThatIsNoListedCurrencyIsRefusedInOneSentence) {
  EXPECT_EQ(parse_listed("JPY"), jpy);
  for (const std::string text : {"ERU", "XAU", "eur", "EURO", ""}) {
    const auto currency = parse_listed(text);
    ASSERT_FALSE(currency.has_value()) << text;
    EXPECT_EQ(currency.error(),
              "must be one of ISO 4217, three capital letters, as EUR, not \"" + text + "\"");
  }
}

TEST(MoneyTest, AmountsAreShownWithAllTheirDigits) {
  EXPECT_EQ(to_text(Money{Cents{60'00}, euro}), "60.00 EUR");
  EXPECT_EQ(major_units(Cents{5}, euro), "0.05");
  EXPECT_EQ(major_units(Cents{-5}, euro), "-0.05");
  EXPECT_EQ(major_units(Cents{0}, euro), "0.00");
  EXPECT_EQ(major_units(Cents{1000}, jpy), "1000");
  EXPECT_EQ(major_units(Cents{1}, kwd), "0.001");
  EXPECT_EQ(major_units(Cents{most}, euro), "92233720368547758.07");
  EXPECT_EQ(major_units(Cents{least}, euro), "-92233720368547758.08");
}

}  // namespace
}  // namespace ledger
