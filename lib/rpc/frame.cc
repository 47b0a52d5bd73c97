#include "rpc/frame.h"

namespace rpc {

std::uint8_t* append_frame_space(std::string& buffer, std::size_t body_size) {
  async::check(body_size <= frame_body_size_max, "a frame's length must fit into two bytes");
  const std::size_t begin = buffer.size();
  buffer.resize(begin + frame_header_size + body_size);
  auto* const header = reinterpret_cast<std::uint8_t*>(buffer.data() + begin);
  header[0] = static_cast<std::uint8_t>(body_size >> 8);
  header[1] = static_cast<std::uint8_t>(body_size & 0xff);
  return header + frame_header_size;
}

bool append_frame(std::string& buffer, const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  if (size > frame_body_size_max) return false;
  message.SerializeWithCachedSizesToArray(append_frame_space(buffer, size));
  return true;
}

}  // namespace rpc
