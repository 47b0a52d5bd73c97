// What became of a change: by its own id, by the id on the customer's receipt, by its number.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bank_words.h"

namespace bank {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class BankChangesTest : public BankTest {
 protected:
  BankChangesTest() { open_doors(); }

  // A hold of Jane's for an ATM's withdrawal, whose customer has another id for it.
  v1::HoldRequest hold_of(const std::string& receipt, std::int64_t cents) {
    v1::HoldRequest request = hold_request(token(), cents);
    request.set_receipt_id(receipt);
    return request;
  }
  v1::HoldRequest paid(const std::string& receipt, std::int64_t cents) {
    v1::HoldRequest hold = hold_of(receipt, cents);
    EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "yes");
    const auto captured = bank.answer<v1::CaptureResponse>(capture_request(hold.id(), cents));
    EXPECT_EQ(word(captured), "yes");
    return hold;
  }
  v1::FindChangeResponse find(const std::string& id) {
    v1::FindChangeRequest request;
    request.set_id(id);
    return bank.answer<v1::FindChangeResponse>(request);
  }
  v1::ResolveChangeResponse resolve(const std::string& id) {
    v1::ResolveChangeRequest request;
    request.set_id(id);
    return bank.answer<v1::ResolveChangeResponse>(request);
  }
  template <typename Response>
  static std::vector<std::string> kinds(const Response& response) {
    std::vector<std::string> kinds;
    for (const v1::ChangeView& change : response.changes()) {
      kinds.push_back(change.kind() + " " + change.outcome());
    }
    return kinds;
  }
  std::vector<v1::ChangeView> declines(const std::string& account_id = "") {
    std::vector<v1::ChangeView> all;
    v1::ListDeclinesRequest request;
    request.set_account_id(account_id);
    request.set_page_size(1);
    do {
      const auto page = bank.answer<v1::ListDeclinesResponse>(request);
      for (const v1::ChangeView& change : page.declines()) all.push_back(change);
      request.set_page_token(page.next_page_token());
    } while (!request.page_token().empty());
    return all;
  }
  std::uint64_t last_seq() { return bank.process->store.last_seq(); }
  v1::FindChangeResponse newest() {
    v1::FindChangeRequest by_number;
    by_number.set_ledger_seq(last_seq());
    return bank.answer<v1::FindChangeResponse>(by_number);
  }
};

TEST_F(BankChangesTest, APaidWithdrawalIsFoundByTheCustomersReceipt) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = paid(receipt, 60'00);
  const std::uint64_t seq = last_seq();

  const v1::FindChangeResponse found = find(receipt);
  EXPECT_TRUE(found.has_executed());
  EXPECT_THAT(kinds(found), ElementsAre("hold done", "capture done"));
  EXPECT_EQ(found.changes(0).id(), hold.id());
  EXPECT_EQ(found.changes(0).receipt_id(), receipt);
  EXPECT_EQ(found.changes(0).account_id(), "jane");
  EXPECT_EQ(found.changes(0).hold_state(), v1::HOLD_STATE_CAPTURED);
  EXPECT_EQ(found.changes(0).paid().minor_units(), 60'00);
  EXPECT_EQ(found.changes(1).ledger_seq(), seq);
  EXPECT_EQ(found.summary(), "60.00 EUR was paid at atm-1 and taken from jane.");
  EXPECT_EQ(found.transfer_seq(), seq) << "The receipt names the hold's number.";

  const v1::ResolveChangeResponse resolved = resolve(receipt);
  EXPECT_TRUE(resolved.has_executed()) << "It must not read as if nothing had happened.";
  EXPECT_EQ(resolved.executed().ledger_seq(), seq);
  EXPECT_THAT(kinds(resolved), ElementsAre("hold done", "capture done"));
  EXPECT_EQ(last_seq(), seq) << "Nothing was fenced.";
}

TEST_F(BankChangesTest, ATerminalIsToldByTheReceiptWhatItDid) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = paid(receipt, 60'00);
  const std::uint64_t seq = last_seq();
  v1::ResolveRequest request;
  request.set_id(receipt);
  request.set_terminal_id("atm-1");
  const auto told = bank.answer<v1::ResolveResponse>(request);
  EXPECT_EQ(told.executed().ledger_seq(), seq);
  EXPECT_EQ(told.change().kind(), "hold");
  EXPECT_EQ(told.change().id(), hold.id());
  EXPECT_EQ(told.change().hold_state(), v1::HOLD_STATE_CAPTURED);
  EXPECT_EQ(told.change().paid().minor_units(), 60'00);
  request.set_terminal_id("atm-2");
  EXPECT_EQ(bank.answer<v1::ResolveResponse>(request).refusal().code(),
            v1::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER);
  EXPECT_EQ(last_seq(), seq) << "Nothing was fenced.";
}

TEST_F(BankChangesTest, OnAReceiptThatATerminalAskedAboutNothingIsHeld) {
  v1::ResolveRequest request;
  request.set_id(bank.next_id());
  request.set_terminal_id("atm-1");
  EXPECT_TRUE(bank.answer<v1::ResolveResponse>(request).has_fenced());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold_of(request.id(), 10'00))), "ID_FENCED");
  EXPECT_TRUE(bank.answer<v1::ResolveResponse>(request).has_fenced());
}

TEST_F(BankChangesTest, AnyIdOfAWithdrawalLeadsToAllOfIt) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = hold_of(receipt, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  const v1::CaptureRequest capture = capture_request(hold.id(), 40'00);
  bank.answer<v1::CaptureResponse>(capture);
  for (const bool has_tables : {false, true}) {
    if (has_tables) bank.loop.advance(1s);
    EXPECT_EQ(bank.memory.projected_through() == last_seq(), has_tables);
    EXPECT_THAT(kinds(find(receipt)), ElementsAre("hold done", "capture done"));
    EXPECT_THAT(kinds(find(hold.id())), ElementsAre("hold done", "capture done"));
    EXPECT_THAT(kinds(find(capture.id())), ElementsAre("hold done", "capture done"));
    EXPECT_THAT(kinds(newest()), ElementsAre("hold done", "capture done"));
  }
}

TEST_F(BankChangesTest, ListsShowTheReceiptsIdBesideTheBanksOwn) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = hold_of(receipt, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  const auto holds = bank.answer<v1::ListHoldsResponse>(v1::ListHoldsRequest());
  EXPECT_EQ(holds.holds(0).receipt_id(), receipt);
  bank.answer<v1::SuspendResponse>(suspend_request(hold.id()));
  const auto exceptions = bank.answer<v1::ListExceptionsResponse>(v1::ListExceptionsRequest());
  EXPECT_EQ(exceptions.exceptions(0).receipt_id(), receipt);
  const v1::CaptureRequest capture = capture_request(hold.id(), 60'00);
  bank.answer<v1::CaptureResponse>(capture);
  const std::string deposited = bank.next_id();
  v1::DepositRequest deposit = deposit_request(20'00);
  deposit.set_receipt_id(deposited);
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "yes");

  const auto list = bank.answer<v1::ListTransfersResponse>(v1::ListTransfersRequest());
  EXPECT_EQ(list.transfers(0).receipt_id(), deposited);
  EXPECT_EQ(list.transfers(1).id(), capture.id());
  EXPECT_EQ(list.transfers(1).receipt_id(), receipt);
  const auto statement = bank.answer<v1::ListStatementResponse>(statement_request(token()));
  EXPECT_EQ(statement.statement().entries(0).receipt_id(), deposited);
  EXPECT_EQ(statement.statement().entries(0).id(), deposit.id());
  EXPECT_THAT(kinds(find(deposited)), ElementsAre("deposit done"));
  EXPECT_EQ(find(deposited).summary(), "It was done: deposit of 20.00 EUR to jane.");
}

TEST_F(BankChangesTest, TheSentenceOfATransferSaysFromWhomToWhom) {
  const v1::TransferRequest request = transfer_request(token(), "john", 5'00);
  EXPECT_EQ(word(bank.answer<v1::TransferResponse>(request)), "yes");
  EXPECT_EQ(find(request.id()).summary(), "It was done: transfer of 5.00 EUR from jane to john.");
}

TEST_F(BankChangesTest, ARefusedDepositsExceptionHasItsReceipt) {
  v1::DepositRequest deposit = deposit_request(20'00);
  deposit.set_card_number("4999999999999999");
  deposit.set_kept(true);
  deposit.set_receipt_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "CARD_NOT_FOUND");
  const auto exceptions = bank.answer<v1::ListExceptionsResponse>(v1::ListExceptionsRequest());
  EXPECT_EQ(exceptions.exceptions(0).receipt_id(), deposit.receipt_id());
}

TEST_F(BankChangesTest, AFencedReceiptStopsTheWithdrawalButNotNotesThatAreInside) {
  const std::string receipt = bank.next_id();
  EXPECT_TRUE(find(receipt).has_never_seen());
  EXPECT_TRUE(find(receipt).has_never_seen()) << "Looking fences nothing.";
  EXPECT_TRUE(resolve(receipt).has_fenced());
  EXPECT_TRUE(find(receipt).has_fenced());
  EXPECT_THAT(find(receipt).summary(), HasSubstr("no withdrawal with it on its receipt, was done"));
  EXPECT_THAT(find(receipt).summary(), HasSubstr("A deposit with it on its receipt"));

  const v1::HoldRequest hold = hold_of(receipt, 60'00);
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "ID_FENCED");
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "ID_FENCED")
      << "Not pinned, and no less so.";
  EXPECT_EQ(account("jane").held().minor_units(), 0);
  bank.restart();
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold_of(receipt, 60'00))), "ID_FENCED");

  v1::DepositRequest deposit = deposit_request(20'00);
  deposit.set_receipt_id(receipt);
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "yes");
  EXPECT_TRUE(resolve(receipt).has_executed()) << "What was done counts for more than the fence.";
}

TEST_F(BankChangesTest, OfCashThatMovedAllTheSameNobodyIsToldThatItWasDeclined) {
  const std::string paid = bank.next_id();
  v1::CaptureRequest capture = capture_request(bank.next_id(), 70'00);
  capture.set_receipt_id(paid);
  EXPECT_EQ(word(bank.answer<v1::CaptureResponse>(capture)), "HOLD_NOT_FOUND");
  const std::string lost = std::to_string(last_seq());
  EXPECT_EQ(
      find(paid).summary(),
      "70.00 EUR was paid at atm-1, and this bank has lost the hold: exception " + lost + ".");
  EXPECT_EQ(resolve(paid).summary(), find(paid).summary());

  const std::string unknown = bank.next_id();
  v1::SuspendRequest suspend = suspend_request(bank.next_id());
  suspend.set_receipt_id(unknown);
  *suspend.mutable_amount() = euros(20'00);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "HOLD_NOT_FOUND");
  EXPECT_EQ(
      find(unknown).summary(),
      "atm-1 does not know what it paid of 20.00 EUR, and this bank has lost the hold: exception " +
          std::to_string(last_seq()) + ".");

  const std::string put_in = bank.next_id();
  v1::DepositRequest deposit = deposit_request(20'00);
  deposit.set_card_number("4999999999999999");
  deposit.set_kept(true);
  deposit.set_receipt_id(put_in);
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "CARD_NOT_FOUND");
  EXPECT_EQ(find(put_in).summary(),
            "20.00 EUR was put into atm-1, but this bank refused that: There is no such card. See "
            "exception " +
                std::to_string(last_seq()) + ".");

  v1::ResolveExceptionRequest settle;
  settle.set_id(bank.next_id());
  settle.set_exception_seq(std::stoull(lost));
  settle.set_reason("adjusted");
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(settle)), "yes");
  EXPECT_EQ(find(paid).summary(),
            "70.00 EUR was paid at atm-1, and this bank has lost the hold: "
            "exception " +
                lost + ", which is resolved.");
}

// The ledger knows the hold, and so forgets what the terminal said of it, but not which notes it planned.
TEST_F(BankChangesTest, ASuspensionIsNeverToldAsOneOfNoMoney) {
  const auto plan = [](v1::SuspendRequest& suspend) {
    v1::PlannedNotes& notes = *suspend.add_planned();
    *notes.mutable_denomination() = euros(20'00);
    notes.set_count(3);
  };
  const v1::HoldRequest hold = hold_of(bank.next_id(), 60'00);
  bank.answer<v1::HoldResponse>(hold);
  v1::SuspendRequest suspend = suspend_request(hold.id());
  *suspend.mutable_amount() = euros(60'00);
  plan(suspend);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(suspend)), "yes");
  v1::FindChangeRequest by_number;
  by_number.set_ledger_seq(last_seq());
  const std::string told =
      "atm-1 does not know what it paid; 60.00 EUR of jane stays reserved until exception " +
      std::to_string(last_seq()) + " is resolved.";

  v1::SuspendRequest lost = suspend_request(bank.next_id());
  plan(lost);
  EXPECT_EQ(word(bank.answer<v1::SuspendResponse>(lost)), "HOLD_NOT_FOUND");
  for (const bool has_tables : {false, true}) {
    if (has_tables) bank.loop.advance(1s);
    for (const auto& found : {find(suspend.id()), bank.answer<v1::FindChangeResponse>(by_number)}) {
      EXPECT_EQ(found.summary(), told);
      ASSERT_THAT(kinds(found), ElementsAre("hold done", "suspend done"));
      EXPECT_FALSE(found.changes(1).has_amount());
    }
    ASSERT_THAT(kinds(find(lost.id())), ElementsAre("suspend hold_not_found"));
    EXPECT_FALSE(find(lost.id()).changes(0).has_amount());
  }
}

TEST_F(BankChangesTest, TheLogSaysNoAmountOfAReversalRatherThanNone) {
  fund("jane", 60'00);
  v1::ReverseRequest reverse;
  reverse.set_id(bank.next_id());
  reverse.set_transfer_seq(bank.process->store.last_seq());
  reverse.set_reason("wrong Jane");
  bank.log_lines.clear();
  EXPECT_EQ(word(bank.answer<v1::ReverseResponse>(reverse)), "yes");
  EXPECT_THAT(bank.log_lines,
              testing::HasSubstr("transfer_seq=" + std::to_string(reverse.transfer_seq())));
  EXPECT_THAT(bank.log_lines, testing::Not(testing::HasSubstr("amount")));
}

TEST_F(BankChangesTest, TheNumberOfTheTransferIsToldWhateverWasAskedFor) {
  const auto by_number = [this](std::uint64_t seq) {
    v1::FindChangeRequest request;
    request.set_ledger_seq(seq);
    return bank.answer<v1::FindChangeResponse>(request);
  };
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = hold_of(receipt, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  const std::uint64_t held = last_seq();
  EXPECT_EQ(by_number(held).transfer_seq(), 0U) << "Nothing was paid yet.";
  bank.answer<v1::SuspendResponse>(suspend_request(hold.id()));
  v1::ResolveExceptionRequest decide;
  decide.set_id(bank.next_id());
  decide.set_exception_seq(last_seq());
  *decide.mutable_paid() = euros(20'00);
  decide.set_reason("the camera shows it");
  EXPECT_EQ(word(bank.answer<v1::ResolveExceptionResponse>(decide)), "yes");
  const std::uint64_t decided = last_seq();
  EXPECT_EQ(word(fund("jane", 30'00)), "yes");
  const std::uint64_t funded = last_seq();
  for (const bool has_tables : {false, true}) {
    if (has_tables) bank.loop.advance(1s);
    EXPECT_EQ(by_number(held).transfer_seq(), decided);
    EXPECT_EQ(find(receipt).transfer_seq(), decided);
    EXPECT_EQ(resolve(receipt).transfer_seq(), decided);
    EXPECT_EQ(by_number(funded).transfer_seq(), funded);
    EXPECT_EQ(by_number(funded + 1).transfer_seq(), 0U);
  }
  EXPECT_EQ(by_number(9999).summary(), "The bank's journal has no such number yet: it ends with " +
                                           std::to_string(funded) + ".");

  v1::ListExceptionsRequest all;
  all.set_with_resolved(true);
  const auto exceptions = bank.answer<v1::ListExceptionsResponse>(all);
  EXPECT_EQ(exceptions.exceptions(0).paid().minor_units(), 20'00);
}

TEST_F(BankChangesTest, WhatBecameOfAHoldIsSaidInASentence) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest hold = hold_of(receipt, 60'00);
  bank.answer<v1::HoldResponse>(hold);
  EXPECT_EQ(find(receipt).summary(),
            "60.00 EUR of jane is reserved; atm-1 has not said yet what it paid.");
  bank.loop.advance(61s);
  EXPECT_THAT(find(receipt).summary(), HasSubstr("is free again, for its time was over"));
  bank.answer<v1::SuspendResponse>(suspend_request(hold.id()));
  EXPECT_THAT(find(receipt).summary(), HasSubstr("stays reserved until exception"));
  EXPECT_THAT(kinds(find(receipt)), testing::Contains("suspend done"));
  bank.answer<v1::VoidResponse>(void_request(hold.id()));
  EXPECT_EQ(find(receipt).summary(),
            "Nothing was paid: 60.00 EUR of jane was reserved and is free again.");
}

TEST_F(BankChangesTest, AHoldThatAVoidFencedWasNotDone) {
  const v1::HoldRequest never = hold_request(token(), 60'00);
  EXPECT_TRUE(bank.answer<v1::VoidResponse>(void_request(never.id())).hold_was_unknown());
  EXPECT_TRUE(find(never.id()).has_fenced());
  EXPECT_THAT(kinds(find(never.id())), ElementsAre("resolve done", "void done"));
  EXPECT_TRUE(resolve(never.id()).has_fenced());
}

TEST_F(BankChangesTest, ADeclinedAttemptCanBeLookedUp) {
  const std::string receipt = bank.next_id();
  const v1::HoldRequest too_much = hold_of(receipt, 500'00);
  const auto refused = bank.answer<v1::HoldResponse>(too_much);
  EXPECT_EQ(refused.refusal().ledger_seq(), last_seq());
  EXPECT_EQ(word(verify("1111", johns_card)), "PIN_WRONG");

  const v1::FindChangeResponse found = find(receipt);
  EXPECT_EQ(found.refused().code(), v1::REFUSAL_CODE_INSUFFICIENT_FUNDS);
  EXPECT_EQ(found.summary(), "It was declined: Only 100.00 EUR are available.");
  EXPECT_THAT(kinds(found), ElementsAre("hold insufficient_funds"));
  EXPECT_TRUE(resolve(receipt).has_refused());

  for (const bool has_tables : {false, true}) {
    if (has_tables) bank.loop.advance(1s);
    const std::vector<v1::ChangeView> all = declines();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].kind() + " " + all[0].outcome(), "record_pin_attempt pin_wrong");
    EXPECT_EQ(all[0].account_id(), "john");
    EXPECT_EQ(all[0].card(), "************0028");
    EXPECT_EQ(all[1].receipt_id(), receipt);
    EXPECT_EQ(all[1].amount().minor_units(), 500'00);
    ASSERT_EQ(declines("jane").size(), 1U);
    EXPECT_EQ(declines("jane")[0].asked_by(), "atm-1");
  }
}

TEST_F(BankChangesTest, ADepositThatWasRefusedInTheEscrowWasDeclinedAndLeavesNothingToSettle) {
  v1::DepositRequest deposit = deposit_request(20'00);
  deposit.set_card_number("4999999999999999");
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "CARD_NOT_FOUND");
  EXPECT_EQ(find(deposit.id()).summary(), "It was declined: There is no such card.");
  const auto exceptions = bank.answer<v1::ListExceptionsResponse>(v1::ListExceptionsRequest());
  EXPECT_EQ(exceptions.exceptions_size(), 0);
  deposit.set_kept(true);
  EXPECT_EQ(word(bank.answer<v1::DepositResponse>(deposit)), "CARD_NOT_FOUND") << "a retry";
  EXPECT_EQ(declines().size(), 1U);
}

TEST_F(BankChangesTest, AReversalSaysWhatItReverses) {
  EXPECT_EQ(word(fund("jane", 30'00)), "yes");
  const std::uint64_t funded = last_seq();
  v1::ReverseRequest reverse;
  reverse.set_id(bank.next_id());
  reverse.set_transfer_seq(funded);
  reverse.set_reason("wrong account");
  EXPECT_EQ(word(bank.answer<v1::ReverseResponse>(reverse)), "yes");
  for (const bool has_tables : {false, true}) {
    if (has_tables) bank.loop.advance(1s);
    const auto list = bank.answer<v1::ListTransfersResponse>(v1::ListTransfersRequest());
    EXPECT_EQ(list.transfers(0).reverses_seq(), funded);
    EXPECT_EQ(list.transfers(1).reversed_by_seq(), list.transfers(0).ledger_seq());
    EXPECT_EQ(list.transfers(1).reverses_seq(), 0U);
    const auto statement = bank.answer<v1::ListStatementResponse>(statement_request(token()));
    EXPECT_EQ(statement.statement().entries(0).reverses_seq(), funded);
  }
}

// --- What a refusal names ---

// What the ledger may name of a change, but "currency", which is that of an amount.
template <typename Kind>
std::vector<std::string> not_in(const google::protobuf::Descriptor& request) {
  std::vector<std::string> missing;
  Kind::fields([&](std::string_view name, auto, auto...) {
    const std::string own(name.substr(0, name.find('.')));
    const bool is_there = request.FindFieldByName(own) != nullptr;
    if (!is_there && name != "currency") missing.emplace_back(name);
  });
  return missing;
}

TEST_F(BankChangesTest, TheFieldThatARefusalNamesIsOneOfTheRequest) {
  const std::vector<std::string> none;
  EXPECT_EQ(not_in<ledger::Hold>(*v1::HoldRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Capture>(*v1::CaptureRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Void>(*v1::VoidRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Suspend>(*v1::SuspendRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::OpenAccount>(*v1::OpenAccountRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Freeze>(*v1::FreezeAccountRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Close>(*v1::CloseAccountRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::SetOverdraft>(*v1::SetOverdraftRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::AddTerminal>(*v1::AddTerminalRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::SetTerminalService>(*v1::SetTerminalServiceRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::IssueCard>(*v1::IssueCardRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::BlockCard>(*v1::BlockCardRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::UnblockCard>(*v1::UnblockCardRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::ReplaceCard>(*v1::ReplaceCardRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::SetCardLimits>(*v1::SetCardLimitsRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::Adjust>(*v1::AdjustRequest::descriptor()), none);
  EXPECT_EQ(not_in<ledger::ResolveException>(*v1::ResolveExceptionRequest::descriptor()), none);

  v1::FundAccountRequest fund;
  fund.set_id(bank.next_id());
  *fund.mutable_amount() = euros(1'00);
  const auto field = [&] { return bank.answer<v1::FundAccountResponse>(fund).refusal().field(); };
  EXPECT_EQ(field(), "account_id");
  fund.set_account_id(std::string(65, 'x'));
  EXPECT_EQ(field(), "account_id");
  fund.set_account_id("jane");
  EXPECT_EQ(field(), "");
  fund.set_account_id("john");
  EXPECT_EQ(field(), "account_id") << "The id was used for Jane.";
}

TEST_F(BankChangesTest, AReceiptsIdThatIsNoneIsMalformed) {
  EXPECT_EQ(find("short").refusal().field(), "id");
  v1::HoldRequest hold = hold_of("short", 1'00);
  EXPECT_EQ(bank.answer<v1::HoldResponse>(hold).refusal().field(), "receipt_id");
  hold.set_receipt_id(std::string(16, '\0'));
  EXPECT_EQ(bank.answer<v1::HoldResponse>(hold).refusal().field(), "receipt_id");
  hold.set_receipt_id(bank.next_id());
  EXPECT_EQ(word(bank.answer<v1::HoldResponse>(hold)), "yes");
  hold.set_receipt_id(bank.next_id());
  EXPECT_EQ(bank.answer<v1::HoldResponse>(hold).refusal().field(), "receipt_id");
}

}  // namespace
}  // namespace bank
