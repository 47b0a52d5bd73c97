#include "ledger/answers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "ledger/check.h"

namespace ledger {

void Answers::add(const Record& record, const Encoded& encoded) {
  const OperationId& id = record.operation.id;
  if (!id.is_set()) return;  // Made by the ledger itself: nobody will ask again.
  const std::uint64_t number = left_ + entries_.size();
  if (blocks_.empty() || blocks_.back().bytes != encoded.batch ||
      blocks_.back().decided_at != record.at) {
    blocks_.push_back(Block{.first = number, .bytes = encoded.batch, .decided_at = record.at});
  }
  const std::uint32_t tag = index_tag(id);
  index_of(id, tag).insert(tag, static_cast<std::uint32_t>(number));
  entries_.push_back(
      Entry{.ledger_seq = record.ledger_seq, .position = encoded.position, .size = encoded.size});
}

const Answers::Block& Answers::block_of(std::uint64_t number) const {
  return *std::prev(std::ranges::upper_bound(blocks_, number, {}, &Block::first));
}

Encoded Answers::encoded_at(std::size_t place) const {
  const Entry& entry = entries_[place];
  return Encoded{block_of(left_ + place).bytes, entry.position, entry.size};
}

std::optional<Encoded> Answers::encoded(const OperationId& id) const {
  const auto is_it = [&](std::uint32_t number) {
    return id_of(encoded_at(place_of(number)).view()) == id;
  };
  const std::uint32_t tag = index_tag(id);
  if (const std::optional<std::uint32_t> number = index_of(id, tag).find(tag, is_it)) {
    return encoded_at(place_of(*number));
  }
  if (ahead_.empty() || !is_complete_for(id)) return std::nullopt;
  const auto [first, last] = ahead_.equal_range(*id.made_at());
  for (auto ahead = first; ahead != last; ++ahead) {
    if (ahead->second.id == id) return ahead->second.encoded;
  }
  return std::nullopt;
}

std::optional<Record> Answers::find(const OperationId& id) const {
  const std::optional<Encoded> found = encoded(id);
  if (!found.has_value()) return std::nullopt;
  std::string_view bytes = found->view();
  std::optional<Record> record = decode(bytes);
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
         blocks_.front().decided_at <= line_) {
    const Entry& front = entries_.front();
    const Encoded encoded{blocks_.front().bytes, front.position, front.size};
    const OperationId id = id_of(encoded.view());
    const std::uint32_t tag = index_tag(id);
    index_of(id, tag).erase(tag, static_cast<std::uint32_t>(left_));
    if (is_complete_for(id)) ahead_.emplace(*id.made_at(), Ahead{id, encoded});
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
