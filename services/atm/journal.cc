#include "atm/journal.h"

#include <chrono>
#include <utility>

namespace atm {

namespace {

constexpr async::Duration flush_after = std::chrono::seconds(1);

}  // namespace

Journal::Journal(async::Loop& loop, std::shared_ptr<JournalFile> file, const DiskRoom& disk)
    : loop_(loop),
      file_(std::move(file)),
      disk_(disk),
      tail_(file_->tail()),
      wanted_(loop),
      tasks_(loop) {
  tasks_.spawn(commit_in_groups());
  tasks_.spawn(flush_in_time());
}

void Journal::queue(Entry entry) {
  for (Row& row : entry.rows) queued_.push_back(std::move(row));
  entry.event.number = ++tail_.number;
  entry.event.previous = tail_.check;
  Row event = to_row(entry.event);
  tail_.check = std::get<std::int64_t>(event.values.back());
  queued_.push_back(std::move(event));
}

Task<> Journal::commit(Entry entry) {
  queue(std::move(entry));
  return flush();
}

void Journal::note(Entry entry) { queue(std::move(entry)); }

Task<> Journal::flush() {
  async::Promise<> promise(loop_);
  async::Future<> written = promise.future();
  waiters_.push_back(std::move(promise));
  wanted_.set();
  co_await written;
}

Task<> Journal::commit_in_groups() {
  while (true) {
    co_await wanted_;
    wanted_.clear();
    std::vector<async::Promise<>> waiters = std::exchange(waiters_, {});
    if (memory_) queued_.push_back(to_row(*std::exchange(memory_, std::nullopt)));
    for (const auto& [slot, head] : std::exchange(heads_, {})) queued_.push_back(to_row(head));
    // An old view of the file would keep its WAL.
    if (file_->is_full_of_changes()) file_->see_newest();
    // The pool's work owns what it writes: this journal may be gone before it is done.
    auto write = [file = file_, rows = std::exchange(queued_, {})] { file->write(rows); };
    co_await loop_.offload(std::move(write));
    for (async::Promise<>& waiter : waiters) waiter.set();
  }
}

Task<> Journal::flush_in_time() {
  while (true) {
    co_await loop_.sleep_for(flush_after);
    if (!queued_.empty() && disk_.is_left()) wanted_.set();
  }
}

}  // namespace atm
