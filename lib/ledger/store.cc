#include "ledger/store.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <mutex>
#include <utility>
#include <variant>

#include "ledger/check.h"
#include "ledger/storage.h"

namespace ledger {
namespace {

// So many records before its turn, what applying one needs is fetched from memory.
constexpr std::size_t waiting_ahead = 4;
// After this long without a change the tables are brought up to date.
constexpr async::Duration quiet_after = std::chrono::milliseconds(50);

// One reader for the pool's threads, who take turns. Opened when it is first used: a start does not need it.
class SharedReader {
 public:
  explicit SharedReader(Journal::ReaderOpener opener) : opener_(std::move(opener)) {}

  template <typename Use>
  auto use(Use&& use) {
    const std::lock_guard lock(mutex_);
    if (!reader_) reader_ = opener_();
    return use(*reader_);
  }

 private:
  const Journal::ReaderOpener opener_;
  std::mutex mutex_;
  std::unique_ptr<JournalReader> reader_;
};

}  // namespace

// The loop's side of the store. Callbacks from the storage hold it weakly: what comes after the store is dropped.
class Store::Impl final : public std::enable_shared_from_this<Store::Impl>, async::TurnEnd {
 public:
  Impl(async::Loop& loop, Journal& journal, Executor& executor, StoreClock& clock,
       const StoreOptions& options)
      : loop_(loop),
        executor_(executor),
        clock_(clock),
        options_(options),
        instance_id_(journal.instance_id()),
        storage_(journal, clock, options, outlets()),
        books_(storage_.books()),
        head_(journal.head()),
        projected_through_(journal.projected_through()),
        reader_(std::make_shared<SharedReader>(journal.reader_opener())),
        copier_(std::make_shared<SharedReader>(journal.reader_opener())),
        commit_(loop),
        timer_(*this) {
    books_.forget(projected_through_);
  }

  void start() {
    executor_.start([this] { return storage_.step(); });
    set_timer();
    // There may be upkeep, after those who waited for the start were served.
    if (!awaits_storage()) timer_.set(loop_, loop_.now() + quiet_after);
  }
  void stop() {
    for (Submission*& submission : waiting_) {
      if (submission != nullptr) submission->abandon();
    }
    timer_.cancel();
    executor_.stop();
  }

  // Returns the number under which it waits, or 0 if the queue is full.
  std::uint64_t enqueue(Submission& submission, Operation&& operation) {
    if (waiting_.size() >= options_.queue_max) return 0;
    waiting_.push_back(&submission);
    outgoing_.push_back(std::move(operation));
    if (!linked()) loop_.at_turn_end(*this);
    return answered_ + waiting_.size();
  }
  // Whoever waited under this number is gone; the work goes on.
  void forget(std::uint64_t number) noexcept { waiting_[number - answered_ - 1] = nullptr; }

  async::Loop& loop() { return loop_; }
  const Books& books() const { return books_; }
  const ChainHead& head() const { return head_; }
  const InstanceId& instance_id() const { return instance_id_; }
  std::uint64_t projected_through() const { return projected_through_; }
  std::shared_ptr<SharedReader> reader() const { return reader_; }
  std::shared_ptr<SharedReader> copier() const { return copier_; }
  async::Event& commit() { return commit_; }

 private:
  class Wakeup final : public async::Timer {
   public:
    explicit Wakeup(Impl& impl) : impl_(impl) {}

   private:
    void fired() override { impl_.timer_fired(); }
    Impl& impl_;
  };

  // How the storage reaches the loop.
  Storage::Outlets outlets() {
    // The object is not shared yet while it is made, so the weak pointer is taken at each call.
    return Storage::Outlets{
        .committed =
            [this](Committed committed) {
              loop_.post([impl = weak_from_this(), batch = std::move(committed)]() mutable {
                if (const auto alive = impl.lock()) alive->take(std::move(batch));
              });
            },
        .failed =
            [this](std::exception_ptr error) {
              loop_.post([impl = weak_from_this(), error] {
                if (const auto alive = impl.lock()) alive->loop_.fail(error);
              });
            },
        .beside = [this](std::function<void()> work) { executor_.beside(std::move(work)); }};
  }

  // All that a turn of the loop asked for goes to the storage together.
  void turn_ended() override {
    storage_.queue(outgoing_);
    executor_.wake();
  }

  // First the books, then the answers: who is answered can read what it wrote.
  void take(Committed committed) {
    const std::vector<Record>& records = committed.records;
    for (std::size_t at = 0; at < records.size(); ++at) {
      const std::size_t ahead = at + waiting_ahead;
      if (ahead < records.size() && records[ahead].parties)
        books_.prefetch(*records[ahead].parties);
      books_.follow(records[at]);
    }
    if (committed.movements != nullptr) books_.add(std::move(committed.movements));
    head_ = committed.head;
    projected_through_ = committed.projected_through;
    books_.forget(projected_through_);
    for (Answer& answer : committed.answers) {
      if (waiting_.size() > waiting_ahead) __builtin_prefetch(waiting_[waiting_ahead], 1);
      Submission* const submission = waiting_.front();
      waiting_.pop_front();
      ++answered_;
      if (submission != nullptr) submission->answered(std::move(answer));
    }
    if (!committed.records.empty()) {
      commit_.set();
      commit_.clear();
    }
    storage_.give_back(std::move(committed));
    set_timer();
  }

  // Wakes the storage when a hold's time is over, and when it has been quiet while the tables lag.
  void set_timer() {
    async::Duration wait = async::Duration::max();
    if (projected_through_ < books_.last_seq()) wait = quiet_after;
    if (const std::optional<Instant> expiry = books_.next_expiry()) {
      const async::Duration left =
          std::max(async::Duration(0), async::Duration(*expiry - clock_.now()));
      wait = std::min(wait, left + std::chrono::milliseconds(1));
    }
    if (wait == async::Duration::max()) return timer_.cancel();
    timer_.set(loop_, loop_.now() + wait);
  }

  void timer_fired() {
    storage_.quiet();
    executor_.wake();
    // Answers set it again; while a clock stands still nothing else would.
    if (awaits_storage()) timer_.set(loop_, loop_.now() + quiet_after);
  }

  // Tables that lag, or a hold whose time will be over.
  bool awaits_storage() const {
    return projected_through_ < books_.last_seq() || books_.next_expiry().has_value();
  }

  async::Loop& loop_;
  Executor& executor_;
  StoreClock& clock_;
  const StoreOptions options_;
  const InstanceId instance_id_;
  Storage storage_;
  Books books_;
  ChainHead head_;
  std::uint64_t projected_through_;
  std::shared_ptr<SharedReader> reader_;
  std::shared_ptr<SharedReader> copier_;  // A backup takes long: statements do not wait for it.
  // In the order in which their operations were queued; null: gone. The first one's number is one more than were answered.
  std::deque<Submission*> waiting_;
  std::uint64_t answered_ = 0;
  std::vector<Operation> outgoing_;
  async::Event commit_;
  Wakeup timer_;
};

Store::Store(async::Loop& loop, Journal& journal, Executor& executor, StoreClock& clock,
             StoreOptions options)
    : impl_(std::make_shared<Impl>(loop, journal, executor, clock, options)) {
  impl_->start();
}

Store::~Store() { impl_->stop(); }

const Books& Store::books() const { return impl_->books(); }
ChainHead Store::chain_head() const { return impl_->head(); }
InstanceId Store::instance_id() const { return impl_->instance_id(); }

Store::Submission::Submission(Impl& impl, Result<Operation>&& asked) : impl_(impl) {
  if (!asked) {
    answer_.emplace(Answer{std::unexpected(asked.error())});
    return;
  }
  number_ = impl.enqueue(*this, *std::move(asked));
  if (number_ == 0) {
    answer_.emplace(Answer{std::unexpected(Refusal{.code = RefusalCode::queue_full})});
  }
}

Store::Submission::~Submission() {
  if (number_ != 0) impl_.forget(number_);
}

void Store::Submission::answered(Answer&& answer) {
  number_ = 0;
  answer_.emplace(std::move(answer));
  if (ready_.handle) impl_.loop().make_ready(ready_);
}

Store::Submission Store::submit(Result<Operation>&& asked) {
  return Submission(*impl_, std::move(asked));
}

async::Task<Resolution> Store::resolve(OperationId id, std::string principal, Deadline deadline) {
  Operation question;
  question.id = id;
  question.principal = std::move(principal);
  question.deadline = deadline;
  question.change = Resolve();
  Submission submitted = submit(std::move(question));
  Resolution resolution;
  resolution.outcome = co_await submitted;
  const Outcome& outcome = resolution.outcome;
  if (submitted.is_fenced() && outcome.has_value()) {
    resolution.is = Resolution::Is::fenced;
  } else if (outcome.has_value()) {
    resolution.is = Resolution::Is::executed;
  } else if (outcome.error().ledger_seq != 0) {
    resolution.is = Resolution::Is::refused;
  }
  co_return resolution;
}

async::Task<std::optional<Hash>> Store::hash_at(std::uint64_t ledger_seq) {
  if (ledger_seq == impl_->head().ledger_seq) co_return impl_->head().hash;
  // What the journal has beyond that may not be durable.
  if (ledger_seq > impl_->head().ledger_seq) co_return std::nullopt;
  auto work = [reader = impl_->reader(), ledger_seq] {
    return reader->use([&](JournalReader& tables) { return tables.hash_at(ledger_seq); });
  };
  co_return co_await impl_->loop().offload(std::move(work));
}

// The chain of an account's transfers never changes, so it can be followed through memory and on through the tables without any
// moment in which the two must agree.
async::Task<TransferPage> Store::statement(AccountNumber account, std::uint64_t from,
                                           std::size_t limit) {
  const Books& books = impl_->books();
  TransferPage page;
  page.ledger_seq = books.last_seq();
  std::uint64_t next = from == 0 ? books.account(account).last_transfer : from;
  const auto add = [&page, &next, account](Transfer transfer) {
    const bool is_source = transfer.source == account;
    next = is_source ? transfer.source_previous : transfer.target_previous;
    page.transfers.push_back(std::move(transfer));
  };
  while (next != 0 && page.transfers.size() < limit) {
    std::optional<Transfer> recent = books.recent_transfers().find(next);
    if (!recent.has_value()) break;
    // Whoever asks from a transfer of somebody else's gets nothing.
    if (recent->source != account && recent->target != account) co_return page;
    add(*std::move(recent));
  }
  if (next != 0 && page.transfers.size() < limit) {
    const std::size_t rest = limit - page.transfers.size();
    auto work = [reader = impl_->reader(), account, next, rest] {
      return reader->use(
          [&](JournalReader& tables) { return tables.statement(account, next, rest); });
    };
    next = 0;
    const std::vector<Transfer> older = co_await impl_->loop().offload(std::move(work));
    for (const Transfer& transfer : older) add(transfer);
  }
  page.next = next;
  co_return page;
}

async::Task<TransferPage> Store::transfers(std::uint64_t from, std::size_t limit) {
  const Books& books = impl_->books();
  TransferPage page;
  page.ledger_seq = books.last_seq();
  const std::uint64_t first = from == 0 ? books.last_seq() : from;
  page.transfers = books.recent_transfers().back_from(first, limit);
  if (page.transfers.size() < limit) {
    const std::uint64_t before = std::min(first, impl_->projected_through()) + 1;
    const std::size_t rest = limit - page.transfers.size();
    auto work = [reader = impl_->reader(), before, rest] {
      return reader->use(
          [&](JournalReader& tables) { return tables.transfers_before(before, rest); });
    };
    const std::vector<Transfer> older = co_await impl_->loop().offload(std::move(work));
    std::ranges::copy(older, std::back_inserter(page.transfers));
  }
  if (page.transfers.size() == limit && limit > 0) page.next = page.transfers.back().ledger_seq - 1;
  co_return page;
}

async::Task<std::vector<Transfer>> Store::next_transfers(std::uint64_t after_seq,
                                                         std::size_t limit) {
  std::vector<Transfer> found;
  while (true) {
    const std::uint64_t projected = impl_->projected_through();
    if (after_seq < projected) {
      auto work = [reader = impl_->reader(), after_seq, projected, limit] {
        return reader->use([&](JournalReader& tables) {
          return tables.transfers_after(after_seq, projected, limit);
        });
      };
      found = co_await impl_->loop().offload(std::move(work));
      after_seq = projected;
    } else {
      found = impl_->books().recent_transfers().after(after_seq, limit);
      if (found.empty()) {
        after_seq = std::max(after_seq, impl_->books().last_seq());
        co_await impl_->commit();
      }
    }
    if (!found.empty()) co_return found;
  }
}

async::Task<std::optional<HoldEntry>> Store::find_hold(OperationId id) {
  if (const HoldEntry* const recent = impl_->books().find_hold(id)) co_return *recent;
  auto work = [reader = impl_->reader(), id] {
    return reader->use([&](JournalReader& tables) { return tables.find_hold(id); });
  };
  co_return co_await impl_->loop().offload(std::move(work));
}

async::Task<std::vector<FoundChange>> Store::find_changes(OperationId id) {
  const std::uint64_t through = impl_->books().last_seq();
  auto work = [reader = impl_->reader(), id, through] {
    return reader->use([&](JournalReader& tables) { return tables.find_changes(id, through); });
  };
  std::vector<Record> records = co_await impl_->loop().offload(std::move(work));
  std::vector<FoundChange> found;
  for (Record& record : records) {
    const bool is_hold =
        record.outcome.has_value() && std::holds_alternative<Hold>(record.operation.change);
    std::optional<HoldEntry> hold;
    if (is_hold) hold = co_await find_hold(record.operation.id);
    FoundChange change;
    change.record = std::move(record);
    change.hold = std::move(hold);
    found.push_back(std::move(change));
  }
  co_return found;
}

async::Task<std::vector<FoundChange>> Store::find_changes(std::uint64_t ledger_seq) {
  std::vector<FoundChange> found;
  if (ledger_seq > impl_->books().last_seq()) co_return found;
  auto work = [reader = impl_->reader(), ledger_seq] {
    return reader->use([&](JournalReader& tables) { return tables.record(ledger_seq); });
  };
  std::optional<Record> record = co_await impl_->loop().offload(std::move(work));
  if (!record) co_return found;
  const OperationId id = record->operation.id;
  if (id.is_set()) co_return co_await find_changes(id);
  found.push_back(FoundChange{*std::move(record), std::nullopt});
  co_return found;
}

async::Task<RecordPage> Store::declines(std::uint64_t from, std::size_t limit) {
  RecordPage page;
  page.ledger_seq = impl_->books().last_seq();
  const std::uint64_t first = from == 0 ? page.ledger_seq : std::min(from, page.ledger_seq);
  auto work = [reader = impl_->reader(), first, limit] {
    return reader->use(
        [&](JournalReader& tables) { return tables.declines_back_from(first, limit); });
  };
  page.records = co_await impl_->loop().offload(std::move(work));
  if (page.records.size() == limit && limit > 0) page.next = page.records.back().ledger_seq - 1;
  co_return page;
}

async::Task<BackupDone> Store::backup(std::string path) {
  const std::uint64_t through = impl_->books().last_seq();
  auto work = [copier = impl_->copier(), path = std::move(path), through] {
    return copier->use([&](JournalReader& tables) { return tables.backup(path, through); });
  };
  co_return co_await impl_->loop().offload(std::move(work));
}

}  // namespace ledger
