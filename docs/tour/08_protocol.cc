// A Protocol of three callbacks over a Stream in a dozen lines, to show what the coroutine saves.

#include <cstdio>
#include <string>
#include <string_view>

#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using async::Listener;
using async::Stream;
using async::Task;
using async::UvLoop;

namespace {

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual void connection_made(Stream& stream) = 0;
  virtual void data_received(std::string_view bytes) = 0;
  virtual void connection_lost() = 0;
};

Task<> run_protocol(Stream stream, Protocol* protocol) {
  protocol->connection_made(stream);
  while (true) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) break;
    protocol->data_received(async::text_of(bytes));
  }
  protocol->connection_lost();
}

// With callbacks, where one is in the conversation is a variable that one must keep.
class CallbackGreeter final : public Protocol {
 public:
  void connection_made(Stream& stream) override { stream_ = &stream; }
  void data_received(std::string_view bytes) override {
    received_ += bytes;
    if (!received_.ends_with('\n')) return;
    if (name_.empty()) {
      name_ = received_.substr(0, received_.size() - 1);
      stream_->try_write(async::bytes_of("and where from? "));
    } else {
      const std::string answer = "welcome, " + name_ + " from " + received_;
      stream_->try_write(async::bytes_of(answer));
    }
    received_.clear();
  }
  void connection_lost() override { std::puts("by callbacks: done"); }

 private:
  Stream* stream_ = nullptr;
  std::string received_;
  std::string name_;
};

Task<std::string> read_line(Stream* stream) {
  std::string line;
  std::byte next{};
  const std::span<std::byte> one(&next, 1);
  while (co_await stream->read(one) == 1) {
    if (next == std::byte{'\n'}) break;
    line += static_cast<char>(next);
  }
  co_return line;
}

// With a coroutine, where one is in the conversation is where one is in the function.
Task<> greet(Stream stream) {
  const std::string name = co_await read_line(&stream);
  co_await stream.write(std::string("and where from? "));
  const std::string place = co_await read_line(&stream);
  co_await stream.write("welcome, " + name + " from " + place + "\n");
  std::puts("by a coroutine: done");
}

Task<> visit(UvLoop* loop, async::Endpoint server) {
  Stream stream = co_await loop->connect(server);
  co_await stream.write(std::string("Jane\n"));
  co_await stream.read_some();
  co_await stream.write(std::string("Melbourne\n"));
  const std::span<const std::byte> answer = co_await stream.read_some();
  std::printf("%.*s", static_cast<int>(answer.size()),
              reinterpret_cast<const char*>(answer.data()));
}

Task<> show(UvLoop* loop) {
  Listener listener = loop->listen(async::Endpoint::parse("127.0.0.1:0"));
  const async::Endpoint server = listener.local();
  {
    async::TaskScope scope(*loop);
    scope.spawn(visit(loop, server));
    CallbackGreeter greeter;
    Stream stream = co_await listener.accept();
    co_await run_protocol(std::move(stream), &greeter);
    co_await scope.join();
  }
  async::TaskScope scope(*loop);
  scope.spawn(visit(loop, server));
  Stream stream = co_await listener.accept();
  co_await greet(std::move(stream));
  co_await scope.join();
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(show(&loop));
}
