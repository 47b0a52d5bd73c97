// Transports: one echo over TCP and over a Unix socket, datagrams over UDP, a child process, and
// back-pressure to watch.

#include <chrono>
#include <iostream>
#include <string>
#include <unistd.h>
#include <utility>

#include "async/datagram.h"
#include "async/process.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using namespace std::chrono_literals;
using async::Datagram;
using async::DatagramSocket;
using async::Endpoint;
using async::ExitStatus;
using async::Listener;
using async::Process;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<> echo(Listener listener) {
  Stream stream = co_await listener.accept();
  while (true) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) co_return;  // The end of the stream is a value, not an error.
    co_await stream.write(bytes);
  }
}

Task<> talk(UvLoop* loop, std::string text, Endpoint where) {
  Listener listener = loop->listen(where);
  const Endpoint server = listener.local();
  TaskScope scope(*loop);
  scope.spawn(echo(std::move(listener)));
  Stream stream = co_await loop->connect(server);
  co_await stream.write(text);
  co_await stream.shutdown();  // We have no more to say; the echo sees the end.
  std::cout << co_await stream.read_all(100) << '\n';
}

Task<> send_datagram(UvLoop* loop) {
  DatagramSocket one(*loop, Endpoint::parse("127.0.0.1:0"));
  DatagramSocket other(*loop, Endpoint::parse("127.0.0.1:0"));
  co_await one.send("a datagram", other.local());
  const Datagram message = co_await other.receive();
  std::cout << message.bytes << ", from " << message.sender.text() << '\n';
}

Task<> run_children(UvLoop* loop) {
  Process cat(*loop, {.command = {"cat"}});
  co_await cat.input().write("through a child");
  cat.input().close();
  std::cout << co_await cat.output().read_all(100) << ", pid " << cat.pid();
  ExitStatus status = co_await cat.wait();
  std::cout << ", exit status " << status.code << '\n';

  Process sleeper(*loop, {.command = {"sleep", "1000"}});
  sleeper.terminate();  // SIGTERM. For one that does not listen: kill().
  status = co_await sleeper.wait();
  std::cout << "another ended by signal " << status.signal << '\n';
}

constexpr std::size_t everything = 64 * 1024 * 1024;

Task<> write_everything(Stream stream, std::size_t* written) {
  while (*written < everything) {
    co_await stream.write(std::string(64 * 1024, '.'));  // Waits while nobody reads.
    *written += 64 * 1024;
  }
}

Task<> read_everything(Stream* stream) {
  std::span<const std::byte> bytes;
  do bytes = co_await stream->read_some();
  while (!bytes.empty());
}

Task<> watch_back_pressure(UvLoop* loop) {
  Listener listener = loop->listen(Endpoint::parse("127.0.0.1:0"));
  Stream near = co_await loop->connect(listener.local());
  Stream far = co_await listener.accept();
  far.pause_reading();
  std::size_t written = 0;
  TaskScope scope(*loop);
  scope.spawn(write_everything(std::move(near), &written));
  scope.spawn(read_everything(&far));
  for (std::size_t before = 1; before != written; co_await loop->sleep_for(50ms)) before = written;
  std::cout << "reading is paused: the writer waits after " << written / 1024 << " KiB\n";
  far.resume_reading();
  co_await scope.join();
  std::cout << "reading is resumed: it wrote all " << written / 1024 << " KiB\n";
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(talk(&loop, "over TCP", Endpoint::parse("127.0.0.1:0")));
  const std::string path = "/tmp/tour-" + std::to_string(::getpid());
  loop.run(talk(&loop, "over a Unix socket", Endpoint::parse("unix:" + path)));
  loop.run(send_datagram(&loop));
  loop.run(run_children(&loop));
  loop.run(watch_back_pressure(&loop));
}
