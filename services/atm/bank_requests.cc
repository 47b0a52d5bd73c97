#include "atm/bank_requests.h"

#include "atm/described.h"
#include "atm/messages.h"
#include "atm/mix.h"
#include "ledger/planned_notes.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

template <typename Request>
Request about_hold(const Withdrawal& withdrawal, const OperationId& id) {
  Request request;
  request.set_id(std::string(id.view()));
  request.set_terminal_id(withdrawal.terminal);
  request.set_hold_id(std::string(withdrawal.hold_id.view()));
  return request;
}

}  // namespace

wire::CaptureRequest capture_of(const Withdrawal& withdrawal, Currency currency) {
  auto request = about_hold<wire::CaptureRequest>(withdrawal, withdrawal.capture_id);
  *request.mutable_amount() = to_wire(notes_of(withdrawal.presented).amount(), currency);
  request.set_card_number(withdrawal.card);
  request.set_receipt_id(std::string(withdrawal.id.view()));
  request.set_evidence("withdrawal " + withdrawal.id.text() + ", " +
                       described(withdrawal, currency));
  return request;
}

// What was planned of any dispense the bank takes: it is never malformed.
static_assert(cassettes_max <= ledger::planned_kinds_max);
static_assert(notes_per_dispense_max <= ledger::planned_notes_max);
static_assert(units_max <= ledger::planned_units_max);

wire::SuspendRequest suspend_of(const Withdrawal& withdrawal, Currency currency) {
  const bool late = withdrawal.dispenser_answered;
  auto request = about_hold<wire::SuspendRequest>(
      withdrawal, late ? withdrawal.late_suspend_id : withdrawal.suspend_id);
  request.set_card_number(withdrawal.card);
  request.set_receipt_id(std::string(withdrawal.id.view()));
  request.set_evidence(withdrawal.evidence);
  *request.mutable_amount() = to_wire(withdrawal.amount, currency);
  // What the dispenser did for this id before was planned by a journal that is gone: no note of this
  // plan is in question, and which are nobody knows.
  if (withdrawal.dispensed_before) return request;
  for (const Notes::Entry& notes : notes_of(withdrawal.plan)) {
    wire::PlannedNotes& planned = *request.add_planned();
    *planned.mutable_denomination() = to_wire(notes.denomination, currency);
    planned.set_count(static_cast<std::uint32_t>(notes.count));
  }
  return request;
}

wire::VoidRequest void_of(const Withdrawal& withdrawal) {
  return about_hold<wire::VoidRequest>(withdrawal, withdrawal.void_id);
}

wire::DepositRequest deposit_of(const Deposit& deposit, bool kept, Currency currency) {
  wire::DepositRequest request;
  request.set_id(std::string(deposit.post_id.view()));
  request.set_terminal_id(deposit.terminal);
  request.set_card_number(deposit.card);
  *request.mutable_amount() = to_wire(deposit.counted.amount(), currency);
  request.set_receipt_id(std::string(deposit.id.view()));
  request.set_kept(kept);
  return request;
}

}  // namespace atm
