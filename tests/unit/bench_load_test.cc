// The load generator's own arithmetic: what it measures with must be right before what it measures.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bank/v1/bank.pb.h"
#include "bench/load/histogram.h"
#include "bench/load/wire.h"
#include "ledger/operation_id.h"
#include "rpc/v1/envelope.pb.h"

namespace load {
namespace {

TEST(HistogramTest, TellsEveryValueToWithinOnePercent) {
  for (std::uint64_t value = 1; value < 1'000'000'000'000; value = value * 3 / 2 + 1) {
    Histogram one;
    one.record(value);
    one.record(value * 10);  // So that the largest does not tell it.
    const std::uint64_t told = one.at(0.5);
    EXPECT_GE(told, value);
    EXPECT_LE(static_cast<double>(told), static_cast<double>(value) * 1.01);
  }
}

TEST(HistogramTest, TellsTheShareThatStaysBelow) {
  Histogram all;
  for (std::uint64_t value = 1; value <= 1'000; ++value) all.record(value * 1'000);
  EXPECT_NEAR(static_cast<double>(all.at(0.5)), 500e3, 5e3);
  EXPECT_NEAR(static_cast<double>(all.at(0.99)), 990e3, 9.9e3);
  EXPECT_EQ(all.at(1.0), 1'000'000);
  EXPECT_EQ(all.largest(), 1'000'000);
  EXPECT_EQ(all.count(), 1'000);
  EXPECT_DOUBLE_EQ(all.mean(), 500'500);
}

TEST(HistogramTest, TellsNothingOfNothing) {
  const Histogram none;
  EXPECT_EQ(none.at(0.99), 0);
  EXPECT_EQ(none.mean(), 0);
}

rpc::v1::Request parse_frame(std::string_view frame) {
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(frame[0])) * 256 +
                           static_cast<unsigned char>(frame[1]);
  EXPECT_EQ(frame.size(), 2 + size);
  rpc::v1::Request request;
  EXPECT_TRUE(request.ParseFromString(std::string(frame.substr(2))));
  return request;
}

class TemplateTest : public testing::Test {
 protected:
  CardTemplates card{7, 3, "sixteen-byte-tok"};
  std::string out = "what is there already";
};

TEST_F(TemplateTest, MakesARequestWithTheCallsOwnId) {
  for (const std::uint64_t id : {call_id_min, call_id_min + 12'345'678, call_id_max}) {
    const std::size_t at = card.balance.append(out, id);
    const rpc::v1::Request request = parse_frame(std::string_view(out).substr(at));
    EXPECT_EQ(request.id(), id);
    EXPECT_EQ(request.method(), "bank.v1.BankService/GetBalance");
  }
}

TEST_F(TemplateTest, PutsEachChangesIdAndTargetInItsPlace) {
  ChangeIds ids(1);
  const ChangeId id = ids.next(1'800'000'000'000);
  const std::size_t at = card.transfer.append(out, call_id_min);
  card.transfer.set_change(out.data() + at, id);
  card.transfer.set_target(out.data() + at, 12'345'678);

  bank::v1::TransferRequest transfer;
  ASSERT_TRUE(transfer.ParseFromString(parse_frame(std::string_view(out).substr(at)).body()));
  EXPECT_EQ(transfer.id(), std::string(id.data(), id.size()));
  EXPECT_EQ(transfer.target_account_id(), account_name(12'345'678));
  EXPECT_EQ(transfer.card_number(), card_number(7));
  EXPECT_EQ(transfer.terminal_id(), terminal_name(3));
  EXPECT_EQ(transfer.token(), "sixteen-byte-tok");
}

TEST_F(TemplateTest, NamesTheHoldThatACaptureIsOf) {
  ChangeIds ids(1);
  const ChangeId hold = ids.next(1);
  const ChangeId capture = ids.next(1);
  const std::size_t at = card.capture.append(out, call_id_min);
  card.capture.set_change(out.data() + at, capture);
  card.capture.set_hold(out.data() + at, hold);

  bank::v1::CaptureRequest request;
  ASSERT_TRUE(request.ParseFromString(parse_frame(std::string_view(out).substr(at)).body()));
  EXPECT_EQ(request.id(), std::string(capture.data(), capture.size()));
  EXPECT_EQ(request.hold_id(), std::string(hold.data(), hold.size()));
}

TEST(ChangeIdsTest, AreUuidsOfTheirTimeAndNeverTheSame) {
  ChangeIds ids(1);
  const ChangeId first = ids.next(1'800'000'000'000);
  const auto id = ledger::OperationId::from_bytes({first.data(), first.size()});
  ASSERT_TRUE(id.has_value());
  EXPECT_EQ(id->made_at(), ledger::instant_of(1'800'000'000'000'000));
  EXPECT_NE(ids.next(1'800'000'000'000), first);
}

TEST(ReplyTest, IsAYesOnlyWithTheResponsesFirstOutcome) {
  bank::v1::TransferResponse response;
  response.mutable_receipt()->set_ledger_seq(300);
  rpc::v1::Response envelope;
  envelope.set_id(5);
  envelope.set_body(response.SerializeAsString());
  const std::string yes = envelope.SerializeAsString();
  const auto reply = read_reply(yes);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->id, 5);
  EXPECT_TRUE(reply->is_yes());
  EXPECT_EQ(reply->ledger_seq(), 300);

  response.mutable_refusal()->set_message("no");
  envelope.set_body(response.SerializeAsString());
  const std::string no = envelope.SerializeAsString();
  EXPECT_FALSE(read_reply(no)->is_yes());

  envelope.clear_body();
  envelope.set_code(14);
  envelope.set_message("draining");
  const std::string failed = envelope.SerializeAsString();
  EXPECT_FALSE(read_reply(failed)->is_yes());
  EXPECT_EQ(read_reply(failed)->message, "draining");
}

TEST(ReplyTest, IsNothingWhenItIsCutShort) {
  rpc::v1::Response envelope;
  envelope.set_id(5);
  envelope.set_body("a body");
  const std::string whole = envelope.SerializeAsString();
  EXPECT_FALSE(read_reply(whole.substr(0, whole.size() - 1)).has_value());
}

}  // namespace
}  // namespace load
