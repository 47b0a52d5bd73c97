// Trace: W3C Trace Context, which ties together what one customer's action does in several
// programs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "async/random.h"

namespace rpc {

// A position in a trace, or none. A value; cheap to copy.
struct Trace {
  std::array<std::byte, 16> trace_id{};
  std::array<std::byte, 8> span_id{};
  std::uint8_t flags = 0;

  // A trace that begins here.
  static Trace make(async::Random& random);
  // Reads a `traceparent` of version 00, or the first four fields of a later version. Returns
  // nullopt if it is malformed.
  static std::optional<Trace> parse(std::string_view traceparent) noexcept;
  // The same trace, one step further in. Of no trace: none.
  Trace child(async::Random& random) const;

  bool is_set() const noexcept { return trace_id != std::array<std::byte, 16>{}; }
  // "00-<32 hex>-<16 hex>-<2 hex>"; empty when there is none.
  std::string text() const;
  // The trace id alone, for logs: 32 hex digits; empty when there is none.
  std::string id_text() const;

  static constexpr std::size_t text_size = 55;
  // Writes exactly text_size characters.
  void write_text(char* target) const noexcept;

  friend bool operator==(const Trace&, const Trace&) = default;
};

}  // namespace rpc
