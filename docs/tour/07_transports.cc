// Transports: the same echo over TCP and over a Unix socket, datagrams over UDP, a child process, and back-pressure to watch.

#include <cstdio>
#include <string>
#include <unistd.h>

#include "async/datagram.h"
#include "async/process.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using async::Endpoint;
using async::Listener;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<> echo(Stream stream) {
  while (true) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) co_return;  // The end of the stream is a value, not an error.
    co_await stream.write(bytes);
  }
}

Task<> serve(Listener listener, TaskScope* connections) {
  while (true) {
    Stream stream = co_await listener.accept();
    connections->spawn(echo(std::move(stream)));
  }
}

Task<> talk(UvLoop* loop, std::string name, Endpoint where) {
  TaskScope scope(*loop);
  Listener listener = loop->listen(where);
  const Endpoint server = listener.local();
  scope.spawn(serve(std::move(listener), &scope));
  Stream stream = co_await loop->connect(server);
  co_await stream.write("hello over " + name);
  co_await stream.shutdown();
  const std::string answer = co_await stream.read_all(100);
  std::printf("%s\n", answer.c_str());
}

Task<> send_datagram(UvLoop* loop) {
  async::DatagramSocket one(*loop, Endpoint::parse("127.0.0.1:0"));
  async::DatagramSocket other(*loop, Endpoint::parse("127.0.0.1:0"));
  co_await one.send("hello over UDP", other.local());
  const async::Datagram message = co_await other.receive();
  std::printf("%s\n", message.bytes.c_str());
}

Task<> run_child(UvLoop* loop) {
  async::ProcessOptions options{.command = {"cat"}};
  async::Process cat(*loop, options);
  co_await cat.input().write(std::string("hello through a child"));
  cat.input().close();
  const std::string answer = co_await cat.output().read_all(100);
  const async::ExitStatus status = co_await cat.wait();
  std::printf("%s, which had a pid: %s, and exited with %d\n", answer.c_str(),
              cat.pid() > 0 ? "yes" : "no", status.code);

  async::Process stubborn(*loop, options);
  stubborn.terminate();  // SIGTERM; kill() is SIGKILL.
  const async::ExitStatus ended = co_await stubborn.wait();
  std::printf("another was ended by signal %d\n", ended.signal);
}

Task<> write_a_lot(Stream* stream, std::size_t* written) {
  while (*written < 16 * 1024 * 1024) {
    co_await stream->write(std::string(64 * 1024, '.'));  // Waits while the reader does not read.
    *written += 64 * 1024;
  }
}

Task<> watch_back_pressure(UvLoop* loop) {
  std::pair<Stream, Stream> ends = memory_stream_pair(*loop, 256 * 1024);
  std::size_t written = 0;
  TaskScope scope(*loop);
  scope.spawn(write_a_lot(&ends.first, &written));
  co_await loop->yield();
  std::printf("nobody reads: the writer stopped at %zu KiB\n", written / 1024);
  std::size_t read = 0;
  while (read < 16 * 1024 * 1024) {
    const std::span<const std::byte> bytes = co_await ends.second.read_some();
    read += bytes.size();
  }
  co_await scope.join();
  std::printf("somebody reads: it wrote all %zu KiB\n", written / 1024);
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(talk(&loop, "TCP", Endpoint::parse("127.0.0.1:0")));
  loop.run(talk(&loop, "a Unix socket",
                Endpoint::parse("unix:/tmp/tour-" + std::to_string(::getpid()))));
  loop.run(send_datagram(&loop));
  loop.run(run_child(&loop));
  loop.run(watch_back_pressure(&loop));
}
