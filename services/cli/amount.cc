#include "cli/amount.h"

#include <array>
#include <limits>

#include "ops/failure.h"
#include "ops/value.h"

namespace cli {
namespace {

constexpr std::uint32_t notes_max =
    200;  // What fits into an acceptor or a cassette's slot at once.
constexpr std::array<std::int64_t, 6> note_faces = {200, 100, 50, 20, 10, 5};

[[noreturn]] void fail(const std::string& sentence) {
  throw ops::Failure(ops::ExitCode::usage, sentence);
}

std::int64_t minor_units_per_major(ledger::Currency currency) {
  std::int64_t units = 1;
  for (int i = 0; i < currency.minor_digits(); ++i) units *= 10;
  return units;
}

bank::v1::Money money_of(ledger::Cents amount, ledger::Currency currency) {
  bank::v1::Money money;
  money.set_minor_units(amount.value);
  money.set_currency(currency.text());
  return money;
}

std::vector<atm::v1::Notes> notes_making(const std::string& text, ledger::Currency currency) {
  const bank::v1::Money amount = parse_amount(text, currency);
  const std::int64_t unit = minor_units_per_major(currency);
  std::int64_t left = amount.minor_units();
  std::vector<atm::v1::Notes> list;
  for (const std::int64_t face : note_faces) {
    const std::int64_t count = left / (face * unit);
    if (count == 0) continue;
    if (count > notes_max) fail(text + " is more than fits into the slot at once.");
    atm::v1::Notes notes;
    notes.set_denomination_minor_units(face * unit);
    notes.set_count(static_cast<std::uint32_t>(count));
    list.push_back(notes);
    left -= count * face * unit;
  }
  if (left != 0) fail("No notes make " + text + ": the smallest is 5.");
  return list;
}

}  // namespace

ledger::Currency parse_currency(const std::string& text) {
  const auto currency = ledger::Currency::parse(text);
  if (!currency) fail("A currency is three capital letters, as EUR, and not '" + text + "'.");
  return *currency;
}

bank::v1::Money parse_amount_or_zero(std::string_view text, ledger::Currency currency) {
  if (text.starts_with('-'))
    fail("'" + std::string(text) + "' is not an amount: it must not be negative.");
  const auto cents = ledger::parse_major_units(text, currency);
  if (!cents) fail(cents.error() + ".");
  return money_of(*cents, currency);
}

bank::v1::Money parse_amount(std::string_view text, ledger::Currency currency) {
  bank::v1::Money money = parse_amount_or_zero(text, currency);
  if (money.minor_units() == 0) fail("An amount must be more than 0.");
  return money;
}

atm::v1::Notes parse_notes(std::string_view text, ledger::Currency currency) {
  const std::size_t x = text.find('x');
  if (x == std::string_view::npos) {
    fail("'" + std::string(text) + "' is not a number of notes: write 2x50 for two notes of 50.");
  }
  const auto count = ops::Value<std::uint32_t>::parse(text.substr(0, x));
  if (!count || *count == 0) {
    fail("'" + std::string(text) + "' has no number of notes before its x: write 2x50.");
  }
  atm::v1::Notes notes;
  notes.set_count(*count);
  notes.set_denomination_minor_units(parse_amount(text.substr(x + 1), currency).minor_units());
  return notes;
}

std::vector<atm::v1::Notes> parse_note_list(const std::vector<std::string>& words,
                                            ledger::Currency currency) {
  if (words.empty()) fail("Say which notes: 2x50 1x20, or an amount that notes make, 120.");
  if (words.size() == 1 && words[0].find('x') == std::string::npos) {
    return notes_making(words[0], currency);
  }
  std::vector<atm::v1::Notes> list;
  for (const std::string& word : words) list.push_back(parse_notes(word, currency));
  return list;
}

bank::v1::Money sum_of(const std::vector<atm::v1::Notes>& notes, ledger::Currency currency) {
  std::int64_t sum = 0;
  for (const atm::v1::Notes& kind : notes) {
    std::int64_t value = 0;
    if (__builtin_mul_overflow(kind.denomination_minor_units(), std::int64_t{kind.count()},
                               &value) ||
        __builtin_add_overflow(sum, value, &sum)) {
      fail("So many notes do not fit into an ATM.");
    }
  }
  return money_of(ledger::Cents{sum}, currency);
}

std::string notes_text(const atm::v1::Notes& notes, const std::string& currency) {
  const auto known = ledger::Currency::parse(currency);
  const ledger::Cents face{notes.denomination_minor_units()};
  const std::string text =
      known ? ledger::to_text(ledger::Money{face, *known}) : std::to_string(face.value);
  return std::to_string(notes.count()) + " x " + text;
}

}  // namespace cli
