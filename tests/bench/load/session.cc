#include "bench/load/session.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "atm/v1/atm.pb.h"
#include "bank/v1/bank.pb.h"
#include "bench/load/process.h"

namespace load {
namespace {

// Requests that are sent before the first reply is read.
constexpr std::size_t chunk = 64;

Reply require_ok(const Reply& reply) {
  if (reply.code != 0) {
    give_up("status " + std::to_string(reply.code) + ": " + std::string(reply.message));
  }
  return reply;
}

}  // namespace

void give_up(const std::string& what) {
  std::fprintf(stderr, "load: %s\n", what.c_str());
  std::exit(1);
}

int connect_to(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  if (colon == std::string::npos) give_up(address + " is not HOST:PORT");
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
  if (inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr) != 1) {
    give_up(address + " is not an IPv4 address and a port");
  }
  const int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (made < 0) give_up(std::string("cannot make a socket: ") + std::strerror(errno));
  const int one = 1;
  setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(made, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    give_up("cannot connect to " + address + ": " + std::strerror(errno));
  }
  return made;
}

Session::~Session() {
  if (owns_) close(socket_);
}

void Session::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) give_up(std::string("cannot send: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void Session::send(std::uint64_t call_id, std::string_view method,
                   const google::protobuf::MessageLite& body) {
  std::string frame;
  Template(method, body).append(frame, call_id);
  send(frame);
}

Reply Session::receive() {
  while (true) {
    const std::string_view left = std::string_view(received_).substr(used_);
    if (left.size() >= 2) {
      const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(left[0])) * 256 +
                               static_cast<unsigned char>(left[1]);
      if (left.size() >= 2 + size) {
        used_ += 2 + size;
        const std::optional<Reply> reply = read_reply(left.substr(2, size));
        if (!reply) give_up("the server sent something that is no response");
        return *reply;
      }
    }
    received_.erase(0, used_);
    used_ = 0;
    std::array<char, 65536> more;
    const ssize_t got = recv(socket_, more.data(), more.size(), 0);
    if (got <= 0) give_up("the server closed the connection");
    received_.append(more.data(), static_cast<std::size_t>(got));
  }
}

std::vector<CardTemplates> verify_cards(const Options& options) {
  std::vector<std::string> tokens(options.cards, std::string(16, '\0'));
  if (options.verify) {
    Session session(options.connect);
    for (std::size_t first = 0; first < options.cards; first += chunk) {
      const std::size_t end = std::min(first + chunk, options.cards);
      for (std::size_t card = first; card < end; ++card) {
        bank::v1::VerifyCardRequest request;
        request.set_terminal_id(terminal_name(card % options.terminals));
        request.set_card_number(card_number(card));
        request.set_pin(std::string(seeded_pin));
        session.send(call_id_min + static_cast<std::uint32_t>(card),
                     "bank.v1.BankService/VerifyCard", request);
      }
      for (std::size_t card = first; card < end; ++card) {
        const Reply reply = require_ok(session.receive());
        bank::v1::VerifyCardResponse response;
        const std::string body(reply.body);
        if (!response.ParseFromString(body) || !response.has_verified()) {
          give_up("a card was not verified: " + response.ShortDebugString());
        }
        tokens.at(reply.id - call_id_min) = response.verified().token();
      }
    }
  }
  std::vector<CardTemplates> templates;
  templates.reserve(options.cards);
  for (std::size_t card = 0; card < options.cards; ++card) {
    templates.emplace_back(card, card % options.terminals, tokens[card]);
  }
  return templates;
}

CardTemplates insert_card(int socket, std::size_t terminal) {
  Session session(socket);
  atm::v1::InsertCardRequest request;
  request.set_terminal_id(terminal_name(terminal));
  request.set_card_number(card_number(terminal));
  request.set_pin(std::string(seeded_pin));
  session.send(call_id_min, "atm.v1.AtmService/InsertCard", request);
  const Reply reply = require_ok(session.receive());
  atm::v1::InsertCardResponse response;
  if (!response.ParseFromString(std::string(reply.body)) || !response.has_session()) {
    give_up("a card was not taken: " + response.ShortDebugString());
  }
  return CardTemplates(response.session().session_id());
}

bool read_back(const Options& options) {
  std::ifstream file(options.read_back, std::ios::binary);
  std::vector<Acknowledged> all;
  for (Acknowledged one; file.read(reinterpret_cast<char*>(&one), sizeof one);) all.push_back(one);
  if (all.empty()) give_up(options.read_back + " remembers nothing");

  Session session(options.connect);
  std::size_t lost = 0;
  for (std::size_t first = 0; first < all.size(); first += chunk) {
    const std::size_t end = std::min(first + chunk, all.size());
    for (std::size_t at = first; at < end; ++at) {
      bank::v1::ResolveRequest request;
      request.set_terminal_id(terminal_name(all[at].terminal));
      request.set_id(all[at].id.data(), all[at].id.size());
      session.send(call_id_min + static_cast<std::uint32_t>(at - first),
                   "bank.v1.BankService/Resolve", request);
    }
    for (std::size_t at = first; at < end; ++at) {
      const Reply reply = require_ok(session.receive());
      const Acknowledged& one = all.at(first + (reply.id - call_id_min));
      if (reply.is_yes() && reply.ledger_seq() == one.ledger_seq) continue;
      if (++lost > 10) continue;
      std::fprintf(stderr, "load: LOST: the change acknowledged as %llu: %s\n",
                   static_cast<unsigned long long>(one.ledger_seq),
                   reply.is_yes() ? "it has another number now" : "it is not there");
    }
  }
  std::printf("{\"acknowledged\": %zu, \"lost\": %zu}\n", all.size(), lost);
  return lost == 0;
}

void measure_idle(const Options& options) {
  if (!options.server_pid) give_up("--idle needs --server-pid");
  const std::vector<CardTemplates> cards = verify_cards(options);
  const auto ask = [&](std::size_t number) {
    auto session = std::make_unique<Session>(options.connect);
    std::string frame;
    cards[number % cards.size()].balance.append(frame, call_id_min);
    session->send(frame);
    if (const Reply reply = session->receive(); !reply.is_yes()) {
      give_up("a balance was not told: " + std::string(reply.message));
    }
    return session;
  };
  ask(0).reset();  // What the first connection of all makes is not the connections'.
  const Usage before = usage_of(*options.server_pid);
  std::vector<std::unique_ptr<Session>> sessions;
  for (std::size_t number = 0; number < options.idle; ++number) sessions.push_back(ask(number));
  const Usage after = usage_of(*options.server_pid);
  std::printf(
      "{\"connections\": %zu, \"rss_kib_before\": %llu, \"rss_kib_after\": %llu, "
      "\"kib_per_connection\": %.4f}\n",
      options.idle, static_cast<unsigned long long>(before.rss_kib),
      static_cast<unsigned long long>(after.rss_kib),
      (static_cast<double>(after.rss_kib) - static_cast<double>(before.rss_kib)) /
          static_cast<double>(options.idle));
}

}  // namespace load
