#include "bank/change_views.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "bank/operations.h"
#include "bank/sentences.h"

namespace bank {
namespace {

using ledger::FoundChange;
using ledger::HoldState;

std::string money_text(ledger::Cents amount, ledger::Currency currency) {
  return ledger::to_text(ledger::Money{amount, currency});
}

// The account that a change is about, as it names it: by itself, by its card or by its hold.
std::string account_of(const FoundChange& change, const ledger::Books& books) {
  if (change.hold) return books.account(change.hold->account).id();
  return std::visit(
      [&books]<typename Kind>(const Kind& kind) -> std::string {
        const ledger::HoldEntry* hold = nullptr;
        const ledger::Card* card = nullptr;
        if constexpr (requires { kind.account; }) return kind.account;
        if constexpr (requires { kind.hold; }) hold = books.find_hold(kind.hold);
        if constexpr (requires { kind.card; })
          card = books.find_named_card(kind.card).value_or(nullptr);
        if constexpr (requires { kind.old_card; }) {
          card = books.find_named_card(kind.old_card).value_or(nullptr);
        }
        if (hold != nullptr) return books.account(hold->account).id();
        if (card != nullptr) return books.account(card->account).id();
        // What it took back came to the target, and goes from there.
        if constexpr (std::is_same_v<Kind, ledger::Reverse>) return kind.target;
        if constexpr (requires { kind.source; }) {
          if (!kind.source.empty()) return kind.source;
        }
        if constexpr (requires { kind.target; }) return kind.target;
        return "";
      },
      change.record.operation.change);
}

// What of a change has the same name in every kind that has it.
void fill_fields(v1::ChangeView& view, const ledger::Change& change) {
  std::visit(
      [&view]<typename Kind>(const Kind& kind) {
        // 0: none was told. The currency may be that of a suspension's planned notes.
        if constexpr (requires { kind.amount; }) {
          const bool is_told = kind.currency.is_set() && kind.amount != ledger::Cents{0};
          if (is_told) *view.mutable_amount() = to_money(kind.amount, kind.currency);
        }
        if constexpr (requires { kind.card; }) {
          if (!kind.card.empty()) view.set_card(shown_card(kind.card));
        }
        if constexpr (requires { kind.target; }) view.set_target_account_id(kind.target);
        if constexpr (requires { kind.old_card; }) view.set_card(shown_card(kind.old_card));
      },
      change);
}

std::string kind_of(const ledger::Change& change) {
  const auto* const post = std::get_if<ledger::Post>(&change);
  return std::string(post == nullptr ? ledger::name(change) : ledger::name(post->kind));
}

std::string sentence_of_hold(const ledger::HoldEntry& hold, const ledger::Books& books) {
  const ledger::Account& account = books.account(hold.account);
  const std::string amount = money_text(hold.amount, account.currency);
  const std::string& terminal = books.terminal(hold.terminal).id;
  switch (hold.state) {
    case HoldState::held:
      return fmt::format("{} of {} is reserved; {} has not said yet what it paid.", amount,
                         account.id(), terminal);
    case HoldState::expired:
      return fmt::format(
          "{} of {} was reserved and is free again, for its time was over; what {} says later that "
          "it paid is taken all the same.",
          amount, account.id(), terminal);
    case HoldState::suspended:
      return fmt::format(
          "{} does not know what it paid; {} of {} stays reserved until exception {} is resolved.",
          terminal, amount, account.id(), hold.exception_seq);
    case HoldState::captured:
      return fmt::format("{} was paid at {} and taken from {}.",
                         money_text(hold.captured, account.currency), terminal, account.id());
    case HoldState::voided:
      return fmt::format("Nothing was paid: {} of {} was reserved and is free again.", amount,
                         account.id());
  }
  return "";
}

// " from jane to john", as far as the change names them. What a card names is `own`: it gets a
// deposit, and gives everything else.
std::string accounts_of(const FoundChange& change, const std::string& own) {
  std::string source;
  std::string target;
  std::visit(
      [&]<typename Kind>(const Kind& kind) {
        if constexpr (requires { kind.source; }) source = kind.source;
        if constexpr (requires { kind.target; }) target = kind.target;
      },
      change.record.operation.change);
  const ledger::Change& kind = change.record.operation.change;
  const auto* const post = std::get_if<ledger::Post>(&kind);
  if (post != nullptr && !post->card.empty()) {
    (post->kind == ledger::TransferKind::deposit ? target : source) = own;
  }
  // It has the accounts as the transfer had that it took back.
  if (std::holds_alternative<ledger::Reverse>(kind)) std::swap(source, target);
  return (source.empty() ? "" : " from " + source) + (target.empty() ? "" : " to " + target);
}

// What an operator's change without an amount is about: "unblock_card of card-17". Empty: the view has it all.
std::string what_was_asked(const ledger::Change& change) {
  const std::string thing = std::visit(
      []<typename Kind>(const Kind& kind) -> std::string {
        if constexpr (requires { kind.old_card; }) {
          return shown_card(kind.old_card) + ", with " + shown_card(kind.new_card);
        } else if constexpr (requires { kind.transfer_seq; }) {
          return "transfer " + std::to_string(kind.transfer_seq);
        } else if constexpr (requires { kind.exception_seq; }) {
          return "exception " + std::to_string(kind.exception_seq);
        }
        if constexpr (!requires { kind.hold; } && !requires { kind.amount; }) {
          if constexpr (requires { kind.card; }) return shown_card(kind.card);
          if constexpr (requires { kind.terminal; }) return kind.terminal;
          if constexpr (requires { kind.account; }) return kind.account;
        }
        return "";
      },
      change);
  return thing.empty() ? "" : kind_of(change) + " of " + thing;
}

// Whose the balance is that the receipt tells, where two of the bank's accounts come into question.
std::string balance_after(const FoundChange& change, const std::string& account) {
  const ledger::Change& kind = change.record.operation.change;
  const bool is_by_hand =
      std::holds_alternative<ledger::Adjust>(kind) || std::holds_alternative<ledger::Reverse>(kind);
  if (!is_by_hand) return "";
  const ledger::Receipt& receipt = *change.record.outcome;
  return fmt::format(" The balance of {} was {} after it.", account,
                     money_text(receipt.balance, receipt.currency));
}

// Of a no about cash that had moved already, what moved and who settles it; else "".
std::string sentence_of_moved_cash(const FoundChange& change, const ledger::Books& books) {
  const auto found = books.exceptions().find(change.record.ledger_seq);
  if (found == books.exceptions().end() || change.record.outcome) return "";
  const ledger::ExceptionEntry& exception = found->second;
  const ledger::Refusal& refusal = change.record.outcome.error();
  const std::string amount = exception.currency.is_set()
                                 ? money_text(exception.amount, exception.currency)
                                 : std::string("what was held");
  const bool has_lost_it = refusal.code == ledger::RefusalCode::hold_not_found;
  const std::string why =
      has_lost_it ? "this bank has lost the hold" : "this bank refused that: " + sentence(refusal);
  std::string moved;
  const ledger::Change& kind = change.record.operation.change;
  if (std::holds_alternative<ledger::Capture>(kind)) {
    moved = fmt::format("{} was paid at {}", amount, exception.terminal);
  } else if (std::holds_alternative<ledger::Suspend>(kind)) {
    moved = fmt::format("{} does not know what it paid of {}", exception.terminal, amount);
  } else if (const auto* const post = std::get_if<ledger::Post>(&kind)) {
    const bool is_out = post->kind == ledger::TransferKind::unload_cash;
    moved = fmt::format("{} was {} {}", amount, is_out ? "taken out of" : "put into",
                        exception.terminal);
  } else {
    return "";
  }
  const std::string end = has_lost_it ? ": " : " See ";
  return moved + (has_lost_it ? ", and " : ", but ") + why + end + "exception " +
         std::to_string(exception.ledger_seq) + (exception.resolved ? ", which is resolved." : ".");
}

}  // namespace

bool is_fence(const FoundChange& change) {
  return std::holds_alternative<ledger::Resolve>(change.record.operation.change);
}

std::optional<ledger::Refusal> refusal_of(const FoundChange& change) {
  const ledger::Outcome& outcome = change.record.outcome;
  if (!outcome) return outcome.error();
  const std::optional<ledger::RefusalCode> declined = ledger::why_declined(change.record);
  if (!declined) return std::nullopt;
  // That a wrong PIN was tried is written down, which is a yes to whoever asked for that.
  return ledger::Refusal{
      .code = *declined, .left_count = outcome->tries_left, .ledger_seq = outcome->ledger_seq};
}

const FoundChange* decisive(const std::vector<FoundChange>& found) {
  const FoundChange* done = nullptr;
  const FoundChange* refused = nullptr;
  const FoundChange* fence = nullptr;
  for (const FoundChange& change : found) {
    const ledger::Outcome& outcome = change.record.outcome;
    if (is_fence(change)) {
      fence = &change;
    } else if (outcome && outcome->hold_was_unknown) {
      continue;  // This void did nothing but fence its hold.
    } else if (refusal_of(change)) {
      refused = &change;
    } else {
      done = &change;
    }
  }
  if (done != nullptr) return done;
  return refused != nullptr ? refused : fence;
}

const FoundChange* main_change(const std::vector<FoundChange>& found) {
  const FoundChange* newest = nullptr;
  const FoundChange* paid = nullptr;
  for (const FoundChange& change : found) {
    if (!change.hold) continue;
    newest = &change;
    if (change.hold->state == HoldState::captured) paid = &change;
  }
  if (paid != nullptr) return paid;
  return newest != nullptr ? newest : decisive(found);
}

std::uint64_t transfer_of(const std::vector<FoundChange>& found) {
  std::uint64_t newest = 0;
  for (const FoundChange& change : found) {
    const ledger::Record& record = change.record;
    const ledger::Change& kind = record.operation.change;
    const bool moves = std::holds_alternative<ledger::Post>(kind) ||
                       std::holds_alternative<ledger::Adjust>(kind) ||
                       std::holds_alternative<ledger::Reverse>(kind);
    if (moves && record.outcome) newest = std::max(newest, record.ledger_seq);
    const bool is_paid = change.hold && change.hold->state == HoldState::captured &&
                         change.hold->captured > ledger::Cents{0};
    if (is_paid) newest = std::max(newest, change.hold->ended_seq);
  }
  return newest;
}

v1::ChangeView to_view(const FoundChange& change, const ledger::Books& books) {
  const ledger::Record& record = change.record;
  v1::ChangeView view;
  view.set_ledger_seq(record.ledger_seq);
  view.set_at_us(ledger::microseconds_of(record.at));
  view.set_kind(kind_of(record.operation.change));
  const std::optional<ledger::RefusalCode> declined = ledger::why_declined(record);
  view.set_outcome(declined ? std::string(ledger::name(*declined)) : "done");
  view.set_asked_by(record.operation.principal);
  view.set_account_id(account_of(change, books));
  fill_fields(view, record.operation.change);
  view.set_id(bytes_of(record.operation.id));
  if (const ledger::ReceiptId receipt = ledger::receipt_of(record.operation.change)) {
    view.set_receipt_id(bytes_of(*receipt));
  }
  if (!change.hold) return view;
  const ledger::Currency currency = books.account(change.hold->account).currency;
  const v1::HoldView hold = to_view(*change.hold, currency);
  view.set_hold_state(hold.state());
  *view.mutable_paid() = hold.captured();
  return view;
}

std::string summary_of(const std::vector<FoundChange>& found, const ledger::Books& books) {
  for (const FoundChange& change : found) {
    if (change.hold) return sentence_of_hold(*change.hold, books);
  }
  const FoundChange* const told = decisive(found);
  if (told == nullptr) {
    return "The bank has never seen this id. `bankctl atm declined` lists what an ATM declined by "
           "itself.";
  }
  if (is_fence(*told)) {
    return "The bank had never seen this id when it was fenced: no change with it, and no "
           "withdrawal with it on its receipt, was done or ever will be. A deposit with it on its "
           "receipt, whose notes are inside an ATM, is credited all the same when the ATM tells of "
           "it; `bankctl atm items` lists what the ATM has yet to tell.";
  }
  const ledger::Change& kind = told->record.operation.change;
  const std::string asked = what_was_asked(kind);
  if (const std::optional<ledger::Refusal> no = refusal_of(*told)) {
    std::string of_cash = sentence_of_moved_cash(*told, books);
    if (!of_cash.empty()) return of_cash;
    return "It was declined: " + sentence(*no) + (asked.empty() ? "" : " It was " + asked + ".");
  }
  const v1::ChangeView view = to_view(*told, books);
  if (!view.has_amount()) return asked.empty() ? "It was done." : "It was done: " + asked + ".";
  const ledger::Money amount{ledger::Cents{view.amount().minor_units()},
                             *ledger::Currency::parse(view.amount().currency())};
  const auto* const reverse = std::get_if<ledger::Reverse>(&kind);
  const std::string back =
      reverse == nullptr ? "" : fmt::format(", taking back {}", reverse->transfer_seq);
  return fmt::format("It was done: {} of {}{}{}.{}", view.kind(), ledger::to_text(amount),
                     accounts_of(*told, view.account_id()), back,
                     balance_after(*told, view.account_id()));
}

}  // namespace bank
