// Whatever is asked of the bank, in whatever order: nothing is made and nothing is lost.
#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

namespace pb = google::protobuf;

// What many balances add up to on the way to 0.
__extension__ using Wide = __int128;

constexpr int requests_per_world = 4'500;

// Makes requests of any kind: mostly of things that exist, so that much of it succeeds; sometimes of
// nonsense.
class Mischief {
 public:
  Mischief(std::uint64_t seed, BankBench& bank) : random_(seed), bank_(bank) {}

  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  void fill(pb::Message& message, int depth = 0) {
    const pb::Descriptor& type = *message.GetDescriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      if (below(60) != 0) fill_field(message, *type.field(i), depth);
    }
  }
  void remember_token(const std::string& token) { tokens_.push_back(token); }
  void remember_hold(const std::string& id) { holds_.push_back(id); }

 private:
  void fill_field(pb::Message& message, const pb::FieldDescriptor& field, int depth) {
    const pb::Reflection& set = *message.GetReflection();
    switch (field.cpp_type()) {
      case pb::FieldDescriptor::CPPTYPE_MESSAGE:
        if (depth >= 3) break;
        fill(field.is_repeated() ? *set.AddMessage(&message, &field)
                                 : *set.MutableMessage(&message, &field),
             depth + 1);
        break;
      case pb::FieldDescriptor::CPPTYPE_STRING:
        set.SetString(&message, &field, text(field.name()));
        break;
      case pb::FieldDescriptor::CPPTYPE_INT64:
        set.SetInt64(&message, &field, amount());
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT64:
        set.SetUInt64(&message, &field, below(bank_.process->store.last_seq() + 2));
        break;
      case pb::FieldDescriptor::CPPTYPE_UINT32:
        set.SetUInt32(&message, &field, number(field.name()));
        break;
      default:
        set.SetBool(&message, &field, below(4) != 0);
    }
  }
  std::uint32_t number(const std::string& name) {
    if (name == "page_size") return static_cast<std::uint32_t>(below(4));
    if (name == "count") return static_cast<std::uint32_t>(below(20));
    if (name == "daily_count_max") return static_cast<std::uint32_t>(below(1'000));
    return static_cast<std::uint32_t>(below(10) == 0 ? random_.next() : 1 + below(600'000));
  }
  std::int64_t amount() {
    constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
    switch (below(100)) {
      case 0:
        return max;
      case 1:
        return -max - 1;
      case 2:
        return max / 2;
      case 3:
        return 0;
      case 4:
        return -static_cast<std::int64_t>(below(100));
      default:
        return static_cast<std::int64_t>(1 + below(below(2) == 0 ? 5'00 : 100'00));
    }
  }
  std::string pick(const std::vector<std::string>& names) {
    return below(50) == 0 ? nonsense() : names[below(names.size())];
  }
  std::string nonsense() {
    std::string text(below(80), '\0');
    random_.fill(std::as_writable_bytes(std::span(text)));
    return text;
  }
  std::string text(const std::string& name) {
    if (name == "id") return below(6) == 0 ? old_id(ids_) : new_id();
    if (name == "receipt_id") return below(6) == 0 ? old_id(ids_) : below(2) == 0 ? "" : new_id();
    if (name == "hold_id") return below(10) == 0 ? old_id(ids_) : old_id(holds_);
    if (name == "token") return below(8) == 0 || tokens_.empty() ? old_id(tokens_) : tokens_.back();
    if (name == "old_card_number") return pick({johns_card, "4000000000000044"});
    if (name.ends_with("terminal_id"))
      return pick({"atm-1", "atm-1", "atm-1", "atm-1", "atm-1", "atm-1", "atm-2", "atm-9"});
    if (name.ends_with("card_number"))
      return pick({janes_card, janes_card, janes_card, janes_card, janes_card, johns_card,
                   "4000000000000044"});
    if (name.ends_with("account_id"))
      return pick({"jane", "jane", "john", "john", "mia", "us", "cash:atm-1", "equity:eur"});
    if (name.ends_with("pin")) return pick({janes_pin, janes_pin, johns_pin, "8642"});
    if (name == "currency") return pick({"EUR", "EUR", "EUR", "EUR", "EUR", "USD"});
    return pick({"", "word", "a longer text, with a reason"});
  }

  std::string new_id() { return ids_.emplace_back(bank_.next_id()); }
  // One of the newest.
  std::string old_id(const std::vector<std::string>& ids) {
    if (ids.empty() || below(50) == 0) return nonsense();
    if (below(2) == 0) return ids.back();
    return ids[ids.size() - 1 - below(std::min<std::size_t>(ids.size(), 8))];
  }

  async::SeededRandom random_;
  BankBench& bank_;
  std::vector<std::string> ids_;
  std::vector<std::string> holds_;
  std::vector<std::string> tokens_;
};

class BankPropertyTest : public BankTest, public testing::WithParamInterface<std::uint64_t> {
 protected:
  // Every unary method of both services, but for the one that writes a file. What customers do is
  // there more often.
  static std::vector<const pb::MethodDescriptor*> methods() {
    const std::set<std::string> common = {"Hold",          "Capture", "Suspend",
                                          "Transfer",      "Deposit", "GetBalance",
                                          "ListStatement", "Reverse", "ChangePin"};
    std::vector<const pb::MethodDescriptor*> found;
    for (const char* name : {"bank.v1.BankService", "bank.v1.OperatorService"}) {
      const auto* const service = pb::DescriptorPool::generated_pool()->FindServiceByName(name);
      for (int i = 0; i < service->method_count(); ++i) {
        const pb::MethodDescriptor& method = *service->method(i);
        if (method.server_streaming() || method.name() == "Backup") continue;
        const bool is_common = common.contains(method.name());
        found.insert(found.end(), is_common ? 8 : 1, &method);
      }
    }
    return found;
  }
  static std::unique_ptr<pb::Message> make(const pb::Descriptor* type) {
    const pb::Message& prototype = *pb::MessageFactory::generated_factory()->GetPrototype(type);
    return std::unique_ptr<pb::Message>(prototype.New());
  }
  static async::Task<> ask(rpc::Client* client, std::string method, const pb::Message* request,
                           pb::Message* response, async::Deadline deadline,
                           std::optional<rpc::Status>* status) {
    auto call = client->exchange(method, *request, *response, rpc::Context(deadline));
    rpc::Status ended = co_await call;
    *status = std::move(ended);
  }
  rpc::Status ask(const pb::MethodDescriptor& method, const pb::Message& request,
                  pb::Message& response) {
    std::optional<rpc::Status> status;
    const std::string path = method.service()->full_name() + "/" + method.name();
    async::TaskScope asking(bank.loop);
    asking.spawn(ask(bank.client.get(), path, &request, &response, bank.loop.in(30s), &status));
    bank.loop.settle();
    while (!status) bank.loop.advance(10ms);
    return *status;
  }

  // Undoes what stops customers: a fresh token, and nothing blocked, frozen or out of service.
  void set_right(Mischief& mischief) {
    unblock(janes_card);
    v1::UnfreezeAccountRequest unfreeze;
    unfreeze.set_account_id("jane");
    change<v1::UnfreezeAccountResponse>(unfreeze);
    v1::SetTerminalServiceRequest serve;
    serve.set_terminal_id("atm-1");
    serve.set_in_service(true);
    change<v1::SetTerminalServiceResponse>(serve);
    for (const char* pin : {janes_pin, "8642", johns_pin}) {
      const v1::VerifyCardResponse verified = verify(pin);
      if (!verified.has_verified()) continue;
      mischief.remember_token(verified.verified().token());
      break;
    }
  }

  void expect_zero_sum() {
    ASSERT_TRUE(bank.process->store.books().is_balanced());
    std::map<std::string, Wide> sums;
    v1::ListAccountsRequest request;
    request.set_page_size(200);
    const auto listed = bank.answer<v1::ListAccountsResponse>(request);
    for (const auto& account : listed.accounts()) {
      sums[account.balance().currency()] += account.balance().minor_units();
    }
    for (const auto& [currency, sum] : sums) EXPECT_TRUE(sum == 0) << currency;
    const auto books = bank.answer<v1::GetTrialBalanceResponse>(v1::GetTrialBalanceRequest());
    for (const auto& currency : books.currencies()) EXPECT_EQ(currency.sum().minor_units(), 0);
  }
  // No customer is below what was allowed, and holds are never more than what there is.
  void expect_nobody_overdrawn() {
    for (const ledger::Account& account : bank.process->store.books().accounts()) {
      EXPECT_GE(account.held.value, 0) << account.id();
      EXPECT_GE(account.overdraft.value, 0) << account.id();
    }
  }
};

bool is_decided(rpc::StatusCode code) {
  return code == rpc::StatusCode::ok || code == rpc::StatusCode::unauthenticated ||
         code == rpc::StatusCode::invalid_argument || code == rpc::StatusCode::not_found;
}

TEST_P(BankPropertyTest, NoRequestMakesOrLosesACent) {
  open_doors();
  add_terminal("atm-2");
  Mischief mischief(GetParam(), bank);
  const std::vector<const pb::MethodDescriptor*> all = methods();
  std::map<std::string, int> yes;
  for (int i = 0; i < requests_per_world; ++i) {
    if (i % 10 == 0) set_right(mischief);
    const pb::MethodDescriptor& method = *all[mischief.below(all.size())];
    const auto request = make(method.input_type());
    const auto response = make(method.output_type());
    mischief.fill(*request);
    const rpc::Status status = ask(method, *request, *response);
    ASSERT_TRUE(is_decided(status.code)) << method.full_name() << " " << status.text() << "\n"
                                         << request->DebugString();
    if (status.is_ok() && response->DebugString().find("refus") == std::string::npos) {
      ++yes[method.name()];
      if (method.name() == "Hold") {
        mischief.remember_hold(static_cast<const v1::HoldRequest&>(*request).id());
      }
    }
    if (i % 100 == 0) {
      ASSERT_NO_FATAL_FAILURE(expect_zero_sum());
      expect_nobody_overdrawn();
      bank.loop.advance(1min);
      bank.clock.ahead += 7min;
    }
  }
  expect_zero_sum();
  for (const char* name : {"Hold", "Capture", "Suspend", "Transfer", "Deposit"}) {
    EXPECT_GE(yes[name], 3) << "Too little of it meant anything: " << name;
  }

  // What was answered is what is in the journal.
  const ledger::Books before = bank.process->store.books();
  bank.restart();
  EXPECT_TRUE(bank.process->store.books() == before);
  expect_zero_sum();
}

TEST_P(BankPropertyTest, TheSameRequestAgainChangesNothing) {
  open_doors();
  Mischief mischief(GetParam() + 1'000, bank);
  const std::vector<const pb::MethodDescriptor*> all = methods();
  for (int i = 0; i < requests_per_world / 3; ++i) {
    if (i % 10 == 0) set_right(mischief);
    const pb::MethodDescriptor& method = *all[mischief.below(all.size())];
    if (method.input_type()->FindFieldByName("id") == nullptr) continue;
    const auto request = make(method.input_type());
    const auto response = make(method.output_type());
    mischief.fill(*request);
    if (!ask(method, *request, *response).is_ok()) continue;
    const std::uint64_t journalled = bank.process->store.last_seq();
    const auto again = make(method.output_type());
    const rpc::Status status = ask(method, *request, *again);
    EXPECT_TRUE(status.is_ok()) << status.text();
    EXPECT_EQ(bank.process->store.last_seq(), journalled) << method.full_name() << "\n"
                                                          << request->DebugString();
    EXPECT_EQ(again->DebugString().find("refus") == std::string::npos,
              response->DebugString().find("refus") == std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, BankPropertyTest, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace bank
