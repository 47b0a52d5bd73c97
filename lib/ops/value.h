// Texts and typed values: what an option's text means, and how its value is written back.
//
// A module adds its own types to the command line by specialising Value, as the ones here do.
#pragma once

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "async/endpoint.h"
#include "async/time.h"

namespace ops {

// What is wrong with a text, as the end of a sentence that begins with the option's name: "must be
// HOST:PORT".
using BadValue = std::unexpected<std::string>;
template <typename T>
using Parsed = std::expected<T, std::string>;

template <typename T>
struct Value;

// Texts in, texts out. Stateless; any thread.
template <typename T>
concept OptionValue = requires(std::string_view text, const T& value) {
  { Value<T>::parse(text) } -> std::same_as<Parsed<T>>;
  { Value<T>::text(value) } -> std::same_as<std::string>;
};

template <>
struct Value<std::string> {
  static Parsed<std::string> parse(std::string_view text) { return std::string(text); }
  static std::string text(const std::string& value) { return value; }
};

template <>
struct Value<std::filesystem::path> {
  static Parsed<std::filesystem::path> parse(std::string_view text) {
    if (text.empty()) return BadValue("must name a file");
    return std::filesystem::path(text);
  }
  static std::string text(const std::filesystem::path& value) { return value.string(); }
};

template <>
struct Value<bool> {
  static Parsed<bool> parse(std::string_view text) {
    if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "0" || text == "no" || text == "off") return false;
    return BadValue("must be true or false");
  }
  static std::string text(bool value) { return value ? "true" : "false"; }
};

// Whole numbers, of the type's own range: no sign for unsigned ones, no spaces, no 0x, nothing
// after the digits.
template <std::integral T>
struct Value<T> {
  static Parsed<T> parse(std::string_view text) {
    T value{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error == std::errc() && rest == end) return value;
    return BadValue("must be a whole number from " + std::to_string(std::numeric_limits<T>::min()) +
                    " to " + std::to_string(std::numeric_limits<T>::max()));
  }
  static std::string text(T value) { return std::to_string(value); }
};

// "250ms", "4s", "15m", "2h": a whole number and its unit.
template <>
struct Value<async::Duration> {
  static Parsed<async::Duration> parse(std::string_view text);
  static std::string text(async::Duration value);
};

template <>
struct Value<async::Endpoint> {
  static Parsed<async::Endpoint> parse(std::string_view text);
  static std::string text(const async::Endpoint& value) { return value.text(); }
};

}  // namespace ops
