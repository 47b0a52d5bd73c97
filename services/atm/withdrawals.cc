#include "atm/withdrawals.h"

#include <utility>

#include "atm/bank_requests.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

// The bank never began to decide.
v1::Decline why_no_hold(const rpc::Status& status) {
  if (status.code == rpc::StatusCode::unauthenticated) {
    return decline(v1::DECLINE_CODE_NO_SESSION, "The session is over; please insert your card.");
  }
  return undecided_by_bank(v1::DECLINE_CODE_OUT_OF_SERVICE, status, "The bank cannot be reached.");
}

}  // namespace

WithdrawalItem Withdrawals::begin(Terminal& terminal, Withdrawal withdrawal, std::string token,
                                  rpc::Context customer) {
  withdrawal.terminal = terminal.id();
  withdrawal.requested_at_us = machinery_.now_us();
  withdrawal.hold_id = machinery_.make_id();
  withdrawal.capture_id = machinery_.make_id();
  withdrawal.void_id = machinery_.make_id();
  withdrawal.suspend_id = machinery_.make_id();
  withdrawal.late_suspend_id = machinery_.make_id();
  withdrawal.time_to_live_ms = machinery_.settings.hold_time_to_live.count();
  WithdrawalItem item = items_.add(terminal, std::move(withdrawal));
  item->trace = customer.trace;
  terminal.set_busy(true);
  Customer before_us{.token = std::move(token), .context = std::move(customer)};
  terminal.work().spawn(serve(item, std::move(before_us)));
  return item;
}

Task<> Withdrawals::serve(WithdrawalItem item, Customer customer) {
  co_await pay(item, std::move(customer));
  item->terminal.set_busy(false);
  machinery_.queue.spawn(settle(item));
}

Task<> Withdrawals::pay(WithdrawalItem item, Customer customer) {
  co_await to_requested(item);

  customer.hold_sent_at = machinery_.boot_clock.now();
  const rpc::Reply<wire::HoldResponse> held = co_await hold(item, customer);
  if (!held) {
    if (held.error().outcome() == rpc::Outcome::no) {
      v1::Decline never_asked = why_no_hold(held.error());
      co_return co_await to_declined(item, std::move(never_asked));
    }
    v1::Decline why = undecided_by_bank(v1::DECLINE_CODE_BANK_SILENT, held.error(),
                                        "The bank did not answer in time; nothing is debited.");
    co_return give_up(item, std::move(why));
  }
  if (held->has_refusal()) {
    v1::Decline refused = decline_by_bank(held->refusal());
    co_return co_await to_declined(item, std::move(refused));
  }
  to_held(item, held->receipt());
  if (auto why = why_not_dispense(customer)) co_return give_up(item, *std::move(why));

  co_await to_dispensing(item);
  if (auto why = why_not_dispense(customer)) {
    co_return co_await to_dispensed(item, Dispensed(), std::move(why));
  }
  item->waiting_for = "the dispenser";
  const Told<Dispensed> told =
      co_await item->terminal.dispenser().dispense(item->record.id, item->record.plan);
  if (!told) co_return co_await ask_dispenser(item);
  if (told->was_done_before) {
    item->record.dispensed_before = true;
    co_return co_await to_suspense(item, done_before(*told));
  }
  if (!told->sure) {
    co_return co_await to_suspense(item, "the dispenser cannot say what it presented");
  }
  co_await to_dispensed(item, *told);
}

Task<rpc::Reply<wire::HoldResponse>> Withdrawals::hold(WithdrawalItem item, Customer customer) {
  const Withdrawal& withdrawal = item->record;
  wire::HoldRequest request;
  request.set_id(std::string(withdrawal.hold_id.view()));
  request.set_terminal_id(withdrawal.terminal);
  request.set_card_number(withdrawal.card);
  request.set_token(customer.token);
  *request.mutable_amount() = to_wire(withdrawal.amount, machinery_.settings.currency);
  request.set_time_to_live_ms(static_cast<std::uint32_t>(withdrawal.time_to_live_ms));
  request.set_receipt_id(std::string(withdrawal.id.view()));
  item->waiting_for = "the bank to hold the money";
  // The customer going away does not end this wait: the answer tells whether there is a hold.
  rpc::Context until(machinery_.before(customer.context.deadline), customer.context.trace);
  return machinery_.bank.try_call(bank_methods::hold, std::move(request), std::move(until));
}

std::optional<v1::Decline> Withdrawals::why_not_dispense(const Customer& customer) const {
  if (customer.context.is_abandoned()) {
    return decline(v1::DECLINE_CODE_CANCELLED, "The customer went away; nothing was paid.");
  }
  if (customer.context.deadline.has_passed(machinery_.loop.now())) {
    return decline(v1::DECLINE_CODE_CANCELLED, "The time was over; nothing was paid.");
  }
  const std::chrono::nanoseconds age = machinery_.boot_clock.now() - customer.hold_sent_at;
  if (age * 2 > machinery_.settings.hold_time_to_live) {
    return decline(v1::DECLINE_CODE_BANK_SILENT, "The bank took too long; nothing was paid.");
  }
  return std::nullopt;
}

Task<> Withdrawals::recover(Terminal& terminal, Withdrawal withdrawal) {
  WithdrawalItem item = items_.add(terminal, std::move(withdrawal));
  if (!item->record.answer.bytes.empty()) item->answered.set();
  const WithdrawalState state = item->record.state;
  const bool has_begun = state == WithdrawalState::requested || state == WithdrawalState::held;
  if (has_begun && !item->answered.is_set()) {
    co_await ask_whether_it_acted(item);
  } else if (state == WithdrawalState::dispensing) {
    terminal.look_for_notes_of(item->record.id);
    const Told<Dispensed> told = co_await terminal.dispenser().presented(item->record.id);
    if (told && told->sure) co_await to_dispensed(item, *told);
  }
  machinery_.queue.spawn(settle(item));
}

void Withdrawals::go_on(Terminal& terminal, Withdrawal withdrawal) {
  WithdrawalItem item = items_.reopen(terminal, std::move(withdrawal));
  machinery_.queue.spawn(settle(item));
}

// Rule 17: one step after the other until the item has ended. Items are independent: each has this
// coroutine of its own.
Task<> Withdrawals::settle(WithdrawalItem item) {
  while (item->record.is_open()) {
    switch (item->record.state) {
      case WithdrawalState::requested:
      case WithdrawalState::held:
        co_await end_unpaid(item);
        break;
      case WithdrawalState::dispensing:
        co_await ask_dispenser(item);
        break;
      case WithdrawalState::dispensed:
        if (item->record.presented.empty()) {
          co_await void_hold(item);
        } else {
          co_await capture(item);
        }
        break;
      case WithdrawalState::suspense:
        if (!item->record.told_bank) co_await suspend(item);
        if (item->record.is_open()) co_await await_decision(item);
        break;
      case WithdrawalState::settled:
      case WithdrawalState::declined:
      case WithdrawalState::voided:
        break;
    }
  }
  items_.ended(item);
}

Task<> Withdrawals::ask_dispenser(WithdrawalItem item) {
  item->waiting_for = "the dispenser to say what it presented";
  const async::Deadline patience = machinery_.loop.in(machinery_.settings.device_patience);
  while (true) {
    Told<Dispensed> told = co_await item->terminal.dispenser().presented(item->record.id);
    if (told && told->sure) co_return co_await to_dispensed(item, *std::move(told));
    if (told) {
      co_return co_await to_suspense(item, "the dispenser cannot say what it presented");
    }
    if (patience.has_passed(machinery_.loop.now())) {
      co_return co_await to_suspense(item, told.error().why);
    }
    co_await machinery_.loop.sleep_for(machinery_.settings.device_retry);
  }
}

Task<> Withdrawals::end_unpaid(WithdrawalItem item) {
  if (item->answered.is_set()) co_return co_await void_hold(item);
  const bool has_said = co_await ask_whether_it_acted(item);
  if (!has_said) co_await machinery_.loop.sleep_for(machinery_.settings.device_retry);
}

Task<bool> Withdrawals::ask_whether_it_acted(WithdrawalItem item) {
  item->waiting_for = "the dispenser to say whether it paid before the ATM's restart";
  const Told<Dispensed> told = co_await item->terminal.dispenser().presented(item->record.id);
  if (!told) co_return false;
  if (told->acted) {
    item->record.dispenser_answered = told->sure;
    co_await to_suspense(item, done_since(*told));
    if (told->sure) item->terminal.know_notes_of(item->record.id);
    co_return true;
  }
  give_up(item,
          decline(v1::DECLINE_CODE_CANCELLED, "The ATM was restarted before anything was paid."));
  co_return true;
}

Task<> Withdrawals::capture(WithdrawalItem item) {
  wire::CaptureRequest request = capture_of(item->record, machinery_.settings.currency);
  item->waiting_for = "the bank to capture what was presented";
  const wire::CaptureResponse response = co_await machinery_.bank.until_answered(
      bank_methods::capture, std::move(request), item->trace);
  if (response.has_refusal()) {
    machinery_.bank.remember_no(item->record, response.refusal());
    co_return to_exception(item, response.refusal());
  }
  to_settled(item, response.receipt());
}

Task<> Withdrawals::void_hold(WithdrawalItem item) {
  wire::VoidRequest request = void_of(item->record);
  item->waiting_for = "the bank to release the hold";
  const wire::VoidResponse response = co_await machinery_.bank.until_answered(
      bank_methods::void_hold, std::move(request), item->trace);
  const wire::RefusalCode code = response.refusal().code();
  if (response.has_refusal() && code != wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED) {
    machinery_.bank.remember_no(item->record, response.refusal());
    const bool debited = code == wire::REFUSAL_CODE_HOLD_ALREADY_CAPTURED;
    if (debited) co_return to_debited_all_the_same(item, response.refusal());
    co_return to_exception(item, response.refusal());
  }
  to_voided(item, response.receipt());
}

Task<> Withdrawals::suspend(WithdrawalItem item) {
  wire::SuspendRequest request = suspend_of(item->record, machinery_.settings.currency);
  item->waiting_for = "the bank to keep the money reserved";
  const wire::SuspendResponse response = co_await machinery_.bank.until_answered(
      bank_methods::suspend, std::move(request), item->trace);
  const wire::RefusalCode code = response.refusal().code();
  const bool decided = code == wire::REFUSAL_CODE_HOLD_ALREADY_CAPTURED ||
                       code == wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED;
  if (response.has_refusal()) machinery_.bank.remember_no(item->record, response.refusal());
  if (response.has_refusal() && !decided) co_return to_exception(item, response.refusal());
  item->record.told_bank = true;
  remember_number(item, response.receipt());
  note(item, "told the bank");
}

std::string Withdrawals::what_it_did(const Dispensed& told) const {
  const Currency currency = machinery_.settings.currency;
  return "presented " + notes_of(told.presented).text(currency) + " and rejected " +
         notes_of(told.rejected).text(currency);
}

// The journal knew nothing of that: an old one was restored, or it was lost.
std::string Withdrawals::done_before(const Dispensed& told) const {
  std::string then = "cannot say what it presented then";
  if (told.sure) then = what_it_did(told) + " then";
  return "the dispenser had acted on this id before, of which this ATM's journal knows nothing; "
         "it " +
         then + ", and nothing now";
}

// It is not captured unasked: that may have been for an earlier sending of this id, of which the journal
// knows nothing either.
std::string Withdrawals::done_since(const Dispensed& told) const {
  std::string then = "cannot say what it presented";
  if (told.sure) then = what_it_did(told);
  return "the dispenser had acted on this id when the ATM was restarted, of which this ATM's "
         "journal "
         "knows nothing; it " +
         then;
}

// It decides nothing: the operator does, who reads it with the evidence.
Task<> Withdrawals::ask_dispenser_again(WithdrawalItem item) {
  Withdrawal& withdrawal = item->record;
  const Told<Dispensed> told = co_await item->terminal.dispenser().presented(withdrawal.id);
  if (!told || !told->sure) co_return;
  std::string answer = "it never took a note from its cassette";
  if (told->acted) answer = "it " + what_it_did(*told);
  withdrawal.evidence += " Since then the dispenser has answered: " + answer + ".";
  withdrawal.dispenser_answered = true;
  withdrawal.told_bank = false;
  item->terminal.know_notes_of(withdrawal.id);
  co_await machinery_.journal.commit(item->terminal.entry(withdrawal, answer));
}

// Done when it is decided, or when there is more to tell the bank.
Task<> Withdrawals::await_decision(WithdrawalItem item) {
  wire::GetHoldRequest request;
  request.set_terminal_id(item->record.terminal);
  request.set_hold_id(std::string(item->record.hold_id.view()));
  item->waiting_for = "the bank's operator to decide what was paid";
  while (true) {
    wire::GetHoldRequest question = request;
    const wire::GetHoldResponse response = co_await machinery_.bank.until_answered(
        bank_methods::get_hold, std::move(question), item->trace);
    // It was only asked: what it may lack it has still to be told.
    if (response.has_refusal()) co_return to_exception(item, response.refusal());
    const wire::HoldView& hold = response.hold();
    const bool captured = hold.state() == wire::HOLD_STATE_CAPTURED;
    const bool voided = hold.state() == wire::HOLD_STATE_VOIDED;
    const Cents paid{hold.captured().minor_units()};
    const bool is_of_this = hold.amount().minor_units() == item->record.amount.value;
    if (!is_of_this) {
      machinery_.log.error("the bank's answer is of another hold",
                           {{"withdrawal", item->record.id.text()}});
    }
    if (is_of_this && (captured || voided)) co_return co_await to_decided(item, paid);
    const bool may_tell_more = !item->record.dispenser_answered && !item->record.dispensed_before;
    if (may_tell_more) co_await ask_dispenser_again(item);
    if (!item->record.told_bank) co_return;
    Backoff jitter(machinery_.random, machinery_.settings.decision_poll,
                   machinery_.settings.decision_poll);
    co_await machinery_.loop.sleep_for(jitter.next());
  }
}

}  // namespace atm
