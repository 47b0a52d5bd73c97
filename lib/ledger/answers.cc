#include "ledger/answers.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "ledger/check.h"

namespace ledger {

void Answers::add(const Record& record, std::size_t position, const BatchBytes& batch) {
  if (last_batch_ != batch) {
    last_batch_ = batch;
    last_batch_from_ = record.ledger_seq;
  }
  const OperationId& id = record.operation.id;
  if (!id.is_set()) return;  // Made by the ledger itself: nobody will ask again.
  const std::uint64_t number = left_ + entries_.size();
  if (blocks_.empty() || blocks_.back().decided_at != record.at) {
    blocks_.push_back(
        Block{.first = number, .first_seq = record.ledger_seq, .decided_at = record.at});
  }
  const std::uint32_t tag = index_tag(id);
  index_of(id, tag).insert(tag, static_cast<std::uint32_t>(number));
  const std::uint64_t after_first = record.ledger_seq - blocks_.back().first_seq;
  check(after_first <= UINT32_MAX && position <= UINT32_MAX);
  entries_.push_back(Entry{.id = id,
                           .after_first = static_cast<std::uint32_t>(after_first),
                           .position = static_cast<std::uint32_t>(position)});
}

const Answers::Block& Answers::block_of(std::uint64_t number) const {
  return *std::prev(std::ranges::upper_bound(blocks_, number, {}, &Block::first));
}

std::optional<Answers::Place> Answers::find_place(const OperationId& id) const {
  const auto is_it = [&](std::uint32_t number) { return entries_[place_of(number)].id == id; };
  const std::uint32_t tag = index_tag(id);
  if (const std::optional<std::uint32_t> number = index_of(id, tag).find(tag, is_it)) {
    const std::size_t place = place_of(*number);
    const Entry& entry = entries_[place];
    return Place{.ledger_seq = block_of(left_ + place).first_seq + entry.after_first,
                 .position = entry.position};
  }
  if (ahead_.empty() || !is_complete_for(id)) return std::nullopt;
  const auto [first, last] = ahead_.equal_range(*id.made_at());
  for (auto ahead = first; ahead != last; ++ahead) {
    if (ahead->second.id == id) return ahead->second.place;
  }
  return std::nullopt;
}

std::optional<Record> Answers::find(const OperationId& id, History& history) const {
  const std::optional<Place> place = find_place(id);
  if (!place.has_value()) return std::nullopt;
  if (last_batch_ == nullptr || place->ledger_seq < last_batch_from_) {
    return history.record_at(place->ledger_seq, place->position);
  }
  std::string_view bytes = std::string_view(*last_batch_).substr(place->position);
  std::optional<Record> record = decode(bytes);
  check(record.has_value());
  return record;
}

bool Answers::is_complete_for(const OperationId& id) const {
  const std::optional<Instant> made_at = id.made_at();
  if (!made_at.has_value() || *made_at <= line_) return false;
  return *made_at < incomplete_from_ || *made_at > incomplete_through_;
}

void Answers::forget(std::uint64_t projected_through, Instant line) {
  if (line > line_) line_ = line;
  while (!entries_.empty() && blocks_.front().decided_at <= line_) {
    const Entry& front = entries_.front();
    const std::uint64_t ledger_seq = blocks_.front().first_seq + front.after_first;
    if (ledger_seq > projected_through) break;
    const std::uint32_t tag = index_tag(front.id);
    index_of(front.id, tag).erase(tag, static_cast<std::uint32_t>(left_));
    if (is_complete_for(front.id)) {
      ahead_.emplace(*front.id.made_at(), Ahead{front.id, Place{ledger_seq, front.position}});
    }
    if (ahead_.size() > ahead_max) {
      const auto furthest = std::prev(ahead_.end());
      be_incomplete(furthest->first, furthest->first);
      ahead_.erase(furthest);
    }
    entries_.pop_front();
    ++left_;
    const bool block_is_done =
        entries_.empty() || (blocks_.size() > 1 && blocks_[1].first == left_);
    if (block_is_done) blocks_.pop_front();
  }
  while (!ahead_.empty() && ahead_.begin()->first <= line_) {
    ahead_.erase(ahead_.begin());
  }
}

}  // namespace ledger
