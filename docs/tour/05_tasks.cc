// A duet by tasks: the same as by a future, but in line. Then several at once, and what ends a wait.

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "async/future.h"
#include "async/scope.h"
#include "async/uv_loop.h"

using namespace std::chrono_literals;
using async::Future;
using async::Promise;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<> frank(Promise<std::string> line) {
  line.set("No, you can't.");
  co_return;
}

// Waits for a future: the loop runs Frank meanwhile.
Task<> annie(Future<std::string> franks_line) {
  std::puts("Annie: Whatever you do, I can do it better.");
  const std::string heard = co_await franks_line;
  std::printf("Frank: %s\n", heard.c_str());
  std::puts("Annie: Yes, I can!");
}

// Waits for another task, and returns a result.
Task<int> verse(UvLoop* loop, std::string singer, std::chrono::milliseconds length) {
  co_await loop->sleep_for(length);
  std::printf("%s has sung\n", singer.c_str());
  co_return static_cast<int>(singer.size());
}

struct Bow {
  const char* who;
  ~Bow() { std::printf("%s leaves the stage\n", who); }
};

Task<int> endless_aria(UvLoop* loop) {
  const Bow bow{"the tenor"};
  while (true) co_await loop->sleep_for(10ms);
}

Task<> concert(UvLoop* loop) {
  std::puts("-- a future");
  TaskScope scope(*loop);
  Promise<std::string> line(*loop);
  scope.spawn(annie(line.future()));  // Runs until it waits.
  scope.spawn(frank(std::move(line)));
  co_await scope.join();

  std::puts("-- gather: all of them, side by side");
  Task<int> slow = verse(loop, "Annie", 20ms);
  Task<int> quick = verse(loop, "Frank", 10ms);
  const auto letters = co_await gather(std::move(slow), std::move(quick));
  std::printf("%d and %d letters\n", std::get<0>(letters), std::get<1>(letters));

  std::puts("-- first_of: the others are cancelled where they stand");
  Task<int> short_one = verse(loop, "Frank", 30ms);
  Task<int> long_one = endless_aria(loop);
  const auto first = co_await first_of(std::move(short_one), std::move(long_one));
  std::printf("number %zu was first\n", first.index());

  std::puts("-- a deadline");
  Task<int> aria = endless_aria(loop);
  const async::Deadline patience = loop->in(30ms);
  const std::optional<int> heard = co_await with_deadline(*loop, patience, std::move(aria));
  std::puts(heard ? "it ended" : "nobody waits any longer");

  std::puts("-- a scope: nothing that it owns outlives it");
  {
    TaskScope stage(*loop);
    auto sing = [](UvLoop* where) -> Task<> { co_await endless_aria(where); };
    stage.spawn(sing(loop));
  }
  std::puts("the lights go out");
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(concert(&loop));
}
