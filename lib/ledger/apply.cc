// What each kind of change does to the books. Nothing here can refuse: what is impossible stops the
// process.
#include <string>
#include <utility>
#include <variant>

#include "ledger/bookkeeper.h"
#include "ledger/books.h"
#include "ledger/check.h"

namespace ledger {

// Applies one record. Lives for one call.
class Applier final : Bookkeeper {
 public:
  using Bookkeeper::Movements;

  Applier(Books& books, const Record& record, Movements movements)
      : Bookkeeper(books, record, movements) {}

  Effects run() {
    check(record_.ledger_seq == books_.last_seq_ + 1);
    check(record_.at >= books_.last_at_);
    check(record_.day >= books_.last_day_);
    books_.last_seq_ = record_.ledger_seq;
    books_.last_at_ = record_.at;
    books_.last_day_ = record_.day;
    const bool accepted = record_.outcome.has_value();
    std::visit(
        [&](const auto& change) {
          if (accepted) {
            accept(change);
          } else {
            refuse(change);
          }
        },
        record_.operation.change);
    return std::move(effects_);
  }

 private:
  // What was refused changes nothing, but cash that moved for good and PINs that were tried.
  void refuse(const auto&) {}
  void refuse(const Post& post) {
    const bool is_kept = post.kind == TransferKind::deposit && post.kept;
    if (!is_kept && post.kind != TransferKind::load_cash &&
        post.kind != TransferKind::unload_cash) {
      return;
    }
    const Card* const card = books_.find_card(post.card);
    ExceptionEntry exception = refused_cash(post.terminal);
    exception.amount = post.amount;
    exception.currency = post.currency;
    exception.receipt = post.receipt.value_or(OperationId());
    if (card != nullptr) exception.account = books_.account(card->account).id();
    if (card == nullptr && !post.card.empty()) {
      exception.evidence += ": the card ends in ";
      exception.evidence += post.card.view().substr(post.card.size() - card_ending_size);
    }
    raise(std::move(exception));
  }
  void refuse(const Capture& capture) {
    ExceptionEntry exception = refused_about_hold(capture.hold, capture.terminal);
    add_what_was_held(exception, capture);
    exception.amount = capture.amount;
    exception.currency = capture.currency;
    raise(std::move(exception));
  }
  // The ATM tells whose hold it was, in case that the books have lost it. What they know counts for
  // more: the ATM may have been refused for just that.
  template <typename Kind>
  void add_what_was_held(ExceptionEntry& exception, const Kind& change) const {
    const Card* const card = books_.find_card(change.card);
    if (card != nullptr && exception.account.empty()) {
      exception.account = books_.account(card->account).id();
    }
    if (!exception.receipt.is_set()) exception.receipt = change.receipt.value_or(OperationId());
    if (!change.evidence.empty()) exception.evidence += ": " + change.evidence;
  }
  void refuse(const Void& release) { raise(refused_about_hold(release.hold, release.terminal)); }
  void refuse(const Suspend& suspend) {
    ExceptionEntry exception = refused_about_hold(suspend.hold, suspend.terminal);
    add_what_was_held(exception, suspend);
    if (!exception.currency.is_set() && suspend.amount > Cents{0}) {
      exception.amount = suspend.amount;
      exception.currency = suspend.currency;
    }
    raise(std::move(exception));
  }
  void refuse(const SetPin& set) {
    if (record_.outcome.error().code == RefusalCode::pin_wrong) count_wrong_pin(set.card);
  }

  void accept(const Post& post) {
    const Parties parties = record_.parties.has_value() ? *record_.parties : parties_of(post);
    const bool at_terminal = post.kind != TransferKind::fund;
    move(books_.at(parties.source), books_.at(parties.target), post.amount, post.kind,
         {.terminal = at_terminal ? std::string_view(post.terminal) : std::string_view(),
          .receipt = post.receipt.value_or(OperationId())});
  }

  Parties parties_of(const Post& post) {
    switch (post.kind) {
      case TransferKind::deposit:
        return {cash_of(post.terminal).number, account_of_card(post.card).number};
      case TransferKind::fund: {
        const Account& target = account(post.target);
        return {equity(target.currency).number, target.number};
      }
      case TransferKind::load_cash: {
        const Account& cash = cash_of(post.terminal);
        return {cash.number, equity(cash.currency).number};
      }
      case TransferKind::unload_cash: {
        const Account& cash = cash_of(post.terminal);
        return {equity(cash.currency).number, cash.number};
      }
      default:
        return {(post.card.empty() ? account(post.source) : account_of_card(post.card)).number,
                account(post.target).number};
    }
  }

  void accept(const Hold& change) {
    const Card& card_held = card(change.card);
    HoldEntry hold;
    hold.ledger_seq = record_.ledger_seq;
    hold.id = record_.operation.id;
    hold.principal = record_.operation.principal;
    hold.account = card_held.account;
    hold.card = card_held.number;
    hold.terminal = terminal(change.terminal).number;
    hold.amount = change.amount;
    hold.made_at = record_.at;
    hold.expires_at = record_.at + change.time_to_live;
    hold.receipt = change.receipt.value_or(OperationId());
    books_.hold_index_.insert(hold.id, hold.ledger_seq);
    books_.expiries_.emplace_hint(books_.expiries_.end(), hold.expires_at, hold.ledger_seq);
    HoldEntry& kept =
        books_.holds_.emplace_hint(books_.holds_.end(), hold.ledger_seq, std::move(hold))->second;
    ++books_.at(kept.account).open_holds;
    effects_.hold_seq = kept.ledger_seq;
    reserve(kept);
    confirm(books_.at(kept.account));
  }

  void accept(const Capture& capture) {
    end(hold(capture.hold), capture.amount, {}, "captured by the terminal");
  }

  void accept(const Void& release) {
    const HoldEntry* const found = books_.find_hold(release.hold);
    if (found == nullptr) return;  // It was fenced or refused: there is nothing to release.
    end(hold(release.hold), Cents{0}, {}, "voided by the terminal");
  }

  void accept(const Suspend& suspend) {
    HoldEntry& suspended = hold(suspend.hold);
    Account& account = books_.at(suspended.account);
    effects_.touch(account.number);
    effects_.hold_seq = suspended.ledger_seq;
    if (suspended.state != HoldState::suspended) {
      unlist_expiry(suspended);
      if (!suspended.is_reserved()) reserve(suspended);
      suspended.state = HoldState::suspended;
      suspended.exception_seq = record_.ledger_seq;
      ExceptionEntry exception = about_hold(suspended, ExceptionKind::suspended_hold);
      exception.evidence = suspend.evidence;
      exception.planned = suspend.planned;
      raise(std::move(exception));
    } else if (!suspend.evidence.empty()) {
      // The terminal knows more by now, and the operator has not decided.
      books_.exceptions_.at(suspended.exception_seq).evidence = suspend.evidence;
      effects_.exception_seq = suspended.exception_seq;
    }
    confirm(account);
  }

  void accept(const Resolve&) {}

  void accept(const OpenAccount& change) {
    need_currency(change.currency);
    Account opened = new_account({.id = change.account, .customer_name = change.customer_name},
                                 AccountKind::customer, change.currency);
    opened.overdraft = change.overdraft;
    open(std::move(opened));
  }
  void accept(const Freeze& change) { touched(account(change.account)).frozen = true; }
  void accept(const Unfreeze& change) { touched(account(change.account)).frozen = false; }
  void accept(const Close& change) {
    Account& closing = touched(account(change.account));
    check(closing.open_holds == 0 && closing.balance == Cents{0});
    closing.closed = true;
  }
  void accept(const SetOverdraft& change) {
    Account& changed = touched(account(change.account));
    changed.overdraft = change.overdraft;
    check(is_bounded(changed));
  }

  void accept(const AddTerminal& change) {
    need_currency(change.currency);
    Account cash = new_account({.id = cash_account_id(change.terminal), .customer_name = {}},
                               AccountKind::cash, change.currency);
    Terminal added;
    added.number = static_cast<TerminalNumber>(books_.terminals_.size());
    added.id = change.terminal;
    added.cash_account = cash.number;
    added.currency = change.currency;
    effects_.terminal = added.number;
    open(std::move(cash));
    check(books_.find_terminal(change.terminal) == nullptr);
    books_.restore(std::move(added));
  }
  void accept(const SetTerminalService& change) {
    Terminal& changed = terminal(change.terminal);
    changed.in_service = change.in_service;
    effects_.terminal = changed.number;
  }

  void accept(const IssueCard& change) {
    Card issued = new_card(change.card, account(change.account).number, change.pin_hash);
    issued.limits = change.limits;
    add(std::move(issued));
  }
  void accept(const BlockCard& change) {
    Card& blocked = touched(named_card(change.card));
    if (blocked.state != CardState::replaced) blocked.state = CardState::blocked;
  }
  void accept(const UnblockCard& change) {
    Card& unblocked = touched(named_card(change.card));
    check(unblocked.state != CardState::replaced);
    unblocked.state = CardState::active;
    unblocked.wrong_pins = 0;
  }
  void accept(const ReplaceCard& change) {
    Card& old = touched(named_card(change.old_card));
    Card issued = new_card(change.new_card, old.account, change.pin_hash);
    issued.limits = old.limits;
    issued.usage = old.usage;
    old.state = CardState::replaced;
    old.replaced_by = issued.number;
    add(std::move(issued));
  }
  void accept(const SetCardLimits& change) {
    CardLimits& limits = touched(named_card(change.card)).limits;
    limits.withdrawal_max = change.withdrawal_max.value_or(limits.withdrawal_max);
    limits.daily_amount_max = change.daily_amount_max.value_or(limits.daily_amount_max);
    limits.daily_count_max = change.daily_count_max.value_or(limits.daily_count_max);
  }
  void accept(const SetPin& change) {
    Card& changed = touched(card(change.card));
    changed.pin_hash = change.pin_hash;
    changed.wrong_pins = 0;
  }
  void accept(const RecordPinAttempt& change) {
    if (!change.right) return count_wrong_pin(change.card);
    touched(card(change.card)).wrong_pins = 0;
  }

  void accept(const Adjust& change) {
    move(account(change.source), account(change.target), change.amount, TransferKind::adjustment,
         {.reason = change.reason});
  }
  void accept(const Reverse& change) {
    // The money goes back, so the movement's target is now the source.
    move(account(change.target), account(change.source), change.amount, TransferKind::reversal,
         {.reason = change.reason, .reverses = change.transfer_seq});
    const bool first = books_.reversals_.emplace(change.transfer_seq, record_.ledger_seq).second;
    check(first);
    effects_.reversed_seq = change.transfer_seq;
  }
  void accept(const ResolveException& change) {
    ExceptionEntry& exception = books_.exceptions_.at(change.exception_seq);
    check(!exception.resolved);
    if (change.paid.has_value()) {
      end(hold(exception.hold), *change.paid, change.reason, change.reason);
    } else {
      settle(exception, change.reason);
    }
  }
  void accept(const ExpireHold& change) {
    HoldEntry& expired = hold(change.hold);
    check(expired.state == HoldState::held);
    release(expired);
    expired.state = HoldState::expired;
    effects_.hold_seq = expired.ledger_seq;
    confirm(books_.at(expired.account));
  }
};

Effects Books::apply(const Record& record) {
  return Applier(*this, record, Applier::Movements::kept).run();
}

Effects Books::project(const Record& record) {
  return Applier(*this, record, Applier::Movements::told).run();
}

void Books::follow(const Record& record) {
  Applier(*this, record, Applier::Movements::shared).run();
}

}  // namespace ledger
