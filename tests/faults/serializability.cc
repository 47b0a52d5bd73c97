#include "serializability.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "model.h"

namespace sim {
namespace {

using Broken = std::optional<std::string>;
using ledger::Record;

std::string text_of(const Observed& call) {
  if (call.is_read()) return fmt::format("a read of {} at {}", call.account, call.ledger_seq);
  return fmt::format("change {} at {}", call.id.text(), call.ledger_seq);
}

// What a client was told is what the journal has for its id.
Broken find_lie(const Observed& call, std::span<const Record> records,
                const std::map<ledger::OperationId, const Record*>& by_id) {
  const auto found = by_id.find(call.id);
  const Record* const record = found == by_id.end() ? nullptr : found->second;
  if (!call.is_yes) {
    if (record == nullptr || !record->outcome) return std::nullopt;
    return fmt::format("{} was refused, and the journal has it done: a {}", text_of(call),
                       name(record->operation.change));
  }
  if (call.ledger_seq == 0 || call.ledger_seq > records.size()) {
    return text_of(call) + " was acknowledged, and the journal ends before it";
  }
  if (record == nullptr || record->ledger_seq != call.ledger_seq) {
    return text_of(call) + " was acknowledged, and the journal has something else there";
  }
  if (!record->outcome) return text_of(call) + " was acknowledged, and the journal refuses it";
  const ledger::Receipt& receipt = *record->outcome;
  if (call.balance &&
      (*call.balance != receipt.balance.value || *call.available != receipt.available.value)) {
    return text_of(call) + " was told another balance than the journal has";
  }
  return std::nullopt;
}

// A read shows the model's account at its number, neither older nor newer.
Broken find_wrong_read(const Observed& read, const Model& model) {
  const Model::Account* const account = model.find(read.account);
  if (account == nullptr) {
    return text_of(read) + " shows an account that was not open";
  }
  if (account->balance == *read.balance && account->available() == *read.available) {
    return std::nullopt;
  }
  return fmt::format("{} shows {} and {} available, and the model has {} and {}", text_of(read),
                     *read.balance, *read.available, account->balance, account->available());
}

// Whoever was answered before another asked comes first. Changes have numbers of their own; a read shows a number.
Broken find_time_travel(std::vector<const Observed*> calls) {
  std::vector<const Observed*> by_answer = calls;
  std::ranges::sort(calls, {}, &Observed::asked);
  std::ranges::sort(by_answer, {}, &Observed::answered);
  const Observed* latest = nullptr;
  std::size_t answered = 0;
  for (const Observed* call : calls) {
    for (; answered < by_answer.size() && by_answer[answered]->answered < call->asked; ++answered) {
      const Observed* const before = by_answer[answered];
      if (latest == nullptr || before->ledger_seq > latest->ledger_seq) latest = before;
    }
    if (latest == nullptr) continue;
    const bool is_later = call->is_read() ? call->ledger_seq >= latest->ledger_seq
                                          : call->ledger_seq > latest->ledger_seq;
    if (!is_later) {
      return fmt::format("{} was asked for after {} had been answered", text_of(*call),
                         text_of(*latest));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_disorder(const History& history, std::span<const Record> records) {
  std::map<ledger::OperationId, const Record*> by_id;
  for (const Record& record : records) {
    if (record.operation.id.is_set()) by_id.emplace(record.operation.id, &record);
  }
  std::vector<const Observed*> reads;
  std::vector<const Observed*> numbered;
  for (const Observed& call : history) {
    if (call.ledger_seq != 0) numbered.push_back(&call);
    if (call.is_read()) {
      reads.push_back(&call);
    } else if (Broken lie = find_lie(call, records, by_id)) {
      return lie;
    }
  }
  std::ranges::sort(reads, {}, &Observed::ledger_seq);
  Model model;
  auto read = reads.begin();
  for (const Record& record : records) {
    for (; read != reads.end() && (*read)->ledger_seq < record.ledger_seq; ++read) {
      if (Broken wrong = find_wrong_read(**read, model)) return wrong;
    }
    if (Broken wrong = model.follow(record)) return wrong;
  }
  for (; read != reads.end(); ++read) {
    if ((*read)->ledger_seq > records.size()) {
      return text_of(**read) + " shows what the journal does not have";
    }
    if (Broken wrong = find_wrong_read(**read, model)) return wrong;
  }
  return find_time_travel(std::move(numbered));
}

}  // namespace sim
