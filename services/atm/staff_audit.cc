// The audit of a terminal (rule 20): what is inside, and whether the bank says the same.
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "atm/messages.h"
#include "atm/staff_service.h"

namespace atm {

namespace {

const std::string no_answer_of_bank = "the bank does not answer";
const std::string on_its_way =
    "cash, or a message about it, is on its way; bankctl atm items lists what is open";

v1::AuditResponse audit_inside(const Stock& stock, Currency currency) {
  const Books books = books_of(stock);
  v1::AuditResponse response;
  *response.mutable_loaded() = to_wire(books.loaded, currency);
  *response.mutable_deposited() = to_wire(books.deposited, currency);
  *response.mutable_in_cassettes() = to_wire(books.in_cassettes, currency);
  *response.mutable_in_deposit_bin() = to_wire(books.in_deposit_bin, currency);
  *response.mutable_rejected() = to_wire(books.rejected, currency);
  *response.mutable_presented() = to_wire(books.presented, currency);
  *response.mutable_unknown() = to_wire(books.unknown, currency);
  *response.mutable_unloaded() = to_wire(books.unloaded, currency);
  for (const std::string& difference : differences_inside(stock, currency)) {
    response.add_differences(difference);
  }
  return response;
}

}  // namespace

std::optional<std::vector<OperationId>> StaffService::suspended_holds(
    const Terminal& terminal) const {
  std::vector<OperationId> holds;
  for (const WithdrawalItem& item : known_.withdrawals.open(terminal)) {
    const Withdrawal& open = item->record;
    if (open.state != WithdrawalState::suspense || !open.told_bank) return std::nullopt;
    holds.push_back(open.hold_id);
  }
  for (const DepositItem& item : known_.deposits.open(terminal)) {
    // In SUSPENSE neither side has its notes in the books.
    if (item->record.state != DepositState::suspense || item->record.kept) return std::nullopt;
  }
  if (!known_.movements.open(terminal).empty()) return std::nullopt;
  return holds;
}

// A hold that is suspended now was so when the bank said what is in its cash account.
Task<std::string> StaffService::why_not_comparable(std::string terminal,
                                                   std::vector<OperationId> holds,
                                                   async::Deadline until, rpc::Trace trace) {
  for (const OperationId& hold : holds) {
    ::bank::v1::GetHoldRequest request;
    request.set_terminal_id(terminal);
    request.set_hold_id(std::string(hold.view()));
    rpc::Context context(until, trace);
    const rpc::Reply<::bank::v1::GetHoldResponse> reply = co_await machinery_.bank.try_call(
        bank_methods::get_hold, std::move(request), std::move(context));
    if (!reply) co_return no_answer_of_bank;
    if (reply->has_refusal()) {
      co_return "the bank does not tell what became of a hold in suspense: " +
          clause_of(reply->refusal());
    }
    if (reply->hold().state() != ::bank::v1::HOLD_STATE_SUSPENDED) co_return on_its_way;
  }
  co_return "";
}

Task<v1::AuditResponse> StaffService::audit(v1::AuditRequest request, rpc::Context context) {
  Terminal& at = terminal(request.terminal_id());
  const async::Deadline until = machinery_.before(context.deadline);
  const std::optional<std::vector<OperationId>> holds = suspended_holds(at);
  const bool quiet_before = holds.has_value() && !at.is_busy();
  const Cents inside_before = at.stock().inside();
  const bool was_told_all = !machinery_.bank.is_to_tell_again(at.id());
  rpc::Context first(until, context.trace);
  const bool asked = co_await machinery_.bank.refresh(at.id(), std::move(first));
  const Cents at_bank = machinery_.bank.standing(at.id()).cash;
  const bool answered = asked && machinery_.bank.standing(at.id()).signed_on;
  std::string moves;  // Why the two figures may differ for a while.
  if (answered && quiet_before) {
    moves = co_await why_not_comparable(at.id(), *holds, until, context.trace);
  }
  const bool is_told_all = was_told_all && !machinery_.bank.is_to_tell_again(at.id());
  const bool is_quiet = quiet_before && suspended_holds(at) == holds && !at.is_busy() &&
                        inside_before == at.stock().inside();
  if (!is_quiet) moves = on_its_way;

  const Currency currency = machinery_.settings.currency;
  v1::AuditResponse response = audit_inside(at.stock(), currency);
  response.set_open_items(static_cast<std::uint32_t>(open_items(at).size()));
  // What the bank says would lack what it has still to be told, and another bank is told nothing.
  const bool is_another = machinery_.bank.is_another_bank();
  if (!answered || is_another || !is_told_all) {
    std::string why = "the bank is still told again what it may lack";
    if (is_another) why = "another bank answers, and nobody has agreed to it";
    if (!answered) why = asked ? machinery_.bank.standing(at.id()).reason : no_answer_of_bank;
    response.set_not_compared(why);
    co_return response;
  }
  *response.mutable_at_bank() = to_wire(at_bank, currency);
  if (!moves.empty()) {
    response.set_not_compared(moves);
    co_return response;
  }
  add_difference_with_bank(at, at_bank, response);
  co_return response;
}

}  // namespace atm
