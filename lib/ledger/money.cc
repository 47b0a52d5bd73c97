#include "ledger/money.h"

#include <algorithm>
#include <array>

namespace ledger {
namespace {

// ISO 4217's list, but for what is no money or has no minor unit.
constexpr std::string_view listed =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND "
    "BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU "
    "CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP "
    "GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES "
    "KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR "
    "PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD "
    "SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS "
    "UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF "
    "XTS YER ZAR ZMW ZWG ";

// Its exceptions from two digits.
constexpr std::array<std::string_view, 16> without_minor_units = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
    "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF"};
constexpr std::array<std::string_view, 7> with_three_digits = {"BHD", "IQD", "JOD", "KWD",
                                                               "LYD", "OMR", "TND"};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

std::string places(int digits) {
  if (digits == 0) return "no digits after a point";
  return "at most " + std::to_string(digits) + " digits after the point";
}

std::string no_amount(std::string_view text, std::string_view why) {
  return "'" + std::string(text) + "' is not an amount: " + std::string(why);
}

}  // namespace

std::string Currency::text() const {
  if (!is_set()) return {};
  std::string text(3, ' ');
  text[0] = static_cast<char>(packed_ >> 16U);
  text[1] = static_cast<char>((packed_ >> 8U) & 0xffU);
  text[2] = static_cast<char>(packed_ & 0xffU);
  return text;
}

bool Currency::is_listed() const {
  return is_set() && listed.find(text() + " ") != std::string_view::npos;
}

std::expected<Currency, std::string> parse_listed(std::string_view text) {
  const std::optional<Currency> currency = Currency::parse(text);
  if (currency && currency->is_listed()) return *currency;
  return std::unexpected("must be one of ISO 4217, three capital letters, as EUR, not \"" +
                         std::string(text) + "\"");
}

int Currency::minor_digits() const {
  const std::string code = text();
  if (std::ranges::find(without_minor_units, code) != without_minor_units.end()) return 0;
  if (code == "XPF") return 0;
  if (std::ranges::find(with_three_digits, code) != with_three_digits.end()) return 3;
  if (code == "CLF" || code == "UYW") return 4;
  return 2;
}

std::optional<std::string> why_not_major_units(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view major = text.substr(0, point);
  const std::string_view minor = text.substr(std::min(point + 1, text.size()));
  if (major.empty()) return no_amount(text, "it needs digits, as in 60 or 60.00");
  if (!std::ranges::all_of(major, is_digit) || !std::ranges::all_of(minor, is_digit)) {
    return no_amount(text, "only digits and one point, as in 60 or 60.00");
  }
  if (point < text.size() && minor.empty()) return no_amount(text, "nothing follows its point");
  return std::nullopt;
}

std::expected<Cents, std::string> parse_major_units(std::string_view text, Currency currency) {
  if (auto why = why_not_major_units(text)) return std::unexpected(*std::move(why));
  const auto refuse = [&](std::string_view why) { return std::unexpected(no_amount(text, why)); };
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view major = text.substr(0, point);
  const std::string_view minor = text.substr(std::min(point + 1, text.size()));
  const int digits = currency.minor_digits();
  if (minor.size() > static_cast<std::size_t>(digits)) {
    return refuse(currency.text() + " has " + places(digits));
  }
  std::string shifted(major);
  shifted += minor;
  shifted.append(static_cast<std::size_t>(digits) - minor.size(), '0');
  std::int64_t value = 0;
  for (const char digit : shifted) {
    if (__builtin_mul_overflow(value, std::int64_t{10}, &value) ||
        __builtin_add_overflow(value, std::int64_t{digit - '0'}, &value)) {
      return refuse("it is too large");
    }
  }
  return Cents{value};
}

std::string major_units(Cents amount, Currency currency) {
  const bool negative = amount.value < 0;
  // Negating the smallest number does not fit; its magnitude does, unsigned.
  std::uint64_t magnitude = static_cast<std::uint64_t>(amount.value);
  if (negative) magnitude = ~magnitude + 1;
  std::string digits = std::to_string(magnitude);
  const auto places = static_cast<std::size_t>(currency.minor_digits());
  if (places > 0) {
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    digits.insert(digits.size() - places, 1, '.');
  }
  return negative ? "-" + digits : digits;
}

std::string to_text(const Money& money) {
  return major_units(money.amount, money.currency) + " " + money.currency.text();
}

std::string to_text(std::span<const Cents> amounts, Currency currency) {
  const std::string nothing_minor =
      currency.minor_digits() == 0
          ? ""
          : "." + std::string(static_cast<std::size_t>(currency.minor_digits()), '0');
  std::string text;
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    std::string each = major_units(amounts[i], currency);
    if (each.ends_with(nothing_minor)) each.resize(each.size() - nothing_minor.size());
    if (i > 0) text += i + 1 == amounts.size() ? " and " : ", ";
    text += each;
  }
  return text + " " + currency.text();
}

}  // namespace ledger
