// The envelope's reader takes and refuses exactly what protobuf's parser does, and reads the same.
//
// The first byte says whether the rest is a Request or a Response.
#include "rpc/envelope.h"

#include "fuzz/require.h"
#include "rpc/v1/envelope.pb.h"

namespace {

void read_request(std::span<const std::byte> bytes) {
  const auto ours = rpc::detail::read_request(bytes);
  rpc::v1::Request theirs;
  const bool is_message = theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  fuzz::require(ours.has_value() == is_message, "what protobuf parses is a Request");
  if (!ours) return;
  fuzz::require(ours->id == theirs.id(), "id");
  fuzz::require(ours->method == theirs.method(), "method");
  fuzz::require(ours->body == theirs.body(), "body");
  fuzz::require(ours->time_left_ms == theirs.time_left_ms(), "time_left_ms");
  fuzz::require(ours->traceparent == theirs.traceparent(), "traceparent");
  fuzz::require(ours->cancel == theirs.cancel(), "cancel");
}

void read_response(std::span<const std::byte> bytes) {
  const auto ours = rpc::detail::read_response(bytes);
  rpc::v1::Response theirs;
  const bool is_message = theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  fuzz::require(ours.has_value() == is_message, "what protobuf parses is a Response");
  if (!ours) return;
  fuzz::require(ours->id == theirs.id(), "id");
  fuzz::require(ours->code == static_cast<std::uint32_t>(theirs.code()), "code");
  fuzz::require(ours->message == theirs.message(), "message");
  fuzz::require(ours->body == theirs.body(), "body");
  fuzz::require(ours->more == theirs.more(), "more");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  google::protobuf::LogSilencer quiet;
  const auto bytes = fuzz::bytes_of(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    read_request(bytes);
  } else {
    read_response(bytes);
  }
  return 0;
}
