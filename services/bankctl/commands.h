// Makes the command line out of the tables of verbs.
#pragma once

#include <deque>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bankctl/operator_calls.h"
#include "bankctl/verb.h"
#include "ledger/money.h"
#include "ledger/operation_id.h"
#include "ops/options.h"

namespace bankctl {

// Asks a server what a command must know before its call can be made; throws without an answer.
using Answer = std::unique_ptr<google::protobuf::Message>;
using Ask = std::function<Answer(OperatorCall question)>;
// Sends a finished call to the server that its method belongs to; returns the exit code.
using Send = std::function<int(OperatorCall call)>;
// Makes the id of a new change.
using NewId = std::function<ledger::OperationId()>;

// Owned by main; must outlive the run of the command line that it filled.
class Commands {
 public:
  // What a command with amounts is about to do is written to `out`, for people.
  Commands(const Settings& settings, cli::Terminal& terminal, NewId new_id, Ask ask, Send send,
           std::ostream& out)
      : settings_(settings),
        terminal_(terminal),
        new_id_(std::move(new_id)),
        ask_(std::move(ask)),
        send_(std::move(send)),
        out_(out) {}

  // Adds a command for each verb of the table below `root`.
  void add(ops::Command& root, const VerbTable& table);

 private:
  struct Word {
    const Input* input = nullptr;
    std::optional<std::string> text;
    bool is_on = false;
  };
  // What one verb was given.
  struct Words {
    const Verb* verb = nullptr;
    std::string service;
    std::deque<Word> words;  // One for each input. Stable, as the command line points into it.
    std::optional<std::string> id;
    std::optional<std::string> page;
    std::string pin_file;
  };
  ops::Command& place(ops::Command& root, std::string_view words, std::string_view summary);
  void add_inputs(ops::Command& command, Words& words);
  static bool has_options(const Words& words);
  static std::string description(const Words& words, const google::protobuf::Message& request);
  int run(Words& words);
  OperatorCall new_call(const Words& words, std::string_view method) const;
  OperatorCall make_call(Words& words);
  void check_words(const Words& words) const;
  void set_words(OperatorCall& call, Words& words);
  void set_amounts(OperatorCall& call, Words& words);
  std::string question_of(const Words& words) const;
  static void require_one(const Words& words);
  std::string find_subject(Words& words) const;
  ledger::Currency currency_for(const OperatorCall& call, const Words& words);
  std::string answer_to(const CurrencySource& source, const OperatorCall& call, const Words& words);

  const Settings& settings_;
  cli::Terminal& terminal_;
  NewId new_id_;
  Ask ask_;
  Send send_;
  std::ostream& out_;
  std::deque<Words> all_;
  std::vector<std::pair<std::string, ops::Command*>> groups_;
};

}  // namespace bankctl
