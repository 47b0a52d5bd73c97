#include "ops/command_parser.h"

#include <algorithm>
#include <cctype>
#include <span>

#include <CLI/CLI.hpp>

#include "ops/suggest.h"

namespace ops {
namespace {

// Put before a word that CLI11 would take for something else: -1 for an option, [a] for a list, ""
// for nothing.
constexpr char plain_word_mark = '\x01';

bool needs_mark(const std::string& word) {
  if (word.empty() || word.front() == '[') return true;
  return word.size() > 1 && word[0] == '-' &&
         std::isdigit(static_cast<unsigned char>(word[1])) != 0;
}

std::vector<std::string> mark(const std::vector<std::string>& words) {
  std::vector<std::string> marked;
  bool options_ended = false;
  for (const std::string& word : words) {
    if (options_ended) {
      marked.push_back(plain_word_mark + word);
      continue;
    }
    if (word == "--") {
      options_ended = true;
      continue;
    }
    const std::size_t value = word.starts_with("--") ? word.find('=') : std::string::npos;
    if (value != std::string::npos && value > 2 && needs_mark(word.substr(value + 1))) {
      marked.push_back(word.substr(0, value));
      marked.push_back(plain_word_mark + word.substr(value + 1));
    } else {
      marked.push_back(needs_mark(word) ? plain_word_mark + word : word);
    }
  }
  return marked;
}

std::string unmark(const std::string& word) {
  return !word.empty() && word.front() == plain_word_mark ? word.substr(1) : word;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Command& Parser::parse(const std::vector<std::string>& words) {
  CLI::App app("", root_.name_);
  Command* selected = &root_;
  std::vector<std::pair<CLI::App*, Command*>> apps;
  auto describe = [&apps](auto& self, CLI::App& to, Command& command) -> void {
    apps.emplace_back(&to, &command);
    to.set_help_flag("");
    to.fallthrough();
    to.require_subcommand(0, 1);
    command.given_arguments_.clear();
    for (const auto& argument : command.arguments_) argument->forget();
    for (const auto& option : command.options_) {
      option->forget();
      const bool is_switch = option->placeholder_.empty();
      if (is_switch) {
        const std::string names =
            option->short_name_ == 0
                ? "--" + option->name_
                : std::string("-") + option->short_name_ + ",--" + option->name_;
        to.add_flag(names, option->switched_on_);
        to.add_flag("--no-" + option->name_, option->switched_off_);
      } else {
        const std::string name = "--" + option->name_ + (option->secret_ ? "-file" : "");
        to.add_option(name, option->given_)->allow_extra_args(false);
      }
    }
    if (command.commands_.empty()) to.add_option("arguments", command.given_arguments_);
    for (const auto& sub : command.commands_) self(self, *to.add_subcommand(sub->name_), *sub);
  };
  describe(describe, app, root_);
  app.allow_extras();

  std::vector<std::string> reversed = mark(words);
  std::ranges::reverse(reversed);
  std::string mismatch;
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& error) {
    mismatch = error.what();
  }
  for (const auto& [parsed, command] : apps) {
    if (parsed != &app && parsed->parsed()) selected = command;
  }
  for (const std::string& extra : app.remaining(true)) {
    fail_unexpected(*selected, unmark(extra));
  }
  if (!mismatch.empty()) fail_mismatch(*selected, mismatch);
  hand_out_arguments(*selected);
  return *selected;
}

void Parser::fail_unexpected(const Command& command, const std::string& word) const {
  if (word.size() > 1 && word.front() == '-') fail_unknown_option(command, word);
  std::vector<std::string> names;
  for (const auto& sub : command.commands_) names.push_back(sub->name_);
  const std::string path = command.path();
  if (names.empty()) {
    throw Failure(ExitCode::usage, path + " takes no '" + word + "'. See " + path + " --help.");
  }
  if (std::ranges::find(names, word) != names.end()) {
    throw Failure(ExitCode::usage, "'" + word + "' is a command of " + path +
                                       " and must stand right behind it, before any '--'.");
  }
  throw Failure(ExitCode::usage,
                path + " has no command '" + word + "'" +
                    (nearest(word, names).empty() ? "; it has " + joined(names) + "."
                                                  : did_you_mean(word, names)));
}

void Parser::fail_unknown_option(const Command& command, const std::string& word) const {
  const std::string given = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const Command* one = &command; one != nullptr; one = one->parent_) {
    for (const auto& [refused, why] : one->refused_) {
      if (given == "--" + refused) throw Failure(ExitCode::usage, why);
    }
    for (const auto& option : one->options_) {
      if (option->secret_ && given == "--" + option->name_) {
        throw Failure(
            ExitCode::usage,
            "A secret on the command line can be read by every user of this machine; use " + given +
                "-file FILE.");
      }
      if (!option->hidden_)
        names.push_back("--" + option->name_ + (option->secret_ ? "-file" : ""));
    }
  }
  std::vector<const Command*> owners;
  find_owners(root_, given, owners);
  for (const Command* one = &command; one != nullptr; one = one->parent_) {
    if (std::ranges::find(owners, one) == owners.end()) continue;
    throw Failure(ExitCode::usage,
                  given + " is an option of '" + one->path() + "' and must stand behind that.");
  }
  const std::string meant = did_you_mean(given, names);
  const std::string end = meant.empty() ? "." : meant;
  if (owners.size() == 1) {
    throw Failure(ExitCode::usage, given + " is an option of '" + owners.front()->path() +
                                       "', not of '" + command.path() + "'" + end);
  }
  throw Failure(ExitCode::usage,
                command.path() + " has no option '" + given + "'" +
                    (meant.empty() ? ". See " + command.path() + " --help." : meant));
}

void Parser::find_owners(const Command& command, const std::string& given,
                         std::vector<const Command*>& owners) {
  const auto is_it = [&](const auto& option) {
    return !option->hidden_ && given == "--" + option->name_;
  };
  if (std::ranges::any_of(command.options_, is_it)) owners.push_back(&command);
  for (const auto& sub : command.commands_) find_owners(*sub, given, owners);
}

void Parser::fail_mismatch(const Command& command, const std::string& what) const {
  for (const Command* one = &command; one != nullptr; one = one->parent_) {
    for (const auto& option : one->options_) {
      const std::string name = "--" + option->name_ + (option->secret_ ? "-file" : "");
      if (option->placeholder_.empty() || !what.starts_with(name + ":")) continue;
      throw Failure(ExitCode::usage,
                    name + " needs a value: " + name + " " + option->placeholder_ + ".");
    }
  }
  throw Failure(ExitCode::usage, "This command line cannot be understood (" + what + "). See " +
                                     command.path() + " --help.");
}

void Parser::hand_out_arguments(Command& command) const {
  for (Command* one = &command; one != nullptr; one = one->parent_) {
    for (const auto& option : one->options_) {
      std::ranges::transform(option->given_, option->given_.begin(), unmark);
    }
  }
  std::size_t used = 0;
  const std::vector<std::string>& given = command.given_arguments_;
  for (const auto& argument : command.arguments_) {
    while (used < given.size() && (argument->repeatable_ || argument->given_.empty())) {
      argument->given_.push_back(unmark(given[used++]));
    }
    if (argument->required_ && argument->given_.empty()) {
      throw Failure(ExitCode::usage,
                    command.path() + " needs " + argument->name_ + ": " + argument->help_ + ".");
    }
  }
  if (used < given.size()) {
    const std::string takes = used == 0 ? " takes only options, not '" : " takes no further '";
    std::string after;
    if (used > 0) {
      const Option& last = *command.arguments_.back();
      after = " after " + last.name_ + " (" + last.help_ + ")";
    }
    throw Failure(ExitCode::usage, command.path() + takes + unmark(given[used]) + "'" + after +
                                       ". See " + command.path() + " --help.");
  }
}

Command& Parser::named_by(const std::vector<std::string>& words) {
  Command* command = &root_;
  for (const std::string& word : words) {
    for (const auto& sub : command->commands_) {
      if (sub->name_ != word) continue;
      command = sub.get();
      break;
    }
  }
  return *command;
}

}  // namespace ops
