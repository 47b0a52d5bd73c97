#include "bench/load/options.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace load {
namespace {

constexpr const char* help =
    R"(Puts load on a bankd that tests/bench/seed has filled, and tells how it did as JSON.

  load [OPTION...]

  --connect HOST:PORT   an IPv4 address (127.0.0.1:7001)
  --flow KEY=VALUE,...  may be given again; each flow runs beside the others
        name=TEXT         what the JSON calls it
        connections=N     (1)
        depth=N           calls in flight on each connection (1)
        mix=WORK[:N][+WORK[:N]...]   balance, post, hold (hold and capture), withdraw; (balance)
        rate=N            open loop, so many a second; without it the loop is closed
        at-once=N         of an open loop: so many begin at the same moment on one connection (1)
  --seconds N           how long is measured (3), after --warm-up N (0.5)
  --accounts N --cards N --terminals N   as they were seeded (10000 1000 64)
  --no-verify           the server asks for no PIN
  --atm                 it is an atmd: mix=withdraw, a terminal for each connection
  --server-pid PID      counts its processor time and memory
  --cpu N               runs on this core only
  --remember FILE       writes down what was acknowledged, also when the server dies
  --read-back FILE      no load: checks that all of it is so still
  --idle N              no load: memory of N connections that made one call each
)";

[[noreturn]] void misused(std::string_view what) {
  std::fprintf(stderr, "load: %.*s; see load --help\n", static_cast<int>(what.size()), what.data());
  std::exit(64);
}

template <typename Number>
Number number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    misused("'" + std::string(text) + "' is not a number");
  }
  return value;
}

// Cuts the text up to the next `separator` off its front.
std::string_view cut(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view piece = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return piece;
}

std::array<std::uint32_t, works> parse_mix(std::string_view text) {
  std::array<std::uint32_t, works> mix{};
  while (!text.empty()) {
    std::string_view weight = cut(text, '+');
    const std::string_view work = cut(weight, ':');
    const std::uint32_t times = weight.empty() ? 1 : number<std::uint32_t>(weight);
    if (work == "balance") {
      mix[static_cast<std::size_t>(Work::balance)] = times;
    } else if (work == "post") {
      mix[static_cast<std::size_t>(Work::post)] = times;
    } else if (work == "hold") {
      mix[static_cast<std::size_t>(Work::hold)] = times;
    } else if (work == "withdraw") {
      mix[static_cast<std::size_t>(Work::withdraw)] = times;
    } else {
      misused("there is no work '" + std::string(work) + "'");
    }
  }
  return mix;
}

FlowOptions parse_flow(std::string_view text) {
  FlowOptions flow;
  while (!text.empty()) {
    std::string_view value = cut(text, ',');
    const std::string_view key = cut(value, '=');
    if (key == "name") {
      flow.name = value;
    } else if (key == "connections") {
      flow.connections = number<std::size_t>(value);
    } else if (key == "depth") {
      flow.depth = number<std::size_t>(value);
    } else if (key == "mix") {
      flow.mix = parse_mix(value);
    } else if (key == "rate") {
      flow.rate = number<double>(value);
    } else if (key == "at-once") {
      flow.at_once = number<std::uint32_t>(value);
    } else {
      misused("a flow has no '" + std::string(key) + "'");
    }
  }
  if (flow.connections == 0 || flow.depth == 0 || flow.depth > 256) {
    misused("a flow has 1 connection or more, and 1 to 256 calls in flight on each");
  }
  if (flow.at_once == 0) misused("at-once is 1 or more");
  return flow;
}

}  // namespace

Options parse_options(int argc, char** argv) {
  Options options;
  for (int at = 1; at < argc; ++at) {
    const std::string_view name = argv[at];
    const auto value = [&]() -> std::string_view {
      if (at + 1 == argc) misused(std::string(name) + " needs a value");
      return argv[++at];
    };
    if (name == "--help") {
      std::fputs(help, stdout);
      std::exit(0);
    } else if (name == "--no-verify") {
      options.verify = false;
    } else if (name == "--atm") {
      options.is_atm = true;
    } else if (name == "--connect") {
      options.connect = value();
    } else if (name == "--flow") {
      options.flows.push_back(parse_flow(value()));
    } else if (name == "--seconds") {
      options.seconds = number<double>(value());
    } else if (name == "--warm-up") {
      options.warm_up_seconds = number<double>(value());
    } else if (name == "--accounts") {
      options.accounts = number<std::size_t>(value());
    } else if (name == "--cards") {
      options.cards = number<std::size_t>(value());
    } else if (name == "--terminals") {
      options.terminals = number<std::size_t>(value());
    } else if (name == "--server-pid") {
      options.server_pid = number<int>(value());
    } else if (name == "--cpu") {
      options.cpu = number<int>(value());
    } else if (name == "--remember") {
      options.remember = value();
    } else if (name == "--read-back") {
      options.read_back = value();
    } else if (name == "--idle") {
      options.idle = number<std::size_t>(value());
    } else {
      misused("there is no option '" + std::string(name) + "'");
    }
  }
  if (options.flows.empty()) options.flows.push_back({});
  return options;
}

}  // namespace load
