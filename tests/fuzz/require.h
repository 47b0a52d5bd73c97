// What a fuzz target insists on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

namespace fuzz {

// Ends the process, so that libFuzzer keeps the input, when `holds` is false.
inline void require(bool holds, const char* sentence) {
  if (holds) return;
  std::fprintf(stderr, "NOT SO: %s\n", sentence);
  std::abort();
}

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return std::as_bytes(std::span(data, size));
}
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace fuzz
