#include "ops/config_file.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <utility>

#include "ops/failure.h"
#include "ops/files.h"

namespace ops {
namespace {

bool is_bare(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '-' || letter == '_';
}

// Reads from the front of a text; every error names the line that it stands on.
class Reader {
 public:
  Reader(std::string_view text, std::string_view path) : rest_(text), path_(path) {}

  ConfigFile read() {
    ConfigFile file;
    for (skip_blank_lines(); !rest_.empty(); skip_blank_lines()) {
      const int line = line_;
      if (peek() == '[')
        fail("has a [table]; options stand at the top level, one `key = value` a line");
      const std::string key = read_key();
      skip_spaces();
      if (!take('=')) fail("lacks a `=` after '" + key + "'");
      skip_spaces();
      ConfigEntry entry{.values = read_values(), .line = line};
      expect_end_of_line();
      if (!file.emplace(key, std::move(entry)).second) fail("sets '" + key + "' a second time");
    }
    return file;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Failure(ExitCode::config,
                  std::string(path_) + " line " + std::to_string(line_) + " " + what + ".");
  }
  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char next() {
    const char letter = rest_.front();
    rest_.remove_prefix(1);
    if (letter == '\n') ++line_;
    return letter;
  }
  bool take(char letter) {
    if (peek() != letter || rest_.empty()) return false;
    next();
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') next();
  }
  void skip_comment() {
    if (peek() != '#') return;
    while (!rest_.empty() && peek() != '\n') next();
  }
  void skip_blank_lines() {
    do {
      skip_spaces();
      skip_comment();
    } while (take('\n'));
  }
  void expect_end_of_line() {
    skip_spaces();
    skip_comment();
    if (rest_.empty() || peek() == '\n') return;
    fail("has something after its value; a text stands in \"quotes\"");
  }

  std::string read_word() {
    std::string word;
    while (!rest_.empty() && is_bare(peek())) word.push_back(next());
    return word;
  }
  std::string read_key() {
    std::string key = peek() == '"' ? read_basic_string() : read_word();
    if (key.empty()) fail("does not begin with an option's name");
    return key;
  }

  std::vector<std::string> read_values() {
    if (!take('[')) return {read_value()};
    std::vector<std::string> values;
    while (true) {
      skip_blank_lines();
      if (take(']')) return values;
      values.push_back(read_value());
      skip_blank_lines();
      if (take(']')) return values;
      if (!take(',')) fail("has an array that does not end with ']'");
    }
  }
  std::string read_value() {
    if (peek() == '"') return read_basic_string();
    if (peek() == '\'') return read_literal_string();
    std::string word = read_bare_value();
    const bool is_number =
        !word.empty() && std::ranges::all_of(word.substr(word[0] == '-' ? 1 : 0), [](char letter) {
          return std::isdigit(static_cast<unsigned char>(letter)) != 0;
        });
    if (is_number || word == "true" || word == "false") return word;
    fail("needs a \"text\" in quotes, a whole number, true, false, or an array of those");
  }
  std::string read_bare_value() {
    std::string word;
    while (!rest_.empty() && std::strchr(" \t\r\n,]#", peek()) == nullptr) word.push_back(next());
    return word;
  }
  std::string read_literal_string() {
    next();
    std::string text;
    while (!rest_.empty() && peek() != '\'' && peek() != '\n') text.push_back(next());
    if (!take('\'')) fail("has a text without its closing quote");
    return text;
  }
  std::string read_basic_string() {
    next();
    std::string text;
    while (!rest_.empty() && peek() != '"' && peek() != '\n') {
      const char letter = next();
      text.push_back(letter == '\\' ? read_escape() : letter);
    }
    if (!take('"')) fail("has a text without its closing quote");
    return text;
  }
  char read_escape() {
    constexpr std::string_view names = "\"\\ntrbf";
    constexpr std::string_view meanings = "\"\\\n\t\r\b\f";
    const std::size_t which = names.find(peek());
    if (rest_.empty() || which == std::string_view::npos)
      fail("has an escape that is not \\\" \\\\ \\n \\t \\r \\b \\f");
    next();
    return meanings[which];
  }

  std::string_view rest_;
  std::string_view path_;
  int line_ = 1;
};

}  // namespace

ConfigFile parse_config(std::string_view text, std::string_view path) {
  return Reader(text, path).read();
}

ConfigFile read_config_file(const std::string& path) {
  const std::expected<std::string, std::string> text = read_file(path);
  if (text) return parse_config(*text, path);
  throw Failure(ExitCode::config,
                "The configuration file " + path + " cannot be read: " + text.error() + ".");
}

std::string quote_config_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    switch (letter) {
      case '"':
        quoted += "\\\"";
        break;
      case '\\':
        quoted += "\\\\";
        break;
      case '\n':
        quoted += "\\n";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\b':
        quoted += "\\b";
        break;
      case '\f':
        quoted += "\\f";
        break;
      default:
        quoted += letter;
    }
  }
  return quoted + "\"";
}

}  // namespace ops
