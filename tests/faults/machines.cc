#include "machines.h"

#include <filesystem>
#include <utility>

#include "ledger/storage_error.h"

namespace sim {
namespace {

constexpr bank::PinCost cheap_pins{.passes = 1, .memory_bytes = 8192};

const ops::Log& silent_log() {
  static std::string lines;
  static const ops::Log log =
      ops::Log::to_string("simulated", ops::LogLevel::error, ops::LogFormat::text, lines);
  return log;
}

const ops::Calendar& calendar() {
  static const ops::Calendar utc = ops::Calendar::of_zone("UTC");
  return utc;
}

// The machine's folder, which code looks for before SQLite is asked.
std::string made(std::string folder) {
  std::filesystem::create_directories(folder);
  return folder;
}

// The same in every folder, so that a seed's story is.
std::string without_folder(std::string text, const std::string& folder) {
  for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
    text.erase(at, folder.size());
  }
  return text;
}

}  // namespace

void SimExecutor::wake() {
  if (std::exchange(is_awake_, true)) return;
  const Duration soon = loop_.world().between(Duration(0), 50us);
  const Instant when = std::max(loop_.now() + soon, busy_until_);
  loop_.later(when - loop_.now(), [this] { run(); });
}

Duration SimExecutor::delay() const {
  World& world = loop_.world();
  Duration delay = world.between(Duration(0), speed_.sync_max);
  if (world.chance(speed_.stall_permille)) delay += world.between(Duration(0), speed_.stall_max);
  return delay;
}

void SimExecutor::run() {
  is_awake_ = false;
  if (!step_) return;
  const Duration busy = delay();
  bool has_more = false;
  loop_.as_thread(busy, [&] { has_more = step_(); });
  busy_until_ = loop_.now() + busy;
  if (has_more) wake();
}

void StoryTeller::call_ended(const rpc::CallRecord& record) {
  const rpc::Status status{.code = record.code, .message = std::string(record.message)};
  world_.tell("{} answers {}: {}", name_of(host_), record.method, status.text());
}

void StoryTeller::handler_failed(const rpc::CallRecord& record) {
  failure = fmt::format("{} failed: {}", record.method, record.error);
  if (const std::size_t path = failure.find(" /"); path != std::string::npos) failure.resize(path);
  world_.tell("{}: {}", name_of(host_), failure);
}

Machine::Machine(World& world, Host host, std::string folder)
    : world_(world), observer_(world, host), host_(host), mount_(made(std::move(folder)), disk) {}

bool Machine::start() {
  world_.set_down(host_, false);
  loop_ = std::make_unique<NodeLoop>(world_, host_);
  loop_->wall_skew = wall_skew;
  loop_->pool_delay_max = speed.sync_max;
  try {
    begin(*loop_);
  } catch (const std::exception& error) {
    const std::string what =
        fmt::format("{} cannot start: {}", name_of(host_), without_folder(error.what(), folder()));
    world_.tell("{}", what);
    if (!disk.had_trouble()) violation = what;
    kill(Loss::nothing);
    return false;
  }
  world_.tell("{} starts", name_of(host_));
  return true;
}

void Machine::end_with_loop(bool without_power) {
  loop_->begin_to_die(without_power);
  end();
  loop_.reset();
}

void Machine::kill(Loss loss) {
  disk.power_off();
  if (loop_) end_with_loop(loss != Loss::nothing);
  disk.power_on(loss, world_.random());
  if (loss != Loss::nothing) world_.set_down(host_, true);
}

void Machine::judge(const std::exception_ptr& failure) {
  std::string what = "an unknown exception";
  bool is_io = false;
  try {
    std::rethrow_exception(failure);
  } catch (const ledger::StorageError& error) {
    what = error.what();
    is_io = error.kind() == ledger::StorageError::Kind::io;
  } catch (const std::exception& error) {
    what = error.what();
  }
  what = without_folder(std::move(what), folder());
  world_.tell("{} ends by itself: {}", name_of(host_), what);
  if (is_io && disk.had_trouble()) return;
  violation = fmt::format("{} ended by itself: {}", name_of(host_), what);
}

std::optional<std::string> Machine::look_after() {
  if (!loop_) return std::nullopt;
  if (!observer_.failure.empty() && !violation) {
    // A handler may fail only because the disk did.
    if (!disk.had_trouble()) violation = observer_.failure;
    observer_.failure.clear();
  }
  if (!disk.is_on()) return "its disk has lost power";
  const std::exception_ptr failure = loop_->take_failure();
  if (!failure) return std::nullopt;
  judge(failure);
  return "it ended";
}

void Machine::set_wall_skew(std::chrono::microseconds skew) {
  wall_skew = skew;
  if (loop_) loop_->wall_skew = skew;
}

// Wired as bank/daemon.cc does it.
struct BankMachine::Process {
  Process(NodeLoop& loop, const Parts& parts, const std::string& data, const DiskSpeed& speed,
          rpc::ServerObserver& observer)
      : random(loop.world().random().next()),
        journal(parts.bank_journal(data)),
        executor(loop, speed),
        clock(parts.bank_clock ? parts.bank_clock(loop) : std::make_unique<NodeClock>(loop)),
        store(loop, *journal, executor, *clock),
        changes(store, silent_log()),
        tokens(loop, random),
        hasher(loop, cheap_pins),
        pins(loop, store, changes, hasher, random),
        bank(store, changes, pins, tokens),
        operators(loop, store, changes, hasher, tokens),
        server(loop, rpc::ServerLimits(), observer) {
    bank.add_to(server);
    operators.add_to(server);
    server.serve(loop.listen(bank_address));
  }

  async::SeededRandom random;
  std::unique_ptr<ledger::Journal> journal;
  SimExecutor executor;
  std::unique_ptr<ledger::StoreClock> clock;
  ledger::Store store;
  bank::Changes changes;
  bank::Tokens tokens;
  bank::PinHasher hasher;
  bank::PinDesk pins;
  bank::BankService bank;
  bank::OperatorService operators;
  rpc::Server server;
};

BankMachine::BankMachine(World& world, std::string folder, const Parts& parts)
    : Machine(world, Host::bank, std::move(folder)), parts_(parts) {}
BankMachine::~BankMachine() {
  if (is_running()) kill(Loss::nothing);
}
void BankMachine::begin(NodeLoop& loop) {
  process_ = std::make_unique<Process>(loop, parts_, data(), speed, observer_);
}
void BankMachine::end() { process_.reset(); }
std::uint64_t BankMachine::last_seq() const { return process_->store.last_seq(); }

// Wired as atm/serve.cc does it.
struct AtmMachine::Process {
  struct Devices {
    std::unique_ptr<atm::Dispenser> dispenser;
    std::unique_ptr<atm::Acceptor> acceptor;
  };

  Process(NodeLoop& on, const Parts& parts, const std::string& data, const atm::Settings& settings,
          std::map<std::string, std::unique_ptr<Hardware>>& terminals,
          rpc::ServerObserver& observer)
      : loop(on),
        random(on.world().random().next()),
        boot_clock(parts.boot_clock ? parts.boot_clock(on) : std::make_unique<NodeBootClock>(on)),
        server(on, rpc::ServerLimits(), observer),
        tasks(on) {
    atm::World world{.loop = loop,
                     .random = random,
                     .boot_clock = *boot_clock,
                     .free_space = space,
                     .calendar = calendar(),
                     .log = silent_log(),
                     .bank = {.endpoints = {bank_address}},
                     .journal = parts.atm_journal(data),
                     .terminals = {}};
    for (auto& [name, hardware] : terminals) {
      Devices& made = devices[name];
      made.dispenser = parts.dispenser(loop, hardware->dispenser);
      made.acceptor = parts.acceptor(loop, hardware->acceptor);
      world.terminals.push_back({name, *made.dispenser, *made.acceptor});
    }
    machine.emplace(std::move(world), settings);
    tasks.spawn(recover_and_serve());
  }

  Task<> recover_and_serve() {
    co_await machine->recover();
    machine->serve_on(server);
    server.serve(loop.listen(atm_address));
  }

  NodeLoop& loop;
  async::SeededRandom random;
  std::unique_ptr<atm::BootClock> boot_clock;
  PlentyOfSpace space;
  std::map<std::string, Devices> devices;
  std::optional<atm::Atm> machine;
  rpc::Server server;
  async::TaskScope tasks;
};

AtmMachine::AtmMachine(World& world, std::string folder, const Parts& parts, atm::Settings settings,
                       std::map<std::string, std::unique_ptr<Hardware>>& terminals)
    : Machine(world, Host::atm, std::move(folder)),
      parts_(parts),
      settings_(std::move(settings)),
      terminals_(terminals) {}
AtmMachine::~AtmMachine() {
  if (is_running()) kill(Loss::nothing);
}
void AtmMachine::begin(NodeLoop& loop) {
  process_ = std::make_unique<Process>(loop, parts_, data(), settings_, terminals_, observer_);
}
void AtmMachine::end() { process_.reset(); }

}  // namespace sim
