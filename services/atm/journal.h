// Journal: makes what happened durable, many terminals' at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "atm/journal_file.h"
#include "atm/settings.h"

namespace atm {

using async::Task;

// One transition: the rows that it changes and the line that it adds to the audit trail.
struct Entry {
  Event event;
  std::vector<Row> rows;

  template <Record T>
  void add(const T& record) {
    rows.push_back(to_row(record));
  }
  template <Record T>
  void add(const std::vector<T>& records) {
    for (const T& record : records) add(record);
  }
};

// The transition of a record alone, with nothing of its terminal's books: an item that has ended may be
// asked about at another terminal than its own, or at an ATM that has its own no more.
template <Record T>
Entry transition_of(const T& record, std::int64_t at_us, std::string detail = {}) {
  Entry entry;
  entry.event = {.at_us = at_us,
                 .terminal = record.terminal,
                 .id = record.id,
                 .kind = std::string(T::kind),
                 .state = std::string(name(record.state)),
                 .detail = std::move(detail)};
  entry.add(record);
  return entry;
}

// Group commit: whatever has queued while a commit ran goes into the next one, whichever terminal
// it came from. Owned by main or a test; loop thread only.
//
// Invariant: entries reach the disk in the order in which they were handed in, whole or not at all.
// After a failed commit nothing more is written and no waiter goes on: the error ends Loop::run,
// and the process with it, because the outcome is unknown (rule 26).
class Journal {
 public:
  Journal(async::Loop& loop, std::shared_ptr<JournalFile> file, const DiskRoom& disk);

  // Done when the entry is on the disk.
  Task<> commit(Entry entry);
  // On the disk with the next commit, or within flush_after: for what a restart would find out by
  // itself. On a disk that is nearly full it waits for room, or for a commit: a full disk alone ends
  // nothing.
  void note(Entry entry);
  // The same, of a row without a line in the audit trail.
  void note(Row row) { queued_.push_back(std::move(row)); }
  // Goes to the disk with the next entries, whichever they are. What was not written yet of an older
  // memory is forgotten.
  void remember(BankMemory memory) { memory_ = std::move(memory); }
  void remember(BankHead head) { heads_[head.slot] = std::move(head); }
  // Done when everything that was handed in is on the disk.
  Task<> flush();

  JournalFile& file() { return *file_; }

 private:
  void queue(Entry entry);
  Task<> commit_in_groups();
  Task<> flush_in_time();

  async::Loop& loop_;
  std::shared_ptr<JournalFile> file_;
  const DiskRoom& disk_;
  JournalFile::Tail tail_;
  std::vector<Row> queued_;
  std::optional<BankMemory> memory_;
  std::map<std::uint32_t, BankHead> heads_;  // By slot.
  std::vector<async::Promise<>> waiters_;
  async::Event wanted_;
  async::TaskScope tasks_;
};

}  // namespace atm
