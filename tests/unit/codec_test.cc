#include "ledger/codec.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ledger/index.h"
#include "ledger_fixture.h"

namespace ledger {
namespace {

// Fills a change's fields with values of which no two are alike.
struct Filler {
  std::uint64_t next = 1;

  void operator()(std::string& value) { value = "text " + std::to_string(++next); }
  void operator()(CardDigits& value) { value = std::to_string(40'000'000 + ++next); }
  void operator()(Cents& value) { value = Cents{-static_cast<std::int64_t>(++next * 1000)}; }
  void operator()(Currency& value) { value = usd; }
  void operator()(OperationId& value) { value = Bank::id_at(noon, ++next); }
  void operator()(ReceiptId& value) { value = Bank::id_at(noon, ++next); }
  void operator()(bool& value) { value = true; }
  void operator()(std::uint64_t& value) {
    value = std::numeric_limits<std::uint64_t>::max() - ++next;
  }
  void operator()(std::chrono::milliseconds& value) { value = std::chrono::milliseconds(++next); }
  void operator()(std::optional<Cents>& value) { value = Cents{static_cast<std::int64_t>(++next)}; }
  void operator()(std::optional<std::uint32_t>& value) {
    value = static_cast<std::uint32_t>(++next);
  }
  void operator()(CardLimits& value) { value = {Cents{1}, Cents{2}, 3}; }
  void operator()(TransferKind& value) { value = TransferKind::unload_cash; }
  void operator()(OldPin& value) { value = OldPin::wrong; }
};

template <typename Kind>
Kind filled() {
  Kind kind;
  Filler fill;
  Kind::fields([&](std::string_view, auto member, bool = true) { fill(kind.*member); });
  return kind;
}

// One change of every kind, all fields set.
template <std::size_t... place>
std::vector<Change> one_of_each(std::index_sequence<place...>) {
  return {Change(filled<std::variant_alternative_t<place, Change>>())...};
}
std::vector<Change> one_of_each() {
  return one_of_each(std::make_index_sequence<std::variant_size_v<Change>>());
}

Record record_of(Change change) {
  return Record{
      .ledger_seq = 300,
      .at = noon,
      .day = BusinessDay{20440},
      .operation = {.id = Bank::id_at(noon, 7), .principal = "atm-1", .change = std::move(change)},
      .outcome = Receipt{.ledger_seq = 300,
                         .balance = Cents{-1},
                         .available = Cents{std::numeric_limits<std::int64_t>::min()},
                         .currency = eur,
                         .hold_was_unknown = true,
                         .tries_left = 2}};
}

std::string encoded(const Record& record) {
  std::string bytes;
  encode(record, bytes);
  return bytes;
}

// All that is journalled, carried fields too.
void expect_the_same(const Record& a, const Record& b) {
  EXPECT_EQ(a.ledger_seq, b.ledger_seq);
  EXPECT_EQ(a.at, b.at);
  EXPECT_EQ(a.day, b.day);
  EXPECT_EQ(a.operation.id, b.operation.id);
  EXPECT_EQ(a.operation.principal, b.operation.principal);
  EXPECT_EQ(first_difference(a.operation.change, b.operation.change), std::nullopt);
  EXPECT_EQ(a.outcome, b.outcome);
  EXPECT_EQ(encoded(a), encoded(b));
}

TEST(CodecTest, EveryKindOfChangeComesBackAsItWas) {
  for (const Change& change : one_of_each()) {
    const Record record = record_of(change);
    const std::string bytes = encoded(record);
    std::string_view rest = bytes;
    const std::optional<Record> back = decode(rest);
    ASSERT_TRUE(back.has_value()) << name(change);
    EXPECT_TRUE(rest.empty());
    expect_the_same(record, *back);
  }
}

TEST(CodecTest, RefusalsComeBackWithWhatIsLeft) {
  Record record = record_of(Bank::hold(1));
  record.outcome = std::unexpected(Refusal{.code = RefusalCode::daily_amount_limit,
                                           .left_count = 3,
                                           .left = Money{Cents{5}, eur},
                                           .ledger_seq = 300});
  const std::string bytes = encoded(record);
  std::string_view rest = bytes;
  expect_the_same(record, decode(rest).value());
}

TEST(CodecTest, RecordsStandOneAfterTheOther) {
  std::string bytes;
  for (const Change& change : one_of_each()) encode(record_of(change), bytes);
  std::string_view rest = bytes;
  for (const Change& change : one_of_each()) {
    EXPECT_EQ(decode(rest)->operation.change.index(), change.index());
  }
  EXPECT_TRUE(rest.empty());
}

TEST(CodecTest, APartOfARecordIsNoRecord) {
  for (const Change& change : one_of_each()) {
    const std::string bytes = encoded(record_of(change));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      std::string_view part = std::string_view(bytes).substr(0, size);
      EXPECT_FALSE(decode(part).has_value());
      EXPECT_EQ(part.size(), size) << "nothing was taken";
    }
  }
}

TEST(CodecTest, ChangedBytesNeverCrashAndNeverReadTooFar) {
  for (const Change& change : one_of_each()) {
    const std::string bytes = encoded(record_of(change));
    for (std::size_t place = 0; place < bytes.size(); ++place) {
      for (const int flip : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        std::string changed = bytes;
        changed[place] = static_cast<char>(changed[place] ^ flip);
        std::string_view rest = changed;
        const std::optional<Record> record = decode(rest);
        if (!record.has_value()) continue;
        EXPECT_EQ(encoded(*record), changed.substr(0, changed.size() - rest.size()))
            << "each record has one form";
      }
    }
  }
}

TEST(CodecTest, ANumberInMoreBytesThanItTakesIsNoRecord) {
  std::string bytes = encoded(record_of(Bank::hold(10'00)));
  ASSERT_EQ(bytes.substr(0, 2), "\xac\x02") << "the record's number, 300";
  bytes.replace(0, 2, "\xac\x82\x00", 3);
  std::string_view rest = bytes;
  EXPECT_FALSE(decode(rest).has_value());
}

TEST(CodecTest, GarbageIsNoRecord) {
  EXPECT_TRUE(rc::check("garbage never crashes the decoder", [](const std::string& garbage) {
    std::string_view rest = garbage;
    if (!decode(rest).has_value()) RC_ASSERT(rest.size() == garbage.size());
  }));
}

TEST(CodecTest, ASmallTransferTakesLessThanEightyBytes) {
  EXPECT_LE(encoded(record_of(Bank::transfer("account-1", "account-2", 10'00))).size(), 79U);
}

// What a record says twice, in its second place; and how else that could be written.
struct Repeated {
  std::string_view written;
  std::string_view spelled_out;
};

TEST(CodecTest, WhatIsRepeatedIsWrittenOnceAndNeverOtherwise) {
  Record record = record_of(Bank::hold(10'00));
  record.operation.principal = "t1";  // The terminal.
  record.outcome->currency = eur;     // The amount's.
  const std::string bytes = encoded(record);
  std::string_view whole = bytes;
  expect_the_same(record, decode(whole).value());
  using namespace std::string_view_literals;
  for (const Repeated& repeated : {Repeated{"\x00\xd0\x0f"sv, "\x03t1\xd0\x0f"sv},
                                   Repeated{"\x01\x01\x05"sv, "\x01\xd2\xaa\x95\x02\x05"sv}}) {
    std::string other = bytes;
    const std::size_t place = other.rfind(repeated.written);
    ASSERT_NE(place, std::string::npos) << testing::PrintToString(bytes);
    other.replace(place, repeated.written.size(), repeated.spelled_out);
    std::string_view rest = other;
    EXPECT_FALSE(decode(rest).has_value()) << testing::PrintToString(other);
  }
}

TEST(CodecTest, ACardsDigitsTakeHalfAByteAndOtherLettersOne) {
  std::size_t size_of_none = 0;
  for (const std::string letters : {"", "4", "40", "4000000000000002", "4000 0000", "card",
                                    "1234567890123456789", "12345678901234567890"}) {
    Hold hold = Bank::hold(10'00);
    hold.card = letters;
    const Record record = record_of(hold);
    const std::string bytes = encoded(record);
    if (letters.empty()) size_of_none = bytes.size();
    std::string_view rest = bytes;
    expect_the_same(record, decode(rest).value());
    const bool are_digits = letters.find_first_not_of("0123456789") == std::string::npos;
    EXPECT_EQ(bytes.size() - size_of_none, are_digits ? (letters.size() + 1) / 2 : letters.size());
  }
}

TEST(CodecTest, ABusinessDayFarFromItsTimeComesBackToo) {
  for (const std::int32_t day :
       {std::numeric_limits<std::int32_t>::min(), 0, std::numeric_limits<std::int32_t>::max()}) {
    Record record = record_of(Bank::hold(10'00));
    record.day.number = day;
    record.outcome->balance = Cents{std::numeric_limits<std::int64_t>::max()};
    const std::string bytes = encoded(record);
    std::string_view rest = bytes;
    expect_the_same(record, decode(rest).value());
  }
}

// The form is for ever: this is what the first version wrote.
TEST(CodecTest, TheFormOfTheFirstVersionIsStillRead) {
  const std::string bytes = encoded(record_of(Bank::hold(10'00)));
  std::string hex;
  for (const char byte : bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    hex += digits[static_cast<unsigned char>(byte) >> 4U];
    hex += digits[static_cast<unsigned char>(byte) & 15U];
  }
  EXPECT_EQ(
      hex,
      "ac0280c0a5b4968ea30600019b3154ce00700080070000000000000661746d2d31012004000000000000200374"
      "31d00fd2aa9502c0a907000101feffffffffffffffff010105");
}

// --- Names and differences ---

TEST(OperationTest, EveryComparedFieldIsNamedWhenItDiffers) {
  for (const Change& change : one_of_each()) {
    std::visit(
        [&]<typename Kind>(const Kind& kind) {
          Kind::fields([&](std::string_view field, auto member, bool compared = true) {
            Kind other = kind;
            other.*member = std::remove_cvref_t<decltype(other.*member)>();
            const auto difference = first_difference(kind, other);
            EXPECT_EQ(difference, compared ? std::optional(field) : std::nullopt)
                << Kind::name << "." << field;
          });
        },
        change);
  }
}

TEST(OperationTest, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (const Change& change : one_of_each()) names.insert(name(change));
  EXPECT_EQ(names.size(), std::variant_size_v<Change>);
}

TEST(OperationIdTest, AUuidTellsWhenItWasMade) {
  const std::array<std::uint8_t, 10> random{0xff, 0xff, 0xff, 0xff, 0xff,
                                            0xff, 0xff, 0xff, 0xff, 0xff};
  const OperationId id = OperationId::make(noon + 123ms + 456us, random);
  EXPECT_EQ(id.made_at(), noon + 123ms);
  EXPECT_EQ(id.text().substr(14, 1), "7");
  EXPECT_EQ(OperationId().made_at(), std::nullopt);
}

TEST(OperationIdTest, TextIsReadAsItIsWritten) {
  const OperationId id = Bank::id_at(noon, 0xabcdef);
  EXPECT_EQ(OperationId::parse(id.text()), id);
  std::string bare = id.text();
  std::erase(bare, '-');
  EXPECT_EQ(OperationId::parse(bare), id);
  std::ranges::transform(bare, bare.begin(), [](char letter) {
    return letter >= 'a' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  EXPECT_EQ(OperationId::parse(bare), id);
  EXPECT_EQ(OperationId::from_bytes(id.view()), id);
  for (const std::string& text :
       {std::string(), std::string(32, 'g'), std::string(36, '0'), bare + "0", bare.substr(1)}) {
    EXPECT_FALSE(OperationId::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(OperationId::from_bytes("fifteen bytes..").has_value());
}

TEST(OperationIdTest, LaterIdsAreGreater) {
  EXPECT_LT(Bank::id_at(noon, 99), Bank::id_at(noon + 1ms, 1));
}

// --- The index of ids ---

TEST(IdIndexTest, FindsWhatIsInAndNothingElseWhateverCameAndWent) {
  const auto property = [](const std::vector<std::pair<std::uint8_t, bool>>& steps) {
    IdIndex index;
    std::map<std::uint8_t, std::uint64_t> model;
    std::uint64_t value = 0;
    for (const auto& [key, insert] : steps) {
      const OperationId id = Bank::id_at(noon, key);
      if (insert && !model.contains(key)) {
        index.insert(id, ++value);
        model.emplace(key, value);
      } else if (!insert && model.contains(key)) {
        index.erase(id);
        model.erase(key);
      }
      RC_ASSERT(index.size() == model.size());
      for (int other = 0; other < 256; ++other) {
        const auto found = index.find(Bank::id_at(noon, static_cast<std::uint64_t>(other)));
        const auto expected = model.find(static_cast<std::uint8_t>(other));
        RC_ASSERT(found ==
                  (expected == model.end() ? std::nullopt : std::optional(expected->second)));
      }
    }
  };
  EXPECT_TRUE(rc::check("an index is a map", property));
}

}  // namespace
}  // namespace ledger
