// The command line, the environment and the configuration file, as one description.
//
//   ops::CommandLine line({.program = "bankd", .summary = "The bank.", .prefix = "BANKD_"});
//   ServeOptions serve;
//   ops::Command& command = line.root().command("serve", "Serve ATMs until SIGTERM");
//   command.example("bankd serve --data bank.db --listen 127.0.0.1:7001");
//   command.option("data", serve.data, "FILE", "The bank's database").required();
//   command.option("listen", serve.listen, "HOST:PORT", "Where to listen; may be given again");
//   command.run([&] { return serve_bank(serve); });
//   return line.run(argc, argv);
//
// A value comes from the flag `--data`, else from the environment's `BANKD_DATA` (empty is unset),
// else from the configuration file (`data = "bank.db"`), else it stays what the variable held: the
// default. Every program has --help, --version, --config, --print-config and --check-config. Each
// mistake gets one sentence and an exit code: 64 on the command line, 78 elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "ops/failure.h"
#include "ops/limits.h"
#include "ops/run_main.h"
#include "ops/value.h"

namespace ops {

// Where a value comes from, strongest first.
enum class Source : std::uint8_t { flag, environment, file, builtin };

// One option or argument, and the variable that it sets. Owned by its Command.
class Option {
 public:
  // Sets the variable from texts, all of one source. The error is the end of a sentence.
  using Set = std::function<std::expected<void, std::string>(std::span<const std::string>)>;
  using Texts = std::function<std::vector<std::string>()>;
  // Keeps the variable's value, and returns a function that restores it, once.
  using Keep = std::function<std::function<void()>()>;
  // Reads texts as Set does, and returns them as Texts would, without setting anything.
  using Read = std::function<std::expected<std::vector<std::string>, std::string>(
      std::span<const std::string>)>;

  // Without a value from any source the command does not run.
  Option& required() {
    required_ = true;
    return *this;
  }
  // Never from the environment or the file: what is only meant for one call (--id, --yes).
  Option& flag_only() {
    flag_only_ = true;
    return *this;
  }
  // `-h` beside `--help`.
  Option& short_name(char letter) {
    short_name_ = letter;
    return *this;
  }
  // Not in the help.
  Option& hidden() {
    hidden_ = true;
    return *this;
  }

 private:
  friend class Command;
  friend class CommandLine;
  friend class Parser;
  friend class Resolver;
  friend class Help;

  // What an earlier command line gave.
  void forget() {
    given_.clear();
    switched_on_ = switched_off_ = 0;
    source_ = Source::builtin;
  }

  std::string name_;         // "listen"; of an argument "AMOUNT".
  std::string placeholder_;  // "HOST:PORT"; empty for a switch.
  std::string help_;
  std::string limits_;    // "from 1s to 168h"; for the help.
  bool is_bare_ = false;  // A number or a switch: without quotes in a file.
  Set set_;
  Keep keep_;
  Texts texts_;
  Read read_;
  std::vector<std::string> default_;
  bool required_ = false;
  bool flag_only_ = false;
  bool hidden_ = false;
  bool repeatable_ = false;
  bool secret_ = false;
  bool is_argument_ = false;
  bool common_ = false;  // Of every program.
  char short_name_ = 0;

  std::vector<std::string> given_;  // On the command line.
  std::int64_t switched_on_ = 0;    // --json
  std::int64_t switched_off_ = 0;   // --no-json
  Source source_ = Source::builtin;
  std::string origin_;  // "BANKD_DATA", "/etc/bankd.toml".
};

// What is wrong with the value of an option beside those of the others. `what` is the end of a
// sentence that begins with where the value is from.
struct Mistake {
  std::string option;  // "currency"
  std::string what;    // "must be one of ISO 4217"
};

namespace detail {

template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};
template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

// What one text of an option's variable means.
template <typename T>
struct OneOf {
  using Type = T;
};
template <typename T>
  requires(IsVector<T>::value || IsOptional<T>::value)
struct OneOf<T> {
  using Type = typename T::value_type;
};

// One text's value, or what is wrong with it.
template <typename T>
Parsed<T> parse_within(const std::string& text, const Limits<T>& limits) {
  Parsed<T> value = Value<T>::parse(text);
  if (value && limits.allow && !limits.allow(*value)) value = BadValue(limits.must);
  // Of a number that is none, or far too large: the option's own range, not its type's.
  if constexpr (std::integral<T>) {
    if (!value && limits.allow) value = BadValue(limits.must);
  }
  if (!value) return BadValue(value.error() + ", not \"" + text + "\"");
  return value;
}

template <typename T>
Option::Set setter(T& variable, Limits<typename OneOf<T>::Type> limits) {
  return [&variable, limits = std::move(limits)](
             std::span<const std::string> texts) -> std::expected<void, std::string> {
    if constexpr (IsVector<T>::value) {
      T values;
      for (const std::string& text : texts) {
        auto value = parse_within(text, limits);
        if (!value) return std::unexpected(value.error());
        values.push_back(*std::move(value));
      }
      variable = std::move(values);
    } else {
      if constexpr (IsOptional<T>::value) variable.reset();
      if (texts.empty()) return {};
      auto value = parse_within(texts.back(), limits);
      if (!value) return std::unexpected(value.error());
      variable = *std::move(value);
    }
    return {};
  };
}

// The value and not its text: what a text means may change, as what time zones there are.
template <typename T>
Option::Keep keeper(T& variable) {
  return [&variable] {
    return [&variable, value = variable]() mutable { variable = std::move(value); };
  };
}

template <typename T>
Option::Texts getter(const T& variable) {
  return [&variable]() -> std::vector<std::string> {
    std::vector<std::string> texts;
    if constexpr (IsVector<T>::value) {
      for (const auto& value : variable)
        texts.push_back(Value<typename T::value_type>::text(value));
    } else if constexpr (IsOptional<T>::value) {
      if (variable) texts.push_back(Value<typename T::value_type>::text(*variable));
    } else {
      texts.push_back(Value<T>::text(variable));
    }
    return texts;
  };
}

template <typename T>
Option::Read reader(Limits<typename OneOf<T>::Type> limits) {
  return [limits = std::move(limits)](std::span<const std::string> texts)
             -> std::expected<std::vector<std::string>, std::string> {
    std::vector<std::string> read;
    for (const std::string& text : texts) {
      const auto value = parse_within(text, limits);
      if (!value) return std::unexpected(value.error());
      read.push_back(Value<typename OneOf<T>::Type>::text(*value));
    }
    return read;
  };
}

}  // namespace detail

// A command, its options and its sub-commands. Options of a command hold for its sub-commands too,
// before or after their names. Owned by its CommandLine; the variables that it sets must outlive
// it.
class Command {
 public:
  Command(std::string name, std::string summary, Command* parent)
      : name_(std::move(name)), summary_(std::move(summary)), parent_(parent) {}
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  Command& command(std::string name, std::string summary);

  // `--name VALUE`. T is a Value, an optional of one, or a vector of them (then it may be given
  // again).
  template <typename T>
  Option& option(std::string name, T& variable, std::string placeholder, std::string help) {
    static_assert(!NeedsLimits<typename detail::OneOf<T>::Type>,
                  "Say which values make sense: between(lowest, highest).");
    return option(std::move(name), variable, {}, std::move(placeholder), std::move(help));
  }
  // The same, of which not every value makes sense.
  template <typename T>
  Option& option(std::string name, T& variable, Limits<typename detail::OneOf<T>::Type> limits,
                 std::string placeholder, std::string help) {
    Option& made = add(options_, std::move(name), std::move(placeholder), std::move(help));
    made.limits_ = limits.note;
    bind(made, variable, std::move(limits));
    return made;
  }
  // `--name`, and `--no-name` to take it back.
  Option& flag(std::string name, bool& variable, std::string help);
  // A secret: `--name-file FILE`, or NAME_FILE or NAME in the environment or the file; never on the
  // command line, never printed.
  Option& secret(std::string name, std::string& variable, std::string help);
  // `--name` is not an option, for a reason that people should hear: why is a sentence.
  void refuse(std::string name, std::string why);
  // What stands on the command line without a `--`. In order; an optional may be left out, a vector
  // takes the rest.
  template <typename T>
  Option& argument(std::string placeholder, T& variable, std::string help) {
    Option& made = add(arguments_, placeholder, placeholder, std::move(help));
    bind(made, variable);
    made.required_ = !detail::IsOptional<T>::value && !detail::IsVector<T>::value;
    made.flag_only_ = true;
    made.is_argument_ = true;
    return made;
  }
  // A line of help's first part.
  Command& example(std::string line);
  // More help, after the options.
  Command& footer(std::string text);
  // Looks at the variables when all are set: before the command runs, for --check-config, and for
  // SIGHUP, which sets them meanwhile. Changes nothing.
  void check(std::function<std::optional<Mistake>()> look) { check_ = std::move(look); }
  // What the command does; returns the exit code.
  void run(std::function<int()> body) { body_ = std::move(body); }

  const std::string& name() const { return name_; }
  // "bankctl account open".
  std::string path() const;

 private:
  friend class CommandLine;
  friend class Parser;
  friend class Resolver;
  friend class Help;
  using Options = std::vector<std::unique_ptr<Option>>;

  static Option& add(Options& to, std::string name, std::string placeholder, std::string help);
  template <typename T>
  static void bind(Option& made, T& variable, Limits<typename detail::OneOf<T>::Type> limits = {}) {
    made.read_ = detail::reader<T>(limits);
    made.set_ = detail::setter(variable, std::move(limits));
    made.keep_ = detail::keeper(variable);
    made.texts_ = detail::getter(variable);
    made.is_bare_ = std::integral<typename detail::OneOf<T>::Type>;
    made.default_ = made.texts_();
    made.repeatable_ = detail::IsVector<T>::value;
  }

  std::string name_;
  std::string summary_;
  Command* parent_;
  std::vector<std::unique_ptr<Command>> commands_;
  Options options_;
  Options arguments_;
  std::vector<std::string> examples_;
  std::string footer_;
  std::map<std::string, std::string> refused_;  // Option names, and why.
  std::function<std::optional<Mistake>()> check_;
  std::function<int()> body_;
  std::vector<std::string> given_arguments_;
};

class Resolver;

class Log;

// Of the process, or as a test sets it.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment process_environment();

// Owned by main; one run.
class CommandLine {
 public:
  struct Program {
    std::string program;  // "bankd"
    std::string summary;
    std::string prefix;               // "BANKD_"
    std::string config_file_default;  // Read if it is there and no other is named. Empty: none.
    Endings endings;                  // Of exceptions that only this program knows.
  };

  explicit CommandLine(Program program);
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;
  ~CommandLine();

  Command& root() { return *root_; }

  // Reads the command line and runs what it asks for. Never throws: every error becomes a sentence
  // and an exit code, as run_main (run_main.h) says.
  int run(int argc, const char* const* argv);

  // The same in a world of a test's own. Throws Failure and whatever the command throws.
  int run(std::vector<std::string> arguments, const Environment& environment, std::ostream& out);

  // From now on an error that ends the program is a line of this log, too (run_main.h).
  void tell_end_to(Log log);
  const std::string& program() const { return program_.program; }

  // An option that would have another value if the program were started now.
  struct Change {
    std::string option;
    std::vector<std::string> texts;
  };
  // Reads environment and file again for the command that runs: for SIGHUP. Sets those options of
  // `live` that have changed, and no others. Throws Failure for any mistake, and what a check
  // throws, having set nothing.
  std::vector<Change> reread(std::span<const std::string_view> live,
                             const Environment& environment);

 private:
  friend class Help;
  void resolve(Command& command, const Environment& environment);
  // Throws Failure as the values that were found now would end a start.
  static void check(const Command& command, const Resolver& resolver);
  std::string config_file(const Environment& environment) const;
  void print_config(const Command& command, std::ostream& out) const;

  Program program_;
  std::unique_ptr<Command> root_;
  Command* running_ = nullptr;
  std::string config_file_;
  bool help_ = false;
  bool version_ = false;
  bool print_config_ = false;
  bool check_config_ = false;
  std::unique_ptr<Log> log_;  // Of a daemon, once it has begun.
};

}  // namespace ops
