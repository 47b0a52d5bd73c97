#include "cli/amount.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

#include "ops/failure.h"
#include "ops/value.h"

namespace cli {
namespace {

constexpr std::uint32_t notes_max = 200;  // What fits into an acceptor's slot at once.
constexpr std::uint32_t notes_per_cassette_max = 10'000;

[[noreturn]] void fail(const std::string& sentence) {
  throw ops::Failure(ops::ExitCode::usage, sentence);
}

bank::v1::Money money_of(ledger::Cents amount, ledger::Currency currency) {
  bank::v1::Money money;
  money.set_minor_units(amount.value);
  money.set_currency(currency.text());
  return money;
}

// The two parts of "2x50" or "2X50", of which the first is a number.
struct Counted {
  std::uint32_t count = 0;
  std::string_view face;
};

constexpr std::string_view times = "xX";

Counted counted(std::string_view text) {
  const std::string typed = "'" + std::string(text) + "'";
  const std::size_t x = text.find_first_of(times);
  if (x == std::string_view::npos) {
    fail(typed + " is not a number of notes: write 2x50 for two notes of 50.");
  }
  const auto count = ops::Value<std::uint32_t>::parse(text.substr(0, x));
  const bool is_number =
      x > 0 && text.substr(0, x).find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number || (count && *count == 0)) {
    fail(typed + " has no whole number of notes before its x: write 2x50 for two notes of 50.");
  }
  if (!count) fail(typed + " is more notes than fit into an ATM.");
  if (text.substr(x + 1).find_first_of("0123456789") == std::string_view::npos) {
    fail(typed + " has no note behind its x: write 2x50 for two notes of 50.");
  }
  return {*count, text.substr(x + 1)};
}

// Whether there is a count of notes, and not an amount alone.
bool has_times(std::string_view text) {
  return text.find_first_of(times) != std::string_view::npos;
}

// Whether the second word continues the first, as in "2 x", "2 x50" and "2x 50".
bool is_continued(std::string_view word, std::string_view next) {
  if (has_times(word)) return has_times(word.substr(word.size() - 1)) && !has_times(next);
  return has_times(next.substr(0, 1));
}

// The words that were meant: "2x50" and "1x20" may be typed as "2x50,1x20" or "2 x 50 1 x 20". A comma
// in an amount that stands alone is a mistake, and stays.
std::vector<std::string> note_words(const std::vector<std::string>& typed) {
  const bool has_counts = std::ranges::any_of(typed, has_times);
  std::vector<std::string> parts;
  for (const std::string& text : typed) {
    bool is_new = true;
    for (const char letter : text) {
      const bool is_gap = letter == ' ' || letter == '\t' || (letter == ',' && has_counts);
      if (!is_gap && is_new) parts.emplace_back();
      if (!is_gap) parts.back() += letter;
      is_new = is_gap;
    }
  }
  std::vector<std::string> words;
  for (const std::string& part : parts) {
    if (!words.empty() && is_continued(words.back(), part)) {
      words.back() += part;
    } else {
      words.push_back(part);
    }
  }
  return words;
}

// Of notes that must be of one kind.
std::string note_word(std::string_view text) {
  const std::vector<std::string> words = note_words({std::string(text)});
  if (words.size() <= 1) return words.empty() ? "" : words[0];
  fail("'" + std::string(text) +
       "' is more than one kind of notes: a cassette holds one, so load each into one of its own.");
}

bool is_one_amount(const std::vector<std::string>& words) {
  if (words.empty()) fail("Say which notes: 2x50 1x20, or an amount that notes make, 120.");
  return words.size() == 1 && !has_times(words[0]);
}

using NoteCounts = std::map<std::int64_t, std::uint32_t, std::greater<>>;

// The fewest notes that make `amount`, by their faces; none if no notes do, or only more than fit
// into the slot. `unit` divides `amount` and every face.
NoteCounts fewest_notes(std::int64_t amount, std::int64_t unit,
                        std::span<const ledger::Cents> denominations) {
  const auto places = static_cast<std::size_t>(amount / unit) + 1;
  std::vector<std::uint32_t> fewest(places, notes_max + 1);  // That make each multiple of `unit`.
  std::vector<std::int64_t> last(places, 0);                 // The face of one of them.
  fewest[0] = 0;
  for (std::size_t place = 1; place < places; ++place) {
    for (const ledger::Cents face : denominations) {
      const auto step = static_cast<std::size_t>(face.value / unit);
      if (step > place || fewest[place - step] + 1 >= fewest[place]) continue;
      fewest[place] = fewest[place - step] + 1;
      last[place] = face.value;
    }
  }
  NoteCounts counts;
  if (fewest.back() > notes_max) return counts;
  for (std::size_t place = places - 1; place > 0;) {
    ++counts[last[place]];
    place -= static_cast<std::size_t>(last[place] / unit);
  }
  return counts;
}

std::vector<atm::v1::Notes> notes_making(const std::string& text, ledger::Currency currency,
                                         std::span<const ledger::Cents> denominations) {
  constexpr std::int64_t places_max = 1'000'000;
  const std::int64_t amount = parse_amount(text, currency).minor_units();
  if (denominations.empty()) fail("The ATM does not say which notes it takes: name them, as 2x50.");
  const ledger::Cents largest = *std::ranges::max_element(denominations);
  std::int64_t unit = 0;
  for (const ledger::Cents face : denominations) unit = std::gcd(unit, face.value);
  if (amount / notes_max > largest.value || amount / unit > places_max) {
    fail(text + " is more than fits into the slot at once.");
  }
  NoteCounts counts;
  if (amount % unit == 0) counts = fewest_notes(amount, unit, denominations);
  if (counts.empty()) {
    fail("No notes make " + text + ": there are notes of " +
         ledger::to_text(denominations, currency) + ".");
  }
  std::vector<atm::v1::Notes> list;
  for (const auto& [face, count] : counts) {
    atm::v1::Notes& notes = list.emplace_back();
    *notes.mutable_denomination() = money_of(ledger::Cents{face}, currency);
    notes.set_count(count);
  }
  return list;
}

}  // namespace

ledger::Currency parse_currency(const std::string& text) {
  const auto currency = ledger::Currency::parse(text);
  if (!currency) fail("A currency is three capital letters, as EUR, and not '" + text + "'.");
  if (!currency->is_listed()) fail("ISO 4217 has no currency '" + text + "'.");
  return *currency;
}

std::optional<ops::Mistake> mistake_in_currency(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto currency = ledger::parse_listed(text);
  if (currency) return std::nullopt;
  return ops::Mistake{"currency", currency.error()};
}

void require_amount_or_zero(std::string_view text) {
  if (text.starts_with('-'))
    fail("'" + std::string(text) + "' is not an amount: it must not be negative.");
  if (const auto why = ledger::why_not_major_units(text)) fail(*why + ".");
}

void require_amount(std::string_view text) {
  require_amount_or_zero(text);
  if (text.find_first_not_of("0.") == std::string_view::npos) {
    fail("An amount must be more than 0.");
  }
}

void require_notes(std::string_view text) {
  const std::string word = note_word(text);
  const Counted notes = counted(word);
  require_amount(notes.face);
  if (notes.count > notes_per_cassette_max) {
    fail("A cassette takes at most " + std::to_string(notes_per_cassette_max) + " notes.");
  }
}

void require_note_list(const std::vector<std::string>& typed) {
  const std::vector<std::string> words = note_words(typed);
  if (is_one_amount(words)) return require_amount(words[0]);
  std::uint64_t count = 0;
  for (const std::string& word : words) {
    const Counted notes = counted(word);
    require_amount(notes.face);
    count += notes.count;
  }
  if (count <= notes_max) return;
  fail("The slot takes at most " + std::to_string(notes_max) + " notes at once.");
}

bank::v1::Money parse_amount_or_zero(std::string_view text, ledger::Currency currency) {
  require_amount_or_zero(text);
  const auto cents = ledger::parse_major_units(text, currency);
  if (!cents) fail(cents.error() + ".");
  return money_of(*cents, currency);
}

bank::v1::Money parse_amount(std::string_view text, ledger::Currency currency) {
  require_amount(text);
  return parse_amount_or_zero(text, currency);
}

atm::v1::Notes parse_notes(std::string_view text, ledger::Currency currency) {
  const std::string word = note_word(text);
  const Counted notes = counted(word);
  atm::v1::Notes parsed;
  parsed.set_count(notes.count);
  *parsed.mutable_denomination() = parse_amount(notes.face, currency);
  return parsed;
}

std::vector<atm::v1::Notes> parse_note_list(const std::vector<std::string>& typed,
                                            ledger::Currency currency,
                                            std::span<const ledger::Cents> denominations) {
  const std::vector<std::string> words = note_words(typed);
  if (is_one_amount(words)) return notes_making(words[0], currency, denominations);
  std::vector<atm::v1::Notes> list;
  for (const std::string& word : words) list.push_back(parse_notes(word, currency));
  return list;
}

bank::v1::Money sum_of(const std::vector<atm::v1::Notes>& notes, ledger::Currency currency) {
  std::int64_t sum = 0;
  for (const atm::v1::Notes& kind : notes) {
    std::int64_t value = 0;
    if (__builtin_mul_overflow(kind.denomination().minor_units(), std::int64_t{kind.count()},
                               &value) ||
        __builtin_add_overflow(sum, value, &sum)) {
      fail("So many notes do not fit into an ATM.");
    }
  }
  return money_of(ledger::Cents{sum}, currency);
}

std::string notes_text(const atm::v1::Notes& notes) {
  const bank::v1::Money& face = notes.denomination();
  const auto known = ledger::Currency::parse(face.currency());
  const ledger::Cents units{face.minor_units()};
  const std::string text =
      known ? ledger::to_text(ledger::Money{units, *known}) : std::to_string(units.value);
  return std::to_string(notes.count()) + " x " + text;
}

}  // namespace cli
