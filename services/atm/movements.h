// Movements: staff load notes and take everything out, and the bank is told.
#pragma once

#include <string>

#include "atm/items.h"
#include "atm/machinery.h"
#include "atm/terminal.h"
#include "atm/v1/staff.pb.h"

namespace atm {

using MovementItem = ItemPointer<Movement>;

//   REQUESTED -> MOVED -> SETTLED
//
// REQUESTED is done again after a crash: the devices act once per id. MOVED waits for the bank.
// Owned by the Atm; loop thread only.
class Movements {
 public:
  Movements(Machinery& machinery, Items<Movement>& items) : machinery_(machinery), items_(items) {}

  MovementItem begin(Terminal& terminal, Movement movement);
  Task<> recover(Terminal& terminal, Movement movement);

 private:
  Task<> serve(MovementItem item);
  Task<> settle(MovementItem item);
  // False: a device did not answer.
  Task<bool> move(MovementItem item);
  Task<bool> load(MovementItem item);
  Task<bool> unload(MovementItem item);
  Task<> tell_bank(MovementItem item);
  Task<> to_moved(MovementItem item);
  void ended(const MovementItem& item, std::uint64_t ledger_seq,
             const ::bank::v1::Refusal* refusal);
  void log_moved(const Item<Movement>& item) const;
  Blob answer(const MovementItem& item) const;

  Machinery& machinery_;
  Items<Movement>& items_;
};

}  // namespace atm
