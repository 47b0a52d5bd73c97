// Watching transfers: every one, once, in order, whatever the pace of the reader.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "async/stream.h"
#include "bank_words.h"
#include "rpc/v1/envelope.pb.h"

namespace bank {
namespace {

constinit const rpc::StreamMethod<v1::WatchTransfersRequest, v1::WatchTransfersResponse>
    watch_transfers{"bank.v1.OperatorService/WatchTransfers"};

// What one watcher was told.
struct Told {
  std::vector<std::uint64_t> numbers;
  std::optional<rpc::Status> end;
};

async::Task<> read_along(rpc::Client* client, std::uint64_t from, async::Deadline deadline,
                         Told* told) {
  v1::WatchTransfersRequest request;
  request.set_from_ledger_seq(from);
  auto transfers = client->stream(watch_transfers, std::move(request), rpc::Context(deadline));
  try {
    while (true) {
      std::optional<v1::WatchTransfersResponse> next = co_await transfers.next();
      if (!next) break;
      told->numbers.push_back(next->transfer().ledger_seq());
    }
  } catch (const rpc::Error& error) {
    told->end = error.status();
  }
}

class BankWatchTest : public BankTest {
 protected:
  BankWatchTest() { open_doors(); }

  void watch(Told& told, std::uint64_t from = 0) {
    scope.spawn(read_along(bank.client.get(), from, bank.loop.in(24h), &told));
    bank.loop.settle();
  }
  std::uint64_t deposit(std::int64_t cents) {
    const auto deposited = bank.answer<v1::DepositResponse>(deposit_request(cents));
    return deposited.receipt().ledger_seq();
  }
  // Many transfers at once, without a call each.
  void make_many(int count, const std::string& reason) {
    for (int i = 0; i < count; ++i) {
      ledger::Operation operation{.id = *ledger::OperationId::from_bytes(bank.next_id()),
                                  .principal = "operator",
                                  .change = ledger::Adjust{.source = "john",
                                                           .target = "jane",
                                                           .amount = ledger::Cents{1},
                                                           .currency = ledger::Currency::of("EUR"),
                                                           .reason = reason}};
      scope.spawn(submit(&bank.process->store, std::move(operation)));
    }
    bank.loop.settle();
  }
  static async::Task<> submit(ledger::Store* store, ledger::Operation operation) {
    ledger::Store::Submission submitted = store->submit(std::move(operation));
    const ledger::Outcome outcome = co_await submitted;
    EXPECT_TRUE(outcome.has_value());
  }

  async::TaskScope scope{bank.loop};
};

TEST_F(BankWatchTest, TellsWhatIsCommittedFromNowOn) {
  Told told;
  watch(told);
  EXPECT_TRUE(told.numbers.empty());
  const std::vector<std::uint64_t> made = {deposit(1), deposit(2), deposit(3)};
  EXPECT_EQ(told.numbers, made);
}

TEST_F(BankWatchTest, TellsTheOldOnesFirstAndGoesOnWithoutGapOrRepetition) {
  std::vector<std::uint64_t> made;
  for (int i = 1; i <= 300; ++i) made.push_back(deposit(i));
  bank.loop.advance(1s);  // Into the tables.
  for (int i = 1; i <= 20; ++i) made.push_back(deposit(i));
  Told told;
  watch(told, made.front());
  for (int i = 1; i <= 20; ++i) made.push_back(deposit(i));
  EXPECT_EQ(told.numbers, made);

  Told from_the_middle;
  watch(from_the_middle, made[100]);
  EXPECT_EQ(from_the_middle.numbers, std::vector(made.begin() + 100, made.end()));
}

TEST_F(BankWatchTest, SeveralAreToldTheSame) {
  Told one;
  Told two;
  watch(one);
  watch(two);
  deposit(1);
  EXPECT_EQ(one.numbers.size(), 1U);
  EXPECT_EQ(two.numbers, one.numbers);
}

TEST_F(BankWatchTest, SaysWhatATransferWas) {
  v1::WatchTransfersRequest request;
  auto transfers =
      bank.client->stream(watch_transfers, std::move(request), rpc::Context(bank.loop.in(1h)));
  auto next = transfers.next();
  std::optional<v1::WatchTransfersResponse> told;
  const auto keep = [](async::Task<std::optional<v1::WatchTransfersResponse>> reading,
                       std::optional<v1::WatchTransfersResponse>* result) -> async::Task<> {
    *result = co_await reading;
  };
  scope.spawn(keep(std::move(next), &told));
  bank.loop.settle();
  const std::uint64_t number = deposit(12'34);
  ASSERT_TRUE(told.has_value());
  const v1::TransferView& transfer = told->transfer();
  EXPECT_EQ(transfer.ledger_seq(), number);
  EXPECT_EQ(transfer.kind(), "deposit");
  EXPECT_EQ(transfer.source_account_id(), "cash:atm-1");
  EXPECT_EQ(transfer.target_account_id(), "jane");
  EXPECT_EQ(transfer.terminal_id(), "atm-1");
  EXPECT_EQ(transfer.amount().minor_units(), 12'34);
  scope.cancel();
}

TEST_F(BankWatchTest, TooManyAreRefusedAndOneThatLeavesMakesRoom) {
  std::vector<std::unique_ptr<Told>> told;
  auto first = std::make_unique<async::TaskScope>(bank.loop);
  Told leaves;
  first->spawn(read_along(bank.client.get(), 0, bank.loop.in(1h), &leaves));
  for (std::size_t i = 1; i < watchers_max; ++i) watch(*told.emplace_back(new Told));
  Told too_many;
  watch(too_many);
  ASSERT_TRUE(too_many.end.has_value());
  EXPECT_EQ(too_many.end->code, rpc::StatusCode::resource_exhausted);
  first.reset();
  bank.loop.settle();
  Told fits;
  watch(fits);
  deposit(1);
  EXPECT_EQ(fits.numbers.size(), 1U);
  scope.cancel();
}

// Asks, and never reads.
async::Task<> ask_and_ignore(async::Loop* loop, async::Stream* connection, std::string frame) {
  *connection = co_await loop->connect(bank_address);
  co_await connection->write(std::move(frame));
}

TEST_F(BankWatchTest, WhoDoesNotReadIsCutAndHoldsUpNobody) {
  rpc::v1::Request envelope;
  envelope.set_id(1);
  envelope.set_method("bank.v1.OperatorService/WatchTransfers");
  const std::string body = envelope.SerializeAsString();
  std::string frame = {'\0', static_cast<char>(body.size())};
  frame += body;

  auto [connection, other_end] = async::memory_stream_pair(bank.loop, 1);
  other_end.close();
  scope.spawn(ask_and_ignore(&bank.loop, &connection, frame));
  std::vector<std::unique_ptr<Told>> attentive;
  for (std::size_t i = 1; i < watchers_max; ++i) watch(*attentive.emplace_back(new Told));
  const auto is_full = [this] {
    Told another;
    async::TaskScope asking(bank.loop);
    asking.spawn(read_along(bank.client.get(), 0, bank.loop.in(1h), &another));
    bank.loop.settle();
    return another.end.has_value();
  };

  make_many(2'000, std::string(500, 'x'));
  for (const auto& told : attentive) EXPECT_EQ(told->numbers.size(), 2'000U);
  EXPECT_TRUE(is_full());
  bank.loop.advance(rpc::ServerLimits().unread_time_max - 1s);
  EXPECT_TRUE(is_full());
  bank.loop.advance(1s);
  EXPECT_FALSE(is_full());
  scope.cancel();
  connection.close();
}

TEST_F(BankWatchTest, WhoReadsSlowlyIsToldEverything) {
  v1::WatchTransfersRequest request;
  auto transfers =
      bank.client->stream(watch_transfers, std::move(request), rpc::Context(bank.loop.in(1h)));
  Told told;
  const auto read_some = [](auto* stream, Told* into, int count) -> async::Task<> {
    for (int i = 0; i < count; ++i) {
      std::optional<v1::WatchTransfersResponse> next = co_await stream->next();
      into->numbers.push_back(next->transfer().ledger_seq());
    }
  };
  scope.spawn(read_some(&transfers, &told, 1));
  bank.loop.settle();
  make_many(5'000, std::string(500, 'x'));
  bank.loop.advance(2s);  // Most are in the tables only by now.
  scope.spawn(read_some(&transfers, &told, 4'999));
  bank.loop.settle();
  ASSERT_EQ(told.numbers.size(), 5'000U);
  for (std::size_t i = 1; i < told.numbers.size(); ++i) {
    ASSERT_EQ(told.numbers[i], told.numbers[i - 1] + 1);
  }
}

}  // namespace
}  // namespace bank
