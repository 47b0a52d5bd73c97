// Pages: how long lists are told in pieces that fit into a frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bank {

// How many entries a page has: by default, and at most.
struct PageSizes {
  std::uint32_t usual;
  std::uint32_t max;
};
inline constexpr PageSizes statement_page_sizes{.usual = 10, .max = 100};
inline constexpr PageSizes operator_page_sizes{.usual = 50, .max = 200};

// A page ends early rather than outgrow a frame (65,535 bytes): long reasons and evidence make
// large entries, of at most 2 KiB.
inline constexpr std::size_t page_bytes_max = 60'000;

// Makes the texts that name a place in a list, and reads them back. What a caller sends is believed
// only if this bank made it for this very list; who makes one up is told that it is malformed. They
// outlive a restart. A value; one thread.
class PageTokens {
 public:
  static constexpr std::size_t key_size = 16;

  // `key`: the bank's instance id.
  explicit PageTokens(std::string_view key);

  // `list` names the list and whose it is: "statement jane".
  std::string make(std::string_view list, std::uint64_t place) const;
  std::optional<std::uint64_t> read(std::string_view list, std::string_view token) const;

 private:
  std::array<unsigned char, key_size> key_{};
};

}  // namespace bank
