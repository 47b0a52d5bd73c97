#include "ledger/recent_transfers.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ledger {
namespace {

// The first in a block after this number.
auto first_after(const std::vector<Transfer>& block, std::uint64_t ledger_seq) {
  return std::ranges::upper_bound(block, ledger_seq, {}, &Transfer::ledger_seq);
}

std::uint64_t last_seq(const RecentTransfers::Block& block) { return block->back().ledger_seq; }

}  // namespace

void RecentTransfers::add(Transfer transfer) {
  if (open_ == nullptr) {
    open_ = std::make_shared<std::vector<Transfer>>();
    // The next batch is likely to be as large.
    open_->reserve(blocks_.empty() ? 1 : blocks_.back()->size());
    blocks_.push_back(open_);
  }
  open_->push_back(std::move(transfer));
}

RecentTransfers::Block RecentTransfers::share() { return std::exchange(open_, nullptr); }

void RecentTransfers::add(Block block) {
  open_ = nullptr;
  blocks_.push_back(std::move(block));
}

void RecentTransfers::forget(std::uint64_t through_seq) {
  forgotten_ = std::max(forgotten_, through_seq);
  while (!blocks_.empty() && last_seq(blocks_.front()) <= forgotten_) {
    if (blocks_.front() == open_) open_ = nullptr;
    blocks_.pop_front();
  }
}

std::size_t RecentTransfers::size() const {
  std::size_t size = 0;
  for (const Block& block : blocks_) {
    size += static_cast<std::size_t>(std::distance(first_after(*block, forgotten_), block->end()));
  }
  return size;
}

const Transfer* RecentTransfers::find(std::uint64_t ledger_seq) const {
  if (ledger_seq <= forgotten_) return nullptr;
  const auto block = block_after(ledger_seq - 1);
  if (block == blocks_.end()) return nullptr;
  const Transfer& found = *first_after(**block, ledger_seq - 1);
  return found.ledger_seq == ledger_seq ? &found : nullptr;
}

std::vector<Transfer> RecentTransfers::back_from(std::uint64_t first_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  auto block = block_after(first_seq);
  if (block != blocks_.end()) ++block;  // It may begin before.
  while (block != blocks_.begin() && found.size() < limit) {
    --block;
    for (auto place = first_after(**block, first_seq);
         place != (*block)->begin() && found.size() < limit;) {
      --place;
      if (place->ledger_seq <= forgotten_) return found;
      found.push_back(*place);
    }
  }
  return found;
}

std::vector<Transfer> RecentTransfers::after(std::uint64_t after_seq, std::size_t limit) const {
  std::vector<Transfer> found;
  const std::uint64_t before = std::max(after_seq, forgotten_);
  for (auto block = block_after(before); block != blocks_.end() && found.size() < limit; ++block) {
    for (auto place = first_after(**block, before);
         place != (*block)->end() && found.size() < limit; ++place) {
      found.push_back(*place);
    }
  }
  return found;
}

RecentTransfers::Blocks::const_iterator RecentTransfers::block_after(
    std::uint64_t ledger_seq) const {
  return std::ranges::upper_bound(blocks_, ledger_seq, {}, last_seq);
}

}  // namespace ledger
