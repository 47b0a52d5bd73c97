// The physical world inside a terminal: notes, and what moved them. No crash of atmd touches it.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atm/devices.h"
#include "world.h"

namespace sim {

using atm::Cassette;
using atm::Notes;
using atm::Pick;
using atm::Picks;
using atm::Told;
using ledger::OperationId;

// What ails a device at the moment.
struct Ailment {
  bool is_dead = false;        // Neither acts nor answers.
  bool loses_answers = false;  // Acts, and its answer is lost.
  bool is_unsure = false;      // Acts on what begins now, and can never say what it did.
  bool chokes = false;         // Is dead as soon as it has told that it took notes in.
  bool jams = false;           // The next dispense stops after `jam_after` notes.
  std::int64_t jam_after = 0;
  Duration answer_max = 20ms;
};

struct DispenserWorld {
  struct Act {
    Picks presented = {};
    Picks rejected = {};
    bool is_sure = true;
  };
  std::vector<Cassette> cassettes;
  Notes rejected;
  std::map<OperationId, Act> acts;
  std::map<OperationId, Notes> staff_acts;
  Notes loaded;
  Notes unloaded;
  Notes presented;
  Ailment ailment;
  bool is_unsure = false;  // Whatever ails it.

  Cassette* find(const Pick& pick) {
    for (Cassette& cassette : cassettes) {
      if (cassette.position == pick.position && cassette.denomination == pick.denomination) {
        return &cassette;
      }
    }
    return nullptr;
  }
  std::int64_t presented_for(const OperationId& id) const {
    const auto found = acts.find(id);
    return found == acts.end() ? 0 : notes_of(found->second.presented).amount().value;
  }
  Act dispense(const OperationId& id, const Picks& picks) {
    const auto before = acts.find(id);
    if (before != acts.end()) return before->second;
    Act act{.is_sure = !is_unsure && !ailment.is_unsure};
    const bool jams = std::exchange(ailment.jams, false);
    std::int64_t until_jam = ailment.jam_after;
    bool stopped = false;
    for (const Pick& pick : picks) {
      Cassette* const cassette = find(pick);
      if (stopped || cassette == nullptr) break;
      std::int64_t count = std::min(pick.count, cassette->count);
      stopped = count < pick.count;
      if (jams && count > until_jam) {
        count = until_jam;
        stopped = true;
        --cassette->count;
        rejected.add(pick.denomination, 1);
        act.rejected.push_back({pick.position, pick.denomination, 1});
      }
      until_jam -= count;
      cassette->count -= count;
      presented.add(pick.denomination, count);
      if (count > 0) act.presented.push_back({pick.position, pick.denomination, count});
    }
    acts[id] = act;
    return act;
  }
};

struct AcceptorWorld {
  struct Act {
    atm::Place place = atm::Place::never_seen;
    Notes notes;
  };
  std::map<OperationId, Act> acts;
  std::map<OperationId, Notes> staff_acts;
  Notes bin;
  Notes kept;  // Ever.
  Notes unloaded;
  std::optional<OperationId> escrow;
  Ailment ailment;
  // What happens in the world when it chokes on the notes of a deposit.
  std::function<void(const OperationId&)> on_choking;

  void move(const OperationId& id, atm::Place to) {
    const auto found = acts.find(id);
    if (found == acts.end() || found->second.place != atm::Place::escrow) return;
    found->second.place = to;
    escrow.reset();
    if (to != atm::Place::kept) return;
    bin += found->second.notes;
    kept += found->second.notes;
  }
};

// How a process reaches a device: a command takes time to arrive, and its answer to come back. The act is one step between.
class DeviceLine {
 public:
  DeviceLine(NodeLoop& loop, const Ailment& ailment) : loop_(loop), ailment_(ailment) {}
  auto there() { return loop_.sleep_for(loop_.world().between(Duration(0), 2ms)); }
  auto back() { return loop_.sleep_for(loop_.world().between(Duration(0), ailment_.answer_max)); }
  World& world() { return loop_.world(); }

 private:
  NodeLoop& loop_;
  const Ailment& ailment_;
};

inline std::unexpected<atm::DeviceSilent> silent() {
  return std::unexpected(atm::DeviceSilent{"the device does not answer"});
}

class SimDispenser : public atm::Dispenser {
 public:
  SimDispenser(NodeLoop& loop, DispenserWorld& world) : line_(loop, world.ailment), world_(world) {}

  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    const bool was_done_before = world_.acts.contains(id);
    const DispenserWorld::Act act = world_.dispense(id, picks);
    line_.world().tell("the dispenser presents {} for {}{}", notes_of(act.presented).encoded(),
                       id.text(), act.is_sure ? "" : " and cannot say so");
    co_await line_.back();
    if (world_.ailment.loses_answers) co_return silent();
    atm::Dispensed answer = told(act);
    answer.was_done_before = was_done_before;
    co_return answer;
  }
  Task<Told<atm::Dispensed>> presented(OperationId id) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    const auto found = world_.acts.find(id);
    atm::Dispensed answer;
    if (found != world_.acts.end()) answer = told(found->second);
    co_await line_.back();
    if (world_.ailment.loses_answers) co_return silent();
    co_return answer;
  }
  Task<Told<Cassette>> load(OperationId id, Pick notes) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    if (!world_.staff_acts.contains(id)) {
      if (world_.find(notes) == nullptr) {
        world_.cassettes.push_back({notes.position, notes.denomination, 0});
      }
      world_.find(notes)->count += notes.count;
      world_.loaded.add(notes.denomination, notes.count);
      world_.staff_acts[id] = atm::notes_of({notes});
    }
    const Cassette inside = *world_.find(notes);
    co_await line_.back();
    co_return inside;
  }
  Task<Told<Notes>> unload(OperationId id) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    if (!world_.staff_acts.contains(id)) {
      Notes out = world_.rejected;
      for (const Cassette& each : world_.cassettes) out.add(each.denomination, each.count);
      world_.cassettes.clear();
      world_.rejected = {};
      world_.unloaded += out;
      world_.staff_acts[id] = out;
    }
    const Notes out = world_.staff_acts[id];
    co_await line_.back();
    co_return out;
  }
  Task<Told<Inside>> count() override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    Inside inside{.cassettes = world_.cassettes, .rejected = world_.rejected};
    co_return inside;
  }
  std::optional<std::string> out_of_order() const override {
    if (!world_.ailment.is_dead) return std::nullopt;
    return "the dispenser is dead";
  }
  Task<> set_fault(atm::Fault) override { co_return; }

 protected:
  static atm::Dispensed told(const DispenserWorld::Act& act) {
    if (!act.is_sure) return {.acted = true, .sure = false, .presented = {}, .rejected = {}};
    return {.acted = true, .sure = true, .presented = act.presented, .rejected = act.rejected};
  }

  DeviceLine line_;
  DispenserWorld& world_;
};

class SimAcceptor : public atm::Acceptor {
 public:
  SimAcceptor(NodeLoop& loop, AcceptorWorld& world) : line_(loop, world.ailment), world_(world) {}

  Task<Told<atm::Accepted>> accept(OperationId id, Notes notes) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    if (!world_.acts.contains(id)) {
      if (world_.escrow) co_return silent();
      world_.acts[id] = {.place = atm::Place::escrow, .notes = notes};
      world_.escrow = id;
      line_.world().tell("the acceptor takes {} for {}", notes.encoded(), id.text());
    }
    // It has just counted them: that much it knows.
    const AcceptorWorld::Act& act = world_.acts[id];
    const atm::Accepted accepted{.place = act.place, .notes = act.notes};
    co_await line_.back();
    if (world_.ailment.loses_answers) co_return silent();
    if (world_.ailment.chokes) choke(id);
    co_return accepted;
  }
  Task<Told<atm::Accepted>> keep(OperationId id) override { return move(id, atm::Place::kept); }
  Task<Told<atm::Accepted>> give_back(OperationId id) override {
    return move(id, atm::Place::returned);
  }
  Task<Told<atm::Accepted>> where(OperationId id) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    const atm::Accepted accepted = as_told(id);
    co_await line_.back();
    if (world_.ailment.loses_answers) co_return silent();
    co_return accepted;
  }
  Task<Told<Inside>> count() override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    Inside inside{.bin = world_.bin, .escrow = {}, .escrow_id = world_.escrow};
    if (world_.escrow) inside.escrow = world_.acts[*world_.escrow].notes;
    co_return inside;
  }
  Task<Told<Notes>> unload(OperationId id) override {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    if (!world_.staff_acts.contains(id)) {
      world_.unloaded += world_.bin;
      world_.staff_acts[id] = std::exchange(world_.bin, {});
    }
    const Notes out = world_.staff_acts[id];
    co_return out;
  }
  std::optional<std::string> out_of_order() const override {
    if (!world_.ailment.is_dead) return std::nullopt;
    return "the acceptor is dead";
  }
  Task<> set_fault(atm::Fault) override { co_return; }

 private:
  atm::Accepted as_told(const OperationId& id) const {
    const auto found = world_.acts.find(id);
    if (world_.ailment.is_unsure) return {.place = atm::Place::unknown, .notes = {}};
    if (found == world_.acts.end()) return {};
    return {.place = found->second.place, .notes = found->second.notes};
  }
  void choke(const OperationId& id) {
    world_.ailment.is_dead = true;
    if (const auto happens = std::exchange(world_.on_choking, nullptr)) happens(id);
  }
  Task<Told<atm::Accepted>> move(OperationId id, atm::Place to) {
    co_await line_.there();
    if (world_.ailment.is_dead) co_return silent();
    world_.move(id, to);
    const atm::Accepted accepted = as_told(id);
    line_.world().tell("the acceptor has {} of {}",
                       atm::names_of(accepted.place)[static_cast<std::size_t>(accepted.place)],
                       id.text());
    co_await line_.back();
    if (world_.ailment.loses_answers) co_return silent();
    co_return accepted;
  }

 protected:
  DeviceLine line_;
  AcceptorWorld& world_;
};

// A terminal's hardware.
struct Hardware {
  DispenserWorld dispenser;
  AcceptorWorld acceptor;
};

}  // namespace sim
