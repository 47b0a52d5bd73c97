// UnknownIds: what became of a customer's id that the journal does not know.
#pragma once

#include <expected>
#include <optional>

#include "atm/declines.h"
#include "atm/devices.h"
#include "atm/machinery.h"
#include "atm/register.h"
#include "atm/terminal.h"
#include "atm/v1/atm.pb.h"

namespace atm {

// The journal may be an old one that was put back, or have lost its end: that it does not know an id
// is no "no". The bank is asked, which knows transfers and changes of PIN by this very id and all
// else by its receipt, and the devices are. Owned by the Atm; loop thread only.
//
// Invariant: "no" is said only of an id of which the bank and the devices know nothing, and which
// was then fenced at both. While one of them does not say, the outcome is pending. But the ATM's own
// no, under which nothing is begun any more, is told again, also while the bank does not say.
class UnknownIds {
 public:
  UnknownIds(Machinery& machinery, Terminals& terminals, Register& known, Declines& declines)
      : machinery_(machinery), terminals_(terminals), known_(known), declines_(declines) {}

  // Answers within the caller's patience, and moves no cash. `at` is the terminal that was named.
  // Throws RESOURCE_EXHAUSTED when the disk has no room for a fence.
  Task<v1::ResolveResponse> resolve(Terminal& at, OperationId id, rpc::Context context);

 private:
  using AtBank = ::bank::v1::ResolveResponse;

  // Asks for each of our terminals, since the bank tells a terminal only of what that did itself.
  // Returns a refusal if it was none of them, and nullopt if the bank does not say now.
  Task<std::optional<AtBank>> ask_bank(Terminal& at, OperationId id, rpc::Context context);
  // What the bank's word alone comes to.
  v1::ResolveResponse told_by(const AtBank& bank) const;
  v1::ResolveResponse executed(const AtBank& bank) const;
  // What the devices moved for it, as far as they can say; nothing: nothing.
  Task<Told<std::optional<Cents>>> moved(OperationId id);
  v1::ResolveResponse moved_here(Cents amount) const;
  // Returns nullopt if this ATM has not declined the id by itself.
  std::optional<v1::ResolveResponse> own_no(const OperationId& id) const;
  Task<v1::ResolveResponse> fence(Terminal& at, OperationId id, v1::ResolveResponse answer);

  Machinery& machinery_;
  Terminals& terminals_;
  Register& known_;
  Declines& declines_;
};

}  // namespace atm
