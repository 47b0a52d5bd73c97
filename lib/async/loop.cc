#include "async/loop.h"

#include <algorithm>

namespace async {

namespace {

// A task that makes itself ready again and again must not keep the sockets waiting: after this many
// rounds the world is looked at.
constexpr int rounds_per_turn_max = 16;

// Sets a pointer for as long as a function runs.
class Borrowed {
 public:
  Borrowed(const bool*& place, const bool* value) : place_(place) { place_ = value; }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { place_ = nullptr; }

 private:
  const bool*& place_;
};

}  // namespace

Timer::~Timer() { cancel(); }

void Timer::set(Loop& loop, Instant when) {
  cancel();
  when_ = when;
  loop.add(*this);
  loop_ = &loop;
}

void Timer::cancel() noexcept {
  if (loop_ == nullptr) return;
  loop_->remove(*this);
  loop_ = nullptr;
}

void Loop::fail(std::exception_ptr error) {
  if (!failure_) {
    failure_ = std::move(error);
  } else if (detail::is_debugging()) {
    detail::debug_lost("a loop that fails already", std::move(error));
  }
}

void Loop::throw_failure() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

Loop::~Loop() {
  if (failure_ && detail::is_debugging()) {
    detail::debug_lost("a loop that was not run again", std::move(failure_));
  }
  check(timers_.empty(), "a loop is destroyed after every timer that is set on it");
}

void Loop::begin(Task<>& runner, std::coroutine_handle<> task) {
  if (detail::is_debugging()) [[unlikely]] {
    const detail::Stretch stretch(task);
    return (void)runner.await_suspend(std::noop_coroutine());
  }
  (void)runner.await_suspend(std::noop_coroutine());
}

void Loop::run_until(Task<>& runner, std::coroutine_handle<> task, const bool& done) {
  check(done_ == nullptr, "a loop is run by one caller at a time");
  const Borrowed running(done_, &done);
  wake();
  begin(runner, task);
  while (!is_finished()) turn();
  run_ready();  // So that what the task wrote last leaves, too.
  throw_failure();
}

bool Loop::run_ready() {
  for (int round = 0; round < rounds_per_turn_max && ready_.linked(); ++round) resume_ready();
  end_turn();
  return has_ready();
}

// Only those that are ready now: what they make ready belongs to the next round.
void Loop::resume_ready() {
  detail::Link mark;
  mark.insert_before(ready_);
  while (ready_.next() != &mark) {
    Ready& ready = static_cast<Ready&>(*ready_.next());
    ready.unlink();
    call([task = ready.handle] { detail::resume(task); });
  }
}

// Only those that were asked for now: one that asks again is called at the next turn's end.
void Loop::end_turn() {
  detail::Link mark;
  mark.insert_before(turn_ends_);
  while (turn_ends_.next() != &mark) {
    TurnEnd& end = static_cast<TurnEnd&>(*turn_ends_.next());
    end.unlink();
    call([&end] { detail::call_back(end, &TurnEnd::turn_ended); });
  }
}

void Loop::run_timers() {
  timers_ran_at_ = now();
  const std::uint64_t order_end = timer_order_next_;
  while (!timers_.empty()) {
    Timer& timer = *timers_.front();
    // One that was set by one that fired waits for the next turn, or sockets would starve.
    if (timer.when_ > timers_ran_at_ || timer.order_ >= order_end) break;
    timer.cancel();
    call([&timer] { detail::call_back(timer, &Timer::fired); });
  }
}

Instant Loop::next_timer() const noexcept {
  return timers_.empty() ? Instant::max() : timers_.front()->when_;
}

bool Loop::earlier(const Timer* a, const Timer* b) const noexcept {
  return a->when_ != b->when_ ? a->when_ < b->when_ : a->order_ < b->order_;
}

void Loop::place(Timer* timer, std::size_t index) noexcept {
  timers_[index] = timer;
  timer->heap_index_ = index;
}

void Loop::sift_up(std::size_t index) noexcept {
  Timer* const timer = timers_[index];
  while (index > 0) {
    const std::size_t parent = (index - 1) / 2;
    if (!earlier(timer, timers_[parent])) break;
    place(timers_[parent], index);
    index = parent;
  }
  place(timer, index);
}

void Loop::sift_down(std::size_t index) noexcept {
  Timer* const timer = timers_[index];
  while (true) {
    std::size_t child = 2 * index + 1;
    if (child >= timers_.size()) break;
    if (child + 1 < timers_.size() && earlier(timers_[child + 1], timers_[child])) ++child;
    if (!earlier(timers_[child], timer)) break;
    place(timers_[child], index);
    index = child;
  }
  place(timer, index);
}

void Loop::add(Timer& timer) {
  // Not in the past, so that it comes after all that are due already: run_timers() stops at the
  // first that was set while it ran.
  timer.when_ = std::max(timer.when_, timers_ran_at_);
  timer.order_ = timer_order_next_++;
  timers_.push_back(&timer);
  sift_up(timers_.size() - 1);
}

void Loop::remove(Timer& timer) noexcept {
  const std::size_t index = timer.heap_index_;
  Timer* const last = timers_.back();
  timers_.pop_back();
  if (last != &timer) {
    place(last, index);
    sift_up(index);
    sift_down(last->heap_index_);
  }
}

}  // namespace async
