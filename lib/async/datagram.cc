#include "async/datagram.h"

#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>

#include "async/future.h"
#include "async/uv_socket.h"
#include "async/waiting_place.h"

namespace async {

namespace {

struct UdpHandle {
  uv_udp_t uv{};
  uv_handle_t* handle() { return reinterpret_cast<uv_handle_t*>(&uv); }
};

// A message that libuv has taken over. It owns its bytes, so whoever waits for it may go away.
struct PendingSend : Pending<uv_udp_send_t> {
  PendingSend(Loop& loop, std::string text) : Pending(loop), bytes(std::move(text)) {}

  static void sent(uv_udp_send_t* request, int status) {
    const std::unique_ptr<PendingSend> pending(
        static_cast<PendingSend*>(static_cast<Pending<uv_udp_send_t>*>(request->data)));
    pending->answer.set(status);
  }

  std::string bytes;
};

// Addresses only: looking a name up for each message would make them wait for one another.
sockaddr_storage numeric_address(const Endpoint& endpoint) {
  sockaddr_storage address{};
  sockaddr_in ipv4{};
  if (uv_ip4_addr(endpoint.host.c_str(), endpoint.port, &ipv4) == 0) {
    std::memcpy(&address, &ipv4, sizeof ipv4);
    return address;
  }
  sockaddr_in6 ipv6{};
  require(uv_ip6_addr(endpoint.host.c_str(), endpoint.port, &ipv6),
          "read the address " + endpoint.text());
  std::memcpy(&address, &ipv6, sizeof ipv6);
  return address;
}

}  // namespace

class DatagramSocket::Impl {
 public:
  Impl(UvLoop::Impl& loop, const Endpoint& local) : loop_(loop), receiver_(loop.owner) {
    auto udp = std::make_unique<UdpHandle>();
    require(uv_udp_init(&loop.uv, &udp->uv), "make a socket");
    udp_ = std::move(udp);
    ++loop.open_handles;
    udp_->uv.data = this;
    try {
      bind(local);
    } catch (...) {
      loop_.close(std::move(udp_));
      throw;
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { loop_.close(std::move(udp_)); }

  Task<> send(std::string bytes, Endpoint receiver) {
    const sockaddr_storage address = numeric_address(receiver);
    auto pending = std::make_unique<PendingSend>(loop_.owner, std::move(bytes));
    Future<int> answer = pending->answer.future();
    const auto size = static_cast<unsigned>(pending->bytes.size());
    const uv_buf_t buffer = uv_buf_init(pending->bytes.data(), size);
    const int begun = uv_udp_send(&pending->request, &udp_->uv, &buffer, 1,
                                  reinterpret_cast<const sockaddr*>(&address), &PendingSend::sent);
    require(begun, "send to " + receiver.text());
    (void)pending.release();  // libuv's, until it has answered.
    const int status = co_await answer;
    require(status, "send to " + receiver.text());
  }

  Task<Datagram> receive() {
    while (kept_.empty()) {
      require(std::exchange(failure_, 0), "receive");
      const bool is_there = co_await receiver_;
      if (!is_there) throw IoError(UV_ECANCELED, "receive");
    }
    Datagram first = std::move(kept_.front());
    kept_.pop_front();
    co_return first;
  }

  Endpoint local() const { return local_; }

 private:
  void bind(const Endpoint& wanted) {
    const sockaddr_storage address = numeric_address(wanted);
    const std::string what_is_tried = "take the address " + wanted.text();
    require(uv_udp_bind(&udp_->uv, reinterpret_cast<const sockaddr*>(&address), 0), what_is_tried);
    sockaddr_storage taken{};
    int size = sizeof taken;
    require(uv_udp_getsockname(&udp_->uv, reinterpret_cast<sockaddr*>(&taken), &size),
            what_is_tried);
    local_ = endpoint_of(taken);
    const auto lend = [](uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
      std::vector<char>& shared = static_cast<UvLoop::Impl*>(handle->loop->data)->read_buffer;
      *buffer = uv_buf_init(shared.data(), static_cast<unsigned>(shared.size()));
    };
    const auto received = [](uv_udp_t* udp, ssize_t size_or_error, const uv_buf_t* buffer,
                             const sockaddr* sender, unsigned) {
      static_cast<Impl*>(udp->data)->on_received(size_or_error, buffer->base, sender);
    };
    require(uv_udp_recv_start(&udp_->uv, lend, received), what_is_tried);
  }

  void on_received(ssize_t size, const char* bytes, const sockaddr* sender) {
    if (size < 0) {
      failure_ = static_cast<int>(size);
      return receiver_.wake();
    }
    if (sender == nullptr || kept_.size() == messages_kept_max) return;  // Nothing, or too much.
    sockaddr_storage address{};
    const std::size_t length =
        sender->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    std::memcpy(&address, sender, length);
    Datagram datagram{.bytes = std::string(bytes, static_cast<std::size_t>(size)),
                      .sender = endpoint_of(address)};
    kept_.push_back(std::move(datagram));
    receiver_.wake();
  }

  UvLoop::Impl& loop_;
  std::unique_ptr<UdpHandle> udp_;
  Endpoint local_;
  std::deque<Datagram> kept_;  // Received, in their order, and not taken yet.
  int failure_ = 0;
  WaitingPlace receiver_;
};

DatagramSocket::DatagramSocket(UvLoop& loop, const Endpoint& local)
    : impl_(std::make_unique<Impl>(loop.impl(), local)) {}
DatagramSocket::DatagramSocket(DatagramSocket&&) noexcept = default;
DatagramSocket& DatagramSocket::operator=(DatagramSocket&&) noexcept = default;
DatagramSocket::~DatagramSocket() = default;

Task<> DatagramSocket::send(std::string bytes, Endpoint receiver) {
  return impl_->send(std::move(bytes), std::move(receiver));
}
Task<Datagram> DatagramSocket::receive() { return impl_->receive(); }
Endpoint DatagramSocket::local() const { return impl_->local(); }

}  // namespace async
