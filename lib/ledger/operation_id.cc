#include "ledger/operation_id.h"

#include <algorithm>
#include <chrono>

namespace ledger {
namespace {

constexpr std::string_view hexadecimal = "0123456789abcdef";

std::optional<std::uint8_t> digit_of(char letter) {
  if (letter >= '0' && letter <= '9') return static_cast<std::uint8_t>(letter - '0');
  if (letter >= 'a' && letter <= 'f') return static_cast<std::uint8_t>(letter - 'a' + 10);
  if (letter >= 'A' && letter <= 'F') return static_cast<std::uint8_t>(letter - 'A' + 10);
  return std::nullopt;
}

// Where the hyphens of the long form stand.
bool is_hyphen_place(std::size_t place) {
  return place == 8 || place == 13 || place == 18 || place == 23;
}

}  // namespace

OperationId OperationId::make(Instant at, std::span<const std::uint8_t, 10> random) {
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(at);
  const auto count = static_cast<std::uint64_t>(milliseconds.time_since_epoch().count());
  OperationId id;
  for (std::size_t place = 0; place < 6; ++place) {
    id.bytes[place] = static_cast<std::uint8_t>(count >> (40 - 8 * place));
  }
  std::ranges::copy(random, id.bytes.begin() + 6);
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0fU) | 0x70U);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fU) | 0x80U);
  return id;
}

std::optional<OperationId> OperationId::from_bytes(std::string_view bytes) {
  OperationId id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::ranges::transform(bytes, id.bytes.begin(),
                         [](char byte) { return static_cast<std::uint8_t>(byte); });
  return id;
}

std::optional<OperationId> OperationId::parse(std::string_view text) {
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  OperationId id;
  std::size_t digits = 0;
  for (std::size_t place = 0; place < text.size(); ++place) {
    if (hyphens && is_hyphen_place(place)) {
      if (text[place] != '-') return std::nullopt;
      continue;
    }
    const std::optional<std::uint8_t> digit = digit_of(text[place]);
    if (!digit) return std::nullopt;
    std::uint8_t& byte = id.bytes[digits / 2];
    byte = static_cast<std::uint8_t>((byte << 4U) | *digit);
    ++digits;
  }
  return id;
}

std::optional<Instant> OperationId::made_at() const {
  const bool is_version_7 = (bytes[6] & 0xf0U) == 0x70U && (bytes[8] & 0xc0U) == 0x80U;
  if (!is_version_7) return std::nullopt;
  std::int64_t milliseconds = 0;
  for (std::size_t place = 0; place < 6; ++place) {
    milliseconds = (milliseconds << 8) | bytes[place];
  }
  return Instant(std::chrono::milliseconds(milliseconds));
}

std::string_view OperationId::view() const {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string OperationId::text() const {
  std::string text;
  text.reserve(36);
  for (const std::uint8_t byte : bytes) {
    if (is_hyphen_place(text.size())) text += '-';
    text += hexadecimal[byte >> 4U];
    text += hexadecimal[byte & 0x0fU];
  }
  return text;
}

}  // namespace ledger
