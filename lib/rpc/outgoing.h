// What a client keeps about a call it makes: one awaited response, or a stream of them.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <google/protobuf/message.h>

#include "async/loop.h"
#include "rpc/context.h"
#include "rpc/status.h"

namespace rpc::detail {

class Outgoing;
struct ResponseView;

// Takes calls on: a client's queue, or one connection of it. Outlives the calls.
class Route {
 public:
  virtual void begin(Outgoing& call) = 0;
  // The caller no longer waits. Never calls the call back.
  virtual void forget(Outgoing& call) noexcept = 0;
  // The stream's queue has room again.
  virtual void resume_reading(Outgoing& call) noexcept = 0;
  // A call has left: another may go.
  virtual void room() noexcept = 0;
  // Why calls wait for a connection: the last failure, or nothing.
  virtual std::string_view why_waiting() const noexcept = 0;
  virtual async::Loop& loop() noexcept = 0;
  virtual std::size_t stream_queue_bytes_max() const noexcept = 0;

 protected:
  ~Route() = default;
};

// A call on its way: waiting to be sent, then waiting for its answer, then done.
//
// Invariant: `id` is not 0 exactly while it is sent and not answered; it is linked exactly while it
// waits to be sent.
class Outgoing : protected async::Timer, public async::detail::Link {
 public:
  Outgoing(detail::Route& route, std::string_view called, const google::protobuf::Message& message,
           Context made_in)
      : method(called), request(message), context(std::move(made_in)), route_(route) {}
  ~Outgoing() override { forget(); }

  std::string_view method;
  const google::protobuf::Message& request;
  Context context;
  std::uint64_t id = 0;
  Outgoing* next_in_bucket = nullptr;

  // A response to it. False: nothing more should be read for now.
  virtual bool take(const ResponseView& response) = 0;
  // The end without a response. At most once, and nothing after it.
  virtual void end(Status status) = 0;

 protected:
  void begin();
  void forget() noexcept;
  bool has_begun() const noexcept { return begun_; }
  detail::Route& route() noexcept { return route_; }
  void ended() noexcept {
    cancel();
    begun_ = false;
  }

 private:
  void fired() override;

  detail::Route& route_;
  bool begun_ = false;
};

// One response. co_await returns the status; the response is filled when it is OK.
class OutgoingCall final : Outgoing {
 public:
  OutgoingCall(detail::Route& route, std::string_view called,
               const google::protobuf::Message& message, google::protobuf::Message& response,
               Context made_in)
      : Outgoing(route, called, message, std::move(made_in)), response_(response) {}

  bool await_ready() {
    begin();
    return done_;
  }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { ready_.handle = waiter; }
  Status await_resume() noexcept { return std::move(status_); }

 private:
  bool take(const ResponseView& response) override;
  void end(Status status) override { finish(std::move(status)); }
  void finish(Status status);

  google::protobuf::Message& response_;
  async::Ready ready_;
  Status status_;
  bool done_ = false;
};

// Holds the request of a stream, so that it exists before the call that refers to it.
struct StreamRequest {
  std::string name;
  std::unique_ptr<google::protobuf::Message> message;
};

// Many responses. The bodies that arrived and were not read yet wait here.
class OutgoingStream final : StreamRequest, Outgoing {
 public:
  OutgoingStream(detail::Route& route, std::string called,
                 std::unique_ptr<google::protobuf::Message> asked, Context made_in);

  class Next {
   public:
    Next(OutgoingStream& stream, google::protobuf::Message& response)
        : stream_(stream), response_(response) {}
    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      ready_.handle = waiter;
      stream_.reader_ = &ready_;
    }
    bool await_resume();
    Next(const Next&) = delete;
    Next& operator=(const Next&) = delete;
    ~Next() {
      if (stream_.reader_ == &ready_) stream_.reader_ = nullptr;
    }

   private:
    OutgoingStream& stream_;
    google::protobuf::Message& response_;
    async::Ready ready_;
  };
  // Fills `response` and returns true; false after the last. Throws Error. `response` outlives the
  // await.
  Next next(google::protobuf::Message& response) { return Next(*this, response); }
  bool is_full() noexcept;

 private:
  bool take(const ResponseView& response) override;
  void end(Status status) override;
  void wake() noexcept;

  std::deque<std::string> bodies_;
  std::size_t queued_bytes_ = 0;
  std::optional<Status> end_;
  async::Ready* reader_ = nullptr;
  bool started_ = false;
};

}  // namespace rpc::detail
