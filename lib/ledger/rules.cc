// The rules of money that moves: posts, holds and what ends them, adjustments, reversals.
#include "ledger/rules.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "ledger/check.h"
#include "ledger/planned_notes.h"

namespace ledger {
namespace {

using Fault = std::optional<Refusal>;
using enum RefusalCode;

Refusal refusal(RefusalCode code) { return Refusal{.code = code}; }

// Its notes went into a terminal or came out of it, and the terminal's cash account says so.
bool moved_cash(const Transfer& transfer) {
  const TransferKind kind = transfer.kind;
  return kind == TransferKind::withdrawal || kind == TransferKind::deposit ||
         kind == TransferKind::load_cash || kind == TransferKind::unload_cash;
}

bool is_out_of_use(const Card& card) { return card.state != CardState::active; }

}  // namespace

std::optional<Record> find_first_answer(const Answers& answers, History& history,
                                        const OperationId& id) {
  std::optional<Record> recent = answers.find(id, history);
  if (recent.has_value() || answers.is_complete_for(id)) return recent;
  return history.find(id);
}

// --- Receipts ---

Receipt Rules::done() const { return Receipt{.ledger_seq = books_.last_seq() + 1}; }

Receipt Rules::receipt(const Account& account, Cents balance, Cents held) const {
  Receipt receipt = done();
  receipt.balance = balance;
  receipt.available = balance - held + account.overdraft;
  receipt.currency = account.currency;
  return receipt;
}

// --- Checks that several kinds share ---

Fault Rules::check_customer(const Account* account) const {
  if (account == nullptr) return refusal(account_not_found);
  if (account->kind != AccountKind::customer) return refusal(account_of_wrong_kind);
  return std::nullopt;
}

Fault Rules::check_currency(const Account& account, Currency currency) const {
  if (account.currency != currency) return refusal(currency_mismatch);
  return std::nullopt;
}

// Both balances, with the overdraft above and the holds below, and the sums that they are part of.
// `released` leaves the source's holds at the same time.
Fault Rules::check_overflow(const Movement& movement, Cents released) const {
  const Account& source = *movement.source;
  const Account& target = *movement.target;
  const std::optional<Cents> paid = minus(source.balance, movement.amount);
  const std::optional<Cents> received = plus(target.balance, movement.amount);
  if (!paid.has_value() || !received.has_value()) return refusal(balance_overflow);
  if (!minus(*paid, source.held - released).has_value()) return refusal(balance_overflow);
  if (!plus(*received, target.overdraft).has_value()) return refusal(balance_overflow);
  if (source.kind == target.kind) return std::nullopt;
  const Totals& totals = *books_.find_totals(source.currency);
  if (!minus(totals.of(source.kind), movement.amount).has_value() ||
      !plus(totals.of(target.kind), movement.amount).has_value()) {
    return refusal(balance_overflow);
  }
  return std::nullopt;
}

Fault Rules::check_reservation(const Account& account, Cents amount) const {
  const std::optional<Cents> held = plus(account.held, amount);
  const std::optional<Cents> all_held = plus(books_.find_totals(account.currency)->held, amount);
  if (!held.has_value() || !all_held.has_value() || !minus(account.balance, *held).has_value()) {
    return refusal(balance_overflow);
  }
  return std::nullopt;
}

// Everything from "frozen or closed" on.
Fault Rules::check_movement(const Movement& movement) const {
  const Account& source = *movement.source;
  const Account& target = *movement.target;
  if (source.closed || target.closed) return refusal(account_closed);
  if (source.frozen) return refusal(account_frozen);
  if (const Fault fault = check_currency(source, movement.currency)) return fault;
  if (const Fault fault = check_currency(target, movement.currency)) return fault;
  if (const Fault fault = check_overflow(movement, Cents{0})) return fault;
  if (source.kind == AccountKind::customer && source.available() < movement.amount) {
    Refusal fault = refusal(insufficient_funds);
    fault.left = Money{std::max(Cents{0}, source.available()), source.currency};
    return fault;
  }
  return std::nullopt;
}

// --- Posts ---

Result<Rules::Movement> Rules::find_parties(const Post& post) const {
  Movement movement{.amount = post.amount, .currency = post.currency};
  if (!post.source.empty()) movement.source = books_.find_account(post.source);
  if (!post.target.empty()) movement.target = books_.find_account(post.target);
  if ((!post.source.empty() && movement.source == nullptr) ||
      (!post.target.empty() && movement.target == nullptr)) {
    return refuse(account_not_found);
  }
  if (!post.card.empty()) movement.card = books_.find_card(post.card);
  if (!post.card.empty() && movement.card == nullptr) return refuse(card_not_found);
  if (!post.terminal.empty()) movement.terminal = books_.find_terminal(post.terminal);
  if (!post.terminal.empty() && movement.terminal == nullptr) return refuse(terminal_not_found);

  const auto equity = [this](Currency currency) {
    return &books_.account(books_.find_totals(currency)->equity_account);
  };
  if (post.kind == TransferKind::transfer) {
    if (movement.card != nullptr) movement.source = &books_.account(movement.card->account);
    if (const Fault fault = check_customer(movement.source)) return std::unexpected(*fault);
    if (const Fault fault = check_customer(movement.target)) return std::unexpected(*fault);
    if (movement.source == movement.target) return refuse(accounts_must_differ);
  } else if (post.kind == TransferKind::deposit) {
    movement.source = &books_.cash_account(*movement.terminal);
    movement.target = &books_.account(movement.card->account);
  } else if (post.kind == TransferKind::fund) {
    if (const Fault fault = check_customer(movement.target)) return std::unexpected(*fault);
    movement.source = equity(movement.target->currency);
  } else {
    const Account* const cash = &books_.cash_account(*movement.terminal);
    const bool loads = post.kind == TransferKind::load_cash;
    movement.source = loads ? cash : equity(cash->currency);
    movement.target = loads ? equity(cash->currency) : cash;
  }
  return movement;
}

// A customer's transfer needs a card that can be used and a terminal that is in service. Cash that
// was counted does not.
Fault Rules::check_transfer_card(const Post& post, const Movement& movement) const {
  if (post.kind != TransferKind::transfer) return std::nullopt;
  if (movement.card != nullptr && is_out_of_use(*movement.card)) return refusal(card_blocked);
  if (movement.terminal != nullptr && !movement.terminal->in_service) {
    return refusal(terminal_out_of_service);
  }
  return std::nullopt;
}

Outcome Rules::decide(const Post& post) {
  const Result<Movement> movement = find_parties(post);
  if (!movement.has_value()) return std::unexpected(movement.error());
  const Account& source = *movement->source;
  const Account& target = *movement->target;
  parties_ = Parties{source.number, target.number};
  if (source.closed || target.closed) return refuse(account_closed);
  if (source.frozen) return refuse(account_frozen);
  if (const Fault fault = check_transfer_card(post, *movement)) return std::unexpected(*fault);
  if (const Fault fault = check_movement(*movement)) return std::unexpected(*fault);
  const bool target_is_concerned = post.kind == TransferKind::deposit ||
                                   post.kind == TransferKind::fund ||
                                   post.kind == TransferKind::unload_cash;
  if (target_is_concerned) return receipt(target, target.balance + post.amount, target.held);
  return receipt(source, source.balance - post.amount, source.held);
}

// --- Holds ---

Fault Rules::check_limits(const Card& card, Cents amount, Currency currency) const {
  const CardLimits& limits = card.limits;
  if (limits.withdrawal_max > Cents{0} && amount > limits.withdrawal_max) {
    Refusal fault = refusal(withdrawal_limit);
    fault.left = Money{limits.withdrawal_max, currency};
    return fault;
  }
  const CardUsage used = card.usage.day < moment_.day ? CardUsage() : card.usage;
  if (limits.daily_amount_max > Cents{0}) {
    // Both are 0 or more, so the difference fits.
    const Cents left = std::max(Cents{0}, limits.daily_amount_max - used.amount);
    if (amount > left) {
      Refusal fault = refusal(daily_amount_limit);
      fault.left = Money{left, currency};
      return fault;
    }
  }
  if (limits.daily_count_max > 0 && used.count >= limits.daily_count_max) {
    Refusal fault = refusal(daily_count_limit);
    fault.left_count = 0;
    return fault;
  }
  return std::nullopt;
}

// Somebody was told that what is on this receipt was not done, and never will be.
bool Rules::is_fenced(const ReceiptId& receipt) const {
  if (!receipt.has_value()) return false;
  const std::optional<Record> first = find_first_answer(answers_, history_, *receipt);
  return first.has_value() && std::holds_alternative<Resolve>(first->operation.change);
}

Outcome Rules::decide(const Hold& hold) const {
  if (is_fenced(hold.receipt)) return refuse(id_fenced);
  const Card* const card = books_.find_card(hold.card);
  if (card == nullptr) return refuse(card_not_found);
  const Terminal* const terminal = books_.find_terminal(hold.terminal);
  if (terminal == nullptr) return refuse(terminal_not_found);
  const Account& account = books_.account(card->account);
  if (account.closed) return refuse(account_closed);
  if (account.frozen) return refuse(account_frozen);
  if (is_out_of_use(*card)) return refuse(card_blocked);
  if (!terminal->in_service) return refuse(terminal_out_of_service);
  if (account.currency != hold.currency) return refuse(currency_mismatch);
  if (terminal->currency != hold.currency) return refuse(currency_mismatch);
  if (const Fault fault = check_limits(*card, hold.amount, hold.currency)) {
    return std::unexpected(*fault);
  }
  if (const Fault fault = check_reservation(account, hold.amount)) return std::unexpected(*fault);
  if (account.available() < hold.amount) {
    Refusal fault = refusal(insufficient_funds);
    fault.left = Money{std::max(Cents{0}, account.available()), account.currency};
    return std::unexpected(fault);
  }
  return receipt(account, account.balance, account.held + hold.amount);
}

Rules::NamedHold Rules::find_hold(const OperationId& id, const std::string& terminal) const {
  using enum NamedHold::Is;
  std::optional<HoldEntry> entry;
  if (const HoldEntry* const recent = books_.find_hold(id)) {
    entry = *recent;
  } else {
    const std::optional<Record> first = find_first_answer(answers_, history_, id);
    if (!first.has_value()) return NamedHold{.is = never_seen};
    if (std::holds_alternative<Resolve>(first->operation.change)) return NamedHold{.is = fenced};
    if (first->operation.principal != operation_.principal) return NamedHold{.is = of_another};
    if (!std::holds_alternative<Hold>(first->operation.change)) {
      return NamedHold{.is = something_else};
    }
    if (!first->outcome.has_value()) return NamedHold{.is = refused};
    // It ended, and the books forgot it when it was in the tables.
    entry = history_.find_hold(id);
    check(entry.has_value());
  }
  if (entry->principal != operation_.principal) return NamedHold{.is = of_another};
  // A terminal may only end its own holds. Who names none speaks for all of its principal's.
  if (!terminal.empty() && books_.terminal(entry->terminal).id != terminal) {
    return NamedHold{.is = something_else};
  }
  return NamedHold{.is = NamedHold::Is::hold, .entry = *std::move(entry)};
}

Result<HoldEntry> Rules::require_open_hold(const OperationId& id,
                                           const std::string& terminal) const {
  NamedHold named = find_hold(id, terminal);
  if (named.is == NamedHold::Is::of_another) return refuse(id_belongs_to_another);
  if (named.is != NamedHold::Is::hold) return refuse(hold_not_found);
  if (named.entry.state == HoldState::captured) return refuse(hold_already_captured);
  if (named.entry.state == HoldState::voided) return refuse(hold_already_voided);
  return std::move(named.entry);
}

// The cash is out: no freeze, no limit and no lack of funds is asked about.
Outcome Rules::decide_end_of_hold(const HoldEntry& hold, Cents captured) const {
  const Account& account = books_.account(hold.account);
  const Cents released = hold.is_reserved() ? hold.amount : Cents{0};
  if (captured > Cents{0}) {
    const Account& cash = books_.cash_account(books_.terminal(hold.terminal));
    const Movement movement{
        .source = &account, .target = &cash, .amount = captured, .currency = account.currency};
    if (const Fault fault = check_overflow(movement, released)) return std::unexpected(*fault);
  }
  return receipt(account, account.balance - captured, account.held - released);
}

Outcome Rules::decide(const Capture& capture) const {
  const Result<HoldEntry> hold = require_open_hold(capture.hold, capture.terminal);
  if (!hold.has_value()) return std::unexpected(hold.error());
  if (capture.amount > hold->amount) return refuse(capture_exceeds_hold);
  if (const Fault fault = check_currency(books_.account(hold->account), capture.currency)) {
    return std::unexpected(*fault);
  }
  return decide_end_of_hold(*hold, capture.amount);
}

Outcome Rules::decide(const Void& release) {
  const NamedHold named = find_hold(release.hold, release.terminal);
  using enum NamedHold::Is;
  switch (named.is) {
    case of_another:
      return refuse(id_belongs_to_another);
    case something_else:
      return refuse(hold_not_found);
    case refused:
      return done();  // Nothing was held, so there is nothing to release.
    case never_seen:
    case fenced: {
      fences_hold_ = named.is == never_seen;
      Receipt receipt = done();
      receipt.ledger_seq += fences_hold_ ? 1 : 0;
      receipt.hold_was_unknown = true;
      return receipt;
    }
    case hold:
      break;
  }
  if (named.entry.state == HoldState::captured) return refuse(hold_already_captured);
  if (named.entry.state == HoldState::voided) return refuse(hold_already_voided);
  return decide_end_of_hold(named.entry, Cents{0});
}

Outcome Rules::decide(const Suspend& suspend) const {
  const Result<HoldEntry> hold = require_open_hold(suspend.hold, suspend.terminal);
  if (!hold.has_value()) return std::unexpected(hold.error());
  const Account& account = books_.account(hold->account);
  if (suspend.currency.is_set()) {
    if (const Fault fault = check_currency(account, suspend.currency)) {
      return std::unexpected(*fault);
    }
  }
  if (hold->is_reserved()) return receipt(account, account.balance, account.held);
  if (const Fault fault = check_reservation(account, hold->amount)) return std::unexpected(*fault);
  return receipt(account, account.balance, account.held + hold->amount);
}

// An id that was seen never gets here: its first answer was told. Any other is fenced.
Outcome Rules::decide(const Resolve&) const { return done(); }

Outcome Rules::decide(const ExpireHold& expire) const {
  const HoldEntry* const hold = books_.find_hold(expire.hold);
  check(hold != nullptr && hold->state == HoldState::held);
  const Account& account = books_.account(hold->account);
  return receipt(account, account.balance, account.held - hold->amount);
}

// --- By the operator's hand ---

Outcome Rules::decide(const Adjust& adjust) const {
  const Movement movement{.source = books_.find_account(adjust.source),
                          .target = books_.find_account(adjust.target),
                          .amount = adjust.amount,
                          .currency = adjust.currency};
  if (movement.source == nullptr || movement.target == nullptr) return refuse(account_not_found);
  if (const Fault fault = check_movement(movement)) return std::unexpected(*fault);
  const Account& source = *movement.source;
  return receipt(source, source.balance - adjust.amount, source.held);
}

Outcome Rules::decide(const Reverse& reverse) {
  std::optional<Transfer> transfer = books_.recent_transfers().find(reverse.transfer_seq);
  if (!transfer.has_value()) transfer = history_.find_transfer(reverse.transfer_seq);
  if (!transfer.has_value()) return refuse(transfer_not_found);
  if (books_.reversed_by(reverse.transfer_seq) != 0) return refuse(already_reversed);
  if (moved_cash(*transfer)) return refuse(cash_has_moved);
  const Movement back{.source = &books_.account(transfer->target),
                      .target = &books_.account(transfer->source),
                      .amount = transfer->amount,
                      .currency = transfer->currency};
  if (const Fault fault = check_movement(back)) return std::unexpected(*fault);
  reverse_ = Reverse{.transfer_seq = reverse.transfer_seq,
                     .reason = reverse.reason,
                     .source = back.target->id(),
                     .target = back.source->id(),
                     .amount = back.amount,
                     .currency = back.currency};
  return receipt(*back.source, back.source->balance - back.amount, back.source->held);
}

Outcome Rules::decide(const ResolveException& resolve) const {
  const auto found = books_.exceptions().find(resolve.exception_seq);
  if (found == books_.exceptions().end()) return refuse(exception_not_found);
  const ExceptionEntry& exception = found->second;
  const bool needs_paid = exception.kind == ExceptionKind::suspended_hold && !exception.resolved;
  if (resolve.paid.has_value() != needs_paid && !exception.resolved) {
    const ShapeFault fault = needs_paid ? ShapeFault::empty : ShapeFault::none;
    return std::unexpected(Refusal{.code = malformed, .fault = fault, .field = "paid"});
  }
  if (exception.resolved) return refuse(exception_already_resolved);
  if (!needs_paid) return done();
  const HoldEntry* const hold = books_.find_hold(exception.hold);
  check(hold != nullptr && hold->state == HoldState::suspended);
  if (resolve.currency.is_set() && resolve.currency != books_.account(hold->account).currency) {
    return refuse(currency_mismatch);
  }
  if (*resolve.paid > hold->amount) return refuse(capture_exceeds_hold);
  if (!exception.planned.empty()) {
    const Cents nearest = nearest_below(exception.planned, *resolve.paid);
    if (nearest != *resolve.paid) {
      const Money left{.amount = nearest, .currency = exception.currency};
      return std::unexpected(Refusal{
          .code = malformed, .fault = ShapeFault::unpayable, .left = left, .field = "paid"});
    }
  }
  return decide_end_of_hold(*hold, *resolve.paid);
}

}  // namespace ledger
