#include "ops/suggest.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace ops {

std::size_t typing_distance(std::string_view a, std::string_view b) {
  // Row by row through the table of distances between the beginnings of both; a swap looks two rows
  // back.
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({changed, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

std::string_view nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string_view best;
  std::size_t distance_min = word.size() < 5 ? 2 : 3;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = typing_distance(word, candidate);
    if (distance >= distance_min) continue;
    distance_min = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
  const std::string_view meant = nearest(word, candidates);
  if (meant.empty() || meant == word) return "";
  return "; did you mean " + std::string(meant) + "?";
}

std::string as_sentence(std::string text) {
  if (text.empty()) return "An error without a name.";
  const char last = text.back();
  if (last != '.' && last != '?' && last != '!') text += '.';
  return text;
}

}  // namespace ops
