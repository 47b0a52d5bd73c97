// Rule 21: a change is on the disk before it is sent, sent again only within its command, and the
// next command asks what became of it.
#include <filesystem>
#include <fstream>
#include <functional>
#include <sys/stat.h>

#include "ops/failure.h"
#include "ops/files.h"
#include "teller_fixture.h"

namespace teller {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using CustomerTest = TellerFixture;

TEST_F(CustomerTest, AWithdrawalIsPaidAndStaysOnTheDiskUntilItIsTold) {
  insert_card();
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->withdrawn().amount().minor_units(), 6000);
  ASSERT_TRUE(customer->earlier());
  EXPECT_EQ(customer->earlier()->id, customer->last_id());
  EXPECT_EQ(customer->earlier()->what, "60.00 EUR");
  customer->told();
  EXPECT_FALSE(customer->earlier());
}

TEST_F(CustomerTest, AChangeIsOnTheDiskWhileTheAtmHasIt) {
  insert_card();
  atm.mishaps = {Mishap::silence_not_done};
  async::Running<Answered<Outcome>> running(customer->withdraw(euros(60)));
  loop.settle();
  EXPECT_EQ(atm.changes_seen, 1);
  ASSERT_TRUE(customer->earlier());
  EXPECT_EQ(customer->earlier()->kind, "withdrawal");
}

TEST_F(CustomerTest, NothingIsSentWhenTheDiskDoesNotTakeTheId) {
  insert_card();
  std::filesystem::remove_all(directory.path());
  EXPECT_THROW(finish(customer->withdraw(euros(60))), std::system_error);
  EXPECT_EQ(atm.changes_seen, 0);
}

TEST_F(CustomerTest, AfterALostConnectionTheSameIdIsSentAgainAndPaidOnce) {
  for (const Mishap mishap : {Mishap::lost_on_the_way, Mishap::answer_lost}) {
    arrive();
    atm.end_sessions();
    insert_card();
    const int paid_before = atm.paid_count;
    atm.mishaps = {mishap};
    const auto answer = finish(customer->withdraw(euros(20)));
    ASSERT_TRUE(answer) << answer.error().text();
    EXPECT_EQ(answer->withdrawn().amount().minor_units(), 2000);
    EXPECT_EQ(atm.paid_count, paid_before + 1);
    customer->told();
  }
}

TEST_F(CustomerTest, SilenceIsUnknownAndStaysOnTheDisk) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), rpc::Outcome::unknown);
  EXPECT_TRUE(customer->earlier());
}

TEST_F(CustomerTest, AnAnswerThatSaysNeitherYesNorNoIsUnknownAndTheNextCommandAsks) {
  insert_card();
  atm.mishaps = {Mishap::mumbles};
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), rpc::Outcome::unknown);
  EXPECT_EQ(atm.changes_seen, 1);  // The same would be said again.
  arrive();
  ASSERT_TRUE(customer->earlier());
  EXPECT_TRUE(finish(customer->settle(*customer->earlier()))->has_withdrawn());
}

// A yes to each kind of change, with this amount where it has one.
std::vector<Outcome> yeses(std::int64_t minor_units, const std::string& currency) {
  bank::v1::Money amount;
  amount.set_minor_units(minor_units);
  amount.set_currency(currency);
  std::vector<Outcome> all(4);
  *all[0].mutable_withdrawn()->mutable_amount() = amount;
  *all[1].mutable_deposited()->mutable_amount() = amount;
  *all[2].mutable_transferred()->mutable_amount() = amount;
  all[3].mutable_pin_changed();
  return all;
}

class UnfitAnswerTest : public TellerFixture {
 protected:
  // Of each kind, in the order of yeses().
  Answered<Outcome> change(std::size_t kind) {
    if (kind == 0) return finish(customer->withdraw(euros(20)));
    if (kind == 2) return finish(customer->transfer(euros(5), "john"));
    if (kind == 3) return finish(customer->change_pin("1234", "1234"));
    atm::v1::Notes notes;
    *notes.mutable_denomination() = euros(20);
    notes.set_count(1);
    return finish(customer->deposit({notes}, "20.00 EUR"));
  }
  void expect_unknown(const Answered<Outcome>& answer) {
    ASSERT_FALSE(answer) << answer->DebugString();
    EXPECT_EQ(answer.error().outcome(), rpc::Outcome::unknown) << answer.error().text();
    EXPECT_TRUE(answer.error().bad_answer);
    EXPECT_EQ(pending_files().size(), 1);
  }
  // Neither at once nor when the next command asks is it an answer; then the truth is.
  void expect_no_answer(std::size_t kind, const Outcome& unfit) {
    SCOPED_TRACE(std::string(change_kinds[kind]) + " told " + unfit.ShortDebugString());
    arrive();
    insert_card();
    atm.lie = unfit;
    expect_unknown(change(kind));
    atm.end_sessions();
    arrive();
    expect_unknown(finish(customer->settle(*customer->earlier())));
    atm.lie.reset();
    EXPECT_EQ(finish(customer->settle(*customer->earlier()))->outcome_case(),
              yeses(1, "EUR")[kind].outcome_case());
    customer->told();
  }
};

TEST_F(UnfitAnswerTest, OfAnotherKindIsNeitherYesNorNo) {
  for (std::size_t kind = 0; kind < change_kinds.size(); ++kind) {
    std::vector<Outcome> others = yeses(2000, "EUR");
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(kind));
    for (const Outcome& other : others) expect_no_answer(kind, other);
  }
}

TEST_F(UnfitAnswerTest, ToNoMoneyOrToAnotherCurrencyIsNeitherYesNorNo) {
  for (const std::size_t kind : {0U, 1U, 2U}) {
    for (const std::int64_t amount : {std::int64_t{0}, std::int64_t{-2000}, INT64_MIN}) {
      expect_no_answer(kind, yeses(amount, "EUR")[kind]);
    }
    expect_no_answer(kind, yeses(2000, "USD")[kind]);
    expect_no_answer(kind, yeses(2000, "")[kind]);
  }
}

TEST_F(UnfitAnswerTest, SuspenseIsOfCashOnly) {
  Outcome suspense;
  suspense.mutable_suspense();
  for (const std::size_t kind : {2U, 3U}) expect_no_answer(kind, suspense);
}

TEST_F(UnfitAnswerTest, ABalanceOrAStatementInAnotherCurrencyIsNone) {
  insert_card();
  atm.currency = "USD";
  const auto balance = finish(customer->balance());
  ASSERT_FALSE(balance);
  EXPECT_TRUE(balance.error().bad_answer);
  const auto statement = finish(customer->statement(10));
  ASSERT_FALSE(statement);
  EXPECT_TRUE(statement.error().bad_answer);
}

TEST_F(CustomerTest, AnAtmThatWentDownWithTheChangeLeavesItUnknownThoughLaterTriesNeverLeft) {
  insert_card();
  atm.mishaps = {Mishap::goes_down};
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), rpc::Outcome::unknown) << answer.error().text();
  EXPECT_TRUE(customer->earlier());
}

TEST_F(CustomerTest, TheNextCommandLearnsThatItWasDone) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  (void)finish(customer->withdraw(euros(60)));
  arrive();
  ASSERT_TRUE(customer->earlier());
  const auto settled = finish(customer->settle(*customer->earlier()));
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->withdrawn().amount().minor_units(), 6000);
  EXPECT_EQ(atm.paid_count, 1);
}

TEST_F(CustomerTest, TheNextCommandLearnsThatItNeverWillBe) {
  insert_card();
  atm.mishaps = {Mishap::silence_not_done};
  (void)finish(customer->withdraw(euros(60)));
  arrive();
  const auto settled = finish(customer->settle(*customer->earlier()));
  ASSERT_TRUE(settled);
  EXPECT_EQ(settled->declined().code(), atm::v1::DECLINE_CODE_ID_FENCED);
  EXPECT_EQ(atm.balance, 10000);
}

TEST_F(CustomerTest, ACrashBetweenWritingAndSendingIsSettledAsNotDone) {
  pending->write(
      {.id = cli::new_id(loop.wall_now(), random), .kind = "deposit", .what = "50.00 EUR"});
  arrive();
  ASSERT_TRUE(customer->earlier());
  EXPECT_EQ(customer->earlier()->kind, "deposit");
  const auto settled = finish(customer->settle(*customer->earlier()));
  ASSERT_TRUE(settled);
  EXPECT_TRUE(settled->has_declined());
  customer->told();
  arrive();
  EXPECT_FALSE(customer->earlier());
}

TEST_F(CustomerTest, SettlingWaitsForAnAtmThatIsStillAtIt) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  (void)finish(customer->withdraw(euros(60)));
  atm.pending_answers = 3;
  EXPECT_TRUE(finish(customer->settle(*customer->earlier()))->has_withdrawn());
  atm.pending_answers = 1'000'000;
  const auto settled = finish(customer->settle(*customer->earlier()));
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().outcome(), rpc::Outcome::unknown);
  EXPECT_TRUE(customer->earlier());
}

TEST_F(CustomerTest, AnUnreachableAtmLeavesAnEarlierChangeUnknown) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  (void)finish(customer->withdraw(euros(60)));
  arrive();
  atm.close();
  const auto settled = finish(customer->settle(*customer->earlier()));
  ASSERT_FALSE(settled);
  EXPECT_EQ(settled.error().outcome(), rpc::Outcome::unknown) << settled.error().text();
}

TEST_F(CustomerTest, WhatWasSurelyNeverSentIsForgotten) {
  insert_card();
  atm.close();
  loop.advance(std::chrono::seconds(10));
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), rpc::Outcome::no) << answer.error().text();
  EXPECT_FALSE(customer->earlier());
}

TEST_F(CustomerTest, ADeclineIsAnAnswer) {
  insert_card();
  const auto answer = finish(customer->withdraw(euros(1000)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->declined().message(), "You have not enough money.");
}

TEST_F(CustomerTest, ASessionThatEndedIsADeclineOfWhatIsNew) {
  insert_card();
  atm.end_sessions();
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->declined().code(), atm::v1::DECLINE_CODE_NO_SESSION);
  EXPECT_EQ(atm.paid_count, 0);
}

TEST_F(CustomerTest, DepositTransferAndPinChangeAreDoneOnceToo) {
  insert_card();
  atm::v1::Notes notes;
  *notes.mutable_denomination() = euros(50);
  notes.set_count(2);
  atm.mishaps = {Mishap::answer_lost};
  EXPECT_TRUE(finish(customer->deposit({notes}, "100.00 EUR"))->deposited().credited());
  EXPECT_EQ(atm.balance, 20000);
  customer->told();
  atm.mishaps = {Mishap::answer_lost};
  EXPECT_TRUE(finish(customer->transfer(euros(10), "john"))->has_transferred());
  EXPECT_EQ(atm.balance, 19000);
  customer->told();
  atm.mishaps = {Mishap::lost_on_the_way};
  EXPECT_TRUE(finish(customer->change_pin("1234", "4321"))->has_pin_changed());
  EXPECT_EQ(atm.pin, "4321");
}

TEST_F(CustomerTest, AStatementIsReadPageByPageUpToWhatWasAskedFor) {
  insert_card();
  EXPECT_EQ(finish(customer->statement(7))->statement().entries_size(), 7);
  EXPECT_EQ(finish(customer->statement(100))->statement().entries_size(), 12);
}

TEST_F(CustomerTest, TheSessionIsGivenBack) {
  insert_card();
  EXPECT_TRUE(atm.has_sessions());
  finish(customer->end_session());
  EXPECT_FALSE(atm.has_sessions());
}

TEST_F(CustomerTest, OneCommandAtATimeForACard) {
  EXPECT_THROW(PendingFiles(directory.path(), "4000000000000010"), ops::Failure);
  EXPECT_NO_THROW(PendingFiles(directory.path(), "4000000000000028"));
}

TEST_F(CustomerTest, AChangeAtAnotherAtmIsKeptAndHindersNothingHere) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  (void)finish(customer->withdraw(euros(60)));
  const ledger::OperationId first = customer->last_id();
  atm.become("the other of ATMs");
  arrive();
  ASSERT_TRUE(customer->earlier());
  EXPECT_TRUE(finish(customer->settle(*customer->earlier()))->has_cannot_know());
  EXPECT_FALSE(customer->earlier());
  insert_card();
  EXPECT_TRUE(finish(customer->withdraw(euros(20)))->has_withdrawn());
  customer->told();

  atm.become("the first of ATM");
  arrive();
  ASSERT_TRUE(customer->earlier());
  EXPECT_EQ(customer->earlier()->id, first);
  const auto settled = finish(customer->settle(*customer->earlier()));
  EXPECT_EQ(settled->withdrawn().amount().minor_units(), 6000);
  customer->told();
  EXPECT_FALSE(customer->earlier());
}

TEST_F(CustomerTest, AnotherAtmAtTheSameAddressIsNotAskedForTheSameCashAgain) {
  insert_card();
  atm.mishaps = {Mishap::replaced};
  const auto answer = finish(customer->withdraw(euros(60)));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().outcome(), rpc::Outcome::unknown);
  EXPECT_EQ(atm.paid_count, 1);
  EXPECT_TRUE(customer->earlier());
}

TEST_F(CustomerTest, NothingNewBeginsAtAnAtmThatStillOwesAnAnswer) {
  insert_card();
  atm.mishaps = {Mishap::silence};
  (void)finish(customer->withdraw(euros(60)));
  const auto next = finish(customer->withdraw(euros(20)));
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().outcome(), rpc::Outcome::no);
  EXPECT_EQ(atm.paid_count, 1);
}

TEST_F(CustomerTest, TheFileTellsNeitherCardNorPin) {
  pending->write({.id = cli::new_id(loop.wall_now(), random), .kind = "PIN change", .what = ""});
  ASSERT_EQ(pending_files().size(), 1);
  const std::filesystem::path path = pending_files().front();
  const std::string content = ops::read_file(path).value();
  EXPECT_EQ(content.find("4000000000000010"), std::string::npos);
  EXPECT_EQ(path.string().find("0010"), std::string::npos);
  EXPECT_EQ(content.find("1234\""), std::string::npos);
}

TEST_F(CustomerTest, WhatIsRememberedIsItsOwnersAloneWhateverTheUmask) {
  const mode_t before = ::umask(0);
  const std::filesystem::path folder = std::filesystem::path(directory.path()) / "made";
  PendingFiles remembered(folder, "4000000000000028");
  remembered.write({.id = cli::new_id(loop.wall_now(), random), .kind = "PIN change", .what = ""});
  ::umask(before);
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  const auto mode = [](const std::filesystem::path& path) {
    return std::filesystem::status(path).permissions();
  };
  EXPECT_EQ(mode(folder) & others, std::filesystem::perms::none);
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_EQ(mode(entry.path()) & others, std::filesystem::perms::none) << entry.path();
  }
}

class DamagedFileTest : public TellerFixture {
 protected:
  DamagedFileTest() {
    pending->write({.id = cli::new_id(loop.wall_now(), random), .kind = "PIN change", .what = ""});
    path = pending_files().front();
  }
  // Exit code and sentence of asking for earlier changes.
  std::string answer() const {
    try {
      return customer->earlier() ? "an earlier change" : "none";
    } catch (const ops::Failure& failure) {
      return std::to_string(ops::to_int(failure.code())) + " " + failure.what();
    }
  }

  std::filesystem::path path;
};

TEST_F(DamagedFileTest, SaysWhichFileItIsAndWhatToDoAndIsNotTakenForNone) {
  const std::string id = "id = \"0190b5c4-7a3e-7c1d-9f00-0123456789ab\"\n";
  const std::string kind = "kind = \"PIN change\"\n";
  const std::string no_id = "id = \"00000000-0000-0000-0000-000000000000\"\n";
  for (const std::string& content :
       {std::string(), std::string("\0\1\2", 3), id.substr(0, 10), "id = \"nonsense\"\n" + kind,
        no_id + kind, id, id + "kind = \"theft\"\n", kind,
        id + kind + "what = \"" + std::string(ops::file_bytes_max, 'x') + "\"\n"}) {
    ops::write_file_atomically(path, content);
    EXPECT_THAT(
        answer(),
        AllOf(StartsWith("74 The file " + path.string() +
                         ", which remembers an earlier change with this card, is damaged: "),
              HasSubstr("Ask your bank"), Not(HasSubstr(".."))))
        << content.substr(0, 100);
  }
}

TEST_F(DamagedFileTest, IsAnythingButARegularFileAndNobodyWaitsForAFifo) {
  const std::function<void()> made[] = {
      [this] { std::filesystem::create_directory(path); },
      [this] { ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0); },
      [this] { std::filesystem::create_symlink("/nowhere", path); },
      [this] { std::filesystem::create_symlink(path, path); },
      [this] { std::filesystem::create_symlink("/dev/zero", path); }};
  for (const auto& make : made) {
    std::filesystem::remove(path);
    make();
    EXPECT_THAT(answer(), StartsWith("74 The file " + path.string()));
  }
}

TEST_F(DamagedFileTest, IsAlsoOneWhoseNameTellsNoAtm) {
  std::filesystem::rename(path, path.string() + "x");
  EXPECT_THAT(answer(), StartsWith("74 The file " + path.string() + "x, which remembers"));
}

TEST_F(DamagedFileTest, IsNotTheDraftOfAWriteThatWasInterrupted) {
  std::filesystem::rename(path, path.string() + ".17.new");
  EXPECT_EQ(answer(), "none");
}

TEST_F(DamagedFileTest, AFolderThatCannotBeReadIsNotTakenForAnEmptyOne) {
  const std::filesystem::path elsewhere = path.parent_path().string() + "-moved";
  std::filesystem::rename(path.parent_path(), elsewhere);
  EXPECT_THAT(answer(), StartsWith("74 The folder " + path.parent_path().string()));
  std::filesystem::rename(elsewhere, path.parent_path());
}

}  // namespace
}  // namespace teller
