#include "async/loop.h"

namespace async {

namespace {

// A task that makes itself ready again and again must not keep the sockets waiting: after this many
// rounds the world is looked at.
constexpr int rounds_per_turn_max = 16;

}  // namespace

Timer::~Timer() { cancel(); }

void Timer::set(Loop& loop, Instant when) {
  cancel();
  loop_ = &loop;
  when_ = when;
  loop.add(*this);
}

void Timer::cancel() noexcept {
  if (loop_ == nullptr) return;
  loop_->remove(*this);
  loop_ = nullptr;
}

void Loop::fail(std::exception_ptr error) {
  if (!failure_) failure_ = std::move(error);
}

void Loop::rethrow_failure() { std::rethrow_exception(std::exchange(failure_, nullptr)); }

bool Loop::run_ready() {
  for (int round = 0; round < rounds_per_turn_max; ++round) {
    while (ready_.linked()) {
      // Only those that are ready now: what they make ready belongs to the next round.
      detail::Link mark;
      mark.insert_before(ready_);
      while (ready_.next() != &mark) {
        Ready& ready = static_cast<Ready&>(*ready_.next());
        ready.unlink();
        ready.handle.resume();
      }
      mark.unlink();
      if (++round >= rounds_per_turn_max) break;
    }
    if (!turn_ends_.linked()) break;
    while (turn_ends_.linked()) {
      TurnEnd& end = static_cast<TurnEnd&>(*turn_ends_.next());
      end.unlink();
      end.turn_ended();
    }
    if (!ready_.linked()) break;
  }
  return has_ready();
}

void Loop::run_timers() {
  const Instant time = now();
  while (!timers_.empty() && timers_.front()->when_ <= time) {
    Timer& timer = *timers_.front();
    timer.cancel();
    timer.fired();
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
  timer.order_ = timer_order_next_++;
  timers_.push_back(&timer);
  sift_up(timers_.size() - 1);
  if (timer.heap_index_ == 0) wake_at(timer.when_);
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
  // The loop may now wake once for nothing, which is cheaper than telling it at each removal.
}

}  // namespace async
