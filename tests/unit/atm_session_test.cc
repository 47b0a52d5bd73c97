// Whoever is being served never hears that another customer is.
#include "atm_fixture.h"

namespace atm {
namespace {

// The disk has so much else to do while this lives that whatever is to be written waits for long
// after an answer would have reached its caller.
class BusyDisk {
 public:
  explicit BusyDisk(AtmHouse& house) : loop_(house.loop) {
    for (int i = 0; i < 200; ++i) loop_.run_in_pool(std::make_unique<Work>(*this));
  }
  BusyDisk(const BusyDisk&) = delete;
  BusyDisk& operator=(const BusyDisk&) = delete;
  ~BusyDisk() {
    is_busy_ = false;
    loop_.settle();
  }

 private:
  struct Work final : async::PoolWork {
    explicit Work(BusyDisk& of) : disk(of) {}
    void run() noexcept override {}
    void done() noexcept override {
      if (disk.is_busy_) disk.loop_.run_in_pool(std::make_unique<Work>(disk));
    }
    BusyDisk& disk;
  };
  async::ManualLoop& loop_;
  bool is_busy_ = true;
};

// What the customer is told who asks for a change, and at the answer puts the card in again.
template <typename Request, typename Response>
Task<> change_and_come_again(AtmHouse* house, const rpc::Method<Request, Response>* method,
                             Request request, Response* answer, v1::InsertCardResponse* after) {
  rpc::Context context(house->loop.in(10s));
  *answer = co_await house->client->call(*method, std::move(request), std::move(context));
  v1::InsertCardRequest card;
  card.set_card_number("4000-jane");
  card.set_pin("1234");
  rpc::Context again(house->loop.in(10s));
  *after = co_await house->client->call(insert_card_method, std::move(card), std::move(again));
}

TEST(AtmSessionTest, WhoeverHasAnAnswerFindsTheTerminalFreeHoweverSlowTheDiskIs) {
  AtmHouse house;
  house.load(1, 20, 10);
  for (const bool is_declined : {true, false}) {
    house.bank.moods["Deposit"] = is_declined ? Mood::refuses : Mood::well;
    house.bank.refusal["Deposit"] = wire::REFUSAL_CODE_ACCOUNT_CLOSED;
    house.bank.moods["Hold"] = is_declined ? Mood::refuses : Mood::well;
    house.bank.refusal["Hold"] = wire::REFUSAL_CODE_INSUFFICIENT_FUNDS;
    house.insert();
    v1::DepositResponse deposited;
    v1::WithdrawResponse withdrawn;
    v1::InsertCardResponse after_deposit;
    v1::InsertCardResponse after_withdrawal;
    {
      const BusyDisk busy(house);
      house.run(change_and_come_again(&house, &deposit_method,
                                      house.deposit_of(house.new_id(), 50, 1), &deposited,
                                      &after_deposit));
      house.session = after_deposit.session().session_id();
      house.run(change_and_come_again(&house, &withdraw_method,
                                      house.withdrawal(house.new_id(), 20), &withdrawn,
                                      &after_withdrawal));
    }
    EXPECT_EQ(deposited.has_decline(), is_declined);
    EXPECT_TRUE(after_deposit.has_session()) << after_deposit.DebugString();
    EXPECT_EQ(withdrawn.has_decline(), is_declined);
    EXPECT_TRUE(after_withdrawal.has_session()) << after_withdrawal.DebugString();
  }
}

}  // namespace
}  // namespace atm
