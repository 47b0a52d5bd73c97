#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "ledger/books.h"
#include "ledger/executor.h"
#include "ledger/journal.h"

namespace ledger {

// Limits of a store. Everything has one.
struct StoreOptions {
  // Changes that wait to be decided; one more is refused with queue_full.
  std::size_t queue_max = 65'536;
  // Changes decided together, and durable together.
  std::size_t batch_max = 4'096;
  // Records that the tables may lag behind. Beyond it they are brought forward faster than changes are taken. Each takes about
  // 110 bytes of memory, and 2 us more at the next start.
  std::size_t lag_max = 4'194'304;
  // Records that the tables are brought forward by at once, while changes wait.
  std::size_t project_step_max = 512;
  std::chrono::microseconds memory_horizon = memory_horizon_default;
};

// What became of an id.
struct Resolution {
  enum class Is {
    executed,    // `outcome` is the first yes.
    refused,     // `outcome` is the first no.
    fenced,      // It was not done and never can be; `outcome` has the fence's number.
    unanswered,  // The question itself was refused: malformed, another's id, or the machine's no.
  };
  Is is = Is::unanswered;
  Outcome outcome;
};

// One page of a list, as it stood after `ledger_seq`.
struct TransferPage {
  std::vector<Transfer> transfers;
  // Where the next page begins; 0: there is none.
  std::uint64_t next = 0;
  std::uint64_t ledger_seq = 0;
};

// The same of records.
struct RecordPage {
  std::vector<Record> records;
  std::uint64_t next = 0;
  std::uint64_t ledger_seq = 0;
};

// A record of the journal, and of a hold that was made what became of it.
struct FoundChange {
  Record record;
  std::optional<HoldEntry> hold;
};

// The bank: submit a change, be answered when it is durable. Lives on the loop's thread; behind it one storage thread owns the
// ledger and the journal, decides everything that has queued, makes it durable together and only then hands back the answers.
// Beyond that hand-over and the queue nothing is shared.
//
// Always true: `books()` shows exactly what is durable, and shows a change before its answer is given. An answer that was given
// is durable. After a failed append nobody is answered any more: the loop fails with the StorageError, and the process ends.
// Dropping a task ends the waiting, never the work.
class Store {
  class Impl;

 public:
  // A change that was queued. co_await returns its outcome, once. The answer is put right into it, so that a change costs neither
  // a frame nor an allocation; so it stays where it is, and the store outlives it.
  class [[nodiscard]] Submission {
   public:
    Submission(const Submission&) = delete;
    Submission& operator=(const Submission&) = delete;
    ~Submission();

    bool await_ready() const noexcept { return answer_.has_value(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept { ready_.handle = waiter; }
    Outcome await_resume() { return std::move(answer_->outcome); }
    // Once it was answered: whether that is a fence.
    bool is_fenced() const noexcept { return answer_->fenced; }

   private:
    friend class Store;
    Submission(Impl& impl, Result<Operation>&& asked);
    void answered(Answer&& answer);
    // The store ends: nobody will answer any more, and whoever waits stays where it is until it is destroyed.
    void abandon() noexcept { number_ = 0; }

    Impl& impl_;
    std::uint64_t number_ = 0;  // Under which it waits for its answer; 0: it does not.
    std::optional<Answer> answer_;
    async::Ready ready_;
  };

  // Loads the journal, which takes as long as it takes. Throws StorageError. All four outlive the store.
  Store(async::Loop& loop, Journal& journal, Executor& executor, StoreClock& clock,
        StoreOptions options = {});
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store();

  // Queues a change at once; awaiting what it gives is waiting for the answer. Nothing is known until that is here: who stops
  // waiting leaves the outcome unknown. What was refused already is answered with that.
  Submission submit(Result<Operation>&& asked);
  // What became of `id`, for whoever used it first; fences it if it was never seen.
  async::Task<Resolution> resolve(OperationId id, std::string principal, Deadline deadline);

  // What is durable. Valid until the loop's next turn.
  const Books& books() const;
  std::uint64_t last_seq() const { return books().last_seq(); }
  ChainHead chain_head() const;
  InstanceId instance_id() const;
  // The chain's hash when this record was the last of a batch; nothing if it never was, as after an old backup was restored.
  async::Task<std::optional<Hash>> hash_at(std::uint64_t ledger_seq);

  // An account's transfers from `from` back to older ones; 0: from its newest.
  async::Task<TransferPage> statement(AccountNumber account, std::uint64_t from, std::size_t limit);
  // Every account's transfers, newest first, from `from` back; 0: from the newest.
  async::Task<TransferPage> transfers(std::uint64_t from, std::size_t limit);
  // The transfers after `after_seq`, oldest first, as many as there are up to `limit`; waits until there is one. Call it again
  // with the last one's number: none is missed, none comes twice.
  async::Task<std::vector<Transfer>> next_transfers(std::uint64_t after_seq, std::size_t limit);
  // A hold in whatever state, open or long ended.
  async::Task<std::optional<HoldEntry>> find_hold(OperationId id);

  // All that belongs to a change, by any of its ids, oldest first (JournalReader::find_changes).
  async::Task<std::vector<FoundChange>> find_changes(OperationId id);
  // The same of the change with this number.
  async::Task<std::vector<FoundChange>> find_changes(std::uint64_t ledger_seq);
  // What was declined, newest first, from `from` back; 0: from the newest.
  async::Task<RecordPage> declines(std::uint64_t from, std::size_t limit);

  // A whole copy of everything durable, as a new file. Throws StorageError (cannot_create) when the file is there already or
  // cannot be made. Changes and reads go on meanwhile.
  async::Task<BackupDone> backup(std::string path);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace ledger
