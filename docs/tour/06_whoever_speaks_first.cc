// Waiting for several inputs at once: standard input, a pipe from a child, and a socket, whichever speaks first.

#include <cstdio>
#include <string>

#include "async/process.h"
#include "async/scope.h"
#include "async/standard_input.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using async::Process;
using async::ProcessOptions;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

// One task an input. None of them knows of the others, and none of them blocks.
Task<> listen_to(std::string name, Stream stream) {
  while (true) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) break;
    std::printf("%s says: %.*s", name.c_str(), static_cast<int>(bytes.size()),
                reinterpret_cast<const char*>(bytes.data()));
  }
  std::printf("%s has nothing more to say\n", name.c_str());
}

Task<> greet(UvLoop* loop, async::Endpoint door) {
  Stream stream = co_await loop->connect(door);
  co_await loop->sleep_for(std::chrono::milliseconds(20));
  co_await stream.write(std::string("good evening\n"));
}

Task<> listen_to_all(UvLoop* loop) {
  TaskScope scope(*loop);
  scope.spawn(listen_to("the terminal", standard_input(*loop)));

  ProcessOptions options{.command = {"sh", "-c", "sleep 0.01; echo good morning"}};
  Process child(*loop, options);
  scope.spawn(listen_to("the pipe", std::move(child.output())));

  async::Listener door = loop->listen(async::Endpoint::parse("127.0.0.1:0"));
  scope.spawn(greet(loop, door.local()));
  Stream visitor = co_await door.accept();
  scope.spawn(listen_to("the socket", std::move(visitor)));

  co_await scope.join();
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(listen_to_all(&loop));
}
