#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "ledger/books.h"
#include "ledger/check.h"

namespace ledger {

// What changes of several kinds have in common: movements, holds, limits, exceptions. Part of applying one record, for which it
// lives. Nothing here can refuse: what is impossible stops the process.
class Bookkeeper {
 protected:
  // What becomes of a movement: the books keep it, the effects tell it, or the books get it from others.
  enum class Movements { kept, told, shared };

  Bookkeeper(Books& books, const Record& record, Movements movements)
      : books_(books), record_(record), movements_(movements) {}

  // --- Movements ---

  // What a movement of money is told with.
  struct About {
    std::string_view terminal{};
    std::string_view reason{};
    OperationId receipt{};
    std::uint64_t reverses = 0;
  };

  void move(Account& source, Account& target, Cents amount, TransferKind kind, const About& about) {
    check(source.currency == target.currency);
    check(source.number != target.number);
    source.balance -= amount;
    target.balance += amount;
    check(is_bounded(source));
    check(is_bounded(target));
    Totals& totals = books_.totals_of(source.currency);
    if (source.kind != target.kind) {
      totals.of(source.kind) -= amount;
      totals.of(target.kind) += amount;
    }
    if (movements_ != Movements::shared) {
      Transfer movement{.ledger_seq = record_.ledger_seq,
                        .at = record_.at,
                        .id = record_.operation.id,
                        .kind = kind,
                        .source = source.number,
                        .target = target.number,
                        .amount = amount,
                        .currency = source.currency,
                        .source_balance = source.balance,
                        .target_balance = target.balance,
                        .source_previous = source.last_transfer,
                        .target_previous = target.last_transfer,
                        .terminal = std::string(about.terminal),
                        .reason = std::string(about.reason),
                        .receipt = about.receipt,
                        .reverses = about.reverses};
      if (movements_ == Movements::kept) {
        books_.recent_transfers_.add(movement);
      } else {
        effects_.movement = std::move(movement);
      }
    }
    source.last_transfer = record_.ledger_seq;
    target.last_transfer = record_.ledger_seq;
    effects_.touch(source.number);
    effects_.touch(target.number);
    const bool target_is_concerned = kind == TransferKind::deposit || kind == TransferKind::fund ||
                                     kind == TransferKind::unload_cash;
    confirm(target_is_concerned ? target : source);
  }

  static bool is_bounded(const Account& account) {
    return plus(account.balance, account.overdraft).has_value() &&
           minus(account.balance, account.held).has_value();
  }

  // What was decided is what happens: the receipt told the account's balance before it was applied.
  void confirm(const Account& account) const {
    const Receipt& receipt = *record_.outcome;
    if (!receipt.currency.is_set()) return;
    check(receipt.currency == account.currency);
    check(receipt.balance == account.balance);
    check(receipt.available == account.available());
  }

  // --- Holds ---

  // Reserves the hold's money, and takes it from today's limits of its card.
  void reserve(HoldEntry& reserved) {
    Account& account = books_.at(reserved.account);
    account.held += reserved.amount;
    check(is_bounded(account));
    books_.totals_of(account.currency).held += reserved.amount;
    effects_.touch(account.number);
    reserved.limit_day = take_limits(reserved.card, reserved.amount);
  }

  // Frees the hold's money, and gives it back to the limits that it was taken from.
  void release(HoldEntry& released) {
    Account& account = books_.at(released.account);
    account.held -= released.amount;
    check(account.held >= Cents{0});
    books_.totals_of(account.currency).held -= released.amount;
    effects_.touch(account.number);
    unlist_expiry(released);
    give_back_limits(released, released.amount, 1);
  }

  // A hold ends once, by capture (more than 0) or void.
  void end(HoldEntry& ended, Cents captured, const std::string& reason,
           const std::string& resolution) {
    check(ended.is_open());
    check(captured <= ended.amount);
    const HoldState before = ended.state;
    const BusinessDay day_before = ended.limit_day;
    Account& account = books_.at(ended.account);
    if (ended.is_reserved()) release(ended);
    // What was paid stays taken from the day it was taken from; from today's when it had been given
    // back.
    if (captured > Cents{0}) keep_limits(ended, captured, before, day_before);
    if (before == HoldState::suspended) {
      settle(books_.exceptions_.at(ended.exception_seq), resolution);
    }
    ended.state = captured > Cents{0} ? HoldState::captured : HoldState::voided;
    ended.captured = captured;
    ended.ended_seq = record_.ledger_seq;
    books_.ended_holds_.push_back(ended.ledger_seq);
    --account.open_holds;
    effects_.touch(account.number);
    effects_.hold_seq = ended.ledger_seq;
    if (captured == Cents{0}) return confirm(account);
    const Terminal& paid_at = books_.terminal(ended.terminal);
    move(account, books_.at(paid_at.cash_account), captured, TransferKind::withdrawal,
         {.terminal = paid_at.id, .reason = reason, .receipt = ended.receipt});
    if (before == HoldState::expired) {
      ExceptionEntry late = about_hold(ended, ExceptionKind::late_capture);
      late.amount = captured;
      late.evidence = "captured after its time to live was over";
      raise(std::move(late));
    }
  }

  void unlist_expiry(const HoldEntry& listed) {
    if (listed.state == HoldState::held) {
      books_.expiries_.erase({listed.expires_at, listed.ledger_seq});
    }
  }

  // --- Limits ---

  // The card that stands for this one today: a replaced card's usage went on to its successor.
  Card& usage_card(CardNumber number) {
    Card* current = &books_.at(number);
    while (current->replaced_by.has_value()) current = &books_.at(*current->replaced_by);
    return touched(*current);
  }

  // Takes without asking: whoever may be refused was asked before. Without a limit the sum may be
  // anything, so it saturates.
  BusinessDay take_limits(CardNumber number, Cents amount) {
    CardUsage& usage = usage_card(number).usage;
    if (usage.day < record_.day) usage = CardUsage{.day = record_.day};
    usage.amount = plus(usage.amount, amount).value_or(Cents{INT64_MAX});
    if (usage.count < UINT32_MAX) ++usage.count;
    return usage.day;
  }

  void give_back_limits(const HoldEntry& taken, Cents amount, std::uint32_t count) {
    CardUsage& usage = usage_card(taken.card).usage;
    if (usage.day != taken.limit_day)
      return;  // That day is over, and nobody counts by it any more.
    usage.amount = std::max(Cents{0}, usage.amount - amount);
    usage.count -= std::min(usage.count, count);
  }

  void keep_limits(HoldEntry& ended, Cents captured, HoldState before, BusinessDay day_before) {
    if (before == HoldState::expired) {
      ended.limit_day = take_limits(ended.card, captured);
      return;
    }
    CardUsage& usage = usage_card(ended.card).usage;
    if (usage.day != day_before) return;
    usage.amount = plus(usage.amount, captured).value_or(Cents{INT64_MAX});
    if (usage.count < UINT32_MAX) ++usage.count;
  }

  void count_wrong_pin(const std::string& number) {
    Card& tried = touched(card(number));
    check(tried.wrong_pins < pin_tries_max);
    if (++tried.wrong_pins == pin_tries_max) tried.state = CardState::pin_locked;
  }

  // --- Exceptions ---

  // For people.
  std::string what_was_refused() const {
    const Change& change = record_.operation.change;
    if (std::holds_alternative<Capture>(change)) return "the capture";
    if (std::holds_alternative<Void>(change)) return "the release";
    if (std::holds_alternative<Suspend>(change)) return "the suspension";
    const auto* const post = std::get_if<Post>(&change);
    if (post != nullptr && post->kind == TransferKind::deposit) return "the deposit";
    if (post != nullptr && post->kind == TransferKind::load_cash) return "the loading of notes";
    return "the taking out of notes";
  }

  ExceptionEntry refused_cash(const std::string& terminal_id) const {
    ExceptionEntry exception;
    exception.ledger_seq = record_.ledger_seq;
    exception.kind = ExceptionKind::refused_cash;
    exception.at = record_.at;
    exception.terminal = terminal_id;
    exception.evidence =
        what_was_refused() + " was refused: " + reason(record_.outcome.error().code);
    return exception;
  }

  ExceptionEntry refused_about_hold(const OperationId& id, const std::string& terminal_id) const {
    ExceptionEntry exception = refused_cash(terminal_id);
    exception.hold = id;
    // Not of a hold that ended: whether that is still remembered must make no difference.
    const HoldEntry* const known = books_.find_hold(id);
    if (known != nullptr && known->is_open()) {
      const Account& account = books_.account(known->account);
      exception.account = account.id();
      exception.amount = known->amount;
      exception.currency = account.currency;
      exception.receipt = known->receipt;
    }
    return exception;
  }

  ExceptionEntry about_hold(const HoldEntry& entry, ExceptionKind kind) const {
    const Account& account = books_.account(entry.account);
    return ExceptionEntry{.ledger_seq = record_.ledger_seq,
                          .kind = kind,
                          .at = record_.at,
                          .account = account.id(),
                          .terminal = books_.terminal(entry.terminal).id,
                          .hold = entry.id,
                          .amount = entry.amount,
                          .currency = account.currency,
                          .evidence = {},
                          .resolved = false,
                          .resolution = {},
                          .receipt = entry.receipt,
                          .planned = {}};
  }

  void raise(ExceptionEntry exception) {
    effects_.exception_seq = exception.ledger_seq;
    books_.restore(std::move(exception));
  }

  void settle(ExceptionEntry& exception, const std::string& resolution) {
    exception.resolved = true;
    exception.resolution = resolution;
    effects_.exception_seq = exception.ledger_seq;
  }

  // --- What the record names ---

  Account& account(std::string_view id) {
    const Account* const found = books_.find_account(id);
    check(found != nullptr);
    return books_.at(found->number);
  }
  Card& card(std::string_view number) {
    const Card* const found = books_.find_card(number);
    check(found != nullptr);
    return books_.at(found->number);
  }
  Card& named_card(std::string_view name) {
    const auto found = books_.find_named_card(name);
    check(found.has_value());
    return books_.at((*found)->number);
  }
  Terminal& terminal(const std::string& id) {
    const Terminal* const found = books_.find_terminal(id);
    check(found != nullptr);
    return books_.at(found->number);
  }
  HoldEntry& hold(const OperationId& id) {
    const HoldEntry* const found = books_.find_hold(id);
    check(found != nullptr);
    return books_.holds_.at(found->ledger_seq);
  }
  Account& account_of_card(std::string_view number) { return books_.at(card(number).account); }
  Account& cash_of(const std::string& terminal_id) {
    return books_.at(terminal(terminal_id).cash_account);
  }
  Account& equity(Currency currency) {
    return books_.at(books_.totals_of(currency).equity_account);
  }
  Account& touched(Account& changed) {
    effects_.touch(changed.number);
    return changed;
  }
  Card& touched(Card& changed) {
    if (effects_.card != changed.number) effects_.touch(changed.number);
    return changed;
  }

  // --- What the record opens ---

  Account new_account(AccountNames names, AccountKind kind, Currency currency) const {
    Account opened;
    opened.number = static_cast<AccountNumber>(books_.accounts_.size());
    opened.names = std::make_shared<const AccountNames>(std::move(names));
    opened.kind = kind;
    opened.currency = currency;
    return opened;
  }
  Card new_card(const CardDigits& number, AccountNumber account, std::string pin_hash) const {
    Card issued;
    issued.number = static_cast<CardNumber>(books_.cards_.size());
    issued.card = number;
    issued.account = account;
    issued.pin_hash = std::move(pin_hash);
    return issued;
  }
  void open(Account opened) {
    check(books_.find_account(opened.id()) == nullptr);
    effects_.touch(opened.number);
    books_.restore(std::move(opened));
  }
  void add(Card issued) {
    check(books_.find_card(issued.card) == nullptr);
    effects_.touch(issued.number);
    books_.restore(std::move(issued));
  }
  void need_currency(Currency currency) {
    if (books_.find_totals(currency) != nullptr) return;
    open(new_account({.id = equity_account_id(currency), .customer_name = {}}, AccountKind::equity,
                     currency));
  }

  Books& books_;
  const Record& record_;
  const Movements movements_;
  Effects effects_;
};

}  // namespace ledger
