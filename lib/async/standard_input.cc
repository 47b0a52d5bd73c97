#include "async/standard_input.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <utility>

#include "async/uv_socket.h"

namespace async {

namespace {

// A file is always ready, as far as the system can tell: it is read when somebody asks.
class FileTransport final : public StreamTransport {
 public:
  explicit FileTransport(Loop& loop) : StreamTransport(loop) {}

  bool read(StreamReader& reader) override {
    const ssize_t size = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    if (size < 0) {
      reader.error = std::make_exception_ptr(IoError(-errno, "read from standard input"));
    } else {
      reader.bytes = std::span(buffer_).first(static_cast<std::size_t>(size));
    }
    return true;
  }
  void stop_reading() noexcept override {}
  std::size_t try_write(std::span<const std::byte>) override { refuse(); }
  Task<> write(std::string) override { refuse(); }
  Task<> shutdown() override { refuse(); }
  std::string peer() const override { return "standard input"; }

 private:
  [[noreturn]] static void refuse() { throw IoError(-EBADF, "write to standard input"); }

  std::array<std::byte, 16 * 1024> buffer_{};
};

// To wait without blocking, a descriptor is switched to another mode, which whoever shares it would
// notice. So a terminal is opened once more.
int own_descriptor(bool is_terminal) {
  const int descriptor = is_terminal
                             ? ::open(::ttyname(STDIN_FILENO), O_RDWR | O_CLOEXEC | O_NOCTTY)
                             : ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
  if (descriptor < 0) throw IoError(-errno, "open standard input");
  return descriptor;
}

}  // namespace

Stream standard_input(UvLoop& loop) {
  const uv_handle_type kind = uv_guess_handle(STDIN_FILENO);
  if (kind == UV_FILE || kind == UV_UNKNOWN_HANDLE) {
    return Stream(std::make_unique<FileTransport>(loop));
  }
  SocketOwner socket(loop.impl(), Endpoint::Kind::unix_socket);
  const int descriptor = own_descriptor(kind == UV_TTY);
  if (const int result = uv_pipe_open(&socket->uv.pipe, descriptor); result < 0) {
    ::close(descriptor);
    throw IoError(result, "open standard input");
  }
  return make_stream(std::move(socket));
}

}  // namespace async
