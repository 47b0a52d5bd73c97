// Streams and listeners on libuv's TCP and pipe handles.

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "async/future.h"
#include "async/stream.h"
#include "async/uv_impl.h"

namespace async {

namespace {

constexpr int listen_backlog = 1024;

// A TCP or Unix-domain handle of libuv, with the stream or listener that uses it. libuv may hold it
// longer than that does.
struct Socket {
  explicit Socket(Endpoint::Kind which) : kind(which) {}

  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv); }
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&uv); }

  union {
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } uv{};
  Endpoint::Kind kind;
};

std::unique_ptr<Socket> make_socket(UvLoop::Impl& loop, Endpoint::Kind kind) {
  auto socket = std::make_unique<Socket>(kind);
  if (kind == Endpoint::Kind::tcp) {
    require(uv_tcp_init(&loop.uv, &socket->uv.tcp), "make a socket");
  } else {
    require(uv_pipe_init(&loop.uv, &socket->uv.pipe, 0), "make a socket");
  }
  ++loop.open_handles;
  return socket;
}

// Closes the socket, unless somebody took it over.
class SocketOwner {
 public:
  SocketOwner(UvLoop::Impl& loop, std::unique_ptr<Socket> socket)
      : loop_(&loop), socket_(std::move(socket)) {}
  SocketOwner(SocketOwner&& other) noexcept
      : loop_(other.loop_), socket_(std::move(other.socket_)) {}
  SocketOwner& operator=(SocketOwner&&) = delete;
  ~SocketOwner() {
    if (socket_) loop_->close(std::move(socket_));
  }
  Socket* operator->() const { return socket_.get(); }
  UvLoop::Impl& loop() const { return *loop_; }

 private:
  UvLoop::Impl* loop_;
  std::unique_ptr<Socket> socket_;
};

Endpoint endpoint_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  std::uint16_t port = 0;
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof ipv6);
    uv_ip6_name(&ipv6, text.data(), text.size());
    port = ntohs(ipv6.sin6_port);
  } else {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof ipv4);
    uv_ip4_name(&ipv4, text.data(), text.size());
    port = ntohs(ipv4.sin_port);
  }
  return Endpoint{.kind = Endpoint::Kind::tcp, .host = text.data(), .port = port};
}

class WriteAwaiter;

// A write that libuv has taken over. It owns its bytes, so whoever waits for it may go away.
struct PendingWrite {
  uv_write_t request{};
  std::string bytes;
  WriteAwaiter* awaiter = nullptr;  // Null: nobody waits any more.
};

class WriteAwaiter {
 public:
  WriteAwaiter(uv_stream_t* stream, std::string bytes)
      : stream_(stream), bytes_(std::move(bytes)) {}
  WriteAwaiter(const WriteAwaiter&) = delete;
  WriteAwaiter& operator=(const WriteAwaiter&) = delete;
  ~WriteAwaiter() {
    if (pending_ != nullptr) pending_->awaiter = nullptr;
  }

  bool await_ready() const noexcept { return bytes_.empty(); }
  bool await_suspend(std::coroutine_handle<> waiter) {
    auto pending = std::make_unique<PendingWrite>();
    pending->bytes = std::move(bytes_);
    pending->request.data = pending.get();
    const auto size = static_cast<unsigned>(pending->bytes.size());
    const uv_buf_t buffer = uv_buf_init(pending->bytes.data(), size);
    result_ = uv_write(&pending->request, stream_, &buffer, 1, &WriteAwaiter::written);
    if (result_ < 0) return false;
    waiter_ = waiter;
    pending->awaiter = this;
    pending_ = pending.release();
    return true;
  }
  void await_resume() const { require(result_, "write to the connection"); }

 private:
  static void written(uv_write_t* request, int status) {
    const std::unique_ptr<PendingWrite> pending(static_cast<PendingWrite*>(request->data));
    WriteAwaiter* const awaiter = pending->awaiter;
    if (awaiter == nullptr) return;
    awaiter->pending_ = nullptr;
    awaiter->result_ = status;
    awaiter->waiter_.resume();
  }

  uv_stream_t* stream_;
  std::string bytes_;
  std::coroutine_handle<> waiter_;
  PendingWrite* pending_ = nullptr;
  int result_ = 0;
};

// libuv reads into the loop's one buffer, and the waiting reader goes on within that callback: so
// an idle connection owns no buffer. Bytes that nobody waits for are kept, and reading stops: that
// is the back-pressure.
class UvTransport final : public StreamTransport {
 public:
  explicit UvTransport(SocketOwner socket) : socket_(std::move(socket)) {
    socket_->handle()->data = this;
    if (socket_->kind == Endpoint::Kind::tcp) uv_tcp_nodelay(&socket_->uv.tcp, 1);
  }
  ~UvTransport() override { uv_read_stop(socket_->stream()); }

  bool read(StreamReader& reader) override {
    check(reader_ == nullptr, "a stream is read by one task");
    if (!kept_.empty()) {
      lent_ = std::exchange(kept_, {});
      reader.bytes = bytes_of(lent_);
      return true;
    }
    lent_ = std::string();
    if (end_ != 0) {
      deliver_end(reader);
      return true;
    }
    reader_ = &reader;
    start_reading();
    return false;
  }

  void stop_reading() noexcept override { reader_ = nullptr; }

  std::size_t try_write(std::span<const std::byte> bytes) override {
    if (bytes.empty()) return 0;
    const std::string_view text = text_of(bytes);
    const uv_buf_t buffer = uv_buf_init(const_cast<char*>(text.data()),  // NOLINT: libuv's buffers
                                        static_cast<unsigned>(text.size()));  // are never const.
    const int written = uv_try_write(socket_->stream(), &buffer, 1);
    if (written == UV_EAGAIN) return 0;
    require(written, "write to the connection");
    return static_cast<std::size_t>(written);
  }

  Task<> write(std::string bytes) override {
    WriteAwaiter awaiter(socket_->stream(), std::move(bytes));
    co_await awaiter;
  }

  Task<> shutdown() override;

  std::string peer() const override {
    if (socket_->kind == Endpoint::Kind::unix_socket) return "unix";
    sockaddr_storage address{};
    int size = sizeof address;
    const int result =
        uv_tcp_getpeername(&socket_->uv.tcp, reinterpret_cast<sockaddr*>(&address), &size);
    return result < 0 ? "closed" : endpoint_of(address).text();
  }

 private:
  void start_reading() {
    if (reading_) return;
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
      std::vector<char>& shared = static_cast<UvLoop::Impl*>(handle->loop->data)->read_buffer;
      *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
    };
    const auto arrived = [](uv_stream_t* stream, ssize_t size, const uv_buf_t* buffer) {
      if (size == 0) return;  // Would have had to wait.
      UvTransport& transport = *static_cast<UvTransport*>(stream->data);
      transport.on_read(size, buffer->base);
    };
    require(uv_read_start(socket_->stream(), lend, arrived), "read from the connection");
    reading_ = true;
  }

  // May destroy this transport: its reader does as it likes.
  void on_read(ssize_t size, const char* bytes) {
    if (size < 0) {
      end_ = static_cast<int>(size);
      pause_reading();
    }
    if (reader_ == nullptr) {
      if (size > 0) kept_.append(bytes, static_cast<std::size_t>(size));
      pause_reading();
      return;
    }
    StreamReader& reader = *std::exchange(reader_, nullptr);
    if (size < 0) {
      deliver_end(reader);
    } else {
      reader.bytes = bytes_of({bytes, static_cast<std::size_t>(size)});
    }
    reader.waiter.resume();
  }

  void deliver_end(StreamReader& reader) const {
    reader.bytes = {};
    if (end_ == UV_EOF) return;
    reader.error = std::make_exception_ptr(IoError(end_, "read from the connection"));
  }

  void pause_reading() noexcept {
    uv_read_stop(socket_->stream());
    reading_ = false;
  }

  SocketOwner socket_;
  StreamReader* reader_ = nullptr;
  std::string kept_;  // Arrived while nobody read.
  std::string lent_;  // Was kept, and is with the reader now.
  int end_ = 0;       // How the stream ended; 0 while it has not.
  bool reading_ = false;
};

// The promise lives with the request, so that libuv's answer finds it whether or not somebody still
// waits.
template <typename Request>
struct Pending {
  explicit Pending(Loop& loop) : answer(loop) { request.data = this; }

  static void answered(Request* request, int status) {
    const std::unique_ptr<Pending> pending(static_cast<Pending*>(request->data));
    pending->answer.set(status);
  }

  Request request{};
  Promise<int> answer;
};

Task<> UvTransport::shutdown() {
  using Shutdown = Pending<uv_shutdown_t>;
  auto pending = std::make_unique<Shutdown>(socket_.loop().owner);
  Future<int> answer = pending->answer.future();
  const int begun = uv_shutdown(&pending->request, socket_->stream(), &Shutdown::answered);
  if (begun == UV_ENOTCONN) co_return;  // The peer was faster.
  require(begun, "end the connection");
  (void)pending.release();  // libuv's, until it has answered.
  const int status = co_await answer;
  if (status != UV_ENOTCONN && status != UV_ECANCELED) require(status, "end the connection");
}

class UvListener final : public ListenerTransport {
 public:
  UvListener(SocketOwner socket, Endpoint local)
      : socket_(std::move(socket)), local_(std::move(local)), arrived_(socket_.loop().owner) {
    socket_->handle()->data = this;
    const auto connected = [](uv_stream_t* stream, int status) {
      UvListener& listener = *static_cast<UvListener*>(stream->data);
      if (status == 0) listener.arrived_.set();
    };
    require(uv_listen(socket_->stream(), listen_backlog, connected), "listen on " + local_.text());
  }

  Task<Stream> accept() override {
    while (true) {
      co_await arrived_;
      arrived_.clear();  // libuv tells of the next one when this one was taken.
      SocketOwner peer(socket_.loop(), make_socket(socket_.loop(), socket_->kind));
      const int result = uv_accept(socket_->stream(), peer->stream());
      if (result == 0) co_return Stream(std::make_unique<UvTransport>(std::move(peer)));
    }
  }

  Endpoint local() const override { return local_; }

 private:
  SocketOwner socket_;
  Endpoint local_;
  Event arrived_;
};

// The addresses that a name stands for now. Owned by the awaiting task.
class Addresses {
 public:
  explicit Addresses(addrinfo* first) : first_(first) {}
  Addresses(Addresses&& other) noexcept : first_(std::exchange(other.first_, nullptr)) {}
  Addresses& operator=(Addresses&&) = delete;
  ~Addresses() { uv_freeaddrinfo(first_); }
  const addrinfo* first() const { return first_; }

 private:
  addrinfo* first_;
};

struct PendingLookup {
  explicit PendingLookup(Loop& loop) : answer(loop) { request.data = this; }

  static void answered(uv_getaddrinfo_t* request, int status, addrinfo* found) {
    const std::unique_ptr<PendingLookup> pending(static_cast<PendingLookup*>(request->data));
    pending->answer.set(status, Addresses(found));
  }

  uv_getaddrinfo_t request{};
  Promise<std::pair<int, Addresses>> answer;
};

Task<Addresses> look_up(UvLoop::Impl* loop, Endpoint endpoint) {
  auto pending = std::make_unique<PendingLookup>(loop->owner);
  Future<std::pair<int, Addresses>> answer = pending->answer.future();
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  const std::string port = std::to_string(endpoint.port);
  const int begun = uv_getaddrinfo(&loop->uv, &pending->request, &PendingLookup::answered,
                                   endpoint.host.c_str(), port.c_str(), &hints);
  require(begun, "look up " + endpoint.host);
  (void)pending.release();  // libuv's, until it has answered.
  std::pair<int, Addresses> found = co_await answer;
  require(found.first, "look up " + endpoint.host);
  co_return std::move(found.second);
}

Task<Stream> connect_tcp(UvLoop::Impl* loop, const addrinfo* addresses, std::string name) {
  int failure = UV_EAI_NONAME;
  for (const addrinfo* address = addresses; address != nullptr; address = address->ai_next) {
    SocketOwner socket(*loop, make_socket(*loop, Endpoint::Kind::tcp));
    using Connect = Pending<uv_connect_t>;
    auto pending = std::make_unique<Connect>(loop->owner);
    Future<int> answer = pending->answer.future();
    failure =
        uv_tcp_connect(&pending->request, &socket->uv.tcp, address->ai_addr, &Connect::answered);
    if (failure < 0) continue;
    (void)pending.release();  // libuv's, until it has answered.
    failure = co_await answer;
    if (failure == 0) co_return Stream(std::make_unique<UvTransport>(std::move(socket)));
  }
  throw IoError(failure, "connect to " + name);
}

Task<Stream> connect_unix(UvLoop::Impl* loop, Endpoint endpoint) {
  SocketOwner socket(*loop, make_socket(*loop, Endpoint::Kind::unix_socket));
  using Connect = Pending<uv_connect_t>;
  auto pending = std::make_unique<Connect>(loop->owner);
  Future<int> answer = pending->answer.future();
  uv_pipe_connect(&pending->request, &socket->uv.pipe, endpoint.host.c_str(), &Connect::answered);
  (void)pending.release();  // libuv's, until it has answered.
  const int status = co_await answer;
  require(status, "connect to " + endpoint.text());
  co_return Stream(std::make_unique<UvTransport>(std::move(socket)));
}

// Listening happens once, at start, so that its name may be looked up while everything waits.
sockaddr_storage address_to_listen_on(UvLoop::Impl& loop, const Endpoint& endpoint) {
  uv_getaddrinfo_t request{};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  const std::string port = std::to_string(endpoint.port);
  require(uv_getaddrinfo(&loop.uv, &request, nullptr, endpoint.host.c_str(), port.c_str(), &hints),
          "look up " + endpoint.host);
  const Addresses found(request.addrinfo);
  sockaddr_storage address{};
  std::memcpy(&address, found.first()->ai_addr, found.first()->ai_addrlen);
  return address;
}

Endpoint bind_tcp(UvLoop::Impl& loop, Socket& socket, const Endpoint& endpoint) {
  const sockaddr_storage address = address_to_listen_on(loop, endpoint);
  const std::string what_is_tried = "listen on " + endpoint.text();
  require(uv_tcp_bind(&socket.uv.tcp, reinterpret_cast<const sockaddr*>(&address), 0),
          what_is_tried);
  sockaddr_storage taken{};
  int size = sizeof taken;
  require(uv_tcp_getsockname(&socket.uv.tcp, reinterpret_cast<sockaddr*>(&taken), &size),
          what_is_tried);
  return endpoint_of(taken);
}

}  // namespace

Task<Stream> UvLoop::connect(Endpoint endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    co_return co_await connect_unix(impl_.get(), std::move(endpoint));
  }
  std::string name = endpoint.text();
  const Addresses addresses = co_await look_up(impl_.get(), std::move(endpoint));
  co_return co_await connect_tcp(impl_.get(), addresses.first(), std::move(name));
}

Listener UvLoop::listen(const Endpoint& endpoint) {
  SocketOwner socket(*impl_, make_socket(*impl_, endpoint.kind));
  Endpoint local = endpoint;
  if (endpoint.kind == Endpoint::Kind::tcp) {
    local = bind_tcp(*impl_, *socket.operator->(), endpoint);
  } else {
    require(uv_pipe_bind(&socket->uv.pipe, endpoint.host.c_str()), "listen on " + endpoint.text());
  }
  return Listener(std::make_unique<UvListener>(std::move(socket), std::move(local)));
}

}  // namespace async
