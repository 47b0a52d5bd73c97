// Connecting and listening on libuv: names, addresses, socket files.

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
#include "async/stream.h"
#include "async/uv_socket.h"
#include "async/waiting_place.h"

namespace async {

namespace {

constexpr int listen_backlog = 1024;

std::string trying_to(const char* verb, const Endpoint& endpoint) {
  return std::string(verb) + " " + endpoint.text();
}

// libuv would cut a longer path, and so reach another socket.
void require_path_that_fits(const Endpoint& endpoint, const char* verb) {
  if (endpoint.host.size() < sizeof(sockaddr_un::sun_path)) return;
  throw IoError(UV_ENAMETOOLONG, trying_to(verb, endpoint));
}

class UvListener final : public ListenerTransport {
 public:
  UvListener(SocketOwner socket, Endpoint local)
      : socket_(std::move(socket)), local_(std::move(local)), accepting_(socket_.loop().owner) {
    socket_->handle()->data = this;
    const auto connected = [](uv_stream_t* stream, int status) {
      // Out of file descriptors: libuv has closed the new connection, which the peer sees.
      if (status != 0) return;
      static_cast<UvListener*>(stream->data)->on_connection();
    };
    require(uv_listen(socket_->stream(), listen_backlog, connected),
            trying_to("listen on", local_));
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

// What needs no look-up, and so must not wait for a thread of the pool.
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

// localhost is this machine, also where the system does not know the name (RFC 6761, 6.3).
Addresses addresses_where_unknown(Endpoint endpoint) {
  Addresses addresses;
  if (endpoint.host != "localhost") return addresses;
  for (const char* const loopback : {"127.0.0.1", "::1"}) {
    endpoint.host = loopback;
    addresses.push_back(*numeric_address(endpoint));
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
  LookUp(Loop& loop, Endpoint endpoint) : answer_(loop), endpoint_(std::move(endpoint)) {}

  Future<Found> answer() { return answer_.future(); }

  void run() noexcept override {
    addrinfo hints = any_stream();
    hints.ai_flags = AI_IDN;
    const std::string port = std::to_string(endpoint_.port);
    addrinfo* found = nullptr;
    found_.error =
        look_up_error(::getaddrinfo(endpoint_.host.c_str(), port.c_str(), &hints, &found));
    if (found_.error == 0) found_.addresses = take_addresses(found);
  }
  void done() noexcept override { answer_.set(std::move(found_)); }

 private:
  Promise<Found> answer_;
  const Endpoint endpoint_;
  Found found_;
};

// Never empty. Throws IoError.
Task<Addresses> look_up(UvLoop::Impl* loop, Endpoint endpoint) {
  if (const auto address = numeric_address(endpoint)) {
    Addresses only(1, *address);
    co_return only;
  }
  auto look_up = std::make_unique<LookUp>(loop->owner, endpoint);
  Future<Found> answer = look_up->answer();
  loop->look_ups().run(std::move(look_up));
  Found found = co_await answer;
  if (found.error < 0) found.addresses = addresses_where_unknown(endpoint);
  if (found.addresses.empty()) require(found.error, "look up " + endpoint.host);
  co_return std::move(found.addresses);
}

Task<Stream> connect_tcp(UvLoop::Impl* loop, Addresses addresses, std::string what_is_tried) {
  int failure = UV_EAI_NONAME;
  for (const sockaddr_storage& address : addresses) {
    SocketOwner socket(*loop, Endpoint::Kind::tcp);
    using Connect = Pending<uv_connect_t>;
    auto pending = std::make_unique<Connect>(loop->owner);
    Future<int> answer = pending->answer.future();
    failure =
        uv_tcp_connect(&pending->request, &socket->uv.tcp, generic(address), &Connect::answered);
    if (failure < 0) continue;
    (void)pending.release();  // libuv's, until it has answered.
    failure = co_await answer;
    if (failure == 0) co_return make_stream(std::move(socket));
  }
  throw IoError(failure, what_is_tried);
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

// Listening happens once, at start, so that its name may be looked up while everything waits.
sockaddr_storage address_to_listen_on(UvLoop::Impl& loop, const Endpoint& endpoint) {
  if (const auto address = numeric_address(endpoint)) return *address;
  uv_getaddrinfo_t request{};
  addrinfo hints = any_stream();
  hints.ai_flags = AI_PASSIVE;
  const std::string port = std::to_string(endpoint.port);
  const int status =
      uv_getaddrinfo(&loop.uv, &request, nullptr, endpoint.host.c_str(), port.c_str(), &hints);
  const Addresses found =
      status == 0 ? take_addresses(request.addrinfo) : addresses_where_unknown(endpoint);
  if (found.empty()) require(status, "look up " + endpoint.host);
  return found.front();
}

Endpoint bind_tcp(UvLoop::Impl& loop, Socket& socket, const Endpoint& endpoint) {
  const sockaddr_storage address = address_to_listen_on(loop, endpoint);
  const std::string what_is_tried = trying_to("listen on", endpoint);
  require(uv_tcp_bind(&socket.uv.tcp, generic(address), 0), what_is_tried);
  sockaddr_storage taken{};
  int size = sizeof taken;
  require(uv_tcp_getsockname(&socket.uv.tcp, reinterpret_cast<sockaddr*>(&taken), &size),
          what_is_tried);
  return endpoint_of(taken);
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

void bind_unix(Socket& socket, const Endpoint& endpoint) {
  require_path_that_fits(endpoint, "listen on");
  remove_if_nobody_listens(endpoint.host);
  require(uv_pipe_bind(&socket.uv.pipe, endpoint.host.c_str()), trying_to("listen on", endpoint));
}

}  // namespace

Task<Stream> UvLoop::connect(Endpoint endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    co_return co_await connect_unix(impl_.get(), std::move(endpoint));
  }
  std::string what_is_tried = trying_to("connect to", endpoint);
  Addresses addresses = co_await look_up(impl_.get(), std::move(endpoint));
  co_return co_await connect_tcp(impl_.get(), std::move(addresses), std::move(what_is_tried));
}

Listener UvLoop::listen(const Endpoint& endpoint) {
  SocketOwner socket(*impl_, endpoint.kind);
  Endpoint local = endpoint;
  if (endpoint.kind == Endpoint::Kind::tcp) {
    local = bind_tcp(*impl_, *socket.operator->(), endpoint);
  } else {
    bind_unix(*socket.operator->(), endpoint);
  }
  return Listener(std::make_unique<UvListener>(std::move(socket), std::move(local)));
}

}  // namespace async
