// Waiting for several inputs at once: the terminal, a pipe from a child, and a socket, whichever
// speaks first.

#include <iostream>
#include <string>
#include <utility>

#include "async/process.h"
#include "async/scope.h"
#include "async/standard_input.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using async::Endpoint;
using async::Listener;
using async::Process;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

// One task an input. None of them knows of the others, and none of them blocks.
Task<> listen_to(std::string name, Stream stream) {
  while (true) {
    const std::string line = co_await stream.read_line(1000);
    if (line.empty()) break;
    std::cout << name << " says: " << line;
  }
  std::cout << name << " has no more to say\n";
}

// A visitor at the door, who passes a word on to the child when we have listened.
Task<> visit(UvLoop* loop, Endpoint door, Stream child) {
  Stream stream = co_await loop->connect(door);
  co_await stream.write("good evening\n");
  co_await stream.shutdown();
  co_await stream.read_line(1000);  // Ends when the other side closes.
  co_await child.write("good night\n");
}

Task<> listen_to_all(UvLoop* loop) {
  Listener door = loop->listen(Endpoint::parse("127.0.0.1:0"));
  Process cat(*loop, {.command = {"cat"}});
  TaskScope scope(*loop);
  scope.spawn(listen_to("the terminal", standard_input(*loop)));
  scope.spawn(listen_to("the pipe", std::move(cat.output())));
  scope.spawn(visit(loop, door.local(), std::move(cat.input())));
  scope.spawn(listen_to("the socket", co_await door.accept()));
  co_await scope.join();
}

}  // namespace

int main() {
  std::cout << std::unitbuf;  // What is said is seen at once.
  UvLoop loop;
  loop.run(listen_to_all(&loop));
}
