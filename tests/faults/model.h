// Model: the bank's rules once more, in a few dozen lines and as simply as they can be said.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "ledger/entries.h"
#include "ledger/operation.h"
#include "ledger/record.h"

namespace sim {

// One currency, no overflow, no journal, nothing forgotten. Knows nothing of lib/ledger but what a change is called, so that the two
// can be held against each other. A value.
class Model {
 public:
  // What is decided: yes, or the refusal; and of money, the account concerned and how it stands after a yes.
  struct Verdict {
    std::optional<ledger::RefusalCode> no;
    std::string account{};
    std::int64_t balance = 0;
    std::int64_t available = 0;
  };

  // A change that was never asked for under this id. Decides it, and makes it if the answer is yes.
  Verdict decide(const ledger::Operation& operation, ledger::BusinessDay day, std::uint64_t seq);
  // Why this record cannot be the next one of a journal; nothing: it can. Makes it.
  std::optional<std::string> follow(const ledger::Record& record);

  struct Account {
    std::int64_t balance = 0;
    std::int64_t held = 0;
    std::int64_t overdraft = 0;
    int open_holds = 0;
    bool is_customer = true;
    bool is_frozen = false;
    bool is_closed = false;
    std::int64_t available() const { return balance - held + overdraft; }
  };
  const Account* find(const std::string& account) const;
  std::int64_t sum() const;
  bool has_seen(const ledger::OperationId& id) const { return seen_.contains(id); }

 private:
  enum class State : std::uint8_t { held, expired, suspended, captured, voided };
  struct Usage {
    ledger::BusinessDay day{};
    std::int64_t amount = 0;
    std::uint32_t count = 0;
  };
  struct Card {
    std::string account;
    ledger::CardLimits limits{};
    ledger::CardState state = ledger::CardState::active;
    std::uint32_t wrong_pins = 0;
    Usage used{};
  };
  struct Hold {
    std::string account;
    std::string card;
    std::string terminal;
    std::string principal;
    std::int64_t amount = 0;
    State state = State::held;
    ledger::BusinessDay day{};
    bool is_reserved() const { return state == State::held || state == State::suspended; }
    bool is_open() const { return state != State::captured && state != State::voided; }
  };
  struct Transfer {
    std::string source;
    std::string target;
    std::int64_t amount = 0;
    bool moved_cash = false;
    bool is_reversed = false;
  };
  struct Seen {
    std::string principal;
    bool is_fence = false;
    bool is_hold = false;
    bool was_accepted = false;
  };
  struct Raised {
    std::optional<ledger::OperationId> suspended;
    bool is_resolved = false;
  };
  class Decider;

  std::map<std::string, Account> accounts_;
  std::map<std::string, Card> cards_;
  std::map<std::string, bool> terminals_;  // Whether in service.
  std::map<ledger::OperationId, Hold> holds_;
  std::map<std::uint64_t, Transfer> transfers_;
  std::map<std::uint64_t, Raised> exceptions_;
  std::map<ledger::OperationId, Seen> seen_;
};

}  // namespace sim
