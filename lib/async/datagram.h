// Datagram: messages without a connection, over UDP.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "async/endpoint.h"
#include "async/task.h"
#include "async/uv_loop.h"

namespace async {

// One message and who sent it.
struct Datagram {
  std::string bytes;
  Endpoint sender;
};

// A UDP socket. Each send is one message, which arrives whole, once, twice or not at all.
// Move-only; destroying it closes it, and what was sent before still leaves. Loop thread only; one
// task may receive.
class DatagramSocket {
 public:
  // What was received and not taken yet; more is dropped, as the system would.
  static constexpr std::size_t messages_kept_max = 256;

  // Takes the address; port 0: whichever is free. Throws IoError.
  DatagramSocket(UvLoop& loop, const Endpoint& local);
  DatagramSocket(DatagramSocket&&) noexcept;
  DatagramSocket& operator=(DatagramSocket&&) noexcept;
  ~DatagramSocket();

  // Done when the system has the message; throws IoError when it cannot be sent (EMSGSIZE: it is
  // too long).
  // `receiver` is an address, not a name.
  Task<> send(std::string bytes, Endpoint receiver);
  // The next message. Closing the socket under this makes it throw IoError(ECANCELED); cancelling
  // it loses nothing.
  Task<Datagram> receive();
  // With the port that was really taken.
  Endpoint local() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace async
