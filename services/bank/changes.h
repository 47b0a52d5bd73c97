// Changes: the services' way into the ledger.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

#include "async/task.h"
#include "ledger/operation.h"
#include "ledger/record.h"
#include "ledger/refusal.h"
#include "ledger/store.h"
#include "ops/log.h"

namespace bank {

// What a request asks for, with its principal and deadline; or why it makes no sense.
using Asked = ledger::Result<ledger::Operation>;

// Submits changes, logs each one (change_log.h) once, and tells the bank's no (a value) from the machine's, which
// is a status of the call: DEADLINE_EXCEEDED, or RESOURCE_EXHAUSTED for a full queue or disk. Owned
// by main or a test; loop thread only.
class Changes {
 public:
  Changes(ledger::Store& store, ops::Log log) : store_(store), log_(std::move(log)) {}

  // A change that was submitted. co_await returns yes or no, once; it throws rpc::Error when it was not decided.
  class [[nodiscard]] Submitted {
   public:
    bool await_ready() const noexcept { return submission_.await_ready(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      submission_.await_suspend(waiter);
    }
    ledger::Outcome await_resume();

   private:
    friend class Changes;
    Submitted(Changes& changes, Asked&& asked, bool is_proven);

    Changes& changes_;
    const bool is_proven_;
    std::unique_ptr<const ledger::Operation> logged_;
    ledger::Store::Submission submission_;
  };

  // What makes no sense is refused at once.
  Submitted make(Asked asked) { return Submitted(*this, std::move(asked), true); }

  // What a customer starts: made when the PIN was proven. If it was not, a retry still gets its
  // first answer (it was proven then), and everything else is UNAUTHENTICATED and leaves the id
  // unused.
  Submitted make_proven(Asked asked, bool is_proven) {
    return Submitted(*this, std::move(asked), is_proven);
  }

  // The first answer to an id that was answered before, told again; nothing, and nothing done, when
  // it was not. Of another's id, or one used for something else, that refusal.
  async::Task<std::optional<ledger::Outcome>> first_answer(ledger::Operation operation);

  // What became of the operation's id. Fences it if it was never seen.
  async::Task<ledger::Resolution> resolve(ledger::Operation operation);

 private:
  // Not set: it is not logged.
  std::unique_ptr<const ledger::Operation> to_log(const Asked& asked) const;
  // Logs when the disk becomes too full for changes, and when it no longer is.
  void note_room(const ledger::Outcome& outcome);
  ledger::Store::Submission ask_again(Asked&& asked);

  ledger::Store& store_;
  ops::Log log_;
  bool has_room_ = true;
};

// UNAUTHENTICATED, as rpc::Error.
[[noreturn]] void refuse_unproven();

}  // namespace bank
