#include "ledger/books.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "ledger/check.h"

namespace ledger {
namespace {

template <typename Number>
constexpr std::size_t place(Number number) {
  return static_cast<std::size_t>(std::to_underlying(number));
}

}  // namespace

std::string card_id(CardNumber number) {
  return std::string(card_id_prefix) + std::to_string(place(number) + 1);
}

std::string cash_account_id(std::string_view terminal) { return "cash:" + std::string(terminal); }

std::string equity_account_id(Currency currency) {
  std::string id = "equity:";
  for (const char letter : currency.text()) id += static_cast<char>(letter - 'A' + 'a');
  return id;
}

void Effects::touch(AccountNumber account) {
  const auto end = accounts.begin() + account_count;
  if (std::find(accounts.begin(), end, account) != end) return;
  check(account_count < accounts.size());
  accounts[account_count++] = account;
}

void Effects::touch(CardNumber touched) { (card.has_value() ? second_card : card) = touched; }

const Account* Books::find_account(std::string_view id) const {
  const auto is_it = [&](std::uint32_t number) { return accounts_[number].id() == id; };
  const std::optional<std::uint32_t> number = account_index_.find(index_tag(id), is_it);
  return number.has_value() ? &accounts_[*number] : nullptr;
}

const Card* Books::find_card(std::string_view card) const {
  const auto is_it = [&](std::uint32_t number) { return cards_[number].card.view() == card; };
  const std::optional<std::uint32_t> number = card_index_.find(index_tag(card), is_it);
  return number.has_value() ? &cards_[*number] : nullptr;
}

std::expected<const Card*, RefusalCode> Books::find_named_card(std::string_view name) const {
  if (const Card* const card = find_card(name)) return card;
  const auto not_found = std::unexpected(RefusalCode::card_not_found);
  if (name.starts_with(card_id_prefix)) {
    const std::string_view digits = name.substr(card_id_prefix.size());
    std::uint64_t nth = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), nth);
    const bool is_number = error == std::errc() && end == digits.data() + digits.size();
    if (!is_number || digits.starts_with('0') || nth > cards_.size()) return not_found;
    return &cards_[static_cast<std::size_t>(nth - 1)];
  }
  const std::size_t slash = std::min(name.find('/'), name.size());
  const Account* const account = find_account(name.substr(0, slash));
  const std::string_view ending = name.substr(std::min(slash + 1, name.size()));
  if (account == nullptr || ending.size() != card_ending_size) return not_found;
  std::vector<const Card*> current;
  std::vector<const Card*> replaced;
  for (const Card& card : cards_) {
    if (card.account != account->number || !card.card.view().ends_with(ending)) continue;
    (card.state == CardState::replaced ? replaced : current).push_back(&card);
  }
  const std::vector<const Card*>& found = current.empty() ? replaced : current;
  if (found.empty()) return not_found;
  if (found.size() > 1) return std::unexpected(RefusalCode::card_not_unique);
  return found.front();
}

const Terminal* Books::find_terminal(std::string_view id) const {
  const auto is_it = [&](std::uint32_t number) { return terminals_[number].id == id; };
  const std::optional<std::uint32_t> number = terminal_index_.find(index_tag(id), is_it);
  return number.has_value() ? &terminals_[*number] : nullptr;
}

const HoldEntry* Books::find_hold(const OperationId& id) const {
  const std::optional<std::uint64_t> ledger_seq = hold_index_.find(id);
  return ledger_seq.has_value() ? &holds_.at(*ledger_seq) : nullptr;
}

const Totals* Books::find_totals(Currency currency) const {
  const auto found = std::ranges::find(totals_, currency, &Totals::currency);
  return found == totals_.end() ? nullptr : &*found;
}

std::uint64_t Books::reversed_by(std::uint64_t transfer_seq) const {
  const auto found = reversals_.find(transfer_seq);
  return found == reversals_.end() ? 0 : found->second;
}

void Books::prefetch(const Post& post, Fetch step, Fetched& fetched) const {
  if (step == Fetch::slots) {
    fetched = {.card_tag = index_tag(post.card), .target_tag = index_tag(post.target)};
    card_index_.prefetch(fetched.card_tag);
    account_index_.prefetch(fetched.target_tag);
    return;
  }
  if (fetched.card_tag == 0) return;
  const std::optional<std::uint32_t> card = card_index_.guess(fetched.card_tag);
  const std::optional<std::uint32_t> target = account_index_.guess(fetched.target_tag);
  if (step == Fetch::entries) {
    if (card.has_value()) __builtin_prefetch(&cards_[*card]);
    if (target.has_value()) __builtin_prefetch(&accounts_[*target]);
    return;
  }
  if (card.has_value()) __builtin_prefetch(&account(cards_[*card].account));
  if (target.has_value()) __builtin_prefetch(accounts_[*target].names.get());
}

void Books::prefetch(const Parties& parties) const {
  __builtin_prefetch(&account(parties.source));
  __builtin_prefetch(&account(parties.target));
}

const Account& Books::account(AccountNumber number) const { return accounts_[place(number)]; }
const Card& Books::card(CardNumber number) const { return cards_[place(number)]; }
const Terminal& Books::terminal(TerminalNumber number) const { return terminals_[place(number)]; }
const Account& Books::cash_account(const Terminal& terminal) const {
  return account(terminal.cash_account);
}

Account& Books::at(AccountNumber number) { return accounts_.at(place(number)); }
Card& Books::at(CardNumber number) { return cards_.at(place(number)); }
Terminal& Books::at(TerminalNumber number) { return terminals_.at(place(number)); }

Totals& Books::totals_of(Currency currency) {
  const auto found = std::ranges::find(totals_, currency, &Totals::currency);
  check(found != totals_.end());
  return *found;
}

const HoldEntry* Books::first_expired(Instant now) const {
  if (expiries_.empty() || expiries_.begin()->first > now) return nullptr;
  return &holds_.at(expiries_.begin()->second);
}

std::optional<Instant> Books::next_expiry() const {
  if (expiries_.empty()) return std::nullopt;
  return expiries_.begin()->first;
}

void Books::forget(std::uint64_t through_seq) {
  recent_transfers_.forget(through_seq);
  while (!ended_holds_.empty()) {
    const auto ended = holds_.find(ended_holds_.front());
    if (ended->second.ended_seq > through_seq) break;
    hold_index_.erase(ended->second.id);
    holds_.erase(ended);
    ended_holds_.pop_front();
  }
}

void Books::reserve(std::size_t accounts, std::size_t cards) {
  account_index_.reserve(accounts);
  card_index_.reserve(cards);
}

void Books::restore(Account account) {
  check(place(account.number) == accounts_.size());
  if (account.kind == AccountKind::equity) {
    totals_.push_back(Totals{.currency = account.currency, .equity_account = account.number});
  }
  account_index_.insert(index_tag(account.id()), std::to_underlying(account.number));
  accounts_.push_back(std::move(account));
}

void Books::restore(Card card) {
  check(place(card.number) == cards_.size());
  card_index_.insert(index_tag(card.card), std::to_underlying(card.number));
  cards_.push_back(std::move(card));
}

void Books::restore(Terminal terminal) {
  check(place(terminal.number) == terminals_.size());
  terminal_index_.insert(index_tag(terminal.id), std::to_underlying(terminal.number));
  terminals_.push_back(std::move(terminal));
}

void Books::restore(HoldEntry hold) {
  check(hold.is_open());
  hold_index_.insert(hold.id, hold.ledger_seq);
  if (hold.state == HoldState::held) expiries_.emplace(hold.expires_at, hold.ledger_seq);
  const std::uint64_t ledger_seq = hold.ledger_seq;
  holds_.emplace(ledger_seq, std::move(hold));
}

void Books::restore(ExceptionEntry exception) {
  const std::uint64_t ledger_seq = exception.ledger_seq;
  exceptions_.emplace(ledger_seq, std::move(exception));
}

void Books::restore_reversal(std::uint64_t transfer_seq, std::uint64_t reversing_seq) {
  reversals_.emplace(transfer_seq, reversing_seq);
}

void Books::restore_position(std::uint64_t last_seq, Instant last_at, BusinessDay last_day) {
  last_seq_ = last_seq;
  last_at_ = last_at;
  last_day_ = last_day;
  for (const Account& account : accounts_) {
    Totals& totals = totals_of(account.currency);
    totals.of(account.kind) += account.balance;
    totals.held += account.held;
  }
}

bool Books::is_balanced() const {
  std::vector<Totals> counted = totals_;
  for (Totals& totals : counted) {
    totals.customers = totals.cash = totals.equity = totals.held = Cents{0};
  }
  for (const Account& account : accounts_) {
    const auto totals = std::ranges::find(counted, account.currency, &Totals::currency);
    if (totals == counted.end()) return false;
    Cents& sum = totals->of(account.kind);
    const std::optional<Cents> next = plus(sum, account.balance);
    const std::optional<Cents> held = plus(totals->held, account.held);
    if (!next.has_value() || !held.has_value()) return false;
    sum = *next;
    totals->held = *held;
  }
  // All three fit, and so does the sum of two: it is minus the third.
  return counted == totals_ && std::ranges::all_of(counted, [](const Totals& totals) {
           const std::optional<Cents> ours = plus(totals.cash, totals.equity);
           return ours.has_value() && plus(*ours, totals.customers) == Cents{0};
         });
}

bool operator==(const Books& a, const Books& b) {
  const auto open_holds = [](const Books& books) {
    std::vector<HoldEntry> open;
    for (const auto& [ledger_seq, hold] : books.holds_) {
      if (hold.is_open()) open.push_back(hold);
    }
    return open;
  };
  return a.last_seq_ == b.last_seq_ && a.last_at_ == b.last_at_ && a.last_day_ == b.last_day_ &&
         a.accounts_ == b.accounts_ && a.cards_ == b.cards_ && a.terminals_ == b.terminals_ &&
         a.totals_ == b.totals_ && open_holds(a) == open_holds(b) &&
         a.exceptions_ == b.exceptions_ && a.reversals_ == b.reversals_;
}

}  // namespace ledger
