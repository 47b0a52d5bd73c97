#include "atm/notes.h"

#include <algorithm>
#include <charconv>

namespace atm {

namespace {

// Reads numbers and the characters between them.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool skip(char expected) {
    if (rest_.empty() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  template <typename Integer>
  bool read(Integer& value) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return false;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return true;
  }

 private:
  std::string_view rest_;
};

std::string encoded_entry(Cents denomination, std::int64_t count) {
  return std::to_string(denomination.value) + "*" + std::to_string(count);
}

}  // namespace

Cents worth(Cents denomination, std::int64_t count) {
  std::int64_t product = 0;
  const bool overflowed = __builtin_mul_overflow(denomination.value, count, &product);
  ledger::check(!overflowed);
  return Cents{product};
}

Notes::Notes(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) add(entry.denomination, entry.count);
}

void Notes::add(Cents denomination, std::int64_t count) {
  if (count == 0) return;
  const auto place = std::ranges::lower_bound(entries_, denomination, std::ranges::greater(),
                                              &Entry::denomination);
  if (place == entries_.end() || place->denomination != denomination) {
    entries_.insert(place, Entry{.denomination = denomination, .count = count});
    return;
  }
  place->count += count;
  if (place->count == 0) entries_.erase(place);
}

Notes& Notes::operator+=(const Notes& other) {
  if (this == &other) return *this += Notes(other);
  for (const Entry& entry : other) add(entry.denomination, entry.count);
  return *this;
}

Notes& Notes::operator-=(const Notes& other) {
  if (this == &other) return *this = Notes();
  for (const Entry& entry : other) add(entry.denomination, -entry.count);
  return *this;
}

std::int64_t Notes::of(Cents denomination) const {
  const auto found = std::ranges::find(entries_, denomination, &Entry::denomination);
  return found == entries_.end() ? 0 : found->count;
}

Cents Notes::amount() const {
  Cents sum{0};
  for (const Entry& entry : entries_) sum += worth(entry.denomination, entry.count);
  return sum;
}

std::int64_t Notes::count() const {
  std::int64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.count;
  return sum;
}

std::string Notes::encoded() const {
  std::string text;
  for (const Entry& entry : entries_) {
    if (!text.empty()) text += ' ';
    text += encoded_entry(entry.denomination, entry.count);
  }
  return text;
}

std::optional<Notes> Notes::decode(std::string_view text) {
  Notes notes;
  for (Reader reader(text); !reader.at_end();) {
    Entry entry;
    if (!reader.read(entry.denomination.value) || !reader.skip('*')) return std::nullopt;
    if (!reader.read(entry.count)) return std::nullopt;
    if (!reader.at_end() && !reader.skip(' ')) return std::nullopt;
    // Twice the same is nothing that was written, and no sum to be made here.
    if (notes.of(entry.denomination) != 0) return std::nullopt;
    notes.add(entry.denomination, entry.count);
  }
  if (notes.encoded() != text) return std::nullopt;
  return notes;
}

std::string Notes::text(Currency currency) const {
  if (entries_.empty()) return "none";
  std::string text;
  for (const Entry& entry : entries_) {
    if (!text.empty()) text += ", ";
    text += std::to_string(entry.count) + " x " + ledger::major_units(entry.denomination, currency);
  }
  return text;
}

Notes notes_of(const Picks& picks) {
  Notes notes;
  for (const Pick& pick : picks) notes.add(pick.denomination, pick.count);
  return notes;
}

std::string encoded(const Picks& picks) {
  std::string text;
  for (const Pick& pick : picks) {
    if (!text.empty()) text += ' ';
    text += std::to_string(pick.position) + ":" + encoded_entry(pick.denomination, pick.count);
  }
  return text;
}

std::optional<Picks> decode_picks(std::string_view text) {
  Picks picks;
  for (Reader reader(text); !reader.at_end();) {
    Pick pick;
    if (!reader.read(pick.position) || !reader.skip(':')) return std::nullopt;
    if (!reader.read(pick.denomination.value) || !reader.skip('*')) return std::nullopt;
    if (!reader.read(pick.count)) return std::nullopt;
    if (!reader.at_end() && !reader.skip(' ')) return std::nullopt;
    picks.push_back(pick);
  }
  if (encoded(picks) != text) return std::nullopt;
  return picks;
}

}  // namespace atm
