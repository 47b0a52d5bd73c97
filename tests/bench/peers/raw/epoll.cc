// The ceiling: GetBalance on Teller's own frames with nothing around it. One thread, level-triggered
// epoll, one read and one write for each connection that has something, the messages reused; no
// deadlines, limits, cancels or other methods.
#include <arpa/inet.h>
#include <cstdlib>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accounts.h"
#include "bank/v1/bank.pb.h"
#include "rpc/v1/envelope.pb.h"

struct Connection {
  int socket;
  std::string in;  // A frame that has not come whole.
};

static Balances balances = all_balances();
static rpc::v1::Request request;
static rpc::v1::Response response;
static bank::v1::GetBalanceRequest asked;
static bank::v1::GetBalanceResponse told;

static void answer(const char* body, int size, std::string& out) {
  request.Clear();
  request.ParseFromArray(body, size);
  asked.Clear();
  asked.ParseFromString(request.body());
  const std::int64_t cents = balances.find(asked.card_number())->second;
  told.mutable_balance()->mutable_balance()->set_minor_units(cents);
  told.mutable_balance()->mutable_available()->set_minor_units(cents);
  response.set_id(request.id());
  told.SerializeToString(response.mutable_body());
  const std::size_t length = response.ByteSizeLong();
  const std::size_t at = out.size();
  out.resize(at + 2 + length);
  out[at] = static_cast<char>(length >> 8);
  out[at + 1] = static_cast<char>(length);
  response.SerializeWithCachedSizesToArray(reinterpret_cast<unsigned char*>(&out[at + 2]));
}

// False: the connection has ended.
static bool serve(Connection& connection) {
  static char buffer[256 * 1024];
  static std::string out;
  const std::size_t kept = connection.in.copy(buffer, connection.in.size());
  const ssize_t got = recv(connection.socket, buffer + kept, sizeof buffer - kept, 0);
  if (got <= 0) return false;
  const std::size_t size = kept + static_cast<std::size_t>(got);
  std::size_t at = 0;
  out.clear();
  while (size - at >= 2) {
    const std::size_t length =
        static_cast<std::size_t>(static_cast<unsigned char>(buffer[at])) * 256 +
        static_cast<unsigned char>(buffer[at + 1]);
    if (size - at < 2 + length) break;
    answer(buffer + at + 2, static_cast<int>(length), out);
    at += 2 + length;
  }
  connection.in.assign(buffer + at, size - at);
  for (std::size_t sent = 0; sent < out.size();) {
    const ssize_t wrote = send(connection.socket, &out[sent], out.size() - sent, MSG_NOSIGNAL);
    if (wrote <= 0) return false;
    sent += static_cast<std::size_t>(wrote);
  }
  return true;
}

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  told.mutable_balance()->mutable_balance()->set_currency("EUR");
  told.mutable_balance()->mutable_available()->set_currency("EUR");
  told.set_ledger_seq(20'000);

  const int one = 1;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 69;
  listen(listener, 4096);
  const int poll = epoll_create1(0);
  epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);

  while (true) {
    epoll_event events[256];
    const int count = epoll_wait(poll, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection == nullptr) {
        const int socket = accept(listener, nullptr, nullptr);
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_event readable{.events = EPOLLIN, .data = {.ptr = new Connection{socket, {}}}};
        epoll_ctl(poll, EPOLL_CTL_ADD, socket, &readable);
      } else if (!serve(*connection)) {
        close(connection->socket);
        delete connection;
      }
    }
  }
}
