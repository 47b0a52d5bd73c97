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

// The movements of one batch, oldest first: without the room that a Transfer has for texts, which are short or not there.
class TransferBlock {
 public:
  // So many are likely to come, with so many bytes of texts.
  void reserve(std::size_t count, std::size_t text_bytes);
  // Newer than all in here.
  void add(const Transfer& transfer);

  std::size_t size() const { return entries_.size(); }
  std::size_t text_bytes() const { return texts_.size(); }
  std::uint64_t last_seq() const { return entries_.back().ledger_seq; }
  // The place of the first after this number; `size()`: there is none.
  std::size_t first_after(std::uint64_t ledger_seq) const;
  std::uint64_t seq_at(std::size_t place) const { return entries_[place].ledger_seq; }
  Transfer at(std::size_t place) const;

 private:
  struct Entry {
    std::uint64_t ledger_seq = 0;
    Instant at{};
    OperationId id{};
    Cents amount{};
    Cents source_balance{};
    Cents target_balance{};
    std::uint64_t source_previous = 0;
    std::uint64_t target_previous = 0;
    AccountNumber source{};
    AccountNumber target{};
    Currency currency{};
    std::uint32_t text_position = 0;  // The terminal's id, and behind it the reason.
    std::uint16_t terminal_size = 0;
    std::uint16_t reason_size = 0;
    TransferKind kind = TransferKind::transfer;
  };
  static_assert(sizeof(Entry) == 96);

  std::vector<Entry> entries_;
  std::string texts_;
};

// The movements of money that the tables may not show yet, oldest first. Their memory is most of what a change costs while the
// tables lag, so the storage's books and the loop's have one between them.
//
// Always true: a block that is shared is not written any more, so its owners may be on different threads. A list belongs to one
// thread, and is copied by it.
class RecentTransfers {
 public:
  using Block = std::shared_ptr<const TransferBlock>;

  RecentTransfers() = default;
  RecentTransfers(const RecentTransfers& other)
      : blocks_(other.blocks_), forgotten_(other.forgotten_) {
    other.open_ = nullptr;
  }
  RecentTransfers& operator=(const RecentTransfers& other) {
    return *this = RecentTransfers(other);
  }
  RecentTransfers(RecentTransfers&&) noexcept = default;
  RecentTransfers& operator=(RecentTransfers&&) noexcept = default;
  ~RecentTransfers() = default;

  // Newer than all in here.
  void add(const Transfer& transfer);
  // Those that were added since the last call, for a list of another thread; null: none was.
  Block share();
  // What another list has shared: newer than all in here.
  void add(Block block);

  // Those up to this one can be found elsewhere.
  void forget(std::uint64_t through_seq);

  // Reads the sizes of all blocks.
  std::size_t size() const;
  bool empty() const { return blocks_.empty(); }
  // There is one.
  Transfer back() const { return blocks_.back()->at(blocks_.back()->size() - 1); }
  std::uint64_t last_seq() const { return blocks_.back()->last_seq(); }
  std::optional<Transfer> find(std::uint64_t ledger_seq) const;
  // At most `limit`, newest first, from `first_seq` back to older ones.
  std::vector<Transfer> back_from(std::uint64_t first_seq, std::size_t limit) const;
  // At most `limit`, oldest first, of those after `after_seq`.
  std::vector<Transfer> after(std::uint64_t after_seq, std::size_t limit) const;

 private:
  using Blocks = std::deque<Block>;

  // The first block that has one after this number.
  Blocks::const_iterator block_after(std::uint64_t ledger_seq) const;

  Blocks blocks_;  // None is empty, and each has one that is not forgotten.
  // The last block, as long as it is nobody else's.
  mutable std::shared_ptr<TransferBlock> open_;
  std::uint64_t forgotten_ = 0;  // Up to this one.
};

}  // namespace ledger
