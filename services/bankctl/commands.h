// Makes the command line out of the tables of verbs.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bankctl/operator_calls.h"
#include "bankctl/verb.h"
#include "ledger/operation_id.h"
#include "ops/options.h"

namespace bankctl {

// Sends a finished call to the server that its method belongs to; gives the exit code.
using Send = std::function<int(OperatorCall call)>;
// Makes the id of a new change.
using NewId = std::function<ledger::OperationId()>;

// Owned by main; must outlive the run of the command line that it filled.
class Commands {
 public:
  Commands(const Settings& settings, cli::Terminal& terminal, NewId new_id, Send send)
      : settings_(settings),
        terminal_(terminal),
        new_id_(std::move(new_id)),
        send_(std::move(send)) {}

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
    std::string pin_file;
  };
  ops::Command& place(ops::Command& root, std::string_view words, std::string_view summary);
  void add_inputs(ops::Command& command, Words& words);
  int run(Words& words);
  OperatorCall make_call(Words& words);

  const Settings& settings_;
  cli::Terminal& terminal_;
  NewId new_id_;
  Send send_;
  std::deque<Words> all_;
  std::vector<std::pair<std::string, ops::Command*>> groups_;
};

}  // namespace bankctl
