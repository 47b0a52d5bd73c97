// Frames as they pass: what a part between two machines does with each of them.
#pragma once

#include <string>
#include <string_view>

#include "async/check.h"

namespace sim {

template <typename T>
void append_frame(const T& message, std::string& to) {
  const std::string body = message.SerializeAsString();
  to.push_back(static_cast<char>(body.size() >> 8U));
  to.push_back(static_cast<char>(body.size() & 0xffU));
  to += body;
}

// Calls `change` with each message of type T that the frames carry, and what it left of it goes on. `change` may append frames.
template <typename T, typename Change>
std::string rewrite(std::string_view frames, Change change) {
  std::string out;
  while (!frames.empty()) {
    const std::size_t size = frames.size() < 2 ? frames.size()
                                               : static_cast<unsigned char>(frames[0]) * 256U +
                                                     static_cast<unsigned char>(frames[1]);
    async::check(frames.size() >= 2 + size, "a machine writes whole frames");
    T message;
    message.ParseFromArray(frames.data() + 2, static_cast<int>(size));
    frames.remove_prefix(2 + size);
    std::string more;
    change(message, more);
    append_frame(message, out);
    out += more;
  }
  return out;
}

}  // namespace sim
