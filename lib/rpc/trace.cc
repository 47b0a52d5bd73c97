#include "rpc/trace.h"

#include <span>

namespace rpc {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

void write_hex(char*& target, std::span<const std::byte> bytes) noexcept {
  for (const std::byte byte : bytes) {
    *target++ = hex_digits[std::to_integer<unsigned>(byte) >> 4];
    *target++ = hex_digits[std::to_integer<unsigned>(byte) & 15];
  }
}

// Lower case only, as the standard asks; -1 for anything else.
int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

bool read_hex(std::string_view text, std::span<std::byte> bytes) noexcept {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::byte>((high << 4) | low);
  }
  return true;
}

}  // namespace

Trace Trace::make(async::Random& random) {
  Trace trace;
  while (!trace.is_set()) random.fill(trace.trace_id);
  trace.flags = 1;  // Sampled.
  return trace.child(random);
}

Trace Trace::child(async::Random& random) const {
  if (!is_set()) return {};
  Trace trace = *this;
  do {
    random.fill(trace.span_id);
  } while (trace.span_id == std::array<std::byte, 8>{});
  return trace;
}

std::optional<Trace> Trace::parse(std::string_view text) noexcept {
  if (text.size() < text_size) return std::nullopt;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  std::array<std::byte, 1> version{};
  std::array<std::byte, 1> flags{};
  Trace trace;
  if (!read_hex(text, version) || !read_hex(text.substr(3), trace.trace_id)) return std::nullopt;
  if (!read_hex(text.substr(36), trace.span_id) || !read_hex(text.substr(53), flags))
    return std::nullopt;
  // Version ff is forbidden, 00 has exactly these fields, a later one may have more behind a dash.
  if (version[0] == std::byte{0xff}) return std::nullopt;
  if (version[0] == std::byte{0} && text.size() != text_size) return std::nullopt;
  if (text.size() > text_size && text[text_size] != '-') return std::nullopt;
  if (!trace.is_set() || trace.span_id == std::array<std::byte, 8>{}) return std::nullopt;
  trace.flags = std::to_integer<std::uint8_t>(flags[0]);
  return trace;
}

void Trace::write_text(char* target) const noexcept {
  const std::array<std::byte, 1> version{};
  const std::array<std::byte, 1> flag_byte{std::byte{flags}};
  write_hex(target, version);
  *target++ = '-';
  write_hex(target, trace_id);
  *target++ = '-';
  write_hex(target, span_id);
  *target++ = '-';
  write_hex(target, flag_byte);
}

std::string Trace::text() const {
  if (!is_set()) return {};
  std::string text(text_size, '\0');
  write_text(text.data());
  return text;
}

std::string Trace::id_text() const { return text().substr(is_set() ? 3 : 0, 32); }

}  // namespace rpc
