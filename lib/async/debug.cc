#include "async/debug.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cxxabi.h>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "async/check.h"
#include "async/debug_hooks.h"
#include "async/debug_names.h"

namespace async {

namespace {

using detail::named;
using detail::Place;
using detail::Watched;

struct Known : Watched {
  std::uint64_t number = 0;  // In the order of their making.
  std::thread::id thread;
};

// What debug mode knows. Any thread. Never destroyed: a task may outlive main.
struct Book {
  std::mutex mutex;
  DebugOptions options;
  std::unordered_map<const void*, Known> coroutines;
  std::uint64_t number_next = 0;

  const Known* find(std::coroutine_handle<> frame) const {
    const auto found = coroutines.find(frame.address());
    return found == coroutines.end() ? nullptr : &found->second;
  }
  const Known* waiter_of(const Known& known) const {
    return known.waiter == nullptr || !*known.waiter ? nullptr : find(*known.waiter);
  }
};

Book& book() {
  static Book* const only = new Book;
  return *only;
}

// Of this thread: how much of its time was reported already.
thread_local std::chrono::nanoseconds reported{0};

void report(const std::string& text) noexcept {
  std::function<void(std::string_view)> to;
  {
    const std::lock_guard lock(book().mutex);
    to = book().options.report;
  }
  if (to) return to(text);
  std::fprintf(stderr, "loop: %s\n", text.c_str());
}

std::string milliseconds(std::chrono::nanoseconds time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count()) +
         " ms";
}

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something that is no std::exception";
  }
}

}  // namespace

DebugMode::DebugMode(DebugOptions options) {
  const std::lock_guard lock(book().mutex);
  check(!is_on(), "there is one debug mode at a time");
  book().options = std::move(options);
  detail::debug_mode_is_on = true;
}

DebugMode::~DebugMode() {
  detail::debug_mode_is_on = false;
  const std::lock_guard lock(book().mutex);
  book().options = {};
  book().coroutines.clear();
}

bool DebugMode::is_on() noexcept { return detail::is_debugging(); }

void DebugMode::begin_if_wanted() {
  static const bool wanted = [] {
    const char* const value = std::getenv("LOOP_DEBUG");
    return value != nullptr && std::string_view(value) == "1";
  }();
  if (!wanted || is_on()) return;
  static const auto* const mode = new DebugMode;
  (void)mode;
}

namespace detail {

void debug_made(std::coroutine_handle<> frame, const Watched& watched) noexcept {
  Book& all = book();
  const std::lock_guard lock(all.mutex);
  Known known;
  static_cast<Watched&>(known) = watched;
  const std::string_view name = watched.place.function_name();
  if (name.find("async::detail::run_into") != name.npos) known.kind = Watched::Kind::started;
  known.number = all.number_next++;
  known.thread = std::this_thread::get_id();
  all.coroutines[frame.address()] = known;
}

void debug_gone(std::coroutine_handle<> frame) noexcept {
  const std::lock_guard lock(book().mutex);
  book().coroutines.erase(frame.address());
}

void debug_destroyed(std::coroutine_handle<> frame, bool was_awaited) noexcept {
  std::string text;
  {
    const std::lock_guard lock(book().mutex);
    // While an exception is thrown, it is that which kept it from being awaited.
    const Known* const known = book().find(frame);
    if (known != nullptr && !was_awaited && std::uncaught_exceptions() == 0) {
      text = "a task was never awaited: " + named(known->place);
    }
    book().coroutines.erase(frame.address());
  }
  if (!text.empty()) report(text);
}

void debug_lost(std::string_view what, std::exception_ptr error) noexcept {
  report("an error that nobody took, of " + std::string(what) + ": " + text_of(error));
}

void debug_failed(std::coroutine_handle<> frame, const Place& spawned,
                  std::exception_ptr error) noexcept {
  std::string who = "a task";
  {
    const std::lock_guard lock(book().mutex);
    if (const Known* const known = book().find(frame); known != nullptr) who = named(known->place);
  }
  debug_lost(who + ", spawned by " + named(spawned), std::move(error));
}

Stretch::Stretch(std::coroutine_handle<> task) noexcept : reported_before_(reported) {
  const std::lock_guard lock(book().mutex);
  const Known* known = book().find(task);
  while (known != nullptr && chain_size_ < chain_max) {
    if (known->kind == Watched::Kind::task) chain_[chain_size_++] = known->place;
    known = book().waiter_of(*known);
  }
  begun_ = std::chrono::steady_clock::now();
}

Stretch::Stretch(const std::type_info& callback) noexcept
    : callback_(&callback), reported_before_(reported), begun_(std::chrono::steady_clock::now()) {}

Stretch::Stretch(const Place& posted_at) noexcept
    : posted_at_(posted_at),
      is_posted_(true),
      reported_before_(reported),
      begun_(std::chrono::steady_clock::now()) {}

Stretch::~Stretch() {
  const auto took = std::chrono::steady_clock::now() - begun_ - (reported - reported_before_);
  std::chrono::nanoseconds limit{0};
  {
    const std::lock_guard lock(book().mutex);
    limit = book().options.held_max;
  }
  if (took <= limit) return;
  reported += took;
  std::string who = "something";
  if (callback_ != nullptr) who = "a callback of " + readable_type(callback_->name());
  if (is_posted_) who = "a callback that was posted by " + named(posted_at_);
  if (chain_size_ > 0) who = named(chain_[0]);
  std::string text = who + " held the loop for " + milliseconds(took) + "; more than " +
                     milliseconds(limit) + " are too long";
  for (std::size_t i = 1; i < chain_size_; ++i) text += "\n  awaited by " + named(chain_[i]);
  report(text);
}

void resume_watched(std::coroutine_handle<> task) {
  const Stretch stretch(task);
  task.resume();
}

std::move_only_function<void()> debug_posted(std::move_only_function<void()> callback,
                                             const Place& place) {
  return [callback = std::move(callback), place]() mutable {
    const Stretch stretch(place);
    callback();
  };
}

}  // namespace detail

namespace {

// Awaiting, each task stands below who awaits it. What only runs a task for the library is left
// out, and the task takes its place.
class Tree {
 public:
  explicit Tree(const Book& book) {
    std::map<std::uint64_t, const Known*> in_order;
    for (const auto& [frame, known] : book.coroutines) {
      const bool is_live = known.finished == nullptr || !*known.finished;
      if (is_live && known.thread == std::this_thread::get_id()) in_order[known.number] = &known;
    }
    for (const auto& [number, known] : in_order) {
      if (known->kind != Watched::Kind::task) continue;
      ++count_;
      const Known* waiter = book.waiter_of(*known);
      while (waiter != nullptr && waiter->kind == Watched::Kind::started) {
        waiter = book.waiter_of(*waiter);
      }
      const bool is_spawned = waiter != nullptr && waiter->kind == Watched::Kind::spawned;
      std::string line = named(known->place);
      if (is_spawned) line += ", spawned by " + named(waiter->place);
      if (!*known->waiter) line += ", not awaited yet";
      children_[is_spawned ? nullptr : waiter].emplace_back(known, std::move(line));
    }
  }

  std::string text() const {
    std::string out = std::to_string(count_) + (count_ == 1 ? " live task" : " live tasks");
    append(out, nullptr, 1);
    return out;
  }

 private:
  void append(std::string& out, const Known* waiter, std::size_t depth) const {
    const auto found = children_.find(waiter);
    if (found == children_.end()) return;
    for (const auto& [known, line] : found->second) {
      out += "\n" + std::string(2 * depth, ' ') + line;
      append(out, known, depth + 1);
    }
  }

  std::map<const Known*, std::vector<std::pair<const Known*, std::string>>> children_;
  std::size_t count_ = 0;
};

}  // namespace

std::string live_tasks() {
  if (!DebugMode::is_on()) return {};
  const std::lock_guard lock(book().mutex);
  return Tree(book()).text();
}

void report_live_tasks() { report(live_tasks()); }

}  // namespace async
