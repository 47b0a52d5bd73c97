// Context: what every call carries besides its message.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "async/future.h"
#include "async/task.h"
#include "async/time.h"
#include "rpc/trace.h"

namespace rpc {

namespace detail {

// Whoever waits for a call that a server handles. Shared by the server and the contexts it gave
// out, which may outlive the call and its connection. Loop thread only.
class Caller {
 public:
  explicit Caller(async::Loop& loop) : gone(loop) {}
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  virtual std::string_view peer() const noexcept = 0;
  virtual void request_is_read() noexcept = 0;

  void retain() noexcept { ++references_; }
  void release() noexcept {
    if (--references_ == 0) last_reference_dropped();
  }

  std::uint64_t request_id = 0;
  async::Event gone;  // Set once, when the wait has ended without an answer.

 protected:
  ~Caller() = default;

 private:
  virtual void last_reference_dropped() noexcept = 0;

  std::uint32_t references_ = 1;
};

}  // namespace detail

// How long the caller waits, whose trace it is, and whether anybody still waits. A value: handlers
// pass theirs on to the calls that they make, so that the deadline shrinks on its way and the trace
// goes through. Loop thread only; a copy may outlive the call.
class Context {
 public:
  // For a call that begins here. There is no default: a call without a deadline does not compile.
  explicit Context(async::Deadline until, Trace of = {}) : deadline(until), trace(of) {}

  Context(async::Deadline until, Trace of, detail::Caller& caller) : Context(until, of) {
    caller_ = &caller;
    caller_->retain();
  }
  Context(const Context& other) noexcept
      : deadline(other.deadline), trace(other.trace), caller_(other.caller_) {
    if (caller_ != nullptr) caller_->retain();
  }
  Context(Context&& other) noexcept
      : deadline(other.deadline),
        trace(other.trace),
        caller_(std::exchange(other.caller_, nullptr)) {}
  Context& operator=(Context other) noexcept {
    deadline = other.deadline;
    trace = other.trace;
    std::swap(caller_, other.caller_);
    return *this;
  }
  ~Context() {
    if (caller_ != nullptr) caller_->release();
  }

  // The same call with a nearer deadline.
  Context until(async::Deadline nearer) const {
    Context context = *this;
    context.deadline = earlier(deadline, nearer);
    return context;
  }

  // The caller's number of this request, for logs; 0 for a call that began here. Not the id of a
  // change of money.
  std::uint64_t request_id() const noexcept { return caller_ == nullptr ? 0 : caller_->request_id; }
  // The caller's address, as "127.0.0.1:53122"; empty for a call that began here.
  std::string_view peer() const noexcept {
    return caller_ == nullptr ? std::string_view() : caller_->peer();
  }

  // For a handler that takes its request by reference and has read all of it: the next call uses its memory while this one waits.
  // The reference ends here.
  void request_is_read() const noexcept {
    if (caller_ != nullptr) caller_->request_is_read();
  }

  // True: nobody waits for the answer any more. The caller cancelled, its deadline passed, or its
  // connection ended. The work goes on all the same (rule 25); what must not begin without a
  // caller, such as paying out notes, asks here first.
  bool is_abandoned() const noexcept { return caller_ != nullptr && caller_->gone.is_set(); }
  // Done when is_abandoned() becomes true; never for a call that began here.
  async::Task<> abandoned() const { return wait_until_abandoned(*this); }

  async::Deadline deadline;
  Trace trace;

 private:
  static async::Task<> wait_until_abandoned(Context context);

  detail::Caller* caller_ = nullptr;
};

}  // namespace rpc
