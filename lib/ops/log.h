// Logs: one line an event, a sentence and its fields.
//
//   log.info("listening", {{"address", endpoint.text()}, {"connections_max", 1024}});
//
// is one JSON object where standard output is no terminal, and a line for people where it is one:
//
//   {"ts":"2026-11-23T13:05:09.123456Z","level":"info","logger":"bankd","msg":"listening",
//    "address":"127.0.0.1:7001","connections_max":1024}
//
// Whatever a peer sends may be a field: it comes out as ForeignText, so that no text can forge a
// field or a line at any level. Never a PIN, and of a card number only mask_card().
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "ops/value.h"

namespace spdlog {
class logger;
}

namespace ops {

enum class LogLevel : std::uint8_t { debug, info, warn, error };
// automatic: text on a terminal, JSON elsewhere.
enum class LogFormat : std::uint8_t { automatic, json, text };

// A key and its value. A view: lives for the call that it is given to.
struct LogField {
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(text) {}
  LogField(std::string_view field_key, const char* text)
      : key(field_key), value(std::string_view(text)) {}
  LogField(std::string_view field_key, const std::string& text)
      : key(field_key), value(std::string_view(text)) {}
  LogField(std::string_view field_key, bool truth) : key(field_key), value(truth) {}
  template <std::signed_integral T>
  LogField(std::string_view field_key, T number) : key(field_key), value(std::int64_t{number}) {}
  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  LogField(std::string_view field_key, T number) : key(field_key), value(std::uint64_t{number}) {}

  std::string_view key;
  std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;
};

// Writes events. Cheap to copy; copies share one sink and one level. Made in main and passed on;
// any thread.
class Log {
 public:
  using Fields = std::initializer_list<LogField>;

  // Writes to standard output, on a thread of its own: whoever reads it may stop without stopping
  // the caller, and then loses the oldest lines. All lines are out when the last copy is destroyed.
  static Log to_stdout(std::string name, LogLevel level, LogFormat format = LogFormat::automatic);
  // For tests: into `lines`, which must outlive it.
  static Log to_string(std::string name, LogLevel level, LogFormat format, std::string& lines);

  // The same log under another name: "rpc".
  Log named(std::string name) const;

  void debug(std::string_view message, Fields fields = {}) const {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, Fields fields = {}) const {
    write(LogLevel::info, message, fields);
  }
  void warn(std::string_view message, Fields fields = {}) const {
    write(LogLevel::warn, message, fields);
  }
  void error(std::string_view message, Fields fields = {}) const {
    write(LogLevel::error, message, fields);
  }
  void write(LogLevel level, std::string_view message, Fields fields) const {
    write(level, message, std::span(fields.begin(), fields.size()));
  }
  // Fields that were collected one by one.
  void write(LogLevel level, std::string_view message, std::span<const LogField> fields) const;

  // Whether an event of this level goes anywhere: ask before making an expensive field.
  bool writes(LogLevel level) const;
  // For this log and every one that was made from it with named().
  void set_level(LogLevel level) const;

 private:
  struct Shared;
  Log(std::shared_ptr<Shared> shared, std::shared_ptr<spdlog::logger> logger)
      : shared_(std::move(shared)), logger_(std::move(logger)) {}

  std::shared_ptr<Shared> shared_;
  std::shared_ptr<spdlog::logger> logger_;
};

// All but the last four digits as stars: "************0002". Of a short one, everything.
std::string mask_card(std::string_view card_number);

template <>
struct Value<LogLevel> {
  static Parsed<LogLevel> parse(std::string_view text);
  static std::string text(LogLevel level);
};

template <>
struct Value<LogFormat> {
  static Parsed<LogFormat> parse(std::string_view text);
  static std::string text(LogFormat format);
};

}  // namespace ops
