#include "atm/movements.h"

#include <utility>

#include "atm/described.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

MovementItem Movements::begin(Terminal& terminal, Movement movement) {
  movement.terminal = terminal.id();
  movement.requested_at_us = machinery_.now_us();
  movement.bank_id = machinery_.make_id();
  MovementItem item = items_.add(terminal, std::move(movement));
  terminal.set_moving_notes(true);
  terminal.work().spawn(serve(item));
  return item;
}

Task<> Movements::serve(MovementItem item) {
  co_await machinery_.journal.commit(item->terminal.entry(item->record));
  co_await move(item);
  machinery_.queue.spawn(settle(item));
}

Task<> Movements::recover(Terminal& terminal, Movement movement) {
  MovementItem item = items_.add(terminal, std::move(movement));
  if (item->record.state == MovementState::moved) item->answered.set();
  if (item->record.state == MovementState::requested) terminal.set_moving_notes(true);
  if (item->record.state == MovementState::requested) co_await move(item);
  machinery_.queue.spawn(settle(item));
}

Task<> Movements::settle(MovementItem item) {
  while (item->record.state == MovementState::requested) {
    const bool moved = co_await move(item);
    if (!moved) co_await machinery_.loop.sleep_for(machinery_.settings.decision_poll);
  }
  if (item->record.is_open()) co_await tell_bank(item);
  items_.ended(item);
}

Task<bool> Movements::move(MovementItem item) {
  bool moved = false;
  if (item->record.direction == MovementKind::load) {
    moved = co_await load(item);
  } else {
    moved = co_await unload(item);
  }
  co_return moved;
}

Task<bool> Movements::load(MovementItem item) {
  item->waiting_for = "the dispenser to see the notes";
  const Notes::Entry notes = *item->record.notes.begin();
  const Pick into{item->record.position, notes.denomination, notes.count};
  const Told<Cassette> told = co_await item->terminal.dispenser().load(item->record.id, into);
  if (!told) co_return false;
  item->terminal.stock().load(into);
  item->terminal.today().loaded += item->record.notes.amount();
  co_await to_moved(item);
  co_return true;
}

Task<bool> Movements::unload(MovementItem item) {
  item->waiting_for = "the devices to be emptied";
  const Told<Notes> dispensed = co_await item->terminal.dispenser().unload(item->record.id);
  if (!dispensed) co_return false;
  const Told<Notes> accepted = co_await item->terminal.acceptor().unload(item->record.id);
  if (!accepted) co_return false;
  item->record.notes = *dispensed + *accepted;
  item->terminal.stock().unload(item->record.notes);
  item->terminal.was_emptied();
  item->terminal.today().unloaded += item->record.notes.amount();
  co_await to_moved(item);
  co_return true;
}

Task<> Movements::to_moved(MovementItem item) {
  item->record.state = MovementState::moved;
  item->terminal.set_moving_notes(false);
  // There is nothing to tell of nothing.
  if (item->record.notes.empty()) item->record.state = MovementState::settled;
  item->record.answer = answer(item);
  co_await machinery_.journal.commit(
      item->terminal.entry(item->record, item->record.notes.encoded()));
  log_moved(*item);
  item->answered.set();
}

void Movements::log_moved(const Item<Movement>& item) const {
  const Movement& moved = item.record;
  const Currency currency = machinery_.settings.currency;
  const std::string notes = moved.notes.text(currency);
  const std::string amount =
      ledger::to_text({.amount = moved.notes.amount(), .currency = currency});
  if (moved.direction == MovementKind::unload) {
    machinery_.log.info("staff emptied the terminal", {{"terminal", item.terminal.id()},
                                                       {"id", moved.id.text()},
                                                       {"notes", notes},
                                                       {"amount", amount}});
    return;
  }
  machinery_.log.info("staff loaded notes", {{"terminal", item.terminal.id()},
                                             {"id", moved.id.text()},
                                             {"cassette", moved.position},
                                             {"notes", notes},
                                             {"amount", amount}});
}

Blob Movements::answer(const MovementItem& item) const {
  const Currency currency = machinery_.settings.currency;
  if (item->record.direction == MovementKind::load) {
    v1::LoadResponse response;
    *response.mutable_done()->mutable_cash() = to_wire(item->terminal.stock().inside(), currency);
    return stored(response);
  }
  v1::UnloadResponse response;
  *response.mutable_unloaded()->mutable_notes() = to_wire(item->record.notes, currency);
  *response.mutable_unloaded()->mutable_amount() = to_wire(item->record.notes.amount(), currency);
  return stored(response);
}

Task<> Movements::tell_bank(MovementItem item) {
  item->waiting_for = "the bank to book the cash";
  const Movement& movement = item->record;
  const wire::Money amount = to_wire(movement.notes.amount(), machinery_.settings.currency);
  const std::string id(movement.bank_id.view());
  if (movement.direction == MovementKind::load) {
    wire::LoadCashRequest request;
    request.set_id(id);
    request.set_terminal_id(movement.terminal);
    *request.mutable_amount() = amount;
    request.set_receipt_id(std::string(movement.id.view()));
    const wire::LoadCashResponse response =
        co_await machinery_.bank.until_answered(bank_methods::load_cash, std::move(request));
    co_return ended(item, response.receipt().ledger_seq(),
                    response.has_refusal() ? &response.refusal() : nullptr);
  }
  wire::UnloadCashRequest request;
  request.set_id(id);
  request.set_terminal_id(movement.terminal);
  *request.mutable_amount() = amount;
  request.set_receipt_id(std::string(movement.id.view()));
  const wire::UnloadCashResponse response =
      co_await machinery_.bank.until_answered(bank_methods::unload_cash, std::move(request));
  ended(item, response.receipt().ledger_seq(),
        response.has_refusal() ? &response.refusal() : nullptr);
}

void Movements::ended(const MovementItem& item, std::uint64_t ledger_seq,
                      const wire::Refusal* refusal) {
  std::string detail;
  if (refusal == nullptr) {
    item->record.state = MovementState::settled;
    item->record.ledger_seq = ledger_seq;
    item->record.told_in = machinery_.bank.history();
  } else {
    item->record.exception = refused_by_bank(*refusal);
    machinery_.bank.remember_no(item->record, *refusal);
    detail = item->record.exception;
    machinery_.log.error("a movement of cash ended as an exception",
                         {{"movement", item->record.id.text()},
                          {"was", described(item->record, machinery_.settings.currency)},
                          {"why", item->record.exception}});
  }
  machinery_.journal.note(item->terminal.entry(item->record, detail));
}

}  // namespace atm
