#include "bankctl/commands.h"

#include <utility>

#include <google/protobuf/descriptor.h>

#include "bankctl/request.h"
#include "cli/amount.h"
#include "ops/failure.h"

namespace bankctl {
namespace {

bool is_change(const google::protobuf::MethodDescriptor& method) {
  return method.input_type()->FindFieldByName("id") != nullptr && method.name() != "ResolveChange";
}

std::string full_method(const std::string& service, const Verb& verb) {
  return service + "/" + std::string(verb.method);
}

}  // namespace

void Commands::add(ops::Command& root, const VerbTable& table) {
  for (const Verb& verb : table.verbs) {
    Words& words = all_.emplace_back();
    words.verb = &verb;
    words.service = table.service;
    ops::Command& command = place(root, verb.words, verb.summary);
    command.example("bankctl " + std::string(verb.example));
    add_inputs(command, words);
    command.run([this, &words] { return run(words); });
  }
}

ops::Command& Commands::place(ops::Command& root, std::string_view words,
                              std::string_view summary) {
  const std::size_t space = words.find(' ');
  if (space == std::string_view::npos) {
    return root.command(std::string(words), std::string(summary));
  }
  const std::string name(words.substr(0, space));
  ops::Command* group = nullptr;
  for (const auto& [known, command] : groups_) {
    if (known == name) group = command;
  }
  for (const Group& described : groups()) {
    if (group != nullptr || described.name != name) continue;
    group = &root.command(name, std::string(described.summary));
    groups_.emplace_back(name, group);
  }
  return group->command(std::string(words.substr(space + 1)), std::string(summary));
}

void Commands::add_inputs(ops::Command& command, Words& words) {
  for (const Input& input : words.verb->inputs) {
    Word& word = words.words.emplace_back();
    word.input = &input;
    const std::string name(input.name);
    const std::string help(input.help);
    if (input.kind == Kind::pin) {
      command
          .option("pin-file", words.pin_file, "FILE",
                  "The card's PIN; - is standard input. Without it you are asked")
          .flag_only();
      command.refuse("pin",
                     "A PIN on the command line can be read by every user of this machine; "
                     "use --pin-file FILE, --pin-file - for standard input, or be asked.");
    } else if (name.empty()) {
      word.is_on = input.kind == Kind::yes;
    } else if (input.kind == Kind::yes) {
      command.flag(name.substr(2), word.is_on, help).flag_only();
    } else if (name.starts_with("--")) {
      const bool is_amount = input.kind == Kind::amount || input.kind == Kind::amount_or_zero ||
                             input.kind == Kind::minor_units;
      ops::Option& option =
          command.option(name.substr(2), word.text, is_amount ? "AMOUNT" : "VALUE", help);
      option.flag_only();
      if (input.required) option.required();
    } else {
      ops::Option& argument = command.argument(name, word.text, help);
      if (input.required) argument.required();
    }
  }
  if (is_change(method_of(full_method(words.service, *words.verb)))) {
    command.option("id", words.id, "UUID", "Of an earlier try: what it did is not done again")
        .flag_only();
  }
}

int Commands::run(Words& words) {
  OperatorCall call = make_call(words);
  const bool asks = !words.verb->question.empty() && !settings_.yes && cli::can_ask();
  if (asks && !cli::confirm(terminal_, words.verb->question)) {
    throw ops::Failure(ops::ExitCode::declined, "Nothing was done");
  }
  return send_(std::move(call));
}

OperatorCall Commands::make_call(Words& words) {
  const std::string name = full_method(words.service, *words.verb);
  const google::protobuf::MethodDescriptor& method = method_of(name);
  const ledger::Currency currency = cli::parse_currency(settings_.currency);
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  OperatorCall call{.method = name,
                    .server = words.service.starts_with("bank.") ? "the bank" : "the ATM",
                    .request = nullptr};
  call.request.reset(factory->GetPrototype(method.input_type())->New());
  for (const Word& word : words.words) {
    const Input& input = *word.input;
    if (input.kind == Kind::pin) {
      set_input(*call.request, input, cli::read_new_pin(terminal_, words.pin_file), currency);
    } else if (input.kind == Kind::currency) {
      set_input(*call.request, input, settings_.currency, currency);
    } else if (input.kind == Kind::yes) {
      if (word.is_on) set_input(*call.request, input, "", currency);
    } else if (word.text) {
      set_input(*call.request, input, *word.text, currency);
    }
  }
  if (!is_change(method)) return call;
  const Input id{.name = "--id", .field = "id", .kind = Kind::id};
  set_input(*call.request, id, words.id ? *words.id : new_id_().text(), currency);
  return call;
}

}  // namespace bankctl
