#include "adder/client.h"

#include <optional>
#include <string>
#include <utility>

#include "async/scope.h"
#include "async/stream.h"
#include "ops/failure.h"
#include "rpc/frame.h"
#include "rpc/quiet.h"

namespace adder {

namespace {

async::Task<v1::AddResponse> exchange(async::Loop* loop, async::Endpoint endpoint,
                                      v1::AddRequest request) {
  const std::string name = endpoint.text();
  async::Stream stream = co_await loop->connect(std::move(endpoint));
  std::string question;
  rpc::append_frame(question, request);
  async::Task<> write = stream.write(std::move(question));
  co_await write;

  rpc::FrameReader frames;
  std::optional<v1::AddResponse> response;
  bool is_answer = true;
  const auto parse = [&](const rpc::Frame& frame) {
    const auto size = static_cast<int>(frame.body.size());
    const bool is_parsed = response.emplace().ParseFromArray(frame.body.data(), size);
    // What a server of another protocol says may well begin as an answer does.
    is_answer = is_parsed && response->GetReflection()->GetUnknownFields(*response).empty();
    return false;
  };
  while (!response) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) {
      throw ops::Failure(ops::ExitCode::unavailable,
                         name + " closed the connection without an answer");
    }
    frames.feed(bytes, parse);
  }
  if (!is_answer)
    throw ops::Failure(ops::ExitCode::protocol, name + " answered, but not as an adder");
  co_return *std::move(response);
}

}  // namespace

async::Task<v1::AddResponse> ask(async::Loop& loop, async::Endpoint endpoint,
                                 v1::AddRequest request, async::Deadline deadline) {
  rpc::detail::silence_protobuf();
  const std::string name = endpoint.text();
  async::Task<v1::AddResponse> asking = exchange(&loop, std::move(endpoint), std::move(request));
  std::optional<v1::AddResponse> response =
      co_await async::with_deadline(loop, deadline, std::move(asking));
  if (!response) throw ops::Failure(ops::ExitCode::unavailable, name + " did not answer in time");
  co_return *std::move(response);
}

}  // namespace adder
