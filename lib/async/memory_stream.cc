// A connection in memory: two pipes, each with a writer at one end and a reader at the other.

#include <algorithm>
#include <cerrno>
#include <utility>

#include "async/future.h"
#include "async/stream.h"

namespace async {

namespace {

// Bytes on their way in one direction. Shared by both ends, so that either may go first.
//
// Invariant: `ready` is linked exactly while bytes were lent to a reader that has not gone on yet.
struct Pipe {
  Pipe(Loop& owner, std::size_t limit) : loop(owner), capacity(limit), room(owner) {}

  std::size_t free_space() const { return capacity > bytes.size() ? capacity - bytes.size() : 0; }

  void lend_to(StreamReader& waiting) {
    lent = std::exchange(bytes, {});
    waiting.bytes = bytes_of(lent);
    room.set();
  }

  void wake_reader() {
    if (reader == nullptr || (bytes.empty() && !ended)) return;
    StreamReader& waiting = *std::exchange(reader, nullptr);
    lend_to(waiting);
    ready.handle = waiting.waiter;
    loop.make_ready(ready);
  }

  // A cancelled read loses nothing.
  void take_back() {
    reader = nullptr;
    if (!ready.linked()) return;
    ready.unlink();
    bytes.insert(0, lent);
    lent.clear();
  }

  Loop& loop;
  std::size_t capacity;
  std::string bytes;  // Written, not yet read.
  std::string lent;   // With the reader, until it reads again.
  StreamReader* reader = nullptr;
  Ready ready;
  Event room;              // Set when something was read, or nobody reads any more.
  bool ended = false;      // No more will be written.
  bool abandoned = false;  // Nobody reads any more.
};

class MemoryTransport final : public StreamTransport {
 public:
  MemoryTransport(std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : in_(std::move(in)), out_(std::move(out)) {}

  ~MemoryTransport() override {
    Pipe& in = *in_;
    in.take_back();
    in.abandoned = true;
    in.room.set();
    end_writing();
  }

  bool read(StreamReader& reader) override {
    Pipe& in = *in_;
    check(in.reader == nullptr, "a stream is read by one task");
    if (in.bytes.empty() && !in.ended) {
      in.reader = &reader;
      return false;
    }
    in.lend_to(reader);
    return true;
  }

  void stop_reading() noexcept override { in_->take_back(); }

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
      out.room.clear();
      co_await out.room;
    }
  }

  Task<> shutdown() override {
    end_writing();
    co_return;
  }

  std::string peer() const override { return "memory"; }

 private:
  static void refuse_if_broken(const Pipe& out) {
    if (out.abandoned || out.ended) throw IoError(-EPIPE, "write to a closed connection");
  }
  void end_writing() noexcept {
    Pipe& out = *out_;
    out.ended = true;
    out.wake_reader();
  }

  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
};

}  // namespace

std::pair<Stream, Stream> memory_stream_pair(Loop& loop, std::size_t capacity) {
  auto there = std::make_shared<Pipe>(loop, capacity);
  auto back = std::make_shared<Pipe>(loop, capacity);
  Stream first(std::make_unique<MemoryTransport>(back, there));
  Stream second(std::make_unique<MemoryTransport>(there, back));
  return {std::move(first), std::move(second)};
}

}  // namespace async
