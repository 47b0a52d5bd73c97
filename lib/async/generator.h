// Generator: a coroutine that yields values to whoever takes them, one at a time.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <iterator>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/check.h"
#include "async/frame_pool.h"

namespace async {

template <typename T, typename Sent>
class Generator;

namespace detail {

// Where the taker's value waits until the generator takes it out of its `co_yield`.
template <typename Sent>
struct Inbox {
  std::optional<Sent> sent;
  bool has_begun = false;

  Sent take() {
    check(sent.has_value(), "a generator that takes values is resumed by send()");
    return *std::exchange(sent, std::nullopt);
  }
};
template <>
struct Inbox<void> {
  void take() const noexcept {}
};

template <typename T, typename Sent>
struct GeneratorPromise : Pooled, Inbox<Sent> {
  std::optional<T> yielded;  // From co_yield until it is taken.
  std::exception_ptr error;

  struct Yield {
    Inbox<Sent>& inbox;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    Sent await_resume() { return inbox.take(); }
  };

  Generator<T, Sent> get_return_object() noexcept;
  std::suspend_always initial_suspend() const noexcept { return {}; }
  std::suspend_always final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error = std::current_exception(); }
  void return_void() const noexcept {}
  // Copies what the generator keeps, and moves what it doesn't.
  template <typename Value = T>
    requires std::constructible_from<T, Value&&>
  Yield yield_value(Value&& value) {
    yielded.emplace(std::forward<Value>(value));
    return Yield{*this};
  }
  // A generator takes turns with its taker and with nobody else: it awaits nothing.
  template <typename Awaitable>
  void await_transform(Awaitable&&) = delete;
};

}  // namespace detail

// Runs until its next `co_yield` each time a value is taken, and not before. Move-only; one thread;
// destroying it ends it where it stands.
//
// With a `Sent` type it is a conversation: what the taker sends comes out of the generator's
// `co_yield`. The first value is taken with next(), because nothing is listening yet; after that,
// each send() gives one and takes one.
//
//   Generator<int> count() { for (int i = 0;; ++i) co_yield i; }
//   Generator<int, int> running_sum() { int sum = 0; while (true) sum += co_yield sum; }
template <typename T, typename Sent = void>
class [[nodiscard]] Generator {
 public:
  using promise_type = detail::GeneratorPromise<T, Sent>;

  Generator(Generator&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Generator& operator=(Generator&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Generator() {
    if (frame_) frame_.destroy();
  }

  // The next value; nothing when the generator has ended. Throws what it threw.
  std::optional<T> next()
    requires std::is_void_v<Sent>
  {
    return resume();
  }
  // The first value.
  std::optional<T> next()
    requires(!std::is_void_v<Sent>)
  {
    check(!frame_.promise().has_begun, "after the first value, values are sent");
    frame_.promise().has_begun = true;
    return resume();
  }
  template <typename Value>
    requires(!std::is_void_v<Sent>) && std::constructible_from<Sent, Value&&>
  std::optional<T> send(Value&& value) {
    frame_.promise().sent.emplace(std::forward<Value>(value));
    return resume();
  }

  // For `for (T value : generator)`.
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;

    explicit Iterator(Generator& generator) : generator_(&generator) { ++*this; }
    Iterator& operator++() {
      value_ = generator_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    const T& operator*() const { return *value_; }
    friend bool operator==(const Iterator& iterator, std::default_sentinel_t) {
      return !iterator.value_.has_value();
    }

   private:
    Generator* generator_;
    std::optional<T> value_;
  };
  Iterator begin()
    requires std::is_void_v<Sent>
  {
    return Iterator(*this);
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  friend promise_type;
  explicit Generator(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}

  std::optional<T> resume() {
    if (frame_.done()) return std::nullopt;
    frame_.resume();
    promise_type& promise = frame_.promise();
    if (promise.error) std::rethrow_exception(std::exchange(promise.error, nullptr));
    if (frame_.done()) return std::nullopt;
    return std::exchange(promise.yielded, std::nullopt);
  }

  std::coroutine_handle<promise_type> frame_;
};

template <typename T, typename Sent>
Generator<T, Sent> detail::GeneratorPromise<T, Sent>::get_return_object() noexcept {
  return Generator<T, Sent>(std::coroutine_handle<GeneratorPromise>::from_promise(*this));
}

}  // namespace async
