// ClientConnection: one connection of a client, with the calls that are in flight on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/random.h"
#include "async/stream.h"
#include "async/task.h"
#include "rpc/client.h"
#include "rpc/frame.h"
#include "rpc/outbox.h"
#include "rpc/outgoing.h"

namespace rpc::detail {

// The calls that wait for an answer, by id. Ids count up, so that a mask is a perfect hash while no
// call waits much longer than the others.
class CallTable {
 public:
  CallTable() : buckets_(16) {}

  void add(Outgoing& call);
  Outgoing* find(std::uint64_t id) const noexcept;
  void remove(Outgoing& call) noexcept;
  Outgoing* any() const noexcept;
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t bucket_of(std::uint64_t id) const noexcept { return id & (buckets_.size() - 1); }
  void grow();

  std::vector<Outgoing*> buckets_;  // A power of two.
  std::size_t size_ = 0;
};

struct ClientStream {
  async::Stream stream;
};

// Lives in the client's coroutine that reads from it; loop thread only.
//
// Invariant: a call is in calls_ from the moment its request was appended until its last response,
// its deadline, its caller's leaving or the connection's end takes it out, and exactly one of those
// does.
class ClientConnection final : ClientStream, public Outbox, public Route, async::Timer {
 public:
  // `server` is the address that it goes to, for messages: a closed stream does not know it any more.
  ClientConnection(async::Loop& loop, async::Stream from, std::string server, BufferPool& buffers,
                   const ClientLimits& limits, async::Random& random);
  ~ClientConnection() override;

  // Until the stream or a fault of the peer ends it. Then why_ended() says so.
  async::Task<> run();
  void end(Status why) noexcept;
  const Status& why_ended() const noexcept { return why_; }

  bool has_room() const noexcept {
    return !ended_.is_set() && calls_.size() < limits_.calls_in_flight_max;
  }
  std::size_t calls_in_flight() const noexcept { return calls_.size(); }
  bool has_heard() const noexcept { return heard_; }
  // Called after a call left: another may be sent.
  void set_on_room(Route* waiting) noexcept { waiting_ = waiting; }

  // Route.
  void begin(Outgoing& call) override;
  void forget(Outgoing& call) noexcept override;
  void resume_reading(Outgoing& call) noexcept override;
  void room() noexcept override {}
  std::string_view why_waiting() const noexcept override { return {}; }
  async::Loop& loop() noexcept override { return loop_; }
  std::size_t stream_queue_bytes_max() const noexcept override {
    return limits_.stream_queue_bytes_max;
  }

 private:
  async::Task<> read_responses();
  async::Task<> until_ended();
  bool take(const Frame& frame);
  void remove(Outgoing& call) noexcept;
  void expect_life();
  void fired() override;
  void progressed() override {}
  void broke(std::string_view why) override;

  const std::string server_;
  async::Loop& loop_;
  const ClientLimits& limits_;
  async::Random& random_;
  FrameReader frames_;
  CallTable calls_;
  std::uint64_t id_next_ = 1;
  Route* waiting_ = nullptr;
  Outgoing* held_by_ = nullptr;  // A stream whose queue is full: nothing is read meanwhile.
  async::Event released_;
  async::Event ended_;
  Status why_;
  async::Instant silent_since_ = async::Instant::max();  // max: nothing is awaited.
  bool asked_for_life_ = false;
  bool heard_ = false;
};

}  // namespace rpc::detail
