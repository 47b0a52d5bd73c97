#include "rpc/envelope.h"

#include <algorithm>
#include <cstring>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include "rpc/frame.h"
#include "rpc/v1/envelope.pb.h"

namespace rpc::detail {

namespace {

using google::protobuf::MessageLite;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedOutputStream;

constexpr std::size_t status_message_size_max = 1024;

constexpr std::uint32_t varint_tag(int field) {
  return static_cast<std::uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_VARINT;
}
constexpr std::uint32_t bytes_tag(int field) {
  return static_cast<std::uint32_t>(field) << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
}
// Every field number of the envelope is below 16.
constexpr std::size_t tag_size = 1;

// Eight characters at a time: this is asked for every request.
bool is_ascii(std::string_view text) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::uint64_t seen = 0;
  while (text.size() >= sizeof seen) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    seen |= word;
    text.remove_prefix(sizeof word);
  }
  for (const char c : text) seen |= static_cast<std::uint8_t>(c);
  return (seen & high_bits) == 0;
}

bool is_utf8(std::string_view text) {
  return is_ascii(text) ||
         WireFormatLite::VerifyUtf8String(text.data(), static_cast<int>(text.size()),
                                          WireFormatLite::PARSE, "envelope");
}

// Reads fields from bytes that it does not own. Every read gives false at what protobuf's own
// parser refuses.
class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool is_at_end() const { return at_ == end_; }

  bool tag(std::uint32_t& tag) {
    std::uint64_t number = 0;
    if (!varint(number, tag_size_max)) return false;
    tag = static_cast<std::uint32_t>(number);
    return tag >> 3 != 0;
  }
  bool number(std::uint64_t& number) { return varint(number, varint_size_max); }
  bool bytes(std::string_view& bytes) {
    std::uint64_t size = 0;
    if (!varint(size, tag_size_max) || size > left()) return false;
    bytes = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }
  bool text(std::string_view& text) { return bytes(text) && is_utf8(text); }

  // A field that this reader does not know.
  bool skip(std::uint32_t tag, int depth = 0) {
    std::uint64_t number = 0;
    std::string_view ignored;
    switch (tag & 7) {
      case WireFormatLite::WIRETYPE_VARINT:
        return this->number(number);
      case WireFormatLite::WIRETYPE_FIXED64:
        return skip_bytes(8);
      case WireFormatLite::WIRETYPE_LENGTH_DELIMITED:
        return bytes(ignored);
      case WireFormatLite::WIRETYPE_START_GROUP:
        return depth < group_depth_max && skip_group(tag >> 3, depth + 1);
      case WireFormatLite::WIRETYPE_FIXED32:
        return skip_bytes(4);
      default:
        return false;
    }
  }

 private:
  static constexpr int varint_size_max = 10;
  static constexpr int tag_size_max = 5;
  static constexpr int group_depth_max = 100;

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  // What does not fit in 64 bits is lost, as in protobuf.
  bool varint(std::uint64_t& number, int size_max) {
    number = 0;
    for (int i = 0; i < size_max && at_ != end_; ++i) {
      const auto byte = static_cast<std::uint8_t>(*at_++);
      number |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool skip_bytes(std::size_t size) {
    if (size > left()) return false;
    at_ += size;
    return true;
  }
  bool skip_group(std::uint32_t field, int depth) {
    std::uint32_t inner = 0;
    while (tag(inner)) {
      if ((inner & 7) == WireFormatLite::WIRETYPE_END_GROUP) return inner >> 3 == field;
      if (!skip(inner, depth)) return false;
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

// Calls `read_field(tag, reader)` for each field; it gives false when the field is malformed.
template <typename ReadField>
bool read_fields(std::span<const std::byte> body, ReadField read_field) {
  FieldReader reader({reinterpret_cast<const char*>(body.data()), body.size()});
  while (!reader.is_at_end()) {
    std::uint32_t tag = 0;
    if (!reader.tag(tag) || !read_field(tag, reader)) return false;
  }
  return true;
}

class FieldWriter {
 public:
  explicit FieldWriter(std::uint8_t* target) : target_(target) {}

  void number(int field, std::uint64_t value) {
    if (value == 0) return;
    target_ = CodedOutputStream::WriteTagToArray(varint_tag(field), target_);
    target_ = CodedOutputStream::WriteVarint64ToArray(value, target_);
  }
  void text(int field, std::string_view value) {
    if (value.empty()) return;
    begin_bytes(field, value.size());
    target_ = std::copy(value.begin(), value.end(), target_);
  }
  // Also if it is empty.
  void message(int field, const MessageLite& value, std::size_t size) {
    begin_bytes(field, size);
    target_ = value.SerializeWithCachedSizesToArray(target_);
  }

 private:
  void begin_bytes(int field, std::size_t size) {
    target_ = CodedOutputStream::WriteTagToArray(bytes_tag(field), target_);
    target_ = CodedOutputStream::WriteVarint32ToArray(static_cast<std::uint32_t>(size), target_);
  }

  std::uint8_t* target_;
};

std::size_t number_size(std::uint64_t value) {
  return value == 0 ? 0 : tag_size + CodedOutputStream::VarintSize64(value);
}
std::size_t present_size(std::size_t size) {
  return tag_size + CodedOutputStream::VarintSize64(size) + size;
}
std::size_t bytes_size(std::size_t size) { return size == 0 ? 0 : present_size(size); }

}  // namespace

std::optional<RequestView> read_request(std::span<const std::byte> body) {
  using Message = v1::Request;
  RequestView request;
  std::uint64_t number = 0;
  const auto read_field = [&](std::uint32_t tag, FieldReader& reader) {
    switch (tag) {
      case varint_tag(Message::kIdFieldNumber):
        return reader.number(request.id);
      case bytes_tag(Message::kMethodFieldNumber):
        return reader.text(request.method);
      case bytes_tag(Message::kBodyFieldNumber):
        return reader.bytes(request.body);
      case varint_tag(Message::kTimeLeftMsFieldNumber):
        if (!reader.number(number)) return false;
        request.time_left_ms = static_cast<std::uint32_t>(number);
        return true;
      case bytes_tag(Message::kTraceparentFieldNumber):
        return reader.text(request.traceparent);
      case varint_tag(Message::kCancelFieldNumber):
        if (!reader.number(number)) return false;
        request.cancel = number != 0;
        return true;
      default:
        return reader.skip(tag);
    }
  };
  if (!read_fields(body, read_field)) return std::nullopt;
  return request;
}

std::optional<ResponseView> read_response(std::span<const std::byte> body) {
  using Message = v1::Response;
  ResponseView response;
  std::uint64_t number = 0;
  const auto read_field = [&](std::uint32_t tag, FieldReader& reader) {
    switch (tag) {
      case varint_tag(Message::kIdFieldNumber):
        return reader.number(response.id);
      case varint_tag(Message::kCodeFieldNumber):
        if (!reader.number(number)) return false;
        response.code = static_cast<std::uint32_t>(number);
        return true;
      case bytes_tag(Message::kMessageFieldNumber):
        return reader.text(response.message);
      case bytes_tag(Message::kBodyFieldNumber):
        response.has_body = true;
        return reader.bytes(response.body);
      case varint_tag(Message::kMoreFieldNumber):
        if (!reader.number(number)) return false;
        response.more = number != 0;
        return true;
      default:
        return reader.skip(tag);
    }
  };
  if (!read_fields(body, read_field)) return std::nullopt;
  return response;
}

bool append_request(std::string& buffer, const RequestView& head, const MessageLite& body) {
  using Message = v1::Request;
  const std::size_t body_size = body.ByteSizeLong();
  const std::size_t size = number_size(head.id) + bytes_size(head.method.size()) +
                           bytes_size(body_size) + number_size(head.time_left_ms) +
                           bytes_size(head.traceparent.size()) + number_size(head.cancel ? 1 : 0);
  if (size > frame_body_size_max) return false;
  FieldWriter writer(append_frame_space(buffer, size));
  writer.number(Message::kIdFieldNumber, head.id);
  writer.text(Message::kMethodFieldNumber, head.method);
  if (body_size > 0) writer.message(Message::kBodyFieldNumber, body, body_size);
  writer.number(Message::kTimeLeftMsFieldNumber, head.time_left_ms);
  writer.text(Message::kTraceparentFieldNumber, head.traceparent);
  writer.number(Message::kCancelFieldNumber, head.cancel ? 1 : 0);
  return true;
}

bool append_response(std::string& buffer, std::uint64_t id, const MessageLite& body, bool more) {
  using Message = v1::Response;
  const std::size_t body_size = body.ByteSizeLong();
  const std::size_t size = number_size(id) + present_size(body_size) + number_size(more ? 1 : 0);
  if (size > frame_body_size_max) return false;
  FieldWriter writer(append_frame_space(buffer, size));
  writer.number(Message::kIdFieldNumber, id);
  writer.message(Message::kBodyFieldNumber, body, body_size);
  writer.number(Message::kMoreFieldNumber, more ? 1 : 0);
  return true;
}

void append_status(std::string& buffer, std::uint64_t id, StatusCode code,
                   std::string_view message) {
  using Message = v1::Response;
  std::string text(message.substr(0, status_message_size_max));
  if (!is_utf8(text)) {
    const auto is_not_ascii = [](char c) { return static_cast<signed char>(c) < 0; };
    std::replace_if(text.begin(), text.end(), is_not_ascii, '?');
  }
  const auto number = static_cast<std::uint64_t>(code);
  const bool is_ok = code == StatusCode::ok;
  const std::size_t size = number_size(id) + number_size(number) + bytes_size(text.size()) +
                           (is_ok ? present_size(0) : 0);
  FieldWriter writer(append_frame_space(buffer, size));
  writer.number(Message::kIdFieldNumber, id);
  writer.number(Message::kCodeFieldNumber, number);
  writer.text(Message::kMessageFieldNumber, text);
  if (is_ok) writer.message(Message::kBodyFieldNumber, v1::Response(), 0);
}

}  // namespace rpc::detail
