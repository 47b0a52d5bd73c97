// How sentences for people are worded: what was probably meant by a typo, and how they end.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace ops {

// How many letters must be added, left out, changed or swapped with their neighbour to make one
// word of the other.
std::size_t typing_distance(std::string_view a, std::string_view b);

// The candidate that was probably meant, or "" when none is near: one mistake in a short word, two
// in a longer one.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean --listen?", or "". Never the word itself.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// The text with a full stop, unless it ends as a sentence already: never two of them.
std::string as_sentence(std::string text);

}  // namespace ops
