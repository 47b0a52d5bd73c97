#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ledger/time.h"

namespace ledger {

// What its caller named a change with, before it was first sent (rule 5): 16 bytes, best a UUIDv7,
// which tells its age, so that a new one needs no look-up. A plain value, for any thread. All zero
// is no id, and refused as malformed.
struct OperationId {
  std::array<std::uint8_t, 16> bytes{};

  // A UUIDv7: 48 bits of milliseconds, then the 74 random bits that fit; the caller brings the
  // randomness.
  static OperationId make(Instant at, std::span<const std::uint8_t, 10> random);

  // Exactly 16 bytes, or nothing.
  static std::optional<OperationId> from_bytes(std::string_view bytes);
  // "0190b5c4-7a3e-7c1d-9f00-0123456789ab", with or without the hyphens, in either case; or
  // nothing.
  static std::optional<OperationId> parse(std::string_view text);

  // When it was made, as its maker's clock had it. Returns nullopt if it is not a UUIDv7.
  std::optional<Instant> made_at() const;

  bool is_set() const { return *this != OperationId(); }
  // The 16 bytes, for the wire.
  std::string_view view() const;
  // With hyphens, in lower case, for people.
  std::string text() const;

  friend constexpr auto operator<=>(const OperationId&, const OperationId&) = default;
};

}  // namespace ledger
