#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/answers.h"
#include "ledger/books.h"
#include "ledger/codec.h"
#include "ledger/history.h"
#include "ledger/record.h"

namespace ledger {

// How long answers stay in memory. An id that is younger and not in memory was never seen, so it needs no look-up. After a start
// memory begins anew: ids from before it are looked up.
inline constexpr std::chrono::microseconds memory_horizon_default = std::chrono::seconds(10);

// What is to be done with an operation. Nothing is changed yet.
struct Decision {
  Answer answer{};
  // The answer is new: it is pinned to the id, and goes to the journal before anybody is told.
  bool journalled = false;
  // Of a void: its hold was never seen. A record that fences the hold goes right before this one.
  bool fences_hold = false;
  // Of a reversal: with the movement that was looked up. To be journalled in the operation's place.
  std::optional<Reverse> reverse{};
  std::optional<Parties> parties{};
};

// The records decided together, and their journal form: what one append makes durable.
struct Batch {
  std::vector<Record> records;
  BatchBytes bytes = std::make_shared<std::string>();

  bool empty() const { return records.empty(); }
  // Begins the next one.
  void clear();
};

// The bank's rules: the books, and the answers that were given. Synchronous, no I/O but what
// History does, no clock of its own. Owned by one thread.
//
// Always true: what was decided is what is journalled, and replaying the journal gives the same
// ledger. An answer is forgotten only when it is in History and both its decision and its id are
// older than the line, which follows at the horizon; so an id younger than the line is in memory or was never seen.
class Ledger {
 public:
  // `history` outlives the ledger.
  explicit Ledger(History& history,
                  std::chrono::microseconds memory_horizon = memory_horizon_default);

  // Rule 7's order: shape; idempotency; deadline; what it names exists; state of the hold; frozen
  // or closed; currency; limits; overflow; funds last. The first that applies is the answer.
  // Changes nothing.
  Decision decide(const Operation& operation, const Moment& moment) const;

  // Decides; applies what is to be journalled and adds it to the batch. The answer leaves when the
  // batch is durable.
  Answer execute(Operation&& operation, const Moment& moment, Batch& batch);
  // The same where nothing can be journalled: what is known or refused anyway is told, and all else is
  // disk_nearly_full. So that is said only of an id that has no answer yet. Changes nothing.
  Answer answer_on_full_disk(const Operation& operation, const Moment& moment) const;
  // The operation will be executed soon. `fetched` is its own, from the first step to the last.
  void prefetch(const Operation& operation, Fetch step, Fetched& fetched) const;
  // Ends the time of at most `count_max` holds that are due.
  void expire_holds(const Moment& moment, std::size_t count_max, Batch& batch);

  // At start: a record from the journal, and where in its batch it begins. Throws nothing; a record that does
  // not follow stops the process.
  void replay(const Record& record, std::size_t position);
  // Of a record that someone claims is the next one: why the rules would not have decided so, or nullopt if they would.
  std::optional<std::string> find_fault(const Record& record) const;

  // At start, once the books are restored: the line is where they end. `remember` every answer in History whose id was made after
  // it (its maker's clock was ahead), then `replay` what History does not have yet.
  Instant restored();
  void remember(const Record& record, std::size_t position);
  // What was answered to ids made between these times was not all remembered.
  void remember_none(Instant from, Instant through) { answers_.be_incomplete(from, through); }

  // Everything up to this record can be found in History.
  void forget(std::uint64_t projected_through);

  const Books& books() const { return books_; }
  // The movements of money since the last call, for books that follow these.
  RecentTransfers::Block share_transfers() { return books_.share_transfers(); }
  Books& books_to_restore() { return books_; }
  std::size_t answers_in_memory() const { return answers_.size(); }

 private:
  std::optional<Record> first_answer(const OperationId& id) const;
  void commit(Operation&& operation, const Decision& decision, const Moment& moment, Batch& batch);

  History& history_;
  std::chrono::microseconds memory_horizon_;
  Books books_;
  Answers answers_;
};

}  // namespace ledger
