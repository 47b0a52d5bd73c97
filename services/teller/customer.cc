#include "teller/customer.h"

#include <algorithm>
#include <utility>

#include "cli/caller.h"
#include "cli/message_text.h"
#include "rpc/v1/health.pb.h"

namespace teller {
namespace {

using namespace atm::v1;
using std::chrono::milliseconds;

constinit const rpc::Method<rpc::v1::CheckRequest, rpc::v1::CheckResponse> check_method{
    "rpc.v1.HealthService/Check"};
constinit const rpc::Method<InsertCardRequest, InsertCardResponse> insert_card_method{
    "atm.v1.AtmService/InsertCard"};
constinit const rpc::Method<GetBalanceRequest, GetBalanceResponse> get_balance_method{
    "atm.v1.AtmService/GetBalance"};
constinit const rpc::Method<WithdrawRequest, WithdrawResponse> withdraw_method{
    "atm.v1.AtmService/Withdraw"};
constinit const rpc::Method<DepositRequest, DepositResponse> deposit_method{
    "atm.v1.AtmService/Deposit"};
constinit const rpc::Method<TransferRequest, TransferResponse> transfer_method{
    "atm.v1.AtmService/Transfer"};
constinit const rpc::Method<ListStatementRequest, ListStatementResponse> list_statement_method{
    "atm.v1.AtmService/ListStatement"};
constinit const rpc::Method<ChangePinRequest, ChangePinResponse> change_pin_method{
    "atm.v1.AtmService/ChangePin"};
constinit const rpc::Method<ResolveRequest, ResolveResponse> resolve_method{
    "atm.v1.AtmService/Resolve"};
constinit const rpc::Method<EndSessionRequest, EndSessionResponse> end_session_method{
    "atm.v1.AtmService/EndSession"};

constexpr milliseconds wait_first{100};
constexpr milliseconds wait_max{2000};
constexpr milliseconds farewell_max{2000};

Outcome outcome_of(WithdrawResponse response) {
  Outcome outcome;
  if (response.has_withdrawn())
    *outcome.mutable_withdrawn() = std::move(*response.mutable_withdrawn());
  if (response.has_decline()) *outcome.mutable_declined() = std::move(*response.mutable_decline());
  if (response.has_suspense())
    *outcome.mutable_suspense() = std::move(*response.mutable_suspense());
  return outcome;
}

Outcome outcome_of(DepositResponse response) {
  Outcome outcome;
  if (response.has_deposited())
    *outcome.mutable_deposited() = std::move(*response.mutable_deposited());
  if (response.has_decline()) *outcome.mutable_declined() = std::move(*response.mutable_decline());
  if (response.has_suspense())
    *outcome.mutable_suspense() = std::move(*response.mutable_suspense());
  return outcome;
}

Outcome outcome_of(TransferResponse response) {
  Outcome outcome;
  if (response.has_transferred()) {
    *outcome.mutable_transferred() = std::move(*response.mutable_transferred());
  }
  if (response.has_decline()) *outcome.mutable_declined() = std::move(*response.mutable_decline());
  return outcome;
}

Outcome outcome_of(ChangePinResponse response) {
  Outcome outcome;
  if (response.has_changed())
    *outcome.mutable_pin_changed() = std::move(*response.mutable_changed());
  if (response.has_decline()) *outcome.mutable_declined() = std::move(*response.mutable_decline());
  return outcome;
}

bool is_sum(const bank::v1::Money& amount, const PendingChange& asked) {
  return amount.minor_units() > 0 && amount.currency() == asked.currency;
}

// Whether the outcome is one that such a change can have. A yes to something else, or to no money,
// is neither yes nor no. Less than was asked for can be, and so can more: it is what was presented.
bool can_be(const Outcome& outcome, const PendingChange& asked) {
  switch (outcome.outcome_case()) {
    case Outcome::kWithdrawn:
      return asked.kind == "withdrawal" && is_sum(outcome.withdrawn().amount(), asked);
    case Outcome::kDeposited:
      return asked.kind == "deposit" && is_sum(outcome.deposited().amount(), asked);
    case Outcome::kTransferred:
      return asked.kind == "transfer" && is_sum(outcome.transferred().amount(), asked);
    case Outcome::kPinChanged:
      return asked.kind == "PIN change";
    case Outcome::kSuspense:
      return asked.kind == "withdrawal" || asked.kind == "deposit";
    default:
      return true;
  }
}

rpc::Status no_answer_to(const PendingChange& asked) {
  return {.code = rpc::StatusCode::internal,
          .message = "what the ATM says is no answer to a " + asked.kind,
          .bad_answer = true};
}

// Whether a balance or a statement is of the session's account.
bool is_of(const bank::v1::Balance& balance, const Session& session) {
  return balance.balance().currency() == session.currency() &&
         balance.available().currency() == session.currency();
}

bool is_of(const bank::v1::Statement& statement, const Session& session) {
  return std::ranges::all_of(statement.entries(), [&](const bank::v1::StatementEntry& entry) {
    return entry.amount().currency() == session.currency() &&
           entry.balance_after().currency() == session.currency();
  });
}

rpc::Status of_another_account() {
  return {.code = rpc::StatusCode::internal,
          .message = "what the ATM says is not in the currency of your account",
          .bad_answer = true};
}

// A no that is about the session and not about the change: said to a second sending it does not
// tell what became of the first.
bool is_about_the_session(const Outcome& outcome) {
  if (!outcome.has_declined()) return false;
  switch (outcome.declined().code()) {
    case DECLINE_CODE_NO_SUCH_TERMINAL:
    case DECLINE_CODE_TERMINAL_BUSY:
    case DECLINE_CODE_NO_SESSION:
    case DECLINE_CODE_OUT_OF_SERVICE:
      return true;
    default:
      return false;
  }
}

constexpr std::size_t usual_amounts_max = 4;

std::vector<ledger::Cents> positive(
    const google::protobuf::RepeatedPtrField<bank::v1::Money>& amounts) {
  std::vector<ledger::Cents> found;
  for (const bank::v1::Money& amount : amounts) {
    if (amount.minor_units() >= 1) found.push_back(ledger::Cents{amount.minor_units()});
  }
  return found;
}

rpc::Status another_waits() {
  return {.code = rpc::StatusCode::failed_precondition,
          .message = "an earlier change at this ATM has no answer yet",
          .never_sent = true};
}

rpc::Status another_atm_answers() {
  return {.code = rpc::StatusCode::unavailable, .message = "another ATM answers there now"};
}

}  // namespace

async::Task<std::optional<rpc::Status>> why_no_atm(rpc::Channel& atm, rpc::Context context) {
  rpc::v1::CheckRequest request;
  request.set_service("atm.v1.AtmService");
  const rpc::Reply<rpc::v1::CheckResponse> reply =
      co_await atm.try_call(check_method, std::move(request), std::move(context));
  // An ATM that does not tell its health is one all the same.
  if (reply || reply.error().code == rpc::StatusCode::unimplemented) co_return std::nullopt;
  co_return reply.error();
}

std::optional<PendingChange> Customer::earlier() const {
  for (const PendingChange& change : pending_.read()) {
    if (std::ranges::find(elsewhere_, change.id) == elsewhere_.end()) return change;
  }
  return std::nullopt;
}

async::Task<Answered<Outcome>> Customer::settle(PendingChange change) {
  last_ = std::move(change);
  const async::Deadline until = loop_.in(options_.patience);
  Answered<Outcome> settled = co_await resolve_until(until);
  if (settled && settled->has_cannot_know()) elsewhere_.push_back(last_.id);
  co_return settled;
}

async::Task<Answered<Outcome>> Customer::resolve_until(async::Deadline until) {
  for (int tries = 0;; ++tries) {
    ResolveRequest request;
    request.set_id(std::string(last_.id.view()));
    request.set_atm_id(last_.atm_id);
    request.set_terminal_id(options_.terminal);
    rpc::Context context(until, trace_);
    rpc::Reply<ResolveResponse> reply =
        co_await atm_.try_call(resolve_method, std::move(request), std::move(context));
    if (reply && !can_be(*reply, last_)) reply = std::unexpected(no_answer_to(last_));
    if (reply && !reply->has_pending()) co_return std::move(*reply);
    rpc::Status silence = {.code = rpc::StatusCode::deadline_exceeded};
    if (reply) silence.message = reply->pending().message();
    if (!reply) silence = reply.error();
    if (!silence.bad_answer) {
      const bool in_time = co_await wait(tries, until);
      if (in_time) continue;
    }
    silence.never_sent = false;  // This question was perhaps not sent, but the change was.
    co_return std::unexpected(std::move(silence));
  }
}

async::Task<std::optional<rpc::Status>> Customer::why_no_atm() {
  rpc::Context context(loop_.in(options_.patience), trace_);
  return teller::why_no_atm(atm_, std::move(context));
}

async::Task<Answered<InsertCardResponse>> Customer::insert_card(std::string pin) {
  pin_ = std::move(pin);
  InsertCardRequest request;
  request.set_terminal_id(options_.terminal);
  request.set_card_number(options_.card);
  request.set_pin(pin_);
  rpc::Context context(loop_.in(options_.patience), trace_);
  rpc::Reply<InsertCardResponse> reply =
      co_await atm_.try_call(insert_card_method, std::move(request), std::move(context));
  if (reply && reply->has_session()) session_ = reply->session();
  co_return reply;
}

async::Task<> Customer::end_session() {
  if (session_.session_id().empty()) co_return;
  EndSessionRequest request;
  request.set_session_id(session_.session_id());
  session_.Clear();
  rpc::Context context(loop_.in(farewell_max), trace_);
  // Without an answer the session ends with the connection.
  const rpc::Reply<EndSessionResponse> reply =
      co_await atm_.try_call(end_session_method, std::move(request), std::move(context));
  static_cast<void>(reply);
}

async::Task<Answered<GetBalanceResponse>> Customer::balance() {
  GetBalanceRequest request;
  request.set_session_id(session_.session_id());
  rpc::Context context(loop_.in(options_.patience), trace_);
  rpc::Reply<GetBalanceResponse> reply =
      co_await atm_.try_call(get_balance_method, std::move(request), std::move(context));
  const bool is_wrong = reply && reply->has_balance() && !is_of(reply->balance(), session_);
  if (is_wrong) co_return std::unexpected(of_another_account());
  co_return reply;
}

async::Task<Answered<ListStatementResponse>> Customer::statement(std::uint32_t entries) {
  ListStatementResponse all;
  std::string page_token;
  const async::Deadline until = loop_.in(options_.patience);
  do {
    constexpr std::uint32_t page_size_max = 50;
    const auto have = static_cast<std::uint32_t>(all.statement().entries_size());
    ListStatementRequest request;
    request.set_session_id(session_.session_id());
    request.set_page_size(std::min(entries - have, page_size_max));
    request.set_page_token(page_token);
    rpc::Context context(until, trace_);
    rpc::Reply<ListStatementResponse> page =
        co_await atm_.try_call(list_statement_method, std::move(request), std::move(context));
    if (!page || !page->has_statement()) co_return page;
    if (!is_of(page->statement(), session_)) co_return std::unexpected(of_another_account());
    page_token = page->statement().next_page_token();
    const bool is_empty = page->statement().entries().empty();
    all.MergeFrom(*page);
    all.mutable_statement()->set_next_page_token(page_token);
    if (is_empty) break;
  } while (!page_token.empty() &&
           static_cast<std::uint32_t>(all.statement().entries_size()) < entries);
  co_return all;
}

async::Task<Answered<Outcome>> Customer::withdraw(bank::v1::Money amount) {
  PendingChange pending{.id = {}, .kind = "withdrawal", .what = cli::money_text(amount)};
  pending.currency = amount.currency();
  WithdrawRequest request;
  *request.mutable_amount() = std::move(amount);
  co_return co_await change(withdraw_method, std::move(request), std::move(pending));
}

async::Task<Answered<Outcome>> Customer::deposit(std::vector<Notes> notes, std::string what) {
  PendingChange pending{.id = {}, .kind = "deposit", .what = std::move(what)};
  if (!notes.empty()) pending.currency = notes.front().denomination().currency();
  DepositRequest request;
  request.mutable_notes()->Assign(notes.begin(), notes.end());
  co_return co_await change(deposit_method, std::move(request), std::move(pending));
}

async::Task<Answered<Outcome>> Customer::transfer(bank::v1::Money amount,
                                                  std::string target_account) {
  PendingChange pending{
      .id = {}, .kind = "transfer", .what = cli::money_text(amount) + " to " + target_account};
  pending.currency = amount.currency();
  TransferRequest request;
  *request.mutable_amount() = std::move(amount);
  request.set_target_account_id(std::move(target_account));
  co_return co_await change(transfer_method, std::move(request), std::move(pending));
}

async::Task<Answered<Outcome>> Customer::change_pin(std::string old_pin, std::string new_pin) {
  PendingChange pending{.id = {}, .kind = "PIN change", .what = ""};
  ChangePinRequest request;
  request.set_old_pin(std::move(old_pin));
  request.set_new_pin(std::move(new_pin));
  co_return co_await change(change_pin_method, std::move(request), std::move(pending));
}

template <typename Request, typename Response>
async::Task<Answered<Outcome>> Customer::change(const rpc::Method<Request, Response>& method,
                                                Request request, PendingChange pending) {
  pending.id = cli::new_id(loop_.wall_now(), random_);
  pending.atm_id = session_.atm_id();
  if (pending_.holds(pending.atm_id)) co_return std::unexpected(another_waits());
  last_ = std::move(pending);
  request.set_id(std::string(last_.id.view()));
  pending_.write(last_);  // Before the first send: somebody can ask what became of it.
  const async::Deadline until = loop_.in(options_.patience);
  bool may_have_arrived = false;
  bool has_begun_again = false;
  for (int tries = 0;; ++tries) {
    request.set_session_id(session_.session_id());
    Request copy = request;
    rpc::Context context(until, trace_);
    rpc::Reply<Response> reply =
        co_await atm_.try_call(method, std::move(copy), std::move(context));
    if (reply) {
      Outcome outcome = outcome_of(std::move(*reply));
      if (!can_be(outcome, last_)) co_return std::unexpected(no_answer_to(last_));
      if (!may_have_arrived || !is_about_the_session(outcome)) co_return outcome;
      // The first sending took the session with it, or still keeps the terminal busy.
      if (!has_begun_again) {
        has_begun_again = true;
        const bool has_session = co_await begin_again(until);
        if (has_session) continue;
      }
      Answered<Outcome> settled = co_await resolve_until(until);
      if (settled && settled->has_cannot_know()) co_return std::unexpected(another_atm_answers());
      co_return settled;
    }
    if (!may_have_arrived && reply.error().outcome() == rpc::Outcome::no) {
      told();
      co_return std::unexpected(reply.error());
    }
    may_have_arrived = true;
    if (reply.error().bad_answer) co_return std::unexpected(reply.error());
    const bool in_time = co_await wait(tries, until);
    if (in_time) continue;
    rpc::Status silence = reply.error();
    silence.never_sent = false;  // Of the last try that may hold, but not of the first.
    co_return std::unexpected(std::move(silence));
  }
}

// A new session after the old one's connection was lost, in which the same id is sent again. False,
// too, if another ATM answers at the address: it would do the change once more.
async::Task<bool> Customer::begin_again(async::Deadline until) {
  for (int tries = 0;; ++tries) {
    InsertCardRequest request;
    request.set_terminal_id(options_.terminal);
    request.set_card_number(options_.card);
    request.set_pin(pin_);
    rpc::Context context(until, trace_);
    const rpc::Reply<InsertCardResponse> reply =
        co_await atm_.try_call(insert_card_method, std::move(request), std::move(context));
    if (reply && reply->has_session()) {
      session_ = reply->session();
      co_return session_.atm_id() == last_.atm_id;
    }
    const bool in_time = co_await wait(tries, until);
    if (!in_time) co_return false;
  }
}

// Backs off before another try, with jitter. False: the time is over.
async::Task<bool> Customer::wait(int tries, async::Deadline until) {
  const milliseconds longest = std::min(wait_first * (1 << std::min(tries, 5)), wait_max);
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  const milliseconds pause(half + random_.below(half + 1));
  if (until.left(loop_.now()) <= pause) co_return false;
  co_await loop_.sleep_for(pause);
  co_return true;
}

ledger::Currency Customer::currency() const {
  const auto currency = ledger::Currency::parse(session_.currency());
  if (currency) return *currency;
  throw ops::Failure(ops::ExitCode::protocol, "The ATM does not say what your account is in");
}

ledger::Currency Customer::cash_currency() const {
  if (session_.denominations().empty()) return currency();
  const auto cash = ledger::Currency::parse(session_.denominations(0).currency());
  return cash ? *cash : currency();
}

std::vector<ledger::Cents> Customer::denominations() const {
  return positive(session_.denominations());
}

std::vector<ledger::Cents> Customer::usual_amounts() const {
  std::vector<ledger::Cents> amounts = positive(session_.usual_amounts());
  // More cannot be chosen with one digit.
  if (amounts.size() > usual_amounts_max) amounts.resize(usual_amounts_max);
  return amounts;
}

}  // namespace teller
