// What the load generator is told on its command line.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace load {

// What a call slot does, over and over.
enum class Work : std::uint8_t {
  balance,   // GetBalance of a random card.
  post,      // Transfer from a random card's account to a random account.
  hold,      // Hold, and Capture of all of it when the hold was answered: one piece of work.
  withdraw,  // Of an ATM: one note, in the session that the connection began with.
};
inline constexpr std::size_t works = 4;

// Connections that do the same: so many of them, with so many calls in flight on each.
struct FlowOptions {
  std::string name;
  std::size_t connections = 1;
  std::size_t depth = 1;
  // How often each kind of work is chosen, relative to the others.
  std::array<std::uint32_t, works> mix = {1, 0, 0, 0};
  // Open loop: work begins so often a second, whatever the server does, and its time counts from
  // when it should have begun. 0 is a closed loop: the next begins when one has ended.
  double rate = 0;
  // Of an open loop: so many begin at the same moment on one connection, the next ones on the next.
  std::uint32_t at_once = 1;
};

struct Options {
  std::string connect = "127.0.0.1:7001";
  std::vector<FlowOptions> flows;
  double warm_up_seconds = 0.5;
  double seconds = 3;
  // As tests/bench/seed made them.
  std::size_t accounts = 10'000;
  std::size_t cards = 1'000;
  std::size_t terminals = 64;
  // False for a server that asks for no PIN: a token of zeros is sent.
  bool verify = true;
  // The server is an atmd: each connection inserts a card at a terminal of its own.
  bool is_atm = false;
  // Counted while measuring, when told: processor time and memory.
  std::optional<int> server_pid;
  std::optional<int> cpu;
  // What was acknowledged goes there; the server may die meanwhile.
  std::string remember;
  // Instead of a load: is all of that file still so?
  std::string read_back;
  // Instead of a load: so many connections, one call each, then the server's memory.
  std::size_t idle = 0;
};

// Prints what is wrong, or the help, and ends the process with 64 or 0 then.
Options parse_options(int argc, char** argv);

}  // namespace load
