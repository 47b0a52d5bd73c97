#include "bank/messages.h"

#include <algorithm>
#include <limits>
#include <string>

#include "async/check.h"
#include "bank/sentences.h"
#include "ops/log.h"

namespace bank {
namespace {

// The ledger's numbers and the wire's are the same, for ever.
template <typename Wire, typename Own>
Wire same_number(Own own) {
  return static_cast<Wire>(static_cast<int>(own));
}

static_assert(v1::HOLD_STATE_HELD == static_cast<int>(ledger::HoldState::held));
static_assert(v1::HOLD_STATE_VOIDED == static_cast<int>(ledger::HoldState::voided));
static_assert(v1::ACCOUNT_KIND_EQUITY == static_cast<int>(ledger::AccountKind::equity));
static_assert(v1::CARD_STATE_REPLACED == static_cast<int>(ledger::CardState::replaced));
static_assert(v1::EXCEPTION_KIND_REFUSED_CASH ==
              static_cast<int>(ledger::ExceptionKind::refused_cash));
static_assert(v1::REFUSAL_CODE_MALFORMED == static_cast<int>(ledger::RefusalCode::malformed));
static_assert(v1::REFUSAL_CODE_PIN_TRIES_EXCEEDED ==
              static_cast<int>(ledger::RefusalCode::pin_tries_exceeded));

// A terminal that claims to hold more cash than can be counted has all that can be.
ledger::Cents cash_inside(const ledger::Account& cash_account) {
  const auto inside = ledger::minus(ledger::Cents{0}, cash_account.balance);
  return inside.value_or(ledger::Cents{std::numeric_limits<std::int64_t>::max()});
}

// It is 0, or the books are wrong; what two of the three add up to need not fit.
ledger::Cents sum_of(const ledger::Totals& totals) {
  const auto bits = [](ledger::Cents cents) { return static_cast<std::uint64_t>(cents.value); };
  const std::uint64_t sum = bits(totals.customers) + bits(totals.cash) + bits(totals.equity);
  return ledger::Cents{static_cast<std::int64_t>(sum)};
}

}  // namespace

const ledger::Account& account_of(const ledger::Books& books, std::string_view card_number) {
  const ledger::Card* const card = books.find_card(card_number);
  async::check(card != nullptr, "a card that was proven exists");
  return books.account(card->account);
}

std::string shown_card(std::string_view name) {
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  const auto digits = static_cast<std::size_t>(std::ranges::count_if(name, is_digit));
  return digits < ledger::card_digits_min ? std::string(name) : ops::mask_card(name);
}

v1::Money cash_in(const ledger::Account& cash_account) {
  return to_money(cash_inside(cash_account), cash_account.currency);
}

void fill(v1::Money& money, ledger::Cents amount, ledger::Currency currency) {
  money.set_minor_units(amount.value);
  money.set_currency(currency.text());
}

v1::Money to_money(ledger::Cents amount, ledger::Currency currency) {
  v1::Money money;
  fill(money, amount, currency);
  return money;
}

v1::Refusal to_message(const ledger::Refusal& refusal) {
  v1::Refusal message;
  message.set_code(same_number<v1::RefusalCode>(refusal.code));
  message.set_message(sentence(refusal));
  if (!refusal.field.empty()) message.set_field(std::string(refusal.field));
  if (refusal.left)
    *message.mutable_left() = to_money(refusal.left->amount, refusal.left->currency);
  if (refusal.left_count) message.set_left_count(*refusal.left_count);
  message.set_ledger_seq(refusal.ledger_seq);
  return message;
}

v1::ChangePinResponse unsuitable_pin(std::string_view sentence) {
  v1::ChangePinResponse response;
  response.mutable_refusal()->set_code(v1::REFUSAL_CODE_PIN_UNSUITABLE);
  response.mutable_refusal()->set_message(std::string(sentence));
  return response;
}

void fill(v1::Balance& balance, const ledger::Account& account) {
  fill(*balance.mutable_balance(), account.balance, account.currency);
  fill(*balance.mutable_available(), account.available(), account.currency);
}

void fill(v1::Receipt& message, const ledger::Receipt& receipt) {
  message.set_ledger_seq(receipt.ledger_seq);
  message.set_replayed(receipt.replayed);
  if (!receipt.currency.is_set()) return message.clear_balance();
  v1::Balance& balance = *message.mutable_balance();
  fill(*balance.mutable_balance(), receipt.balance, receipt.currency);
  fill(*balance.mutable_available(), receipt.available, receipt.currency);
}

v1::Done to_done(const ledger::Receipt& receipt) {
  v1::Done done;
  done.set_ledger_seq(receipt.ledger_seq);
  done.set_replayed(receipt.replayed);
  return done;
}

v1::HoldView to_view(const ledger::HoldEntry& hold, ledger::Currency currency) {
  v1::HoldView view;
  view.set_state(same_number<v1::HoldState>(hold.state));
  *view.mutable_amount() = to_money(hold.amount, currency);
  *view.mutable_captured() = to_money(hold.captured, currency);
  return view;
}

v1::Account to_message(const ledger::Account& account) {
  v1::Account message;
  message.set_account_id(account.id());
  message.set_kind(same_number<v1::AccountKind>(account.kind));
  message.set_name(account.customer_name());
  *message.mutable_balance() = to_money(account.balance, account.currency);
  *message.mutable_held() = to_money(account.held, account.currency);
  *message.mutable_available() = to_money(account.available(), account.currency);
  *message.mutable_overdraft() = to_money(account.overdraft, account.currency);
  message.set_frozen(account.frozen);
  message.set_closed(account.closed);
  return message;
}

v1::Terminal to_message(const ledger::Terminal& terminal, const ledger::Account& cash_account) {
  v1::Terminal message;
  message.set_terminal_id(terminal.id);
  message.set_cash_account_id(cash_account.id());
  message.set_in_service(terminal.in_service);
  *message.mutable_cash() = cash_in(cash_account);
  return message;
}

v1::Card to_message(const ledger::Card& card, const ledger::Account& account) {
  v1::Card message;
  message.set_card_id(ledger::card_id(card.number));
  message.set_masked_number(ops::mask_card(card.card));
  message.set_account_id(account.id());
  message.set_state(same_number<v1::CardState>(card.state));
  v1::CardLimits& limits = *message.mutable_limits();
  *limits.mutable_withdrawal_max() = to_money(card.limits.withdrawal_max, account.currency);
  *limits.mutable_daily_amount_max() = to_money(card.limits.daily_amount_max, account.currency);
  limits.set_daily_count_max(card.limits.daily_count_max);
  message.set_pin_tries_left(card.pin_tries_left());
  return message;
}

v1::OpenHold to_message(const ledger::HoldEntry& hold, const ledger::Books& books) {
  const ledger::Account& account = books.account(hold.account);
  v1::OpenHold message;
  message.set_hold_id(std::string(hold.id.view()));
  message.set_account_id(account.id());
  message.set_terminal_id(books.terminal(hold.terminal).id);
  *message.mutable_amount() = to_money(hold.amount, account.currency);
  message.set_state(same_number<v1::HoldState>(hold.state));
  message.set_made_at_us(ledger::microseconds_of(hold.made_at));
  // One that is suspended stays until the operator has decided (rule 9).
  const bool expires = hold.state != ledger::HoldState::suspended;
  if (expires) message.set_expires_at_us(ledger::microseconds_of(hold.expires_at));
  message.set_receipt_id(bytes_of(hold.receipt));
  return message;
}

v1::ExceptionView to_message(const ledger::ExceptionEntry& exception) {
  v1::ExceptionView message;
  message.set_exception_seq(exception.ledger_seq);
  message.set_kind(same_number<v1::ExceptionKind>(exception.kind));
  message.set_at_us(ledger::microseconds_of(exception.at));
  message.set_account_id(exception.account);
  message.set_terminal_id(exception.terminal);
  message.set_hold_id(bytes_of(exception.hold));
  if (exception.currency.is_set()) {
    *message.mutable_amount() = to_money(exception.amount, exception.currency);
  }
  message.set_evidence(exception.evidence);
  message.set_resolved(exception.resolved);
  message.set_resolution(exception.resolution);
  message.set_receipt_id(bytes_of(exception.receipt));
  return message;
}

v1::TrialBalance to_message(const ledger::Totals& totals) {
  v1::TrialBalance message;
  *message.mutable_customers() = to_money(totals.customers, totals.currency);
  *message.mutable_cash() = to_money(totals.cash, totals.currency);
  *message.mutable_equity() = to_money(totals.equity, totals.currency);
  *message.mutable_sum() = to_money(sum_of(totals), totals.currency);
  *message.mutable_held() = to_money(totals.held, totals.currency);
  return message;
}

v1::TransferView to_message(const ledger::Transfer& transfer, const ledger::Books& books) {
  v1::TransferView message;
  message.set_ledger_seq(transfer.ledger_seq);
  message.set_at_us(ledger::microseconds_of(transfer.at));
  message.set_id(std::string(transfer.id.view()));
  message.set_kind(std::string(ledger::name(transfer.kind)));
  message.set_source_account_id(books.account(transfer.source).id());
  message.set_target_account_id(books.account(transfer.target).id());
  *message.mutable_amount() = to_money(transfer.amount, transfer.currency);
  message.set_terminal_id(transfer.terminal);
  message.set_reason(transfer.reason);
  message.set_receipt_id(bytes_of(transfer.receipt));
  message.set_reverses_seq(transfer.reverses);
  message.set_reversed_by_seq(books.reversed_by(transfer.ledger_seq));
  return message;
}

v1::StatementEntry to_entry(const ledger::Transfer& transfer, ledger::AccountNumber account,
                            const ledger::Books& books) {
  const bool goes_out = transfer.source == account;
  v1::StatementEntry entry;
  entry.set_ledger_seq(transfer.ledger_seq);
  entry.set_at_us(ledger::microseconds_of(transfer.at));
  entry.set_kind(std::string(ledger::name(transfer.kind)));
  entry.set_counterparty(books.account(goes_out ? transfer.target : transfer.source).id());
  *entry.mutable_amount() =
      to_money(goes_out ? -transfer.amount : transfer.amount, transfer.currency);
  *entry.mutable_balance_after() =
      to_money(goes_out ? transfer.source_balance : transfer.target_balance, transfer.currency);
  entry.set_reason(transfer.reason);
  entry.set_id(bytes_of(transfer.id));
  entry.set_receipt_id(bytes_of(transfer.receipt));
  entry.set_reverses_seq(transfer.reverses);
  return entry;
}

}  // namespace bank
