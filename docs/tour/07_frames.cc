// Why a stream needs lengths, what two bytes of length do, and please add 3 and 4.

#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <utility>

#include "adder/client.h"
#include "adder/server.h"
#include "async/stream.h"
#include "async/uv_loop.h"
#include "rpc/frame.h"

using namespace std::chrono_literals;
using adder::v1::AddRequest;
using adder::v1::AddResponse;
using async::Endpoint;
using async::Listener;
using async::Stream;
using async::Task;
using async::UvLoop;

namespace {

AddRequest please_add(int left, int right) {
  AddRequest request;
  request.set_left(left);
  request.set_right(right);
  return request;
}

Task<> without_lengths(UvLoop* loop) {
  std::pair<Stream, Stream> ends = async::memory_stream_pair(*loop);
  co_await ends.first.write("please add 3 and 4");
  co_await ends.first.write("please add 5 and 6");
  const std::span<const std::byte> bytes = co_await ends.second.read_some();
  std::cout << "two writes, one read: " << async::text_of(bytes) << '\n';
}

void with_lengths() {
  std::string bytes;
  rpc::append_frame(bytes, please_add(3, 4));
  rpc::append_frame(bytes, please_add(5, 6));
  const char* space = "";
  for (const char byte : bytes) {
    std::printf("%s%02x", std::exchange(space, " "), static_cast<unsigned char>(byte));
  }
  std::printf("\n");

  const auto on_frame = [](const rpc::Frame& frame) {
    AddRequest request;
    if (request.ParseFromArray(frame.body.data(), static_cast<int>(frame.body.size()))) {
      std::printf("a whole frame: add %d and %d\n", static_cast<int>(request.left()),
                  static_cast<int>(request.right()));
    }
    return true;  // Go on with the next one.
  };
  // However the bytes arrive: here, one by one.
  rpc::FrameReader frames;
  for (const std::byte byte : async::bytes_of(bytes)) frames.feed({&byte, 1}, on_frame);
  std::fflush(stdout);
}

Task<> ask_an_adder(UvLoop* loop) {
  Listener listener = loop->listen(Endpoint::parse("127.0.0.1:0"));
  const Endpoint where = listener.local();
  adder::Server server(*loop);
  server.serve(std::move(listener));
  const AddResponse response = co_await adder::ask(*loop, where, please_add(3, 4), loop->in(5s));
  std::cout << "3 + 4 = " << response.sum() << '\n';
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(without_lengths(&loop));
  with_lengths();
  loop.run(ask_an_adder(&loop));
}
