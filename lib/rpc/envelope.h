// The envelope: rpc.v1.Request and rpc.v1.Response, read without copying and written in one pass.
// The bytes are protobuf's, a test compares them with the generated code's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <google/protobuf/message_lite.h>

#include "rpc/status.h"

namespace rpc::detail {

// A Request in a frame's bytes, which it refers to.
struct RequestView {
  std::uint64_t id = 0;
  std::string_view method;
  std::string_view body;
  std::uint32_t time_left_ms = 0;
  std::string_view traceparent;
  bool cancel = false;
};

// A Response in a frame's bytes, which it refers to.
struct ResponseView {
  std::uint64_t id = 0;
  std::uint32_t code = 0;
  std::string_view message;
  std::string_view body;
  // Every response that is OK has one, if only an empty one. What has none is of another protocol.
  bool has_body = false;
  bool more = false;
};

// Return nullopt if the bytes are not such a message.
std::optional<RequestView> read_request(std::span<const std::byte> body);
std::optional<ResponseView> read_response(std::span<const std::byte> body);

// Each appends one frame. False, and nothing is appended: it does not fit. `head.body` is ignored.
bool append_request(std::string& buffer, const RequestView& head,
                    const google::protobuf::MessageLite& body);
bool append_response(std::string& buffer, std::uint64_t id,
                     const google::protobuf::MessageLite& body, bool more);
// The end of a stream; or, if not OK, a final response, which has no body. An overlong message is cut, and bytes that are not UTF-8 are
// replaced, so that it always fits.
void append_status(std::string& buffer, std::uint64_t id, StatusCode code,
                   std::string_view message);

}  // namespace rpc::detail
