#include "atm/atm_service.h"

#include <algorithm>
#include <ranges>
#include <utility>

#include "atm/messages.h"

namespace atm {

namespace wire = ::bank::v1;

Terminal* find_terminal(const Terminals& terminals, const std::string& id) {
  if (id.empty() && terminals.size() == 1) return terminals.begin()->second.get();
  const auto found = terminals.find(id);
  return found == terminals.end() ? nullptr : found->second.get();
}

std::string why_no_terminal(const Terminals& terminals, const std::string& id) {
  constexpr std::size_t named_max = 10;
  std::string ours;
  std::size_t count = 0;
  for (const auto& [each, terminal] : terminals) {
    if (++count <= named_max) ours += (ours.empty() ? "" : ", ") + each;
  }
  if (count > named_max) ours += " and " + std::to_string(count - named_max) + " more";
  if (id.empty()) return "This ATM has several terminals, and none was named: " + ours;
  return "This ATM has no terminal " + id + "; it has " + ours;
}

namespace {

// As many as a menu of one digit has room for, beside "another amount".
constexpr std::size_t usual_amounts_max = 4;

v1::Decline no_such_terminal(const Terminals& terminals, const std::string& id) {
  return decline(v1::DECLINE_CODE_NO_SUCH_TERMINAL, why_no_terminal(terminals, id) + ".");
}

v1::Decline no_session() {
  return decline(v1::DECLINE_CODE_NO_SESSION,
                 "There is no such session; it ended or timed out. Please insert your card.");
}

// Why, staff read in the list of terminals and in the log.
v1::Decline out_of_service(v1::ServiceState state) {
  const bool is_full = state == v1::SERVICE_STATE_OUT_DISK;
  return decline(v1::DECLINE_CODE_OUT_OF_SERVICE,
                 is_full ? disk_nearly_full : "The ATM is out of service.");
}

// On a disk that is nearly full balances and statements are told all the same (rule 26).
bool takes_cards(v1::ServiceState state) {
  return state == v1::SERVICE_STATE_IN_SERVICE || state == v1::SERVICE_STATE_OUT_DISK;
}

v1::Decline busy() {
  return decline(v1::DECLINE_CODE_TERMINAL_BUSY, "Another customer is being served.");
}

v1::Decline session_lost() {
  return decline(v1::DECLINE_CODE_NO_SESSION, "The session is over; please insert your card.");
}

// Of a call that changes nothing: why the bank gave no answer.
v1::Decline no_answer(const rpc::Status& status) {
  if (status.code == rpc::StatusCode::unauthenticated) return session_lost();
  return undecided_by_bank(v1::DECLINE_CODE_OUT_OF_SERVICE, status, "The bank does not answer.");
}

}  // namespace

void AtmService::serve_on(rpc::Server& server) {
  server.handle<&AtmService::insert_card>("atm.v1.AtmService/InsertCard", *this);
  server.handle<&AtmService::get_balance>("atm.v1.AtmService/GetBalance", *this);
  server.handle<&AtmService::withdraw>("atm.v1.AtmService/Withdraw", *this);
  server.handle<&AtmService::deposit>("atm.v1.AtmService/Deposit", *this);
  server.handle<&AtmService::transfer>("atm.v1.AtmService/Transfer", *this);
  server.handle<&AtmService::list_statement>("atm.v1.AtmService/ListStatement", *this);
  server.handle<&AtmService::change_pin>("atm.v1.AtmService/ChangePin", *this);
  server.handle<&AtmService::resolve>("atm.v1.AtmService/Resolve", *this);
  server.handle<&AtmService::end_session>("atm.v1.AtmService/EndSession", *this);
}

std::optional<AtmService::Customer> AtmService::customer(const std::string& session_id,
                                                         const rpc::Context& context) {
  for (const auto& [id, terminal] : terminals_) {
    const Session* const session = terminal->session(session_id, context.peer());
    if (session != nullptr) return Customer{.terminal = terminal.get(), .session = *session};
  }
  return std::nullopt;
}

std::expected<AtmService::Customer, v1::Decline> AtmService::may_begin(
    const std::string& session_id, const rpc::Context& context) {
  std::optional<Customer> asking = customer(session_id, context);
  if (!asking) return std::unexpected(no_session());
  if (asking->terminal->is_busy()) return std::unexpected(busy());
  const v1::ServiceState state = asking->terminal->service().state;
  if (state != v1::SERVICE_STATE_IN_SERVICE) return std::unexpected(out_of_service(state));
  return *std::move(asking);
}

std::optional<v1::Decline> AtmService::wrong_amount(const wire::Money& amount) const {
  const Currency currency = machinery_.settings.currency;
  if (amount.currency() != currency.text()) return other_currency(currency);
  if (amount.minor_units() >= 1) return std::nullopt;
  const ledger::Money least{.amount = Cents{1}, .currency = currency};
  return decline(v1::DECLINE_CODE_MALFORMED,
                 "The amount must be at least " + ledger::to_text(least) + ".");
}

std::optional<v1::Decline> AtmService::wrong_notes(const WireNotes& notes) const {
  const std::vector<Cents>& ours = machinery_.settings.denominations;
  const Currency currency = machinery_.settings.currency;
  std::uint64_t count = 0;
  for (const v1::Notes& each : notes) {
    if (each.denomination().currency() != currency.text()) return other_currency(currency);
    const Cents denomination{each.denomination().minor_units()};
    if (std::ranges::find(ours, denomination) == ours.end()) {
      return other_denomination(denomination, ours, currency);
    }
    count += each.count();
  }
  if (count >= 1 && count <= notes_per_deposit_max) return std::nullopt;
  return decline(v1::DECLINE_CODE_MALFORMED,
                 "A deposit is 1 to " + std::to_string(notes_per_deposit_max) + " notes.");
}

Task<v1::InsertCardResponse> AtmService::insert_card(v1::InsertCardRequest request,
                                                     rpc::Context context) {
  v1::InsertCardResponse response;
  wire::VerifyCardRequest card;
  card.set_card_number(request.card_number());
  card.set_pin(request.pin());
  wipe(*request.mutable_pin());
  Terminal* const terminal = find_terminal(terminals_, request.terminal_id());
  if (terminal == nullptr) {
    *response.mutable_decline() = no_such_terminal(terminals_, request.terminal_id());
    co_return response;
  }
  const v1::ServiceState state = terminal->service().state;
  if (!takes_cards(state)) {
    *response.mutable_decline() = out_of_service(state);
    co_return response;
  }
  if (!terminal->is_free_for(request.card_number())) {
    *response.mutable_decline() = busy();
    co_return response;
  }

  card.set_terminal_id(terminal->id());
  const rpc::Reply<wire::VerifyCardResponse> reply =
      co_await machinery_.bank.try_call(bank_methods::verify_card, std::move(card), context);
  if (!reply) {
    *response.mutable_decline() = no_answer(reply.error());
    co_return response;
  }
  if (reply->has_refusal()) {
    *response.mutable_decline() = decline_by_bank(reply->refusal());
    response.mutable_decline()->set_tries_left(reply->tries_left());
    co_return response;
  }
  if (context.is_abandoned()) {
    *response.mutable_decline() = session_lost();
    co_return response;
  }
  const std::optional<Currency> currency = Currency::parse(reply->verified().currency());
  const Session* const session = terminal->begin_session(
      std::string(context.peer()), request.card_number(), reply->verified().token(),
      currency.value_or(machinery_.settings.currency));
  if (session == nullptr) {
    *response.mutable_decline() = busy();
    co_return response;
  }
  v1::Session& begun = *response.mutable_session();
  begun.set_session_id(session->id);
  begun.set_terminal_id(terminal->id());
  begun.set_customer_name(reply->verified().customer_name());
  begun.set_currency(reply->verified().currency());
  begun.set_atm_id(machinery_.bank.atm_id());
  for (const Cents each : machinery_.settings.denominations) {
    *begun.add_denominations() = to_wire(each, machinery_.settings.currency);
  }
  for (const Cents each : usual_amounts(terminal->stock().cassettes())) {
    *begun.add_usual_amounts() = to_wire(each, machinery_.settings.currency);
  }
  co_return response;
}

// The largest faces that the notes inside make, each alone: 50.00 may be two notes of 20.00 and one of
// 10.00.
std::vector<Cents> AtmService::usual_amounts(const std::vector<Cassette>& cassettes) const {
  std::vector<Cents> amounts = makeable(cassettes, machinery_.settings.denominations);
  if (amounts.size() > usual_amounts_max) {
    amounts.erase(amounts.begin(), amounts.end() - std::ptrdiff_t{usual_amounts_max});
  }
  return amounts;
}

Task<v1::GetBalanceResponse> AtmService::get_balance(v1::GetBalanceRequest request,
                                                     rpc::Context context) {
  v1::GetBalanceResponse response;
  const std::optional<Customer> asking = customer(request.session_id(), context);
  if (!asking) {
    *response.mutable_decline() = no_session();
    co_return response;
  }
  wire::GetBalanceRequest inquiry;
  inquiry.set_terminal_id(asking->terminal->id());
  inquiry.set_card_number(asking->session.card);
  inquiry.set_token(asking->session.token);
  const rpc::Reply<wire::GetBalanceResponse> reply =
      co_await machinery_.bank.try_call(bank_methods::get_balance, std::move(inquiry), context);
  if (!reply) {
    *response.mutable_decline() = no_answer(reply.error());
  } else if (reply->has_refusal()) {
    *response.mutable_decline() = decline_by_bank(reply->refusal());
  } else {
    *response.mutable_balance() = reply->balance();
  }
  co_return response;
}

Task<v1::ListStatementResponse> AtmService::list_statement(v1::ListStatementRequest request,
                                                           rpc::Context context) {
  v1::ListStatementResponse response;
  const std::optional<Customer> asking = customer(request.session_id(), context);
  if (!asking) {
    *response.mutable_decline() = no_session();
    co_return response;
  }
  wire::ListStatementRequest inquiry;
  inquiry.set_terminal_id(asking->terminal->id());
  inquiry.set_card_number(asking->session.card);
  inquiry.set_token(asking->session.token);
  inquiry.set_page_size(request.page_size());
  inquiry.set_page_token(request.page_token());
  const rpc::Reply<wire::ListStatementResponse> reply =
      co_await machinery_.bank.try_call(bank_methods::list_statement, std::move(inquiry), context);
  if (!reply) {
    *response.mutable_decline() = no_answer(reply.error());
  } else if (reply->has_refusal()) {
    *response.mutable_decline() = decline_by_bank(reply->refusal());
  } else {
    *response.mutable_statement() = reply->statement();
  }
  co_return response;
}

Task<v1::EndSessionResponse> AtmService::end_session(v1::EndSessionRequest request,
                                                     rpc::Context context) {
  const std::optional<Customer> asking = customer(request.session_id(), context);
  if (asking) asking->terminal->end_session();
  co_return v1::EndSessionResponse();
}

}  // namespace atm
