// The rules of accounts, terminals, cards and PINs: what moves no money.
#include <expected>
#include <utility>

#include "ledger/rules.h"

namespace ledger {
namespace {

using Fault = std::optional<Refusal>;
using enum RefusalCode;

}  // namespace

// --- Accounts ---

Outcome Rules::decide(const OpenAccount& open) const {
  if (books_.find_account(open.account) != nullptr) return refuse(account_already_exists);
  return done();
}

Outcome Rules::decide(const Freeze& freeze) const {
  const Account* const account = books_.find_account(freeze.account);
  if (const Fault fault = check_customer(account)) return std::unexpected(*fault);
  if (account->closed) return refuse(account_closed);
  return done();
}

Outcome Rules::decide(const Unfreeze& unfreeze) const {
  const Account* const account = books_.find_account(unfreeze.account);
  if (const Fault fault = check_customer(account)) return std::unexpected(*fault);
  if (account->closed) return refuse(account_closed);
  return done();
}

Outcome Rules::decide(const Close& close) const {
  const Account* const account = books_.find_account(close.account);
  if (const Fault fault = check_customer(account)) return std::unexpected(*fault);
  if (account->open_holds > 0) return refuse(account_has_holds);
  if (account->balance != Cents{0}) return refuse(account_not_empty);
  if (account->closed) return refuse(account_closed);
  return done();
}

Outcome Rules::decide(const SetOverdraft& set) const {
  const Account* const account = books_.find_account(set.account);
  if (const Fault fault = check_customer(account)) return std::unexpected(*fault);
  if (account->closed) return refuse(account_closed);
  if (set.currency.is_set() && set.currency != account->currency) {
    return refuse(currency_mismatch);
  }
  if (!plus(account->balance, set.overdraft).has_value()) return refuse(balance_overflow);
  return done();
}

// --- Terminals ---

Outcome Rules::decide(const AddTerminal& add) const {
  if (books_.find_terminal(add.terminal) != nullptr) return refuse(terminal_already_exists);
  return done();
}

Outcome Rules::decide(const SetTerminalService& set) const {
  if (books_.find_terminal(set.terminal) == nullptr) return refuse(terminal_not_found);
  return done();
}

// --- Cards ---

Outcome Rules::decide(const IssueCard& issue) const {
  const Account* const account = books_.find_account(issue.account);
  if (account == nullptr) return refuse(account_not_found);
  if (books_.find_card(issue.card) != nullptr) return refuse(card_already_exists);
  if (const Fault fault = check_customer(account)) return std::unexpected(*fault);
  if (account->closed) return refuse(account_closed);
  if (issue.currency.is_set() && issue.currency != account->currency) {
    return refuse(currency_mismatch);
  }
  return done();
}

Outcome Rules::decide(const BlockCard& block) const {
  const std::expected<const Card*, RefusalCode> card = books_.find_named_card(block.card);
  if (!card.has_value()) return refuse(card.error());
  return done();
}

Outcome Rules::decide(const UnblockCard& unblock) const {
  const std::expected<const Card*, RefusalCode> card = books_.find_named_card(unblock.card);
  if (!card.has_value()) return refuse(card.error());
  if ((*card)->state == CardState::replaced) return refuse(card_replaced);
  return done();
}

Outcome Rules::decide(const ReplaceCard& replace) const {
  const std::expected<const Card*, RefusalCode> named = books_.find_named_card(replace.old_card);
  if (!named.has_value()) return refuse(named.error());
  const Card* const old = *named;
  if (books_.find_card(replace.new_card) != nullptr) return refuse(card_already_exists);
  if (books_.account(old->account).closed) return refuse(account_closed);
  if (old->state == CardState::replaced) return refuse(card_replaced);
  return done();
}

Outcome Rules::decide(const SetCardLimits& set) const {
  const std::expected<const Card*, RefusalCode> named = books_.find_named_card(set.card);
  if (!named.has_value()) return refuse(named.error());
  const Card* const card = *named;
  if (card->state == CardState::replaced) return refuse(card_replaced);
  if (set.currency.is_set() && set.currency != books_.account(card->account).currency) {
    return refuse(currency_mismatch);
  }
  return done();
}

// --- PINs ---

Outcome Rules::decide(const SetPin& set) const {
  const Card* const card = books_.find_card(set.card);
  if (card == nullptr) return refuse(card_not_found);
  if (!set.terminal.empty() && books_.find_terminal(set.terminal) == nullptr) {
    return refuse(terminal_not_found);
  }
  if (card->state == CardState::pin_locked) return refuse(pin_tries_exceeded);
  if (card->state != CardState::active) return refuse(card_blocked);
  if (set.old_pin == OldPin::wrong) {
    const std::uint32_t left = card->pin_tries_left() - 1;
    return std::unexpected(Refusal{.code = pin_wrong, .left_count = left});
  }
  Receipt receipt = done();
  receipt.tries_left = pin_tries_max;
  return receipt;
}

Outcome Rules::decide(const RecordPinAttempt& attempt) {
  const Card* const card = books_.find_card(attempt.card);
  if (card == nullptr) return refuse(card_not_found);
  if (card->state == CardState::pin_locked) return refuse(pin_tries_exceeded);
  if (card->state != CardState::active) return refuse(card_blocked);
  Receipt receipt = done();
  receipt.tries_left = attempt.right ? pin_tries_max : card->pin_tries_left() - 1;
  if (attempt.right && card->wrong_pins == 0) {
    changes_nothing_ = true;
    receipt.ledger_seq = books_.last_seq();
  }
  return receipt;
}

}  // namespace ledger
