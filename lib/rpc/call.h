// What a server and its handlers share about one call: the request, where its replies go, and the
// Writer of a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "async/frame_pool.h"
#include "async/loop.h"
#include "async/task.h"
#include "rpc/context.h"
#include "rpc/method.h"
#include "rpc/status.h"

namespace rpc {

struct CallRecord;

namespace detail {

class Call;
class Connection;

// A method that a server has, and the service behind it.
struct Handler {
  std::string name;
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  void* service = nullptr;
  async::Task<> (*run)(Call* call) = nullptr;
  const google::protobuf::Message* prototype = nullptr;
  const google::protobuf::Message* response_prototype = nullptr;
  // Messages of calls that ended: the next ones use the same memory.
  std::vector<std::unique_ptr<google::protobuf::Message>> spare_requests = {};
  std::vector<std::unique_ptr<google::protobuf::Message>> spare_responses = {};
};

// One call being served. Owned by its connection while its handler runs, and kept as long as a
// Context refers to it.
//
// Invariant: at most one final response is sent, and none once the wait has ended (`gone`).
class Call final : public Caller, public async::Pooled, public async::detail::Link {
 public:
  Call(Connection& connection, Handler& handler, std::uint64_t id, async::Deadline deadline,
       Trace trace, std::unique_ptr<google::protobuf::Message> request, std::size_t request_size);
  ~Call();

  // For Handler::run.
  void* service() const noexcept { return handler_.service; }
  google::protobuf::Message& request() noexcept { return *request_; }
  // From the first time that it is asked for, as an earlier call left it.
  google::protobuf::Message& response();
  Context context() { return Context(deadline_, trace_, *this); }
  void reply(const google::protobuf::Message& response);
  void write(const google::protobuf::Message& response);
  void end_stream();
  void fail(const std::exception_ptr& error);
  // The last thing that it does.
  void ended();

  // For Writer.
  bool can_write() const noexcept;
  void await_writable(async::Ready& ready) noexcept;
  void went_on() noexcept;

  // For the connection. True: the handler waits for something.
  bool start();
  // With no coroutine running.
  void destroy_work() noexcept;
  bool streams() const noexcept { return handler_.descriptor->server_streaming(); }
  // Nobody waits any more. What runs goes on, but for a stream, which ends with this turn.
  void abandon(const Status& status);
  // Answers instead of the handler, and abandons it.
  void answer_instead(const Status& status);
  // Until when the caller waits; never when it no longer does.
  async::Instant waits_until() const noexcept {
    return answered_ ? async::Instant::max() : deadline_.when();
  }

  Connection& connection() noexcept { return connection_; }
  std::string_view peer() const noexcept override;
  void request_is_read() noexcept override;

 private:
  void last_reference_dropped() noexcept override { delete this; }
  void answer(const Status& status);
  void record(const Status& status, std::string_view error);
  void response_is_written() noexcept;
  CallRecord describe(const Status& status, std::string_view error) const;

  Connection& connection_;
  Handler& handler_;
  async::Deadline deadline_;
  Trace trace_;
  async::Instant began_;
  std::unique_ptr<google::protobuf::Message> request_;
  std::size_t request_size_;
  std::unique_ptr<google::protobuf::Message> response_;
  std::optional<async::Task<>> work_;
  bool starting_ = false;
  bool answered_ = false;
  bool ended_ = false;
};

// Waits until a connection takes more of a stream.
class WriteAwaiter {
 public:
  explicit WriteAwaiter(Call& call) : call_(call) {}
  bool await_ready() const noexcept { return call_.can_write(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    ready_.handle = waiter;
    call_.await_writable(ready_);
  }
  // The next in the queue comes next, if there is still room.
  void await_resume() const noexcept { call_.went_on(); }

 private:
  Call& call_;
  async::Ready ready_;
};

}  // namespace detail

// Where a unary handler that many calls wait in puts its response. Valid while that handler runs, and used by it alone; loop thread
// only.
template <MessageType Response>
class Answer {
 public:
  explicit Answer(detail::Call& call) : call_(&call) {}

  // As an earlier call left it: the handler sets every field, or clears it. So parts that come in every response are not made anew
  // for each. Its memory is taken when it is first asked for, and warm from the call that ended last.
  Response& operator*() const { return static_cast<Response&>(call_->response()); }
  Response* operator->() const { return &**this; }

 private:
  detail::Call* call_;
};

// Where a streaming handler puts its responses. Valid while that handler runs, and used by it
// alone; loop thread only.
template <MessageType Response>
class Writer {
 public:
  explicit Writer(detail::Call& call) : call_(&call) {}

  // co_await writer.write(response): the response is on its way when this returns, and the await is
  // the back-pressure: it goes on when the caller has read enough. Throws Error(RESOURCE_EXHAUSTED)
  // when the response does not fit into a frame.
  detail::WriteAwaiter write(const Response& response) {
    call_->write(response);
    return detail::WriteAwaiter(*call_);
  }

 private:
  detail::Call* call_;
};

}  // namespace rpc
