// The other end of a connection to a server in memory: sends bytes or requests, keeps the replies.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/util/json_util.h>

#include "async/manual_loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "fuzz/require.h"
#include "rpc/frame.h"
#include "rpc/server.h"
#include "rpc/v1/envelope.pb.h"

namespace fuzz {

using namespace std::chrono_literals;

// Dies before the server and the loop.
class Peer {
 public:
  Peer(async::ManualLoop& loop, rpc::Server& server)
      : Peer(loop, server, async::memory_stream_pair(loop, 1 << 20)) {}

  void send(std::string_view bytes) {
    if (is_over) return;
    try {
      stream_.try_write(async::bytes_of(bytes));
    } catch (const async::IoError&) {
      is_over = true;  // The server cut us, which is its right.
    }
  }
  void send(const rpc::v1::Request& request) {
    std::string bytes;
    if (rpc::append_frame(bytes, request)) send(bytes);
  }

  std::vector<rpc::v1::Response> replies;
  bool is_over = false;

 private:
  Peer(async::ManualLoop& loop, rpc::Server& server, std::pair<async::Stream, async::Stream> ends)
      : stream_(std::move(ends.first)), reading_(loop) {
    server.serve(std::move(ends.second));
    reading_.spawn(read());
  }
  async::Task<> read() {
    rpc::FrameReader reader;
    const auto keep = [this](const rpc::Frame& frame) {
      require(replies.emplace_back().ParseFromArray(frame.body.data(),
                                                    static_cast<int>(frame.body.size())),
              "a server sends Responses");
      return true;
    };
    try {
      while (true) {
        const std::span<const std::byte> bytes = co_await stream_.read_some();
        if (bytes.empty()) break;
        reader.feed(bytes, keep);
      }
    } catch (const async::IoError&) {
    }
    is_over = true;
  }

  async::Stream stream_;
  async::TaskScope reading_;
};

// A request as a line of a script has it: "package.Service/Method {json}". What is no JSON is sent
// as the body's bytes. In the JSON, #0 to #9 are ids, and #token what the server gave last.
class Script {
 public:
  rpc::v1::Request request(std::string_view line, std::uint64_t id) const {
    const std::size_t blank = std::min(line.find(' '), line.size());
    std::string method(line.substr(0, blank));
    std::string body(line.substr(std::min(blank + 1, line.size())));
    rpc::v1::Request request;
    request.set_id(id);
    if (const auto message = message_of(method, body)) message->SerializeToString(&body);
    request.set_body(std::move(body));
    // The method is a string of protobuf's: bytes that are no UTF-8 are the envelope's matter.
    for (char& c : method) c = static_cast<char>(c & 0x7f);
    request.set_method(std::move(method));
    return request;
  }

  std::string token;

 private:
  using Message = google::protobuf::Message;

  std::unique_ptr<Message> message_of(const std::string& method, const std::string& json) const {
    std::string name = method;
    for (char& c : name) c = c == '/' ? '.' : c;
    const auto* const found =
        google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
    if (found == nullptr) return nullptr;
    auto* const factory = google::protobuf::MessageFactory::generated_factory();
    std::unique_ptr<Message> message(factory->GetPrototype(found->input_type())->New());
    const auto status =
        google::protobuf::util::JsonStringToMessage(with_words(json), message.get());
    return status.ok() ? std::move(message) : nullptr;
  }

  std::string with_words(std::string_view json) const {
    std::string text;
    for (std::size_t at = 0; at < json.size(); ++at) {
      if (json[at] != '#' || at + 1 == json.size()) {
        text += json[at];
      } else if (json[at + 1] >= '0' && json[at + 1] <= '9') {
        text += id_in_base64(json[++at] - '0');
      } else if (json.substr(at).starts_with("#token")) {
        text += in_base64(token);
        at += std::string_view("token").size();
      }
    }
    return text;
  }
  static std::string id_in_base64(int number) {
    std::string id(16, '\0');
    id.back() = static_cast<char>(number);
    return in_base64(id);
  }
  static std::string in_base64(std::string_view bytes) {
    static constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
      std::uint32_t word = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        word = word << 8 | (at + i < bytes.size() ? static_cast<std::uint8_t>(bytes[at + i]) : 0U);
      }
      for (std::size_t i = 0; i < 4; ++i) {
        text += at + i > bytes.size() ? '=' : letters[word >> (18 - 6 * i) & 63];
      }
    }
    return text;
  }
};

// What a response's body says; nothing when there is no such method.
inline std::unique_ptr<google::protobuf::Message> answer_to(const std::string& method,
                                                            const rpc::v1::Response& response) {
  std::string name = method;
  for (char& c : name) c = c == '/' ? '.' : c;
  const auto* const found =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(name);
  if (found == nullptr) return nullptr;
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  std::unique_ptr<google::protobuf::Message> message(
      factory->GetPrototype(found->output_type())->New());
  require(message->ParseFromString(response.body()), "an answer can be parsed");
  return message;
}
// Whether a message or an optional field of that name is set; false when there is none.
inline bool has(const google::protobuf::Message& message, const std::string& field) {
  const auto* const found = message.GetDescriptor()->FindFieldByName(field);
  return found != nullptr && message.GetReflection()->HasField(message, found);
}

// "wait 1500": so many milliseconds, at most an hour. Nothing: the line is something else.
inline std::optional<std::chrono::milliseconds> wait_of(std::string_view line) {
  if (!line.starts_with("wait ")) return std::nullopt;
  std::int64_t time = 0;
  for (const char c : line.substr(5)) {
    if (c < '0' || c > '9' || time > 3'600'000) break;
    time = time * 10 + (c - '0');
  }
  return std::chrono::milliseconds(std::min<std::int64_t>(time, 3'600'000));
}

template <typename Visit>
void for_each_line(std::string_view text, std::size_t lines_max, Visit visit) {
  for (std::size_t line = 0; line < lines_max && !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    visit(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace fuzz
