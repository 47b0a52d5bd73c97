// What every peer knows of the bank: who has how much.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>

inline constexpr int accounts_count = 10'000;

struct ByText {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using Balances = std::unordered_map<std::string, std::int64_t, ByText, std::equal_to<>>;

inline std::string card_number(int card) {
  char text[24];
  std::snprintf(text, sizeof text, "40000000%08d", card);
  return text;
}

inline Balances all_balances() {
  Balances balances;
  balances.reserve(accounts_count);
  for (int card = 0; card < accounts_count; ++card) {
    balances.emplace(card_number(card), 1'000'000'000'000);
  }
  return balances;
}
