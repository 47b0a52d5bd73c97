#include "ops/options.h"

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <sstream>
#include <unistd.h>
#include <utility>

#include "async/check.h"
#include "ops/command_parser.h"
#include "ops/config_file.h"
#include "ops/help.h"
#include "ops/log.h"
#include "ops/resolver.h"

namespace ops {
namespace {

// Calls all of its functions when its scope ends, also by an exception.
struct SetBack {
  SetBack() = default;
  SetBack(const SetBack&) = delete;
  SetBack& operator=(const SetBack&) = delete;
  ~SetBack() {
    for (const auto& set : all) set();
  }
  std::vector<std::function<void()>> all;
};

}  // namespace

std::string Command::path() const {
  return parent_ == nullptr ? name_ : parent_->path() + " " + name_;
}

Command& Command::command(std::string name, std::string summary) {
  commands_.push_back(std::make_unique<Command>(std::move(name), std::move(summary), this));
  return *commands_.back();
}

Option& Command::add(Options& to, std::string name, std::string placeholder, std::string help) {
  to.push_back(std::make_unique<Option>());
  Option& option = *to.back();
  option.name_ = std::move(name);
  option.placeholder_ = std::move(placeholder);
  option.help_ = std::move(help);
  return option;
}

Option& Command::flag(std::string name, bool& variable, std::string help) {
  Option& made = add(options_, std::move(name), "", std::move(help));
  bind(made, variable);
  return made;
}

Option& Command::secret(std::string name, std::string& variable, std::string help) {
  Option& made = add(options_, std::move(name), "FILE", std::move(help));
  bind(made, variable);
  made.secret_ = true;
  return made;
}

void Command::refuse(std::string name, std::string why) {
  refused_.emplace(std::move(name), std::move(why));
}

Command& Command::example(std::string line) {
  examples_.push_back(std::move(line));
  return *this;
}

Command& Command::footer(std::string text) {
  footer_ = std::move(text);
  return *this;
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

CommandLine::CommandLine(Program program)
    : program_(std::move(program)),
      root_(std::make_unique<Command>(program_.program, program_.summary, nullptr)) {
  root_->flag("help", help_, "Says what there is to say about a command")
      .short_name('h')
      .flag_only();
  root_->flag("version", version_, "Prints the version").flag_only();
  root_->option("config", config_file_, "FILE", "A file of `option = value` lines (TOML)");
  root_
      ->flag("print-config", print_config_,
             "Prints each option's value and where it comes from, then ends")
      .flag_only();
  root_
      ->flag("check-config", check_config_,
             "Reads all options, says what is wrong with them, then ends")
      .flag_only();
  for (const auto& option : root_->options_) option->common_ = true;
}

CommandLine::~CommandLine() = default;

void CommandLine::tell_end_to(Log log) { log_ = std::make_unique<Log>(std::move(log)); }

int CommandLine::run(std::vector<std::string> arguments, const Environment& environment,
                     std::ostream& out) {
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
  }
  Parser parser(*root_);
  const auto words_end = std::ranges::find(arguments, "--");
  const bool wants_help = std::any_of(arguments.begin(), words_end, [](const std::string& word) {
    return word == "--help" || word == "-h";
  });
  if (wants_help) {
    out << Help(program_.prefix).text(parser.named_by(arguments));
    return to_int(ExitCode::ok);
  }
  Command& command = parser.parse(arguments);
  for (const auto& option : root_->options_) {
    if (option->name_ == "version" && option->switched_on_ > 0) {
      out << program_.program << " " << TELLER_VERSION << "\n";
      return to_int(ExitCode::ok);
    }
  }
  resolve(command, environment);
  running_ = &command;
  std::ostringstream printed;
  print_config(command, printed);
  // Of bankd without a command there is nothing to print or to check.
  const bool has_options = command.body_ || !printed.str().empty();
  if (print_config_ && has_options) out << printed.str();
  if ((print_config_ || check_config_) && has_options) return to_int(ExitCode::ok);
  if (!command.body_) {
    std::string names;
    for (const auto& sub : command.commands_) names += (names.empty() ? "" : ", ") + sub->name_;
    throw Failure(ExitCode::usage, command.path() + " needs a command: " + names + ". See " +
                                       command.path() + " --help.");
  }
  return command.body_();
}

void CommandLine::resolve(Command& command, const Environment& environment) {
  Resolver resolver(program_.prefix, environment);
  resolver.read_file(config_file(environment));
  resolver.refuse_unknown(*root_);
  resolver.resolve(command);
  check(command, resolver);
}

void CommandLine::check(const Command& command, const Resolver& resolver) {
  if (command.parent_ != nullptr) check(*command.parent_, resolver);
  const std::optional<Mistake> mistake = command.check_ ? command.check_() : std::nullopt;
  if (!mistake) return;
  const auto named = std::ranges::find(command.options_, mistake->option,
                                       [](const auto& option) { return option->name_; });
  async::check(named != command.options_.end(), "a mistake is in an option of its command");
  resolver.refuse(**named, mistake->what);
}

std::string CommandLine::config_file(const Environment& environment) const {
  for (const auto& option : root_->options_) {
    if (option->name_ == "config" && !option->given_.empty()) return option->given_.back();
  }
  const auto named = environment.find(program_.prefix + "CONFIG");
  if (named != environment.end() && !named->second.empty()) return named->second;
  std::error_code error;
  const bool has_default = !program_.config_file_default.empty() &&
                           std::filesystem::exists(program_.config_file_default, error);
  return has_default ? program_.config_file_default : "";
}

std::vector<CommandLine::Change> CommandLine::reread(std::span<const std::string_view> live,
                                                     const Environment& environment) {
  Resolver resolver(program_.prefix, environment);
  resolver.read_file(config_file(environment));
  resolver.refuse_unknown(*root_);
  std::vector<Change> changes;
  std::vector<std::function<void()>> to_set;
  {
    SetBack as_before;
    for (Command* command = running_; command != nullptr; command = command->parent_) {
      for (const auto& option : command->options_) {
        if (option->flag_only_ || option->secret_ || option->name_ == "config") continue;
        resolver.require(*command, *option);
        std::vector<std::string> texts = resolver.texts_now(*option);
        if (texts == option->texts_()) continue;
        as_before.all.push_back(option->keep_());
        const auto done = option->set_(texts);
        if (!done) resolver.refuse(*option, done.error());
        if (std::ranges::find(live, option->name_) != live.end()) {
          to_set.push_back(option->keep_());
        }
        changes.push_back({option->name_, std::move(texts)});
      }
    }
    check(*running_, resolver);
  }
  for (const auto& set : to_set) set();
  return changes;
}

void CommandLine::print_config(const Command& command, std::ostream& out) const {
  if (command.parent_ != nullptr) print_config(*command.parent_, out);
  for (const auto& option : command.options_) {
    if (option->flag_only_ || option->name_ == "config") continue;
    std::string value;
    for (const std::string& text : option->texts_()) {
      value += (value.empty() ? "" : ", ") + (option->is_bare_ ? text : quote_config_string(text));
    }
    // What has no value, as a file that is not named, has none to write, and a secret is not shown.
    const bool is_unset = value.empty() || value == "\"\"";
    if (option->repeatable_) value = "[" + value + "]";
    if (option->secret_) value = option->source_ == Source::builtin ? "" : "\"(secret)\"";
    if (value.empty()) value = "\"\"";
    const bool is_comment = option->secret_ || is_unset;
    const std::string origin = option->source_ == Source::builtin ? "default" : option->origin_;
    out << (is_comment ? "# " : "") << option->name_ << " = " << value << "  # " << origin << "\n";
  }
}

}  // namespace ops
