#include "atm/simulated_acceptor.h"

#include <algorithm>
#include <utility>

namespace atm {

namespace {

const std::string in_deposit_bin = "deposit bin";

Notes first_notes(const Notes& notes, std::int64_t count) {
  Notes first;
  for (const Notes::Entry& entry : notes) {
    first.add(entry.denomination, std::min(entry.count, count));
    count -= std::min(entry.count, count);
  }
  return first;
}

std::optional<AcceptAct> in_escrow(DeviceRows& device) {
  std::vector<AcceptAct> acts = device.read<AcceptAct>("place = 'ESCROW'");
  if (acts.empty()) return std::nullopt;
  return std::move(acts.front());
}

// Returns nullopt while another customer's notes lie in the escrow.
std::optional<AcceptAct> accept_in(DeviceRows& device, const OperationId& id, const Notes& notes) {
  if (std::optional<AcceptAct> before = device.find<AcceptAct>(id)) return before;
  if (in_escrow(device)) return std::nullopt;
  AcceptAct act{.id = id, .notes = notes};
  const Fault fault = device.fault();
  if (fault.kind == FaultKind::jam) {
    act.notes = first_notes(notes, fault.after_notes);
    device.set_fault({});
  }
  if (act.notes.empty()) act.place = Place::returned;
  device.write(act);
  return act;
}

Accepted move_in(DeviceRows& device, const OperationId& id, Place to) {
  std::optional<AcceptAct> act = device.find<AcceptAct>(id);
  if (!act) return {};
  if (act->place == Place::escrow) {
    act->place = to;
    device.write(*act);
    if (to == Place::kept) {
      for (const Notes::Entry& entry : act->notes) {
        device.add_notes(in_deposit_bin, 0, entry.denomination, entry.count);
      }
    }
  }
  return {.place = act->place, .notes = act->notes};
}

Notes bin_of(DeviceRows& device) {
  Notes bin;
  for (const WorldNotes& row : device.read<WorldNotes>()) bin.add(row.denomination, row.count);
  return bin;
}

}  // namespace

SimulatedAcceptor::SimulatedAcceptor(async::Loop& loop, DeviceWorld& world,
                                     const std::string& terminal)
    : loop_(loop), world_(world), name_(terminal + "/acceptor"), fault_(world.fault_of(name_)) {}

Accepted SimulatedAcceptor::as_told(Accepted truth) const {
  if (fault_.kind == FaultKind::present_unknown) truth.place = Place::unknown;
  return truth;
}

Task<Told<Accepted>> SimulatedAcceptor::accept(OperationId id, Notes notes) {
  if (fault_.kind == FaultKind::slow) co_await loop_.sleep_for(fault_.delay);
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id, notes = std::move(notes)](DeviceRows& device) {
    return accept_in(device, id, notes);
  };
  const std::optional<AcceptAct> done = co_await world_.change(name_, std::move(act));
  if (!done) co_return std::unexpected(DeviceSilent{"the acceptor's escrow is not empty"});
  // It has just counted them: that much it knows whatever its fault.
  co_return Accepted{.place = done->place, .notes = done->notes};
}

Task<Told<Accepted>> SimulatedAcceptor::keep(OperationId id) { return move(id, Place::kept); }

Task<Told<Accepted>> SimulatedAcceptor::give_back(OperationId id) {
  return move(id, Place::returned);
}

Task<Told<Accepted>> SimulatedAcceptor::move(OperationId id, Place to) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id, to](DeviceRows& device) { return move_in(device, id, to); };
  const Accepted truth = co_await world_.change(name_, std::move(act));
  co_return as_told(truth);
}

Task<Told<Accepted>> SimulatedAcceptor::where(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceRows& device) {
    const std::optional<AcceptAct> found = device.find<AcceptAct>(id);
    if (!found) return Accepted();
    return Accepted{.place = found->place, .notes = found->notes};
  };
  const Accepted truth = co_await world_.change(name_, std::move(act));
  co_return as_told(truth);
}

Task<Told<Acceptor::Inside>> SimulatedAcceptor::count() {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [](DeviceRows& device) {
    Inside inside{.bin = bin_of(device), .escrow = {}, .escrow_id = {}};
    if (const std::optional<AcceptAct> waiting = in_escrow(device)) {
      inside.escrow = waiting->notes;
      inside.escrow_id = waiting->id;
    }
    return inside;
  };
  const Inside inside = co_await world_.change(name_, std::move(act));
  co_return inside;
}

Task<Told<Notes>> SimulatedAcceptor::unload(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceRows& device) {
    if (const std::optional<StaffAct> before = device.find<StaffAct>(id)) return before->notes;
    StaffAct emptying{.id = id, .notes = bin_of(device)};
    device.remove_all(in_deposit_bin);
    device.write(emptying);
    return emptying.notes;
  };
  const Notes found = co_await world_.change(name_, std::move(act));
  co_return found;
}

std::optional<std::string> SimulatedAcceptor::out_of_order() const {
  if (fault_.kind != FaultKind::dead) return std::nullopt;
  return "the acceptor does not answer";
}

Task<> SimulatedAcceptor::set_fault(Fault fault) {
  fault_ = fault;
  auto act = [fault](DeviceRows& device) {
    device.set_fault(fault);
    return true;
  };
  co_await world_.change(name_, std::move(act));
}

}  // namespace atm
