// Stream and Listener: bytes in order, over TCP, a Unix socket or memory.
#pragma once

#include <coroutine>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/endpoint.h"
#include "async/loop.h"
#include "async/task.h"

namespace async {

// Who waits for bytes of a stream. Lives in the awaiter.
struct StreamReader {
  std::coroutine_handle<> waiter;
  std::span<const std::byte> bytes;  // Empty: end of stream.
  std::exception_ptr error;
};

// What carries a stream's bytes: one implementation for libuv, one in memory, and later one for TLS
// and one that is simulated. Owned by its Stream; loop thread only. Destroying it closes it; what
// the system still writes from is freed when the system is done.
class StreamTransport {
 public:
  virtual ~StreamTransport() = default;
  // True: `reader` was filled at once. Else it is filled and its waiter resumed when bytes, end or
  // error arrive; the bytes are the transport's, and valid until the reader's task awaits again.
  virtual bool read(StreamReader& reader) = 0;
  virtual void stop_reading() noexcept = 0;
  // How many of the bytes could be taken without waiting; 0 while an earlier write waits. Throws
  // IoError.
  virtual std::size_t try_write(std::span<const std::byte> bytes) = 0;
  // Takes all bytes, and is done when the system has them.
  virtual Task<> write(std::string bytes) = 0;
  // No more writes; the peer sees the end of the stream.
  virtual Task<> shutdown() = 0;
  virtual std::string peer() const = 0;
};

// A connection: two streams of bytes, one each way. Move-only; destroying it closes it. One task
// may read and one may write.
class Stream {
 public:
  explicit Stream(std::unique_ptr<StreamTransport> transport) : transport_(std::move(transport)) {}

  class ReadAwaiter {
   public:
    explicit ReadAwaiter(StreamTransport& transport) : transport_(&transport) {}
    ReadAwaiter(const ReadAwaiter&) = delete;
    ReadAwaiter& operator=(const ReadAwaiter&) = delete;
    ~ReadAwaiter() {
      if (waiting_) transport_->stop_reading();
    }
    bool await_ready() { return transport_->read(reader_); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      reader_.waiter = waiter;
      waiting_ = true;
    }
    std::span<const std::byte> await_resume() {
      waiting_ = false;
      if (reader_.error) std::rethrow_exception(reader_.error);
      return reader_.bytes;
    }

   private:
    StreamTransport* transport_;
    StreamReader reader_;
    bool waiting_ = false;
  };

  // Lends what has arrived: at least one byte, or none at the end of the stream. The span is valid
  // until this task's next co_await. Throws IoError.
  ReadAwaiter read_some() { return ReadAwaiter(*transport_); }
  // Copies what has arrived, at most buffer.size(): 0 at the end of the stream.
  Task<std::size_t> read(std::span<std::byte> buffer);
  // Everything until the end of the stream, at most `size_max` bytes; throws IoError(EMSGSIZE)
  // beyond.
  Task<std::string> read_all(std::size_t size_max);

  // Writes everything, or throws IoError. Awaiting it is the back-pressure: it is done when the
  // system has taken the bytes.
  Task<> write(std::string bytes);
  Task<> write(std::span<const std::byte> bytes);
  // Writes what can be written without waiting, and says how much that was.
  std::size_t try_write(std::span<const std::byte> bytes) { return transport_->try_write(bytes); }
  Task<> shutdown() { return transport_->shutdown(); }

  // For logs: "127.0.0.1:53122".
  std::string peer() const { return transport_->peer(); }
  void close() noexcept {
    transport_.reset();
    leftover_.clear();
  }
  bool is_open() const noexcept { return transport_ != nullptr; }

 private:
  std::unique_ptr<StreamTransport> transport_;
  std::string leftover_;  // Arrived, but more than the last read() asked for.
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Where a Listener's connections come from.
class ListenerTransport {
 public:
  virtual ~ListenerTransport() = default;
  virtual Task<Stream> accept() = 0;
  virtual Endpoint local() const = 0;
};

// Takes connections in. Move-only; destroying it closes it; the connections that it gave are not
// its own. One task may accept.
class Listener {
 public:
  explicit Listener(std::unique_ptr<ListenerTransport> transport)
      : transport_(std::move(transport)) {}

  Task<Stream> accept() { return transport_->accept(); }
  // With the port that was really taken.
  Endpoint local() const { return transport_->local(); }
  void close() noexcept { transport_.reset(); }

 private:
  std::unique_ptr<ListenerTransport> transport_;
};

// Two ends of a connection in memory. A write waits while `capacity` bytes wait to be read at the
// other end.
std::pair<Stream, Stream> memory_stream_pair(Loop& loop, std::size_t capacity = 64 * 1024);

}  // namespace async
