#include "ledger/shape.h"

#include <algorithm>
#include <string>
#include <variant>

#include "ledger/entries.h"
#include "ledger/planned_notes.h"

namespace ledger {
namespace {

using Fault = std::optional<Refusal>;

Fault malformed_at(std::string_view field, ShapeFault fault = ShapeFault::none) {
  return Refusal{.code = RefusalCode::malformed, .fault = fault, .field = field};
}

// A name that is looked up: what it is made of does not matter, but it is bounded.
Fault check_name(std::string_view field, std::string_view text) {
  if (text.empty()) return malformed_at(field, ShapeFault::empty);
  if (text.size() > identifier_size_max) return malformed_at(field, ShapeFault::too_long);
  return std::nullopt;
}
Fault check_name_or_empty(std::string_view field, std::string_view text) {
  return text.empty() ? std::nullopt : check_name(field, text);
}
// As Books::find_named_card takes it: an account's name with a few digits is the longest.
Fault check_card_name(std::string_view field, std::string_view text) {
  if (text.empty()) return malformed_at(field, ShapeFault::empty);
  constexpr std::size_t size_max = identifier_size_max + 1 + card_ending_size;
  if (text.size() > size_max) return malformed_at(field, ShapeFault::too_long);
  return std::nullopt;
}
Fault check_shape_of(std::string_view field, ShapeFault fault) {
  if (fault == ShapeFault::none) return std::nullopt;
  return malformed_at(field, fault);
}
// What books are kept in, for ever.
Fault check_currency(Currency currency) {
  if (!currency.is_set()) return malformed_at("currency");
  if (!currency.is_listed()) return malformed_at("currency", ShapeFault::unlisted);
  return std::nullopt;
}
bool is_text(std::string_view text) { return text.size() <= text_size_max; }
Fault check_text(std::string_view field, std::string_view text) {
  if (!is_text(text)) return malformed_at(field, ShapeFault::too_long);
  return std::nullopt;
}

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

Fault check_receipt(const ReceiptId& receipt) {
  if (receipt.has_value() && !receipt->is_set()) return malformed_at("receipt_id");
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
  if (!from_source && !post.source.empty()) return malformed_at("source_account_id");
  if (!to_target && !post.target.empty()) return malformed_at("target_account_id");
  if (!by_card && !post.card.empty()) return malformed_at("card_number");
  if (post.kept && post.kind != TransferKind::deposit) return malformed_at("kept");
  if (from_source) {
    if (const Fault fault = check_name("source_account_id", post.source)) return fault;
  }
  if (to_target) {
    if (const Fault fault = check_name("target_account_id", post.target)) return fault;
  }
  if (by_card) {
    if (const Fault fault = check_name("card_number", post.card)) return fault;
  }
  if (by_terminal) {
    if (const Fault fault = check_name("terminal_id", post.terminal)) return fault;
  }
  if (const Fault fault = check_name_or_empty("terminal_id", post.terminal)) return fault;
  if (const Fault fault = check_receipt(post.receipt)) return fault;
  if (const Fault fault = check_amount(post.amount, post.currency)) return fault;
  if (to_target && post.source == post.target) {
    return Refusal{.code = RefusalCode::accounts_must_differ};
  }
  return std::nullopt;
}

Fault check(const Operation&, const Hold& hold) {
  if (const Fault fault = check_name("card_number", hold.card)) return fault;
  if (const Fault fault = check_name("terminal_id", hold.terminal)) return fault;
  if (hold.time_to_live <= std::chrono::milliseconds(0)) return malformed_at("time_to_live_ms");
  if (hold.time_to_live > hold_time_to_live_max) return malformed_at("time_to_live_ms");
  if (const Fault fault = check_receipt(hold.receipt)) return fault;
  return check_amount(hold.amount, hold.currency);
}

Fault check_hold_id(const Operation& operation, const OperationId& hold) {
  if (!hold.is_set() || hold == operation.id) return malformed_at("hold_id");
  return std::nullopt;
}

Fault check(const Operation& operation, const Capture& capture) {
  if (const Fault fault = check_hold_id(operation, capture.hold)) return fault;
  if (const Fault fault = check_name_or_empty("terminal_id", capture.terminal)) return fault;
  if (const Fault fault = check_receipt(capture.receipt)) return fault;
  if (const Fault fault = check_text("evidence", capture.evidence)) return fault;
  return check_amount(capture.amount, capture.currency);
}

Fault check(const Operation& operation, const Void& release) {
  if (const Fault fault = check_hold_id(operation, release.hold)) return fault;
  if (const Fault fault = check_name_or_empty("terminal_id", release.terminal)) return fault;
  return std::nullopt;
}

Fault check(const Operation& operation, const Suspend& suspend) {
  if (const Fault fault = check_hold_id(operation, suspend.hold)) return fault;
  if (const Fault fault = check_name_or_empty("terminal_id", suspend.terminal)) return fault;
  if (const Fault fault = check_receipt(suspend.receipt)) return fault;
  if (const Fault fault = check_text("evidence", suspend.evidence)) return fault;
  const bool names_notes = !suspend.planned.empty();
  const bool has_currency = suspend.currency.is_set();
  if (names_notes && (!has_currency || !parse_planned(suspend.planned))) {
    return malformed_at("planned");
  }
  const bool tells_amount = suspend.amount != Cents{0} || (has_currency && !names_notes);
  if (tells_amount) return check_amount(suspend.amount, suspend.currency);
  return std::nullopt;
}

Fault check(const Operation&, const Resolve&) { return std::nullopt; }

Fault check(const Operation&, const OpenAccount& open) {
  if (const Fault fault = check_shape_of("account_id", why_not_customer_account_id(open.account))) {
    return fault;
  }
  if (open.customer_name.size() > name_size_max) return malformed_at("name", ShapeFault::too_long);
  if (const Fault fault = check_currency(open.currency)) return fault;
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
  if (const Fault fault = check_name("account_id", kind.account)) return fault;
  if (const Fault fault = check_text("reason", kind.reason)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const SetOverdraft& set) {
  if (const Fault fault = check_name("account_id", set.account)) return fault;
  if (set.overdraft < Cents{0}) return malformed_at("overdraft");
  return std::nullopt;
}

Fault check(const Operation&, const AddTerminal& add) {
  if (const Fault fault = check_shape_of("terminal_id", why_not_terminal_id(add.terminal))) {
    return fault;
  }
  if (const Fault fault = check_currency(add.currency)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const SetTerminalService& set) {
  if (const Fault fault = check_name("terminal_id", set.terminal)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const IssueCard& issue) {
  if (const Fault fault = check_shape_of("card_number", why_not_card_number(issue.card))) {
    return fault;
  }
  if (const Fault fault = check_name("account_id", issue.account)) return fault;
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
  if (const Fault fault = check_card_name("card_number", kind.card)) return fault;
  if (const Fault fault = check_text("reason", kind.reason)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const ReplaceCard& replace) {
  if (const Fault fault = check_card_name("old_card_number", replace.old_card)) return fault;
  if (const Fault fault =
          check_shape_of("new_card_number", why_not_card_number(replace.new_card))) {
    return fault;
  }
  if (replace.pin_hash.empty() || !is_text(replace.pin_hash)) return malformed_at("pin");
  if (const Fault fault = check_text("reason", replace.reason)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const SetCardLimits& set) {
  if (const Fault fault = check_card_name("card_number", set.card)) return fault;
  if (!set.withdrawal_max && !set.daily_amount_max && !set.daily_count_max) {
    return malformed_at("limits");
  }
  return check_limits(set.withdrawal_max.value_or(Cents{0}),
                      set.daily_amount_max.value_or(Cents{0}));
}

Fault check(const Operation&, const SetPin& set) {
  if (const Fault fault = check_name("card_number", set.card)) return fault;
  if (const Fault fault = check_name_or_empty("terminal_id", set.terminal)) return fault;
  const bool needs_hash = set.old_pin == OldPin::right;
  if ((needs_hash && set.pin_hash.empty()) || !is_text(set.pin_hash))
    return malformed_at("new_pin");
  return std::nullopt;
}

Fault check(const Operation&, const RecordPinAttempt& attempt) {
  if (const Fault fault = check_name("card_number", attempt.card)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const Adjust& adjust) {
  if (const Fault fault = check_name("source_account_id", adjust.source)) return fault;
  if (const Fault fault = check_name("target_account_id", adjust.target)) return fault;
  if (const Fault fault = check_text("reason", adjust.reason)) return fault;
  if (const Fault fault = check_amount(adjust.amount, adjust.currency)) return fault;
  if (adjust.source == adjust.target) {
    return Refusal{.code = RefusalCode::accounts_must_differ};
  }
  return std::nullopt;
}

Fault check(const Operation&, const Reverse& reverse) {
  if (reverse.transfer_seq == 0) return malformed_at("transfer_seq");
  if (const Fault fault = check_text("reason", reverse.reason)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const ResolveException& resolve) {
  if (resolve.exception_seq == 0) return malformed_at("exception_seq");
  if (resolve.paid.has_value() && *resolve.paid < Cents{0}) return malformed_at("paid");
  if (const Fault fault = check_text("reason", resolve.reason)) return fault;
  return std::nullopt;
}

Fault check(const Operation&, const ExpireHold&) { return malformed_at("kind"); }

}  // namespace

std::optional<Refusal> check_shape(const Operation& operation) {
  if (!operation.id.is_set()) return malformed_at("id");
  if (const Fault fault = check_name("principal", operation.principal)) return fault;
  return std::visit([&](const auto& kind) { return check(operation, kind); }, operation.change);
}

ShapeFault why_not_identifier(std::string_view text) {
  if (text.empty()) return ShapeFault::empty;
  if (text.size() > identifier_size_max) return ShapeFault::too_long;
  const bool is_good = std::ranges::all_of(text, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
           letter == '_' || letter == '.' || letter == ':';
  });
  return is_good ? ShapeFault::none : ShapeFault::letter;
}

ShapeFault why_not_customer_account_id(std::string_view text) {
  if (text.starts_with("cash:") || text.starts_with("equity:")) return ShapeFault::reserved;
  return why_not_identifier(text);
}

ShapeFault why_not_terminal_id(std::string_view text) {
  const ShapeFault fault = why_not_identifier(text);
  if (fault != ShapeFault::none) return fault;
  if (text == operator_principal) return ShapeFault::reserved;
  return text.size() > terminal_id_size_max ? ShapeFault::too_long : ShapeFault::none;
}

ShapeFault why_not_card_number(std::string_view text) {
  if (text.empty()) return ShapeFault::empty;
  const bool is_good =
      std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
  if (!is_good) return ShapeFault::letter;
  if (text.size() < card_digits_min) return ShapeFault::too_short;
  return text.size() > card_digits_max ? ShapeFault::too_long : ShapeFault::none;
}

bool is_identifier(std::string_view text) { return why_not_identifier(text) == ShapeFault::none; }

bool is_customer_account_id(std::string_view text) {
  return why_not_customer_account_id(text) == ShapeFault::none;
}

bool is_card_number(std::string_view text) { return why_not_card_number(text) == ShapeFault::none; }

}  // namespace ledger
