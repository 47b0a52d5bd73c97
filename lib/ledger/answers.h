#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "ledger/codec.h"
#include "ledger/history.h"
#include "ledger/index.h"
#include "ledger/record.h"

namespace ledger {

// Which recent ids were answered, and where in the journal the answers are. Part of the ledger, on its thread.
//
// Always true: an id for which this is complete is in here or was never answered. Those are the ids made after `line()`. Answers
// leave in the order in which they came, but one whose id is younger than the line (its maker's clock was ahead) stays until the
// line has passed it too; when there are too many of those, the furthest ahead leave, and as far as those reach this is not complete.
class Answers {
 public:
  // How many answers are kept because their ids are younger than the line. Honest clocks need a few.
  static constexpr std::size_t ahead_max = 65'536;

  // The record begins at `position` of its batch, which is in the journal when a record of another is added. Null: it is already.
  void add(const Record& record, std::size_t position, const BatchBytes& batch);
  // What is not in the last batch is read by `history`.
  std::optional<Record> find(const OperationId& id, History& history) const;
  // Somebody will ask for this id, or add it, soon.
  void prefetch(const OperationId& id) const {
    const std::uint32_t tag = index_tag(id);
    index_of(id, tag).prefetch(tag);
  }

  // True: not having an answer here proves that the id was never answered.
  bool is_complete_for(const OperationId& id) const;

  // Forgets what is in History (up to `projected_through`) and was both decided and made at `line`
  // or before. The line only moves forward.
  void forget(std::uint64_t projected_through, Instant line);

  // Some ids made between these times, both included, may have been answered and are not in here.
  void be_incomplete(Instant from, Instant through) {
    incomplete_from_ = std::min(incomplete_from_, from);
    incomplete_through_ = std::max(incomplete_through_, through);
  }

  std::size_t size() const { return entries_.size() + ahead_.size(); }
  Instant line() const { return line_; }

 private:
  // Small: while the tables lag there are millions of these.
  struct Entry {
    OperationId id;
    std::uint32_t after_first = 0;  // How many records after the block's first.
    std::uint32_t position = 0;
  };
  // A run of entries that were decided at the same time, up to the next block's first.
  struct Block {
    std::uint64_t first = 0;
    std::uint64_t first_seq = 0;
    Instant decided_at;
  };
  // Where a record is.
  struct Place {
    std::uint64_t ledger_seq = 0;
    std::uint32_t position = 0;
  };
  struct Ahead {
    OperationId id;
    Place place;
  };

  // New ids are of one time, so ids of one time have their index: the slots that come next are in the processor's caches, however
  // many answers there are. It has parts, since one index that doubles at two million entries would stop the bank for 50 ms, and
  // nothing keeps a caller's clock from standing still.
  static constexpr unsigned time_bits = 8;
  static constexpr unsigned part_bits = 2;
  static constexpr unsigned milliseconds_bits = 4;  // Of an index's time.

  static std::size_t index_place(const OperationId& id, std::uint32_t tag) {
    // Of a UUIDv7; other ids have what is as good as any number there.
    const std::uint32_t milliseconds = std::uint32_t{id.bytes[4]} << 8U | id.bytes[5];
    const std::uint32_t time = (milliseconds >> milliseconds_bits) % (1U << time_bits);
    return time << part_bits | tag >> (32 - part_bits);
  }
  const NumberIndex& index_of(const OperationId& id, std::uint32_t tag) const {
    return indexes_[index_place(id, tag)];
  }
  NumberIndex& index_of(const OperationId& id, std::uint32_t tag) {
    return indexes_[index_place(id, tag)];
  }
  std::optional<Place> find_place(const OperationId& id) const;
  const Block& block_of(std::uint64_t number) const;
  std::size_t place_of(std::uint32_t number) const {
    return static_cast<std::uint32_t>(number - static_cast<std::uint32_t>(left_));
  }

  // In the order in which they came. An answer's number is its place plus how many have left, of which the index keeps 32 bits.
  std::deque<Entry> entries_;
  std::deque<Block> blocks_;
  std::uint64_t left_ = 0;
  std::array<NumberIndex, 1U << (time_bits + part_bits)> indexes_;
  // Answers kept because their ids are younger than the line, by when the line passes them. Few: they are not in the index.
  std::multimap<Instant, Ahead> ahead_;
  Instant line_ = Instant::min();
  Instant incomplete_from_ = Instant::max();
  Instant incomplete_through_ = Instant::min();
  // The last batch, and its first record: it may not be in the journal yet.
  BatchBytes last_batch_;
  std::uint64_t last_batch_from_ = 0;
};

}  // namespace ledger
