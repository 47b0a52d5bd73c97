#include "office.h"

#include <array>
#include <span>
#include <utility>

namespace sim {
namespace {

void set_money(wire::Money* money, std::int64_t cents) {
  money->set_minor_units(cents);
  money->set_currency("EUR");
}

const std::string bank_service = "bank.v1.BankService/";
const std::string operator_service = "bank.v1.OperatorService/";

}  // namespace

Office::Office(World& world, OfficePlan plan, Wallet& cards, Paid paid)
    : world_(world),
      plan_(std::move(plan)),
      cards_(cards),
      paid_(std::move(paid)),
      loop_(world, Host::office),
      tasks_(loop_),
      for_ever_(loop_) {}

std::string Office::make_id() {
  std::array<std::uint8_t, 10> chance{};
  world_.random().fill(std::as_writable_bytes(std::span(chance)));
  const ledger::Instant now(loop_.wall_now().time_since_epoch());
  return std::string(OperationId::make(now, chance).view());
}

std::unique_ptr<rpc::Client> Office::make_client() {
  rpc::ClientOptions options;
  options.endpoints = {async::Endpoint::parse("bank:7001")};
  return std::make_unique<rpc::Client>(loop_, std::move(options), world_.random());
}

// Only silence is retried. One in a few is sent twice at once: the second must change nothing.
template <typename Response, typename Request>
Task<Response> Office::until_answered(rpc::Client* client, std::string method, Request request,
                                      Observed* observed) {
  observed->asked = loop_.now();
  if constexpr (requires { request.id(); }) {
    observed->id = OperationId::from_bytes(request.id()).value_or(OperationId());
  }
  while (true) {
    const Duration patience = world_.between(300ms, 4s);
    Response response;
    auto call = client->exchange(method, request, response, rpc::Context(loop_.in(patience)));
    const rpc::Status status = co_await call;
    if (status.is_ok()) {
      observed->answered = loop_.now();
      co_return response;
    }
    if (status.code == rpc::StatusCode::unauthenticated) throw rpc::Error(status);
    const Duration pause = world_.between(20ms, 800ms);
    co_await loop_.sleep_for(pause);
  }
}

void Office::remember(Observed observed, const wire::Receipt& receipt, std::string account) {
  observed.ledger_seq = receipt.ledger_seq();
  if (receipt.has_balance()) {
    observed.account = std::move(account);
    observed.balance = receipt.balance().balance().minor_units();
    observed.available = receipt.balance().available().minor_units();
  }
  history_.push_back(std::move(observed));
}

void Office::remember(Observed observed, const wire::Done& done) {
  observed.ledger_seq = done.ledger_seq();
  history_.push_back(std::move(observed));
}

void Office::remember_no(Observed observed) {
  observed.is_yes = false;
  history_.push_back(std::move(observed));
}

template <typename Response, typename Request>
Task<> Office::change(rpc::Client* client, std::string method, Request request) {
  Observed observed;
  request.set_id(make_id());
  const std::string path = operator_service + method;
  const Response response =
      co_await until_answered<Response>(client, path, std::move(request), &observed);
  if (response.has_done()) {
    remember(std::move(observed), response.done());
  } else {
    remember_no(std::move(observed));
  }
}

Task<> Office::open_the_bank() {
  const std::unique_ptr<rpc::Client> client = make_client();
  for (const std::string& account : plan_.accounts) {
    wire::OpenAccountRequest open;
    open.set_account_id(account);
    open.set_name("Customer " + account);
    open.set_currency("EUR");
    co_await change<wire::OpenAccountResponse>(client.get(), "OpenAccount", std::move(open));
    wire::FundAccountRequest fund;
    fund.set_id(make_id());
    fund.set_account_id(account);
    set_money(fund.mutable_amount(), plan_.opening);
    Observed observed;
    const wire::FundAccountResponse funded = co_await until_answered<wire::FundAccountResponse>(
        client.get(), operator_service + "FundAccount", std::move(fund), &observed);
    remember(std::move(observed), funded.receipt(), account);
  }
  for (const Card& card : cards_) {
    wire::IssueCardRequest issue;
    issue.set_card_number(card.number);
    issue.set_account_id(card.account);
    issue.set_pin(card.pin);
    set_money(issue.mutable_limits()->mutable_withdrawal_max(), 1'000'00);
    set_money(issue.mutable_limits()->mutable_daily_amount_max(), 2'000'00);
    issue.mutable_limits()->set_daily_count_max(200);
    co_await change<wire::IssueCardResponse>(client.get(), "IssueCard", std::move(issue));
  }
  std::vector<std::string> terminals = plan_.terminals;
  for (int i = 0; i < plan_.foreign_atms; ++i) terminals.push_back(fmt::format("far-{}", i));
  for (const std::string& terminal : terminals) {
    wire::AddTerminalRequest add;
    add.set_terminal_id(terminal);
    add.set_currency("EUR");
    co_await change<wire::AddTerminalResponse>(client.get(), "AddTerminal", std::move(add));
  }
}

void Office::go() {
  for (int i = 0; i < plan_.clerks; ++i) tasks_.spawn(clerk());
  for (int i = 0; i < plan_.foreign_atms; ++i) tasks_.spawn(foreign_atm(fmt::format("far-{}", i)));
}

void Office::watch_exceptions() { for_ever_.spawn(decide_exceptions()); }

Task<> Office::clerk() {
  const std::unique_ptr<rpc::Client> client = make_client();
  for (int i = 0; i < plan_.errands_per_clerk; ++i) {
    const Duration pause = world_.between(Duration(0), 4s);
    co_await loop_.sleep_for(pause);
    const std::uint64_t what = world_.below(14);
    if (what < 6) {
      co_await look_at_an_account(client.get());
    } else if (what < 8) {
      co_await fund(client.get());
    } else if (what < 10) {
      co_await adjust(client.get());
    } else if (what < 11) {
      co_await set_overdraft(client.get());
    } else if (what < 12) {
      co_await freeze_a_while(client.get());
    } else if (what < 13) {
      co_await replace_a_card(client.get());
    } else {
      std::string card = cards_[world_.below(cards_.size())].number;
      co_await unblock(client.get(), std::move(card));
    }
  }
}

Task<> Office::fund(rpc::Client* client) {
  const std::string account = any_account();
  wire::FundAccountRequest request;
  request.set_id(make_id());
  request.set_account_id(account);
  set_money(request.mutable_amount(), static_cast<std::int64_t>(1 + world_.below(50'00)));
  Observed observed;
  const wire::FundAccountResponse response = co_await until_answered<wire::FundAccountResponse>(
      client, operator_service + "FundAccount", std::move(request), &observed);
  if (response.has_refusal()) co_return remember_no(std::move(observed));
  remember(std::move(observed), response.receipt(), account);
}

Task<> Office::adjust(rpc::Client* client) {
  wire::AdjustRequest request;
  request.set_source_account_id(any_account());
  request.set_target_account_id("equity:eur");
  set_money(request.mutable_amount(), static_cast<std::int64_t>(1 + world_.below(30'00)));
  request.set_reason("an adjustment");
  co_await change<wire::AdjustResponse>(client, "Adjust", std::move(request));
}

Task<> Office::set_overdraft(rpc::Client* client) {
  wire::SetOverdraftRequest request;
  request.set_account_id(any_account());
  set_money(request.mutable_overdraft(), static_cast<std::int64_t>(world_.below(200'00)));
  co_await change<wire::SetOverdraftResponse>(client, "SetOverdraft", std::move(request));
}

Task<> Office::freeze_a_while(rpc::Client* client) {
  const std::string account = any_account();
  wire::FreezeAccountRequest freeze;
  freeze.set_account_id(account);
  freeze.set_reason("a question");
  co_await change<wire::FreezeAccountResponse>(client, "FreezeAccount", std::move(freeze));
  const Duration pause = world_.between(100ms, 5s);
  co_await loop_.sleep_for(pause);
  wire::UnfreezeAccountRequest thaw;
  thaw.set_account_id(account);
  thaw.set_reason("answered");
  co_await change<wire::UnfreezeAccountResponse>(client, "UnfreezeAccount", std::move(thaw));
}

Task<> Office::close_account(std::string account) {
  const std::unique_ptr<rpc::Client> client = make_client();
  for (int tries = 0; tries < 4; ++tries) {
    wire::GetAccountRequest look;
    look.set_account_id(account);
    Observed ignored;
    const wire::GetAccountResponse found = co_await until_answered<wire::GetAccountResponse>(
        client.get(), operator_service + "GetAccount", std::move(look), &ignored);
    wire::AdjustRequest payment;
    const std::int64_t balance = found.account().balance().minor_units();
    payment.set_source_account_id(balance > 0 ? account : "equity:eur");
    payment.set_target_account_id(balance > 0 ? "equity:eur" : account);
    set_money(payment.mutable_amount(), balance > 0 ? balance : -balance);
    payment.set_reason("the account is closed");
    if (balance != 0) {
      co_await change<wire::AdjustResponse>(client.get(), "Adjust", std::move(payment));
    }
    wire::CloseAccountRequest close;
    close.set_account_id(account);
    close.set_reason("the customer has left");
    co_await change<wire::CloseAccountResponse>(client.get(), "CloseAccount", std::move(close));
    const Duration pause = world_.between(200ms, 2s);
    co_await loop_.sleep_for(pause);
  }
}

// The customer has the new card as soon as the bank has it.
Task<> Office::replace_a_card(rpc::Client* client) {
  const std::size_t which = world_.below(cards_.size());
  wire::ReplaceCardRequest request;
  request.set_id(make_id());
  request.set_old_card_number(cards_[which].number);
  request.set_new_card_number(fmt::format("41{:014}", ++cards_made_));
  request.set_pin(cards_[which].pin);
  request.set_reason("it was lost");
  wire::ReplaceCardRequest copy = request;
  Observed observed;
  const wire::ReplaceCardResponse response = co_await until_answered<wire::ReplaceCardResponse>(
      client, operator_service + "ReplaceCard", std::move(copy), &observed);
  if (response.has_refusal()) co_return remember_no(std::move(observed));
  world_.tell("{} is replaced by {}", request.old_card_number(), request.new_card_number());
  cards_[which].number = request.new_card_number();
  cards_[which].pin = request.pin();
  cards_[which].perhaps_pin.clear();
  remember(std::move(observed), response.done());
  replaced_.push_back(std::move(request));
}

Task<> Office::unblock(rpc::Client* client, std::string card) {
  wire::UnblockCardRequest request;
  request.set_card_number(std::move(card));
  request.set_reason("the customer came by");
  co_await change<wire::UnblockCardResponse>(client, "UnblockCard", std::move(request));
}

void Office::backup_was_restored(std::uint64_t last_seq) {
  restored_at_ = loop_.now();
  restored_seq_ = last_seq;
  for_ever_.spawn(do_again());
}

template <typename Response, typename Request>
Task<> Office::tell_again(rpc::Client* client, std::string method, std::vector<Request> requests) {
  for (const Request& request : requests) {
    Request again = request;
    Observed ignored;
    co_await until_answered<Response>(client, method, std::move(again), &ignored);
  }
}

// Cards that the backup lacks are made, and holds that it has are ended, under the old ids. No card stays blocked and no account
// frozen because the end of that was lost.
Task<> Office::do_again() {
  const std::unique_ptr<rpc::Client> client = make_client();
  co_await tell_again<wire::ReplaceCardResponse>(client.get(), operator_service + "ReplaceCard",
                                                 replaced_);
  co_await tell_again<wire::CaptureResponse>(client.get(), bank_service + "Capture", captured_);
  co_await tell_again<wire::VoidResponse>(client.get(), bank_service + "Void", voided_);
  for (std::size_t i = 0; i < cards_.size(); ++i) {
    std::string card = cards_[i].number;
    co_await unblock(client.get(), std::move(card));
  }
  for (const std::string& account : plan_.accounts) {
    wire::UnfreezeAccountRequest thaw;
    thaw.set_account_id(account);
    thaw.set_reason("after the backup");
    co_await change<wire::UnfreezeAccountResponse>(client.get(), "UnfreezeAccount",
                                                   std::move(thaw));
  }
}

// Whether it was seen in a history that is no more.
bool Office::is_void(const Observed& observed) const {
  return restored_at_ && observed.asked <= *restored_at_ &&
         (observed.ledger_seq > restored_seq_ || !observed.is_yes);
}

History Office::history() const {
  History seen;
  for (const Observed& observed : history_) {
    if (!is_void(observed)) seen.push_back(observed);
  }
  return seen;
}

Task<> Office::look_at_an_account(rpc::Client* client) {
  wire::GetAccountRequest request;
  request.set_account_id(any_account());
  Observed observed;
  const wire::GetAccountResponse response = co_await until_answered<wire::GetAccountResponse>(
      client, operator_service + "GetAccount", std::move(request), &observed);
  observed.ledger_seq = response.ledger_seq();
  observed.account = response.account().account_id();
  observed.balance = response.account().balance().minor_units();
  observed.available = response.account().available().minor_units();
  history_.push_back(std::move(observed));
}

// Another bank's ATM, as far as ours sees one: it holds, captures and voids, without a journal to lose.
Task<> Office::foreign_atm(std::string terminal) {
  const std::unique_ptr<rpc::Client> client = make_client();
  for (int i = 0; i < plan_.errands_per_clerk; ++i) {
    const Duration pause = world_.between(Duration(0), 4s);
    co_await loop_.sleep_for(pause);
    const Card card = cards_[world_.below(cards_.size())];
    // Three wrong PINs lock a card.
    if (!card.perhaps_pin.empty()) continue;
    wire::VerifyCardRequest verify;
    verify.set_terminal_id(terminal);
    verify.set_card_number(card.number);
    verify.set_pin(card.pin);
    wire::VerifyCardResponse verified;
    const std::string method = bank_service + "VerifyCard";
    auto call = client->exchange(method, verify, verified, rpc::Context(loop_.in(5s)));
    const rpc::Status status = co_await call;
    if (!status.is_ok() || !verified.has_verified()) continue;
    const std::string token = verified.verified().token();
    co_await withdraw_abroad(client.get(), terminal, token, card);
  }
}

Task<> Office::withdraw_abroad(rpc::Client* client, std::string terminal, std::string token,
                               Card card) {
  const auto amount = static_cast<std::int64_t>(1 + world_.below(80'00));
  const std::string hold_id = make_id();
  wire::HoldRequest hold;
  hold.set_id(hold_id);
  hold.set_terminal_id(terminal);
  hold.set_card_number(card.number);
  hold.set_token(token);
  set_money(hold.mutable_amount(), amount);
  hold.set_time_to_live_ms(static_cast<std::uint32_t>(500 + world_.below(60'000)));
  Observed observed;
  bool is_held = false;
  try {
    const wire::HoldResponse held = co_await until_answered<wire::HoldResponse>(
        client, bank_service + "Hold", std::move(hold), &observed);
    is_held = held.has_receipt();
    if (is_held) {
      remember(std::move(observed), held.receipt(), card.account);
    } else {
      remember_no(std::move(observed));
    }
  } catch (const rpc::Error&) {
    // The bank has restarted, and knows the token no more. Whether it held is for the void to say.
  }
  const Duration pause = world_.between(Duration(0), 2s);
  co_await loop_.sleep_for(pause);
  Observed ending;
  if (is_held && world_.chance(700)) {
    wire::CaptureRequest capture;
    capture.set_id(make_id());
    capture.set_terminal_id(terminal);
    capture.set_hold_id(hold_id);
    set_money(capture.mutable_amount(),
              static_cast<std::int64_t>(1 + world_.below(static_cast<std::uint64_t>(amount))));
    wire::CaptureRequest copy = capture;
    const wire::CaptureResponse captured = co_await until_answered<wire::CaptureResponse>(
        client, bank_service + "Capture", std::move(copy), &ending);
    captured_.push_back(std::move(capture));
    if (captured.has_refusal()) co_return remember_no(std::move(ending));
    remember(std::move(ending), captured.receipt(), card.account);
    co_return;
  }
  wire::VoidRequest release;
  release.set_id(make_id());
  release.set_terminal_id(terminal);
  release.set_hold_id(hold_id);
  wire::VoidRequest copy = release;
  const wire::VoidResponse voided = co_await until_answered<wire::VoidResponse>(
      client, bank_service + "Void", std::move(copy), &ending);
  voided_.push_back(std::move(release));
  if (voided.has_refusal()) co_return remember_no(std::move(ending));
  remember(std::move(ending), voided.receipt(), card.account);
}

Task<> Office::decide_exceptions() {
  const std::unique_ptr<rpc::Client> client = make_client();
  while (true) {
    co_await loop_.sleep_for(3s);
    wire::ListExceptionsRequest list;
    Observed ignored;
    const wire::ListExceptionsResponse open = co_await until_answered<wire::ListExceptionsResponse>(
        client.get(), operator_service + "ListExceptions", std::move(list), &ignored);
    for (const wire::ExceptionView& exception : open.exceptions()) {
      if (exception.kind() != wire::EXCEPTION_KIND_SUSPENDED_HOLD) continue;
      const std::string& evidence = exception.evidence();
      const std::size_t place = evidence.find("withdrawal ");
      if (place == std::string::npos) continue;
      const auto id = OperationId::parse(evidence.substr(place + 11, 36));
      if (!id) continue;
      wire::ResolveExceptionRequest decide;
      decide.set_exception_seq(exception.exception_seq());
      set_money(decide.mutable_paid(), paid_(*id));
      decide.set_reason("the camera's tape");
      world_.tell("the operator decides that {} was paid for {}", paid_(*id), id->text());
      co_await change<wire::ResolveExceptionResponse>(client.get(), "ResolveException",
                                                      std::move(decide));
    }
  }
}

Task<std::optional<wire::GetTrialBalanceResponse>> Office::trial_balance() {
  const std::unique_ptr<rpc::Client> client = make_client();
  wire::GetTrialBalanceRequest request;
  wire::GetTrialBalanceResponse response;
  const std::string method = operator_service + "GetTrialBalance";
  auto call = client->exchange(method, request, response, rpc::Context(loop_.in(10s)));
  const rpc::Status status = co_await call;
  if (!status.is_ok()) co_return std::nullopt;
  co_return response;
}

}  // namespace sim
