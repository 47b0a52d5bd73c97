// A socket of libuv, and who must close it. Not for others.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <uv.h>

#include "async/endpoint.h"
#include "async/future.h"
#include "async/stream.h"
#include "async/uv_impl.h"

namespace async {

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

// Owns a socket: closes it, and libuv destroys it when it has let go of it.
class SocketOwner {
 public:
  // Throws IoError.
  SocketOwner(UvLoop::Impl& loop, Endpoint::Kind kind);
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

// A request that libuv has taken over. It lives until libuv has answered, so that the answer finds
// it whether or not somebody still waits.
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

Endpoint endpoint_of(const sockaddr_storage& address);

Stream make_stream(SocketOwner socket);

// What connect() does with the addresses of a name: tries them in their order, the next one beside
// those that have not answered for a while, and takes the first that does. Throws the last IoError.
Task<Stream> connect_to_any(UvLoop& loop, std::vector<Endpoint> addresses);

}  // namespace async
