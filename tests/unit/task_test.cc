#include "async/task.h"

#include <memory>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "async/future.h"
#include "async/manual_loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

namespace async {
namespace {

class TaskTest : public testing::Test {
 protected:
  ManualLoop loop;
};

Task<int> seven() { co_return 7; }
Task<> broken() {
  throw std::runtime_error("broken");
  co_return;
}

TEST_F(TaskTest, GivesItsResultToWhoAwaitsIt) { EXPECT_EQ(loop.run(seven()), 7); }

TEST_F(TaskTest, ThrowsItsErrorWhereItIsAwaited) {
  EXPECT_THROW(loop.run(broken()), std::runtime_error);
}

TEST_F(TaskTest, RunsNothingBeforeItIsAwaited) {
  bool ran = false;
  auto mark = [](bool* flag) -> Task<> {
    *flag = true;
    co_return;
  };
  {
    Task<> never = mark(&ran);
  }
  EXPECT_FALSE(ran);
}

TEST_F(TaskTest, DestroysItsLocalsWhenItIsCancelled) {
  auto alive = std::make_shared<int>(1);
  auto hold = [](std::shared_ptr<int>, ManualLoop* where) -> Task<> {
    co_await where->sleep_for(std::chrono::hours(1));
  };
  {
    Task<> task = hold(alive, &loop);
    task.await_suspend(std::noop_coroutine());
    EXPECT_EQ(alive.use_count(), 2);
  }
  EXPECT_EQ(alive.use_count(), 1);
  loop.advance(std::chrono::hours(2));  // The timer is gone with it.
}

// Each await would cost a stack frame if it were done by symmetric transfer on g++ without -O2 and
// under every sanitizer.
TEST_F(TaskTest, AwaitsAMillionTasksThatFinishAtOnceOnOneStack) {
  auto count = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await seven();
    co_return sum;
  };
  EXPECT_EQ(loop.run(count()), 7'000'000);
}

Task<> echo(Stream stream) {
  while (true) {
    const std::span<const std::byte> bytes = co_await stream.read_some();
    if (bytes.empty()) co_return;
    co_await stream.write(bytes);
  }
}

Task<std::string> talk(Loop* loop, Listener listener) {
  TaskScope scope(*loop);
  const Endpoint server = listener.local();
  auto serve = [](Listener from, TaskScope* connections) -> Task<> {
    while (true) {
      Stream stream = co_await from.accept();
      connections->spawn(echo(std::move(stream)));
    }
  };
  scope.spawn(serve(std::move(listener), &scope));
  Stream stream = co_await loop->connect(server);
  co_await stream.write(std::string("hello"));
  co_await stream.shutdown();
  co_return co_await stream.read_all(100);
}

TEST_F(TaskTest, TalksInMemory) {
  EXPECT_EQ(loop.run(talk(&loop, loop.listen(Endpoint::parse("server:1")))), "hello");
}

TEST(UvLoopTest, TalksOverTcp) {
  UvLoop loop;
  EXPECT_EQ(loop.run(talk(&loop, loop.listen(Endpoint::parse("127.0.0.1:0")))), "hello");
}

TEST(UvLoopTest, OffloadsToAThreadAndSleeps) {
  UvLoop loop;
  auto work = [](UvLoop* where) -> Task<int> {
    co_await where->sleep_for(std::chrono::milliseconds(2));
    auto add = [] { return 3 + 4; };
    co_return co_await where->offload(add);
  };
  EXPECT_EQ(loop.run(work(&loop)), 7);
}

}  // namespace
}  // namespace async
