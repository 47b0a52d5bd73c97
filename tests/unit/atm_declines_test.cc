// What the ATM declined by itself, as staff find it again.
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm/declines.h"
#include "atm_fixture.h"

namespace atm {
namespace {

using testing::HasSubstr;

class AtmDeclinesTest : public testing::Test {
 protected:
  AtmDeclinesTest() {
    house.load(1, 20, 10);
    house.insert();
    house.pass(1s);
  }

  v1::ListDeclinesResponse page(const std::string& token = "", std::uint32_t size = 0,
                                const std::string& terminal = "") {
    v1::ListDeclinesRequest request;
    request.set_page_token(token);
    request.set_page_size(size);
    request.set_terminal_id(terminal);
    return house.call(list_declines_method, std::move(request));
  }
  // Of every page.
  std::vector<v1::DeclinedAttempt> all() {
    std::vector<v1::DeclinedAttempt> declines;
    std::string token;
    do {
      const v1::ListDeclinesResponse more = page(token, 200);
      declines.insert(declines.end(), more.declines().begin(), more.declines().end());
      token = more.next_page_token();
    } while (!token.empty());
    return declines;
  }
  std::vector<v1::DeclinedAttempt> found(const OperationId& id) {
    v1::ListDeclinesRequest request;
    request.set_attempt_id(std::string(id.view()));
    const v1::ListDeclinesResponse response = house.call(list_declines_method, std::move(request));
    return {response.declines().begin(), response.declines().end()};
  }
  // The only one of that id.
  v1::DeclinedAttempt only(const OperationId& id) {
    const std::vector<v1::DeclinedAttempt> declines = found(id);
    EXPECT_EQ(declines.size(), 1U) << id.text();
    return declines.empty() ? v1::DeclinedAttempt() : declines.front();
  }
  static OperationId numbered(std::size_t number) {
    OperationId id;
    std::memcpy(id.bytes.data(), &number, sizeof number);
    return id;
  }

  AtmHouse house;
  const DiskRoom room{house.disk, house.settings.free_space_reserve_bytes};
};

TEST_F(AtmDeclinesTest, WhatTheNotesCannotMakeIsFoundByItsId) {
  const OperationId id = house.new_id();
  const v1::WithdrawResponse response = house.withdraw(id, 30);
  const v1::DeclinedAttempt declined = only(id);
  EXPECT_EQ(declined.kind(), "withdrawal");
  EXPECT_EQ(declined.code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  EXPECT_EQ(declined.message(), response.decline().message());
  EXPECT_EQ(declined.amount().minor_units(), 30'00);
  EXPECT_EQ(declined.terminal_id(), "atm-1");
  EXPECT_THAT(declined.card(), testing::EndsWith("jane"));
  EXPECT_THAT(declined.card(), testing::Not(HasSubstr("4000")));
  EXPECT_GT(declined.at_us(), 0);
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U) << "the bank has nothing of it";
}

TEST_F(AtmDeclinesTest, EveryKindOfChangeIsKept) {
  house.set_service(false);
  const OperationId withdrawal = house.new_id();
  const OperationId deposit = house.new_id();
  const OperationId moved = house.new_id();
  const OperationId pin = house.new_id();
  house.withdraw(withdrawal, 20);
  house.deposit(deposit, 50, 2);
  house.transfer(moved, 7);
  house.change_pin(pin);
  std::vector<std::string> kinds;
  for (const v1::DeclinedAttempt& each : all()) {
    EXPECT_EQ(each.code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
    kinds.push_back(each.kind());
  }
  EXPECT_THAT(kinds, testing::ElementsAre("change_pin", "transfer", "deposit", "withdrawal"));
  EXPECT_EQ(only(deposit).amount().minor_units(), 100'00);
  EXPECT_EQ(only(moved).amount().minor_units(), 7'00);
  EXPECT_FALSE(only(pin).has_amount());
}

TEST_F(AtmDeclinesTest, WhatWasGivenUpOrNotPresentedIsKeptToo) {
  const OperationId silent = house.new_id();
  house.bank.delays["Hold"] = 60s;
  house.withdraw(silent, 20, 2s);
  EXPECT_EQ(only(silent).code(), v1::DECLINE_CODE_BANK_SILENT);
  house.bank.delays.clear();
  house.pass(70s);
  house.insert();
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM);
  const OperationId jammed = house.new_id();
  house.withdraw(jammed, 20);
  EXPECT_EQ(only(jammed).code(), v1::DECLINE_CODE_DISPENSER_FAULT);
}

TEST_F(AtmDeclinesTest, WhatTheBankDeclinedIsWithTheBank) {
  const OperationId id = house.new_id();
  ASSERT_EQ(house.withdraw(id, 120).decline().code(), v1::DECLINE_CODE_BY_BANK);
  EXPECT_TRUE(found(id).empty());
}

TEST_F(AtmDeclinesTest, AnAmountThatCannotBeReadIsNotShown) {
  const OperationId other_currency = house.new_id();
  v1::WithdrawRequest request = house.withdrawal(other_currency, 20);
  request.mutable_amount()->set_currency("USD");
  house.call(withdraw_method, std::move(request));
  EXPECT_EQ(only(other_currency).code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_FALSE(only(other_currency).has_amount());
  const OperationId no_note = house.new_id();
  house.deposit(no_note, 92'233'720'368'547'758, 200);
  EXPECT_FALSE(only(no_note).has_amount());
}

TEST_F(AtmDeclinesTest, ARepeatedAttemptIsKeptOnce) {
  const OperationId id = house.new_id();
  house.withdraw(id, 30);
  house.withdraw(id, 30);
  EXPECT_EQ(found(id).size(), 1U);
}

// The same request may come again by no doing of the customer, who has forgotten the id at the no.
TEST_F(AtmDeclinesTest, WhatWasDeclinedIsNeverPaidUnderThatId) {
  const OperationId id = house.new_id();
  const v1::WithdrawResponse first = house.withdraw(id, 30);
  ASSERT_EQ(first.decline().code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  house.load(2, 10, 5);
  house.pass(1s);
  const v1::WithdrawResponse again = house.withdraw(id, 30);
  EXPECT_EQ(again.decline().message(), first.decline().message());
  EXPECT_TRUE(again.replayed());
  EXPECT_EQ(house.bank.times_asked("Hold"), 0U);
  EXPECT_EQ(house.resolve(id).outcome_case(), v1::ResolveResponse::kDeclined);
  EXPECT_TRUE(house.withdraw(house.new_id(), 30).has_withdrawn());
}

TEST_F(AtmDeclinesTest, NothingThatWasDeclinedIsBegunLaterNorAfterARestart) {
  house.set_service(false);
  const OperationId withdrawal = house.new_id();
  const OperationId deposit = house.new_id();
  const OperationId moved = house.new_id();
  const OperationId pin = house.new_id();
  const auto expect_all_declined = [&] {
    EXPECT_EQ(house.withdraw(withdrawal, 20).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
    EXPECT_EQ(house.deposit(deposit, 50, 2).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
    EXPECT_EQ(house.transfer(moved, 7).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
    EXPECT_EQ(house.change_pin(pin).decline().code(), v1::DECLINE_CODE_OUT_OF_SERVICE);
  };
  expect_all_declined();
  house.set_service(true);
  expect_all_declined();
  house.restart();
  house.insert();
  expect_all_declined();
  for (const char* const asked : {"Hold", "Deposit", "Transfer", "ChangePin"}) {
    EXPECT_EQ(house.bank.times_asked(asked), 0U) << asked;
  }
  EXPECT_EQ(all().size(), 4U);
}

// Also while the bank is silent, which it often is when the ATM declines.
TEST_F(AtmDeclinesTest, WhoeverAsksWhatBecameOfItHearsTheSameNo) {
  house.set_service(false);
  const OperationId withdrawal = house.new_id();
  const OperationId deposit = house.new_id();
  const OperationId moved = house.new_id();
  const OperationId pin = house.new_id();
  const std::vector<std::pair<OperationId, v1::Decline>> told = {
      {withdrawal, house.withdraw(withdrawal, 20).decline()},
      {deposit, house.deposit(deposit, 50, 2).decline()},
      {moved, house.transfer(moved, 7).decline()},
      {pin, house.change_pin(pin).decline()}};
  const auto expect_the_same = [&] {
    for (const auto& [id, no] : told) {
      const v1::ResolveResponse outcome = house.resolve(id);
      EXPECT_EQ(outcome.declined().code(), v1::DECLINE_CODE_OUT_OF_SERVICE) << id.text();
      EXPECT_EQ(outcome.declined().message(), no.message()) << id.text();
    }
  };
  house.bank.moods["Resolve"] = Mood::silent;
  expect_the_same();
  house.restart();
  expect_the_same();
  house.bank.moods.clear();
  expect_the_same();
  house.set_service(true);
  house.insert();
  expect_the_same();
  EXPECT_EQ(house.withdraw(withdrawal, 20).decline().message(), told[0].second.message());
  EXPECT_EQ(house.deposit(deposit, 50, 2).decline().message(), told[1].second.message());
  EXPECT_EQ(house.transfer(moved, 7).decline().message(), told[2].second.message());
  EXPECT_EQ(house.change_pin(pin).decline().message(), told[3].second.message());
}

TEST_F(AtmDeclinesTest, NoCashIsMovedByStaffUnderAnIdThatWasDeclinedOrAskedAbout) {
  const OperationId declined = house.new_id();
  ASSERT_EQ(house.withdraw(declined, 30).decline().code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
  const OperationId asked_about = house.new_id();
  ASSERT_EQ(house.resolve(asked_about).declined().code(), v1::DECLINE_CODE_ID_FENCED);
  house.pass(70s);
  for (const OperationId& id : {declined, asked_about}) {
    EXPECT_EQ(house.load(id, 1, 20, 1).decline().code(),
              v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
    EXPECT_EQ(house.unload(id).decline().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  }
  EXPECT_EQ(house.really_inside(), 200);
}

TEST_F(AtmDeclinesTest, AnIdOfCashThatStaffMovedIsNoCustomersWhoeverAsks) {
  const OperationId loaded = house.new_id();
  ASSERT_TRUE(house.load(loaded, 1, 20, 1).has_done());
  house.pass(1s);
  const v1::ResolveResponse told = house.resolve(loaded);
  EXPECT_EQ(told.declined().code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
  EXPECT_EQ(told.declined().message(), house.withdraw(loaded, 20).decline().message());
}

TEST_F(AtmDeclinesTest, AnIdThatWasDeclinedIsNotForSomethingElse) {
  const OperationId id = house.new_id();
  house.withdraw(id, 30);
  const auto expect_used = [](const v1::Decline& decline, const std::string& field) {
    EXPECT_EQ(decline.code(), v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS);
    EXPECT_THAT(decline.message(), HasSubstr("its " + field + " differs"));
  };
  expect_used(house.withdraw(id, 20).decline(), "amount");
  expect_used(house.deposit(id, 20, 1).decline(), "kind");
  expect_used(house.transfer(id, 30).decline(), "kind");
  house.pass(70s);
  ASSERT_TRUE(house.insert("4000-john", "2345").has_session());
  expect_used(house.withdraw(id, 30).decline(), "card");
}

TEST_F(AtmDeclinesTest, AnIdWhoseRequestMadeNoSenseIsStillUnused) {
  const OperationId id = house.new_id();
  ASSERT_EQ(house.withdraw(id, 0).decline().code(), v1::DECLINE_CODE_MALFORMED);
  EXPECT_TRUE(house.withdraw(id, 20).has_withdrawn());
}

TEST_F(AtmDeclinesTest, WhoeverHasNoSessionLeavesNothing) {
  const OperationId id = house.new_id();
  house.session = "made up";
  ASSERT_EQ(house.withdraw(id, 20).decline().code(), v1::DECLINE_CODE_NO_SESSION);
  EXPECT_TRUE(all().empty());
}

TEST_F(AtmDeclinesTest, ARestartForgetsNone) {
  const OperationId id = house.new_id();
  house.withdraw(id, 30);
  house.restart();
  EXPECT_EQ(only(id).code(), v1::DECLINE_CODE_CANNOT_MAKE_AMOUNT);
}

TEST_F(AtmDeclinesTest, SoManyAreKeptAndNoMoreHoweverOftenCustomersAreDeclined) {
  constexpr std::size_t over = 30;
  for (std::size_t number = 1; number <= declines_kept_max + over; ++number) {
    house.withdraw(numbered(number), 30);
  }
  const auto expect_the_newest = [&](std::size_t newest) {
    const std::vector<v1::DeclinedAttempt> kept = all();
    ASSERT_EQ(kept.size(), declines_kept_max);
    for (std::size_t place = 0; place < kept.size(); ++place) {
      ASSERT_EQ(kept[place].id(), numbered(newest - place).view()) << place;
    }
  };
  expect_the_newest(declines_kept_max + over);
  house.pass(2s);
  EXPECT_EQ(house.journal->read<Declined>().size(), declines_kept_max);
  EXPECT_TRUE(house.journal->read<Event>("kind = 'withdrawal'").empty());
  house.restart();
  expect_the_newest(declines_kept_max + over);
  house.insert();
  house.withdraw(numbered(declines_kept_max + over + 1), 30);
  expect_the_newest(declines_kept_max + over + 1);
}

TEST_F(AtmDeclinesTest, AListIsOfOneTerminalOrOfAll) {
  house.stop();
  house.terminals = 2;
  house.start();
  house.insert("4000-jane", "1234", "atm-1");
  house.withdraw(house.new_id(), 30);
  house.insert("4000-john", "2345", "atm-2");
  house.withdraw(house.new_id(), 30);
  EXPECT_EQ(page().declines_size(), 2);
  ASSERT_EQ(page("", 0, "atm-2").declines_size(), 1);
  EXPECT_EQ(page("", 0, "atm-2").declines(0).terminal_id(), "atm-2");
  EXPECT_THROW(page("", 0, "atm-3"), rpc::Error);
}

TEST_F(AtmDeclinesTest, APageIsOneOfThisListAndNotTooLong) {
  EXPECT_THROW(page("made up"), rpc::Error);
  EXPECT_THROW(page("", 201), rpc::Error);
}

TEST_F(AtmDeclinesTest, APageThatWouldNotFitIntoAFrameEndsEarly) {
  house.stop();
  constexpr std::size_t count = 300;
  {
    Journal journal(house.loop, std::make_shared<JournalFile>(house.folder() / "atm"), room);
    Declines declines(journal, room);
    for (std::size_t number = 1; number <= count; ++number) {
      declines.keep({.id = numbered(number), .sentence = std::string(1000, 'x')});
    }
    house.run(declines.until_stored());
  }
  house.start();
  EXPECT_LT(page("", 200).declines_size(), 200);
  EXPECT_EQ(all().size(), count);
}

TEST_F(AtmDeclinesTest, OnAFullDiskTheyWaitInMemoryForRoom) {
  Journal journal(house.loop, std::make_shared<JournalFile>(house.folder() / "other"), room);
  Declines declines(journal, room);
  const auto stored = [&journal] { return journal.file().read<Declined>().size(); };
  house.disk.free = 0;
  for (std::size_t number = 1; number <= 3; ++number) {
    declines.keep({.id = numbered(number), .code = v1::DECLINE_CODE_OUT_OF_SERVICE});
    house.run(declines.until_stored());
  }
  journal.note(to_row(Declined{.slot = 500, .number = 500}));
  house.pass(5s);
  EXPECT_EQ(stored(), 0U);
  EXPECT_NE(declines.final_no(numbered(1)), nullptr) << "nothing is begun under that id";
  house.disk.free = UINT64_MAX;
  declines.keep({.id = numbered(4), .code = v1::DECLINE_CODE_OUT_OF_SERVICE});
  house.run(declines.until_stored());
  EXPECT_EQ(stored(), 5U);
}

TEST_F(AtmDeclinesTest, ALongSentenceIsCutBetweenTwoLetters) {
  Journal journal(house.loop, std::make_shared<JournalFile>(house.folder() / "other"), room);
  Declines declines(journal, room);
  for (std::size_t before = 0; before < 4; ++before) {
    std::string sentence(before, 'x');
    while (sentence.size() < 2 * declined_sentence_size_max) sentence += "\xe2\x82\xac";
    declines.keep({.id = numbered(before + 1), .sentence = sentence});
    const std::string& kept = declines.newest_first().front().sentence;
    EXPECT_LE(kept.size(), declined_sentence_size_max);
    EXPECT_EQ((kept.size() - before) % 3, 0U) << "a letter is three bytes";
  }
}

}  // namespace
}  // namespace atm
