#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <expected>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/entries.h"
#include "ledger/index.h"
#include "ledger/recent_transfers.h"
#include "ledger/record.h"
#include "ledger/shared_list.h"

namespace ledger {

// What deciding a post needs is fetched into the processor's caches in these steps, some time apart: each uses what the one
// before it fetched.
enum class Fetch : std::size_t { slots, entries, names };

// What is kept of a post from step to step. 0: not a post, or not fetched yet.
struct Fetched {
  std::uint32_t card_tag = 0;
  std::uint32_t target_tag = 0;
};

// What a record changed: which rows of the tables are new.
struct Effects {
  std::optional<Transfer> movement;  // Where the books do not keep it.
  std::uint8_t account_count = 0;
  std::array<AccountNumber, 3> accounts{};
  std::optional<CardNumber> card;
  std::optional<CardNumber> second_card;
  std::optional<TerminalNumber> terminal;
  std::uint64_t hold_seq = 0;
  std::uint64_t exception_seq = 0;
  std::uint64_t reversed_seq = 0;

  void touch(AccountNumber account);
  void touch(CardNumber card_number);
};

// Everything the bank has: accounts, cards, terminals, holds, exceptions and the sums of each
// currency. Decides nothing: what a record says was decided, and applying it cannot refuse. One
// copy belongs to one thread: the storage thread decides against its copy, the loop reads from
// another that is fed the same records once they are durable, so no read waits for the disk. A copy shares with the original what
// neither has changed since.
//
// Always true: the sums of each currency add up to zero; two books that applied the same records
// are equal. Lists are in the order in which things were opened, never in the order of a hash.
class Books {
 public:
  // The only change there is. The record's number is the next one.
  Effects apply(const Record& record);
  // The same, for tables: the effects tell the movement of money, and the books do not keep it.
  Effects project(const Record& record);
  // The same, of a copy that gets its movements of money from the original, by `share_transfers` and `add`.
  void follow(const Record& record);
  void add(RecentTransfers::Block movements) { recent_transfers_.add(std::move(movements)); }
  RecentTransfers::Block share_transfers() { return recent_transfers_.share(); }

  const Account* find_account(std::string_view id) const;
  const Card* find_card(std::string_view card) const;
  // A card as the operator names it: by its number, by its id ("card-17"), or by its account and its last four digits
  // ("jane/0010"), for which every card is looked at. Of several those that were replaced do not count. Not there:
  // card_not_found or card_not_unique.
  std::expected<const Card*, RefusalCode> find_named_card(std::string_view name) const;
  const Terminal* find_terminal(std::string_view id) const;
  // An open hold, or one that ended and is not forgotten yet.
  const HoldEntry* find_hold(const OperationId& id) const;
  const Totals* find_totals(Currency currency) const;
  // Which record took a transfer back; 0: none.
  std::uint64_t reversed_by(std::uint64_t transfer_seq) const;
  std::size_t reversal_count() const { return reversals_.size(); }

  // A post will be decided soon, or one between these two applied.
  void prefetch(const Post& post, Fetch step, Fetched& fetched) const;
  void prefetch(const Parties& parties) const;

  const Account& account(AccountNumber number) const;
  const Card& card(CardNumber number) const;
  const Terminal& terminal(TerminalNumber number) const;
  const Account& cash_account(const Terminal& terminal) const;

  // In the order in which they were opened: number n is at place n.
  const SharedList<Account>& accounts() const { return accounts_; }
  const SharedList<Card>& cards() const { return cards_; }
  const SharedList<Terminal>& terminals() const { return terminals_; }
  // By journal number. Holds that ended stay until they are forgotten.
  const std::map<std::uint64_t, HoldEntry>& holds() const { return holds_; }
  const std::map<std::uint64_t, ExceptionEntry>& exceptions() const { return exceptions_; }
  std::span<const Totals> totals() const { return totals_; }
  const RecentTransfers& recent_transfers() const { return recent_transfers_; }

  // The open hold whose time is over first, if that is by now.
  const HoldEntry* first_expired(Instant now) const;
  // When first_expired will next have something to say.
  std::optional<Instant> next_expiry() const;

  // The last record applied.
  std::uint64_t last_seq() const { return last_seq_; }
  Instant last_at() const { return last_at_; }
  BusinessDay last_day() const { return last_day_; }

  // Records up to this one are in the tables: their transfers and the holds that they ended can be
  // found there.
  void forget(std::uint64_t through_seq);

  // For a journal that loads its tables, before the first record is applied. In the order of their
  // numbers.
  void reserve(std::size_t accounts, std::size_t cards);
  void restore(Account account);
  void restore(Card card);
  void restore(Terminal terminal);
  void restore(HoldEntry hold);
  void restore(ExceptionEntry exception);
  void restore_reversal(std::uint64_t transfer_seq, std::uint64_t reversing_seq);
  void restore_position(std::uint64_t last_seq, Instant last_at, BusinessDay last_day);
  // True: the sums are what the accounts add up to, and zero. Reads every account.
  bool is_balanced() const;

  // What is open and what is owed; not what can be forgotten.
  friend bool operator==(const Books& a, const Books& b);

 private:
  friend class Applier;
  friend class Bookkeeper;

  Account& at(AccountNumber number);
  Card& at(CardNumber number);
  Terminal& at(TerminalNumber number);
  Totals& totals_of(Currency currency);

  SharedList<Account> accounts_;
  SharedList<Card> cards_;
  SharedList<Terminal> terminals_;
  NumberIndex account_index_;
  NumberIndex card_index_;
  NumberIndex terminal_index_;
  std::map<std::uint64_t, HoldEntry> holds_;
  IdIndex hold_index_;
  std::set<std::pair<Instant, std::uint64_t>> expiries_;  // Of holds in the state `held`.
  std::deque<std::uint64_t> ended_holds_;                 // In the order in which they ended.
  std::map<std::uint64_t, ExceptionEntry> exceptions_;
  std::map<std::uint64_t, std::uint64_t> reversals_;
  std::vector<Totals> totals_;
  RecentTransfers recent_transfers_;
  std::uint64_t last_seq_ = 0;
  Instant last_at_{};
  BusinessDay last_day_;
};

}  // namespace ledger
