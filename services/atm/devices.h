// Devices: the dispenser and the acceptor, as the ATM sees them (rules 19 and 22).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/task.h"
#include "atm/mix.h"
#include "atm/notes.h"
#include "ledger/operation_id.h"

namespace atm {

using async::Task;
using ledger::OperationId;

// The device gave no answer. It may have acted, or may act yet; asking it later may tell.
struct DeviceSilent {
  std::string why;  // One sentence.
};
template <typename T>
using Told = std::expected<T, DeviceSilent>;

// What a test or a demonstration can switch on, in simulated devices only.
enum class FaultKind : std::uint8_t { none, jam, present_unknown, slow, dead };
inline std::span<const std::string_view> names_of(FaultKind) {
  static constexpr std::array<std::string_view, 5> names = {"NONE", "JAM", "PRESENT_UNKNOWN",
                                                            "SLOW", "DEAD"};
  return names;
}
struct Fault {
  FaultKind kind = FaultKind::none;
  std::uint32_t after_notes = 0;  // Of a jam, which comes once: it is over when it has happened.
  std::chrono::milliseconds delay{0};
};

// What a dispenser remembers of an id.
struct Dispensed {
  // False: it never acted on this id, and nothing moved.
  bool acted = false;
  // False: it cannot say what the customer got; `presented` and `rejected` mean nothing.
  bool sure = true;
  Picks presented = {};
  Picks rejected = {};
  // Of dispense(): it had acted on this id before, and did nothing now.
  bool was_done_before = false;
};

// Pays out notes. Owned by main or a test, outlives its terminal; loop thread only.
//
// Invariant: it acts once on an id, and its act and its memory of it are one step: after any crash
// presented() tells what was done, or that nothing was.
class Dispenser {
 public:
  virtual ~Dispenser() = default;

  virtual Task<Told<Dispensed>> dispense(OperationId id, Picks picks) = 0;
  virtual Task<Told<Dispensed>> presented(OperationId id) = 0;

  // Staff put notes in, once per id.
  virtual Task<Told<Cassette>> load(OperationId id, Pick notes) = 0;
  // Staff take everything out, once per id: what was found in cassettes and reject bin.
  virtual Task<Told<Notes>> unload(OperationId id) = 0;
  // What is really inside.
  struct Inside {
    std::vector<Cassette> cassettes;
    Notes rejected;
  };
  virtual Task<Told<Inside>> count() = 0;

  // Why it cannot be used at all, in a sentence; nothing when it can.
  virtual std::optional<std::string> out_of_order() const = 0;
  virtual Task<> set_fault(Fault fault) = 0;
};

// Where a customer's notes are.
enum class Place : std::uint8_t { never_seen, escrow, kept, returned, unknown };
inline std::span<const std::string_view> names_of(Place) {
  static constexpr std::array<std::string_view, 5> names = {"NEVER_SEEN", "ESCROW", "KEPT",
                                                            "RETURNED", "UNKNOWN"};
  return names;
}
struct Accepted {
  Place place = Place::never_seen;
  Notes notes;  // As the acceptor counted them.
};

// Takes notes in. As the dispenser: once per id, one step, and it can be asked after a crash.
class Acceptor {
 public:
  virtual ~Acceptor() = default;

  // Counts notes into the escrow, where they can still be given back. One customer's at a time. Of an
  // id that it knows it says where the notes of that time are.
  virtual Task<Told<Accepted>> accept(OperationId id, Notes notes) = 0;
  // From the escrow into the bin, for good.
  virtual Task<Told<Accepted>> keep(OperationId id) = 0;
  // From the escrow back to the customer. After keep() it keeps.
  virtual Task<Told<Accepted>> give_back(OperationId id) = 0;
  virtual Task<Told<Accepted>> where(OperationId id) = 0;

  struct Inside {
    Notes bin;
    Notes escrow;
    std::optional<OperationId> escrow_id;
  };
  virtual Task<Told<Inside>> count() = 0;
  // Staff empty the bin, once per id.
  virtual Task<Told<Notes>> unload(OperationId id) = 0;

  virtual std::optional<std::string> out_of_order() const = 0;
  virtual Task<> set_fault(Fault fault) = 0;
};

}  // namespace atm
