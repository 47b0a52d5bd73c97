// Stream and Listener: bytes in order, over TCP, a Unix socket or memory.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/endpoint.h"
#include "async/loop.h"
#include "async/task.h"

namespace async {

class StreamTransport;

// A reader that waits for bytes of a stream. Lives in the awaiter.
struct StreamReader {
  Ready ready;                       // Its handle is the waiting task.
  std::span<const std::byte> bytes;  // Empty: end of stream.
  std::exception_ptr error;

  StreamTransport* transport = nullptr;  // While it waits; null when that went away.
};

// What carries a stream's bytes: one implementation for libuv, one in memory, and later one for TLS
// and one that is simulated. Owned by its Stream; loop thread only. Destroying it closes it; what
// the system still writes from is freed when the system is done. Whoever waits for it then gets
// IoError(ECANCELED), in the loop's ready queue.
class StreamTransport {
 public:
  explicit StreamTransport(Loop& loop) : loop_(loop) {}
  StreamTransport(const StreamTransport&) = delete;
  StreamTransport& operator=(const StreamTransport&) = delete;
  virtual ~StreamTransport();

  // True: `reader` was filled at once. Else it is filled and its task goes on, at once or in the
  // loop's ready queue, when bytes, end or error arrive; the bytes are the transport's, and valid
  // until that task awaits again.
  virtual bool read(StreamReader& reader) = 0;
  // The reader that read() kept is gone, before it was filled.
  virtual void stop_reading() noexcept = 0;
  // How many of the bytes could be taken without waiting; 0 while an earlier write waits. Throws
  // IoError.
  virtual std::size_t try_write(std::span<const std::byte> bytes) = 0;
  // Takes all bytes, and is done when the system has them. A write that is cancelled may still
  // arrive, whole or in part.
  virtual Task<> write(std::string bytes) = 0;
  // No more writes; the peer sees the end of the stream after what was written.
  virtual Task<> shutdown() = 0;
  virtual std::string peer() const = 0;

 protected:
  Loop& loop() const noexcept { return loop_; }

 private:
  friend class Stream;
  void pause();
  void resume();

  Loop& loop_;
  StreamReader* waiting_ = nullptr;  // From its wait's begin until its task goes on.
  bool paused_ = false;
  bool parked_ = false;  // The reader was not handed to read(), because reading is paused.
};

// A connection: two streams of bytes, one each way. Move-only, not while a task waits for it;
// destroying it closes it. One task may read and one may write; closing it under them makes them
// throw IoError(ECANCELED).
class Stream {
 public:
  explicit Stream(std::unique_ptr<StreamTransport> transport) : transport_(std::move(transport)) {}

  class ReadAwaiter {
   public:
    explicit ReadAwaiter(Stream& stream) : stream_(stream) {}
    ReadAwaiter(const ReadAwaiter&) = delete;
    ReadAwaiter& operator=(const ReadAwaiter&) = delete;
    ~ReadAwaiter() {
      if (reader_.transport != nullptr) stream_.stop_waiting(reader_);
    }
    bool await_ready() {
      reader_.bytes = stream_.take_leftover(static_cast<std::size_t>(-1));
      return !reader_.bytes.empty() || begin();
    }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      reader_.ready.handle = waiter;
      reader_.transport = &stream_.transport();
      reader_.transport->waiting_ = &reader_;
    }
    std::span<const std::byte> await_resume() {
      if (reader_.transport != nullptr)
        std::exchange(reader_.transport, nullptr)->waiting_ = nullptr;
      if (reader_.error) std::rethrow_exception(reader_.error);
      return reader_.bytes;
    }

   protected:
    // True: the reader was filled at once, or reading has ended.
    bool begin() {
      StreamTransport& transport = stream_.transport();
      if (!transport.paused_) [[likely]] {
        return transport.read(reader_);
      }
      check(transport.waiting_ == nullptr, "a stream is read by one task");
      transport.parked_ = true;
      return false;
    }

   private:
    Stream& stream_;
    StreamReader reader_;
  };

  // Lends what has arrived: at least one byte, or none at the end of the stream. The span is valid
  // until this task's next co_await. Throws IoError.
  ReadAwaiter read_some() { return ReadAwaiter(*this); }
  // A read that is cancelled, of whichever kind, loses nothing: the next one begins where it began.
  // Copies what has arrived, at most buffer.size(), which is not 0: 0 at the end of the stream.
  Task<std::size_t> read(std::span<std::byte> buffer);
  // The next line, with its '\n'; what is left at the end of the stream, without one; then nothing.
  // Throws IoError(EMSGSIZE) beyond `size_max` bytes.
  Task<std::string> read_line(std::size_t size_max);
  // Everything until the end of the stream, at most `size_max` bytes; throws IoError(EMSGSIZE)
  // beyond.
  Task<std::string> read_all(std::size_t size_max);

  // A stream takes nothing from the system that nobody awaits, but one buffer: to pause, a reader
  // does not read. With these, another task than the reader holds it back: until resume_reading()
  // whoever awaits bytes gets none, not even the end. What a read() left over is still given.
  void pause_reading() { transport().pause(); }
  void resume_reading() { transport().resume(); }
  bool is_paused() const { return transport().paused_; }

  // Writes everything, or throws IoError. Awaiting it is the back-pressure: it is done when the
  // system has taken the bytes.
  Task<> write(std::string bytes) { return transport().write(std::move(bytes)); }
  // The same of bytes that must live until this first waits; the rest is copied.
  Task<> write(std::span<const std::byte> bytes);
  // Writes what can be written without waiting, and says how much that was. Throws IoError.
  std::size_t try_write(std::span<const std::byte> bytes) { return transport().try_write(bytes); }
  // Writes no more; the peer reads the end of the stream after what was written.
  Task<> shutdown() { return transport().shutdown(); }

  // For logs: "127.0.0.1:53122".
  std::string peer() const { return transport().peer(); }
  void close() noexcept { transport_.reset(); }
  bool is_open() const noexcept { return transport_ != nullptr; }

 private:
  StreamTransport& transport() const {
    check(transport_ != nullptr, "a stream is used while it is open");
    return *transport_;
  }
  // Reads what comes after the leftover.
  class MoreAwaiter : public ReadAwaiter {
   public:
    using ReadAwaiter::ReadAwaiter;
    bool await_ready() { return begin(); }
  };

  std::string_view leftover() const noexcept {
    return std::string_view(leftover_).substr(leftover_taken_);
  }
  std::span<const std::byte> take_leftover(std::size_t size_max) noexcept;
  std::string take_text(std::size_t size);
  void put_back(std::span<const std::byte> rest);
  void stop_waiting(StreamReader& reader) noexcept;

  std::unique_ptr<StreamTransport> transport_;
  std::string leftover_;  // Arrived, but not given to a reader, up to `leftover_taken_`.
  std::size_t leftover_taken_ = 0;
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Where a Listener's connections come from. Destroying it lets a task that accepts throw
// IoError(ECANCELED).
class ListenerTransport {
 public:
  ListenerTransport() = default;
  ListenerTransport(const ListenerTransport&) = delete;
  ListenerTransport& operator=(const ListenerTransport&) = delete;
  virtual ~ListenerTransport() = default;
  virtual Task<Stream> accept() = 0;
  virtual Endpoint local() const = 0;
};

// Takes connections in. Move-only; destroying it closes it; the connections that it gave are not
// its own. One task may accept; closing the listener under it makes it throw IoError(ECANCELED).
class Listener {
 public:
  explicit Listener(std::unique_ptr<ListenerTransport> transport)
      : transport_(std::move(transport)) {}

  Task<Stream> accept() { return transport().accept(); }
  // With the port that was really taken.
  Endpoint local() const { return transport().local(); }
  void close() noexcept { transport_.reset(); }
  bool is_open() const noexcept { return transport_ != nullptr; }

 private:
  ListenerTransport& transport() const {
    check(transport_ != nullptr, "a listener is used while it is open");
    return *transport_;
  }

  std::unique_ptr<ListenerTransport> transport_;
};

// Two ends of a connection in memory, which behave as those of a socket do. A write waits while
// `capacity` bytes wait to be read at the other end. An end that is closed before it has read
// everything resets the connection.
std::pair<Stream, Stream> memory_stream_pair(Loop& loop, std::size_t capacity = 64 * 1024);

}  // namespace async
