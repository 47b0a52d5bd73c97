// Connecting and listening on libuv: names, addresses, socket files.

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <netdb.h>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_socket.h"
#include "async/waiting_place.h"

namespace async {

namespace {

constexpr int listen_backlog = 1024;

// How long one address is tried alone before the next is tried beside it (RFC 8305, 5).
constexpr Duration next_attempt_after = std::chrono::milliseconds(250);

// How often a port is taken that must be free for each address of a name.
constexpr int free_port_tries = 16;

std::string trying_to(const char* verb, const Endpoint& endpoint) {
  return std::string(verb) + " " + endpoint.text();
}

// libuv would cut a longer path, and so reach another socket.
void require_path_that_fits(const Endpoint& endpoint, const char* verb) {
  static_assert(Endpoint::unix_path_size_max == sizeof(sockaddr_un::sun_path) - 1);
  if (endpoint.host.size() <= Endpoint::unix_path_size_max) return;
  throw IoError(UV_ENAMETOOLONG, trying_to(verb, endpoint));
}

class UvListener final : public ListenerTransport {
 public:
  UvListener(SocketOwner socket, Endpoint local, const std::string& what_is_tried)
      : socket_(std::move(socket)), local_(std::move(local)), accepting_(socket_.loop().owner) {
    socket_->handle()->data = this;
    const auto connected = [](uv_stream_t* stream, int status) {
      // Out of file descriptors: libuv has closed the new connection, which the peer sees.
      if (status != 0) return;
      static_cast<UvListener*>(stream->data)->on_connection();
    };
    require(uv_listen(socket_->stream(), listen_backlog, connected), what_is_tried);
  }

  Task<Stream> accept() override {
    while (true) {
      while (!has_connection_) {
        const bool is_open = co_await accepting_;
        if (!is_open) throw IoError(UV_ECANCELED, "accept a connection");
      }
      has_connection_ = false;  // libuv tells of the next one when this one was taken.
      SocketOwner peer(socket_.loop(), socket_->kind);
      const int result = uv_accept(socket_->stream(), peer->stream());
      if (result == 0) co_return make_stream(std::move(peer));
    }
  }

  Endpoint local() const override { return local_; }

 private:
  // Whoever accepts goes on within libuv's callback, so that libuv takes in all connections that
  // wait in one go. May destroy this.
  void on_connection() {
    has_connection_ = true;
    if (accepting_.is_taken()) accepting_.resume();
  }

  SocketOwner socket_;
  Endpoint local_;
  WaitingPlace accepting_;
  bool has_connection_ = false;
};

using Addresses = std::vector<sockaddr_storage>;

template <typename Address>
sockaddr_storage stored(const Address& address) {
  sockaddr_storage storage{};
  std::memcpy(&storage, &address, sizeof address);
  return storage;
}

const sockaddr* generic(const sockaddr_storage& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

std::optional<sockaddr_storage> numeric_address(const Endpoint& endpoint) {
  sockaddr_in ipv4{};
  if (uv_ip4_addr(endpoint.host.c_str(), endpoint.port, &ipv4) == 0) return stored(ipv4);
  sockaddr_in6 ipv6{};
  if (uv_ip6_addr(endpoint.host.c_str(), endpoint.port, &ipv6) == 0) return stored(ipv6);
  return std::nullopt;
}

Addresses take_addresses(addrinfo* found) {
  Addresses addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    std::memcpy(&addresses.emplace_back(), each->ai_addr, each->ai_addrlen);
  }
  uv_freeaddrinfo(found);
  return addresses;
}

// What needs no look-up: a number, and localhost, which is this machine whatever the system knows of
// the name (RFC 6761, 6.3).
Addresses known_addresses(Endpoint endpoint) {
  Addresses addresses;
  if (endpoint.host == "localhost") {
    for (const char* const loopback : {"127.0.0.1", "::1"}) {
      endpoint.host = loopback;
      addresses.push_back(*numeric_address(endpoint));
    }
  } else if (const auto address = numeric_address(endpoint)) {
    addresses.push_back(*address);
  }
  return addresses;
}

addrinfo any_stream() {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  return hints;
}

struct Found {
  int error = 0;
  Addresses addresses;
};

// The code that libuv has for what getaddrinfo() returned.
int look_up_error(int status) {
  switch (status) {
    case 0:
      return 0;
    case EAI_AGAIN:
      return UV_EAI_AGAIN;
    case EAI_MEMORY:
      return UV_EAI_MEMORY;
    case EAI_NODATA:
      return UV_EAI_NODATA;
    case EAI_NONAME:
      return UV_EAI_NONAME;
    case EAI_SYSTEM:
      return -errno;
    default:
      return UV_EAI_FAIL;
  }
}

// On a pool of ours: uv_getaddrinfo() starts libuv's threads, and ends the process when the system
// refuses one.
class LookUp final : public PoolWork {
 public:
  LookUp(Loop& loop, Endpoint endpoint)
      : answer_(std::in_place, loop), endpoint_(std::move(endpoint)) {}

  Future<Found> answer() { return answer_->future(); }

  void run() noexcept override {
    addrinfo hints = any_stream();
    hints.ai_flags = AI_IDN;
    const std::string port = std::to_string(endpoint_.port);
    addrinfo* found = nullptr;
    found_.error =
        look_up_error(::getaddrinfo(endpoint_.host.c_str(), port.c_str(), &hints, &found));
    if (found_.error == 0) found_.addresses = take_addresses(found);
  }
  void done() noexcept override { answer_->set(std::move(found_)); }
  void leave() noexcept override { answer_.reset(); }

 private:
  std::optional<Promise<Found>> answer_;  // The loop's; run() leaves it alone.
  const Endpoint endpoint_;
  Found found_;
};

// Never empty. Throws IoError.
Task<Addresses> look_up(UvLoop::Impl* loop, Endpoint endpoint) {
  Addresses known = known_addresses(endpoint);
  if (!known.empty()) co_return known;
  auto look_up = std::make_unique<LookUp>(loop->owner, endpoint);
  Future<Found> answer = look_up->answer();
  loop->look_ups().run(std::move(look_up));
  Found found = co_await answer;
  require(found.error, "look up " + endpoint.host);
  co_return std::move(found.addresses);
}

// Tries several addresses of one server, one after the other, and side by side where one does not
// answer.
struct Race {
  explicit Race(Loop& loop) : changed(loop) {}

  std::optional<Stream> winner;
  int failure = UV_EAI_NONAME;  // The last one.
  std::size_t running = 0;
  Event changed;  // An attempt has ended.
};

Task<> attempt(UvLoop::Impl* loop, sockaddr_storage address, Race* race) {
  ++race->running;
  SocketOwner socket(*loop, Endpoint::Kind::tcp);
  using Connect = Pending<uv_connect_t>;
  auto pending = std::make_unique<Connect>(loop->owner);
  Future<int> answer = pending->answer.future();
  int result =
      uv_tcp_connect(&pending->request, &socket->uv.tcp, generic(address), &Connect::answered);
  if (result == 0) {
    (void)pending.release();  // libuv's, until it has answered.
    result = co_await answer;
  }
  if (result < 0) {
    race->failure = result;
  } else if (!race->winner) {
    race->winner.emplace(make_stream(std::move(socket)));
  }
  --race->running;
  race->changed.set();
}

Task<> wait_for(Event* event) { co_await *event; }

// So that the families take turns: where one of them leads nowhere, it costs one attempt.
Addresses with_families_in_turn(const Addresses& addresses) {
  Addresses in_turn;
  Addresses others;
  for (const sockaddr_storage& address : addresses) {
    const bool is_first = address.ss_family == addresses.front().ss_family;
    (is_first ? in_turn : others).push_back(address);
  }
  for (std::size_t i = 0; i < others.size(); ++i) {
    const std::size_t place = std::min(2 * i + 1, in_turn.size());
    in_turn.insert(in_turn.begin() + static_cast<std::ptrdiff_t>(place), others[i]);
  }
  return in_turn;
}

Task<Stream> connect_tcp(UvLoop::Impl* loop, Addresses addresses, std::string what_is_tried) {
  Race race(loop->owner);
  TaskScope attempts(loop->owner);
  std::size_t next = 0;
  while (!race.winner && (next < addresses.size() || race.running > 0)) {
    Deadline patience = Deadline::never();
    race.changed.clear();
    if (next < addresses.size()) {
      attempts.spawn(attempt(loop, addresses[next++], &race));
      if (next < addresses.size()) patience = loop->owner.in(next_attempt_after);
    }
    if (race.winner) break;
    Task<> ending = wait_for(&race.changed);
    Task<std::optional<std::monostate>> waiting =
        with_deadline(loop->owner, patience, std::move(ending));
    co_await waiting;
  }
  if (!race.winner) throw IoError(race.failure, what_is_tried);
  co_return std::move(*race.winner);
}

Task<Stream> connect_unix(UvLoop::Impl* loop, Endpoint endpoint) {
  require_path_that_fits(endpoint, "connect to");
  SocketOwner socket(*loop, Endpoint::Kind::unix_socket);
  using Connect = Pending<uv_connect_t>;
  auto pending = std::make_unique<Connect>(loop->owner);
  Future<int> answer = pending->answer.future();
  uv_pipe_connect(&pending->request, &socket->uv.pipe, endpoint.host.c_str(), &Connect::answered);
  (void)pending.release();  // libuv's, until it has answered.
  const int status = co_await answer;
  if (status < 0) throw IoError(status, trying_to("connect to", endpoint));
  co_return make_stream(std::move(socket));
}

// Never empty. Listening happens once, at start, so that its name may be looked up while everything
// waits.
Addresses addresses_to_listen_on(UvLoop::Impl& loop, const Endpoint& endpoint) {
  Addresses known = known_addresses(endpoint);
  if (!known.empty()) return known;
  uv_getaddrinfo_t request{};
  addrinfo hints = any_stream();
  hints.ai_flags = AI_PASSIVE;
  const std::string port = std::to_string(endpoint.port);
  const int status =
      uv_getaddrinfo(&loop.uv, &request, nullptr, endpoint.host.c_str(), port.c_str(), &hints);
  require(status, "look up " + endpoint.host);
  return take_addresses(request.addrinfo);
}

Listener listen_on_tcp(UvLoop::Impl& loop, const sockaddr_storage& address,
                       const std::string& what_is_tried) {
  SocketOwner socket(loop, Endpoint::Kind::tcp);
  uv_tcp_t* const tcp = &socket->uv.tcp;
  // Each family by itself, so that [::] and 0.0.0.0 are two places.
  const unsigned flags = address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0;
  require(uv_tcp_bind(tcp, generic(address), flags), what_is_tried);
  sockaddr_storage taken{};
  int size = sizeof taken;
  require(uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&taken), &size), what_is_tried);
  return Listener(
      std::make_unique<UvListener>(std::move(socket), endpoint_of(taken), what_is_tried));
}

void set_port(sockaddr_storage& address, std::uint16_t port) {
  if (address.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = htons(port);
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = htons(port);
  }
}

bool is_of_no_interface(const IoError& error) {
  return error.code() == UV_EADDRNOTAVAIL || error.code() == UV_EAFNOSUPPORT;
}

// On each address that this machine has, and on one port of all. Throws if it has none.
std::vector<Listener> listen_on_each(UvLoop::Impl& loop, Addresses addresses,
                                     const std::string& what_is_tried) {
  std::vector<Listener> listeners;
  std::exception_ptr none;
  for (sockaddr_storage& address : addresses) {
    if (!listeners.empty()) set_port(address, listeners.front().local().port);
    try {
      listeners.push_back(listen_on_tcp(loop, address, what_is_tried));
    } catch (const IoError& error) {
      if (!is_of_no_interface(error)) throw;
      none = std::current_exception();
    }
  }
  if (listeners.empty()) std::rethrow_exception(none);
  return listeners;
}

// A server that was killed leaves its socket's file behind, where nobody answers and nobody else
// can listen.
void remove_if_nobody_listens(const std::string& path) {
  struct stat file{};
  if (lstat(path.c_str(), &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const bool is_refused =
      ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  close(probe);
  if (is_refused) unlink(path.c_str());
}

// Throws SocketFileError if the file cannot be in the folder that the path names.
void require_folder_of(const std::string& path, const std::string& what_is_tried) {
  const std::size_t end = path.rfind('/');
  if (end == std::string::npos || end == 0) return;
  const std::string folder = path.substr(0, end);
  struct stat found{};
  const int error = stat(folder.c_str(), &found) == 0 ? 0 : errno;
  if (error == ENOENT) {
    throw SocketFileError(UV_ENOENT, what_is_tried + ", whose folder does not exist");
  }
  if (error == ENOTDIR || (error == 0 && !S_ISDIR(found.st_mode))) {
    throw SocketFileError(UV_ENOTDIR, what_is_tried + ", which would be in no folder");
  }
}

Listener listen_on_unix(UvLoop::Impl& loop, const Endpoint& endpoint) {
  const std::string what_is_tried = trying_to("listen on", endpoint);
  require_path_that_fits(endpoint, "listen on");
  require_folder_of(endpoint.host, what_is_tried);
  remove_if_nobody_listens(endpoint.host);
  SocketOwner socket(loop, Endpoint::Kind::unix_socket);
  require(uv_pipe_bind(&socket->uv.pipe, endpoint.host.c_str()), what_is_tried);
  return Listener(std::make_unique<UvListener>(std::move(socket), endpoint, what_is_tried));
}

}  // namespace

Task<Stream> UvLoop::connect(Endpoint endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    co_return co_await connect_unix(impl_.get(), std::move(endpoint));
  }
  std::string what_is_tried = trying_to("connect to", endpoint);
  const Addresses found = co_await look_up(impl_.get(), std::move(endpoint));
  Addresses addresses = with_families_in_turn(found);
  co_return co_await connect_tcp(impl_.get(), std::move(addresses), std::move(what_is_tried));
}

Task<Stream> connect_to_any(UvLoop& loop, std::vector<Endpoint> addresses) {
  Addresses numbers;
  for (const Endpoint& address : addresses) numbers.push_back(*numeric_address(address));
  return connect_tcp(&loop.impl(), std::move(numbers), trying_to("connect to", addresses.back()));
}

Listener UvLoop::listen(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) return listen_on_unix(*impl_, endpoint);
  const Addresses addresses = addresses_to_listen_on(*impl_, endpoint);
  return listen_on_tcp(*impl_, addresses.front(), trying_to("listen on", endpoint));
}

std::vector<Listener> UvLoop::listen_on_all(const Endpoint& endpoint) {
  std::vector<Listener> listeners;
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    listeners.push_back(listen_on_unix(*impl_, endpoint));
    return listeners;
  }
  const Addresses addresses = addresses_to_listen_on(*impl_, endpoint);
  const std::string what_is_tried = trying_to("listen on", endpoint);
  // Where any port will do, one that is free at the first address may be taken at another.
  for (int tries = endpoint.port == 0 ? free_port_tries : 1; tries > 1; --tries) {
    try {
      return listen_on_each(*impl_, addresses, what_is_tried);
    } catch (const IoError& error) {
      if (error.code() != UV_EADDRINUSE) throw;
    }
  }
  return listen_on_each(*impl_, addresses, what_is_tried);
}

}  // namespace async
