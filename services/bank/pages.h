// Pages: how long lists are told in pieces that fit into a frame.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

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

// What is asked for: at most `size` entries, from `from` on; 0: from the beginning.
struct Page {
  std::size_t size = 0;
  std::uint64_t from = 0;
};

// Whether another entry of so many bytes fits into the page.
class PageRoom {
 public:
  bool takes(std::size_t entry_bytes) {
    constexpr std::size_t overhead = 8;  // Tag and length.
    bytes_ += entry_bytes + overhead;
    return bytes_ <= page_bytes_max;
  }

 private:
  std::size_t bytes_ = 0;
};

// Adds to `to` what `make` makes of each entry, if anything, until the page is full.
// Returns the place where the next page begins, or 0 if there were no more entries.
template <typename Entries, typename Make, typename PlaceOf, typename Repeated>
std::uint64_t fill_page(const Entries& entries, const Page& page, Make make, PlaceOf place_of,
                        Repeated* to) {
  PageRoom room;
  for (const auto& entry : entries) {
    auto message = make(entry);
    if (!message) continue;
    const bool is_full = static_cast<std::size_t>(to->size()) == page.size;
    if (is_full || !room.takes(message->ByteSizeLong())) return place_of(entry);
    *to->Add() = std::move(*message);
  }
  return 0;
}

// Makes the texts that name a place in a list, and reads them back. What a caller sends is believed
// only if this bank made it for this very list; who makes one up is told that it is malformed. They
// outlive a restart. A place is never 0. A value; one thread.
class PageTokens {
 public:
  static constexpr std::size_t key_size = 16;

  // `key`: the bank's instance id.
  explicit PageTokens(std::span<const std::uint8_t, key_size> key);

  // `list` names the list and whose it is: "statement jane".
  std::string make(std::string_view list, std::uint64_t place) const;
  std::optional<std::uint64_t> read(std::string_view list, std::string_view token) const;

  // What a request asks for, or the name of the field that is wrong.
  template <typename Request>
  std::expected<Page, std::string_view> page(std::string_view list, const Request& request,
                                             PageSizes sizes) const {
    return page(list, request.page_size(), request.page_token(), sizes);
  }

 private:
  std::expected<Page, std::string_view> page(std::string_view list, std::uint32_t size,
                                             std::string_view token, PageSizes sizes) const;

  std::array<unsigned char, key_size> key_{};
};

}  // namespace bank
