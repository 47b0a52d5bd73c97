#include "ledger/recent_transfers.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "ledger/check.h"

namespace ledger {
namespace {

std::uint64_t last_seq_of(const RecentTransfers::Block& block) { return block->last_seq(); }

std::uint16_t size_of(const std::string& text) {
  check(text.size() <= UINT16_MAX);
  return static_cast<std::uint16_t>(text.size());
}

}  // namespace

// --- TransferBlock ---

void TransferBlock::reserve(std::size_t count, std::size_t text_bytes) {
  entries_.reserve(count);
  texts_.reserve(text_bytes);
}

void TransferBlock::add(const Transfer& transfer) {
  check(texts_.size() <= UINT32_MAX);
  entries_.push_back(Entry{.ledger_seq = transfer.ledger_seq,
                           .at = transfer.at,
                           .id = transfer.id,
                           .amount = transfer.amount,
                           .source_balance = transfer.source_balance,
                           .target_balance = transfer.target_balance,
                           .source_previous = transfer.source_previous,
                           .target_previous = transfer.target_previous,
                           .source = transfer.source,
                           .target = transfer.target,
                           .currency = transfer.currency,
                           .text_position = static_cast<std::uint32_t>(texts_.size()),
                           .terminal_size = size_of(transfer.terminal),
                           .reason_size = size_of(transfer.reason),
                           .kind = transfer.kind});
  texts_ += transfer.terminal;
  texts_ += transfer.reason;
}

std::size_t TransferBlock::first_after(std::uint64_t ledger_seq) const {
  const auto first = std::ranges::upper_bound(entries_, ledger_seq, {}, &Entry::ledger_seq);
  return static_cast<std::size_t>(first - entries_.begin());
}

Transfer TransferBlock::at(std::size_t place) const {
  const Entry& entry = entries_[place];
  return Transfer{
      .ledger_seq = entry.ledger_seq,
      .at = entry.at,
      .id = entry.id,
      .kind = entry.kind,
      .source = entry.source,
      .target = entry.target,
      .amount = entry.amount,
      .currency = entry.currency,
      .source_balance = entry.source_balance,
      .target_balance = entry.target_balance,
      .source_previous = entry.source_previous,
      .target_previous = entry.target_previous,
      .terminal = texts_.substr(entry.text_position, entry.terminal_size),
      .reason = texts_.substr(entry.text_position + entry.terminal_size, entry.reason_size)};
}

// --- RecentTransfers ---

void RecentTransfers::add(const Transfer& transfer) {
  if (open_ == nullptr) {
    open_ = std::make_shared<TransferBlock>();
    // The next batch is likely to be as large.
    if (!blocks_.empty()) open_->reserve(blocks_.back()->size(), blocks_.back()->text_bytes());
    blocks_.push_back(open_);
  }
  open_->add(transfer);
}

RecentTransfers::Block RecentTransfers::share() { return std::exchange(open_, nullptr); }

void RecentTransfers::add(Block block) {
  open_ = nullptr;
  blocks_.push_back(std::move(block));
}

void RecentTransfers::forget(std::uint64_t through_seq) {
  forgotten_ = std::max(forgotten_, through_seq);
  while (!blocks_.empty() && blocks_.front()->last_seq() <= forgotten_) {
    if (blocks_.front() == open_) open_ = nullptr;
    blocks_.pop_front();
  }
}

std::size_t RecentTransfers::size() const {
  std::size_t size = 0;
  for (const Block& block : blocks_) {
    size += block->size() - block->first_after(forgotten_);
  }
  return size;
}

std::optional<Transfer> RecentTransfers::find(std::uint64_t ledger_seq) const {
  if (ledger_seq <= forgotten_) return std::nullopt;
  const auto block = block_after(ledger_seq - 1);
  if (block == blocks_.end()) return std::nullopt;
  const std::size_t place = (*block)->first_after(ledger_seq - 1);
  if ((*block)->seq_at(place) != ledger_seq) return std::nullopt;
  return (*block)->at(place);
}

std::vector<Transfer> RecentTransfers::back_from(std::uint64_t first_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  auto block = block_after(first_seq);
  if (block != blocks_.end()) ++block;  // It may begin before.
  while (block != blocks_.begin() && found.size() < limit) {
    --block;
    for (std::size_t place = (*block)->first_after(first_seq); place > 0 && found.size() < limit;) {
      --place;
      if ((*block)->seq_at(place) <= forgotten_) return found;
      found.push_back((*block)->at(place));
    }
  }
  return found;
}

std::vector<Transfer> RecentTransfers::after(std::uint64_t after_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  const std::uint64_t before = std::max(after_seq, forgotten_);
  for (auto block = block_after(before); block != blocks_.end() && found.size() < limit; ++block) {
    for (std::size_t place = (*block)->first_after(before);
         place < (*block)->size() && found.size() < limit; ++place) {
      found.push_back((*block)->at(place));
    }
  }
  return found;
}

RecentTransfers::Blocks::const_iterator RecentTransfers::block_after(
    std::uint64_t ledger_seq) const {
  return std::ranges::upper_bound(blocks_, ledger_seq, {}, last_seq_of);
}

}  // namespace ledger
