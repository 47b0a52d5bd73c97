#include "async/manual_loop.h"

#include <cerrno>
#include <stdexcept>

#include "async/waiting_place.h"

namespace async {

class ManualLoop::MemoryListener final : public ListenerTransport {
 public:
  MemoryListener(ManualLoop& loop, Endpoint local)
      : loop_(loop), local_(std::move(local)), accepting_(loop) {}
  ~MemoryListener() override { loop_.listeners_.erase(local_.text()); }

  Task<Stream> accept() override {
    while (waiting_.empty()) {
      const bool is_open = co_await accepting_;
      if (!is_open) throw IoError(-ECANCELED, "accept a connection");
    }
    Stream stream = std::move(waiting_.front());
    waiting_.pop_front();
    co_return stream;
  }
  Endpoint local() const override { return local_; }

  void arrive(Stream stream) {
    waiting_.push_back(std::move(stream));
    accepting_.wake();
  }

 private:
  ManualLoop& loop_;
  Endpoint local_;
  std::deque<Stream> waiting_;
  WaitingPlace accepting_;
};

ManualLoop::~ManualLoop() { check(listeners_.empty(), "a loop was closed before a listener"); }

void ManualLoop::post(std::move_only_function<void()> callback, const detail::Place& place) {
  if (detail::is_debugging()) callback = detail::debug_posted(std::move(callback), place);
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(callback));
}

void ManualLoop::run_in_pool(std::unique_ptr<PoolWork> work) { pool_.push_back(std::move(work)); }

Listener ManualLoop::listen(const Endpoint& endpoint) {
  Endpoint local = endpoint;
  if (local.kind == Endpoint::Kind::tcp && local.port == 0) local.port = port_next_++;
  if (listeners_.contains(local.text())) {
    throw IoError(-EADDRINUSE, "listen on " + local.text());
  }
  auto transport = std::make_unique<MemoryListener>(*this, local);
  listeners_[local.text()] = transport.get();
  return Listener(std::move(transport));
}

Task<Stream> ManualLoop::connect(Endpoint endpoint) {
  co_await yield();
  const auto found = listeners_.find(endpoint.text());
  if (found == listeners_.end()) throw IoError(-ECONNREFUSED, "connect to " + endpoint.text());
  std::pair<Stream, Stream> ends = memory_stream_pair(*this);
  found->second->arrive(std::move(ends.second));
  co_return std::move(ends.first);
}

// A little of everything, so that nothing keeps the rest waiting.
bool ManualLoop::step() {
  bool has_stepped = false;
  if (next_timer() <= now_) {
    run_timers();
    has_stepped = true;
  }
  if (has_ready()) {
    run_ready();
    has_stepped = true;
  }
  if (!pool_.empty()) {
    const std::unique_ptr<PoolWork> work = std::move(pool_.front());
    pool_.pop_front();
    work->run();
    work->done();
    has_stepped = true;
  }
  return run_posted() || has_stepped;
}

bool ManualLoop::run_posted() {
  std::move_only_function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (posted_.empty()) return false;
    callback = std::move(posted_.front());
    posted_.pop_front();
  }
  call(callback);
  return true;
}

void ManualLoop::settle() {
  while (step()) {
  }
  throw_failure();
}

void ManualLoop::advance(Duration duration) {
  const Instant end = now_ + duration;
  settle();
  while (next_timer() <= end) {
    const Duration passed = next_timer() - now_;
    now_ += passed;
    wall_now_ += std::chrono::duration_cast<WallTime::duration>(passed);
    settle();
  }
  wall_now_ += std::chrono::duration_cast<WallTime::duration>(end - now_);
  now_ = end;
}

void ManualLoop::turn() {
  if (!step()) throw std::logic_error("the task waits for something that only time can bring");
}

}  // namespace async
