#include "town.h"

#include <array>
#include <span>
#include <utility>

namespace sim {
namespace {

using rpc::Method;

constexpr Method<words::InsertCardRequest, words::InsertCardResponse> insert_card_method{
    "atm.v1.AtmService/InsertCard"};
constexpr Method<words::WithdrawRequest, words::WithdrawResponse> withdraw_method{
    "atm.v1.AtmService/Withdraw"};
constexpr Method<words::DepositRequest, words::DepositResponse> deposit_method{
    "atm.v1.AtmService/Deposit"};
constexpr Method<words::TransferRequest, words::TransferResponse> transfer_method{
    "atm.v1.AtmService/Transfer"};
constexpr Method<words::ChangePinRequest, words::ChangePinResponse> change_pin_method{
    "atm.v1.AtmService/ChangePin"};
constexpr Method<words::EndSessionRequest, words::EndSessionResponse> end_session_method{
    "atm.v1.AtmService/EndSession"};
constexpr Method<words::ResolveRequest, words::ResolveResponse> resolve_method{
    "atm.v1.AtmService/Resolve"};
constexpr Method<words::SetServiceRequest, words::SetServiceResponse> set_service_method{
    "atm.v1.StaffService/SetService"};

constexpr std::array<const char*, 4> pins = {"4826", "7391", "2580", "9174"};

std::string bytes_of(const OperationId& id) { return std::string(id.view()); }

void set_money(bank::v1::Money* money, std::int64_t cents) {
  money->set_minor_units(cents);
  money->set_currency("EUR");
}

// A no about this very id, which later tries cannot turn into a yes. Others are about the moment: a busy terminal, a session that
// has ended.
bool is_final(const words::Decline& decline) {
  switch (decline.code()) {
    case words::DECLINE_CODE_BY_BANK:
    case words::DECLINE_CODE_BANK_SILENT:
    case words::DECLINE_CODE_DISPENSER_FAULT:
    case words::DECLINE_CODE_ID_FENCED:
    case words::DECLINE_CODE_CANCELLED:
      return true;
    default:
      return false;
  }
}

using Answer = Errand::Told;

std::optional<Answer> declined(const words::Decline& decline) {
  if (!is_final(decline)) return std::nullopt;
  return Answer{.is = Answer::Is::declined, .text = decline.message()};
}
Answer done(std::int64_t amount, bool is_credited = true) {
  return Answer{
      .is = Answer::Is::done, .amount = amount, .is_credited = is_credited, .text = "done"};
}
Answer in_suspense(std::int64_t amount) {
  return Answer{.is = Answer::Is::suspense, .amount = amount, .text = "in suspense"};
}

std::optional<Answer> told_by(const words::WithdrawResponse& response) {
  if (response.has_withdrawn()) return done(response.withdrawn().amount().minor_units());
  if (response.has_suspense()) return in_suspense(response.suspense().amount().minor_units());
  return declined(response.decline());
}
std::optional<Answer> told_by(const words::DepositResponse& response) {
  if (response.has_deposited()) {
    return done(response.deposited().amount().minor_units(), response.deposited().credited());
  }
  if (response.has_suspense()) return in_suspense(response.suspense().amount().minor_units());
  return declined(response.decline());
}
std::optional<Answer> told_by(const words::ChangePinResponse& response) {
  if (response.has_changed()) return done(0);
  return declined(response.decline());
}
std::optional<Answer> told_by(const words::TransferResponse& response) {
  if (response.has_transferred()) return done(response.transferred().amount().minor_units());
  return declined(response.decline());
}

}  // namespace

struct Town::Session {
  std::size_t card = 0;
  std::unique_ptr<rpc::Client> client;
  std::string terminal;
  std::string id;  // Empty: no card is in.
};

Town::Town(World& world, TownPlan plan, Wallet& cards)
    : world_(world),
      plan_(std::move(plan)),
      cards_(cards),
      loop_(world, Host::town),
      tasks_(loop_),
      for_ever_(loop_) {}

OperationId Town::make_id() {
  std::array<std::uint8_t, 10> chance{};
  world_.random().fill(std::as_writable_bytes(std::span(chance)));
  return OperationId::make(ledger::Instant(loop_.wall_now().time_since_epoch()), chance);
}

std::unique_ptr<rpc::Client> Town::make_client() {
  rpc::ClientOptions options;
  options.endpoints = {async::Endpoint::parse("atm:7002")};
  return std::make_unique<rpc::Client>(loop_, std::move(options), world_.random());
}

void Town::tell(Errand* errand, Answer told) {
  world_.tell("the customer is told of {}: {} {}", errand->id.text(), told.text, told.amount);
  errand->told.push_back(std::move(told));
}

void Town::go() {
  for (std::size_t card = 0; card < cards_.size(); ++card) tasks_.spawn(live(card));
  if (plan_.emptyings_per_terminal == 0) return;
  for (const std::string& terminal : plan_.terminals) tasks_.spawn(look_after(terminal));
}

Task<> Town::live(std::size_t card) {
  Session session{.card = card, .client = make_client(), .terminal = {}, .id = {}};
  for (int i = 0; i < plan_.errands_per_customer; ++i) {
    const Duration pause = world_.between(Duration(0), plan_.pause_max);
    co_await loop_.sleep_for(pause);
    Errand* const errand = think_of_an_errand(session);
    co_await run(&session, errand);
    // Most make room for others. Some leave their line, some their card.
    if (world_.chance(700)) co_await leave(&session);
    if (world_.chance(200)) session.client = make_client();
    if (world_.chance(300)) session.id.clear();
  }
  co_await leave(&session);
}

Task<> Town::leave(Session* session) {
  if (session->id.empty()) co_return;
  words::EndSessionRequest request;
  request.set_session_id(std::exchange(session->id, {}));
  rpc::Context context(loop_.in(2s));
  co_await session->client->try_call(end_session_method, std::move(request), std::move(context));
}

Errand* Town::think_of_an_errand(const Session& session) {
  auto errand = std::make_unique<Errand>();
  errand->id = make_id();
  errand->account = cards_[session.card].account;
  const std::uint64_t what = world_.below(11);
  if (what < 6) {
    errand->kind = Errand::Kind::withdrawal;
    errand->amount = static_cast<std::int64_t>(10'00 * (1 + world_.below(12)));
  } else if (what < 8) {
    errand->kind = Errand::Kind::deposit;
    errand->notes.add(ledger::Cents{20'00}, static_cast<std::int64_t>(1 + world_.below(4)));
    errand->notes.add(ledger::Cents{50'00}, static_cast<std::int64_t>(world_.below(3)));
    errand->amount = errand->notes.amount().value;
  } else if (what == 10) {
    errand->kind = Errand::Kind::change_of_pin;
    errand->new_pin = pins[world_.below(pins.size())];
  } else {
    errand->kind = Errand::Kind::transfer;
    errand->target = plan_.accounts[world_.below(plan_.accounts.size())];
    errand->amount = static_cast<std::int64_t>(1 + world_.below(60'00));
  }
  errands_.push_back(std::move(errand));
  return errands_.back().get();
}

Task<bool> Town::insert_card(Session* session) {
  const Card card = cards_[session->card];
  session->terminal = plan_.terminals[world_.below(plan_.terminals.size())];
  words::InsertCardRequest request;
  request.set_terminal_id(session->terminal);
  request.set_card_number(card.number);
  request.set_pin(card.pin);
  rpc::Context context(loop_.in(5s));
  const rpc::Reply<words::InsertCardResponse> reply = co_await session->client->try_call(
      insert_card_method, std::move(request), std::move(context));
  if (reply && reply->decline().code() == words::DECLINE_CODE_OUT_OF_SERVICE) {
    // Staff come and look whether notes lie in the slot.
    words::SetServiceRequest looked;
    looked.set_terminal_id(session->terminal);
    looked.set_in_service(true);
    rpc::Context briefly(loop_.in(5s));
    co_await session->client->try_call(set_service_method, std::move(looked), std::move(briefly));
  }
  if (!reply) co_return false;
  // Of two PINs the other may be the right one.
  Card& mine = cards_[session->card];
  const bool is_wrong = reply->decline().tries_left() > 0;
  if (is_wrong && !mine.perhaps_pin.empty()) std::swap(mine.pin, mine.perhaps_pin);
  if (!reply->has_session()) co_return false;
  session->id = reply->session().session_id();
  co_return true;
}

// The same id until something is told for sure, or until the customer has had enough.
Task<> Town::run(Session* session, Errand* errand) {
  const std::uint64_t tries_max = 1 + world_.below(5);
  for (std::uint64_t tries = 0; tries < tries_max; ++tries) {
    if (session->id.empty()) {
      const bool is_in = co_await insert_card(session);
      if (!is_in) {
        const Duration pause = world_.between(200ms, 3s);
        co_await loop_.sleep_for(pause);
        continue;
      }
    }
    if (errand->terminal.empty()) {
      errand->terminal = session->terminal;
      errand->asked_first = loop_.now();
      world_.tell("{} wants {} {} {} of {} at {}", cards_[session->card].number,
                  static_cast<int>(errand->kind), errand->id.text(), errand->amount,
                  errand->account, errand->terminal);
    }
    const bool is_told = co_await ask(session, errand);
    // Even who knows asks again at times: the answer must be the same.
    if (is_told && !world_.chance(150)) co_return;
    if (world_.chance(150)) {
      co_await resolve(session->client.get(), errand, false);
    }
    const Duration pause = world_.between(10ms, 2s);
    co_await loop_.sleep_for(pause);
  }
}

Task<bool> Town::ask(Session* session, Errand* errand) {
  const Duration patience = world_.between(plan_.patience_min, plan_.patience_max);
  rpc::Context context(loop_.in(patience));
  std::optional<Answer> told;
  bool is_session_over = false;
  const auto take = [&](const auto& reply) {
    if (!reply) return;
    told = told_by(*reply);
    is_session_over = reply->decline().code() == words::DECLINE_CODE_NO_SESSION;
  };
  if (errand->kind == Errand::Kind::withdrawal) {
    words::WithdrawRequest request;
    request.set_id(bytes_of(errand->id));
    request.set_session_id(session->id);
    set_money(request.mutable_amount(), errand->amount);
    const rpc::Reply<words::WithdrawResponse> reply =
        co_await session->client->try_call(withdraw_method, std::move(request), std::move(context));
    take(reply);
  } else if (errand->kind == Errand::Kind::deposit) {
    words::DepositRequest request;
    request.set_id(bytes_of(errand->id));
    request.set_session_id(session->id);
    for (const Notes::Entry& entry : errand->notes) {
      words::Notes& notes = *request.add_notes();
      set_money(notes.mutable_denomination(), entry.denomination.value);
      notes.set_count(static_cast<std::uint32_t>(entry.count));
    }
    const rpc::Reply<words::DepositResponse> reply =
        co_await session->client->try_call(deposit_method, std::move(request), std::move(context));
    take(reply);
  } else if (errand->kind == Errand::Kind::change_of_pin) {
    Card& card = cards_[session->card];
    words::ChangePinRequest request;
    request.set_id(bytes_of(errand->id));
    request.set_session_id(session->id);
    request.set_old_pin(card.pin);
    request.set_new_pin(errand->new_pin);
    if (card.pin != errand->new_pin) card.perhaps_pin = errand->new_pin;
    const rpc::Reply<words::ChangePinResponse> reply = co_await session->client->try_call(
        change_pin_method, std::move(request), std::move(context));
    take(reply);
  } else {
    words::TransferRequest request;
    request.set_id(bytes_of(errand->id));
    request.set_session_id(session->id);
    request.set_target_account_id(errand->target);
    set_money(request.mutable_amount(), errand->amount);
    const rpc::Reply<words::TransferResponse> reply =
        co_await session->client->try_call(transfer_method, std::move(request), std::move(context));
    take(reply);
  }
  if (is_session_over) session->id.clear();
  const bool is_told = told.has_value();
  if (is_told) {
    if (errand->kind == Errand::Kind::change_of_pin)
      learn_pin(cards_[session->card], *errand, *told);
    tell(errand, *std::move(told));
  }
  co_return is_told;
}

// A PIN that was changed is known. Of one that was not, the customer only knows that it may still be the old one.
void Town::learn_pin(Card& card, const Errand& errand, const Answer& told) {
  if (told.is != Answer::Is::done || card.pin == errand.new_pin) return;
  card.perhaps_pin = std::exchange(card.pin, errand.new_pin);
}

Task<bool> Town::resolve(rpc::Client* client, Errand* errand, bool at_the_end) {
  words::ResolveRequest request;
  request.set_id(bytes_of(errand->id));
  request.set_terminal_id(errand->terminal);
  rpc::Context context(loop_.in(10s));
  const rpc::Reply<words::ResolveResponse> reply =
      co_await client->try_call(resolve_method, std::move(request), std::move(context));
  if (!reply || reply->has_pending()) co_return false;
  Answer told{.is = Answer::Is::declined, .text = reply->declined().message()};
  if (reply->has_withdrawn()) told = done(reply->withdrawn().amount().minor_units());
  if (reply->has_deposited()) {
    told = done(reply->deposited().amount().minor_units(), reply->deposited().credited());
  }
  if (reply->has_transferred()) told = done(reply->transferred().amount().minor_units());
  if (reply->has_suspense()) told = in_suspense(reply->suspense().amount().minor_units());
  if (reply->has_pin_changed()) told = done(0);
  if (reply->has_cannot_know()) {
    told = {.is = Answer::Is::cannot_know, .text = reply->cannot_know().message()};
  }
  if (!at_the_end) {
    tell(errand, std::move(told));
  } else {
    world_.tell("at the end {} is: {} {}", errand->id.text(), told.text, told.amount);
    errand->at_the_end = std::move(told);
  }
  co_return true;
}

Task<> Town::ask_about_everything() {
  const std::unique_ptr<rpc::Client> client = make_client();
  for (const std::unique_ptr<Errand>& errand : errands_) {
    if (errand->terminal.empty()) continue;
    for (int tries = 0; tries < 20; ++tries) {
      const bool is_told = co_await resolve(client.get(), errand.get(), true);
      if (is_told) break;
      co_await loop_.sleep_for(2s);
    }
  }
}

}  // namespace sim
