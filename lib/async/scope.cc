#include "async/scope.h"

namespace async {

namespace detail {

// A task in a scope: the link that the scope holds, and the coroutine that runs the task. It
// destroys itself at its end, or is destroyed by its scope.
class ScopedTask : public Link {
 public:
  explicit ScopedTask(TaskScope& scope) : scope_(&scope) {
    insert_before(scope.tasks_);
    ++scope.size_;
  }
  ~ScopedTask() { leave(); }

  void runs_in(std::coroutine_handle<> frame) noexcept { frame_ = frame; }
  // Its scope no longer knows it, and may be gone.
  void leave() noexcept {
    if (scope_ == nullptr) return;
    unlink();
    std::exchange(scope_, nullptr)->ended();
  }
  // The handler may cancel or destroy the scope, as it finds this task in it no more.
  void fail(std::exception_ptr error) noexcept {
    Loop& loop = scope_->loop_;
    const TaskScope::OnError on_error = scope_->on_error_;
    leave();
    if (!on_error) return loop.fail(std::move(error));
    try {
      on_error(std::move(error));
    } catch (...) {
      loop.fail(std::current_exception());
    }
  }
  // Out of the ring first: what a destructor in the task does to the scope must not find it again.
  void cancel() noexcept {
    unlink();
    frame_.destroy();
  }

 private:
  TaskScope* scope_;
  std::coroutine_handle<> frame_;
};

struct ScopedPromise : Pooled {
  ScopedPromise(TaskScope& scope, const Task<>&, const Place& place) : node(scope) {
    node.runs_in(frame());
    if (is_debugging()) [[unlikely]] {
      debug_made(frame(), {.kind = Watched::Kind::spawned, .place = place});
    }
  }
  ScopedPromise(const ScopedPromise&) = delete;
  ScopedPromise& operator=(const ScopedPromise&) = delete;
  ~ScopedPromise() {
    if (is_debugging()) [[unlikely]] {
      debug_gone(frame());
    }
  }
  std::coroutine_handle<> frame() {
    return std::coroutine_handle<ScopedPromise>::from_promise(*this);
  }
  void get_return_object() const noexcept {}
  std::suspend_never initial_suspend() const noexcept { return {}; }
  std::suspend_never final_suspend() const noexcept { return {}; }
  // The error of the task, or null.
  void return_value(std::exception_ptr error) noexcept {
    if (error) node.fail(std::move(error));
  }
  void unhandled_exception() const noexcept { std::terminate(); }

  ScopedTask node;
};

}  // namespace detail

}  // namespace async

template <>
struct std::coroutine_traits<void, async::TaskScope&, async::Task<>, async::detail::Place> {
  using promise_type = async::detail::ScopedPromise;
};

namespace async {

namespace {

// A free function whose coroutine has no handle for anybody but the scope.
void run_scoped(TaskScope& scope, Task<> task, detail::Place place);

}  // namespace

TaskScope::TaskScope(Loop& loop, OnError on_error) : loop_(loop), on_error_(std::move(on_error)) {}

TaskScope::~TaskScope() {
  check(joiner_ == nullptr, "a scope outlives the task that joins it");
  cancel();
}

void TaskScope::spawn(Task<> task, const detail::Place& place) {
  if (detail::is_debugging()) [[unlikely]] {
    const detail::Stretch stretch(detail::frame_of(task));
    return run_scoped(*this, std::move(task), place);
  }
  run_scoped(*this, std::move(task), place);
}

void TaskScope::cancel() noexcept {
  while (tasks_.linked()) static_cast<detail::ScopedTask&>(*tasks_.previous()).cancel();
}

void TaskScope::ended() noexcept {
  --size_;
  if (size_ == 0 && joiner_ != nullptr) loop_.make_ready(*std::exchange(joiner_, nullptr));
}

namespace {

class JoinAwaiter {
 public:
  JoinAwaiter(const std::size_t& size, Ready*& joiner) : size_(size), joiner_(joiner) {}
  JoinAwaiter(const JoinAwaiter&) = delete;
  JoinAwaiter& operator=(const JoinAwaiter&) = delete;
  ~JoinAwaiter() {
    if (joiner_ == &ready_) joiner_ = nullptr;
  }
  bool await_ready() const noexcept { return size_ == 0; }
  void await_suspend(std::coroutine_handle<> waiter) {
    check(joiner_ == nullptr, "a scope is joined by one task");
    ready_.handle = waiter;
    joiner_ = &ready_;
  }
  void await_resume() const noexcept {}

 private:
  const std::size_t& size_;
  Ready*& joiner_;
  Ready ready_;
};

void run_scoped(TaskScope& scope, Task<> task, detail::Place place) {
  std::exception_ptr error;
  try {
    co_await task;
  } catch (...) {
    error = std::current_exception();
  }
  if (error && detail::is_debugging() && !scope.has_error_handler()) [[unlikely]] {
    detail::debug_failed(detail::frame_of(task), place, error);
  }
  co_return error;
}

}  // namespace

Task<> TaskScope::join() {
  while (size_ > 0) {  // Others may have begun since the last one ended.
    JoinAwaiter awaiter(size_, joiner_);
    co_await awaiter;
  }
}

}  // namespace async
