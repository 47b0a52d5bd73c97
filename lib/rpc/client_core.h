// ClientCore: keeps one connection, and the calls that wait for it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "async/future.h"
#include "async/loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "async/task.h"
#include "rpc/client.h"
#include "rpc/client_connection.h"
#include "rpc/outbox.h"

namespace rpc::detail {

// A wait that doubles with each failure, of which a random part is waited: clients that lost the
// same server do not come back together.
class BackOff {
 public:
  BackOff(async::Duration first, async::Duration max, async::Random& random)
      : first_(first), max_(max), next_(first), random_(random) {}
  void reset() noexcept { next_ = first_; }
  async::Duration next();

 private:
  async::Duration first_;
  async::Duration max_;
  async::Duration next_;
  async::Random& random_;
};

// Owned by its Client; loop thread only.
//
// Invariant: queue_ are the calls that wait to be sent; it is empty while the connection is there
// and has room.
class ClientCore final : public Route {
 public:
  ClientCore(async::Loop& loop, ClientOptions options, async::Random& random);
  ~ClientCore();

  void connect();
  async::Task<> until_connected();
  bool is_connected() const noexcept { return current_ != nullptr; }
  std::size_t calls_in_flight() const noexcept {
    return current_ == nullptr ? 0 : current_->calls_in_flight();
  }

  // Route.
  void begin(Outgoing& call) override;
  void forget(Outgoing& call) noexcept override;
  void resume_reading(Outgoing& call) noexcept override;
  void room() noexcept override;
  std::string_view why_waiting() const noexcept override { return last_failure_; }
  async::Loop& loop() noexcept override { return loop_; }
  std::size_t stream_queue_bytes_max() const noexcept override {
    return options_.limits.stream_queue_bytes_max;
  }

 private:
  async::Task<> keep_connected();
  async::Task<std::optional<async::Stream>> connect_to_any();
  async::Task<std::optional<async::Stream>> connect_to(async::Endpoint endpoint);
  async::Task<> use(async::Stream stream);
  async::Task<> sign_on(ClientConnection* connection);
  async::Task<async::Stream> open(async::Endpoint endpoint);
  void tell_disconnected(Status why);
  void end_queued(const Status& why) noexcept;

  async::Loop& loop_;
  const ClientOptions options_;
  async::Random& random_;
  BufferPool buffers_;
  BackOff back_off_;
  async::detail::Link queue_;
  ClientConnection* current_ = nullptr;  // Signed on.
  async::Event connected_;
  std::string connected_to_;  // The address of the newest connection.
  std::string last_failure_;
  bool started_ = false;
  bool is_down_ = false;  // The last attempt failed.
  async::TaskScope work_;
};

}  // namespace rpc::detail
