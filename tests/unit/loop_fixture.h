// What the tests of the runtime say: start a task, see that it waits, let the world go on, finish it.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "async/endpoint.h"
#include "async/future.h"
#include "async/loop.h"
#include "async/manual_loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "async/uv_loop.h"

namespace async {

// A task that a test has started. Destroying it cancels the task.
template <typename T = void>
class Running {
 public:
  explicit Running(Task<T> task)
      : result_(std::make_unique<detail::RunResult<T>>()),
        runner_(detail::run_into(std::move(task), result_.get())) {
    (void)runner_->await_suspend(std::noop_coroutine());
  }

  bool is_done() const { return result_->done; }
  const bool& done() const { return result_->done; }
  void cancel() { runner_.reset(); }
  // Throws what the task threw.
  T result() {
    if (!is_done()) throw std::logic_error("the task is not done");
    if (result_->error) std::rethrow_exception(result_->error);
    if constexpr (!std::is_void_v<T>) return std::move(*result_->value);
  }

 private:
  std::unique_ptr<detail::RunResult<T>> result_;
  std::optional<Task<>> runner_;
};

// Lets the loop look at the world so many times.
inline Task<> turns(Loop* loop, int count) {
  for (int i = 0; i < count; ++i) {
    Promise<> woken(*loop);
    Future<> waking = woken.future();
    auto wake = [promise = std::move(woken)]() mutable { promise.set(); };
    loop->post(std::move(wake));
    co_await waking;
  }
}

inline Task<> until(Loop* loop, const bool* done) {
  while (!*done) co_await turns(loop, 1);
}

inline void check_is_closed(const ManualLoop&) {}
inline void check_is_closed(const UvLoop& loop) { EXPECT_EQ(loop.open_handles(), 0U); }

// A loop, and the words for it. At the test's end nothing may be open on it.
template <typename Kind>
class LoopFixture : public testing::Test {
 protected:
  // Death tests begin a process of their own: a fork has the threads of the pool only in part.
  LoopFixture() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }

  void TearDown() override {
    turn(2);
    check_is_closed(loop);
  }

  template <typename T>
  Running<T> start(Task<T> task) {
    return Running<T>(std::move(task));
  }
  // Lets happen what can happen now.
  void turn(int count = 4) { loop.run(turns(&loop, count)); }
  template <typename T>
  bool pending(const Running<T>& task) {
    turn();
    return !task.is_done();
  }
  template <typename T>
  T finish(Running<T>& task) {
    loop.run(until(&loop, &task.done()));
    return task.result();
  }

  Kind loop;
};

// The name of the IoError that `act` throws; "nothing" when it throws none.
template <typename Act>
std::string error_of(Act&& act) {
  try {
    act();
  } catch (const IoError& error) {
    return error.name();
  }
  return "nothing";
}

}  // namespace async
