#include "bank/pages.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <sodium.h>

namespace bank {
namespace {

constexpr std::size_t hex_digits = 16;  // Of 64 bits in hexadecimal.

std::optional<std::uint64_t> read_hex(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

PageTokens::PageTokens(std::span<const std::uint8_t, key_size> key) {
  static_assert(key_size == crypto_shorthash_KEYBYTES);
  std::ranges::copy(key, key_.begin());
}

std::string PageTokens::make(std::string_view list, std::uint64_t place) const {
  const std::string sealed = fmt::format("{:016x} {}", place, list);
  std::array<unsigned char, crypto_shorthash_BYTES> seal{};
  crypto_shorthash(seal.data(), reinterpret_cast<const unsigned char*>(sealed.data()),
                   sealed.size(), key_.data());
  std::uint64_t number = 0;
  for (const unsigned char byte : seal) number = (number << 8U) | byte;
  return fmt::format("{:016x}{:016x}", place, number);
}

std::optional<std::uint64_t> PageTokens::read(std::string_view list, std::string_view token) const {
  if (token.size() != 2 * hex_digits) return std::nullopt;
  const std::optional<std::uint64_t> place = read_hex(token.substr(0, hex_digits));
  if (!place || make(list, *place) != token) return std::nullopt;
  return place;
}

std::expected<Page, std::string_view> PageTokens::page(std::string_view list, std::uint32_t size,
                                                       std::string_view token,
                                                       PageSizes sizes) const {
  if (size > sizes.max) return std::unexpected("page_size");
  Page page{.size = size == 0 ? sizes.usual : size, .from = 0};
  if (token.empty()) return page;
  const std::optional<std::uint64_t> from = read(list, token);
  if (!from) return std::unexpected("page_token");
  page.from = *from;
  return page;
}

}  // namespace bank
