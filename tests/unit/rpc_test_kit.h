// For the tests of lib/rpc: a connection that the test is the other end of, and a service.
#pragma once

#include <algorithm>
#include <cerrno>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/fatal.h"
#include "async/future.h"
#include "async/manual_loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "rpc/frame.h"
#include "rpc/server.h"
#include "rpc/v1/envelope.pb.h"
#include "test/v1/echo.pb.h"

namespace rpc {

using namespace std::chrono_literals;

// The test's end of a connection: what it sends arrives in one read, what was written to it can be
// counted, and it takes only as much as the test lets it.
class Wire {
 public:
  explicit Wire(async::Loop& loop) : loop_(loop), room_(loop) {}

  async::Stream stream() { return async::Stream(std::make_unique<Transport>(*this)); }

  void send(const std::string& bytes) {
    if (bytes.empty()) return;
    to_read_ += bytes;
    wake();
  }
  void end() {
    ended_ = true;
    wake();
  }
  void take_at_most(std::size_t bytes) { room_left_ = bytes; }
  void take_more(std::size_t bytes) {
    room_left_ += bytes;
    room_.set();
  }
  void break_writes() { broken_ = true; }
  bool is_closed() const { return closed_; }
  bool is_read_from() const { return reader_ != nullptr; }

  std::string written;
  int writes = 0;

 private:
  class Transport final : public async::StreamTransport {
   public:
    explicit Transport(Wire& wire) : StreamTransport(wire.loop_), wire_(wire) {}
    ~Transport() override {
      wire_.closed_ = true;
      wire_.reader_ = nullptr;
    }
    bool read(async::StreamReader& reader) override {
      if (wire_.to_read_.empty() && !wire_.ended_) {
        wire_.reader_ = &reader;
        return false;
      }
      wire_.fill(reader);
      return true;
    }
    void stop_reading() noexcept override { wire_.reader_ = nullptr; }
    std::size_t try_write(std::span<const std::byte> bytes) override {
      if (wire_.broken_) throw async::IoError(-EPIPE, "write to the connection");
      ++wire_.writes;
      return wire_.take(async::text_of(bytes));
    }
    async::Task<> write(std::string bytes) override {
      while (true) {
        bytes.erase(0, wire_.take(bytes));
        if (bytes.empty()) co_return;
        wire_.room_.clear();
        co_await wire_.room_;
        if (wire_.broken_) throw async::IoError(-EPIPE, "write to the connection");
      }
    }
    async::Task<> shutdown() override { co_return; }
    std::string peer() const override { return "the test"; }

   private:
    Wire& wire_;
  };

  void wake() {
    if (reader_ == nullptr) return;
    async::StreamReader& reader = *std::exchange(reader_, nullptr);
    fill(reader);
    loop_.make_ready(reader.ready);
  }
  void fill(async::StreamReader& reader) {
    lent_ = std::exchange(to_read_, {});
    reader.bytes = async::bytes_of(lent_);
  }
  std::size_t take(std::string_view bytes) {
    const std::size_t size = std::min(bytes.size(), room_left_);
    room_left_ -= size;
    written += bytes.substr(0, size);
    return size;
  }

  async::Loop& loop_;
  async::Event room_;
  async::StreamReader* reader_ = nullptr;
  std::string to_read_;
  std::string lent_;
  std::size_t room_left_ = static_cast<std::size_t>(-1);
  bool ended_ = false;
  bool broken_ = false;
  bool closed_ = false;
};

inline std::string framed(const std::string& body) {
  std::string bytes;
  std::uint8_t* const place = append_frame_space(bytes, body.size());
  std::copy(body.begin(), body.end(), place);
  return bytes;
}

inline std::string framed(const google::protobuf::MessageLite& message) {
  return framed(message.SerializeAsString());
}

inline v1::Request echo_request(std::uint64_t id, const std::string& text,
                                std::uint32_t time_left_ms = 0) {
  test::v1::EchoRequest body;
  body.set_text(text);
  v1::Request request;
  request.set_id(id);
  request.set_method("test.v1.EchoService/Echo");
  request.set_body(body.SerializeAsString());
  request.set_time_left_ms(time_left_ms);
  return request;
}

inline v1::Request count_request(std::uint64_t id, std::uint32_t to, std::uint32_t padding = 0) {
  test::v1::CountRequest body;
  body.set_to(to);
  body.set_padding(padding);
  v1::Request request;
  request.set_id(id);
  request.set_method("test.v1.EchoService/Count");
  request.set_body(body.SerializeAsString());
  return request;
}

inline v1::Request cancel_request(std::uint64_t id) {
  v1::Request request;
  request.set_id(id);
  request.set_cancel(true);
  return request;
}

// Whole messages that were written to the wire since the last time, in order.
template <typename Message>
std::vector<Message> take_messages(Wire& wire) {
  std::vector<Message> messages;
  FrameReader reader;
  const auto collect = [&messages](const Frame& frame) {
    EXPECT_TRUE(messages.emplace_back().ParseFromArray(frame.body.data(),
                                                       static_cast<int>(frame.body.size())));
    return true;
  };
  reader.feed(async::bytes_of(wire.written), collect);
  EXPECT_FALSE(reader.is_partial());
  wire.written.clear();
  return messages;
}

// "1 OK hello", "2 NOT_FOUND", "3 ... number 4", "3 OK".
inline std::string summary(const v1::Response& response) {
  std::string text = std::to_string(response.id());
  if (response.more()) {
    test::v1::CountResponse body;
    body.ParseFromString(response.body());
    return text + " ... number " + std::to_string(body.number());
  }
  text.append(" ").append(name(status_code(response.code())));
  test::v1::EchoResponse body;
  if (!response.body().empty() && body.ParseFromString(response.body()))
    text.append(" " + body.text());
  return text;
}

inline std::vector<std::string> take_summaries(Wire& wire) {
  std::vector<std::string> texts;
  for (const v1::Response& response : take_messages<v1::Response>(wire)) {
    texts.push_back(summary(response));
  }
  return texts;
}

// Answers at once; "wait ..." when the test lets it, "throw ..." by throwing, "refuse ..." by a
// status of its own.
class EchoService {
 public:
  explicit EchoService(async::Loop& loop) : loop_(loop) {}

  async::Task<test::v1::EchoResponse> echo(const test::v1::EchoRequest& request, Context context) {
    last_context.emplace(context);
    has_unknown_fields = !request.GetReflection()->GetUnknownFields(request).empty();
    const std::string& text = request.text();
    if (text.starts_with("break")) throw async::Fatal("the disk is gone");
    if (text.starts_with("throw")) throw std::runtime_error("the vault is on fire");
    if (text.starts_with("refuse")) throw Error(StatusCode::not_found, "nothing is called so");
    if (text.starts_with("wait")) {
      async::Promise<> promise(loop_);
      async::Future<> future = promise.future();
      waiting.insert_or_assign(text, std::move(promise));
      co_await future;
      finished.push_back(text + (context.is_abandoned() ? " alone" : ""));
    }
    if (text.starts_with("late throw")) co_await loop_.sleep_for(60s);
    test::v1::EchoResponse response;
    response.set_text(text);
    response.set_padding(std::string(request.padding(), 'x'));
    co_return response;
  }

  // Counts from 1; 0: for ever.
  async::Task<> count(test::v1::CountRequest request, Context,
                      Writer<test::v1::CountResponse> writer) {
    struct Leaving {
      int& left;
      ~Leaving() { ++left; }
    };
    const Leaving leaving{streams_left};
    test::v1::CountResponse response;
    response.set_padding(std::string(request.padding(), 'x'));
    for (std::uint32_t i = 1; request.to() == 0 || i <= request.to(); ++i) {
      response.set_number(i);
      counted = i;
      co_await writer.write(response);
      if (request.to() == 1000) co_await loop_.sleep_for(1s);
    }
  }

  void let_go(const std::string& text) { waiting.extract(text).mapped().set(); }

  std::map<std::string, async::Promise<>> waiting;
  std::vector<std::string> finished;
  std::optional<Context> last_context;
  bool has_unknown_fields = false;
  std::uint32_t counted = 0;
  int streams_left = 0;

 private:
  async::Loop& loop_;
};

class RecordingObserver : public ServerObserver {
 public:
  void call_ended(const CallRecord& record) override {
    calls.push_back(std::string(record.method) + " " + std::string(name(record.code)));
  }
  void handler_failed(const CallRecord& record) override { failures.emplace_back(record.error); }
  void connection_closed(std::string_view, std::string_view why) override {
    closed.emplace_back(why);
  }

  std::vector<std::string> calls;
  std::vector<std::string> failures;
  std::vector<std::string> closed;
};

// A server with an EchoService, and one connection to it.
class ServerTest : public testing::Test {
 protected:
  void start(const ServerLimits& limits = {}) {
    server.emplace(loop, limits, observer);
    server->handle<&EchoService::echo>("test.v1.EchoService/Echo", service);
    server->handle<&EchoService::count>("test.v1.EchoService/Count", service);
    server->serve(wire.stream());
    loop.settle();
  }

  // What the server says to these bytes without time passing.
  std::vector<std::string> answers(const std::string& bytes) {
    wire.send(bytes);
    loop.settle();
    return take_summaries(wire);
  }
  std::vector<std::string> answers(const v1::Request& request) { return answers(framed(request)); }
  std::vector<std::string> answers_after(async::Duration duration) {
    loop.advance(duration);
    return take_summaries(wire);
  }

  async::ManualLoop loop;
  Wire wire{loop};
  EchoService service{loop};
  RecordingObserver observer;
  std::optional<Server> server;
};

}  // namespace rpc
