#include "atm/resender.h"

#include <concepts>
#include <utility>
#include <vector>

#include "atm/bank_requests.h"
#include "atm/described.h"
#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

namespace {

constexpr int items_in_memory_max = 100;

// What an item is when the bank has done what it refused before.
void end_well(Withdrawal& withdrawal) {
  const bool paid = !withdrawal.presented.empty() || !withdrawal.decided.empty();
  withdrawal.state = paid ? WithdrawalState::settled : WithdrawalState::voided;
}
void end_well(Deposit& deposit) {
  deposit.credited = true;
  // Where the notes are, the acceptor may still have to say.
  deposit.state = deposit.kept ? DepositState::kept : DepositState::credited;
}
void end_well(Movement& movement) { movement.state = MovementState::settled; }

// Its operator has still to decide; what that is comes with the next question about it.
bool is_undecided(const Withdrawal& withdrawal) {
  return withdrawal.state == WithdrawalState::suspense;
}
bool is_undecided(const auto& /*record*/) { return false; }

// The bank's operator had ended the hold before.
const Resender::Answer was_decided = {.was_known = true};

template <typename Response>
Resender::Answer answer_of(const Response& response) {
  if (response.has_refusal()) {
    return {.ledger_seq = response.refusal().ledger_seq(),
            .was_known = false,
            .refusal = refused_by_bank(response.refusal())};
  }
  return {.ledger_seq = response.receipt().ledger_seq(),
          .was_known = response.receipt().replayed(),
          .refusal = {}};
}

}  // namespace

Task<> Resender::run() {
  for (const std::string& terminal : machinery_.bank.terminals_to_tell_of()) {
    tellings_.spawn(tell_of(terminal));
  }
  co_await tellings_.join();
}

// Loads first: the bank's books then follow the notes in the order in which they moved.
Task<> Resender::tell_of(std::string terminal) {
  while (true) {
    while (!machinery_.bank.is_to_tell_again(terminal)) co_await machinery_.bank.until_changed();
    const std::uint32_t history = machinery_.bank.history();
    co_await tell_all(&known_.movements, terminal, history);
    co_await tell_all(&known_.deposits, terminal, history);
    co_await tell_all(&known_.withdrawals, terminal, history);
    if (machinery_.bank.history() != history) continue;
    if (!machinery_.bank.was_told_again(terminal)) continue;
    machinery_.log.write(lost_ == 0 ? ops::LogLevel::info : ops::LogLevel::warn,
                         "the bank was told again what it might lack",
                         {{"items", machinery_.bank.told_again()}, {"lost", lost_}});
    lost_ = 0;
    co_await machinery_.journal.flush();
  }
}

template <Record T>
Task<> Resender::tell_all(Items<T>* items, std::string terminal, std::uint32_t history) {
  JournalFile& file = machinery_.journal.file();
  // Numbers of two histories may be equal: a page begins with the number that ended the one before, and
  // what was told of it is told no more.
  std::uint64_t from = machinery_.bank.common_seq(terminal) + 1;
  while (machinery_.bank.history() == history) {
    co_await machinery_.journal.flush();
    std::vector<T> page =
        file.read_first<T>(items_in_memory_max, "ledger_seq",
                           "terminal = ? AND ledger_seq > 0 AND ledger_seq >= ? AND told_in < ?",
                           {terminal, to_value(from), to_value(history)});
    if (page.empty()) break;
    from = page.back().ledger_seq;
    co_await tell_page(items, std::move(page), history);
  }
}

template <Record T>
Task<> Resender::tell_page(Items<T>* items, std::vector<T> page, std::uint32_t history) {
  for (T& record : page) {
    T copy = record;
    const Answer answer = co_await tell(std::move(copy));
    if (machinery_.bank.history() != history) co_return;
    T* const in_memory = items->in_memory(record.id);
    note(in_memory != nullptr ? *in_memory : record, answer, history);
  }
}

template <Record T>
void Resender::note(T& record, const Answer& answer, std::uint32_t history) {
  record.told_in = history;
  bool goes_on = false;
  if (!answer.refusal.empty()) {
    // The ATM may have said more to it.
    const bool is_new = !record.exception.starts_with(answer.refusal);
    if (is_new) {
      machinery_.log.error("the bank refused what it was told again",
                           {{std::string(T::kind), record.id.text()},
                            {"was", described(record, machinery_.settings.currency)},
                            {"why", answer.refusal}});
    }
    if (is_new && !is_undecided(record)) record.exception = answer.refusal;
    record.ledger_seq = machinery_.bank.number_of_no(answer.ledger_seq);
  } else if (answer.ledger_seq != 0 || answer.was_known) {
    if (!answer.was_known) ++lost_;
    if (answer.ledger_seq != 0) record.ledger_seq = answer.ledger_seq;
    goes_on = take_back_exception(record);
  }
  machinery_.journal.note(transition_of(record, machinery_.now_us(), "told again"));
  if (!answer.refusal.empty() || answer.ledger_seq != 0) machinery_.bank.item_was_told_again();
  if constexpr (std::same_as<T, Withdrawal>) {
    if (goes_on) withdrawals_.go_on(*terminals_.at(record.terminal), record);
  }
}

template <Record T>
bool Resender::take_back_exception(T& record) {
  if (record.exception.empty()) return false;
  if (!is_undecided(record)) {
    record.exception.clear();
    end_well(record);
    return false;
  }
  // A terminal that this ATM no longer has cannot go on with anything.
  if (!terminals_.contains(record.terminal)) return false;
  record.exception.clear();
  return true;
}

// A hold is not told again: without the customer's token, which nobody has any more, the bank would not
// make it. A bank that has lost it refuses what follows, and so tells its operator of the cash.
Task<Resender::Answer> Resender::tell(Withdrawal withdrawal) {
  const bool nothing_was_presented = withdrawal.evidence.empty() && withdrawal.presented.empty();
  if (nothing_was_presented) {
    wire::VoidRequest request = void_of(withdrawal);
    const wire::VoidResponse response =
        co_await machinery_.bank.until_answered(bank_methods::void_hold, std::move(request));
    if (response.refusal().code() == wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED) co_return was_decided;
    co_return answer_of(response);
  }
  if (!withdrawal.evidence.empty()) {
    // What the operator decided may be gone with the history: the evidence is told again.
    wire::SuspendRequest suspend = suspend_of(withdrawal, machinery_.settings.currency);
    const wire::SuspendResponse response =
        co_await machinery_.bank.until_answered(bank_methods::suspend, std::move(suspend));
    const wire::RefusalCode code = response.refusal().code();
    const bool decided = code == wire::REFUSAL_CODE_HOLD_ALREADY_CAPTURED ||
                         code == wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED;
    if (decided) co_return was_decided;
    co_return answer_of(response);
  }
  wire::CaptureRequest capture = capture_of(withdrawal, machinery_.settings.currency);
  const wire::CaptureResponse response =
      co_await machinery_.bank.until_answered(bank_methods::capture, std::move(capture));
  co_return answer_of(response);
}

// Of notes that the acceptor gave back there is nothing to tell, nor of those that the bank was never
// asked to credit.
Task<Resender::Answer> Resender::tell(Deposit deposit) {
  const bool was_not_posted =
      deposit.state == DepositState::returned || deposit.state == DepositState::suspense;
  if (was_not_posted) co_return Answer();
  wire::DepositRequest request = deposit_of(deposit, true, machinery_.settings.currency);
  const wire::DepositResponse response =
      co_await machinery_.bank.until_answered(bank_methods::deposit, std::move(request));
  co_return answer_of(response);
}

Task<Resender::Answer> Resender::tell(Movement movement) {
  const wire::Money amount = to_wire(movement.notes.amount(), machinery_.settings.currency);
  if (movement.direction == MovementKind::load) {
    wire::LoadCashRequest request;
    request.set_id(std::string(movement.bank_id.view()));
    request.set_terminal_id(movement.terminal);
    *request.mutable_amount() = amount;
    request.set_receipt_id(std::string(movement.id.view()));
    const wire::LoadCashResponse response =
        co_await machinery_.bank.until_answered(bank_methods::load_cash, std::move(request));
    co_return answer_of(response);
  }
  wire::UnloadCashRequest request;
  request.set_id(std::string(movement.bank_id.view()));
  request.set_terminal_id(movement.terminal);
  *request.mutable_amount() = amount;
  request.set_receipt_id(std::string(movement.id.view()));
  const wire::UnloadCashResponse response =
      co_await machinery_.bank.until_answered(bank_methods::unload_cash, std::move(request));
  co_return answer_of(response);
}

}  // namespace atm
