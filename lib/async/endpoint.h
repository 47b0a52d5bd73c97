// Where a server listens and a client connects.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace async {

// An address as people write it: "127.0.0.1:7001", "bank:7001", "[::1]:7001",
// "unix:/run/bank.sock". Names are looked up at each connect, so that a peer may move.
struct Endpoint {
  enum class Kind : std::uint8_t { tcp, unix_socket };
  // The system takes no longer path of a Unix socket, in bytes.
  static constexpr std::size_t unix_path_size_max = 107;

  Kind kind = Kind::tcp;
  std::string host;        // A name or an address; for a Unix socket its path.
  std::uint16_t port = 0;  // 0 when listening: whichever is free.

  // Throws std::invalid_argument with a sentence that quotes `text`.
  static Endpoint parse(std::string_view text);
  std::string text() const;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// The network or the terminal failed. `code` is libuv's (negative errno on Unix).
class IoError : public std::runtime_error {
 public:
  IoError(int code, const std::string& what_was_tried);
  int code() const noexcept { return code_; }
  // Its name: "ECONNREFUSED".
  std::string name() const;

 private:
  int code_;
};

// A Unix socket's file cannot be made where it should be: its folder is missing, or is none.
class SocketFileError : public IoError {
 public:
  using IoError::IoError;
};

}  // namespace async
