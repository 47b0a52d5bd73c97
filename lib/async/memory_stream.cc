// A connection in memory: two pipes, each with a writer at one end and a reader at the other.

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>
#include <utility>

#include "async/future.h"
#include "async/stream.h"

namespace async {

namespace {

// Bytes on their way in one direction. Shared by both ends, so that either may go first.
//
// Invariant: while `reader` is set there is nothing to read.
struct Pipe {
  Pipe(Loop& owner, std::size_t limit) : loop(owner), capacity(limit), room(owner) {}

  std::size_t free_space() const { return capacity > bytes.size() ? capacity - bytes.size() : 0; }

  // Returns what there is, or the end.
  void fill(StreamReader& waiting) {
    if (bytes.empty() && was_reset) {
      waiting.error = std::make_exception_ptr(IoError(-ECONNRESET, "read from the connection"));
    }
    lent = std::exchange(bytes, {});
    waiting.bytes = bytes_of(lent);
    room.set();
  }

  void wake_reader() {
    if (reader == nullptr || (bytes.empty() && !ended)) return;
    StreamReader& waiting = *std::exchange(reader, nullptr);
    fill(waiting);
    loop.make_ready(waiting.ready);
  }

  void end(bool by_reset) {
    if (!ended) was_reset = by_reset;
    ended = true;
    wake_reader();
    room.set();
  }

  Loop& loop;
  std::size_t capacity;
  std::string bytes;  // Written, not yet read.
  std::string lent;   // With the reader, until it reads again.
  StreamReader* reader = nullptr;
  Event room;              // Set when something was read, or there is no use in waiting for it.
  bool ended = false;      // No more will be written.
  bool was_reset = false;  // The writer went away with bytes for it unread.
  bool abandoned = false;  // Nobody reads any more.
  bool closed = false;     // Nobody writes any more.
};

class MemoryTransport final : public StreamTransport {
 public:
  MemoryTransport(Loop& loop, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : StreamTransport(loop), in_(std::move(in)), out_(std::move(out)) {}

  ~MemoryTransport() override {
    in_->reader = nullptr;
    in_->abandoned = true;
    in_->room.set();
    out_->closed = true;
    out_->end(!in_->bytes.empty());
  }

  bool read(StreamReader& reader) override {
    Pipe& in = *in_;
    check(in.reader == nullptr, "a stream is read by one task");
    if (in.bytes.empty() && !in.ended) {
      in.reader = &reader;
      return false;
    }
    in.fill(reader);
    return true;
  }

  void stop_reading() noexcept override { in_->reader = nullptr; }

  std::size_t try_write(std::span<const std::byte> bytes) override {
    Pipe& out = *out_;
    refuse_if_broken(out);
    const std::size_t size = std::min(bytes.size(), out.free_space());
    out.bytes.append(text_of(bytes.first(size)));
    if (size > 0) out.wake_reader();
    return size;
  }

  Task<> write(std::string bytes) override {
    const std::shared_ptr<Pipe> kept = out_;  // The transport may go while this waits.
    Pipe& out = *kept;
    std::size_t written = 0;
    while (true) {
      refuse_if_broken(out);
      const std::size_t size = std::min(bytes.size() - written, out.free_space());
      out.bytes.append(bytes, written, size);
      written += size;
      if (size > 0) out.wake_reader();
      if (written == bytes.size()) co_return;
      if (out.free_space() > 0) continue;  // A reader that waited has taken what there was.
      out.room.clear();
      co_await out.room;
    }
  }

  Task<> shutdown() override {
    out_->end(false);
    co_return;
  }

  // Unlike any other while this one lives, as addresses are.
  std::string peer() const override {
    return "memory#" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
  }

 private:
  static void refuse_if_broken(const Pipe& out) {
    if (out.closed) throw IoError(-ECANCELED, "write to the connection");
    if (out.abandoned || out.ended) throw IoError(-EPIPE, "write to the connection");
  }

  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
};

}  // namespace

std::pair<Stream, Stream> memory_stream_pair(Loop& loop, std::size_t capacity) {
  auto there = std::make_shared<Pipe>(loop, capacity);
  auto back = std::make_shared<Pipe>(loop, capacity);
  Stream first(std::make_unique<MemoryTransport>(loop, back, there));
  Stream second(std::make_unique<MemoryTransport>(loop, there, back));
  return {std::move(first), std::move(second)};
}

}  // namespace async
