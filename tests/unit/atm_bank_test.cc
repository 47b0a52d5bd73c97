// The bank that an ATM under test has answers as bankd does: both are asked the same, one request
// after the other, by an ATM that sends what is well formed.
#include "atm_bank.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

namespace asked = atm::bank_methods;

constexpr const char* nobodys_card = "4999999999999999";

std::string id(std::uint8_t number) {
  std::string bytes(16, '\x01');
  bytes.back() = static_cast<char>(number);
  return bytes;
}

// Words, times, and what each bank makes up.
bool may_differ(const std::string& field) {
  constexpr std::array names = {"message", "at_us",       "token", "chain_head",
                                "field",   "instance_id", "left",  "expires_at_us"};
  return std::ranges::find(names, field) != names.end();
}

// A bank counts what it did before it was asked anything.
void make_comparable(google::protobuf::Message& answer, std::uint64_t seq_before) {
  const google::protobuf::Reflection& reflection = *answer.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(answer, &fields);
  for (const auto* const field : fields) {
    if (may_differ(field->name())) {
      reflection.ClearField(&answer, field);
    } else if (field->name() == "ledger_seq") {
      reflection.SetUInt64(&answer, field, reflection.GetUInt64(answer, field) - seq_before);
    } else if (field->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE) {
      make_comparable(*reflection.MutableMessage(&answer, field), seq_before);
    }
  }
}

// What two terminals of an ATM ask, and what they are told.
class Conversation {
 public:
  Conversation(async::ManualLoop& loop, async::Random& random, async::Endpoint at)
      : loop_(loop), client_(loop, rpc::ClientOptions{.endpoints = {std::move(at)}}, random) {}

  std::vector<std::string> everything() {
    sign_on();
    cards();
    holds();
    captures();
    suspensions();
    voids();
    deposits();
    transfers();
    changes_of_pin();
    cash();
    fences();
    ask("what is inside", asked::sign_on, of<v1::SignOnRequest>());
    return std::move(answers_);
  }

 private:
  template <typename Request>
  static Request of(const std::string& terminal = "atm-1") {
    Request request;
    request.set_terminal_id(terminal);
    return request;
  }
  template <typename Request>
  static Request change(std::uint8_t number, const std::string& terminal = "atm-1") {
    Request request = of<Request>(terminal);
    request.set_id(id(number));
    return request;
  }
  template <typename Request>
  static Request at_another(Request request) {
    request.set_terminal_id("atm-2");
    return request;
  }
  template <typename Request>
  static Request without_token(Request request) {
    request.set_token("none");
    return request;
  }
  v1::HoldRequest hold(std::uint8_t number, std::int64_t cents) {
    auto request = change<v1::HoldRequest>(number);
    request.set_card_number(janes_card);
    request.set_token(token_);
    *request.mutable_amount() = euros(cents);
    request.set_time_to_live_ms(60'000);
    return request;
  }
  static v1::CaptureRequest capture(std::uint8_t number, std::uint8_t of_hold, std::int64_t cents) {
    auto request = change<v1::CaptureRequest>(number);
    request.set_hold_id(id(of_hold));
    *request.mutable_amount() = euros(cents);
    return request;
  }
  template <typename Request>  // A void or a suspension.
  static Request about(std::uint8_t number, std::uint8_t of_hold) {
    auto request = change<Request>(number);
    request.set_hold_id(id(of_hold));
    return request;
  }
  template <typename Request>
  static Request with(Request request, std::int64_t cents) {
    *request.mutable_amount() = euros(cents);
    return request;
  }

  template <typename Request, typename Response>
  Response ask(const std::string& what, const rpc::Method<Request, Response>& method,
               Request request) {
    std::optional<rpc::Reply<Response>> reply;
    async::TaskScope scope(loop_);
    scope.spawn(call_into(&method, std::move(request), &reply));
    loop_.settle();
    for (int tries = 0; tries < 100 && !reply; ++tries) loop_.advance(10ms);
    if (!reply) {
      answers_.push_back(what + ": no answer");
      return {};
    }
    if (!*reply) {
      answers_.push_back(what + ": " + std::string(name(reply->error().code)));
      return {};
    }
    Response comparable = **reply;
    make_comparable(comparable, seq_before_);
    if constexpr (requires { comparable.has_executed(); }) {
      // Of what was executed an ATM needs the kind.
      const std::string kind = comparable.change().kind();
      comparable.clear_change();
      if (comparable.has_executed()) comparable.mutable_change()->set_kind(kind);
    }
    answers_.push_back(what + ": " + comparable.ShortDebugString());
    return **reply;
  }
  template <typename Request, typename Response>
  async::Task<> call_into(const rpc::Method<Request, Response>* method, Request request,
                          std::optional<rpc::Reply<Response>>* reply) {
    rpc::Context context(loop_.in(30s));
    reply->emplace(co_await client_.try_call(*method, std::move(request), std::move(context)));
  }
  // Of a change that needs the customer's token.
  template <typename Request, typename Response>
  void ask_each_way(const std::string& what, const rpc::Method<Request, Response>& method,
                    const Request& request) {
    ask(what + " without a token", method, without_token(request));
    ask(what + " with the token of another terminal", method, at_another(request));
    ask_twice(what, method, request);
    ask(what + ", again without a token", method, without_token(request));
  }
  template <typename Request, typename Response>
  void ask_twice(const std::string& what, const rpc::Method<Request, Response>& method,
                 const Request& request) {
    ask(what, method, request);
    ask(what + ", again", method, request);
    ask(what + ", its id at another terminal", method, at_another(request));
    auto resolve = of<v1::ResolveRequest>();
    resolve.set_id(request.id());
    ask(what + ", what became of it", asked::resolve, resolve);
    ask(what + ", asked by another", asked::resolve, at_another(resolve));
  }
  void what_it_is(std::uint8_t hold) {
    auto request = of<v1::GetHoldRequest>();
    request.set_hold_id(id(hold));
    ask("what the hold is", asked::get_hold, request);
    ask("what another's hold is", asked::get_hold, at_another(request));
  }

  void sign_on() {
    auto request = of<v1::SignOnRequest>();
    const v1::SignedOn first = ask("", asked::sign_on, request).signed_on();
    answers_.clear();
    seq_before_ = first.ledger_seq();
    request.set_seen_ledger_seq(first.ledger_seq());
    request.set_seen_chain_head(first.chain_head());
    ask("one who saw this", asked::sign_on, request);
    request.set_seen_ledger_seq(first.ledger_seq() + 1);
    ask("one who saw more", asked::sign_on, request);
    ask("no terminal of this bank", asked::sign_on, of<v1::SignOnRequest>("atm-9"));
  }
  void cards() {
    auto request = of<v1::VerifyCardRequest>();
    request.set_card_number(janes_card);
    request.set_pin("9999");
    ask("a wrong PIN", asked::verify_card, request);
    request.set_pin(janes_pin);
    token_ = ask("the right PIN", asked::verify_card, request).verified().token();
    request.set_card_number(nobodys_card);
    ask("a card that nobody has", asked::verify_card, request);
    auto balance = of<v1::GetBalanceRequest>();
    balance.set_card_number(janes_card);
    balance.set_token(token_);
    ask("the balance", asked::get_balance, balance);
    ask("the balance without a token", asked::get_balance, without_token(balance));
    ask("the balance at another terminal", asked::get_balance, at_another(balance));
    balance.set_card_number(johns_card);
    ask("another's balance", asked::get_balance, balance);
  }
  void holds() {
    ask_each_way("a hold", asked::hold, hold(1, 60'00));
    ask("a hold, of another amount", asked::hold, hold(1, 61'00));
    ask_each_way("a hold of too much", asked::hold, hold(2, 41'00));
    ask_twice("the void of that", asked::void_hold, about<v1::VoidRequest>(3, 2));
    what_it_is(1);
    what_it_is(2);
  }
  void captures() {
    ask_twice("a capture of too much", asked::capture, capture(11, 1, 60'01));
    ask("another's capture", asked::capture, at_another(capture(12, 1, 40'00)));
    ask_twice("a capture of a part", asked::capture, capture(13, 1, 40'00));
    ask("that, of another amount", asked::capture, capture(13, 1, 41'00));
    ask("a capture of what was captured", asked::capture, capture(14, 1, 40'00));
    ask("its void", asked::void_hold, about<v1::VoidRequest>(15, 1));
    ask("its suspension", asked::suspend, about<v1::SuspendRequest>(16, 1));
    ask("a capture of no hold", asked::capture, capture(17, 99, 40'00));
    what_it_is(1);
  }
  void suspensions() {
    ask("a hold", asked::hold, hold(21, 20'00));
    auto suspend = about<v1::SuspendRequest>(22, 21);
    suspend.set_evidence("nobody knows");
    ask("another's suspension", asked::suspend, at_another(suspend));
    suspend.set_id(id(23));
    ask_twice("a suspension", asked::suspend, suspend);
    what_it_is(21);
    suspend.set_evidence("somebody knows");
    suspend.set_card_number("4000000000000044");
    suspend.set_receipt_id(std::string(16, 'r'));
    ask("that with other evidence, card and receipt", asked::suspend, suspend);
    suspend.set_id(id(24));
    ask_twice("a late suspension", asked::suspend, suspend);
    ask("a capture of what is suspended", asked::capture, capture(25, 21, 20'00));
    ask("a hold", asked::hold, hold(26, 20'00));
    ask("its suspension", asked::suspend, about<v1::SuspendRequest>(27, 26));
    ask("its void", asked::void_hold, about<v1::VoidRequest>(28, 26));
    ask("a suspension of no hold", asked::suspend, about<v1::SuspendRequest>(29, 99));
  }
  void voids() {
    ask("a hold", asked::hold, hold(31, 20'00));
    ask("another's void", asked::void_hold, at_another(about<v1::VoidRequest>(32, 31)));
    ask_twice("a void", asked::void_hold, about<v1::VoidRequest>(33, 31));
    ask("a void of what was voided", asked::void_hold, about<v1::VoidRequest>(34, 31));
    ask("its capture", asked::capture, capture(35, 31, 20'00));
    ask("its suspension", asked::suspend, about<v1::SuspendRequest>(36, 31));
    ask_twice("a void of what never came", asked::void_hold, about<v1::VoidRequest>(37, 41));
    ask_each_way("then it comes", asked::hold, hold(41, 20'00));
    ask("another void of it", asked::void_hold, about<v1::VoidRequest>(38, 41));
    ask("its capture", asked::capture, capture(39, 41, 20'00));
    ask("a void of a void", asked::void_hold, about<v1::VoidRequest>(40, 33));
    what_it_is(31);
  }
  void deposits() {
    auto deposit = with(change<v1::DepositRequest>(51), 50'00);
    deposit.set_card_number(janes_card);
    ask_twice("a deposit", asked::deposit, deposit);
    ask("that, of another amount", asked::deposit, with(deposit, 51'00));
    deposit.set_id(id(52));
    deposit.set_card_number(nobodys_card);
    ask_twice("a deposit of nobody", asked::deposit, deposit);
  }
  void transfers() {
    auto transfer = with(change<v1::TransferRequest>(61), 5'00);
    transfer.set_card_number(janes_card);
    transfer.set_token(token_);
    transfer.set_target_account_id(johns_card);
    ask_each_way("a transfer", asked::transfer, transfer);
    transfer.set_id(id(62));
    ask_each_way("a transfer of too much", asked::transfer, with(transfer, 1'000'00));
    transfer.set_id(id(63));
    transfer.set_target_account_id(nobodys_card);
    ask("a transfer to nobody", asked::transfer, transfer);
    transfer.set_id(id(64));
    transfer.set_target_account_id(janes_card);
    ask("a transfer to herself", asked::transfer, transfer);
  }
  void changes_of_pin() {
    auto change_pin = change<v1::ChangePinRequest>(71);
    change_pin.set_card_number(janes_card);
    change_pin.set_token(token_);
    change_pin.set_old_pin("9999");
    change_pin.set_new_pin("7391");
    ask_each_way("a wrong old PIN", asked::change_pin, change_pin);
    change_pin.set_id(id(72));
    change_pin.set_old_pin(janes_pin);
    ask_each_way("another PIN", asked::change_pin, change_pin);
  }
  void cash() {
    ask_twice("a load", asked::load_cash, with(change<v1::LoadCashRequest>(81), 500'00));
    ask("a load of a strange terminal", asked::load_cash,
        with(change<v1::LoadCashRequest>(82, "atm-9"), 500'00));
    ask_twice("an unload", asked::unload_cash, with(change<v1::UnloadCashRequest>(83), 100'00));
    ask("an unload with a load's id", asked::unload_cash,
        with(change<v1::UnloadCashRequest>(81), 500'00));
  }
  void fences() {
    auto resolve = of<v1::ResolveRequest>();
    resolve.set_id(id(91));
    ask("an id that nobody saw", asked::resolve, resolve);
    ask("that, again", asked::resolve, resolve);
    ask("that, of another", asked::resolve, at_another(resolve));
    ask_twice("then it comes", asked::load_cash, with(change<v1::LoadCashRequest>(91), 500'00));
  }

  async::ManualLoop& loop_;
  rpc::Client client_;
  std::string token_;
  std::uint64_t seq_before_ = 0;
  std::vector<std::string> answers_;
};

class AtmBankTest : public BankTest {};

TEST_F(AtmBankTest, ItAnswersAsBankdDoes) {
  open(janes_card, 100'00);
  open(johns_card, 500'00);
  EXPECT_EQ(word(add_terminal("atm-1")), "yes");
  EXPECT_EQ(word(add_terminal("atm-2")), "yes");
  issue(janes_card, janes_card, janes_pin);
  issue(johns_card, johns_card, johns_pin);
  const std::vector<std::string> by_bankd =
      Conversation(bank.loop, bank.random, bank_address).everything();

  async::ManualLoop loop;
  async::SeededRandom random(1);
  atm::AtmBank atms(loop);
  atms.state.customers = {{janes_card, {janes_card, janes_pin, 100'00}},
                          {johns_card, {johns_card, johns_pin, 500'00}}};
  const std::vector<std::string> by_atms =
      Conversation(loop, random, atm::AtmBank::address()).everything();
  atms.close();
  loop.settle();
  ASSERT_EQ(by_bankd.size(), by_atms.size());
  for (std::size_t i = 0; i < by_bankd.size(); ++i) EXPECT_EQ(by_bankd[i], by_atms[i]);
}

}  // namespace
}  // namespace bank
