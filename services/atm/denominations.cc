#include "atm/denominations.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "atm/mix.h"

namespace atm {

namespace {

// In major units.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> usual_notes = {{
    {"AUD", "5,10,20,50,100"},       {"BHD", "0.5,1,5,10,20"},
    {"BRL", "2,5,10,20,50,100"},     {"CAD", "5,10,20,50,100"},
    {"CHF", "10,20,50,100,200"},     {"CNY", "10,20,50,100"},
    {"CZK", "100,200,500,1000"},     {"DKK", "50,100,200,500"},
    {"EUR", "5,10,20,50,100,200"},   {"GBP", "5,10,20,50"},
    {"HKD", "20,50,100,500"},        {"INR", "50,100,200,500"},
    {"JPY", "1000,2000,5000,10000"}, {"KRW", "1000,5000,10000,50000"},
    {"KWD", "0.25,0.5,1,5,10,20"},   {"MXN", "20,50,100,200,500"},
    {"NOK", "50,100,200,500"},       {"PLN", "10,20,50,100,200"},
    {"SEK", "20,50,100,200,500"},    {"USD", "1,5,10,20,50,100"},
}};

std::vector<std::string_view> parts_of(std::string_view list) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    parts.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

std::optional<std::vector<Cents>> usual_denominations(Currency currency) {
  const std::string code = currency.text();
  for (const auto& [known, notes] : usual_notes) {
    if (known == code) return *parse_denominations({std::string(notes)}, currency);
  }
  return std::nullopt;
}

std::expected<std::vector<Cents>, std::string> parse_denominations(
    const std::vector<std::string>& listed, Currency currency) {
  std::vector<Cents> denominations;
  for (const std::string& list : listed) {
    for (const std::string_view text : parts_of(list)) {
      const auto parsed = ledger::parse_major_units(text, currency);
      if (!parsed) return std::unexpected("must list amounts, and " + parsed.error());
      if (*parsed < Cents{1} || *parsed > denomination_max) {
        return std::unexpected("lists notes of " + std::string(text) + " " + currency.text() +
                               ", which do not exist");
      }
      denominations.push_back(*parsed);
    }
  }
  if (denominations.empty()) return std::unexpected("names no notes");
  std::ranges::sort(denominations);
  if (std::ranges::adjacent_find(denominations) != denominations.end()) {
    return std::unexpected("names a note twice");
  }
  std::int64_t unit = 0;
  for (const Cents each : denominations) unit = std::gcd(unit, each.value);
  if (denominations.back().value / unit > units_max / notes_per_dispense_max) {
    return std::unexpected("lists notes too different for one ATM: " +
                           ledger::to_text(denominations, currency));
  }
  return denominations;
}

}  // namespace atm
