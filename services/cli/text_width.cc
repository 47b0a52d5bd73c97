#include "cli/text_width.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace cli {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// In order. What combines with the letter before it, joins letters or chooses how they look.
constexpr std::array no_column = {
    Range{0x0300, 0x036f},   Range{0x0483, 0x0489},   Range{0x0591, 0x05bd}, Range{0x05bf, 0x05bf},
    Range{0x05c1, 0x05c2},   Range{0x05c4, 0x05c5},   Range{0x05c7, 0x05c7}, Range{0x0610, 0x061a},
    Range{0x064b, 0x065f},   Range{0x0670, 0x0670},   Range{0x06d6, 0x06dc}, Range{0x06df, 0x06e4},
    Range{0x06e7, 0x06e8},   Range{0x06ea, 0x06ed},   Range{0x0711, 0x0711}, Range{0x0730, 0x074a},
    Range{0x0900, 0x0902},   Range{0x093a, 0x093a},   Range{0x093c, 0x093c}, Range{0x0941, 0x0948},
    Range{0x094d, 0x094d},   Range{0x0951, 0x0957},   Range{0x0962, 0x0963}, Range{0x0e31, 0x0e31},
    Range{0x0e34, 0x0e3a},   Range{0x0e47, 0x0e4e},   Range{0x1160, 0x11ff}, Range{0x1ab0, 0x1aff},
    Range{0x1dc0, 0x1dff},   Range{0x200b, 0x200f},   Range{0x20d0, 0x20f0}, Range{0x302a, 0x302d},
    Range{0x3099, 0x309a},   Range{0xfe00, 0xfe0f},   Range{0xfe20, 0xfe2f}, Range{0xfeff, 0xfeff},
    Range{0x1f3fb, 0x1f3ff}, Range{0xe0100, 0xe01ef},
};

// In order. Scripts of East Asia and emoji.
constexpr std::array two_columns = {
    Range{0x1100, 0x115f},   Range{0x231a, 0x231b},   Range{0x23e9, 0x23ec},
    Range{0x2614, 0x2615},   Range{0x2648, 0x2653},   Range{0x26bd, 0x26be},
    Range{0x2705, 0x2705},   Range{0x2728, 0x2728},   Range{0x274c, 0x274c},
    Range{0x2753, 0x2755},   Range{0x2e80, 0x303e},   Range{0x3041, 0x33ff},
    Range{0x3400, 0x4dbf},   Range{0x4e00, 0x9fff},   Range{0xa000, 0xa4cf},
    Range{0xa960, 0xa97f},   Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},
    Range{0xfe30, 0xfe6f},   Range{0xff01, 0xff60},   Range{0xffe0, 0xffe6},
    Range{0x1f300, 0x1f64f}, Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff},
    Range{0x20000, 0x3fffd},
};

bool is_in(std::span<const Range> ranges, std::uint32_t code) {
  const auto after = std::ranges::upper_bound(ranges, code, {}, &Range::first);
  return after != ranges.begin() && code <= std::prev(after)->last;
}

// Takes a character off the front; of bytes that are none, one byte as if it were a letter.
std::uint32_t take(std::string_view& text) {
  constexpr std::uint32_t letter = 'x';
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length == 1 || length > text.size()) {
    text.remove_prefix(1);
    return first < 0x80 ? first : letter;
  }
  std::uint32_t code = first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xc0U) != 0x80U) {
      text.remove_prefix(1);
      return letter;
    }
    code = code << 6U | (byte & 0x3fU);
  }
  text.remove_prefix(length);
  return code;
}

}  // namespace

std::size_t text_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const std::uint32_t code = take(text);
    if (is_in(no_column, code)) continue;
    width += is_in(two_columns, code) ? std::size_t{2} : std::size_t{1};
  }
  return width;
}

}  // namespace cli
