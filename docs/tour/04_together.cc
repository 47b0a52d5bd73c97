// Several tasks at once, and what ends a wait.

#include <chrono>
#include <iostream>
#include <optional>
#include <string>

#include "async/scope.h"
#include "async/uv_loop.h"

using namespace std::chrono_literals;
using async::Deadline;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<int> sing(UvLoop* loop, std::string who, std::chrono::milliseconds length) {
  co_await loop->sleep_for(length);
  std::cout << who << " has sung\n";
  co_return static_cast<int>(length.count());
}

// Whatever ends a task, its locals are destroyed, as those of any function.
struct Bow {
  const char* who;
  ~Bow() { std::cout << who << " leaves the stage\n"; }
};

Task<int> sing_forever(UvLoop* loop) {
  const Bow bow("the tenor");
  while (true) co_await loop->sleep_for(1h);
}

Task<> rehearse(UvLoop* loop) { co_await sing_forever(loop); }

Task<> all_of_them(UvLoop* loop) {
  Task<int> slow = sing(loop, "Annie", 40ms);
  Task<int> quick = sing(loop, "Frank", 10ms);
  const auto lengths = co_await gather(std::move(slow), std::move(quick));
  std::cout << "together " << std::get<0>(lengths) + std::get<1>(lengths) << " ms of song\n";
}

Task<> the_first(UvLoop* loop) {
  Task<int> forever = sing_forever(loop);
  Task<int> quick = sing(loop, "Frank", 10ms);
  const auto first = co_await first_of(std::move(forever), std::move(quick));
  std::cout << "number " << first.index() << " was first\n";
}

Task<> until_a_deadline(UvLoop* loop) {
  const Deadline patience = loop->in(10ms);
  const std::optional<int> heard = co_await with_deadline(*loop, patience, sing_forever(loop));
  std::cout << (heard ? "it ended\n" : "nobody waits any longer\n");
}

Task<> cancelled(UvLoop* loop) {
  std::optional<TaskScope> stage(*loop);
  stage->spawn(rehearse(loop));
  std::cout << stage->size() << " task on the stage\n";
  stage.reset();  // Or stage->cancel(), or the end of the block that it is a local of.
  std::cout << "the lights go out\n";
  co_return;
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(all_of_them(&loop));
  loop.run(the_first(&loop));
  loop.run(until_a_deadline(&loop));
  loop.run(cancelled(&loop));
}
