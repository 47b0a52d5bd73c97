#include "async/debug.h"

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "async/debug_names.h"
#include "async/stream.h"
#include "loop_fixture.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::StartsWith;

void compute(Duration time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end) continue;
}

Task<> tune(Loop* loop) { co_await loop->yield(); }

Task<> calculate(Loop* loop, Duration before, Duration after) {
  compute(before);
  co_await loop->yield();
  compute(after);
}

Task<> wait_for(Loop* loop, Duration before, Duration after) {
  co_await calculate(loop, before, after);
}

Task<> snooze(Loop* loop, Duration time) { co_await loop->sleep_for(time); }

Task<> break_a_string(Loop* loop) {
  co_await loop->yield();
  throw std::runtime_error("a string broke");
}

class DebugTest : public testing::Test {
 protected:
  explicit DebugTest(Duration held_max = 1h) : held_max_(held_max) {}

  Duration held_max_;
  // First, so that the loop sees it; it ends last.
  std::vector<std::string> reports;
  DebugMode mode{{.held_max = held_max_,
                  .report = [this](std::string_view text) { reports.emplace_back(text); }}};
  UvLoop loop;
};

// A busy machine may hold the loop, too: these look for one report among others.
class HeldTest : public DebugTest {
 protected:
  HeldTest() : DebugTest(5ms) {}
};

TEST_F(DebugTest, SaysNothingOfAProgramThatDoesNothingWrong) {
  loop.run(wait_for(&loop, 0ms, 0ms));
  auto both = [](UvLoop* where) -> Task<> {
    Task<> quick = tune(where);
    Task<> slow = break_a_string(where);
    co_await first_of(std::move(quick), std::move(slow));
  };
  EXPECT_NO_THROW(loop.run(both(&loop)));
  EXPECT_THROW(loop.run(break_a_string(&loop)), std::runtime_error);
  EXPECT_THAT(reports, IsEmpty());
}

TEST_F(HeldTest, NamesTheTaskThatHeldTheLoopAndWhoAwaitsIt) {
  loop.run(wait_for(&loop, 0ms, 10ms));
  EXPECT_THAT(reports,
              Contains(MatchesRegex("calculate .unit/debug_test.cc:[0-9]+. held the loop for "
                                    "[0-9]+ ms; more than 5 ms are too long\n"
                                    "  awaited by wait_for .unit/debug_test.cc:[0-9]+.")));
}

TEST_F(HeldTest, NamesTheTaskThatTheLoopWasGiven) {
  loop.run(calculate(&loop, 10ms, 0ms));
  EXPECT_THAT(reports, Contains(StartsWith("calculate (unit/debug_test.cc:")));
}

TEST_F(HeldTest, NamesAScopesTaskThatHeldTheLoopBeforeItWaited) {
  TaskScope scope(loop);
  scope.spawn(calculate(&loop, 10ms, 0ms));
  loop.run(scope.join());
  EXPECT_THAT(reports, Contains(StartsWith("calculate (unit/debug_test.cc:")));
}

TEST_F(HeldTest, NamesATaskThatATimerLetGoOn) {
  auto late = [](UvLoop* where) -> Task<> {
    co_await where->sleep_for(1ms);
    compute(10ms);
  };
  loop.run(late(&loop));
  EXPECT_THAT(reports, Contains(StartsWith("a lambda of ")));
}

TEST_F(HeldTest, NamesATaskThatReadForTooLong) {
  auto read = [](Stream* stream) -> Task<> {
    co_await stream->read_some();
    compute(10ms);
  };
  Listener listener = loop.listen(Endpoint::parse("127.0.0.1:0"));
  const Endpoint local = listener.local();
  Task<Stream> connect = loop.connect(local);
  Task<Stream> accept = listener.accept();
  auto ends = loop.run(gather(std::move(connect), std::move(accept)));
  loop.run(std::get<0>(ends).write(std::string("hello")));
  loop.run(read(&std::get<1>(ends)));
  EXPECT_THAT(reports, Contains(HasSubstr("held the loop")));
}

TEST_F(HeldTest, SaysWhereACallbackWasPosted) {
  loop.post([] { compute(10ms); });
  loop.run(turns(&loop, 2));
  EXPECT_THAT(reports, Contains(AllOf(StartsWith("a callback that was posted by "),
                                      HasSubstr("(unit/debug_test.cc:"))));
}

TEST_F(HeldTest, NamesATimerByItsType) {
  struct Alarm : Timer {
    void fired() override { compute(10ms); }
  } alarm;
  alarm.set(loop, loop.now());
  loop.run(turns(&loop, 2));
  EXPECT_THAT(reports, Contains(AllOf(StartsWith("a callback of "), HasSubstr("Alarm"))));
}

TEST_F(DebugTest, ReportsATaskThatWasNeverAwaited) {
  {
    const Task<> forgotten = tune(&loop);
  }
  EXPECT_THAT(reports, ElementsAre(MatchesRegex("a task was never awaited: tune "
                                                ".unit/debug_test.cc:[0-9]+.")));
}

TEST_F(DebugTest, ATaskThatGatherOrFirstOfDoesNotNeedIsNotForgotten) {
  auto now = []() -> Task<> { co_return; };
  auto fail = []() -> Task<> {
    throw std::runtime_error("at once");
    co_return;
  };
  loop.run(first_of(now(), tune(&loop)));
  EXPECT_THROW(loop.run(gather(fail(), tune(&loop))), std::runtime_error);
  std::vector<Task<>> many;
  many.push_back(fail());
  many.push_back(tune(&loop));
  EXPECT_THROW(loop.run(gather(std::move(many))), std::runtime_error);
  EXPECT_THAT(reports, IsEmpty());
}

TEST_F(DebugTest, ReportsAnErrorThatNobodyTook) {
  const auto error = std::make_exception_ptr(std::runtime_error("a string broke"));
  {
    Promise<int> promise(loop);
    {
      const Future<int> dropped = promise.future();
    }
    promise.fail(error);
  }
  EXPECT_THAT(reports, ElementsAre("an error that nobody took, of a future that was dropped: "
                                   "a string broke"));
}

TEST_F(DebugTest, SaysWhichTaskOfAScopeEndedTheLoop) {
  TaskScope scope(loop);
  scope.spawn(break_a_string(&loop));
  EXPECT_THROW(loop.run(scope.join()), std::runtime_error);
  EXPECT_THAT(reports, ElementsAre(MatchesRegex("an error that nobody took, of break_a_string "
                                                ".unit/debug_test.cc:[0-9]+., spawned by .*"
                                                ".unit/debug_test.cc:[0-9]+.: a string broke")));
}

TEST_F(DebugTest, ReportsTheSecondErrorOfALoopThatFails) {
  TaskScope scope(loop);
  loop.fail(std::make_exception_ptr(std::runtime_error("first")));
  loop.fail(std::make_exception_ptr(std::runtime_error("second")));
  EXPECT_THROW(loop.run(turns(&loop, 1)), std::runtime_error);
  EXPECT_THAT(reports, ElementsAre(HasSubstr(": second")));
}

TEST_F(DebugTest, ReportsTheErrorOfWorkThatNobodyWaitsFor) {
  auto work = [] { throw std::runtime_error("in the pool"); };
  {
    const Running<> given_up(loop.offload(work));
  }
  while (reports.empty()) loop.run(turns(&loop, 1));
  EXPECT_THAT(reports, ElementsAre(HasSubstr("nobody waits for: in the pool")));
}

TEST_F(DebugTest, ShowsWhoAwaitsWhom) {
  EXPECT_EQ(live_tasks(), "0 live tasks");
  auto forever = [](UvLoop* where, Duration time) -> Task<> {
    Task<> one = snooze(where, time);
    Task<> two = snooze(where, time);
    co_await gather(std::move(one), std::move(two));
  };
  TaskScope scope(loop);
  scope.spawn(forever(&loop, 1h));
  Task<> unused = tune(&loop);
  loop.run(turns(&loop, 1));
  EXPECT_THAT(live_tasks(),
              MatchesRegex("5 live tasks\n"
                           "  a lambda of .*, spawned by .*unit/debug_test.cc:[0-9]+.\n"
                           "    gather .async/scope.h:[0-9]+.\n"
                           "      snooze .unit/debug_test.cc:[0-9]+.\n"
                           "      snooze .unit/debug_test.cc:[0-9]+.\n"
                           "  tune .unit/debug_test.cc:[0-9]+., not awaited yet"));
  scope.cancel();
  loop.run(std::move(unused));
  EXPECT_EQ(live_tasks(), "0 live tasks");
}

TEST_F(DebugTest, PrintsTheTreeOnSigusr1) {
  TaskScope scope(loop);
  scope.spawn(tune(&loop));
  ::raise(SIGUSR1);
  while (reports.empty()) loop.run(turns(&loop, 1));
  EXPECT_THAT(reports.front(), HasSubstr("live task"));
}

TEST_F(DebugTest, ShowsOnlyTheTasksOfItsThread) {
  std::thread other([] {
    ManualLoop elsewhere;
    const Task<> there = tune(&elsewhere);
    EXPECT_THAT(live_tasks(), StartsWith("1 live task\n"));
  });
  other.join();
  EXPECT_EQ(live_tasks(), "0 live tasks");
}

TEST(DebugModeTest, IsOffUntilItIsAskedFor) {
  EXPECT_FALSE(DebugMode::is_on());
  EXPECT_EQ(live_tasks(), "");
  std::vector<std::string> reports;
  UvLoop loop;
  Task<> before = tune(&loop);
  {
    const DebugMode mode({.report = [&](std::string_view text) { reports.emplace_back(text); }});
    EXPECT_TRUE(DebugMode::is_on());
    loop.run(std::move(before));
  }
  EXPECT_FALSE(DebugMode::is_on());
  {
    const Task<> forgotten = tune(&loop);
  }
  EXPECT_THAT(reports, IsEmpty());
}

TEST(DebugNamesTest, AreShort) {
  EXPECT_EQ(detail::function_name("Task<void> (anonymous namespace)::plain(int, std::string)"),
            "plain");
  EXPECT_EQ(detail::function_name("Task<void> {anonymous}::plain(int, std::string)"), "plain");
  EXPECT_EQ(detail::function_name("Task<std::pair<int, char>> rpc::Server::serve(int (*)(int)) "
                                  "const"),
            "rpc::Server::serve");
  EXPECT_EQ(detail::function_name("Task<A> tmpl(A, B...) [A = std::basic_string<char>]"), "tmpl");
  EXPECT_EQ(detail::function_name("Task<> rpc::Call::operator()(int)"), "rpc::Call::operator()");
  EXPECT_EQ(detail::function_name("auto main()::(anonymous class)::operator()(int) const"),
            "a lambda of main");
  EXPECT_EQ(detail::function_name("main()::<lambda(int)>"), "a lambda of main");
  EXPECT_EQ(detail::function_name("Task<> async::detail::gather_each(std::index_sequence<0>)"),
            "gather");
}

TEST(LeftOpenDeathTest, ALoopSaysWhatWasLeftOpen) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto leave_open = [] {
    auto loop = std::make_unique<UvLoop>();
    const Listener listener = loop->listen(Endpoint::parse("127.0.0.1:0"));
    loop.reset();
  };
  EXPECT_DEATH(leave_open(), "left open:\n  a listener on 127.0.0.1:[0-9]+\n");
}

}  // namespace
}  // namespace async
