#include "atm/declines.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace atm {

namespace {

// Cuts between two letters: a string on the wire is UTF-8.
void cut(std::string& text, std::size_t size_max) {
  if (text.size() <= size_max) return;
  const auto is_inside = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
  };
  while (is_inside(text[size_max])) --size_max;
  text.resize(size_max);
}

}  // namespace

Declines::Declines(Journal& journal) : journal_(journal) {
  std::vector<Declined> stored = journal.file().read<Declined>();
  std::ranges::sort(stored, std::greater(), &Declined::number);
  kept_.assign(stored.begin(), stored.end());
}

void Declines::keep(Declined declined) {
  const auto is_repeated = [&](const Declined& before) {
    return before.id == declined.id && before.code == declined.code;
  };
  if (std::ranges::any_of(kept_, is_repeated)) return;
  cut(declined.sentence, declined_sentence_size_max);
  declined.number = kept_.empty() ? 1 : kept_.front().number + 1;
  declined.slot = static_cast<std::uint32_t>(declined.number % declines_kept_max);
  journal_.note(to_row(declined));
  kept_.push_front(std::move(declined));
  if (kept_.size() > declines_kept_max) kept_.pop_back();
}

}  // namespace atm
