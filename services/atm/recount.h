// Recount: whether the notes are where the journal has them, asked of the devices once after a start.
#pragma once

#include "atm/machinery.h"
#include "atm/register.h"
#include "atm/terminal.h"

namespace atm {

// A journal that is older than the devices, restored or lost, says so by its counts (rule 20). Owned
// by the Atm; loop thread only.
class Recount {
 public:
  Recount(Machinery& machinery, Register& known) : machinery_(machinery), known_(known) {}

  // Asks both devices. Those that cannot tell yet are asked on in the queue: a device that does not
  // answer, or one that may have moved notes of which the books have not heard. Until the dispenser
  // was counted, the terminal is out of service.
  Task<> begin(Terminal& terminal);

 private:
  // False: not yet.
  Task<bool> count_dispenser(Terminal& terminal);
  Task<bool> count_bin(Terminal& terminal);
  Task<> count_dispenser_later(Terminal& terminal);
  Task<> count_bin_later(Terminal& terminal);
  // Whether the books know of all that the device did.
  bool knows_dispenser(const Terminal& terminal) const;
  bool knows_bin(const Terminal& terminal) const;

  Machinery& machinery_;
  Register& known_;
};

}  // namespace atm
