#include "atm/serve.h"

#include <algorithm>
#include <chrono>
#include <expected>
#include <memory>
#include <set>
#include <sys/statvfs.h>
#include <utility>

#include <sodium.h>

#include "async/uv_loop.h"
#include "atm/atm.h"
#include "atm/denominations.h"
#include "atm/device_world.h"
#include "atm/simulated_acceptor.h"
#include "atm/simulated_dispenser.h"
#include "ledger/shape.h"
#include "ops/daemon.h"
#include "ops/files.h"
#include "ops/log.h"
#include "rpc/log_observer.h"

namespace atm {

namespace {

class DiskSpace final : public FreeSpace {
 public:
  explicit DiskSpace(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::uint64_t bytes() const override {
    const auto now = std::chrono::steady_clock::now();
    if (now >= known_until_) {
      known_ = ask();
      known_until_ = now + known_for;
    }
    return known_;
  }

 private:
  std::uint64_t ask() const {
    struct statvfs disk{};
    // A disk that cannot be asked shows when it is written to.
    if (::statvfs(folder_.c_str(), &disk) != 0) return UINT64_MAX;
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
  }

  // We write much less than the reserve in this time.
  static constexpr std::chrono::milliseconds known_for{10};

  std::filesystem::path folder_;
  mutable std::uint64_t known_ = 0;
  mutable std::chrono::steady_clock::time_point known_until_;
};

template <typename T>
using OrMistake = std::expected<T, ops::Mistake>;

OrMistake<std::vector<std::string>> terminal_names(const ServeOptions& options) {
  const auto wrong = [](const std::string& what) {
    return std::unexpected(ops::Mistake{"terminal", what});
  };
  std::vector<std::string> names;
  for (const std::string& listed : options.terminals) {
    for (std::size_t begin = 0; begin <= listed.size();) {
      const std::size_t end = std::min(listed.find(',', begin), listed.size());
      names.push_back(listed.substr(begin, end - begin));
      if (ledger::why_not_terminal_id(names.back()) != ledger::ShapeFault::none) {
        return wrong("must be 1 to " + std::to_string(ledger::terminal_id_size_max) +
                     " of a-z, 0-9, '-', '_', '.' and ':', and not \"operator\": \"" +
                     names.back() + "\" is not");
      }
      begin = end + 1;
    }
  }
  if (names.size() > terminals_max) {
    return wrong("must name at most " + std::to_string(terminals_max) + " terminals, not " +
                 std::to_string(names.size()));
  }
  const std::set<std::string> unique(names.begin(), names.end());
  if (unique.size() != names.size()) return wrong("names a terminal twice");
  return names;
}

OrMistake<std::vector<Cents>> denominations_of(const ServeOptions& options, Currency currency) {
  if (options.denominations.empty()) {
    const std::optional<std::vector<Cents>> usual = usual_denominations(currency);
    if (usual) return *usual;
    return std::unexpected(
        ops::Mistake{"currency", "is one whose notes must be said, with --denominations 10,20,50"});
  }
  const auto named = parse_denominations(options.denominations, currency);
  if (named) return *named;
  return std::unexpected(ops::Mistake{"denominations", named.error()});
}

OrMistake<Settings> settings_of(const ServeOptions& options) {
  const auto currency = ledger::parse_listed(options.currency);
  if (!currency) return std::unexpected(ops::Mistake{"currency", currency.error()});
  const OrMistake<std::vector<Cents>> denominations = denominations_of(options, *currency);
  if (!denominations) return std::unexpected(denominations.error());
  Settings settings;
  settings.currency = *currency;
  settings.denominations = *denominations;
  settings.hold_time_to_live =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.hold_time);
  settings.session_idle_max = options.session_idle_time;
  return settings;
}

// A terminal's simulated hardware.
struct Hardware {
  Hardware(async::Loop& loop, DeviceWorld& world, const std::string& terminal)
      : dispenser(loop, world, terminal), acceptor(loop, world, terminal) {}
  SimulatedDispenser dispenser;
  SimulatedAcceptor acceptor;
};

// Customers leave when their connections end.
class CustomerObserver final : public rpc::LogObserver {
 public:
  CustomerObserver(ops::Log log, Atm& atm) : LogObserver(std::move(log)), atm_(atm) {}
  void connection_closed(std::string_view peer, std::string_view why) override {
    atm_.connection_closed(peer);
    LogObserver::connection_closed(peer, why);
  }

 private:
  Atm& atm_;
};

// What was written over while nothing changed is noticed at the end.
async::Task<> drain(Atm& atm, rpc::Server& server, DeviceWorld& devices) {
  co_await atm.drain(server);
  co_await devices.flush();
}

}  // namespace

std::optional<ops::Mistake> mistake_in(const ServeOptions& options) {
  const OrMistake<std::vector<std::string>> names = terminal_names(options);
  if (!names) return names.error();
  const OrMistake<Settings> settings = settings_of(options);
  if (!settings) return settings.error();
  return std::nullopt;
}

int serve(ops::CommandLine& line, const ServeOptions& options) {
  const std::vector<std::string> names = terminal_names(options).value();
  const Settings settings = settings_of(options).value();
  const ops::Calendar calendar = ops::Calendar::of_zone(options.daemon.time_zone.name);
  const ops::Log log = ops::start_logging(line, options.daemon);
  const SystemBootClock boot_clock;
  const DiskSpace disk(options.data);
  async::SystemRandom random;
  async::UvLoop loop;

  auto journal = std::make_shared<JournalFile>(options.data);
  DeviceWorld devices(loop, std::make_shared<DeviceFile>(options.data));
  std::vector<std::unique_ptr<Hardware>> hardware;
  World world{.loop = loop,
              .random = random,
              .boot_clock = boot_clock,
              .free_space = disk,
              .calendar = calendar,
              .log = log,
              .bank = {.endpoints = options.bank},
              .journal = std::move(journal),
              .terminals = {}};
  for (const std::string& name : names) {
    Hardware& made = *hardware.emplace_back(std::make_unique<Hardware>(loop, devices, name));
    world.terminals.push_back({name, made.dispenser, made.acceptor});
  }
  Atm atm(std::move(world), settings);
  loop.run(atm.recover());

  CustomerObserver observer(log, atm);
  rpc::ServerLimits limits;
  limits.connections_max = ops::connections_max(limits.connections_max);
  rpc::Server server(loop, limits, observer);
  atm.serve_on(server);
  std::vector<async::Endpoint> listening;
  for (const async::Endpoint& endpoint : options.listen) {
    for (async::Listener& listener : loop.listen_on_all(endpoint)) {
      listening.push_back(listener.local());
      server.serve(std::move(listener));
      log.info("listening", {{"address", listening.back().text()}});
    }
  }
  const auto ready = [&] { return ops::write_ready_file(options.daemon.ready_file, listening); };
  ops::SignalHooks hooks{.drain = [&] { return drain(atm, server, devices); },
                         .reload = ops::reload_log_level(line, log),
                         .ready = ready};
  ops::serve_until_signalled(loop, log, std::move(hooks));
  return 0;
}

}  // namespace atm
