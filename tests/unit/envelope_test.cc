// The envelope's hand-written reader and writer against the generated code.

#include "rpc/envelope.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include "async/stream.h"
#include "rpc/frame.h"
#include "rpc/quiet.h"
#include "rpc/v1/envelope.pb.h"
#include "rpc/v1/health.pb.h"

namespace rpc::detail {
namespace {

std::string body_of(const std::string& frame) { return frame.substr(frame_header_size); }

std::string random_text(std::mt19937& random, std::size_t size_max) {
  std::string text(random() % (size_max + 1), 'x');
  for (char& c : text) c = static_cast<char>(' ' + random() % 90);
  return text;
}

v1::Request random_request(std::mt19937& random) {
  v1::Request request;
  if (random() % 4 != 0)
    request.set_id(random() % 3 == 0 ? random() * 4'294'967'296u : random() % 300);
  if (random() % 4 != 0) request.set_method(random_text(random, 40));
  if (random() % 4 != 0) request.set_body(random_text(random, 200));
  if (random() % 4 != 0) request.set_time_left_ms(static_cast<std::uint32_t>(random()));
  if (random() % 4 != 0) request.set_traceparent(random_text(random, 55));
  if (random() % 4 == 0) request.set_cancel(true);
  return request;
}

void expect_same(const std::string& bytes) {
  v1::Request request;
  const bool is_request = request.ParseFromString(bytes);
  const std::optional<RequestView> view = read_request(async::bytes_of(bytes));
  ASSERT_EQ(view.has_value(), is_request) << testing::PrintToString(bytes);
  if (is_request) {
    EXPECT_EQ(view->id, request.id());
    EXPECT_EQ(view->method, request.method());
    EXPECT_EQ(view->body, request.body());
    EXPECT_EQ(view->time_left_ms, request.time_left_ms());
    EXPECT_EQ(view->traceparent, request.traceparent());
    EXPECT_EQ(view->cancel, request.cancel());
  }
  v1::Response response;
  const bool is_response = response.ParseFromString(bytes);
  const std::optional<ResponseView> seen = read_response(async::bytes_of(bytes));
  ASSERT_EQ(seen.has_value(), is_response) << testing::PrintToString(bytes);
  if (is_response) {
    EXPECT_EQ(seen->id, response.id());
    EXPECT_EQ(seen->code, response.code());
    EXPECT_EQ(seen->message, response.message());
    EXPECT_EQ(seen->body, response.body());
    EXPECT_EQ(seen->has_body, response.has_body());
    EXPECT_EQ(seen->more, response.more());
  }
}

class EnvelopeTest : public testing::Test {
 protected:
  EnvelopeTest() { silence_protobuf(); }
  std::mt19937 random{11};
};

TEST_F(EnvelopeTest, ARequestReadsAsTheGeneratedCodeReadsIt) {
  for (int i = 0; i < 2000; ++i) expect_same(random_request(random).SerializeAsString());
}

TEST_F(EnvelopeTest, ADamagedRequestReadsAsTheGeneratedCodeReadsIt) {
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes = random_request(random).SerializeAsString();
    if (bytes.empty()) continue;
    for (auto flips = random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 1));
    expect_same(bytes);
  }
}

TEST_F(EnvelopeTest, GarbageReadsAsTheGeneratedCodeReadsIt) {
  for (int i = 0; i < 50'000; ++i) {
    std::string bytes(random() % 12, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() % (i % 2 == 0 ? 256 : 64));
    expect_same(bytes);
  }
}

TEST_F(EnvelopeTest, TextThatIsNotUtf8IsNoRequest) {
  EXPECT_FALSE(read_request(async::bytes_of("\x12\x02\xc3\x28")));
  EXPECT_TRUE(read_request(async::bytes_of("\x12\x02\xc3\xa4")));
  EXPECT_TRUE(read_request(async::bytes_of("\x1a\x02\xc3\x28")));  // The body is bytes.
}

TEST_F(EnvelopeTest, ARequestIsWrittenAsTheGeneratedCodeWritesIt) {
  for (int i = 0; i < 500; ++i) {
    v1::Request expected = random_request(random);
    v1::CheckRequest body;
    body.set_service(random_text(random, 300));
    expected.set_body(body.SerializeAsString());
    RequestView head{.id = expected.id(),
                     .method = expected.method(),
                     .body = {},
                     .time_left_ms = expected.time_left_ms(),
                     .traceparent = expected.traceparent(),
                     .cancel = expected.cancel()};
    std::string frame;
    ASSERT_TRUE(append_request(frame, head, body));
    EXPECT_EQ(body_of(frame), expected.SerializeAsString());
  }
}

TEST_F(EnvelopeTest, AResponseIsWrittenAsTheGeneratedCodeWritesIt) {
  for (int i = 0; i < 500; ++i) {
    v1::CheckRequest body;
    body.set_service(random_text(random, 300));
    v1::Response expected;
    expected.set_id(random());
    expected.set_body(body.SerializeAsString());
    expected.set_more(i % 2 == 0);
    std::string frame;
    ASSERT_TRUE(append_response(frame, expected.id(), body, expected.more()));
    EXPECT_EQ(body_of(frame), expected.SerializeAsString());
  }
}

TEST_F(EnvelopeTest, AResponseThatDoesNotFitIsNotWritten) {
  v1::CheckRequest body;
  body.set_service(std::string(65'520, 'x'));
  std::string frame;
  EXPECT_TRUE(append_response(frame, 1, body, false));
  frame.clear();
  body.mutable_service()->append(16, 'x');
  EXPECT_FALSE(append_response(frame, 1, body, false));
  EXPECT_EQ(frame, "");
}

TEST_F(EnvelopeTest, AStatusAlwaysFits) {
  std::string frame;
  append_status(frame, 7, StatusCode::internal, std::string(100'000, 'x'));
  v1::Response response;
  ASSERT_TRUE(response.ParseFromString(body_of(frame)));
  EXPECT_EQ(response.id(), 7);
  EXPECT_EQ(response.code(), 13);
  EXPECT_EQ(response.message().size(), 1024);
}

TEST_F(EnvelopeTest, AStatusIsAlwaysText) {
  std::string frame;
  append_status(frame, 0, StatusCode::invalid_argument, "a\xc3(b");
  v1::Response response;
  ASSERT_TRUE(response.ParseFromString(body_of(frame)));
  EXPECT_EQ(response.message(), "a?(b");
}

}  // namespace
}  // namespace rpc::detail
