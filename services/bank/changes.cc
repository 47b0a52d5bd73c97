#include "bank/changes.h"

#include <utility>

#include "bank/change_log.h"
#include "bank/sentences.h"
#include "rpc/status.h"

namespace bank {
namespace {

using ledger::Outcome;
using ledger::RefusalCode;

rpc::StatusCode status_of(RefusalCode code) {
  if (code == RefusalCode::deadline_passed) return rpc::StatusCode::deadline_exceeded;
  // A no, for the ledger has looked whether the id has its answer.
  if (code == RefusalCode::disk_nearly_full) return rpc::StatusCode::failed_precondition;
  return rpc::StatusCode::resource_exhausted;
}

void require_decided(const Outcome& outcome) {
  if (outcome || !ledger::is_call_status(outcome.error().code)) return;
  throw rpc::Error(status_of(outcome.error().code), sentence(outcome.error()));
}

// Of an operation that was asked again.
bool was_never_answered(const Outcome& outcome) {
  return !outcome && outcome.error().code == RefusalCode::deadline_passed;
}

}  // namespace

Changes::Submitted::Submitted(Changes& changes, Asked&& asked, bool is_proven)
    : changes_(changes),
      is_proven_(is_proven),
      logged_(is_proven ? changes.to_log(asked) : nullptr),
      submission_(is_proven ? changes.store_.submit(std::move(asked))
                            : changes.ask_again(std::move(asked))) {}

Outcome Changes::Submitted::await_resume() {
  Outcome outcome = submission_.await_resume();
  if (logged_) log_change(changes_.log_, *logged_, outcome);
  changes_.note_room(outcome);
  if (!is_proven_ && was_never_answered(outcome)) refuse_unproven();
  require_decided(outcome);
  return outcome;
}

void Changes::note_room(const Outcome& outcome) {
  const bool is_full = !outcome && outcome.error().code == RefusalCode::disk_nearly_full;
  const bool is_written = outcome && !outcome->replayed;
  if (is_full && has_room_) log_.warn("the disk is nearly full: no changes are taken");
  if (is_written && !has_room_) log_.info("the disk has room again: changes are taken");
  if (is_full || is_written) has_room_ = is_written;
}

std::unique_ptr<const ledger::Operation> Changes::to_log(const Asked& asked) const {
  if (!asked || !log_.writes(level_of(*asked))) return nullptr;
  return std::make_unique<const ledger::Operation>(*asked);
}

// Shape and idempotency come before the deadline (rule 7), so with a deadline that has passed an operation is told its first answer
// or is not executed.
ledger::Store::Submission Changes::ask_again(Asked&& asked) {
  if (asked) asked->deadline = ledger::Deadline::at(async::Instant::min());
  return store_.submit(std::move(asked));
}

async::Task<std::optional<Outcome>> Changes::first_answer(ledger::Operation operation) {
  ledger::Store::Submission submitted = ask_again(std::move(operation));
  Outcome outcome = co_await submitted;
  if (was_never_answered(outcome)) co_return std::nullopt;
  require_decided(outcome);
  co_return outcome;
}

async::Task<ledger::Resolution> Changes::resolve(ledger::Operation operation) {
  const std::unique_ptr<const ledger::Operation> logged = to_log(operation);
  ledger::Resolution resolution =
      co_await store_.resolve(operation.id, std::move(operation.principal), operation.deadline);
  if (logged) log_change(log_, *logged, resolution.outcome);
  if (resolution.is == ledger::Resolution::Is::unanswered) {
    const Outcome& why = resolution.outcome;
    const bool is_full = !why && why.error().code == RefusalCode::disk_nearly_full;
    // That it was not done can be said only of an id that is fenced.
    if (is_full) throw rpc::Error(rpc::StatusCode::resource_exhausted, sentence(why.error()));
    require_decided(why);
  }
  co_return resolution;
}

void refuse_unproven() {
  throw rpc::Error(rpc::StatusCode::unauthenticated,
                   "The PIN was not entered, or too long ago; verify the card again.");
}

}  // namespace bank
