#include "ops/resolver.h"

#include <algorithm>
#include <cctype>

#include "ops/files.h"
#include "ops/suggest.h"

namespace ops {
namespace {

// Kubernetes and Docker's links set these for each service of a namespace; a service may well be
// called bankd.
bool is_service_link(std::string_view rest) {
  return rest == "SERVICE_HOST" || rest.starts_with("SERVICE_PORT") || rest == "PORT" ||
         (rest.starts_with("PORT_") && rest.size() > 5 &&
          std::isdigit(static_cast<unsigned char>(rest[5])) != 0);
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) items.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return items;
}

}  // namespace

std::string Resolver::variable(std::string_view option) const {
  std::string name = prefix_;
  for (const char letter : option) {
    name +=
        letter == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  return name;
}

void Resolver::read_file(const std::string& path) {
  if (path.empty()) return;
  file_ = read_config_file(path);
  path_ = path;
}

void Resolver::refuse_unknown(const Command& root) const {
  std::vector<std::string> keys;
  auto collect = [&keys](auto& self, const Command& command) -> void {
    for (const auto& option : command.options_) {
      if (option->flag_only_) continue;
      keys.push_back(option->name_);
      if (option->secret_) keys.push_back(option->name_ + "-file");
    }
    for (const auto& sub : command.commands_) self(self, *sub);
  };
  collect(collect, root);
  for (const auto& [key, entry] : file_) {
    if (std::ranges::find(keys, key) != keys.end() && key != "config") continue;
    throw Failure(ExitCode::config,
                  path_ + " line " + std::to_string(entry.line) + " sets an unknown option '" +
                      key + "'" + (nearest(key, keys).empty() ? "." : did_you_mean(key, keys)));
  }
  std::vector<std::string> variables;
  for (const std::string& key : keys) variables.push_back(variable(key));
  for (auto entry = environment_.lower_bound(prefix_); entry != environment_.end(); ++entry) {
    const std::string& name = entry->first;
    if (!name.starts_with(prefix_)) break;
    if (std::ranges::find(variables, name) != variables.end() || entry->second.empty()) continue;
    if (is_service_link(std::string_view(name).substr(prefix_.size()))) continue;
    throw Failure(ExitCode::config,
                  "The environment variable " + name + " is not an option of " + root.name() +
                      (nearest(name, variables).empty() ? "." : did_you_mean(name, variables)));
  }
}

std::optional<Resolver::Found> Resolver::find(const std::string& name, bool is_list) const {
  const std::string from_environment = variable(name);
  const auto found = environment_.find(from_environment);
  if (found != environment_.end() && !found->second.empty()) {
    std::vector<std::string> texts =
        is_list ? split_list(found->second) : std::vector<std::string>{found->second};
    return Found{Source::environment, from_environment, std::move(texts)};
  }
  const auto entry = file_.find(name);
  if (entry == file_.end()) return std::nullopt;
  return Found{Source::file,
               name + " in " + path_ + " (line " + std::to_string(entry->second.line) + ")",
               entry->second.values};
}

std::optional<Resolver::Found> Resolver::find_secret(const Option& option) const {
  const std::string file_option = option.name_ + "-file";
  if (!option.given_.empty()) {
    return Found{Source::flag, "--" + file_option, {read_secret_file(option.given_.back())}};
  }
  std::optional<Found> value = find(option.name_, false);
  std::optional<Found> file = find(file_option, false);
  if (value && file && value->source == file->source) {
    throw Failure(ExitCode::config,
                  value->origin + " and " + file->origin + " are both set; set one of them.");
  }
  if (value && (!file || value->source < file->source)) return value;
  if (file) file->texts = {read_secret_file(file->texts.front())};
  return file;
}

std::optional<Resolver::Found> Resolver::find(const Option& option) const {
  if (option.secret_) return find_secret(option);
  if (!option.given_.empty()) return Found{Source::flag, "--" + option.name_, option.given_};
  if (option.switched_on_ > 0 || option.switched_off_ > 0) {
    return Found{Source::flag, "--" + option.name_, {option.switched_off_ > 0 ? "false" : "true"}};
  }
  if (option.flag_only_) return std::nullopt;
  return find(option.name_, option.repeatable_);
}

std::string Resolver::name_of(const Option& option, const Found& found) {
  return option.is_argument_ ? option.name_ : found.origin;
}

void Resolver::require_one_value(const Option& option, const Found& found) {
  const bool on_command_line = found.source == Source::flag;
  const ExitCode code = on_command_line ? ExitCode::usage : ExitCode::config;
  if (on_command_line && !option.is_argument_ && found.texts.size() > 1 && !option.repeatable_) {
    throw Failure(code, found.origin + " is given twice.");
  }
  if (found.texts.size() != 1 && !option.repeatable_)
    throw Failure(code, name_of(option, found) + " must be one value.");
}

void Resolver::fail(const Option& option, const Found& found, const std::string& why) {
  const ExitCode code = found.source == Source::flag ? ExitCode::usage : ExitCode::config;
  const std::string what = name_of(option, found);
  throw Failure(code, what + " " + (option.secret_ ? "is not as it must be" : why) + ".");
}

void Resolver::refuse(const Option& option, const std::string& why) const {
  const std::optional<Found> found = find(option);
  fail(option, found.value_or(Found{Source::flag, "--" + option.name_, {}}), why);
}

void Resolver::set(Option& option) const {
  const std::optional<Found> found = find(option);
  if (!found) return;
  require_one_value(option, *found);
  option.source_ = found->source;
  option.origin_ = found->origin;
  const auto done = option.set_(found->texts);
  if (!done) fail(option, *found, done.error());
}

std::vector<std::string> Resolver::texts_now(const Option& option) const {
  const std::optional<Found> found = find(option);
  if (!found) return option.default_;
  require_one_value(option, *found);
  const auto texts = option.read_(found->texts);
  if (!texts) fail(option, *found, texts.error());
  return *texts;
}

void Resolver::resolve(Command& command) const {
  if (command.parent_ != nullptr) resolve(*command.parent_);
  for (const auto& option : command.options_) set(*option);
  for (const auto& argument : command.arguments_) set(*argument);
  for (const auto& option : command.options_) {
    // Not looked for again: a secret's file may be a pipe.
    if (option->source_ == Source::builtin) require(command, *option);
  }
}

void Resolver::require(const Command& command, const Option& option) const {
  if (!option.required_ || find(option)) return;
  const std::string name = "--" + option.name_ + (option.secret_ ? "-file" : "");
  const std::string instead = option.flag_only_ ? "" : " (or set " + variable(option.name_) + ")";
  throw Failure(ExitCode::usage, command.path() + " needs " + name + " " + option.placeholder_ +
                                     instead + ": " + option.help_ + ".");
}

}  // namespace ops
