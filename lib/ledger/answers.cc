#include "ledger/answers.h"

#include <utility>

#include "ledger/check.h"
#include "ledger/codec.h"

namespace ledger {

void Answers::add(const Record& record, std::string_view encoded) {
  const OperationId& id = record.operation.id;
  if (!id.is_set()) return;  // Made by the ledger itself: nobody will ask again.
  index_.insert(index_tag(id), static_cast<std::uint32_t>(left_ + entries_.size()));
  entries_.push_back(Entry{id, record.ledger_seq, record.at, std::string(encoded)});
}

const Answers::Entry* Answers::entry(const OperationId& id) const {
  const auto is_it = [&](std::uint32_t number) { return entries_[place_of(number)].id == id; };
  const std::optional<std::uint32_t> number = index_.find(index_tag(id), is_it);
  if (number.has_value()) return &entries_[place_of(*number)];
  if (ahead_.empty() || !is_complete_for(id)) return nullptr;
  const auto [first, last] = ahead_.equal_range(*id.made_at());
  for (auto ahead = first; ahead != last; ++ahead) {
    if (ahead->second.id == id) return &ahead->second;
  }
  return nullptr;
}

std::optional<Record> Answers::find(const OperationId& id) const {
  const Entry* const found = entry(id);
  if (found == nullptr) return std::nullopt;
  std::string_view encoded = found->encoded;
  std::optional<Record> record = decode(encoded);
  check(record.has_value());
  return record;
}

bool Answers::is_complete_for(const OperationId& id) const {
  const std::optional<Instant> made_at = id.made_at();
  return made_at.has_value() && *made_at > line_;
}

void Answers::forget(std::uint64_t projected_through, Instant line) {
  if (line > line_) line_ = line;
  while (!entries_.empty() && entries_.front().ledger_seq <= projected_through &&
         entries_.front().decided_at <= line_) {
    Entry& front = entries_.front();
    index_.erase(index_tag(front.id), static_cast<std::uint32_t>(left_));
    if (is_complete_for(front.id)) {
      const Instant made_at = *front.id.made_at();
      ahead_.emplace(made_at, std::move(front));
    }
    entries_.pop_front();
    ++left_;
  }
  while (!ahead_.empty() && ahead_.begin()->first <= line_) {
    ahead_.erase(ahead_.begin());
  }
}

}  // namespace ledger
