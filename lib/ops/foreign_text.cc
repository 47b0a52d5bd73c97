#include "ops/foreign_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ops {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// What may not come out, in order. U+200C and U+200D are not here: Persian names and many others
// are spelt with them.
constexpr std::array unwanted = {
    Range{0x0000, 0x001f},    // C0.
    Range{0x007f, 0x009f},    // DEL and C1.
    Range{0x00ad, 0x00ad},    // Soft hyphen.
    Range{0x061c, 0x061c},    // Arabic letter mark.
    Range{0x180e, 0x180e},    // Mongolian vowel separator.
    Range{0x200b, 0x200b},    // Zero-width space.
    Range{0x200e, 0x200f},    // Direction marks.
    Range{0x2028, 0x202e},    // Line and paragraph separator, direction embeddings and overrides.
    Range{0x2060, 0x206f},    // Invisible operators, direction isolates.
    Range{0xfeff, 0xfeff},    // Byte order mark.
    Range{0xfff9, 0xfffb},    // Interlinear annotation.
    Range{0xe0000, 0xe007f},  // Tags.
};

// What stands at the front of a text: a character, or a byte that begins none.
struct Letter {
  std::string_view bytes;
  std::uint32_t code = 0;  // Of the character, else of the byte.
  bool is_wanted = false;
};

Letter front_of(std::string_view text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  const Letter torn{.bytes = text.substr(0, 1), .code = first, .is_wanted = false};
  const std::size_t length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (length > 1 && (first < 0xc2 || first > 0xf4)) return torn;
  if (text.size() < length) return torn;
  std::uint32_t code = length == 1 ? first : first & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return torn;
    code = code << 6U | (byte(i) & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < smallest[length] || code > 0x10ffff || is_surrogate) return torn;
  const bool is_wanted = std::ranges::none_of(
      unwanted, [code](Range range) { return code >= range.first && code <= range.last; });
  return {.bytes = text.substr(0, length), .code = code, .is_wanted = is_wanted};
}

bool is_gap(const Letter& letter) {
  const bool is_break = letter.code >= '\t' && letter.code <= '\r';
  const bool is_wide_break =
      letter.bytes.size() > 1 &&
      (letter.code == 0x85 || letter.code == 0x2028 || letter.code == 0x2029);
  return is_break || is_wide_break;
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u";
  for (const unsigned shift : {12U, 8U, 4U, 0U}) out += digits[unit >> shift & 15U];
}

void append_code(std::string& out, std::uint32_t code) {
  if (code == '\n') {
    out += "\\n";
  } else if (code < 0x10000) {
    append_unit(out, code);
  } else {
    append_unit(out, 0xd800 + (code - 0x10000) / 0x400);
    append_unit(out, 0xdc00 + (code - 0x10000) % 0x400);
  }
}

}  // namespace

std::string ForeignText::shown() const {
  std::string out;
  out.reserve(text_.size());
  for (std::string_view left = text_; !left.empty();) {
    const Letter letter = front_of(left);
    if (letter.is_wanted) {
      out += letter.bytes;
    } else {
      out += is_gap(letter) ? ' ' : '?';
    }
    left.remove_prefix(letter.bytes.size());
  }
  return out;
}

std::string ForeignText::escaped() const { return escaped("\"\\"); }

std::string ForeignText::as_json() const { return escaped(""); }

// `beside`: what gets a backslash before it.
std::string ForeignText::escaped(std::string_view beside) const {
  std::string out;
  out.reserve(text_.size());
  for (std::string_view left = text_; !left.empty();) {
    const Letter letter = front_of(left);
    if (!letter.is_wanted) {
      append_code(out, letter.code);
    } else {
      if (beside.find(letter.bytes) != std::string_view::npos) out += '\\';
      out += letter.bytes;
    }
    left.remove_prefix(letter.bytes.size());
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Letter letter = front_of(text);
    if (letter.bytes.size() == 1 && letter.code >= 0x80) return false;
    text.remove_prefix(letter.bytes.size());
  }
  return true;
}

}  // namespace ops
