#include "ledger/recent_transfers.h"

#include <algorithm>
#include <cstdint>
#include <ranges>
#include <string_view>
#include <utility>

#include "ledger/check.h"
#include "ledger/codec.h"

namespace ledger {

// --- TransferBlock ---

void TransferBlock::add(const Transfer& transfer) {
  if (empty()) first_ = transfer;
  const std::uint64_t after_first = transfer.ledger_seq - first_.ledger_seq;
  check(after_first <= UINT32_MAX && packed_.size() <= UINT32_MAX);
  entries_.push_back(Entry{.after_first = static_cast<std::uint32_t>(after_first),
                           .position = static_cast<std::uint32_t>(packed_.size())});
  pack(transfer, first_, packed_);
}

void TransferBlock::clear() {
  entries_.clear();
  packed_.clear();
}

std::size_t TransferBlock::first_after(std::uint64_t ledger_seq) const {
  const auto places = std::views::iota(std::size_t{0}, entries_.size());
  const auto first = std::ranges::upper_bound(places, ledger_seq, {},
                                              [this](auto place) { return seq_at(place); });
  return static_cast<std::size_t>(first - places.begin());
}

Transfer TransferBlock::at(std::size_t place) const {
  return unpack(std::string_view(packed_).substr(entries_[place].position), seq_at(place), first_);
}

// --- RecentTransfers ---

RecentTransfers::Block RecentTransfers::close() const {
  if (open_.empty()) return nullptr;
  blocks_.push_back(std::make_shared<const TransferBlock>(open_));
  open_.clear();
  return blocks_.back();
}

void RecentTransfers::add(Block block) {
  close();
  blocks_.push_back(std::move(block));
}

void RecentTransfers::forget(std::uint64_t through_seq) {
  forgotten_ = std::max(forgotten_, through_seq);
  while (!blocks_.empty() && blocks_.front()->last_seq() <= forgotten_) blocks_.pop_front();
  if (!open_.empty() && open_.last_seq() <= forgotten_) open_.clear();
}

std::size_t RecentTransfers::size() const {
  std::size_t size = 0;
  for (std::size_t number = 0; number < block_count(); ++number) {
    size += block(number).size() - block(number).first_after(forgotten_);
  }
  return size;
}

std::optional<Transfer> RecentTransfers::find(std::uint64_t ledger_seq) const {
  if (ledger_seq <= forgotten_) return std::nullopt;
  const std::size_t number = block_after(ledger_seq - 1);
  if (number == block_count()) return std::nullopt;
  const TransferBlock& found = block(number);
  const std::size_t place = found.first_after(ledger_seq - 1);
  if (found.seq_at(place) != ledger_seq) return std::nullopt;
  return found.at(place);
}

std::vector<Transfer> RecentTransfers::back_from(std::uint64_t first_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  // The block after the last of them may begin with some.
  std::size_t number = std::min(block_after(first_seq) + 1, block_count());
  while (number > 0 && found.size() < limit) {
    const TransferBlock& older = block(--number);
    for (std::size_t place = older.first_after(first_seq); place > 0 && found.size() < limit;) {
      --place;
      if (older.seq_at(place) <= forgotten_) return found;
      found.push_back(older.at(place));
    }
  }
  return found;
}

std::vector<Transfer> RecentTransfers::after(std::uint64_t after_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  const std::uint64_t before = std::max(after_seq, forgotten_);
  for (std::size_t number = block_after(before); number < block_count() && found.size() < limit;
       ++number) {
    const TransferBlock& newer = block(number);
    for (std::size_t place = newer.first_after(before);
         place < newer.size() && found.size() < limit; ++place) {
      found.push_back(newer.at(place));
    }
  }
  return found;
}

std::size_t RecentTransfers::block_after(std::uint64_t ledger_seq) const {
  const auto numbers = std::views::iota(std::size_t{0}, block_count());
  const auto first = std::ranges::upper_bound(
      numbers, ledger_seq, {}, [this](std::size_t number) { return block(number).last_seq(); });
  return static_cast<std::size_t>(first - numbers.begin());
}

}  // namespace ledger
