#include "atm_bank.h"

#include <utility>

#include "impossible_words.h"

namespace atm {
namespace {

template <typename Response>
Response refused(wire::RefusalCode code) {
  Response response;
  response.mutable_refusal()->set_code(code);
  response.mutable_refusal()->set_message(AtmBank::sentence_of(code));
  return response;
}

// Field 1 is the yes of most answers: a receipt. Returns null where there is none.
template <typename Response>
wire::Receipt* receipt_of(Response& response) {
  if constexpr (requires { response.mutable_receipt(); }) {
    return response.has_receipt() ? response.mutable_receipt() : nullptr;
  } else {
    return nullptr;
  }
}

wire::Money euros(std::int64_t cents) {
  wire::Money money;
  money.set_minor_units(cents);
  money.set_currency("EUR");
  return money;
}

}  // namespace

AtmBank::AtmBank(async::ManualLoop& loop) : loop_(loop), never_(loop) {
  state.customers["4000-jane"] = {"Jane Doe", "1234", 100'00};
  state.customers["4000-john"] = {"John Doe", "2345", 500'00};
  state.customers["4000-none"] = {"Anonymous", "3456", 0};
  open();
}

void AtmBank::open() {
  server_ = std::make_unique<rpc::Server>(loop_, rpc::ServerLimits{}, observer_);
  server_->handle<&AtmBank::sign_on>("bank.v1.BankService/SignOn", *this);
  server_->handle<&AtmBank::verify_card>("bank.v1.BankService/VerifyCard", *this);
  server_->handle<&AtmBank::get_balance>("bank.v1.BankService/GetBalance", *this);
  server_->handle<&AtmBank::hold>("bank.v1.BankService/Hold", *this);
  server_->handle<&AtmBank::capture>("bank.v1.BankService/Capture", *this);
  server_->handle<&AtmBank::void_hold>("bank.v1.BankService/Void", *this);
  server_->handle<&AtmBank::suspend>("bank.v1.BankService/Suspend", *this);
  server_->handle<&AtmBank::get_hold>("bank.v1.BankService/GetHold", *this);
  server_->handle<&AtmBank::deposit>("bank.v1.BankService/Deposit", *this);
  server_->handle<&AtmBank::transfer>("bank.v1.BankService/Transfer", *this);
  server_->handle<&AtmBank::change_pin>("bank.v1.BankService/ChangePin", *this);
  server_->handle<&AtmBank::load_cash>("bank.v1.BankService/LoadCash", *this);
  server_->handle<&AtmBank::unload_cash>("bank.v1.BankService/UnloadCash", *this);
  server_->handle<&AtmBank::resolve>("bank.v1.BankService/Resolve", *this);
  server_->serve(loop_.listen(address()));
}

void AtmBank::decide(Hold& hold, const std::string& terminal, std::int64_t paid) {
  if (hold.state != wire::HOLD_STATE_SUSPENDED) return;
  if (paid > 0) {
    end_by_capture(hold, terminal, paid);
  } else {
    end(hold, wire::HOLD_STATE_VOIDED);
  }
}

template <typename Request, typename Response>
async::Task<Response> AtmBank::once(std::string method, Request request,
                                    std::function<Response(const Request&)> decide) {
  asked.push_back(method);
  if constexpr (requires { request.receipt_id(); }) {
    state.receipts[request.id()] = request.receipt_id();
  }
  const auto delay = delays.find(method);
  if (delay != delays.end()) co_await loop_.sleep_for(delay->second);
  if (moods[method] == Mood::silent) co_await never_;
  if (crash_point && crash_point()) co_await never_;
  require_room(method);
  Response response;
  if (moods[method] == Mood::refuses) {
    const wire::RefusalCode code = refusal.at(method);
    const auto refuse = [code](const Request&) { return refused<Response>(code); };
    response = answer<Request, Response>(method, std::move(request), refuse);
  } else if (moods[method] != Mood::mumbles) {
    response = answer(method, std::move(request), decide);
  }
  mumbled(method, response);
  if (crash_point && crash_point()) co_await never_;
  if (moods[method] == Mood::reply_lost) co_await never_;
  co_return response;
}

// What this program does not know: field 15 of the response.
template <typename Response>
bool AtmBank::mumbled(const std::string& method, Response& response) {
  if (moods[method] == Mood::does_and_speaks_of_yen) speak_of_yen(response);
  if (moods[method] == Mood::does_and_says_no_number) say_no_number(response);
  if (moods[method] != Mood::mumbles && moods[method] != Mood::does_and_mumbles) return false;
  response.Clear();
  response.GetReflection()->MutableUnknownFields(&response)->AddLengthDelimited(15, "");
  return true;
}

// Idempotency comes before the token, as everywhere in bankd: a retry gets its first answer without
// it.
template <typename Request, typename Response>
Response AtmBank::answer(const std::string& method, Request request,
                         const std::function<Response(const Request&)>& decide) {
  Pinned pinned{.terminal = request.terminal_id(), .method = method, .fields = compared(request)};
  const auto before = state.answers.find(request.id());
  if (before != state.answers.end()) return first_answer<Response>(before->second, pinned);
  if constexpr (requires { request.token(); }) require_token(request);
  Response decided = decide(request);
  // Those that leave the id unused.
  const wire::RefusalCode code = decided.refusal().code();
  if (decided.has_refusal() && code < wire::REFUSAL_CODE_ACCOUNT_NOT_FOUND) return decided;
  next_seq();
  pinned.seq = static_cast<std::uint64_t>(seq());
  if (wire::Receipt* const receipt = receipt_of(decided)) receipt->set_ledger_seq(pinned.seq);
  if (decided.has_refusal()) decided.mutable_refusal()->set_ledger_seq(pinned.seq);
  if constexpr (requires { decided.changed(); }) {
    if (decided.has_changed()) decided.mutable_changed()->set_ledger_seq(pinned.seq);
  }
  pinned.response = decided.SerializeAsString();
  state.answers[request.id()] = std::move(pinned);
  return decided;
}

template <typename Response>
Response AtmBank::first_answer(const Pinned& first, const Pinned& wanted) {
  if (first.method.empty()) return refused<Response>(wire::REFUSAL_CODE_ID_FENCED);
  if (first.terminal != wanted.terminal) {
    return refused<Response>(wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER);
  }
  if (first.method != wanted.method || first.fields != wanted.fields) {
    return refused<Response>(wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS);
  }
  Response again;
  again.ParseFromString(first.response);
  if (wire::Receipt* const receipt = receipt_of(again)) receipt->set_replayed(true);
  if constexpr (requires { again.changed(); }) {
    if (again.has_changed()) again.mutable_changed()->set_replayed(true);
  }
  return again;
}

wire::Balance AtmBank::balance_of(const std::string& card) {
  const Customer& customer = state.customers.at(card);
  wire::Balance balance;
  *balance.mutable_balance() = euros(customer.balance);
  *balance.mutable_available() = euros(customer.balance - customer.held);
  return balance;
}

// Minus the cash inside.
wire::Balance AtmBank::cash_account(const std::string& terminal) {
  wire::Balance balance;
  *balance.mutable_balance() = euros(-state.cash[terminal]);
  *balance.mutable_available() = balance.balance();
  return balance;
}

void AtmBank::end(Hold& hold, wire::HoldState as) {
  state.customers.at(hold.card).held -= hold.amount;
  hold.state = as;
}

void AtmBank::end_by_capture(Hold& hold, const std::string& terminal, std::int64_t amount) {
  end(hold, wire::HOLD_STATE_CAPTURED);
  hold.captured = amount;
  state.customers.at(hold.card).balance -= amount;
  state.cash[terminal] -= amount;
}

template <typename Response>
std::optional<Response> AtmBank::wrong_hold(const std::string& hold_id,
                                            const std::string& terminal) {
  const auto known = state.answers.find(hold_id);
  if (known != state.answers.end() && known->second.terminal != terminal) {
    return refused<Response>(wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER);
  }
  const auto hold = state.holds.find(hold_id);
  if (hold == state.holds.end()) {
    return refused<Response>(wire::REFUSAL_CODE_HOLD_NOT_FOUND);
  }
  if (hold->second.state == wire::HOLD_STATE_CAPTURED) {
    return refused<Response>(wire::REFUSAL_CODE_HOLD_ALREADY_CAPTURED);
  }
  if (hold->second.state == wire::HOLD_STATE_VOIDED) {
    return refused<Response>(wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED);
  }
  return std::nullopt;
}

template <typename Request>
void AtmBank::require_token(const Request& request) const {
  if (request.token() == token_of(request.card_number(), request.terminal_id())) return;
  throw rpc::Error(rpc::StatusCode::unauthenticated, "not this customer's token");
}

template <typename Response>
std::optional<Response> AtmBank::wrong_pin(Customer& customer, const std::string& pin) {
  if (customer.tries_left == 0) {
    return refused<Response>(wire::REFUSAL_CODE_PIN_TRIES_EXCEEDED);
  }
  if (pin == customer.pin) return std::nullopt;
  auto no = refused<Response>(wire::REFUSAL_CODE_PIN_WRONG);
  no.set_tries_left(--customer.tries_left);
  no.mutable_refusal()->set_left_count(customer.tries_left);
  return no;
}

template <typename Response>
std::optional<Response> AtmBank::no_such_terminal(const std::string& terminal) const {
  if (terminals.contains(terminal)) return std::nullopt;
  return refused<Response>(wire::REFUSAL_CODE_TERMINAL_NOT_FOUND);
}

async::Task<wire::SignOnResponse> AtmBank::sign_on(wire::SignOnRequest request, rpc::Context) {
  if (moods["SignOn"] == Mood::silent) co_await never_;
  if (ignored_terminals.contains(request.terminal_id())) co_await never_;
  if (delays.contains("SignOn")) co_await loop_.sleep_for(delays.at("SignOn"));
  signing_on(request.terminal_id());
  if (moods["SignOn"] == Mood::refuses) {
    co_return refused<wire::SignOnResponse>(refusal.at("SignOn"));
  }
  wire::SignOnResponse response;
  if (mumbled("SignOn", response)) co_return response;
  if (auto no = no_such_terminal<wire::SignOnResponse>(request.terminal_id())) co_return *no;
  wire::SignedOn& signed_on = *response.mutable_signed_on();
  signed_on.set_instance_id(state.instance);
  signed_on.set_ledger_seq(static_cast<std::uint64_t>(seq()));
  signed_on.set_chain_head(state.heads.back());
  const std::uint64_t seen = request.seen_ledger_seq();
  const bool knows = seen < state.heads.size() && state.heads[seen] == request.seen_chain_head();
  signed_on.set_history_agrees(request.seen_chain_head().empty() || knows);
  signed_on.set_in_service(state.in_service);
  *signed_on.mutable_cash() = euros(state.cash[request.terminal_id()]);
  signed_on.mutable_cash()->set_currency(cash_currency);
  if (delays.contains("SignedOn")) co_await loop_.sleep_for(delays.at("SignedOn"));
  ++signed_on_count;
  co_return response;
}

async::Task<wire::VerifyCardResponse> AtmBank::verify_card(wire::VerifyCardRequest request,
                                                           rpc::Context) {
  asked.emplace_back("VerifyCard");
  if (delays.contains("VerifyCard")) co_await loop_.sleep_for(delays.at("VerifyCard"));
  if (moods["VerifyCard"] == Mood::silent) co_await never_;
  require_room("VerifyCard");
  wire::VerifyCardResponse response;
  if (mumbled("VerifyCard", response)) co_return response;
  if (auto no = no_such_terminal<wire::VerifyCardResponse>(request.terminal_id())) co_return *no;
  Customer stranger;  // Whose PIN nobody types.
  stranger.pin = "?";
  const auto customer = state.customers.find(request.card_number());
  const bool is_known = customer != state.customers.end();
  if (auto no = wrong_pin<wire::VerifyCardResponse>(is_known ? customer->second : stranger,
                                                    request.pin())) {
    if (is_known) next_seq();
    co_return *no;
  }
  // The right one after a wrong one is written down.
  if (std::exchange(customer->second.tries_left, pin_tries) < pin_tries) next_seq();
  response.mutable_verified()->set_token(token_of(request.card_number(), request.terminal_id()));
  response.mutable_verified()->set_account_id(request.card_number());
  response.mutable_verified()->set_customer_name(customer->second.name);
  response.mutable_verified()->set_currency(account_currency);
  co_return response;
}

async::Task<wire::GetBalanceResponse> AtmBank::get_balance(wire::GetBalanceRequest request,
                                                           rpc::Context) {
  asked.emplace_back("GetBalance");
  if (moods["GetBalance"] == Mood::silent) co_await never_;
  wire::GetBalanceResponse response;
  if (mumbled("GetBalance", response)) co_return response;
  require_token(request);
  *response.mutable_balance() = balance_of(request.card_number());
  response.set_ledger_seq(static_cast<std::uint64_t>(seq()));
  co_return response;
}

async::Task<wire::HoldResponse> AtmBank::hold(wire::HoldRequest request, rpc::Context) {
  return once<wire::HoldRequest, wire::HoldResponse>(
      "Hold", std::move(request), [this](const wire::HoldRequest& asked_for) {
        Customer& customer = state.customers.at(asked_for.card_number());
        const std::int64_t amount = asked_for.amount().minor_units();
        if (amount > customer.balance - customer.held) {
          return refused<wire::HoldResponse>(wire::REFUSAL_CODE_INSUFFICIENT_FUNDS);
        }
        customer.held += amount;
        Hold& hold = state.holds[asked_for.id()];
        hold.card = asked_for.card_number();
        hold.terminal = asked_for.terminal_id();
        hold.amount = amount;
        wire::HoldResponse response;
        *response.mutable_receipt()->mutable_balance() = balance_of(asked_for.card_number());
        return response;
      });
}

async::Task<wire::CaptureResponse> AtmBank::capture(wire::CaptureRequest request, rpc::Context) {
  return once<wire::CaptureRequest, wire::CaptureResponse>(
      "Capture", std::move(request), [this](const wire::CaptureRequest& asked_for) {
        const std::string& terminal = asked_for.terminal_id();
        if (auto no = wrong_hold<wire::CaptureResponse>(asked_for.hold_id(), terminal)) return *no;
        Hold& hold = state.holds.at(asked_for.hold_id());
        if (asked_for.amount().minor_units() > hold.amount) {
          return refused<wire::CaptureResponse>(wire::REFUSAL_CODE_CAPTURE_EXCEEDS_HOLD);
        }
        end_by_capture(hold, terminal, asked_for.amount().minor_units());
        wire::CaptureResponse response;
        *response.mutable_receipt()->mutable_balance() = balance_of(hold.card);
        return response;
      });
}

async::Task<wire::VoidResponse> AtmBank::void_hold(wire::VoidRequest request, rpc::Context) {
  return once<wire::VoidRequest, wire::VoidResponse>(
      "Void", std::move(request), [this](const wire::VoidRequest& asked_for) {
        const std::string& terminal = asked_for.terminal_id();
        const auto known = state.answers.find(asked_for.hold_id());
        const bool is_ours = known == state.answers.end() || known->second.terminal == terminal;
        const bool was_never_held =
            known != state.answers.end() && !state.holds.contains(asked_for.hold_id());
        wire::VoidResponse response;
        response.mutable_receipt();
        if (known == state.answers.end()) fence(asked_for.hold_id(), terminal);
        if (known == state.answers.end() || (is_ours && known->second.method.empty())) {
          response.set_hold_was_unknown(true);
          return response;
        }
        if (is_ours && was_never_held && known->second.method == "Hold") return response;
        if (auto no = wrong_hold<wire::VoidResponse>(asked_for.hold_id(), terminal)) return *no;
        Hold& hold = state.holds.at(asked_for.hold_id());
        end(hold, wire::HOLD_STATE_VOIDED);
        *response.mutable_receipt()->mutable_balance() = balance_of(hold.card);
        return response;
      });
}

async::Task<wire::SuspendResponse> AtmBank::suspend(wire::SuspendRequest request, rpc::Context) {
  return once<wire::SuspendRequest, wire::SuspendResponse>(
      "Suspend", std::move(request), [this](const wire::SuspendRequest& asked_for) {
        const std::string& terminal = asked_for.terminal_id();
        if (auto no = wrong_hold<wire::SuspendResponse>(asked_for.hold_id(), terminal)) return *no;
        Hold& hold = state.holds.at(asked_for.hold_id());
        hold.state = wire::HOLD_STATE_SUSPENDED;
        hold.evidence = asked_for.evidence();
        hold.planned = asked_for.planned();
        wire::SuspendResponse response;
        *response.mutable_receipt()->mutable_balance() = balance_of(hold.card);
        return response;
      });
}

async::Task<wire::GetHoldResponse> AtmBank::get_hold(wire::GetHoldRequest request, rpc::Context) {
  asked.emplace_back("GetHold");
  if (moods["GetHold"] == Mood::silent) co_await never_;
  const auto found = state.holds.find(request.hold_id());
  if (found == state.holds.end() || found->second.terminal != request.terminal_id()) {
    co_return refused<wire::GetHoldResponse>(wire::REFUSAL_CODE_HOLD_NOT_FOUND);
  }
  const Hold& hold = found->second;
  wire::GetHoldResponse response;
  if (mumbled("GetHold", response)) co_return response;
  response.mutable_hold()->set_state(hold.state);
  *response.mutable_hold()->mutable_amount() = euros(hold.amount);
  *response.mutable_hold()->mutable_captured() = euros(hold.captured);
  telling_hold(*response.mutable_hold());
  mumbled("GetHold", response);
  co_return response;
}

async::Task<wire::DepositResponse> AtmBank::deposit(wire::DepositRequest request, rpc::Context) {
  deposits_kept.push_back(request.kept());
  return once<wire::DepositRequest, wire::DepositResponse>(
      "Deposit", std::move(request), [this](const wire::DepositRequest& asked_for) {
        if (!state.customers.contains(asked_for.card_number())) {
          return refused<wire::DepositResponse>(wire::REFUSAL_CODE_CARD_NOT_FOUND);
        }
        if (auto no = no_such_terminal<wire::DepositResponse>(asked_for.terminal_id())) return *no;
        state.customers.at(asked_for.card_number()).balance += asked_for.amount().minor_units();
        state.cash[asked_for.terminal_id()] += asked_for.amount().minor_units();
        wire::DepositResponse response;
        *response.mutable_receipt()->mutable_balance() = balance_of(asked_for.card_number());
        return response;
      });
}

async::Task<wire::TransferResponse> AtmBank::transfer(wire::TransferRequest request, rpc::Context) {
  return once<wire::TransferRequest, wire::TransferResponse>(
      "Transfer", std::move(request), [this](const wire::TransferRequest& asked_for) {
        const auto target = state.customers.find(asked_for.target_account_id());
        if (target == state.customers.end()) {
          return refused<wire::TransferResponse>(wire::REFUSAL_CODE_ACCOUNT_NOT_FOUND);
        }
        if (asked_for.card_number() == asked_for.target_account_id()) {
          return refused<wire::TransferResponse>(wire::REFUSAL_CODE_ACCOUNTS_MUST_DIFFER);
        }
        Customer& source = state.customers.at(asked_for.card_number());
        if (asked_for.amount().minor_units() > source.balance - source.held) {
          return refused<wire::TransferResponse>(wire::REFUSAL_CODE_INSUFFICIENT_FUNDS);
        }
        source.balance -= asked_for.amount().minor_units();
        target->second.balance += asked_for.amount().minor_units();
        wire::TransferResponse response;
        *response.mutable_receipt()->mutable_balance() = balance_of(asked_for.card_number());
        return response;
      });
}

async::Task<wire::ChangePinResponse> AtmBank::change_pin(wire::ChangePinRequest request,
                                                         rpc::Context) {
  return once<wire::ChangePinRequest, wire::ChangePinResponse>(
      "ChangePin", std::move(request), [this](const wire::ChangePinRequest& asked_for) {
        Customer& customer = state.customers.at(asked_for.card_number());
        if (auto no = wrong_pin<wire::ChangePinResponse>(customer, asked_for.old_pin())) return *no;
        customer.tries_left = pin_tries;
        customer.pin = asked_for.new_pin();
        wire::ChangePinResponse response;
        response.mutable_changed();
        return response;
      });
}

async::Task<wire::LoadCashResponse> AtmBank::load_cash(wire::LoadCashRequest request,
                                                       rpc::Context) {
  return once<wire::LoadCashRequest, wire::LoadCashResponse>(
      "LoadCash", std::move(request), [this](const wire::LoadCashRequest& asked_for) {
        const std::string& terminal = asked_for.terminal_id();
        if (auto no = no_such_terminal<wire::LoadCashResponse>(terminal)) return *no;
        state.cash[terminal] += asked_for.amount().minor_units();
        wire::LoadCashResponse response;
        *response.mutable_receipt()->mutable_balance() = cash_account(terminal);
        return response;
      });
}

async::Task<wire::UnloadCashResponse> AtmBank::unload_cash(wire::UnloadCashRequest request,
                                                           rpc::Context) {
  return once<wire::UnloadCashRequest, wire::UnloadCashResponse>(
      "UnloadCash", std::move(request), [this](const wire::UnloadCashRequest& asked_for) {
        const std::string& terminal = asked_for.terminal_id();
        if (auto no = no_such_terminal<wire::UnloadCashResponse>(terminal)) return *no;
        state.cash[terminal] -= asked_for.amount().minor_units();
        wire::UnloadCashResponse response;
        *response.mutable_receipt()->mutable_balance() = cash_account(terminal);
        return response;
      });
}

async::Task<wire::ResolveResponse> AtmBank::resolve(wire::ResolveRequest request, rpc::Context) {
  asked.emplace_back("Resolve");
  if (moods["Resolve"] == Mood::silent) co_await never_;
  if (moods["Resolve"] == Mood::refuses) {
    co_return refused<wire::ResolveResponse>(refusal.at("Resolve"));
  }
  wire::ResolveResponse response;
  if (moods["Resolve"] == Mood::mumbles && mumbled("Resolve", response)) co_return response;
  const std::string id = known_by(request.id());
  if (!state.answers.contains(id)) fence(id, request.terminal_id());
  const Pinned& known = state.answers.at(id);
  if (!known.method.empty() && known.terminal != request.terminal_id()) {
    co_return refused<wire::ResolveResponse>(wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER);
  }
  // Every answer has its receipt, or what was changed, in field 1, and its refusal in field 2.
  wire::DepositResponse first;
  first.ParseFromString(known.response);
  if (known.method.empty()) {
    response.mutable_fenced()->set_ledger_seq(known.seq);
  } else if (first.has_refusal()) {
    *response.mutable_refused() = first.refusal();
  } else {
    *response.mutable_executed() = first.receipt();
    response.mutable_executed()->set_replayed(true);
    describe(*response.mutable_change(), id);
  }
  mumbled("Resolve", response);
  if (moods["Resolve"] == Mood::reply_lost) co_await never_;
  co_return response;
}

}  // namespace atm
