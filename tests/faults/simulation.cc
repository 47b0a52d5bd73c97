#include "simulation.h"

#include <utility>

#include "plan.h"
#include "rewind.h"
#include "upset.h"
#include "version.h"

namespace sim {
namespace {

class Simulation {
 public:
  Simulation(std::uint64_t seed, const std::string& folder, const RunOptions& options)
      : sodium_(seed ^ 0x5eed),
        world_(seed),
        plan_(world_),
        bank_(world_, folder + "/bank", options.parts),
        atm_(world_, folder + "/atm", options.parts, plan_.settings, terminals_) {
    seed_sodium(sodium_);
    world_.keeps_story = options.keeps_story;
    for (const std::string& terminal : plan_.terminals) {
      terminals_[terminal] = std::make_unique<Hardware>();
    }
    town_ = std::make_unique<Town>(world_, town_plan(), plan_.cards);
    office_ = std::make_unique<Office>(world_, office_plan(), plan_.cards,
                                       [this](const OperationId& id) { return paid_for(id); });
    world_.meddle_with_requests = [this,
                                   sends = options.parts.bank_client](std::string_view frames) {
      const std::string sent = sends ? sends(frames) : std::string(frames);
      rewind_.hear(sent);
      return hurry_.hear(sent);
    };
    world_.meddle_with_answers =
        [this, reads = options.parts.bank_client_reads](std::string_view frames) {
          const std::string answered = version_.answer(hurry_.answer(frames));
          return reads ? reads(answered) : answered;
        };
    world_.supervise = [this] { look_after_machines(); };
  }

  std::optional<std::string> play() {
    if (!set_up()) return broken("the pair was not set up in time");
    go_through_trouble();
    heal();
    if (!converge()) return broken("not everything ended after the last fault");
    if (!ask_at_the_end()) return broken("the ATM did not answer after the last fault");
    // What need not be synced at once is, by now.
    wait(10s, [] { return false; });
    const std::string bank_data = bank_.data();
    const std::string atm_data = atm_.data();
    // The last crash of all: what was told must be there without anything that was not synced.
    bank_.kill(Loss::all);
    atm_.kill(Loss::all);
    // A faulty part may have been thrown out by what it did in the last moment.
    if (is_hopeless()) return broken("");
    const Evidence evidence{.bank_data = bank_data,
                            .atm_data = atm_data,
                            .terminals = terminals_,
                            .errands = town_->errands(),
                            .emptyings = town_->emptyings(),
                            .history = office_->history(),
                            .restored_at = restored_at_,
                            .audits = audits_,
                            .counts = counts_};
    return find_broken_promise(evidence, tally_);
  }

  const World& world() const { return world_; }
  const Tally& tally() const { return tally_; }

 private:
  TownPlan town_plan() {
    return {.terminals = plan_.terminals,
            .accounts = plan_.accounts,
            .errands_per_customer = static_cast<int>(2 + world_.below(6)),
            .emptyings_per_terminal = plan_.emptyings_per_terminal};
  }
  OfficePlan office_plan() {
    return {.accounts = plan_.accounts,
            .terminals = plan_.terminals,
            .clerks = static_cast<int>(world_.below(3)),
            .foreign_atms = static_cast<int>(world_.below(3)),
            .errands_per_clerk = static_cast<int>(2 + world_.below(8))};
  }

  std::int64_t paid_for(const OperationId& id) const {
    std::int64_t paid = 0;
    for (const auto& [name, hardware] : terminals_) paid += hardware->dispenser.presented_for(id);
    return paid;
  }

  std::string broken(std::string what) const {
    for (const Machine* machine :
         {static_cast<const Machine*>(&bank_), static_cast<const Machine*>(&atm_)}) {
      if (machine->violation) return *machine->violation;
    }
    return violation_.empty() ? what : violation_;
  }
  bool is_hopeless() const { return bank_.violation || atm_.violation || !violation_.empty(); }

  // Lets time pass until `is_done`; false when that takes longer than `patience`, or something broke.
  template <typename IsDone>
  bool wait(Duration patience, IsDone is_done) {
    const auto enough = [&] { return is_hopeless() || is_done(); };
    return world_.run(world_.now() + patience, enough) && !is_hopeless();
  }

  bool set_up() {
    start(bank_);
    office_->spawn(office_->open_the_bank());
    if (!wait(60s, [this] { return office_->is_quiet(); })) return false;
    start(atm_);
    for (const std::string& terminal : plan_.terminals) town_->spawn(town_->load_cash(terminal));
    return wait(60s, [this] { return town_->is_quiet(); });
  }

  void go_through_trouble() {
    is_troubled_ = true;
    office_->watch_exceptions();
    office_->go();
    town_->go();
    plan_trouble();
    if (plan_.restore) {
      world_.after(plan_.restore->backup_after, [this] {
        world_.tell("a backup of the bank is taken");
        bank_.back_up();
        set_unsure(true);
      });
      world_.after(plan_.restore->restore_after, [this] { restore_backup(); });
    }
    if (plan_.rewind_after) {
      world_.after(*plan_.rewind_after, [this] { await_a_change(); });
    }
    if (plan_.silence_after) world_.after(*plan_.silence_after, [this] { await_a_deposit(); });
    wait(plan_.faults_for, [] { return false; });
  }

  void plan_trouble() {
    const Duration pause = world_.between(plan_.trouble_every / 8, plan_.trouble_every * 2);
    world_.after(pause, [this] {
      if (!is_troubled_) return;
      make_trouble();
      plan_trouble();
    });
  }

  void make_trouble() {
    std::uint64_t sum = 0;
    for (const std::uint64_t weight : plan_.weights) sum += weight;
    if (sum == 0) return;
    std::uint64_t drawn = world_.below(sum);
    std::size_t kind = 0;
    while (drawn >= plan_.weights[kind]) drawn -= plan_.weights[kind++];
    Machine& machine = world_.chance(500) ? static_cast<Machine&>(bank_) : atm_;
    Hardware& hardware = *terminals_.at(plan_.terminals[world_.below(plan_.terminals.size())]);
    switch (kind) {
      case 0:
        return kill(machine, Loss::nothing);
      case 1:
        return kill(machine, any_loss());
      case 2:
      case 3:
        return break_disk(machine);
      case 4:
        return cut_wires(true);
      case 5:
        return cut_wires(false);
      case 6:
        ++tally_.cuts;
        return world_.reset_a_connection(world_.chance(600));
      case 7:
        return upset(world_, hardware.dispenser.ailment, "the dispenser");
      case 8:
        return upset(world_, hardware.acceptor.ailment, "the acceptor");
      case 9:
        return set_clock(machine);
      case 10:
        return change_weather();
      case 11:
        return change_version();
      default:
        machine.speed = {.sync_max = world_.between(100us, 50ms),
                         .stall_permille = world_.below(60),
                         .stall_max = world_.between(100ms, 4s)};
        world_.tell("the disk of {} becomes slow", name_of(machine.host()));
    }
  }

  Loss any_loss() { return static_cast<Loss>(1 + world_.below(4)); }

  void kill(Machine& machine, Loss loss) {
    if (!machine.is_running()) return;
    world_.tell("{} {}", name_of(machine.host()),
                loss == Loss::nothing ? "is killed" : "loses power");
    (loss == Loss::nothing ? tally_.crashes : tally_.power_cuts) += 1;
    machine.kill(loss);
    start_later(machine);
  }

  void break_disk(Machine& machine) {
    const std::uint64_t operations = world_.below(world_.chance(500) ? 6 : 60);
    const bool is_error = world_.chance(400);
    machine.disk.plan(is_error ? Disk::Trouble::error : Disk::Trouble::power, operations,
                      world_.chance(300));
    world_.tell("the disk of {} will {} after {} more operations", name_of(machine.host()),
                is_error ? "fail" : "stop", operations);
    if (is_error) ++tally_.disk_errors;
  }

  void cut_wires(bool both_ways) {
    const std::array<std::pair<Host, Host>, 3> wires = {std::pair(Host::bank, Host::atm),
                                                        std::pair(Host::atm, Host::town),
                                                        std::pair(Host::bank, Host::office)};
    std::pair<Host, Host> wire = wires[world_.below(wires.size())];
    if (world_.chance(500)) std::swap(wire.first, wire.second);
    const Duration how_long = world_.between(100ms, world_.chance(200) ? Duration(40s) : 12s);
    cut(wire.first, wire.second, both_ways, how_long);
  }

  void cut(Host from, Host to, bool both_ways, Duration how_long) {
    ++tally_.cuts;
    world_.tell("the wire from {} to {} is cut{}", name_of(from), name_of(to),
                both_ways ? ", both ways" : "");
    world_.cut(from, to, true);
    if (both_ways) world_.cut(to, from, true);
    world_.after(how_long, [this, from, to] {
      world_.tell("the wire from {} to {} is mended", name_of(from), name_of(to));
      world_.cut(from, to, false);
      world_.cut(to, from, false);
    });
  }

  // Whether the dispensers can say what they present from now on.
  void set_unsure(bool are_unsure) {
    if (!plan_.restore->is_unsure) return;
    for (const auto& [name, each] : terminals_) each->dispenser.is_unsure = are_unsure;
  }

  void await_a_deposit() {
    for (const auto& [name, hardware] : terminals_) {
      hardware->acceptor.ailment = {};
      hardware->acceptor.ailment.chokes = true;
      const auto happens = [this, &at = name](const OperationId& id) { be_silent_about(id, at); };
      hardware->acceptor.on_choking = happens;
    }
  }

  // Neither is heard before the customer has gone; of an account that is closed the bank mostly before the acceptor.
  void be_silent_about(const OperationId& deposit, const std::string& terminal) {
    const auto is_it = [&](const auto& errand) { return errand->id == deposit; };
    const auto found = std::ranges::find_if(town_->errands(), is_it);
    if (!is_troubled_ || found == town_->errands().end()) return;
    AcceptorWorld& acceptor = terminals_.at(terminal)->acceptor;
    const Duration how_long = world_.between(8s, 16s);
    world_.tell("nobody is heard about {}", deposit.text());
    if (plan_.is_emptied_in_silence) {
      cut(Host::bank, Host::atm, true, how_long + 20s);
      world_.after(how_long, [this, &terminal, &acceptor] {
        acceptor.ailment = {};
        if (is_troubled_) town_->spawn(town_->empty(terminal));
      });
      return;
    }
    cut(Host::bank, Host::atm, true, how_long);
    office_->spawn(office_->close_account((*found)->account));
    world_.after(world_.between(how_long, how_long + 20s), [&acceptor] { acceptor.ailment = {}; });
  }

  void set_clock(Machine& machine) {
    const std::array<std::chrono::microseconds, 5> jumps = {0s, 2s, -2s, 3600s, -3600s};
    const std::chrono::microseconds jump = jumps[world_.below(jumps.size())];
    world_.tell("the clock of {} is set to {} s from the truth", name_of(machine.host()),
                jump.count() / 1'000'000);
    machine.set_wall_skew(jump);
  }

  // The bank is of another version for a while.
  void change_version() {
    version_.permille = 50 + world_.below(500);
    world_.tell("the bank is of another version");
    world_.after(world_.between(1s, 15s), [this] {
      world_.tell("the bank is of the ATM's version");
      version_.permille = 0;
    });
  }

  // The ATM and everybody else run on, and find a bank that has forgotten.
  void restore_backup() {
    if (is_hopeless()) return;
    world_.tell("the bank's backup is restored");
    ++tally_.restores;
    if (bank_.is_running()) bank_.kill(Loss::nothing);
    bank_.restore_backup();
    restored_at_ = world_.now();
    is_restoring_ = true;
    set_unsure(false);
    start_later(bank_);
    if (plan_.restore->is_busy) cut(Host::bank, Host::atm, true, world_.between(4s, 12s));
    if (plan_.restore->is_busy) hurry_.refuse_a_second_sign_on();
  }

  // The journal goes back to where that change was just written down; the devices and the bank do not.
  void await_a_change() {
    rewind_.begin([this](std::uint64_t number) {
      world_.after(world_.between(Duration(0), 2s), [this, number] {
        if (is_troubled_ && !is_hopeless() && rewind_.can_go_back(number)) put_back_journal();
      });
    });
  }
  void put_back_journal() {
    world_.tell("an older journal of the ATM is put back");
    ++tally_.rewinds;
    if (atm_.is_running()) atm_.kill(Loss::nothing);
    rewind_.go_back();
    start_later(atm_);
  }

  void change_weather() {
    world_.weather = {.latency_min = 20us,
                      .latency_max = world_.between(100us, 80ms),
                      .spike_permille = world_.below(100),
                      .spike_max = world_.between(100ms, 3s),
                      .slice_permille = world_.below(3) == 0 ? world_.below(900) : 0};
    world_.tell("the network's weather changes");
  }

  // --- Machines ---

  void start(Machine& machine) {
    if (machine.is_running() || is_hopeless()) return;
    if (!machine.start()) return start_later(machine);
    if (&machine == &bank_ && std::exchange(is_restoring_, false)) {
      office_->backup_was_restored(bank_.last_seq());
      town_->watch_history();
    }
  }

  void start_later(Machine& machine) {
    const Duration pause = world_.between(5ms, is_troubled_ ? 4s : Duration(200ms));
    world_.after(pause, [this, &machine] { start(machine); });
  }

  void look_after(Machine& machine) {
    const std::optional<std::string> why = machine.look_after();
    if (!why) return;
    const bool lost_power = !machine.disk.is_on();
    Loss loss = Loss::nothing;
    if (lost_power && world_.chance(800)) loss = any_loss();
    world_.tell("{} is gone: {}", name_of(machine.host()), *why);
    (loss == Loss::nothing ? tally_.crashes : tally_.power_cuts) += 1;
    machine.kill(loss);
    start_later(machine);
  }

  void look_after_machines() {
    look_after(bank_);
    look_after(atm_);
    for (NodeLoop* loop : {&town_->loop(), &office_->loop()}) {
      const std::exception_ptr failure = loop->take_failure();
      if (!failure) continue;
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        violation_ = fmt::format("the people's side failed: {}", error.what());
      }
    }
  }

  // --- The end ---

  void heal() {
    is_troubled_ = false;
    world_.tell("the faults are over");
    world_.weather = {};
    version_.permille = 0;
    for (std::size_t from = 0; from < host_count; ++from) {
      for (std::size_t to = 0; to < host_count; ++to) {
        world_.cut(static_cast<Host>(from), static_cast<Host>(to), false);
      }
    }
    for (const auto& [name, hardware] : terminals_) {
      hardware->dispenser.ailment = {};
      hardware->acceptor.ailment = {};
    }
    for (Machine* machine : {static_cast<Machine*>(&bank_), static_cast<Machine*>(&atm_)}) {
      machine->disk.plan(Disk::Trouble::none, 0);
      machine->speed = {};
    }
  }

  bool converge() {
    const auto people_are_done = [this] { return town_->is_quiet() && office_->is_quiet(); };
    if (!wait(std::chrono::minutes(10), people_are_done)) {
      if (violation_.empty()) violation_ = "the people still wait ten minutes after the last fault";
      return false;
    }
    for (int tries = 0; tries < 200; ++tries) {
      bool is_settled = true;
      town_->spawn(look_whether_settled(&is_settled));
      if (!wait(std::chrono::minutes(2), people_are_done)) return false;
      if (is_settled) return true;
      wait(3s, [] { return false; });
    }
    return false;
  }

  Task<> look_whether_settled(bool* is_settled) {
    if (restored_at_) {
      const bool is_agreed = co_await town_->has_nothing_to_agree_to();
      if (!is_agreed) *is_settled = false;
    }
    for (const std::string& terminal : plan_.terminals) {
      std::optional<words::AuditResponse> audit = co_await town_->audit(terminal);
      if (!audit || !is_compared(*audit) || audit->open_items() != 0) {
        *is_settled = false;
        co_return;
      }
      audits_[terminal] = *std::move(audit);
    }
    office_->spawn(look_for_holds(is_settled));
  }

  Task<> look_for_holds(bool* is_settled) {
    const std::optional<wire::GetTrialBalanceResponse> balance = co_await office_->trial_balance();
    bool has_holds = !balance.has_value();
    if (balance) {
      for (const wire::TrialBalance& currency : balance->currencies()) {
        has_holds = has_holds || currency.held().minor_units() != 0;
      }
    }
    if (has_holds) *is_settled = false;
  }

  bool ask_at_the_end() {
    town_->spawn(town_->ask_about_everything());
    for (const std::string& terminal : plan_.terminals) town_->spawn(take_count(terminal));
    const bool answered = wait(std::chrono::minutes(20), [this] { return town_->is_quiet(); });
    office_->close();
    town_->close();
    tally_.odd_answers = version_.answered();
    return answered;
  }

  Task<> take_count(std::string terminal) {
    for (int tries = 0; tries < 20; ++tries) {
      std::optional<words::AuditResponse> audit = co_await town_->audit(terminal);
      if (audit && is_compared(*audit)) {
        audits_[terminal] = *std::move(audit);
        break;
      }
      co_await town_->loop().sleep_for(2s);
    }
    std::optional<words::CountResponse> count = co_await town_->count(terminal);
    if (count) counts_[terminal] = *std::move(count);
  }

  async::SeededRandom sodium_;
  World world_;
  Plan plan_;
  Tally tally_;
  std::map<std::string, std::unique_ptr<Hardware>> terminals_;
  std::map<std::string, words::AuditResponse> audits_;
  std::map<std::string, words::CountResponse> counts_;
  std::string violation_;
  bool is_troubled_ = false;
  std::optional<Instant> restored_at_;
  bool is_restoring_ = false;
  OtherVersion version_{world_};
  HurriedBank hurry_{world_};
  BankMachine bank_;
  AtmMachine atm_;
  Rewind rewind_{world_, atm_.disk, terminals_};
  std::unique_ptr<Town> town_;
  std::unique_ptr<Office> office_;
};

}  // namespace

Run simulate(std::uint64_t seed, const std::string& folder, const RunOptions& options) {
  Run run;
  run.seed = seed;
  {
    Simulation simulation(seed, folder, options);
    run.broken = simulation.play();
    run.digest = simulation.world().digest();
    run.story = simulation.world().story();
    run.tally = simulation.tally();
  }
  return run;
}

}  // namespace sim
