#include "ops/help.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>
#include <vector>

namespace ops {
namespace {

constexpr std::size_t columns = 100;
constexpr std::size_t left_column_max = 30;

using Row = std::pair<std::string, std::string>;

// Breaks `text` at spaces so that it fits to the right of `indent`.
std::string wrapped(std::string_view text, std::size_t indent) {
  std::string lines;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    if (column > indent && column + 1 + word.size() > columns) {
      lines += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      lines += ' ';
      ++column;
    }
    lines += word;
    column += word.size();
    text.remove_prefix(std::min(space + 1, text.size()));
  }
  return lines;
}

std::string table(const std::string& title, const std::vector<Row>& rows) {
  if (rows.empty()) return "";
  std::size_t width = 0;
  for (const Row& row : rows) {
    if (row.first.size() <= left_column_max) width = std::max(width, row.first.size());
  }
  std::string text = "\n" + title + ":\n";
  for (const auto& [left, right] : rows) {
    text += "  " + left;
    if (left.size() > width) {
      text += "\n" + std::string(width + 4, ' ');
    } else {
      text += std::string(width - left.size() + 2, ' ');
    }
    text += wrapped(right, width + 4) + "\n";
  }
  return text;
}

}  // namespace

std::string Help::text(const Command& command) const {
  std::string text = command.path() + ": " + command.summary_ + "\n";
  if (!command.examples_.empty()) text += "\nExamples:\n";
  for (const std::string& example : command.examples_) text += "  " + example + "\n";
  text += usage(command) + commands(command) + arguments(command);
  text += options(command, "Options");
  for (const Command* parent = command.parent_; parent != nullptr; parent = parent->parent_) {
    text += options(*parent, "Options of " + parent->path());
  }
  if (!command.footer_.empty()) text += "\n" + command.footer_ + "\n";
  return text;
}

std::string Help::usage(const Command& command) const {
  std::string line = "\nUsage: " + command.path();
  if (!command.commands_.empty()) line += command.body_ ? " [COMMAND]" : " COMMAND";
  for (const auto& argument : command.arguments_) {
    const std::string name = argument->name_ + (argument->repeatable_ ? "..." : "");
    line += argument->required_ || argument->repeatable_ ? " " + name : " [" + name + "]";
  }
  for (const auto& option : command.options_) {
    if (!option->required_) continue;
    line += " --" + option->name_ + (option->secret_ ? "-file " : " ") + option->placeholder_;
  }
  return line + " [OPTIONS]\n";
}

std::string Help::commands(const Command& command) const {
  std::vector<Row> rows;
  for (const auto& sub : command.commands_) rows.emplace_back(sub->name_, sub->summary_);
  std::string text = table("Commands", rows);
  if (!rows.empty()) text += "  " + command.path() + " COMMAND --help says more.\n";
  return text;
}

std::string Help::arguments(const Command& command) const {
  std::vector<Row> rows;
  for (const auto& argument : command.arguments_)
    rows.emplace_back(argument->name_, argument->help_);
  return table("Arguments", rows);
}

std::string Help::options(const Command& command, const std::string& title) const {
  std::vector<Row> rows;
  std::vector<Row> common;  // Those that every program has: last.
  for (const auto& option : command.options_) {
    if (option->hidden_) continue;
    std::string left =
        option->short_name_ == 0 ? "" : std::string("-") + option->short_name_ + ", ";
    left += "--" + option->name_ + (option->secret_ ? "-file" : "");
    if (!option->placeholder_.empty()) left += " " + option->placeholder_;
    std::string notes = option->required_ ? "required" : "";
    if (!option->limits_.empty()) notes += (notes.empty() ? "" : "; ") + option->limits_;
    if (!option->placeholder_.empty() && !option->secret_ && !option->required_) {
      std::string builtin;
      for (const std::string& value : option->texts_())
        builtin += (builtin.empty() ? "" : ",") + value;
      if (!builtin.empty()) notes += (notes.empty() ? "" : "; ") + ("default " + builtin);
    }
    if (!option->flag_only_) {
      std::string variable = prefix_;
      for (const char letter : option->name_) {
        variable += letter == '-'
                        ? '_'
                        : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
      }
      notes += (notes.empty() ? "" : "; ") + variable;
    }
    std::vector<Row>& to = option->common_ ? common : rows;
    to.emplace_back(left, option->help_ + (notes.empty() ? "" : " [" + notes + "]"));
  }
  rows.insert(rows.end(), common.begin(), common.end());
  return table(title, rows);
}

}  // namespace ops
