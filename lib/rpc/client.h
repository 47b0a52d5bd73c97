// Client: makes calls on a server, many at a time, over one connection that it makes again when it
// breaks.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/endpoint.h"
#include "async/loop.h"
#include "async/random.h"
#include "async/stream.h"
#include "async/task.h"
#include "async/time.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/outgoing.h"
#include "rpc/status.h"

namespace rpc {

namespace detail {
class ClientCore;
}

template <MessageType Response>
class Responses;

// Something that makes calls: a Client, or its fresh connection during sign-on. Loop thread only.
class Channel {
 public:
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // The response, or how the call ended without one. Three outcomes: an OK response; a sure no
  // (`outcome()` is no, and always when `never_sent`); unknown. A response whose `outcome` is not
  // set, or set to what this program does not know, is no response but unknown (`bad_answer`), so
  // whoever has one may read "no refusal" as a yes. Ends at the context's deadline at the latest. Destroying the task ends the wait, not the server's work.
  template <MessageType Request, MessageType Response>
  async::Task<Reply<Response>> try_call(const Method<Request, Response>& method, Request request,
                                        Context context);

  // The same where anything but a response is an exception: throws Error.
  template <MessageType Request, MessageType Response>
  async::Task<Response> call(const Method<Request, Response>& method, Request request,
                             Context context);

  // A stream of responses; it begins with the first next(). One that is not read holds up the whole
  // connection (that is its back-pressure), so what is read slowly gets a client of its own.
  template <MessageType Request, MessageType Response>
  Responses<Response> stream(const StreamMethod<Request, Response>& method, Request request,
                             Context context);

  // For messages whose types are known at run time only. `request` and `response` outlive the
  // await.
  detail::OutgoingCall exchange(std::string_view method, const google::protobuf::Message& request,
                                google::protobuf::Message& response, Context context) {
    return detail::OutgoingCall(*route_, method, request, response, std::move(context));
  }
  std::unique_ptr<detail::OutgoingStream> exchange_stream(
      std::string method, std::unique_ptr<google::protobuf::Message> request, Context context) {
    return std::make_unique<detail::OutgoingStream>(*route_, std::move(method), std::move(request),
                                                    std::move(context));
  }

 protected:
  explicit Channel(detail::Route& route) : route_(&route) {}
  ~Channel() = default;

 private:
  detail::Route* route_;
};

// What a client does around its connections. Outlives the client; loop thread only.
class ConnectionObserver {
 public:
  virtual ~ConnectionObserver() = default;
  // A connection was made. It carries other calls when this is done: the place to sign on, with
  // calls on `fresh`. When it throws, the connection is dropped and tried again later.
  virtual async::Task<> on_connected(Channel& fresh);
  // It ended, or could not be made; `why` says so in a sentence.
  virtual void on_disconnected(const Status& /*why*/) {}
};

struct ClientLimits {
  std::size_t calls_in_flight_max = 256;  // The default of servers. More wait for their turn.
  std::size_t stream_queue_bytes_max = 1024 * 1024;
  async::Duration connect_time_max =
      std::chrono::seconds(5);  // For one endpoint, its look-up included.
  async::Duration sign_on_time_max = std::chrono::seconds(10);
  async::Duration back_off_first = std::chrono::milliseconds(50);
  async::Duration back_off_max = std::chrono::seconds(5);
  // A connection on which calls wait and nothing came for so long is asked for a sign of life, and
  // given up after as long again.
  async::Duration silence_max = std::chrono::seconds(5);
};

struct ClientOptions {
  // Tried in turn, each name looked up anew. At least one.
  std::vector<async::Endpoint> endpoints;
  ClientLimits limits = {};
  // True: while the last attempt to connect has failed, calls end at once with UNAVAILABLE. False:
  // they wait for a connection until their deadline.
  bool fail_fast = false;
  ConnectionObserver* observer = nullptr;
  // How to connect; the loop's own way when empty.
  std::function<async::Task<async::Stream>(async::Endpoint)> connect = {};
};

// Connects at the first call, or at connect(); when the connection breaks it is made again, backing
// off with jitter. Calls in flight then end UNAVAILABLE and unknown: nothing is ever sent twice by
// itself. Owned by whoever calls, destroyed before the loop; no call outlives it. Loop thread only.
class Client final : public Channel {
 public:
  // `random` outlives the client.
  Client(async::Loop& loop, ClientOptions options, async::Random& random);
  ~Client();

  // Begins to connect, without waiting.
  void connect();
  // Done when the connection is there and signed on; false when the deadline came first.
  async::Task<bool> connected(async::Deadline deadline);
  bool is_connected() const noexcept;
  std::size_t calls_in_flight() const noexcept;

 private:
  explicit Client(std::unique_ptr<detail::ClientCore> core);

  std::unique_ptr<detail::ClientCore> core_;
};

// A stream of responses being read. Move-only; destroying it tells the server that nobody reads on.
template <MessageType Response>
class Responses {
 public:
  // The next response; nothing after the last. Throws Error when the stream ended otherwise than
  // OK. One task at a time.
  async::Task<std::optional<Response>> next() { return next_of(stream_.get()); }

 private:
  friend class Channel;
  explicit Responses(std::unique_ptr<detail::OutgoingStream> stream) : stream_(std::move(stream)) {}

  static async::Task<std::optional<Response>> next_of(detail::OutgoingStream* stream) {
    Response response;
    const bool more = co_await stream->next(response);
    if (!more) co_return std::nullopt;
    co_return std::move(response);
  }

  std::unique_ptr<detail::OutgoingStream> stream_;
};

template <MessageType Request, MessageType Response>
async::Task<Reply<Response>> Channel::try_call(const Method<Request, Response>& method,
                                               Request request, Context context) {
  method.check();
  Response response;
  detail::OutgoingCall call = exchange(method.name(), request, response, std::move(context));
  Status status = co_await call;
  if (!status.is_ok()) co_return std::unexpected(std::move(status));
  co_return std::move(response);
}

template <MessageType Request, MessageType Response>
async::Task<Response> Channel::call(const Method<Request, Response>& method, Request request,
                                    Context context) {
  method.check();
  Response response;
  detail::OutgoingCall call = exchange(method.name(), request, response, std::move(context));
  Status status = co_await call;
  if (!status.is_ok()) throw Error(std::move(status));
  co_return std::move(response);
}

template <MessageType Request, MessageType Response>
Responses<Response> Channel::stream(const StreamMethod<Request, Response>& method, Request request,
                                    Context context) {
  method.check();
  auto owned = std::make_unique<Request>(std::move(request));
  return Responses<Response>(
      exchange_stream(std::string(method.name()), std::move(owned), std::move(context)));
}

}  // namespace rpc
