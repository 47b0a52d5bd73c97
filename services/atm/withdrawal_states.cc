// The transitions of a withdrawal: what each writes down, and what it tells the customer.
#include <utility>

#include "atm/described.h"
#include "atm/messages.h"
#include "atm/withdrawals.h"

namespace atm {

namespace wire = ::bank::v1;

void Withdrawals::enter(const WithdrawalItem& item, WithdrawalState state) const {
  item->record.state = state;
  if (!machinery_.log.writes(ops::LogLevel::debug)) return;
  machinery_.log.debug("withdrawal", {{"withdrawal", item->record.id.text()},
                                      {"state", name(state)},
                                      {"amount_minor_units", item->record.amount.value},
                                      {"trace", item->trace.id_text()}});
}

Task<> Withdrawals::to_requested(WithdrawalItem item) {
  enter(item, WithdrawalState::requested);
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
}

Task<> Withdrawals::to_declined(WithdrawalItem item, v1::Decline why) {
  enter(item, WithdrawalState::declined);
  ++item->terminal.today().declined;
  v1::WithdrawResponse response;
  *response.mutable_decline() = std::move(why);
  item->record.answer = stored(response);
  co_await machinery_.journal.commit(
      item->terminal.entry(item->record, response.decline().message()));
  item->answered.set();
}

void Withdrawals::to_held(const WithdrawalItem& item, const wire::Receipt& receipt) {
  enter(item, WithdrawalState::held);
  item->record.hold_seq = receipt.ledger_seq();
  item->record.balance_told = receipt.has_balance();
  item->record.balance = Cents{receipt.balance().balance().minor_units()};
  item->record.available = Cents{receipt.balance().available().minor_units()};
  // It is given up or begins to dispense at once, and either writes the record down.
  machinery_.journal.note(item->terminal.passing(item->record));
}

Task<> Withdrawals::to_dispensing(WithdrawalItem item) {
  enter(item, WithdrawalState::dispensing);
  item->waiting_for = "the ATM to write down that notes are to move";
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
}

Task<> Withdrawals::to_dispensed(WithdrawalItem item, Dispensed dispensed,
                                 std::optional<v1::Decline> why_nothing) {
  Withdrawal& withdrawal = item->record;
  enter(item, WithdrawalState::dispensed);
  withdrawal.presented = std::move(dispensed.presented);
  withdrawal.rejected = std::move(dispensed.rejected);
  item->terminal.stock().dispense(withdrawal.presented, withdrawal.rejected);
  item->terminal.know_notes_of(withdrawal.id);
  v1::WithdrawResponse response;
  if (withdrawal.presented.empty()) {
    const v1::Decline fault =
        decline(v1::DECLINE_CODE_DISPENSER_FAULT, "No note was presented; nothing is debited.");
    *response.mutable_decline() = why_nothing.value_or(fault);
    ++item->terminal.today().declined;
  } else {
    *response.mutable_withdrawn() = withdrawn(withdrawal);
    DayTotals& today = item->terminal.today();
    ++today.withdrawals;
    today.withdrawn += notes_of(withdrawal.presented).amount();
  }
  withdrawal.answer = stored(response);
  co_await machinery_.journal.commit(
      item->terminal.entry(withdrawal, encoded(withdrawal.presented)));
  if (!withdrawal.rejected.empty()) log_reject(*item);
  item->answered.set();
}

void Withdrawals::log_reject(const Item<Withdrawal>& item) const {
  const Currency currency = machinery_.settings.currency;
  machinery_.log.warn("the dispenser rejected notes",
                      {{"terminal", item.terminal.id()},
                       {"withdrawal", item.record.id.text()},
                       {"rejected", notes_of(item.record.rejected).text(currency)},
                       {"presented", notes_of(item.record.presented).text(currency)}});
}

Task<> Withdrawals::to_suspense(WithdrawalItem item, std::string evidence) {
  Withdrawal& withdrawal = item->record;
  enter(item, WithdrawalState::suspense);
  withdrawal.evidence = "Terminal " + withdrawal.terminal + ", withdrawal " + withdrawal.id.text() +
                        " (" + described(withdrawal, machinery_.settings.currency) +
                        "): " + evidence + "; planned were " +
                        notes_of(withdrawal.plan).text(machinery_.settings.currency) + ".";
  item->terminal.stock().lose_track(withdrawal.plan);
  item->terminal.look_for_notes_of(withdrawal.id);
  ++item->terminal.today().suspense;
  withdrawal.answer = stored(suspense(
      withdrawal,
      "The ATM cannot tell what you got. The amount stays reserved until the bank has decided."));
  co_await machinery_.journal.commit(item->terminal.entry(withdrawal, withdrawal.evidence));
  machinery_.log.warn("a withdrawal is in suspense", {{"terminal", item->terminal.id()},
                                                      {"withdrawal", withdrawal.id.text()},
                                                      {"evidence", withdrawal.evidence}});
  item->answered.set();
}

v1::WithdrawResponse Withdrawals::suspense(const Withdrawal& withdrawal,
                                           std::string_view message) const {
  v1::WithdrawResponse response;
  v1::Suspense& suspense = *response.mutable_suspense();
  suspense.set_message(std::string(message));
  *suspense.mutable_amount() = to_wire(withdrawal.amount, machinery_.settings.currency);
  *suspense.mutable_bank() = bank_entry(withdrawal.hold_id, withdrawal.hold_seq);
  return response;
}

// An answer without a receipt, such as that the hold had ended before, has no number: that of what the
// bank was told before still says what a restored bank may lack.
void Withdrawals::remember_number(const WithdrawalItem& item, const wire::Receipt& receipt) {
  if (receipt.ledger_seq() == 0) return;
  item->record.ledger_seq = receipt.ledger_seq();
  item->record.told_in = machinery_.bank.history();
}

void Withdrawals::to_settled(const WithdrawalItem& item, const wire::Receipt& receipt) {
  enter(item, WithdrawalState::settled);
  remember_number(item, receipt);
  note(item);
}

void Withdrawals::to_voided(const WithdrawalItem& item, const wire::Receipt& receipt) {
  enter(item, WithdrawalState::voided);
  remember_number(item, receipt);
  note(item);
}

Task<> Withdrawals::to_decided(WithdrawalItem item, Cents captured) {
  Withdrawal& withdrawal = item->record;
  // The dispenser may answer by now: notes that it never took are in their cassettes.
  const Told<Dispensed> told = co_await item->terminal.dispenser().presented(withdrawal.id);
  const bool never_taken = withdrawal.dispensed_before || (told && !told->acted);
  if (captured > Cents{0}) {
    std::vector<Cassette> unknown;
    for (const Pick& pick : withdrawal.plan) {
      unknown.push_back({pick.position, pick.denomination, pick.count});
    }
    std::expected<Picks, NearestAmounts> paid = plan_mix(unknown, captured);
    // The audit names the difference between what was decided and what these notes can make.
    if (!paid) paid = plan_mix(unknown, paid.error().front());
    withdrawal.decided = notes_of(*paid);
    DayTotals& today = item->terminal.today();
    ++today.withdrawals;
    today.withdrawn += withdrawal.decided.amount();
  }
  item->terminal.stock().decide(withdrawal.plan, withdrawal.decided, never_taken);
  enter(item, captured > Cents{0} ? WithdrawalState::settled : WithdrawalState::voided);
  co_await machinery_.journal.commit(item->terminal.entry(withdrawal, "decided"));
}

void Withdrawals::give_up(const WithdrawalItem& item, v1::Decline why) {
  ++item->terminal.today().declined;
  v1::WithdrawResponse response;
  *response.mutable_decline() = std::move(why);
  answer(item, response);
  note(item, "given up: " + response.decline().message());
}

void Withdrawals::to_exception(const WithdrawalItem& item, const wire::Refusal& refusal,
                               std::string_view more) {
  item->record.exception = refused_by_bank(refusal) + std::string(more);
  machinery_.log.error("a withdrawal ended as an exception",
                       {{"withdrawal", item->record.id.text()},
                        {"was", described(item->record, machinery_.settings.currency)},
                        {"state", name(item->record.state)},
                        {"why", item->record.exception}});
  note(item, item->record.exception);
}

void Withdrawals::to_debited_all_the_same(const WithdrawalItem& item,
                                          const wire::Refusal& refusal) {
  answer(item, suspense(item->record,
                        "The bank has debited this, and the ATM knows of no payment. Your bank's "
                        "operator has to say what became of it."));
  to_exception(item, refusal,
               "; the ATM paid nothing, by its journal, which may have lost its end");
}

void Withdrawals::answer(const WithdrawalItem& item, const v1::WithdrawResponse& response) {
  item->record.answer = stored(response);
  item->answered.set();
}

void Withdrawals::note(const WithdrawalItem& item, std::string detail) {
  machinery_.journal.note(item->terminal.entry(item->record, std::move(detail)));
}

v1::Withdrawn Withdrawals::withdrawn(const Withdrawal& withdrawal) const {
  const Notes notes = notes_of(withdrawal.presented);
  v1::Withdrawn paid;
  *paid.mutable_amount() = to_wire(notes.amount(), machinery_.settings.currency);
  *paid.mutable_notes() = to_wire(notes, machinery_.settings.currency);
  *paid.mutable_bank() = bank_entry(withdrawal.hold_id, withdrawal.hold_seq);
  if (withdrawal.balance_told && notes.amount() == withdrawal.amount) {
    *paid.mutable_balance() =
        to_wire(withdrawal.balance, withdrawal.available, machinery_.settings.currency);
  }
  return paid;
}

v1::WithdrawResponse Withdrawals::first_answer(const Item<Withdrawal>& item) const {
  return from_stored<v1::WithdrawResponse>(item.record.answer);
}

v1::ResolveResponse Withdrawals::outcome(const Item<Withdrawal>& item) const {
  const Withdrawal& withdrawal = item.record;
  v1::ResolveResponse response;
  if (!item.answered.is_set()) {
    response.mutable_pending()->set_message("The withdrawal is under way, waiting for " +
                                            item.waiting_for + ".");
    return response;
  }
  v1::WithdrawResponse first = first_answer(item);
  if (first.has_suspense() && withdrawal.state == WithdrawalState::settled) {
    v1::Withdrawn& paid = *response.mutable_withdrawn();
    *paid.mutable_amount() = to_wire(withdrawal.decided.amount(), machinery_.settings.currency);
    *paid.mutable_notes() = to_wire(withdrawal.decided, machinery_.settings.currency);
    *paid.mutable_bank() = bank_entry(withdrawal.hold_id, withdrawal.hold_seq);
  } else if (first.has_suspense() && withdrawal.state == WithdrawalState::voided) {
    *response.mutable_declined() =
        decline(v1::DECLINE_CODE_DISPENSER_FAULT, "The bank decided that nothing was paid.");
  } else if (first.has_suspense()) {
    *response.mutable_suspense() = std::move(*first.mutable_suspense());
  } else if (first.has_withdrawn()) {
    *response.mutable_withdrawn() = std::move(*first.mutable_withdrawn());
  } else {
    async::check(first.has_decline(), "a withdrawal that was not paid was declined");
    *response.mutable_declined() = std::move(*first.mutable_decline());
  }
  return response;
}

}  // namespace atm
