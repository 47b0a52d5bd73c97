// Server: takes connections in, hands each request to the method that it names, and sends the
// replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "async/loop.h"
#include "async/stream.h"
#include "async/task.h"
#include "async/time.h"
#include "rpc/call.h"
#include "rpc/context.h"
#include "rpc/frame.h"
#include "rpc/health.h"
#include "rpc/method.h"
#include "rpc/status.h"

namespace rpc {

// What proto/FRAMING.md names under "Limits".
struct ServerLimits {
  std::size_t connections_max = 16'384;
  std::size_t request_body_size_max = frame_body_size_max;
  std::size_t calls_in_flight_per_connection_max = 256;
  std::size_t calls_in_flight_max = 65'536;
  std::size_t reply_queue_bytes_max = 4 * 1024 * 1024;
  async::Duration frame_time_max = std::chrono::seconds(5);
  async::Duration unread_time_max = std::chrono::seconds(10);
  async::Duration drain_unread_time_max = std::chrono::seconds(1);
  async::Duration call_time_default = std::chrono::seconds(30);
};
static_assert(ServerLimits{}.reply_queue_bytes_max >= 4 * (frame_header_size + frame_body_size_max),
              "A slow reader must be able to hold a few of the largest replies before we stop "
              "reading from it.");

// A call that ended, as a log or a metric wants to know it. The views are valid during the
// observer's call.
struct CallRecord {
  std::string_view method;  // Empty: the request could not be read.
  std::uint64_t request_id = 0;
  std::string_view peer;
  StatusCode code = StatusCode::ok;
  std::string_view message;  // The status's.
  std::string_view error;  // What the handler threw, for the log only; empty when it threw nothing
                           // or an rpc::Error.
  async::Duration took{};
  Trace trace;
};

// Told what happens at a server's edge: the one place where a failed request is logged. Outlives
// the server; loop thread only.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  // Once for every call, when its answer is decided.
  virtual void call_ended(const CallRecord&) {}
  // A handler threw something that is not an rpc::Error, also when nobody waits for it any more.
  virtual void handler_failed(const CallRecord&) {}
  virtual void connection_opened(std::string_view /*peer*/) {}
  // `why` is a sentence; empty when the caller simply left.
  virtual void connection_closed(std::string_view /*peer*/, std::string_view /*why*/) {}
  // Accepting failed (too many open files): tried again shortly.
  virtual void accept_failed(std::string_view /*error*/) {}
};

namespace detail {

template <typename HandlerType>
struct HandlerTraits;  // A handler is one of the shapes below.

template <typename ServiceType, typename RequestType, typename ResponseType, bool is_stream,
          bool is_filler = false>
struct HandlerShape {
  using Service = ServiceType;
  using Request = std::remove_cvref_t<RequestType>;
  using Response = ResponseType;
  static constexpr bool streams = is_stream;
  static constexpr bool fills = is_filler;
  static constexpr bool takes_reference = std::is_reference_v<RequestType>;
  static_assert(!takes_reference || std::is_const_v<std::remove_reference_t<RequestType>>,
                "A handler takes its request by value or by const reference.");
};
template <typename Service, typename Request, typename Response>
struct HandlerTraits<async::Task<Response> (Service::*)(Request, Context)>
    : HandlerShape<Service, Request, Response, false> {};
template <typename Service, typename Request, typename Response>
struct HandlerTraits<async::Task<> (Service::*)(Request, Context, Writer<Response>)>
    : HandlerShape<Service, Request, Response, true> {};

template <typename Service, typename Request, typename Response>
struct HandlerTraits<async::Task<> (Service::*)(Request, Context, Answer<Response>)>
    : HandlerShape<Service, Request, Response, false, true> {};

// The one coroutine per request around the handler's.
template <auto handler>
async::Task<> run_handler(Call* call) {
  using Traits = HandlerTraits<decltype(handler)>;
  using Request = typename Traits::Request;
  using Argument = std::conditional_t<Traits::takes_reference, const Request&, Request&&>;
  auto& service = *static_cast<typename Traits::Service*>(call->service());
  try {
    auto& request = static_cast<Request&>(call->request());
    if constexpr (Traits::streams) {
      Writer<typename Traits::Response> writer(*call);
      async::Task<> work =
          (service.*handler)(static_cast<Argument>(request), call->context(), writer);
      co_await work;
      call->end_stream();
    } else if constexpr (Traits::fills) {
      Answer<typename Traits::Response> answer(*call);
      async::Task<> work =
          (service.*handler)(static_cast<Argument>(request), call->context(), answer);
      co_await work;
      call->reply(*answer);
    } else {
      async::Task<typename Traits::Response> work =
          (service.*handler)(static_cast<Argument>(request), call->context());
      const typename Traits::Response response = co_await work;
      call->reply(response);
    }
  } catch (...) {
    call->fail(std::current_exception());
  }
  call->ended();
}

class ServerCore;

}  // namespace detail

// Owned by main or a test; loop thread only. Services and observer outlive it.
//
// A unary handler runs to its end whatever becomes of its caller (rule 25); until then it counts as
// in flight. A streaming handler is destroyed where it waits when its caller goes, so it must not
// change money. Destroying the server cancels both.
class Server {
 public:
  Server(async::Loop& loop, const ServerLimits& limits, ServerObserver& observer);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  // server.handle<&BankService::hold>("bank.v1.BankService/Hold", bank). The handler is one of
  //
  //   Task<HoldResponse> hold(HoldRequest request, Context context);
  //   Task<HoldResponse> hold(const HoldRequest& request, Context context);
  //   Task<> hold(const HoldRequest& request, Context context, Answer<HoldResponse> answer);
  //   Task<> watch(WatchRequest request, Context context, Writer<WatchResponse> writer);
  //
  // A reference lives as long as the call, or until Context::request_is_read(). Its memory and the
  // Answer's are used again, which suits hot methods.
  //
  // Throws std::logic_error when the .proto files say otherwise. Before the first serve().
  template <auto handler, typename Service>
  void handle(std::string_view method, Service& service) {
    using Traits = detail::HandlerTraits<decltype(handler)>;
    using Owner = typename Traits::Service;
    add(method, Traits::Request::default_instance(), Traits::Response::default_instance(),
        Traits::streams, static_cast<Owner*>(&service), &detail::run_handler<handler>);
  }

  // Takes in what connects, until drain(). May be called for several listeners.
  void serve(async::Listener listener);
  // Serves one connection that was made elsewhere.
  void serve(async::Stream connection);

  // Every method's service and "" begin as SERVING.
  Health& health() noexcept;

  // Ends well: health says NOT_SERVING, no connection and no call is taken any more, streams end
  // with UNAVAILABLE, what is in flight is finished and its replies are sent, to whoever reads
  // them. At `deadline` what is left is cut. Once.
  async::Task<> drain(async::Deadline deadline);

  std::size_t connection_count() const noexcept;
  // Those whose caller is gone but whose work is not done, too.
  std::size_t calls_in_flight() const noexcept;

 private:
  void add(std::string_view method, const google::protobuf::Message& prototype,
           const google::protobuf::Message& response, bool streams, void* service,
           async::Task<> (*run)(detail::Call* call));

  std::unique_ptr<detail::ServerCore> core_;
};

}  // namespace rpc
