// Outbox: what one connection has to say. All that becomes ready in one turn of the loop leaves in
// one write.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/loop.h"
#include "async/stream.h"
#include "async/task.h"

namespace rpc::detail {

// Buffers that are empty now and warm: a connection borrows one while it has something to say, so
// an idle one owns none.
class BufferPool {
 public:
  std::string take();
  void give_back(std::string buffer);

 private:
  std::vector<std::string> spare_;
};

// Owned by a connection, which gives it the stream and outlives it; loop thread only.
//
// Invariant: while there is something to write, either it leaves at the end of this turn or a write
// is under way.
class Outbox : async::TurnEnd {
 public:
  Outbox(async::Loop& loop, async::Stream& stream, BufferPool& buffers)
      : loop_(loop), stream_(stream), buffers_(buffers) {}
  virtual ~Outbox() = default;

  // Where to append whole frames, at once.
  std::string& buffer();
  // What the peer's side has not taken yet.
  std::size_t pending() const noexcept { return buffer_.size() - written_; }
  // Does not wait for the turn's end. Destroys nothing, whatever it finds.
  void flush();
  // Writes no more.
  void stop() noexcept;

 protected:
  // Some bytes left.
  virtual void progressed() = 0;
  // The peer's side takes no more for now: the rest waits until it has read.
  virtual void must_wait() {}
  // The stream takes no more. Called once; may be called from within flush() or at a turn's end.
  virtual void broke(std::string_view why) = 0;

 private:
  void turn_ended() override { flush(); }
  async::Task<> write_rest();
  void wrote_all();
  void fail(std::string_view why);

  async::Loop& loop_;
  async::Stream& stream_;
  BufferPool& buffers_;
  std::string buffer_;
  std::size_t written_ = 0;
  std::optional<async::Task<>> writer_;
  bool writing_ = false;
  bool stopped_ = false;
};

}  // namespace rpc::detail
