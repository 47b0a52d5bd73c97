#include "ledger/ledger.h"

#include <utility>
#include <variant>

#include "ledger/check.h"
#include "ledger/codec.h"
#include "ledger/rules.h"
#include "ledger/shape.h"

namespace ledger {
namespace {

Answer refuse_unpinned(RefusalCode code, std::string_view field = {}) {
  return Answer{std::unexpected(Refusal{.code = code, .field = field})};
}

// The first answer, word for word, marked as told again; or why this is not the same operation.
Answer replay_or_name_difference(const Record& first, const Operation& operation) {
  const bool asks = std::holds_alternative<Resolve>(operation.change);
  const bool is_fence = std::holds_alternative<Resolve>(first.operation.change);
  // A fence is a no to everybody, whoever asked for it.
  if (is_fence && !asks) return refuse_unpinned(RefusalCode::id_fenced);
  if (!is_fence && first.operation.principal != operation.principal) {
    return refuse_unpinned(RefusalCode::id_belongs_to_another);
  }
  if (!asks) {
    const auto difference = first_difference(first.operation.change, operation.change);
    if (difference.has_value())
      return refuse_unpinned(RefusalCode::id_used_with_other_fields, *difference);
  }
  Answer answer{first.outcome, is_fence};
  if (answer.outcome.has_value()) {
    answer.outcome->replayed = true;
  } else {
    answer.outcome.error().replayed = true;
  }
  return answer;
}

bool is_pinned(const Outcome& outcome, const Change& change) {
  if (outcome.has_value()) return true;
  if (std::holds_alternative<RecordPinAttempt>(change)) return false;
  const RefusalCode code = outcome.error().code;
  return code >= RefusalCode::account_not_found && !is_call_status(code);
}

// Whose hold it is the ledger knows itself once it has found the hold.
void forget_what_the_hold_says(Change& change) {
  if (Capture* const capture = std::get_if<Capture>(&change)) {
    capture->card = {};
    capture->receipt.reset();
    capture->evidence.clear();
  } else if (Suspend* const suspend = std::get_if<Suspend>(&change)) {
    suspend->card = {};
    suspend->receipt.reset();
    suspend->amount = {};
    if (suspend->planned.empty()) suspend->currency = {};
  }
}

}  // namespace

void Batch::clear() {
  records.clear();
  const std::size_t size = bytes->size();
  bytes = std::make_shared<std::string>();
  bytes->reserve(size);  // The next one is likely to be as large.
}

Ledger::Ledger(History& history, std::chrono::microseconds memory_horizon)
    : history_(history), memory_horizon_(memory_horizon) {}

std::optional<Record> Ledger::first_answer(const OperationId& id) const {
  return find_first_answer(answers_, history_, id);
}

Decision Ledger::decide(const Operation& operation, const Moment& moment) const {
  if (std::optional<Refusal> fault = check_shape(operation)) {
    return Decision{.answer = {std::unexpected(*fault)}};
  }
  // Idempotency before state: a retry gets its first answer, whatever the balance is by now.
  if (const std::optional<Record> first = first_answer(operation.id)) {
    return Decision{.answer = replay_or_name_difference(*first, operation)};
  }
  if (operation.deadline.has_passed(moment.clock)) {
    return Decision{.answer = refuse_unpinned(RefusalCode::deadline_passed)};
  }
  Rules rules(books_, answers_, history_, operation, moment);
  Decision decision;
  decision.answer.outcome =
      std::visit([&rules](const auto& kind) { return rules.decide(kind); }, operation.change);
  decision.answer.fenced = std::holds_alternative<Resolve>(operation.change);
  Outcome& outcome = decision.answer.outcome;
  decision.journalled = is_pinned(outcome, operation.change) && !rules.changes_nothing();
  decision.fences_hold = rules.fences_hold();
  if (rules.reverse() != nullptr) decision.reverse = *rules.reverse();
  decision.parties = rules.parties();
  if (decision.journalled && !outcome.has_value()) {
    outcome.error().ledger_seq = books_.last_seq() + 1;
  }
  return decision;
}

Answer Ledger::execute(Operation&& operation, const Moment& moment, Batch& batch) {
  Decision decision = decide(operation, moment);
  if (!decision.journalled) return std::move(decision.answer);
  if (decision.fences_hold) {
    Operation fence{.id = std::get<Void>(operation.change).hold,
                    .principal = operation.principal,
                    .change = Resolve()};
    const Decision fenced{.answer = {Receipt{.ledger_seq = books_.last_seq() + 1}}};
    commit(std::move(fence), fenced, moment, batch);
  }
  if (decision.reverse.has_value()) operation.change = *std::move(decision.reverse);
  if (decision.answer.outcome.has_value()) forget_what_the_hold_says(operation.change);
  commit(std::move(operation), decision, moment, batch);
  return std::move(decision.answer);
}

Answer Ledger::answer_on_full_disk(const Operation& operation, const Moment& moment) const {
  Decision decision = decide(operation, moment);
  if (!decision.journalled) return std::move(decision.answer);
  return refuse_unpinned(RefusalCode::disk_nearly_full);
}

void Ledger::prefetch(const Operation& operation, Fetch step, Fetched& fetched) const {
  if (step == Fetch::slots) {
    fetched = Fetched();
    answers_.prefetch(operation.id);
  }
  const Post* const post = std::get_if<Post>(&operation.change);
  if (post != nullptr) books_.prefetch(*post, step, fetched);
}

void Ledger::expire_holds(const Moment& moment, std::size_t count_max, Batch& batch) {
  for (std::size_t count = 0; count < count_max; ++count) {
    const HoldEntry* const due = books_.first_expired(moment.at);
    if (due == nullptr) return;
    Operation expiry{.principal = due->principal, .change = ExpireHold{.hold = due->id}};
    Rules rules(books_, answers_, history_, expiry, moment);
    const Decision expired{.answer = {rules.decide(std::get<ExpireHold>(expiry.change))}};
    commit(std::move(expiry), expired, moment, batch);
  }
}

void Ledger::commit(Operation&& operation, const Decision& decision, const Moment& moment,
                    Batch& batch) {
  Record& record = batch.records.emplace_back();  // Filled in place: it is large.
  record.ledger_seq = books_.last_seq() + 1;
  record.at = moment.at;
  record.day = moment.day;
  record.parties = decision.parties;
  record.operation = std::move(operation);
  record.outcome = decision.answer.outcome;
  const std::size_t start = batch.bytes->size();
  encode(record, *batch.bytes);
  books_.apply(record);
  answers_.add(record, start, batch.bytes);
}

void Ledger::replay(const Record& record, std::size_t position) {
  // The movements of a batch lie together, as they did when it was decided.
  if (position == 0) books_.share_transfers();
  books_.apply(record);
  answers_.add(record, position, nullptr);
}

std::optional<std::string> Ledger::find_fault(const Record& record) const {
  if (record.ledger_seq != books_.last_seq() + 1) return "is not the next one";
  if (record.at < books_.last_at() || record.day < books_.last_day()) return "goes back in time";
  const Moment moment{.at = record.at, .day = record.day};
  Outcome expected;
  if (const ExpireHold* const expiry = std::get_if<ExpireHold>(&record.operation.change)) {
    const HoldEntry* const hold = books_.find_hold(expiry->hold);
    const bool is_due =
        hold != nullptr && hold->state == HoldState::held && hold->expires_at <= record.at;
    if (!is_due) return "ends the time of a hold that is not due";
    expected = Rules(books_, answers_, history_, record.operation, moment).decide(*expiry);
  } else {
    Decision decision = decide(record.operation, moment);
    if (!decision.journalled || decision.fences_hold) return "would not have been journalled";
    if (decision.reverse.has_value()) {
      const Reverse& said = std::get<Reverse>(record.operation.change);
      const Reverse& found = *decision.reverse;
      const bool is_same = said.source == found.source && said.target == found.target &&
                           said.amount == found.amount && said.currency == found.currency;
      if (!is_same) return "takes back another transfer than it names";
    }
    expected = std::move(decision.answer.outcome);
  }
  if (expected != record.outcome) return "was not decided by the rules";
  return std::nullopt;
}

Instant Ledger::restored() {
  answers_.forget(books_.last_seq(), books_.last_at());
  return answers_.line();
}

void Ledger::remember(const Record& record, std::size_t position) {
  answers_.add(record, position, nullptr);
}

void Ledger::forget(std::uint64_t projected_through) {
  books_.forget(projected_through);
  answers_.forget(projected_through, books_.last_at() - memory_horizon_);
}

}  // namespace ledger
