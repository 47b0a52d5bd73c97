// A Protocol of three callbacks over a Stream in a dozen lines, to show what the coroutine saves.

#include <iostream>
#include <string>
#include <string_view>
#include <utility>

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

class Protocol {
 public:
  virtual ~Protocol() = default;
  virtual void connection_made(Stream& transport) = 0;
  virtual void data_received(std::string_view data) = 0;
  virtual void connection_lost() = 0;
};

Task<> run(Stream transport, Protocol* protocol) {
  protocol->connection_made(transport);
  while (true) {
    const std::span<const std::byte> data = co_await transport.read_some();
    if (data.empty()) break;
    protocol->data_received(async::text_of(data));
  }
  protocol->connection_lost();
}

// With callbacks, where one is in the conversation is a variable that one must keep.
class Greeter final : public Protocol {
 public:
  void connection_made(Stream& transport) override { transport_ = &transport; }
  void data_received(std::string_view data) override {
    received_ += data;
    if (!received_.ends_with('\n')) return;  // Only a part of a line.
    received_.pop_back();
    if (name_.empty()) {
      name_ = received_;
      transport_->try_write(async::bytes_of("And where from?\n"));
    } else {
      const std::string welcome = "Welcome, " + name_ + " from " + received_ + "!\n";
      transport_->try_write(async::bytes_of(welcome));
    }
    received_.clear();
  }
  void connection_lost() override { std::cout << "(by callbacks)\n"; }

 private:
  Stream* transport_ = nullptr;
  std::string received_;
  std::string name_;
};

Task<std::string> ask(Stream* stream, std::string question) {
  co_await stream->write(question);
  std::string line = co_await stream->read_line(1000);
  line.pop_back();
  co_return line;
}

// With a coroutine, where one is in the conversation is where one is in the function.
Task<> greet(Stream stream) {
  const std::string name = co_await ask(&stream, "");
  const std::string place = co_await ask(&stream, "And where from?\n");
  co_await stream.write("Welcome, " + name + " from " + place + "!\n");
  std::cout << "(by a coroutine)\n";
}

Task<> visit(UvLoop* loop, Endpoint server) {
  Stream stream = co_await loop->connect(server);
  co_await stream.write("Jane\n");
  co_await stream.read_line(1000);
  co_await stream.write("Melbourne\n");
  std::cout << co_await stream.read_line(1000);
}

Task<> greet_two(UvLoop* loop) {
  Listener listener = loop->listen(Endpoint::parse("127.0.0.1:0"));
  TaskScope visitors(*loop);
  Greeter greeter;
  visitors.spawn(visit(loop, listener.local()));
  co_await run(co_await listener.accept(), &greeter);
  visitors.spawn(visit(loop, listener.local()));
  co_await greet(co_await listener.accept());
  co_await visitors.join();
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(greet_two(&loop));
}
