#include "model.h"

#include <algorithm>
#include <variant>

#include <fmt/format.h>

#include "ledger/refusal.h"

namespace sim {

using ledger::CardState;
using ledger::RefusalCode;
using enum ledger::RefusalCode;
using Verdict = Model::Verdict;

namespace {

Verdict no(RefusalCode code) { return {.no = code}; }

const ledger::Currency only_currency = ledger::Currency::of("EUR");
const std::string equity = "equity:eur";
std::string cash_of(const std::string& terminal) { return "cash:" + terminal; }

}  // namespace

// One decision. A yes is made at once.
class Model::Decider {
 public:
  Decider(Model& model, const ledger::Operation& operation, ledger::BusinessDay day,
          std::uint64_t seq)
      : model_(model), operation_(operation), day_(day), seq_(seq) {}

  // --- Money ---

  Verdict operator()(const ledger::Post& post) {
    using ledger::TransferKind;
    std::string source = post.source;
    std::string target = post.target;
    const std::string number(post.card);
    if ((!source.empty() && !has_account(source)) || (!target.empty() && !has_account(target))) {
      return no(account_not_found);
    }
    if (!number.empty() && !model_.cards_.contains(number)) return no(card_not_found);
    if (!post.terminal.empty() && !model_.terminals_.contains(post.terminal)) {
      return no(terminal_not_found);
    }
    const bool is_transfer = post.kind == TransferKind::transfer;
    if (!number.empty()) (is_transfer ? source : target) = model_.cards_[number].account;
    if (post.kind == TransferKind::deposit) source = cash_of(post.terminal);
    if (post.kind == TransferKind::fund) source = equity;
    if (post.kind == TransferKind::load_cash) source = cash_of(post.terminal), target = equity;
    if (post.kind == TransferKind::unload_cash) source = equity, target = cash_of(post.terminal);
    if (is_transfer && !account(source).is_customer) return no(account_of_wrong_kind);
    if (is_transfer || post.kind == TransferKind::fund) {
      if (!account(target).is_customer) return no(account_of_wrong_kind);
    }
    if (source == target) return no(accounts_must_differ);
    if (account(source).is_closed || account(target).is_closed) return no(account_closed);
    if (account(source).is_frozen) return no(account_frozen);
    if (is_transfer && !number.empty() && model_.cards_[number].state != CardState::active) {
      return no(card_blocked);
    }
    if (is_transfer && !post.terminal.empty() && !model_.terminals_[post.terminal]) {
      return no(terminal_out_of_service);
    }
    const bool tells_target = post.kind == TransferKind::deposit ||
                              post.kind == TransferKind::fund ||
                              post.kind == TransferKind::unload_cash;
    return pay(source, target, post.amount.value, tells_target);
  }
  Verdict operator()(const ledger::Adjust& adjust) {
    if (!has_account(adjust.source) || !has_account(adjust.target)) return no(account_not_found);
    return pay(adjust.source, adjust.target, adjust.amount.value, false);
  }
  Verdict operator()(const ledger::Reverse& reverse) {
    const auto found = model_.transfers_.find(reverse.transfer_seq);
    if (found == model_.transfers_.end()) return no(transfer_not_found);
    if (found->second.is_reversed) return no(already_reversed);
    if (found->second.moved_cash) return no(cash_has_moved);
    const Transfer& first = found->second;
    Verdict verdict = pay(first.target, first.source, first.amount, false);
    if (!verdict.no) found->second.is_reversed = true;
    return verdict;
  }

  // --- Holds ---

  Verdict operator()(const ledger::Hold& hold) {
    const std::string number(hold.card);
    const auto found = model_.cards_.find(number);
    if (found == model_.cards_.end()) return no(card_not_found);
    if (!model_.terminals_.contains(hold.terminal)) return no(terminal_not_found);
    Card& card = found->second;
    Account& account = this->account(card.account);
    const std::int64_t amount = hold.amount.value;
    if (account.is_closed) return no(account_closed);
    if (account.is_frozen) return no(account_frozen);
    if (card.state != CardState::active) return no(card_blocked);
    if (!model_.terminals_[hold.terminal]) return no(terminal_out_of_service);
    const Usage used = card.used.day < day_ ? Usage{} : card.used;
    const ledger::CardLimits& limits = card.limits;
    const std::int64_t most = limits.withdrawal_max.value;
    const std::int64_t daily = limits.daily_amount_max.value;
    if (most > 0 && amount > most) return no(withdrawal_limit);
    if (daily > 0 && used.amount + amount > std::max(daily, used.amount)) {
      return no(daily_amount_limit);
    }
    if (limits.daily_count_max > 0 && used.count >= limits.daily_count_max) {
      return no(daily_count_limit);
    }
    if (account.available() < amount) return no(insufficient_funds);
    Hold& made = model_.holds_[operation_.id];
    made = {.account = card.account,
            .card = number,
            .terminal = hold.terminal,
            .principal = operation_.principal,
            .amount = amount};
    ++account.open_holds;
    reserve(made, State::held);
    return yes(card.account);
  }
  Verdict operator()(const ledger::Capture& capture) {
    const Verdict open = open_hold(capture.hold, capture.terminal);
    if (open.no) return open;
    Hold& hold = model_.holds_.at(capture.hold);
    if (capture.amount.value > hold.amount) return no(capture_exceeds_hold);
    if (capture.currency != only_currency) return no(currency_mismatch);
    return end(hold, capture.amount.value);
  }
  Verdict operator()(const ledger::Void& release) {
    const auto seen = model_.seen_.find(release.hold);
    const bool is_unknown = seen == model_.seen_.end();
    if (!is_unknown && seen->second.principal != operation_.principal) {
      return no(id_belongs_to_another);
    }
    if (is_unknown)
      model_.seen_[release.hold] = {.principal = operation_.principal, .is_fence = true};
    if (is_unknown || seen->second.is_fence) return {};
    if (seen->second.is_hold && !seen->second.was_accepted) return {};
    const Verdict open = open_hold(release.hold, release.terminal);
    return open.no ? open : end(model_.holds_.at(release.hold), 0);
  }
  Verdict operator()(const ledger::Suspend& suspend) {
    const Verdict open = open_hold(suspend.hold, suspend.terminal);
    if (open.no) return open;
    if (suspend.currency.is_set() && suspend.currency != only_currency) {
      return no(currency_mismatch);
    }
    Hold& hold = model_.holds_.at(suspend.hold);
    if (hold.state == State::expired) reserve(hold, State::suspended);
    // It is one exception, however often it is suspended.
    if (hold.state != State::suspended || !is_listed(suspend.hold)) {
      model_.exceptions_[seq_] = {.suspended = suspend.hold};
    }
    hold.state = State::suspended;
    return yes(hold.account);
  }
  Verdict operator()(const ledger::ExpireHold& expire) {
    Hold& hold = model_.holds_.at(expire.hold);
    if (hold.state != State::held) return no(hold_not_found);
    release(hold);
    hold.state = State::expired;
    return yes(hold.account);
  }
  Verdict operator()(const ledger::ResolveException& decision) {
    const auto found = model_.exceptions_.find(decision.exception_seq);
    if (found == model_.exceptions_.end()) return no(exception_not_found);
    if (found->second.is_resolved) return no(exception_already_resolved);
    if (decision.paid.has_value() != found->second.suspended.has_value()) return no(malformed);
    if (!decision.paid) {
      found->second.is_resolved = true;
      return {};
    }
    Hold& hold = model_.holds_.at(*found->second.suspended);
    if (decision.paid->value > hold.amount) return no(capture_exceeds_hold);
    return end(hold, decision.paid->value);
  }
  Verdict operator()(const ledger::Resolve&) { return {}; }

  // --- What else the operator does ---

  Verdict operator()(const ledger::OpenAccount& open) {
    if (has_account(open.account)) return no(account_already_exists);
    model_.accounts_[open.account].overdraft = open.overdraft.value;
    return {};
  }
  Verdict operator()(const ledger::Freeze& freeze) {
    return with_open_customer(freeze.account, [](Account& account) { account.is_frozen = true; });
  }
  Verdict operator()(const ledger::Unfreeze& thaw) {
    return with_open_customer(thaw.account, [](Account& account) { account.is_frozen = false; });
  }
  Verdict operator()(const ledger::SetOverdraft& set) {
    return with_open_customer(
        set.account, [&set](Account& account) { account.overdraft = set.overdraft.value; });
  }
  Verdict operator()(const ledger::Close& close) {
    if (has_account(close.account) && account(close.account).is_customer) {
      if (account(close.account).open_holds > 0) return no(account_has_holds);
      if (account(close.account).balance != 0) return no(account_not_empty);
    }
    return with_open_customer(close.account, [](Account& account) { account.is_closed = true; });
  }
  Verdict operator()(const ledger::AddTerminal& add) {
    if (!model_.terminals_.emplace(add.terminal, true).second) return no(terminal_already_exists);
    model_.accounts_[cash_of(add.terminal)].is_customer = false;
    return {};
  }
  Verdict operator()(const ledger::SetTerminalService& set) {
    if (!model_.terminals_.contains(set.terminal)) return no(terminal_not_found);
    model_.terminals_[set.terminal] = set.in_service;
    return {};
  }
  Verdict operator()(const ledger::IssueCard& issue) {
    if (!has_account(issue.account)) return no(account_not_found);
    if (model_.cards_.contains(issue.card)) return no(card_already_exists);
    if (!account(issue.account).is_customer) return no(account_of_wrong_kind);
    if (account(issue.account).is_closed) return no(account_closed);
    model_.cards_[issue.card] = {.account = issue.account, .limits = issue.limits};
    return {};
  }
  Verdict operator()(const ledger::SetCardLimits& set) {
    if (!model_.cards_.contains(set.card)) return no(card_not_found);
    if (model_.cards_[set.card].state == CardState::replaced) return no(card_replaced);
    ledger::CardLimits& limits = model_.cards_[set.card].limits;
    if (set.withdrawal_max) limits.withdrawal_max = *set.withdrawal_max;
    if (set.daily_amount_max) limits.daily_amount_max = *set.daily_amount_max;
    if (set.daily_count_max) limits.daily_count_max = *set.daily_count_max;
    return {};
  }
  Verdict operator()(const ledger::BlockCard& block) { return set_active(block.card, false); }
  Verdict operator()(const ledger::UnblockCard& unblock) { return set_active(unblock.card, true); }
  Verdict operator()(const ledger::RecordPinAttempt& attempt) {
    if (!model_.cards_.contains(attempt.card)) return no(card_not_found);
    return try_pin(model_.cards_.at(attempt.card), attempt.right);
  }
  Verdict operator()(const ledger::SetPin& set) {
    if (!model_.cards_.contains(set.card)) return no(card_not_found);
    if (!set.terminal.empty() && !model_.terminals_.contains(set.terminal)) {
      return no(terminal_not_found);
    }
    const bool is_right = set.old_pin == ledger::OldPin::right;
    const Verdict tried = try_pin(model_.cards_.at(set.card), is_right);
    return tried.no || is_right ? tried : no(pin_wrong);
  }
  Verdict operator()(const ledger::ReplaceCard& replace) {
    const auto old = model_.cards_.find(replace.old_card);
    if (old == model_.cards_.end()) return no(card_not_found);
    if (model_.cards_.contains(replace.new_card)) return no(card_already_exists);
    if (account(old->second.account).is_closed) return no(account_closed);
    if (old->second.state == CardState::replaced) return no(card_replaced);
    Card& fresh = model_.cards_[replace.new_card];
    fresh = {
        .account = old->second.account, .limits = old->second.limits, .used = old->second.used};
    old->second.state = CardState::replaced;
    return {};
  }

 private:
  bool has_account(const std::string& id) const {
    return id == equity || model_.accounts_.contains(id);
  }
  Account& account(const std::string& id) {
    Account& found = model_.accounts_[id];
    if (id == equity) found.is_customer = false;
    return found;
  }
  Verdict yes(const std::string& id) {
    const Account& concerned = account(id);
    return {
        .no = {}, .account = id, .balance = concerned.balance, .available = concerned.available()};
  }
  template <typename Act>
  Verdict with_open_customer(const std::string& id, Act act) {
    if (!has_account(id)) return no(account_not_found);
    if (!account(id).is_customer) return no(account_of_wrong_kind);
    if (account(id).is_closed) return no(account_closed);
    act(account(id));
    return {};
  }
  Verdict set_active(const std::string& number, bool is_active) {
    if (!model_.cards_.contains(number)) return no(card_not_found);
    Card& card = model_.cards_[number];
    if (card.state == CardState::replaced) return is_active ? no(card_replaced) : Verdict();
    card.state = is_active ? CardState::active : CardState::blocked;
    if (is_active) card.wrong_pins = 0;
    return {};
  }
  static Verdict try_pin(Card& card, bool is_right) {
    if (card.state == CardState::pin_locked) return no(pin_tries_exceeded);
    if (card.state != CardState::active) return no(card_blocked);
    card.wrong_pins = is_right ? 0 : card.wrong_pins + 1;
    if (card.wrong_pins >= ledger::pin_tries_max) card.state = CardState::pin_locked;
    return {};
  }

  Verdict pay(const std::string& source, const std::string& target, std::int64_t amount,
              bool tells_target) {
    Account& from = account(source);
    Account& to = account(target);
    if (from.is_closed || to.is_closed) return no(account_closed);
    if (from.is_frozen) return no(account_frozen);
    if (from.is_customer && from.available() < amount) return no(insufficient_funds);
    move(source, target, amount);
    return yes(tells_target ? target : source);
  }
  void move(const std::string& source, const std::string& target, std::int64_t amount) {
    account(source).balance -= amount;
    account(target).balance += amount;
    model_.transfers_[seq_] = {
        .source = source, .target = target, .amount = amount, .moved_cash = moves_cash()};
  }
  bool moves_cash() const {
    const auto* const post = std::get_if<ledger::Post>(&operation_.change);
    if (post != nullptr) {
      return post->kind != ledger::TransferKind::transfer &&
             post->kind != ledger::TransferKind::fund;
    }
    // What ends a hold by paying.
    return std::holds_alternative<ledger::Capture>(operation_.change) ||
           std::holds_alternative<ledger::ResolveException>(operation_.change);
  }

  Verdict open_hold(const ledger::OperationId& id, const std::string& terminal) const {
    const auto seen = model_.seen_.find(id);
    if (seen == model_.seen_.end()) return no(hold_not_found);
    if (seen->second.principal != operation_.principal) return no(id_belongs_to_another);
    const auto found = model_.holds_.find(id);
    if (found == model_.holds_.end()) return no(hold_not_found);
    if (!terminal.empty() && found->second.terminal != terminal) return no(hold_not_found);
    if (found->second.state == State::captured) return no(hold_already_captured);
    if (found->second.state == State::voided) return no(hold_already_voided);
    return {};
  }
  void take_limits(Hold& hold, std::int64_t amount) {
    Usage& used = model_.cards_.at(hold.card).used;
    if (used.day < day_) used = {.day = day_};
    used.amount += amount;
    ++used.count;
    hold.day = used.day;
  }
  void reserve(Hold& hold, State state) {
    account(hold.account).held += hold.amount;
    hold.state = state;
    take_limits(hold, hold.amount);
  }
  void release(const Hold& hold) {
    account(hold.account).held -= hold.amount;
    Usage& used = model_.cards_.at(hold.card).used;
    if (used.day != hold.day) return;
    used.amount = std::max<std::int64_t>(0, used.amount - hold.amount);
    used.count -= std::min(used.count, 1U);
  }
  bool is_listed(const ledger::OperationId& hold) const {
    return std::ranges::any_of(model_.exceptions_, [&hold](const auto& each) {
      return each.second.suspended == hold && !each.second.is_resolved;
    });
  }
  // The cash is out, or it never will be.
  Verdict end(Hold& hold, std::int64_t captured) {
    const State before = hold.state;
    const ledger::BusinessDay day_before = hold.day;
    if (hold.is_reserved()) release(hold);
    Usage& used = model_.cards_.at(hold.card).used;
    if (captured > 0 && before == State::expired) {
      take_limits(hold, captured);
      model_.exceptions_[seq_] = {};  // A late capture, for the operator to see.
    } else if (captured > 0 && used.day == day_before) {
      used.amount += captured;
      ++used.count;
    }
    for (auto& [seq, raised] : model_.exceptions_) {
      const bool is_its = raised.suspended && &model_.holds_.at(*raised.suspended) == &hold;
      raised.is_resolved = raised.is_resolved || is_its;
    }
    hold.state = captured > 0 ? State::captured : State::voided;
    --account(hold.account).open_holds;
    if (captured > 0) move(hold.account, cash_of(hold.terminal), captured);
    return yes(hold.account);
  }

  Model& model_;
  const ledger::Operation& operation_;
  const ledger::BusinessDay day_;
  const std::uint64_t seq_;
};

Verdict Model::decide(const ledger::Operation& operation, ledger::BusinessDay day,
                      std::uint64_t seq) {
  Verdict verdict = std::visit(Decider(*this, operation, day, seq), operation.change);
  if (operation.id.is_set()) {
    seen_[operation.id] = {.principal = operation.principal,
                           .is_fence = std::holds_alternative<ledger::Resolve>(operation.change),
                           .is_hold = std::holds_alternative<ledger::Hold>(operation.change),
                           .was_accepted = !verdict.no.has_value()};
  }
  // Cash that was refused is for the operator to see, unless it goes back to the customer.
  const auto* const post = std::get_if<ledger::Post>(&operation.change);
  const bool is_in_escrow =
      post != nullptr && post->kind == ledger::TransferKind::deposit && !post->kept;
  const bool moves_notes = post != nullptr && post->kind != ledger::TransferKind::transfer &&
                           post->kind != ledger::TransferKind::fund && !is_in_escrow;
  const bool is_about_cash = moves_notes ||
                             std::holds_alternative<ledger::Capture>(operation.change) ||
                             std::holds_alternative<ledger::Void>(operation.change) ||
                             std::holds_alternative<ledger::Suspend>(operation.change);
  if (verdict.no && is_about_cash) exceptions_[seq] = {};
  return verdict;
}

std::optional<std::string> Model::follow(const ledger::Record& record) {
  const ledger::Operation& operation = record.operation;
  const std::string what = fmt::format("record {} ({})", record.ledger_seq, name(operation.change));
  if (operation.id.is_set() && has_seen(operation.id)) {
    return what + " answers an id that was answered before";
  }
  const Verdict verdict = decide(operation, record.day, record.ledger_seq);
  const std::string model_says = verdict.no ? std::string(ledger::name(*verdict.no)) : "yes";
  const std::string journal_says =
      record.outcome ? "yes" : std::string(ledger::name(record.outcome.error().code));
  if (model_says != journal_says) {
    return fmt::format("{} says {}, and the model {}", what, journal_says, model_says);
  }
  if (record.outcome && record.outcome->currency.is_set() &&
      (record.outcome->balance.value != verdict.balance ||
       record.outcome->available.value != verdict.available)) {
    return fmt::format("{} leaves {} of which {} are available, and the model {} and {}", what,
                       record.outcome->balance.value, record.outcome->available.value,
                       verdict.balance, verdict.available);
  }
  if (sum() != 0) return what + " leaves accounts that do not add up to 0";
  return std::nullopt;
}

const Model::Account* Model::find(const std::string& account) const {
  const auto found = accounts_.find(account);
  return found == accounts_.end() ? nullptr : &found->second;
}

std::int64_t Model::sum() const {
  std::int64_t sum = 0;
  for (const auto& [id, account] : accounts_) sum += account.balance;
  return sum;
}

}  // namespace sim
