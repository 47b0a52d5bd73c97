#include "atm/simulated_acceptor.h"

#include <algorithm>
#include <utility>

namespace atm {

namespace {

const std::string in_deposit_bin = "deposit bin";

struct AcceptAct {
  OperationId id;
  Place place = Place::escrow;
  Notes notes = {};

  static constexpr std::string_view table = "accept";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &AcceptAct::id);
    field("place", &AcceptAct::place);
    field("notes", &AcceptAct::notes);
  }
};

struct EmptyAct {
  OperationId id;
  Notes notes = {};

  static constexpr std::string_view table = "emptying";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &EmptyAct::id);
    field("notes", &EmptyAct::notes);
  }
};

Notes first_notes(const Notes& notes, std::int64_t count) {
  Notes first;
  for (const Notes::Entry& entry : notes) {
    first.add(entry.denomination, std::min(entry.count, count));
    count -= std::min(entry.count, count);
  }
  return first;
}

std::optional<AcceptAct> in_escrow(DeviceWorld& world) {
  std::vector<AcceptAct> acts = world.read<AcceptAct>("place = 'ESCROW'");
  if (acts.empty()) return std::nullopt;
  return std::move(acts.front());
}

// Nothing: another customer's notes lie in the escrow.
std::optional<AcceptAct> accept_in(DeviceWorld& world, const OperationId& id, const Notes& notes) {
  if (std::optional<AcceptAct> before = world.find<AcceptAct>(id)) return before;
  if (in_escrow(world)) return std::nullopt;
  AcceptAct act{.id = id, .notes = notes};
  const Fault fault = world.fault();
  if (fault.kind == FaultKind::jam) {
    act.notes = first_notes(notes, fault.after_notes);
    world.set_fault({});
  }
  if (act.notes.empty()) act.place = Place::returned;
  world.write(act);
  return act;
}

Accepted move_in(DeviceWorld& world, const OperationId& id, Place to) {
  std::optional<AcceptAct> act = world.find<AcceptAct>(id);
  if (!act) return {};
  if (act->place == Place::escrow) {
    act->place = to;
    world.write(*act);
    if (to == Place::kept) {
      for (const Notes::Entry& entry : act->notes) {
        world.add_notes(in_deposit_bin, 0, entry.denomination, entry.count);
      }
    }
  }
  return {.place = act->place, .notes = act->notes};
}

Notes bin_of(DeviceWorld& world) {
  Notes bin;
  for (const WorldNotes& row : world.read<WorldNotes>()) bin.add(row.denomination, row.count);
  return bin;
}

}  // namespace

SimulatedAcceptor::SimulatedAcceptor(async::Loop& loop, const std::filesystem::path& path)
    : loop_(loop),
      world_(std::make_shared<DeviceWorld>(path, schema_of<AcceptAct>() + schema_of<EmptyAct>())),
      fault_(world_->change([](DeviceWorld& world) { return world.fault(); })) {}

Accepted SimulatedAcceptor::as_told(Accepted truth) const {
  if (fault_.kind == FaultKind::present_unknown) truth.place = Place::unknown;
  return truth;
}

Task<Told<Accepted>> SimulatedAcceptor::accept(OperationId id, Notes notes) {
  if (fault_.kind == FaultKind::slow) co_await loop_.sleep_for(fault_.delay);
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id, notes = std::move(notes)](DeviceWorld& world) {
    return accept_in(world, id, notes);
  };
  const std::optional<AcceptAct> done = co_await change_in_pool(loop_, world_, std::move(act));
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
  auto act = [id, to](DeviceWorld& world) { return move_in(world, id, to); };
  const Accepted truth = co_await change_in_pool(loop_, world_, std::move(act));
  co_return as_told(truth);
}

Task<Told<Accepted>> SimulatedAcceptor::where(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceWorld& world) {
    const std::optional<AcceptAct> found = world.find<AcceptAct>(id);
    if (!found) return Accepted();
    return Accepted{.place = found->place, .notes = found->notes};
  };
  const Accepted truth = co_await change_in_pool(loop_, world_, std::move(act));
  co_return as_told(truth);
}

Task<Told<Acceptor::Inside>> SimulatedAcceptor::count() {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [](DeviceWorld& world) {
    Inside inside{.bin = bin_of(world), .escrow = {}, .escrow_id = {}};
    if (const std::optional<AcceptAct> waiting = in_escrow(world)) {
      inside.escrow = waiting->notes;
      inside.escrow_id = waiting->id;
    }
    return inside;
  };
  const Inside inside = co_await change_in_pool(loop_, world_, std::move(act));
  co_return inside;
}

Task<Told<Notes>> SimulatedAcceptor::unload(OperationId id) {
  if (const auto dead = out_of_order()) co_return std::unexpected(DeviceSilent{*dead});
  auto act = [id](DeviceWorld& world) {
    if (const std::optional<EmptyAct> before = world.find<EmptyAct>(id)) return before->notes;
    EmptyAct emptying{.id = id, .notes = bin_of(world)};
    world.remove_all(in_deposit_bin);
    world.write(emptying);
    return emptying.notes;
  };
  const Notes found = co_await change_in_pool(loop_, world_, std::move(act));
  co_return found;
}

std::optional<std::string> SimulatedAcceptor::out_of_order() const {
  if (fault_.kind != FaultKind::dead) return std::nullopt;
  return "the acceptor does not answer";
}

Task<> SimulatedAcceptor::set_fault(Fault fault) {
  fault_ = fault;
  auto act = [fault](DeviceWorld& world) {
    world.set_fault(fault);
    return true;
  };
  co_await change_in_pool(loop_, world_, std::move(act));
}

}  // namespace atm
