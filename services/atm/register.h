// Register: every id that customers and staff ever used here, whatever for.
#pragma once

#include <optional>
#include <string_view>

#include "atm/items.h"
#include "atm/records.h"

namespace atm {

// Owned by the Atm; loop thread only.
//
// Invariant: an id is in one of these at most, from before it is first acted on.
struct Register {
  Register(async::Loop& loop, JournalFile& journal_file)
      : withdrawals(loop, journal_file),
        deposits(loop, journal_file),
        movements(loop, journal_file),
        relays(loop, journal_file),
        fences(loop, journal_file) {}

  // Whether the id was used for anything but T.
  template <Record T>
  bool is_used_otherwise(const OperationId& id) {
    return (T::kind != Withdrawal::kind && withdrawals.knows(id)) ||
           (T::kind != Deposit::kind && deposits.knows(id)) ||
           (T::kind != Movement::kind && movements.knows(id)) ||
           (T::kind != Relay::kind && relays.knows(id));
  }

  bool knows(const OperationId& id) {
    return withdrawals.knows(id) || deposits.knows(id) || movements.knows(id) || relays.knows(id);
  }

  Items<Withdrawal> withdrawals;
  Items<Deposit> deposits;
  Items<Movement> movements;
  Items<Relay> relays;
  Items<Fence> fences;
};

}  // namespace atm
