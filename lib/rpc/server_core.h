// ServerCore: what a server's connections and calls share.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "rpc/connection.h"
#include "rpc/health.h"
#include "rpc/outbox.h"
#include "rpc/reflection.h"
#include "rpc/server.h"

namespace rpc::detail {

// Owned by its Server; loop thread only. Nothing is destroyed but at a turn's end, when no
// coroutine runs.
//
// Invariant: connections_ are those that are open or have a call in flight.
class ServerCore final : async::TurnEnd {
 public:
  ServerCore(async::Loop& on, const ServerLimits& limited_to, ServerObserver& observed_by);
  ~ServerCore();

  void add(Handler handler);
  Handler* find(std::string_view method) noexcept;

  void serve(async::Listener listener);
  void serve(async::Stream stream);
  async::Task<> drain(async::Deadline deadline);

  // For connections and calls.
  void close_soon(Connection& connection);
  void call_began() noexcept { ++calls_in_flight_; }
  void call_ended(Call& call) noexcept;
  void wrote() noexcept { quieter_.set(); }
  // A message of a call that ended, or a new one; and back, after a call whose message had `size`
  // bytes.
  using Spares = std::vector<std::unique_ptr<google::protobuf::Message>>;
  static std::unique_ptr<google::protobuf::Message> take(
      Spares& spares, const google::protobuf::Message& prototype);
  static void keep(Spares& spares, std::unique_ptr<google::protobuf::Message> message,
                   std::size_t size) noexcept;

  bool is_draining() const noexcept { return draining_; }
  std::size_t calls_in_flight() const noexcept { return calls_in_flight_; }
  std::size_t open_connections() const noexcept { return open_count_; }

  async::Loop& loop;
  const ServerLimits limits;
  ServerObserver& observer;
  BufferPool buffers;
  Health health;
  Reflection reflection;

 private:
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  void turn_ended() override;
  void destroy_ended_calls();
  void forget_if_done(Connection& connection) noexcept;
  void turn_away(async::Stream stream);
  void arm() noexcept;
  async::Task<> accept_from(async::Listener listener);
  async::Task<> until_quiet();
  bool is_quiet() const noexcept;

  std::unordered_map<std::string, Handler, NameHash, std::equal_to<>> handlers_;
  std::vector<Connection*> connections_;
  std::vector<Connection*> closing_;
  async::detail::Link ended_calls_;
  std::size_t open_count_ = 0;
  std::size_t calls_in_flight_ = 0;
  bool draining_ = false;
  async::Event quieter_;  // Something ended or left: whoever drains looks again.
  async::TaskScope listeners_;
};

}  // namespace rpc::detail
