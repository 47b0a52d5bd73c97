// The town's staff: they fill the terminals and empty them, count and audit, and agree to a bank that was restored.
#include <utility>

#include "town.h"

namespace sim {
namespace {

using rpc::Method;

constexpr Method<words::LoadRequest, words::LoadResponse> load_method{"atm.v1.StaffService/Load"};
constexpr Method<words::UnloadRequest, words::UnloadResponse> unload_method{
    "atm.v1.StaffService/Unload"};
constexpr Method<words::AuditRequest, words::AuditResponse> audit_method{
    "atm.v1.StaffService/Audit"};
constexpr Method<words::CountRequest, words::CountResponse> count_method{
    "atm.v1.StaffService/Count"};
constexpr Method<words::AcceptBankHistoryRequest, words::AcceptBankHistoryResponse>
    accept_bank_history_method{"atm.v1.StaffService/AcceptBankHistory"};

}  // namespace

Task<> Town::load_cash(std::string terminal) {
  const std::unique_ptr<rpc::Client> client = make_client();
  co_await load(client.get(), terminal, 1, 20'00, 40);
  co_await load(client.get(), terminal, 2, 50'00, 20);
  co_await load(client.get(), terminal, 3, 10'00, 40);
}

Task<> Town::load(rpc::Client* client, std::string terminal, std::uint32_t position,
                  std::int64_t denomination, std::uint32_t count) {
  words::LoadRequest request;
  request.set_id(std::string(make_id().view()));
  request.set_terminal_id(terminal);
  request.set_position(position);
  bank::v1::Money& each = *request.mutable_notes()->mutable_denomination();
  each.set_minor_units(denomination);
  each.set_currency("EUR");
  request.mutable_notes()->set_count(count);
  while (true) {
    words::LoadRequest again = request;
    rpc::Context context(loop_.in(5s));
    const rpc::Reply<words::LoadResponse> reply =
        co_await client->try_call(load_method, std::move(again), std::move(context));
    if (reply && reply->has_done()) co_return;
    co_await loop_.sleep_for(500ms);
  }
}

Task<> Town::look_after(std::string terminal) {
  for (int i = 0; i < plan_.emptyings_per_terminal; ++i) {
    const Duration pause = world_.between(500ms, 10s);
    co_await loop_.sleep_for(pause);
    co_await empty(terminal);
  }
}

// A terminal that is busy, or whose devices say nothing, is not emptied: they try a few times. What may have begun is asked about until
// it is known, and then the cassettes are filled again.
Task<> Town::empty(std::string terminal) {
  const std::unique_ptr<rpc::Client> client = make_client();
  emptyings_.push_back(std::make_unique<Emptying>(Emptying{.id = make_id(), .terminal = terminal}));
  Emptying* const emptying = emptyings_.back().get();
  words::UnloadRequest request;
  request.set_id(std::string(emptying->id.view()));
  request.set_terminal_id(terminal);
  for (int tries = 0;; ++tries) {
    words::UnloadRequest again = request;
    rpc::Context context(loop_.in(5s));
    const rpc::Reply<words::UnloadResponse> reply =
        co_await client->try_call(unload_method, std::move(again), std::move(context));
    if (reply && reply->has_unloaded()) {
      emptying->told = reply->unloaded().amount().minor_units();
      break;
    }
    if (reply && tries > 8) co_return;
    const Duration pause = world_.between(100ms, 1s);
    co_await loop_.sleep_for(pause);
  }
  world_.tell("staff take {} out of {}", *emptying->told, terminal);
  co_await load_cash(std::move(terminal));
}

void Town::watch_history() { for_ever_.spawn(agree_to_history()); }

Task<> Town::agree_to_history() {
  while (true) {
    const Duration pause = world_.between(1s, 8s);
    co_await loop_.sleep_for(pause);
    co_await has_nothing_to_agree_to();
  }
}

Task<bool> Town::has_nothing_to_agree_to() {
  const std::unique_ptr<rpc::Client> client = make_client();
  words::AcceptBankHistoryRequest request;
  request.set_reason("an old backup was restored");
  rpc::Context context(loop_.in(5s));
  const rpc::Reply<words::AcceptBankHistoryResponse> reply =
      co_await client->try_call(accept_bank_history_method, std::move(request), std::move(context));
  if (reply) world_.tell("staff go on with the bank as it is");
  co_return !reply && reply.error().code == rpc::StatusCode::failed_precondition;
}

Task<std::optional<words::AuditResponse>> Town::audit(std::string terminal) {
  const std::unique_ptr<rpc::Client> client = make_client();
  words::AuditRequest request;
  request.set_terminal_id(std::move(terminal));
  rpc::Context context(loop_.in(10s));
  rpc::Reply<words::AuditResponse> reply =
      co_await client->try_call(audit_method, std::move(request), std::move(context));
  if (!reply) co_return std::nullopt;
  co_return std::move(*reply);
}

Task<std::optional<words::CountResponse>> Town::count(std::string terminal) {
  const std::unique_ptr<rpc::Client> client = make_client();
  words::CountRequest request;
  request.set_terminal_id(std::move(terminal));
  rpc::Context context(loop_.in(10s));
  rpc::Reply<words::CountResponse> reply =
      co_await client->try_call(count_method, std::move(request), std::move(context));
  if (!reply) co_return std::nullopt;
  co_return std::move(*reply);
}

}  // namespace sim
