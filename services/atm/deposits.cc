#include "atm/deposits.h"

#include <utility>

#include "atm/bank_requests.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

// The notes are not in the acceptor.
bool is_out(Place place) { return place == Place::returned || place == Place::never_seen; }

}  // namespace

DepositItem Deposits::begin(Terminal& terminal, Deposit deposit, rpc::Context customer) {
  deposit.terminal = terminal.id();
  deposit.post_id = machinery_.make_id();
  deposit.second_post_id = machinery_.make_id();
  DepositItem item = items_.add(terminal, std::move(deposit));
  terminal.set_busy(true);
  terminal.work().spawn(serve(item, std::move(customer)));
  return item;
}

Task<> Deposits::serve(DepositItem item, rpc::Context customer) {
  co_await take(item, std::move(customer));
  item->terminal.set_busy(false);
  machinery_.queue.spawn(settle(item));
}

Task<> Deposits::take(DepositItem item, rpc::Context customer) {
  item->waiting_for = "the acceptor";
  Told<Accepted> told = std::unexpected(DeviceSilent{"it gives these notes back"});
  if (!is_on_its_way_out(*item)) {
    told = co_await item->terminal.acceptor().accept(item->record.id, item->record.put_in);
  }
  if (!told) {
    // A silent acceptor may have taken them in. What it does not say either now is written down, so that it is asked again.
    const Told<Accepted> back = co_await item->terminal.acceptor().give_back(item->record.id);
    if (!back || !is_out(back->place)) {
      co_await to_counted(item, item->record.put_in);
      co_return co_await to_suspense(item, "the acceptor does not say whether it took the notes");
    }
  }
  if (told && told->place == Place::kept) {
    // It kept them in a deposit of this id that the journal does not know, so an old journal was
    // restored, or it was lost. Whether the bank has credited them, its operator finds out.
    item->record.counted = told->notes;
    item->record.counted_at_us = machinery_.now_us();
    item->record.exception = "the acceptor had kept notes under this id before";
    co_await to_suspense(item, item->record.exception);
    co_return to_exception(item, item->record.evidence);
  }
  if (!told || told->place == Place::returned) {
    // Nothing is journalled: who asks again hears this answer until a restart, and then begins anew.
    item->record.state = DepositState::returned;
    answer_returned(item);
    co_return item->answered.set();
  }
  co_await to_counted(item, told->notes);
  if (!machinery_.bank.is_usable(item->record.terminal) || customer.is_abandoned()) {
    co_return co_await give_back(item);
  }

  co_await to_posting(item);
  Posted posted = co_await post_once(item, customer);
  if (posted == Posted::unknown) {
    rpc::Context until(machinery_.before(customer.deadline), customer.trace);
    posted = co_await resolve_once(item, std::move(until));
  }
  if (posted == Posted::yes) co_return co_await keep(item);
  if (posted == Posted::no) co_return co_await give_back(item);
  co_await to_kept_uncredited(item);
}

// Half of the customer's time is for the posting itself, the rest for finding out what became of it.
Task<Deposits::Posted> Deposits::post_once(DepositItem item, rpc::Context customer) {
  item->waiting_for = "the bank to credit the notes";
  async::Deadline until = machinery_.before(customer.deadline);
  if (!until.is_never()) {
    const async::Instant now = machinery_.loop.now();
    until = async::Deadline::at(now + until.left(now) / 2);
  }
  rpc::Context half(until, customer.trace);
  wire::DepositRequest request = deposit_of(item->record, false, machinery_.settings.currency);
  const rpc::Reply<wire::DepositResponse> reply =
      co_await machinery_.bank.try_call(bank_methods::deposit, std::move(request), std::move(half));
  if (!reply) {
    co_return reply.error().outcome() == rpc::Outcome::no ? Posted::no : Posted::unknown;
  }
  if (reply->has_receipt()) {
    to_credited(item, reply->receipt());
    co_return Posted::yes;
  }
  item->record.evidence = reply->refusal().message();
  co_return Posted::no;
}

Task<Deposits::Posted> Deposits::resolve_once(DepositItem item, rpc::Context until) {
  wire::ResolveRequest request;
  request.set_terminal_id(item->record.terminal);
  request.set_id(std::string(item->record.post_id.view()));
  const rpc::Reply<wire::ResolveResponse> reply = co_await machinery_.bank.try_call(
      bank_methods::resolve, std::move(request), std::move(until));
  if (!reply || reply->has_refusal()) co_return Posted::unknown;
  if (reply->has_executed()) {
    to_credited(item, reply->executed());
    co_return Posted::yes;
  }
  item->record.evidence =
      reply->has_refused() ? reply->refused().message() : "the bank did not answer in time";
  co_return Posted::no;
}

void Deposits::recover(Terminal& terminal, Deposit deposit) {
  DepositItem item = items_.add(terminal, std::move(deposit));
  if (!item->record.answer.bytes.empty()) item->answered.set();
  machinery_.queue.spawn(settle(item));
}

// Until the acceptor has said where these notes are, or that they are not in its escrow, a deposit of
// their id takes nothing in: one that is silent about giving them back may do so all the same.
Task<> Deposits::recover_escrow(Terminal& terminal) {
  while (true) {
    const Told<Acceptor::Inside> inside = co_await terminal.acceptor().count();
    if (inside && (!inside->escrow_id || is_of(terminal, *inside->escrow_id))) break;
    if (inside) {
      on_its_way_out_[terminal.id()] = *inside->escrow_id;
      const Told<Accepted> back = co_await terminal.acceptor().give_back(*inside->escrow_id);
      if (back && back->place == Place::returned) break;
    }
    co_await machinery_.loop.sleep_for(machinery_.settings.decision_poll);
  }
  on_its_way_out_.erase(terminal.id());
}

bool Deposits::is_on_its_way_out(const Item<Deposit>& item) const {
  const auto found = on_its_way_out_.find(item.terminal.id());
  return found != on_its_way_out_.end() && found->second == item.record.id;
}

bool Deposits::is_of(Terminal& terminal, const OperationId& id) {
  const DepositItem item = items_.find(id, terminal);
  return item != nullptr && item->record.terminal == terminal.id();
}

Task<> Deposits::settle(DepositItem item) {
  while (item->record.is_open()) {
    if (!item->record.exception.empty()) {
      const bool kept = co_await confirm_kept(item);
      // A restored bank may have credited it meanwhile: then that is the next question.
      if (!kept && !item->record.exception.empty()) co_await to_returned(item);
      continue;
    }
    switch (item->record.state) {
      case DepositState::counted:
      case DepositState::posting:
        co_await settle_posting(item);
        break;
      case DepositState::credited:
        co_await keep(item);
        break;
      case DepositState::suspense:
        co_await ask_acceptor(item);
        break;
      case DepositState::kept:
      case DepositState::returned:
        break;
    }
  }
  items_.ended(item);
}

// A posting whose customer has gone. Notes that the customer was told are taken are credited, unless
// the acceptor says that it gave them back. Those, and others that a crash left in the escrow, are
// credited or given back, as the bank says what became of the posting.
Task<> Deposits::settle_posting(DepositItem item) {
  if (item->record.kept) co_return co_await post(item);
  const Told<Accepted> told = co_await item->terminal.acceptor().where(item->record.id);
  if (told && told->place == Place::kept) {
    // The crash came after the notes had been kept and before that was written down.
    co_return co_await to_taken(item, *told);
  }
  const bool is_given_back = told && is_out(told->place);
  if (is_promised(item) && !is_given_back) {
    Task<bool> keeping = confirm_kept(item);
    Task<> posting = post(item);
    // Whichever answers first, it tells what is next.
    co_await async::first_of(std::move(keeping), std::move(posting));
    co_return;
  }
  item->waiting_for = "the bank to say whether it credited the notes";
  wire::ResolveRequest request;
  request.set_terminal_id(item->record.terminal);
  request.set_id(std::string(item->record.post_id.view()));
  const wire::ResolveResponse response =
      co_await machinery_.bank.until_answered(bank_methods::resolve, std::move(request));
  if (response.has_refusal()) {
    answer_suspense(item);
    machinery_.bank.remember_no(item->record, response.refusal());
    co_return to_exception(item, refused_by_bank(response.refusal()));
  }
  if (response.has_executed()) co_return to_credited(item, response.executed());
  co_await give_back(item);
}

Task<> Deposits::post(DepositItem item) {
  item->waiting_for = "the bank to credit the notes";
  const bool is_second = item->record.post_id == item->record.second_post_id;
  wire::DepositRequest request = deposit_of(item->record, is_second, machinery_.settings.currency);
  const wire::DepositResponse response =
      co_await machinery_.bank.until_answered(bank_methods::deposit, std::move(request));
  if (response.has_receipt()) {
    to_credited(item, response.receipt());
    co_return;
  }
  if (is_second) {
    machinery_.bank.remember_no(item->record, response.refusal());
    co_return to_exception(item, refused_by_bank(response.refusal()));
  }
  // The first asked before the notes were kept, and its no, or a fence of ours, was not heard in time. The
  // second tells the bank that they are kept, so that its operator hears of a no.
  item->record.post_id = item->record.second_post_id;
  co_await machinery_.journal.commit(item->terminal.entry(item->record, "posting anew"));
}

Task<> Deposits::keep(DepositItem item) {
  if (item->record.kept) co_return co_await to_kept(item);
  item->waiting_for = "the acceptor to keep the notes";
  const Told<Accepted> told = co_await item->terminal.acceptor().keep(item->record.id);
  if (told && told->place == Place::kept) co_return co_await to_kept(item);
  if (told && is_out(told->place)) {
    answer_deposited(item);
    item->record.state = DepositState::returned;
    co_return to_exception(item,
                           "the acceptor gave the notes back, and the bank has credited them");
  }
  // Credited is credited, wherever the notes are by now: the customer hears so.
  if (!item->answered.is_set()) {
    answer_deposited(item);
    co_await machinery_.journal.commit(
        item->terminal.entry(item->record, "the acceptor did not say that it kept the notes"));
    co_return item->answered.set();
  }
  co_await machinery_.loop.sleep_for(machinery_.settings.decision_poll);
}

Task<bool> Deposits::confirm_kept(DepositItem item) {
  while (true) {
    const Told<Accepted> told = co_await item->terminal.acceptor().keep(item->record.id);
    if (told && told->place == Place::kept) {
      co_await note_kept(item);
      co_return true;
    }
    if (told && is_out(told->place)) co_return false;
    co_await machinery_.loop.sleep_for(machinery_.settings.decision_poll);
  }
}

Task<> Deposits::give_back(DepositItem item) {
  item->waiting_for = "the acceptor to give the notes back";
  const Told<Accepted> told = co_await item->terminal.acceptor().give_back(item->record.id);
  if (told && told->place == Place::returned) co_return co_await to_returned(item);
  std::string evidence = "the acceptor cannot say where the notes are";
  if (!told) evidence = told.error().why;
  co_await to_suspense(item, std::move(evidence));
}

// In SUSPENSE the bank has not credited the notes, by a journal that may have lost its end: so kept notes
// are posted under the first id, which tells, and anew when that was refused.
Task<> Deposits::ask_acceptor(DepositItem item) {
  item->waiting_for = "the acceptor to say where the notes are";
  Told<Accepted> told = co_await item->terminal.acceptor().where(item->record.id);
  if (told && told->place == Place::escrow) {
    told = co_await item->terminal.acceptor().give_back(item->record.id);
  }
  if (told && is_out(told->place)) co_return co_await to_returned(item);
  if (told && told->place == Place::kept) {
    item->record.counted = told->notes;
    co_return co_await to_taken(item, *std::move(told));
  }
  Backoff jitter(machinery_.random, machinery_.settings.decision_poll,
                 machinery_.settings.decision_poll);
  co_await machinery_.loop.sleep_for(jitter.next());
}

}  // namespace atm
