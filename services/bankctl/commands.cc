#include "bankctl/commands.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "bankctl/request.h"
#include "cli/amount.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"

namespace bankctl {
namespace {

// Those that are about a change have its id.
bool is_change(const google::protobuf::MethodDescriptor& method) {
  return method.input_type()->FindFieldByName("id") != nullptr &&
         method.name() != "ResolveChange" && method.name() != "FindChange";
}

constexpr Input own_id{"--id", "id", Kind::id};

bool is_option(const Input& input) { return input.name.starts_with("--"); }

std::string quoted(const std::string& text) {
  const bool is_plain = !text.empty() && text.find_first_of(" '\"\t") == std::string::npos;
  return is_plain ? text : cli::json_string(text);
}

std::string full_method(const std::string& service, std::string_view method) {
  return service + "/" + std::string(method);
}

}  // namespace

bool Commands::has_options(const Words& words) {
  return std::ranges::any_of(words.words,
                             [](const Word& word) { return is_option(*word.input) && word.text; });
}

// "exceptions resolve 17 --paid 800 JPY --reason seen": the command, with its amounts as they were
// understood.
std::string Commands::description(const Words& words, const google::protobuf::Message& request) {
  std::string text(words.verb->words);
  for (const Word& word : words.words) {
    const Input& input = *word.input;
    const bool is_currency = input.kind == Kind::currency;
    if (!word.text && !is_currency) continue;
    if (is_option(input)) text += " " + std::string(input.name);
    if (is_currency) text += " --currency";
    text += " " + (has_amount(input.kind) || is_currency ? cli::field_text(request, input.field)
                                                         : quoted(*word.text));
  }
  return text;
}

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
      const bool is_amount = has_amount(input.kind);
      ops::Option& option =
          command.option(name.substr(2), word.text, is_amount ? "AMOUNT" : "VALUE", help);
      option.flag_only();
      if (input.required) option.required();
    } else {
      ops::Option& argument = command.argument(name, word.text, help);
      if (input.required) argument.required();
    }
  }
  const google::protobuf::MethodDescriptor& method =
      method_of(full_method(words.service, words.verb->method));
  if (method.input_type()->FindFieldByName("page_token") != nullptr) {
    command
        .option("page", words.page, "TOKEN",
                "Where an earlier list ended: go on from there, as it said")
        .flag_only();
  }
  if (is_change(method)) {
    command.option("id", words.id, "UUID", "Of an earlier try: what it did is not done again")
        .flag_only();
  }
}

int Commands::run(Words& words) {
  const Verb& verb = *words.verb;
  if (verb.takes_one) require_one(words);
  check_words(words);
  if (!verb.look_up.empty()) {
    OperatorCall question = new_call(words, verb.look_up);
    set_words(question, words);
    question.is_look_up = true;
    const int found = send_(std::move(question));
    if (found != found_nothing) return found;
  }
  const std::string_view alone = words.verb->method_without_options;
  if (!alone.empty() && !has_options(words)) {
    OperatorCall call = new_call(words, alone);
    set_words(call, words);
    return send_(std::move(call));
  }
  const std::string question = settings_.yes ? "" : question_of(words);
  const bool asks = !question.empty();
  if (asks && !cli::can_ask()) {
    throw ops::Failure(ops::ExitCode::usage,
                       "There is no terminal to ask whether you are sure: if you are, say --yes");
  }
  const std::string about = verb.subject == nullptr ? "" : find_subject(words);
  OperatorCall call = make_call(words);
  std::string told = description(words, *call.request);
  // Whatever ends this program: who repeats the command with its id does it once.
  if (is_change(method_of(call.method))) told += " --id " + cli::field_text(*call.request, "id");
  if (!about.empty()) told += " (" + about + ")";
  const std::string unchanged(nothing_changed(call.may_repeat));
  if (asks && !cli::confirm(terminal_, told + ": " + question)) {
    throw ops::Failure(ops::ExitCode::declined, unchanged);
  }
  if (is_change(method_of(call.method)) && !asks && !settings_.json) {
    out_ << ops::ForeignText(told).shown() << "\n";
    ops::require_written(out_, ops::ExitCode::cannot_create, unchanged);
  }
  return send_(std::move(call));
}

OperatorCall Commands::new_call(const Words& words, std::string_view method) const {
  OperatorCall call{.method = words.service + "/" + std::string(method),
                    .server = words.service.starts_with("bank.") ? "the bank" : "the ATM",
                    .request = nullptr,
                    .may_repeat = words.id || !words.verb->look_up.empty()};
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  call.request.reset(factory->GetPrototype(method_of(call.method).input_type())->New());
  return call;
}

OperatorCall Commands::make_call(Words& words) {
  OperatorCall call = new_call(words, words.verb->method);
  set_words(call, words);
  set_amounts(call, words);
  if (words.page) set_bytes(*call.request, "page_token", *words.page);
  if (!is_change(method_of(call.method))) return call;
  set_input(*call.request, own_id, words.id ? *words.id : new_id_().text(), ledger::Currency());
  return call;
}

// What can be seen without a server is said before anybody is asked anything.
void Commands::check_words(const Words& words) const {
  const OperatorCall trial = new_call(words, words.verb->method);
  for (const Word& word : words.words) {
    const Input& input = *word.input;
    if (!word.text) continue;
    check_input(input, *word.text);
    const bool is_id =
        input.kind == Kind::named && ledger::OperationId::parse(*word.text).has_value();
    if (!has_amount(input.kind) && !is_id) {
      set_input(*trial.request, input, *word.text, ledger::Currency());
    }
  }
  if (words.id) set_input(*trial.request, own_id, *words.id, ledger::Currency());
}

// All but the amounts, which may depend on the others: on the account that is named.
void Commands::set_words(OperatorCall& call, Words& words) {
  for (const Word& word : words.words) {
    const Input& input = *word.input;
    if (has_amount(input.kind) || input.kind == Kind::currency) continue;
    if (input.kind == Kind::pin) {
      const std::string pin = cli::read_new_pin(terminal_, words.pin_file, "--pin-file");
      set_input(*call.request, input, pin, ledger::Currency());
    } else if (input.kind == Kind::yes) {
      if (word.is_on) set_input(*call.request, input, "", ledger::Currency());
    } else if (word.text) {
      set_input(*call.request, input, *word.text, ledger::Currency());
    }
  }
}

void Commands::set_amounts(OperatorCall& call, Words& words) {
  std::optional<ledger::Currency> currency;
  for (const Word& word : words.words) {
    const Input& input = *word.input;
    const bool is_amount = has_amount(input.kind) && word.text;
    if (!is_amount && input.kind != Kind::currency) continue;
    if (!currency) currency = currency_for(call, words);
    set_input(*call.request, input, is_amount ? *word.text : currency->text(), *currency);
  }
}

// What is asked before the verb is done; empty: nothing. Books are made in a currency for ever, and an
// account or a terminal is all that it takes.
std::string Commands::question_of(const Words& words) const {
  const Verb& verb = *words.verb;
  const bool makes_books = std::ranges::any_of(
      verb.inputs, [](const Input& input) { return input.kind == Kind::currency; });
  if (!verb.question.empty() || !makes_books || settings_.currency.empty()) {
    return std::string(verb.question);
  }
  const std::string wanted = cli::parse_currency(settings_.currency).text();
  const Answer bank = ask_(new_call(words, verb.currency->method));
  const std::vector<std::string> books = texts_in(*bank, "currencies");
  if (books.empty() || std::ranges::find(books, wanted) != books.end()) return "";
  return "The bank has no books in " + wanted +
         " yet. They are made for ever, and from then on each new account and terminal must name "
         "its currency. Make them?";
}

void Commands::require_one(const Words& words) {
  std::string names;
  std::size_t given = 0;
  for (const Word& word : words.words) {
    names += (names.empty() ? "" : " or ") + std::string(word.input->name);
    if (word.text) ++given;
  }
  if (given == 1) return;
  const std::string end = given == 0 ? "" : ", and not both";
  throw ops::Failure(ops::ExitCode::usage,
                     "bankctl " + std::string(words.verb->words) + " needs " + names + end + ".");
}

// Puts the number that the request takes in the place of what was typed. Returns what it is about.
std::string Commands::find_subject(Words& words) const {
  const Subject& subject = *words.verb->subject;
  const auto named = std::ranges::find_if(words.words, [](const Word& word) {
    return word.input->kind == Kind::named || word.input->kind == Kind::ordinal;
  });
  OperatorCall question = new_call(words, subject.method);
  const bool may_be_id = !subject.asked_by_id.empty();
  const bool is_id = may_be_id && ledger::OperationId::parse(*named->text).has_value();
  const Input asked{.name = named->input->name,
                    .field = is_id ? subject.asked_by_id : subject.asked_by_number,
                    .kind = is_id ? Kind::id : named->input->kind};
  set_input(*question.request, asked, *named->text, ledger::Currency());
  const Answer answer = ask_(std::move(question));
  std::string about;
  for (const std::string_view field : subject.summary) {
    const std::string text = cli::field_text(*answer, field);
    if (!text.empty()) about += (about.empty() ? "" : ", ") + text;
  }
  if (subject.number.empty()) return about;
  const std::uint64_t number = number_at(*answer, subject.number);
  if (number == 0) {
    throw ops::Failure(ops::ExitCode::declined,
                       *named->text + " moved no money, so there is nothing to take back. " +
                           "`bankctl changes show " + (is_id ? "" : "--seq ") + *named->text +
                           "` tells what it was");
  }
  named->text = std::to_string(number);
  return about;
}

ledger::Currency Commands::currency_for(const OperatorCall& call, const Words& words) {
  if (!settings_.currency.empty()) return cli::parse_currency(settings_.currency);
  if (const auto own = ledger::Currency::parse(answer_to(*words.verb->currency, call, words))) {
    return *own;
  }
  // What it is about has no currency of its own: then that of the books, if they are in one.
  const bool may_ask = words.service.starts_with("bank.") && words.verb->currency != &of_bank();
  const auto only = ledger::Currency::parse(may_ask ? answer_to(of_bank(), call, words) : "");
  if (only) return *only;
  throw ops::Failure(ops::ExitCode::usage, call.server +
                                               " has no one currency for this: say which, "
                                               "with --currency CODE");
}

std::string Commands::answer_to(const CurrencySource& source, const OperatorCall& call,
                                const Words& words) {
  OperatorCall question = new_call(words, source.method);
  if (!source.named_by.empty()) {
    copy_field(*call.request, source.named_by, *question.request, source.asked_with);
  }
  const Answer answer = ask_(std::move(question));
  return text_at(*answer, source.answer);
}

}  // namespace bankctl
