#include "ledger/shape.h"

#include <algorithm>
#include <string>
#include <variant>

#include "ledger/entries.h"

namespace ledger {
namespace {

using Fault = std::optional<Refusal>;

Fault malformed_at(std::string_view field) {
  return Refusal{.code = RefusalCode::malformed, .field = field};
}

// A name that is looked up: what it is made of does not matter, but it is bounded.
bool is_name(std::string_view text) { return !text.empty() && text.size() <= identifier_size_max; }
bool is_name_or_empty(std::string_view text) { return text.size() <= identifier_size_max; }
bool is_text(std::string_view text) { return text.size() <= text_size_max; }

Fault check_amount(Cents amount, Currency currency) {
  if (amount <= Cents{0}) return Refusal{.code = RefusalCode::amount_must_be_positive};
  if (!currency.is_set()) return malformed_at("currency");
  return std::nullopt;
}

Fault check_limits(Cents withdrawal_max, Cents daily_amount_max) {
  if (withdrawal_max < Cents{0}) return malformed_at("limits.withdrawal_max");
  if (daily_amount_max < Cents{0}) return malformed_at("limits.daily_amount_max");
  return std::nullopt;
}

Fault check(const Operation&, const Post& post) {
  const bool by_card = post.kind == TransferKind::deposit ||
                       (post.kind == TransferKind::transfer && post.source.empty());
  const bool by_terminal = post.kind == TransferKind::deposit ||
                           post.kind == TransferKind::load_cash ||
                           post.kind == TransferKind::unload_cash;
  const bool to_target = post.kind == TransferKind::transfer || post.kind == TransferKind::fund;
  if (post.kind > TransferKind::unload_cash) return malformed_at("kind");
  const bool from_source = post.kind == TransferKind::transfer && post.card.empty();
  if (from_source ? !is_name(post.source) : !post.source.empty()) {
    return malformed_at("source_account_id");
  }
  if (to_target ? !is_name(post.target) : !post.target.empty()) {
    return malformed_at("target_account_id");
  }
  if (by_card ? !is_name(post.card) : !post.card.empty()) return malformed_at("card_number");
  if (by_terminal && post.terminal.empty()) return malformed_at("terminal_id");
  if (!is_name_or_empty(post.terminal)) return malformed_at("terminal_id");
  if (const Fault fault = check_amount(post.amount, post.currency)) return fault;
  if (to_target && post.source == post.target) {
    return Refusal{.code = RefusalCode::accounts_must_differ};
  }
  return std::nullopt;
}

Fault check(const Operation&, const Hold& hold) {
  if (!is_name(hold.card)) return malformed_at("card_number");
  if (!is_name(hold.terminal)) return malformed_at("terminal_id");
  if (hold.time_to_live <= std::chrono::milliseconds(0)) return malformed_at("time_to_live_ms");
  if (hold.time_to_live > hold_time_to_live_max) return malformed_at("time_to_live_ms");
  return check_amount(hold.amount, hold.currency);
}

Fault check_hold_id(const Operation& operation, const OperationId& hold) {
  if (!hold.is_set() || hold == operation.id) return malformed_at("hold_id");
  return std::nullopt;
}

Fault check(const Operation& operation, const Capture& capture) {
  if (const Fault fault = check_hold_id(operation, capture.hold)) return fault;
  if (!is_name_or_empty(capture.terminal)) return malformed_at("terminal_id");
  return check_amount(capture.amount, capture.currency);
}

Fault check(const Operation& operation, const Void& release) {
  if (const Fault fault = check_hold_id(operation, release.hold)) return fault;
  if (!is_name_or_empty(release.terminal)) return malformed_at("terminal_id");
  return std::nullopt;
}

Fault check(const Operation& operation, const Suspend& suspend) {
  if (const Fault fault = check_hold_id(operation, suspend.hold)) return fault;
  if (!is_name_or_empty(suspend.terminal)) return malformed_at("terminal_id");
  if (!is_text(suspend.evidence)) return malformed_at("evidence");
  return std::nullopt;
}

Fault check(const Operation&, const Resolve&) { return std::nullopt; }

Fault check(const Operation&, const OpenAccount& open) {
  if (!is_customer_account_id(open.account)) return malformed_at("account_id");
  if (open.customer_name.size() > name_size_max) return malformed_at("name");
  if (!open.currency.is_set()) return malformed_at("currency");
  if (open.overdraft < Cents{0}) return malformed_at("overdraft");
  return std::nullopt;
}

// Freeze, Unfreeze, Close.
template <typename Kind>
  requires requires(Kind kind) {
    kind.account;
    kind.reason;
  }
Fault check(const Operation&, const Kind& kind) {
  if (!is_name(kind.account)) return malformed_at("account_id");
  if (!is_text(kind.reason)) return malformed_at("reason");
  return std::nullopt;
}

Fault check(const Operation&, const SetOverdraft& set) {
  if (!is_name(set.account)) return malformed_at("account_id");
  if (set.overdraft < Cents{0}) return malformed_at("overdraft");
  return std::nullopt;
}

Fault check(const Operation&, const AddTerminal& add) {
  if (!is_identifier(add.terminal)) return malformed_at("terminal_id");
  if (cash_account_id(add.terminal).size() > identifier_size_max)
    return malformed_at("terminal_id");
  if (!add.currency.is_set()) return malformed_at("currency");
  return std::nullopt;
}

Fault check(const Operation&, const SetTerminalService& set) {
  if (!is_name(set.terminal)) return malformed_at("terminal_id");
  return std::nullopt;
}

Fault check(const Operation&, const IssueCard& issue) {
  if (!is_card_number(issue.card)) return malformed_at("card_number");
  if (!is_name(issue.account)) return malformed_at("account_id");
  if (issue.pin_hash.empty() || !is_text(issue.pin_hash)) return malformed_at("pin");
  return check_limits(issue.limits.withdrawal_max, issue.limits.daily_amount_max);
}

// BlockCard, UnblockCard.
template <typename Kind>
  requires requires(Kind kind) {
    kind.card;
    kind.reason;
  }
Fault check(const Operation&, const Kind& kind) {
  if (!is_name(kind.card)) return malformed_at("card_number");
  if (!is_text(kind.reason)) return malformed_at("reason");
  return std::nullopt;
}

Fault check(const Operation&, const ReplaceCard& replace) {
  if (!is_name(replace.old_card)) return malformed_at("old_card_number");
  if (!is_card_number(replace.new_card)) return malformed_at("new_card_number");
  if (replace.pin_hash.empty() || !is_text(replace.pin_hash)) return malformed_at("pin");
  if (!is_text(replace.reason)) return malformed_at("reason");
  return std::nullopt;
}

Fault check(const Operation&, const SetCardLimits& set) {
  if (!is_name(set.card)) return malformed_at("card_number");
  if (!set.withdrawal_max && !set.daily_amount_max && !set.daily_count_max) {
    return malformed_at("limits");
  }
  return check_limits(set.withdrawal_max.value_or(Cents{0}),
                      set.daily_amount_max.value_or(Cents{0}));
}

Fault check(const Operation&, const SetPin& set) {
  if (!is_name(set.card)) return malformed_at("card_number");
  if (!is_name_or_empty(set.terminal)) return malformed_at("terminal_id");
  const bool needs_hash = set.old_pin == OldPin::right;
  if ((needs_hash && set.pin_hash.empty()) || !is_text(set.pin_hash))
    return malformed_at("new_pin");
  return std::nullopt;
}

Fault check(const Operation&, const RecordPinAttempt& attempt) {
  if (!is_name(attempt.card)) return malformed_at("card_number");
  return std::nullopt;
}

Fault check(const Operation&, const Adjust& adjust) {
  if (!is_name(adjust.source)) return malformed_at("source_account_id");
  if (!is_name(adjust.target)) return malformed_at("target_account_id");
  if (!is_text(adjust.reason)) return malformed_at("reason");
  if (const Fault fault = check_amount(adjust.amount, adjust.currency)) return fault;
  if (adjust.source == adjust.target) {
    return Refusal{.code = RefusalCode::accounts_must_differ};
  }
  return std::nullopt;
}

Fault check(const Operation&, const Reverse& reverse) {
  if (reverse.transfer_seq == 0) return malformed_at("transfer_seq");
  if (!is_text(reverse.reason)) return malformed_at("reason");
  return std::nullopt;
}

Fault check(const Operation&, const ResolveException& resolve) {
  if (resolve.exception_seq == 0) return malformed_at("exception_seq");
  if (resolve.paid.has_value() && *resolve.paid < Cents{0}) return malformed_at("paid");
  if (!is_text(resolve.reason)) return malformed_at("reason");
  return std::nullopt;
}

Fault check(const Operation&, const ExpireHold&) { return malformed_at("kind"); }

}  // namespace

std::optional<Refusal> check_shape(const Operation& operation) {
  if (!operation.id.is_set()) return malformed_at("id");
  if (!is_name(operation.principal)) return malformed_at("principal");
  return std::visit([&](const auto& kind) { return check(operation, kind); }, operation.change);
}

bool is_identifier(std::string_view text) {
  if (!is_name(text)) return false;
  return std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
           letter == '_' || letter == '.' || letter == ':';
  });
}

bool is_customer_account_id(std::string_view text) {
  return is_identifier(text) && !text.starts_with("cash:") && !text.starts_with("equity:");
}

bool is_card_number(std::string_view text) {
  return text.size() >= card_digits_min && text.size() <= card_digits_max &&
         std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

}  // namespace ledger
