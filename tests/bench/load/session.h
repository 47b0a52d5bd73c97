// Session: a blocking connection, for what comes before and after a load.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/options.h"
#include "bench/load/wire.h"

namespace load {

// Says what failed and why, and ends the process with 1.
[[noreturn]] void give_up(const std::string& what);

// Connects to HOST:PORT, without delays and blocking. Gives up when it cannot.
int connect_to(const std::string& address);

// What was acknowledged, as --remember writes it and --read-back reads it.
struct Acknowledged {
  ChangeId id{};
  std::uint32_t terminal = 0;
  std::uint32_t reserved = 0;
  std::uint64_t ledger_seq = 0;
};

class Session {
 public:
  // Over a connection that is somebody else's and stays open.
  explicit Session(int socket) : socket_(socket), owns_(false) {}
  explicit Session(const std::string& address) : socket_(connect_to(address)) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Sends a frame that was made elsewhere, or a request.
  void send(std::string_view bytes);
  void send(std::uint64_t call_id, std::string_view method,
            const google::protobuf::MessageLite& body);
  // The next reply; valid until the next call.
  Reply receive();

 private:
  int socket_;
  bool owns_ = true;
  std::string received_;
  std::size_t used_ = 0;
};

// Tries every card's PIN. In the order of the cards.
std::vector<CardTemplates> verify_cards(const Options& options);

// Inserts a card at a terminal, over a connection to an atmd: the session lives as long as that.
CardTemplates insert_card(int socket, std::size_t terminal);

// Asks for every change in the file what became of it. False: something that was acknowledged is
// not there; says so.
bool read_back(const Options& options);

// Opens connections that make one call each and then stay; prints the server's memory before and
// after as JSON.
void measure_idle(const Options& options);

}  // namespace load
