#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "ledger/answers.h"
#include "ledger/books.h"
#include "ledger/history.h"
#include "ledger/record.h"
#include "ledger/refusal.h"

namespace ledger {

inline std::unexpected<Refusal> refuse(RefusalCode code) {
  return std::unexpected(Refusal{.code = code});
}

// The first answer to an id, from memory or, where memory proves nothing, from history.
std::optional<Record> find_first_answer(const Answers& answers, History& history,
                                        const OperationId& id);

// Rule 7 from "accounts exist" on, one function a kind of change, each to be read from top to
// bottom: the first refusal that applies is the answer. Part of the ledger; lives for one decision
// and changes nothing.
class Rules {
 public:
  Rules(const Books& books, const Answers& answers, History& history, const Operation& operation,
        const Moment& moment)
      : books_(books),
        answers_(answers),
        history_(history),
        operation_(operation),
        moment_(moment) {}

  Outcome decide(const Post& post);
  Outcome decide(const Hold& hold) const;
  Outcome decide(const Capture& capture) const;
  Outcome decide(const Void& release);
  Outcome decide(const Suspend& suspend) const;
  Outcome decide(const Resolve& resolve) const;
  Outcome decide(const OpenAccount& open) const;
  Outcome decide(const Freeze& freeze) const;
  Outcome decide(const Unfreeze& unfreeze) const;
  Outcome decide(const Close& close) const;
  Outcome decide(const SetOverdraft& set) const;
  Outcome decide(const AddTerminal& add) const;
  Outcome decide(const SetTerminalService& set) const;
  Outcome decide(const IssueCard& issue) const;
  Outcome decide(const BlockCard& block) const;
  Outcome decide(const UnblockCard& unblock) const;
  Outcome decide(const ReplaceCard& replace) const;
  Outcome decide(const SetCardLimits& set) const;
  Outcome decide(const SetPin& set) const;
  Outcome decide(const RecordPinAttempt& attempt);
  Outcome decide(const Adjust& adjust) const;
  Outcome decide(const Reverse& reverse);
  Outcome decide(const ResolveException& resolve) const;
  Outcome decide(const ExpireHold& expire) const;

  // The void's hold was never seen, and is to be fenced.
  bool fences_hold() const { return fences_hold_; }
  // The yes changes nothing, so there is nothing to journal.
  bool changes_nothing() const { return changes_nothing_; }
  // Whose accounts a post is between.
  std::optional<Parties> parties() const { return parties_; }
  // What a Reverse is to carry.
  const Reverse* reverse() const { return reverse_.has_value() ? &*reverse_ : nullptr; }

 private:
  // What is known of the id that a capture, void or suspend names as its hold.
  struct NamedHold {
    enum class Is { hold, never_seen, fenced, refused, something_else, of_another };
    Is is = Is::never_seen;
    HoldEntry entry{};
  };
  struct Movement {
    const Account* source = nullptr;
    const Account* target = nullptr;
    const Card* card = nullptr;          // Of a post, if it names one.
    const Terminal* terminal = nullptr;  // As the card.
    Cents amount{};
    Currency currency{};
  };

  bool is_fenced(const ReceiptId& receipt) const;
  NamedHold find_hold(const OperationId& id, const std::string& terminal) const;
  Result<HoldEntry> require_open_hold(const OperationId& id, const std::string& terminal) const;
  Outcome decide_end_of_hold(const HoldEntry& hold, Cents captured) const;

  Result<Movement> find_parties(const Post& post) const;
  std::optional<Refusal> check_transfer_card(const Post& post, const Movement& movement) const;
  std::optional<Refusal> check_movement(const Movement& movement) const;
  std::optional<Refusal> check_limits(const Card& card, Cents amount, Currency currency) const;
  std::optional<Refusal> check_overflow(const Movement& movement, Cents released) const;
  std::optional<Refusal> check_reservation(const Account& account, Cents amount) const;
  std::optional<Refusal> check_customer(const Account* account) const;
  std::optional<Refusal> check_currency(const Account& account, Currency currency) const;

  Receipt done() const;
  Receipt receipt(const Account& account, Cents balance, Cents held) const;

  const Books& books_;
  const Answers& answers_;
  History& history_;
  const Operation& operation_;
  const Moment& moment_;
  bool fences_hold_ = false;
  bool changes_nothing_ = false;
  std::optional<Parties> parties_;
  std::optional<Reverse> reverse_;
};

}  // namespace ledger
