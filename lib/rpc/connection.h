// Connection: one caller's connection at a server, from accepting it to closing it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/frame_pool.h"
#include "async/future.h"
#include "async/loop.h"
#include "async/stream.h"
#include "async/task.h"
#include "rpc/call.h"
#include "rpc/envelope.h"
#include "rpc/frame.h"
#include "rpc/outbox.h"

namespace rpc::detail {

class ServerCore;

// Holds the stream of a Connection, so that it exists before the outbox that writes to it.
struct ConnectionStream {
  async::Stream stream;
};

// Owned by the server while it is open or has calls in flight, and kept by each of its calls; loop
// thread only.
//
// One coroutine reads and starts the calls. Whatever goes wrong only marks the connection; the
// server closes it at the end of the turn, when no coroutine is running, so nothing is ever
// destroyed by what it runs in.
//
// Invariant: calls_ are those whose handler has not ended, answered or not.
class Connection final : ConnectionStream, public Outbox, async::Timer, public async::Pooled {
 public:
  Connection(ServerCore& core, async::Stream from);
  ~Connection() override;

  void start();
  // To be closed at the turn's end. `why` is a sentence; empty when the caller left.
  void close_soon(std::string_view why);
  // For the server, with no coroutine running.
  void close();
  void destroy_calls() noexcept;

  bool is_open() const noexcept { return stream.is_open(); }
  bool has_calls() const noexcept { return call_count_ > 0; }
  void end_streams(const Status& status);
  // The server drains: whoever reads nothing has less time.
  void hurry();

  // For calls.
  void respond(std::uint64_t id, const Status& status);
  bool respond(std::uint64_t id, const google::protobuf::Message& response, bool more);
  bool can_write() const noexcept;
  void await_writable(async::Ready& ready) noexcept { ready.insert_before(writers_); }
  void wake_writer() noexcept;
  void call_ended(Call& call) noexcept;

  ServerCore& core() noexcept { return *core_; }
  std::string_view peer() const noexcept { return peer_; }
  const std::string& why_closed() const noexcept { return why_closed_; }

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) delete this;
  }

  std::size_t index = 0;  // In the server's list.
  bool is_known = true;   // It is in that list.

 private:
  async::Task<> read_requests();
  async::Task<> until_room();
  // A function of its own: what it needs would lie in the reader's frame, which every connection has for all its life.
  [[gnu::noinline]] bool take(const Frame& frame);
  void take_request(const RequestView& request);
  void begin_call(const RequestView& request, Handler& handler);
  void cancel_call(std::uint64_t id);
  Call* find(std::uint64_t id) noexcept;
  void refuse(const RequestView& request, StatusCode code, std::string_view message);

  bool is_full() const noexcept;
  void watch(async::Instant due);
  void fired() override;
  void expire_calls(async::Instant now);
  async::Duration unread_time_max() const noexcept;
  void progressed() override;
  void must_wait() override;
  void broke(std::string_view why) override { close_soon(why); }

  ServerCore* core_;
  FrameReader frames_;
  std::optional<async::Task<>> reader_;
  async::detail::Link calls_;
  async::detail::Link writers_;        // Streams that wait until there is room.
  async::Event room_;                  // Set unless the reply queue is full.
  Handler* handler_before_ = nullptr;  // Callers ask for the same again and again.
  std::uint64_t highest_id_ = 0;
  std::uint32_t call_count_ = 0;
  std::uint32_t references_ = 1;
  async::Instant frame_began_ = async::Instant::max();   // max: no frame is partly here.
  async::Instant unread_since_ = async::Instant::max();  // max: nothing waits to be read.
  async::Instant due_ = async::Instant::max();
  bool closing_ = false;
  std::string peer_;
  std::string why_closed_;
};

}  // namespace rpc::detail
