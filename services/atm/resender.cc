#include "atm/resender.h"

#include <utility>

#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

Task<> Resender::run() {
  while (true) {
    co_await machinery_.bank.history_broke();
    done_.clear();
    sent_ = 0;
    co_await send_everything();
    machinery_.log.warn("every settled item was sent to the bank again", {{"items", sent_}});
    machinery_.bank.history_broke().clear();
    done_.set();
  }
}

Task<> Resender::send_everything() {
  JournalFile& file = machinery_.journal.file();
  co_await machinery_.journal.flush();
  // Loads first: the bank's books then follow the notes in the order in which they moved.
  for (const Movement& movement : file.read<Movement>("state = 'SETTLED' AND ledger_seq > 0")) {
    Movement copy = movement;
    co_await send(std::move(copy));
  }
  for (const Deposit& deposit : file.read<Deposit>("credited = 1 AND ledger_seq > 0")) {
    Deposit copy = deposit;
    co_await send(std::move(copy));
  }
  for (const Withdrawal& withdrawal : file.read<Withdrawal>("state IN ('SETTLED', 'VOIDED')")) {
    Withdrawal copy = withdrawal;
    co_await send(std::move(copy));
  }
}

template <typename Request, typename Response>
Task<> Resender::again(const rpc::Method<Request, Response>& method, Request request) {
  Backoff backoff(machinery_.random, std::chrono::milliseconds(200), std::chrono::seconds(30));
  while (true) {
    while (!machinery_.bank.is_usable(request.terminal_id())) {
      co_await machinery_.loop.sleep_for(machinery_.settings.heartbeat);
    }
    rpc::Context context(machinery_.loop.in(machinery_.settings.bank_patience));
    Request copy = request;
    const rpc::Reply<Response> reply =
        co_await machinery_.bank.try_call(method, std::move(copy), std::move(context));
    if (reply) {
      if (reply->has_refusal()) refused(std::string(method.name()), reply->refusal());
      co_return;
    }
    // A hold needs the customer's token, which nobody has any more. The capture then tells the
    // bank's operator of the cash that went out.
    if (reply.error().outcome() == rpc::Outcome::no && !reply.error().never_sent) co_return;
    co_await machinery_.loop.sleep_for(backoff.next());
  }
}

void Resender::refused(const std::string& method, const wire::Refusal& refusal) {
  machinery_.log.warn("the bank refused an item that was sent again",
                      {{"method", method}, {"refusal", refusal.message()}});
}

Task<> Resender::send(Withdrawal withdrawal) {
  const Currency currency = machinery_.settings.currency;
  const std::string hold_id(withdrawal.hold_id.view());
  ++sent_;
  if (withdrawal.state == WithdrawalState::voided) {
    wire::VoidRequest request;
    request.set_id(std::string(withdrawal.void_id.view()));
    request.set_terminal_id(withdrawal.terminal);
    request.set_hold_id(hold_id);
    co_return co_await again(bank_methods::void_hold, std::move(request));
  }
  wire::HoldRequest hold;
  hold.set_id(hold_id);
  hold.set_terminal_id(withdrawal.terminal);
  hold.set_card_number(withdrawal.card);
  *hold.mutable_amount() = to_wire(withdrawal.amount, currency);
  hold.set_time_to_live_ms(static_cast<std::uint32_t>(withdrawal.time_to_live_ms));
  co_await again(bank_methods::hold, std::move(hold));
  if (!withdrawal.evidence.empty()) {
    // What the operator decided before is gone with the history: the evidence is told again.
    wire::SuspendRequest suspend;
    suspend.set_id(std::string(withdrawal.suspend_id.view()));
    suspend.set_terminal_id(withdrawal.terminal);
    suspend.set_hold_id(hold_id);
    suspend.set_evidence(withdrawal.evidence);
    co_return co_await again(bank_methods::suspend, std::move(suspend));
  }
  wire::CaptureRequest capture;
  capture.set_id(std::string(withdrawal.capture_id.view()));
  capture.set_terminal_id(withdrawal.terminal);
  capture.set_hold_id(hold_id);
  *capture.mutable_amount() = to_wire(notes_of(withdrawal.presented).amount(), currency);
  co_await again(bank_methods::capture, std::move(capture));
}

Task<> Resender::send(Deposit deposit) {
  ++sent_;
  wire::DepositRequest request;
  request.set_id(std::string(deposit.post_id.view()));
  request.set_terminal_id(deposit.terminal);
  request.set_card_number(deposit.card);
  *request.mutable_amount() = to_wire(deposit.counted.amount(), machinery_.settings.currency);
  co_await again(bank_methods::deposit, std::move(request));
}

Task<> Resender::send(Movement movement) {
  ++sent_;
  const wire::Money amount = to_wire(movement.notes.amount(), machinery_.settings.currency);
  if (movement.direction == MovementKind::load) {
    wire::LoadCashRequest request;
    request.set_id(std::string(movement.bank_id.view()));
    request.set_terminal_id(movement.terminal);
    *request.mutable_amount() = amount;
    co_return co_await again(bank_methods::load_cash, std::move(request));
  }
  wire::UnloadCashRequest request;
  request.set_id(std::string(movement.bank_id.view()));
  request.set_terminal_id(movement.terminal);
  *request.mutable_amount() = amount;
  co_await again(bank_methods::unload_cash, std::move(request));
}

}  // namespace atm
