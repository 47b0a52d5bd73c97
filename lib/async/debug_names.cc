#include "async/debug_names.h"

#include <cstdlib>
#include <cxxabi.h>
#include <memory>

namespace async::detail {

namespace {

void remove_all(std::string& text, std::string_view what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.erase(at, what.size());
  }
}

// Where the list of parameters begins: the first parenthesis outside of a template's arguments
// that is not part of "operator()".
std::size_t parameters_of(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '<') ++depth;
    if (text[i] == '>') --depth;
    if (text[i] == '(' && depth == 0 && !text.substr(0, i).ends_with("operator")) return i;
  }
  return text.size();
}

// After the result's type, which may have spaces only among a template's arguments.
std::size_t name_before(std::string_view text) {
  int depth = 0;
  for (std::size_t i = text.size(); i > 0; --i) {
    if (text[i - 1] == '>') ++depth;
    if (text[i - 1] == '<') --depth;
    if (text[i - 1] == ' ' && depth == 0) return i;
  }
  return 0;
}

}  // namespace

std::string function_name(std::string_view pretty) {
  for (const std::string_view lambda : {"::(anonymous class)::operator()", "::<lambda"}) {
    if (const auto at = pretty.find(lambda); at != std::string_view::npos) {
      return "a lambda of " + function_name(pretty.substr(0, at));
    }
  }
  std::string text(pretty);
  for (const std::string_view anonymous : {"(anonymous namespace)::", "{anonymous}::"}) {
    remove_all(text, anonymous);
  }
  text.resize(parameters_of(text));
  text.erase(0, name_before(text));
  for (const std::string_view own : {"async::detail::", "async::"}) {
    if (text.starts_with(own)) text.erase(0, own.size());
  }
  // gather() and first_of() do their work under these names.
  for (const std::string_view suffix : {"_each", "_task"}) {
    if (text == "gather" + std::string(suffix) || text == "first_of" + std::string(suffix) ||
        text == "sleep" + std::string(suffix)) {
      text.resize(text.size() - suffix.size());
    }
  }
  return text;
}

std::string named(const std::source_location& place) {
  std::string_view file = place.file_name();
  if (const auto last = file.rfind('/'); last != std::string_view::npos && last > 0) {
    if (const auto folder = file.rfind('/', last - 1); folder != std::string_view::npos) {
      file.remove_prefix(folder + 1);
    }
  }
  return function_name(place.function_name()) + " (" + std::string(file) + ":" +
         std::to_string(place.line()) + ")";
}

std::string readable_type(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled, nullptr, nullptr, &status), &std::free);
  std::string type = status == 0 ? text.get() : mangled;
  remove_all(type, "(anonymous namespace)::");
  return type;
}

}  // namespace async::detail
