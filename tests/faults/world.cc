#include "world.h"

#include <algorithm>

namespace sim {

async::WallTime World::wall_now() const {
  constexpr async::WallTime epoch{std::chrono::hours(24 * 365 * 56)};
  return epoch + std::chrono::duration_cast<async::WallTime::duration>(now_.time_since_epoch());
}

Duration World::between(Duration least, Duration most) {
  const auto span = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Duration(static_cast<Duration::rep>(below(span)));
}

Duration World::latency() {
  Duration delay = between(weather.latency_min, weather.latency_max);
  if (weather.spike_permille > 0 && chance(weather.spike_permille)) {
    delay += between(Duration(0), weather.spike_max);
  }
  return delay;
}

void World::at(Instant when, std::move_only_function<void()> event) {
  events_.emplace(std::pair(std::max(when, now_), order_next_++), std::move(event));
}

void World::mix(std::uint64_t number) {
  for (int i = 0; i < 8; ++i) {
    digest_ = (digest_ ^ ((number >> (8 * i)) & 0xff)) * 0x100000001b3;
  }
}

void World::told() {
  mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  for (const char letter : line_) {
    digest_ = (digest_ ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  }
  if (!keeps_story) return;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch()) -
                  std::chrono::hours(1);
  story_.push_back(fmt::format("{:>11.6f}  {}", static_cast<double>(us.count()) / 1e6, line_));
}

bool World::run_machines() {
  bool has_run = false;
  for (std::size_t i = 0; i < machines_.size(); ++i) {
    if (machines_[i] == nullptr || !machines_[i]->step()) continue;
    has_run = true;
    if (supervise) supervise();
  }
  std::erase(machines_, nullptr);
  return has_run;
}

// To the next thing that happens.
bool World::advance(Instant end) {
  Instant next = events_.empty() ? Instant::max() : events_.begin()->first.first;
  for (const NodeLoop* machine : machines_) next = std::min(next, machine->next_timer());
  if (next > end) {
    now_ = end;
    return false;
  }
  now_ = std::max(now_, next);
  if (!events_.empty() && events_.begin()->first.first <= now_) {
    std::move_only_function<void()> event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    event();
    if (supervise) supervise();
  }
  return true;
}

bool World::run(Instant end, const std::function<bool()>& is_done) {
  while (true) {
    while (run_machines()) {
    }
    if (is_done()) return true;
    if (!advance(end)) return false;
  }
}

NodeLoop::NodeLoop(World& world, Host host) : world_(world), life_(std::make_shared<Life>(host)) {
  world_.machines_.push_back(this);
}

NodeLoop::~NodeLoop() {
  async::check(doors_.empty(), "a loop was closed before a listener");
  std::ranges::replace(world_.machines_, this, static_cast<NodeLoop*>(nullptr));
}

void NodeLoop::begin_to_die(bool without_power) {
  life_->is_dying = true;
  life_->is_silent = without_power;
}

void NodeLoop::post(std::move_only_function<void()> callback, const async::detail::Place&) {
  if (thread_posts_ != nullptr) {
    thread_posts_->push_back(std::move(callback));
  } else {
    posted_.push_back(std::move(callback));
  }
}

void NodeLoop::later(Duration delay, std::move_only_function<void()> event) {
  world_.after(delay, [life = life_, event = std::move(event)]() mutable {
    if (!life->is_dying) event();
  });
}

void NodeLoop::as_thread(Duration delay, const std::function<void()>& work) {
  std::vector<std::move_only_function<void()>> posts;
  thread_posts_ = &posts;
  work();
  thread_posts_ = nullptr;
  threads_heard_until_ = std::max(threads_heard_until_, now() + delay);
  later(threads_heard_until_ - now(), [this, posts = std::move(posts)]() mutable {
    for (auto& callback : posts) posted_.push_back(std::move(callback));
  });
}

// The loop owns the work, so that with the process everything goes that the work has open.
void NodeLoop::run_in_pool(std::unique_ptr<async::PoolWork> work) {
  const std::uint64_t number = ++pool_next_;
  pool_[number] = std::move(work);
  later(world_.between(Duration(0), pool_delay_max), [this, number] {
    pool_.at(number)->run();
    later(world_.between(Duration(0), pool_delay_max), [this, number] {
      posted_.emplace_back([this, number] {
        const std::unique_ptr<async::PoolWork> done = std::move(pool_.at(number));
        pool_.erase(number);
        done->done();
      });
    });
  });
}

bool NodeLoop::run_posted() {
  if (posted_.empty()) return false;
  std::move_only_function<void()> callback = std::move(posted_.front());
  posted_.pop_front();
  call(callback);
  return true;
}

bool NodeLoop::step() {
  if (failed_) return false;
  bool has_stepped = false;
  if (next_timer() <= now()) {
    run_timers();
    has_stepped = true;
  }
  if (has_ready()) {
    run_ready();
    has_stepped = true;
  }
  has_stepped = run_posted() || has_stepped;
  try {
    throw_failure();
  } catch (...) {
    failed_ = std::current_exception();
  }
  return has_stepped;
}

}  // namespace sim
