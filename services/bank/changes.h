// Changes: the services' way into the ledger.
#pragma once

#include <optional>

#include "async/task.h"
#include "ledger/operation.h"
#include "ledger/record.h"
#include "ledger/store.h"
#include "ops/log.h"

namespace bank {

// Submits changes, logs each one (change_log.h) once, and tells the bank's no (a value) from the machine's, which
// is a status of the call: DEADLINE_EXCEEDED, or RESOURCE_EXHAUSTED for a full queue or disk. Owned
// by main or a test; loop thread only.
class Changes {
 public:
  Changes(ledger::Store& store, ops::Log log) : store_(store), log_(std::move(log)) {}

  // Yes or no. Throws rpc::Error when it was not decided.
  async::Task<ledger::Outcome> make(ledger::Operation operation);

  // What a customer starts: made when the PIN was proven. If it was not, a retry still gets its
  // first answer (it was proven then), and everything else is UNAUTHENTICATED and leaves the id
  // unused.
  async::Task<ledger::Outcome> make_proven(ledger::Operation&& operation, bool is_proven);

  // The first answer to an id that was answered before, told again; nothing, and nothing done, when
  // it was not. Of another's id, or one used for something else, that refusal.
  async::Task<std::optional<ledger::Outcome>> first_answer(ledger::Operation operation);

  // What became of the operation's id. Fences it if it was never seen.
  async::Task<ledger::Resolution> resolve(ledger::Operation operation);

 private:
  async::Task<ledger::Outcome> make_unproven(ledger::Operation operation);

  ledger::Store& store_;
  ops::Log log_;
};

// UNAUTHENTICATED, as rpc::Error.
[[noreturn]] void refuse_unproven();

}  // namespace bank
