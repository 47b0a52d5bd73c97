#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ledger/entries.h"

namespace ledger {

// The movements of one batch, oldest first. Packed: while the tables lag there are millions of these, and memory that a process
// touches for the first time costs it more than the packing.
class TransferBlock {
 public:
  // Newer than all in here.
  void add(const Transfer& transfer);
  // Keeps the memory.
  void clear();

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t last_seq() const { return seq_at(entries_.size() - 1); }
  // The place of the first after this number; `size()`: there is none.
  std::size_t first_after(std::uint64_t ledger_seq) const;
  std::uint64_t seq_at(std::size_t place) const {
    return first_.ledger_seq + entries_[place].after_first;
  }
  Transfer at(std::size_t place) const;

 private:
  struct Entry {
    std::uint32_t after_first = 0;  // How many records after the first.
    std::uint32_t position = 0;
  };

  Transfer first_;
  std::vector<Entry> entries_;
  std::string packed_;
};

// The movements of money that the tables may not show yet, oldest first. Their memory is much of what a change costs while the
// tables lag, so the storage's books and the loop's have one between them.
//
// Always true: a block that is shared is not written any more, so its owners may be on different threads. A list belongs to one
// thread, and is copied by it.
class RecentTransfers {
 public:
  using Block = std::shared_ptr<const TransferBlock>;

  RecentTransfers() = default;
  RecentTransfers(const RecentTransfers& other) {
    other.close();
    blocks_ = other.blocks_;
    forgotten_ = other.forgotten_;
  }
  RecentTransfers& operator=(const RecentTransfers& other) {
    return *this = RecentTransfers(other);
  }
  RecentTransfers(RecentTransfers&&) noexcept = default;
  RecentTransfers& operator=(RecentTransfers&&) noexcept = default;
  ~RecentTransfers() = default;

  // Newer than all in here.
  void add(const Transfer& transfer) { open_.add(transfer); }
  // Those that were added since the last call, for a list of another thread; null: none was.
  Block share() { return close(); }
  // What another list has shared: newer than all in here.
  void add(Block block);

  // Those up to this one can be found elsewhere.
  void forget(std::uint64_t through_seq);

  // Reads the sizes of all blocks.
  std::size_t size() const;
  bool empty() const { return block_count() == 0; }
  // There is one.
  Transfer back() const { return last_block().at(last_block().size() - 1); }
  std::uint64_t last_seq() const { return last_block().last_seq(); }
  std::optional<Transfer> find(std::uint64_t ledger_seq) const;
  // At most `limit`, newest first, from `first_seq` back to older ones.
  std::vector<Transfer> back_from(std::uint64_t first_seq, std::size_t limit) const;
  // At most `limit`, oldest first, of those after `after_seq`.
  std::vector<Transfer> after(std::uint64_t after_seq, std::size_t limit) const;

 private:
  // Puts what is open among the blocks, with no more memory than it needs. Null: nothing is.
  Block close() const;
  std::size_t block_count() const { return blocks_.size() + (open_.empty() ? 0 : 1); }
  const TransferBlock& block(std::size_t number) const {
    return number < blocks_.size() ? *blocks_[number] : open_;
  }
  const TransferBlock& last_block() const { return block(block_count() - 1); }
  // The first block that has one after this number; `block_count()`: there is none.
  std::size_t block_after(std::uint64_t ledger_seq) const;

  // None is empty, and each has one that is not forgotten.
  mutable std::deque<Block> blocks_;
  // Those that come after all blocks, and are nobody else's.
  mutable TransferBlock open_;
  std::uint64_t forgotten_ = 0;  // Up to this one.
};

}  // namespace ledger
