// Text as somebody chooses it who wants others to read what is not there, and how to see that it
// did not get through.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace ops {

// One word in its place shows what a line looks like that nobody forged.
inline constexpr std::string_view harmless_text = "jane";

// Begins lines, moves the cursor, turns the letters around, hides some, and ends fields and strings.
// Valid UTF-8, so that it goes over the wire.
inline constexpr std::string_view hostile_text =
    "a\nb\r\tc\x1b[2J\x7f\x08\xc2\x9b"
    "1A\xc2\x85\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c"
    "\xe2\x80\x8b\xef\xbb\xbf\xf3\xa0\x81\x81\x1f"
    "admin\x1d"
    "true\x1e\" status=OK\",\"x\":\"\\";

// The same with bytes that are no characters: a C1 of Latin-1, a torn one, an overlong newline.
inline std::string torn_text() {
  return std::string(hostile_text) + "\x9b\xe2\x80\xc0\x8a\xed\xa0\x80\xff";
}

// What is wrong with text that is about to be read; empty if nothing is. Newlines belong to whoever
// prints.
inline std::string fault_in(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) {
      return at < text.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(text[at]))
                              : 0U;
    };
    const std::uint32_t first = byte(i);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t code = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t k = 1; k < length; ++k) {
      if ((byte(i + k) & 0xc0U) != 0x80) return "a torn character at " + std::to_string(i);
      code = code * 64 + (byte(i + k) & 0x3fU);
    }
    const bool is_control = (code < 0x20 && code != '\n') || (code >= 0x7f && code < 0xa0);
    const bool is_overlong = (length == 2 && code < 0x80) || (length == 3 && code < 0x800);
    const bool turns = code == 0x061c || code == 0x200e || code == 0x200f ||
                       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
    const bool hides = code == 0x200b || code == 0xfeff || (code >= 0xe0000 && code < 0xe0080);
    if (is_control || is_overlong || turns || hides || first > 0xf4) {
      return "character " + std::to_string(code) + " at " + std::to_string(i);
    }
    i += length;
  }
  return "";
}

inline std::ptrdiff_t line_count(std::string_view text) { return std::ranges::count(text, '\n'); }

}  // namespace ops
