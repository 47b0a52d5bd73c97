#include "atm/simulated_dispenser.h"

#include <algorithm>
#include <utility>

namespace atm {

namespace {

const std::string in_cassette = "cassette";
const std::string in_reject_bin = "reject bin";

Dispensed told(const DispenseAct& act) {
  if (!act.sure) return {.acted = true, .sure = false};
  return {.acted = true, .sure = true, .presented = act.presented, .rejected = act.rejected};
}

// What is or was in a cassette.
std::vector<WorldNotes> cassettes_of(DeviceRows& device) {
  return device.read<WorldNotes>("place = 'cassette'");
}

WorldNotes* find(std::vector<WorldNotes>& cassettes, const Pick& pick) {
  const auto holds_it = [&](const WorldNotes& each) {
    return each.position == pick.position && each.denomination == pick.denomination;
  };
  const auto found = std::ranges::find_if(cassettes, holds_it);
  return found == cassettes.end() ? nullptr : &*found;
}

// Takes the notes until all are presented, a cassette is empty, or the mechanism jams.
Dispensed dispense_in(DeviceRows& device, const OperationId& id, const Picks& picks) {
  if (const std::optional<DispenseAct> before = device.find<DispenseAct>(id)) {
    Dispensed again = told(*before);
    again.was_done_before = true;
    return again;
  }
  Fault fault = device.fault();
  std::vector<WorldNotes> cassettes = cassettes_of(device);
  DispenseAct act{.id = id, .sure = fault.kind != FaultKind::present_unknown};
  for (const Pick& pick : picks) {
    WorldNotes* const cassette = find(cassettes, pick);
    if (cassette == nullptr) break;
    Pick moved = pick;
    moved.count = std::min(pick.count, cassette->count);
    const bool jams = fault.kind == FaultKind::jam && moved.count > fault.after_notes;
    if (jams) {
      moved.count = fault.after_notes;
      device.add_notes(in_reject_bin, 0, pick.denomination, 1);
      act.rejected.push_back({pick.position, pick.denomination, 1});
    }
    if (moved.count > 0) act.presented.push_back(moved);
    cassette->count -= moved.count + (jams ? 1 : 0);
    device.write(*cassette);
    if (jams || moved.count < pick.count) break;
    fault.after_notes -= std::min(fault.after_notes, static_cast<std::uint32_t>(moved.count));
  }
  if (fault.kind == FaultKind::jam) device.set_fault({});
  device.write(act);
  return told(act);
}

Notes unload_in(DeviceRows& device, const OperationId& id) {
  if (const std::optional<StaffAct> before = device.find<StaffAct>(id)) return before->notes;
  StaffAct act{.id = id};
  for (const WorldNotes& row : device.read<WorldNotes>()) {
    act.notes.add(row.denomination, row.count);
  }
  device.remove_all(in_cassette);
  device.remove_all(in_reject_bin);
  device.write(act);
  return act.notes;
}

Cassette load_in(DeviceRows& device, const OperationId& id, const Pick& notes) {
  if (!device.find<StaffAct>(id)) {
    device.add_notes(in_cassette, notes.position, notes.denomination, notes.count);
    device.write(StaffAct{.id = id, .notes = notes_of({notes})});
  }
  std::vector<WorldNotes> cassettes = cassettes_of(device);
  return {.position = notes.position,
          .denomination = notes.denomination,
          .count = find(cassettes, notes)->count};
}

}  // namespace

SimulatedDispenser::SimulatedDispenser(async::Loop& loop, DeviceWorld& world,
                                       const std::string& terminal)
    : loop_(loop), world_(world), name_(terminal + "/dispenser"), fault_(world.fault_of(name_)) {}

Task<Told<Dispensed>> SimulatedDispenser::dispense(OperationId id, Picks picks) {
  if (fault_.kind == FaultKind::slow) co_await loop_.sleep_for(fault_.delay);
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id, picks = std::move(picks)](DeviceRows& device) {
    return dispense_in(device, id, picks);
  };
  const Dispensed done = co_await world_.change(name_, std::move(act));
  co_return done;
}

Task<Told<Dispensed>> SimulatedDispenser::presented(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceRows& device) { return device.find<DispenseAct>(id); };
  const std::optional<DispenseAct> before = co_await world_.change(name_, std::move(act));
  if (!before) co_return Dispensed();
  co_return told(*before);
}

Task<Told<Cassette>> SimulatedDispenser::load(OperationId id, Pick notes) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id, notes](DeviceRows& device) { return load_in(device, id, notes); };
  const Cassette loaded = co_await world_.change(name_, std::move(act));
  co_return loaded;
}

Task<Told<Notes>> SimulatedDispenser::unload(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceRows& device) { return unload_in(device, id); };
  const Notes found = co_await world_.change(name_, std::move(act));
  co_return found;
}

Task<Told<Dispenser::Inside>> SimulatedDispenser::count() {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [](DeviceRows& device) {
    Inside inside;
    for (const WorldNotes& row : cassettes_of(device)) {
      if (row.count == 0) continue;
      inside.cassettes.push_back({row.position, row.denomination, row.count});
    }
    std::ranges::sort(inside.cassettes, {}, &Cassette::position);
    for (const WorldNotes& row : device.read<WorldNotes>("place = 'reject bin'")) {
      inside.rejected.add(row.denomination, row.count);
    }
    return inside;
  };
  const Inside inside = co_await world_.change(name_, std::move(act));
  co_return inside;
}

std::optional<std::string> SimulatedDispenser::out_of_order() const {
  if (fault_.kind != FaultKind::dead) return std::nullopt;
  return "the dispenser does not answer";
}

Task<> SimulatedDispenser::set_fault(Fault fault) {
  fault_ = fault;
  auto act = [fault](DeviceRows& device) {
    device.set_fault(fault);
    return true;
  };
  co_await world_.change(name_, std::move(act));
}

}  // namespace atm
