// What debug mode sees. Run it with LOOP_DEBUG=1 and the name of a mistake.

#include <chrono>
#include <csignal>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string_view>

#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using namespace std::chrono_literals;
using async::Endpoint;
using async::Listener;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<> shuffle_notes(UvLoop* loop) {
  co_await loop->yield();
  const auto end = std::chrono::steady_clock::now() + 150ms;
  while (std::chrono::steady_clock::now() < end) continue;  // Everybody else waits.
}

Task<> rehearse(UvLoop* loop) { co_await shuffle_notes(loop); }

Task<> sing(UvLoop* loop) { co_await loop->sleep_for(1h); }

Task<> forget_to_sing(UvLoop* loop) {
  const Task<> song = sing(loop);  // Made, and never awaited: not a note is heard.
  co_await loop->yield();
}

Task<> break_a_string(UvLoop* loop) {
  co_await loop->yield();
  throw std::runtime_error("the e string broke");
}

Task<> play(UvLoop* loop) {
  TaskScope orchestra(*loop);  // Has nobody who takes errors.
  orchestra.spawn(break_a_string(loop));
  co_await orchestra.join();
}

Task<> give_a_concert(UvLoop* loop) {
  Task<> annie = sing(loop);
  Task<> frank = sing(loop);
  co_await gather(std::move(annie), std::move(frank));
}

Task<> ask_what_goes_on(UvLoop* loop) {
  TaskScope hall(*loop);
  hall.spawn(give_a_concert(loop));
  hall.spawn(sing(loop));
  std::raise(SIGUSR1);  // As `kill -USR1 PID` from another terminal would.
  co_await loop->sleep_for(20ms);
}

void leave_the_door_open() {
  auto loop = std::make_unique<UvLoop>();
  const Listener door = loop->listen(Endpoint::parse("127.0.0.1:0"));
  loop.reset();  // Before the door.
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mistake = argc > 1 ? argv[1] : "";
  UvLoop loop;
  try {
    if (mistake == "slow") loop.run(rehearse(&loop));
    if (mistake == "forgotten") loop.run(forget_to_sing(&loop));
    if (mistake == "error") loop.run(play(&loop));
    if (mistake == "open") leave_the_door_open();
    if (mistake == "tree") loop.run(ask_what_goes_on(&loop));
  } catch (const std::exception& error) {
    std::cout << "the loop ended: " << error.what() << '\n';
  }
}
