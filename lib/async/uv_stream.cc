// Streams on libuv's TCP and pipe handles.

#include <array>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <utility>

#include "async/stream.h"
#include "async/uv_socket.h"

namespace async {

namespace {

class WriteAwaiter;

// A write that libuv has taken over. It owns its bytes, so whoever waits for it may go away.
struct PendingWrite : Pooled {
  uv_write_t request{};
  std::string bytes;
  WriteAwaiter* awaiter = nullptr;  // Null: nobody waits any more.
};

class WriteAwaiter {
 public:
  WriteAwaiter(uv_stream_t* stream, std::string bytes, std::size_t written)
      : stream_(stream), bytes_(std::move(bytes)), written_(written) {}
  WriteAwaiter(const WriteAwaiter&) = delete;
  WriteAwaiter& operator=(const WriteAwaiter&) = delete;
  ~WriteAwaiter() {
    if (pending_ != nullptr) pending_->awaiter = nullptr;
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiter) {
    auto pending = std::make_unique<PendingWrite>();
    pending->bytes = std::move(bytes_);
    pending->request.data = pending.get();
    const auto size = static_cast<unsigned>(pending->bytes.size() - written_);
    const uv_buf_t buffer = uv_buf_init(pending->bytes.data() + written_, size);
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
    detail::resume(awaiter->waiter_);
  }

  uv_stream_t* stream_;
  std::string bytes_;
  std::size_t written_;
  std::coroutine_handle<> waiter_;
  PendingWrite* pending_ = nullptr;
  int result_ = 0;
};

// libuv reads into the loop's one buffer, and the waiting reader goes on within that callback: so
// an idle connection owns no buffer. Bytes that nobody waits for are kept, and reading stops: that
// is the back-pressure.
class UvTransport final : public StreamTransport {
 public:
  explicit UvTransport(SocketOwner socket)
      : StreamTransport(socket.loop().owner), socket_(std::move(socket)) {
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
      give_end(reader);
      return true;
    }
    start_reading();
    reader_ = &reader;
    return false;
  }

  // Reading itself goes on: the next reader is likely to come before the next bytes.
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
    const std::size_t written = try_write(bytes_of(bytes));
    if (written == bytes.size()) co_return;
    WriteAwaiter awaiter(socket_->stream(), std::move(bytes), written);
    co_await awaiter;  // This may be gone when it is done.
  }

  Task<> shutdown() override {
    using Shutdown = Pending<uv_shutdown_t>;
    auto pending = std::make_unique<Shutdown>(loop());
    Future<int> answer = pending->answer.future();
    const int begun = uv_shutdown(&pending->request, socket_->stream(), &Shutdown::answered);
    if (begun == UV_ENOTCONN) co_return;  // It has ended already.
    require(begun, "end the connection");
    (void)pending.release();  // libuv's, until it has answered.
    const int status = co_await answer;
    if (status != UV_ENOTCONN) require(status, "end the connection");
  }

  std::string peer() const override {
    if (socket_->kind == Endpoint::Kind::unix_socket) return unix_peer();
    sockaddr_storage address{};
    int size = sizeof address;
    const int result =
        uv_tcp_getpeername(&socket_->uv.tcp, reinterpret_cast<sockaddr*>(&address), &size);
    return result < 0 ? "closed" : endpoint_of(address).text();
  }

 private:
  // Those who connect have no address. The descriptor tells one open connection from the others.
  std::string unix_peer() const {
    uv_os_fd_t descriptor = -1;
    if (uv_fileno(socket_->handle(), &descriptor) != 0) return "closed";
    return "unix#" + std::to_string(descriptor);
  }
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
      give_end(reader);
    } else {
      reader.bytes = bytes_of({bytes, static_cast<std::size_t>(size)});
    }
    detail::resume(reader.ready.handle);
  }

  void give_end(StreamReader& reader) const {
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

// A peer that vanished without a word (a power cut, a cable) is known to be gone within a minute,
// also when nothing is said any more. What the system does not grant is no reason to refuse.
void keep_alive(SocketOwner& socket) {
  constexpr int silence_s = 30;
  constexpr int again_s = 5;
  constexpr int tries = 4;
  uv_os_fd_t descriptor = -1;
  if (uv_fileno(socket->handle(), &descriptor) != 0) return;
  const auto set = [&](int level, int option, int value) {
    ::setsockopt(descriptor, level, option, &value, sizeof value);
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, silence_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, again_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, tries);
}

std::unique_ptr<Socket> open_socket(UvLoop::Impl& loop, Endpoint::Kind kind) {
  auto socket = std::make_unique<Socket>(kind);
  if (kind == Endpoint::Kind::tcp) {
    require(uv_tcp_init(&loop.uv, &socket->uv.tcp), "make a socket");
  } else {
    require(uv_pipe_init(&loop.uv, &socket->uv.pipe, 0), "make a socket");
  }
  ++loop.open_handles;
  return socket;
}

}  // namespace

SocketOwner::SocketOwner(UvLoop::Impl& loop, Endpoint::Kind kind)
    : loop_(&loop), socket_(open_socket(loop, kind)) {}

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

Stream make_stream(SocketOwner socket) {
  if (socket->kind == Endpoint::Kind::tcp) keep_alive(socket);
  return Stream(std::make_unique<UvTransport>(std::move(socket)));
}

}  // namespace async
