#include "bank/changes.h"

#include <utility>

#include "bank/change_log.h"
#include "bank/sentences.h"
#include "rpc/status.h"

namespace bank {
namespace {

using ledger::Outcome;
using ledger::RefusalCode;

void require_decided(const Outcome& outcome) {
  if (outcome || !ledger::is_call_status(outcome.error().code)) return;
  const bool is_late = outcome.error().code == RefusalCode::deadline_passed;
  throw rpc::Error(
      is_late ? rpc::StatusCode::deadline_exceeded : rpc::StatusCode::resource_exhausted,
      sentence(outcome.error()));
}

}  // namespace

async::Task<Outcome> Changes::make(ledger::Operation operation) {
  std::optional<ledger::Operation> logged;
  if (log_.writes(level_of(operation))) logged = operation;
  ledger::Store::Submission submitted = store_.submit(std::move(operation));
  Outcome outcome = co_await submitted;
  if (logged) log_change(log_, *logged, outcome);
  require_decided(outcome);
  co_return outcome;
}

async::Task<Outcome> Changes::make_proven(ledger::Operation&& operation, bool is_proven) {
  return is_proven ? make(std::move(operation)) : make_unproven(std::move(operation));
}

async::Task<Outcome> Changes::make_unproven(ledger::Operation operation) {
  std::optional<Outcome> first = co_await first_answer(std::move(operation));
  if (!first) refuse_unproven();
  co_return std::move(*first);
}

async::Task<std::optional<Outcome>> Changes::first_answer(ledger::Operation operation) {
  // Shape and idempotency come before the deadline (rule 7), so with a deadline that has passed an
  // operation is told its first answer or is not executed.
  operation.deadline = ledger::Deadline::at(async::Instant::min());
  ledger::Store::Submission submitted = store_.submit(std::move(operation));
  Outcome outcome = co_await submitted;
  if (!outcome && outcome.error().code == RefusalCode::deadline_passed) co_return std::nullopt;
  require_decided(outcome);
  co_return outcome;
}

async::Task<ledger::Resolution> Changes::resolve(ledger::Operation operation) {
  std::optional<ledger::Operation> logged;
  if (log_.writes(level_of(operation))) logged = operation;
  ledger::Resolution resolution =
      co_await store_.resolve(operation.id, std::move(operation.principal), operation.deadline);
  if (logged) log_change(log_, *logged, resolution.outcome);
  if (resolution.is == ledger::Resolution::Is::unanswered) require_decided(resolution.outcome);
  co_return resolution;
}

void refuse_unproven() {
  throw rpc::Error(rpc::StatusCode::unauthenticated,
                   "The PIN was not entered, or too long ago; verify the card again.");
}

}  // namespace bank
