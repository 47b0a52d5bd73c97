#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ledger/entries.h"
#include "ledger/money.h"
#include "ledger/operation.h"
#include "ledger/refusal.h"
#include "ledger/time.h"

namespace ledger {

// A definite yes. A value, for any thread.
struct Receipt {
  // The number of the journal record that made the change.
  std::uint64_t ledger_seq = 0;
  // The account concerned right after the change: a hold's and a transfer's source, a deposit's and
  // a fund's target, a load's and an unload's cash account. Not set (no currency) where no account
  // is concerned.
  Cents balance{};
  Cents available{};
  Currency currency{};
  // True: this is the first answer to this id, told again.
  bool replayed = false;
  // Of a void: the ledger had never seen the hold, and it can never be made now.
  bool hold_was_unknown = false;
  // Of a PIN attempt: how many wrong tries are left.
  std::uint32_t tries_left = 0;

  friend bool operator==(const Receipt&, const Receipt&) = default;
};

using Outcome = Result<Receipt>;

// Whose money a post moves where.
struct Parties {
  AccountNumber source{};
  AccountNumber target{};
};

// One entry of the journal: what was asked, and what was decided. Applying it cannot fail. A value,
// for any thread.
//
// `operation` is a Resolve when its id was fenced. An accepted record's receipt and a refused one's
// refusal carry the record's own number.
struct Record {
  std::uint64_t ledger_seq = 0;
  Instant at{};
  BusinessDay day{};
  // Of a post, once somebody has looked them up, which is the greater part of the work. Not journalled.
  std::optional<Parties> parties{};
  Operation operation{};
  Outcome outcome{};
};

// Why what was asked for was declined: a refusal, or a PIN that was tried and is wrong, which is the record of a yes.
std::optional<RefusalCode> why_declined(const Record& record);

// Whether a record is of this id, has it on its receipt, or is about the hold that has it.
bool is_about(const Record& record, const OperationId& id);
// The other ids by which what belongs to a record is found: its own, its receipt's and its hold's.
std::vector<OperationId> ids_in(const Record& record);

// What a caller is told: the outcome, and, when it asked with Resolve, whether that outcome is a
// fence.
struct Answer {
  Outcome outcome{};
  bool fenced = false;
};

}  // namespace ledger
