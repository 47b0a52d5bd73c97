// Declines: what this ATM said no to by itself, for staff who are asked about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "atm/journal.h"
#include "atm/records.h"

namespace atm {

// So many are kept, and no more: however often customers are declined, the journal grows no further
// by it. Of a few hundred bytes each.
inline constexpr std::size_t declines_kept_max = 1000;
// A longer sentence is cut: it may have words of the bank's.
inline constexpr std::size_t declined_sentence_size_max = 500;

// Of all terminals. Owned by the Atm; loop thread only.
//
// Invariant: the newest is first, and the numbers have no gap.
class Declines {
 public:
  // Reads what the journal has. Throws StorageError.
  Declines(Journal& journal, const DiskRoom& disk);

  // Numbers and stores it. An attempt that was repeated and declined for the same reason stays where
  // it is.
  void keep(Declined declined);
  // Done when all are on the disk, but at once while that is nearly full: then they wait in memory for
  // the next one after there is room. A crash ends their sessions, without which nothing is begun.
  Task<> until_stored();

  // What the customer was told of that id, if it was a no that the same request might not hear later:
  // null if there is none among those that are kept.
  const Declined* final_no(const OperationId& id) const;

  const std::deque<Declined>& newest_first() const { return kept_; }

 private:
  Journal& journal_;
  const DiskRoom& disk_;
  std::deque<Declined> kept_;
  std::uint64_t stored_through_ = 0;  // A number.
};

}  // namespace atm
