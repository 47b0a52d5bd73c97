#include "adder/server.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "rpc/frame.h"
#include "rpc/quiet.h"

namespace adder {

namespace {

// How long to wait after a failed accept, such as for want of file descriptors.
constexpr async::Duration accept_again_after = std::chrono::milliseconds(100);

// The requests that a piece of the stream completes.
struct Requests {
  std::vector<v1::AddRequest> whole;
  bool has_garbage = false;
};

Requests cut(rpc::FrameReader& frames, std::span<const std::byte> bytes) {
  Requests requests;
  const auto parse = [&requests](const rpc::Frame& frame) {
    const auto size = static_cast<int>(frame.body.size());
    v1::AddRequest& request = requests.whole.emplace_back();
    requests.has_garbage = !request.ParseFromArray(frame.body.data(), size);
    if (requests.has_garbage) requests.whole.pop_back();
    return !requests.has_garbage;
  };
  frames.feed(bytes, parse);
  return requests;
}

async::Task<std::string> read(async::Stream* stream) {
  const std::span<const std::byte> bytes = co_await stream->read_some();
  co_return std::string(async::text_of(bytes));
}

}  // namespace

async::Task<v1::AddResponse> add(v1::AddRequest request) {
  v1::AddResponse response;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(request.left(), request.right(), &sum)) {
    response.set_error("the sum does not fit in 64 bits");
  } else {
    response.set_sum(sum);
  }
  co_return response;
}

void Server::serve(async::Listener listener) {
  rpc::detail::silence_protobuf();
  tasks_.spawn(accept_from(std::move(listener)));
}

async::Task<> Server::accept_from(async::Listener listener) {
  while (true) {
    std::optional<async::Stream> stream;
    try {
      stream.emplace(co_await listener.accept());
    } catch (const async::IoError&) {
      // Out of file descriptors, or the caller left already.
    }
    if (!stream) {
      co_await loop_.sleep_for(accept_again_after);
    } else if (tasks_.size() <= connections_max) {  // This task is one of them.
      tasks_.spawn(answer(*std::move(stream)));
    }
  }
}

async::Task<> Server::answer(async::Stream stream) {
  rpc::FrameReader frames;
  std::optional<async::Instant> frame_began;
  try {
    while (true) {
      async::Deadline deadline = async::Deadline::never();
      if (frame_began) deadline = async::Deadline::at(*frame_began + frame_time_max);
      const std::optional<std::string> bytes =
          co_await async::with_deadline(loop_, deadline, read(&stream));
      if (!bytes || bytes->empty()) co_return;

      Requests requests = cut(frames, async::bytes_of(*bytes));
      if (!requests.whole.empty() || !frames.is_partial()) frame_began.reset();
      if (frames.is_partial() && !frame_began) frame_began = loop_.now();

      std::string replies;
      for (v1::AddRequest& request : requests.whole) {
        const v1::AddResponse response = co_await add(std::move(request));
        rpc::append_frame(replies, response);
      }
      // While the caller does not read, nothing more is read from it.
      async::Task<> write = stream.write(std::move(replies));
      const std::optional<std::monostate> written =
          co_await async::with_deadline(loop_, loop_.in(unread_time_max), std::move(write));
      if (!written || requests.has_garbage) co_return;
    }
  } catch (const async::IoError&) {
    // The caller is gone.
  }
}

}  // namespace adder
