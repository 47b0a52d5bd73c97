// The operator's commands: that the table fits the protocol, what is sent, printed and exited with.
#include <map>
#include <set>

#include "bankctl_fixture.h"
#include "hostile_text.h"

namespace bankctl {
namespace {

using testing::HasSubstr;

TEST_F(BankctlTest, TheTableHasACommandForEveryMethodOfBothServices) {
  for (const VerbTable* table : {&bank_verbs(), &atm_verbs()}) {
    const auto& service =
        *method_of(std::string(table->service) + "/" + std::string(table->verbs.front().method))
             .service();
    for (int i = 0; i < service.method_count(); ++i) {
      const auto has_method = [&](const Verb& verb) {
        return verb.method == service.method(i)->name();
      };
      EXPECT_TRUE(std::ranges::any_of(table->verbs, has_method)) << service.method(i)->full_name();
    }
  }
}

TEST_F(BankctlTest, EveryFieldOfEveryRequestCanBeSet) {
  for (const VerbTable* table : {&bank_verbs(), &atm_verbs()}) {
    std::map<std::string, std::set<std::string>> set_by_method;
    for (const Verb& verb : table->verbs) {
      for (const Input& input : verb.inputs) {
        set_by_method[std::string(verb.method)].emplace(
            input.field.substr(0, input.field.find('.')));
      }
    }
    for (const Verb& verb : table->verbs) {
      const auto& type =
          *method_of(std::string(table->service) + "/" + std::string(verb.method)).input_type();
      for (int i = 0; i < type.field_count(); ++i) {
        const std::string& name = type.field(i)->name();
        const bool is_given = name == "id" || name.starts_with("page_");
        EXPECT_TRUE(is_given || set_by_method[std::string(verb.method)].contains(name))
            << type.full_name() << "." << name;
      }
    }
  }
}

TEST_F(BankctlTest, WordsGoToTheirFields) {
  EXPECT_EQ(request_of({"account", "open", "jane", "--name", "Jane Doe", "--overdraft", "50"}),
            "{\"id\":\"" + id +
                "\",\"account_id\":\"jane\",\"name\":\"Jane Doe\",\"currency\":\"EUR\","
                "\"overdraft\":{\"minor_units\":5000,\"currency\":\"EUR\"}}");
  EXPECT_EQ(request_of({"terminal", "in-service", "atm-1"}),
            "{\"id\":\"" + id + "\",\"terminal_id\":\"atm-1\",\"in_service\":true}");
  EXPECT_EQ(request_of({"terminal", "out-of-service", "atm-1"}),
            "{\"id\":\"" + id + "\",\"terminal_id\":\"atm-1\",\"in_service\":false}");
  EXPECT_EQ(request_of({"card", "limits", "4000000000000010", "--daily-count-max", "3"}),
            "{\"id\":\"" + id +
                "\",\"card_number\":\"4000000000000010\",\"limits\":{\"daily_count_max\":3}}");
  EXPECT_EQ(request_of({"exceptions", "resolve", "17", "--paid", "0", "--reason", "x", "--yes"}),
            "{\"id\":\"" + id +
                "\",\"exception_seq\":17,\"paid\":{\"minor_units\":0,\"currency\":\"EUR\"},"
                "\"reason\":\"x\"}");
  EXPECT_EQ(request_of({"exceptions", "list", "--all"}),
            "{\"with_resolved\":true,\"page_size\":0,\"page_token\":\"\"}");
  EXPECT_EQ(request_of({"resolve", id, "--yes"}), "{\"id\":\"" + id + "\"}");
  EXPECT_EQ(request_of({"atm", "load", "1", "100x50"}),
            "{\"id\":\"" + id +
                "\",\"terminal_id\":\"\",\"position\":1,\"notes\":"
                "{\"denomination\":{\"minor_units\":5000,\"currency\":\"EUR\"},\"count\":100}}");
  EXPECT_EQ(request_of({"atm", "fault", "dispenser", "present-unknown", "--terminal", "atm-2"}),
            "{\"terminal_id\":\"atm-2\",\"device\":\"dispenser\",\"fault\":\"present_unknown\","
            "\"after_notes\":0,\"delay_ms\":0}");
}

TEST_F(BankctlTest, AnOperatorsOwnIdIsUsed) {
  EXPECT_THAT(
      request_of({"account", "fund", "jane", "1", "--id", "01939000-0000-7000-8000-000000000001"}),
      HasSubstr("\"id\":\"01939000-0000-7000-8000-000000000001\""));
  EXPECT_EQ(request_of({"account", "fund", "jane", "1", "--id", "7"}),
            "64 --id must be a UUID, as 0190b5c4-7a3e-7c1d-9f00-0123456789ab.");
}

TEST_F(BankctlTest, WhatCannotBeIsSaidInOneSentence) {
  EXPECT_EQ(request_of({"account", "fund", "jane", "0"}), "64 An amount must be more than 0.");
  EXPECT_EQ(request_of({"account", "fund", "jane", "-1"}),
            "64 '-1' is not an amount: it must not be negative.");
  EXPECT_EQ(request_of({"account", "fund", "jane", "12.345"}),
            "64 '12.345' is not an amount: EUR has at most 2 digits after the point.");
  EXPECT_EQ(request_of({"account", "fund", "jane", "1000000000000000000"}),
            "64 '1000000000000000000' is not an amount: it is too large.");
  EXPECT_EQ(request_of({"reverse", "x", "--reason", "y", "--yes"}),
            "64 TRANSFER must be a number of the journal or a UUID, not \"x\".");
  EXPECT_EQ(request_of({"atm", "fault", "dispenser", "jams"}),
            "64 FAULT must be one of none, jam, present-unknown, slow, dead, not \"jams\"; did you "
            "mean jam?");
  EXPECT_EQ(request_of({"atm", "load", "1", "50"}),
            "64 '50' is not a number of notes: write 2x50 for two notes of 50.");
  EXPECT_EQ(
      request_of({"atm", "load", "1", "1x20,2x50"}),
      "64 '1x20,2x50' is more than one kind of notes: a cassette holds one, so load each into "
      "one of its own.");
  for (const std::string day : {"yesterday", "2026-1-05", "2026-02-30", "+026-01-01", ""}) {
    EXPECT_EQ(request_of({"atm", "day-totals", "--day", day}),
              "64 --day must be a day, as 2026-11-23, not \"" + day + "\".");
  }
  EXPECT_EQ(request_of({"account", "freeze", "jane"}),
            "64 bankctl account freeze needs --reason VALUE: Why, for the books.");
  EXPECT_THAT(request_of({"card", "issue", "4000000000000010", "jane", "--pin", "1234"}),
              HasSubstr("can be read by every user"));
  EXPECT_EQ(request_of({"account", "freeze", "jane", "--reason", "caf\xe9"}),
            "64 --reason must be UTF-8, as all text that the servers take is.");
  EXPECT_EQ(request_of({"account", "freeze", "jan\xc3", "--reason", "x"}),
            "64 ACCOUNT must be UTF-8, as all text that the servers take is.");
  EXPECT_EQ(request_of({"--currency", "ERU", "account", "fund", "jane", "1"}),
            "64 ISO 4217 has no currency 'ERU'.");
  EXPECT_EQ(request_of({"--currency", "euro", "account", "fund", "jane", "1"}),
            "64 A currency is three capital letters, as EUR, and not 'euro'.");
}

TEST_F(BankctlTest, OneOfAnIdAndANumberIsAskedFor) {
  EXPECT_EQ(request_of({"changes", "show"}), "64 bankctl changes show needs ID or --seq.");
  EXPECT_EQ(request_of({"changes", "show", "--seq", "7"}), "{\"id\":\"\",\"ledger_seq\":7}");
  EXPECT_EQ(request_of({"changes", "show", id, "--seq", "7"}),
            "64 bankctl changes show needs ID or --seq, and not both.");
  EXPECT_EQ(
      request_of({"resolve", "9"}),
      "64 ID must be a UUID. What the journal's number 9 is about tells `bankctl changes show "
      "--seq 9`.");
}

TEST_F(BankctlTest, AReversalTakesAnyNumberOrIdOfItsTransfer) {
  const std::string sent = "{\"id\":\"" + id + "\",\"transfer_seq\":13,\"reason\":\"x\"}";
  EXPECT_EQ(request_of({"reverse", "12", "--reason", "x", "--yes"}), sent);
  EXPECT_THAT(bank.questions, testing::ElementsAre("{\"id\":\"\",\"ledger_seq\":12}"));
  EXPECT_EQ(request_of({"reverse", id, "--reason", "x", "--yes"}), sent);
  EXPECT_THAT(bank.questions, testing::ElementsAre("{\"id\":\"" + id + "\",\"ledger_seq\":0}"));
  bank.found_seq = 0;
  EXPECT_EQ(
      request_of({"reverse", "12", "--reason", "x", "--yes"}),
      "1 12 moved no money, so there is nothing to take back. `bankctl changes show --seq 12` "
      "tells what it was");
  EXPECT_THAT(request_of({"reverse", id, "--reason", "x", "--yes"}),
              HasSubstr("`bankctl changes show " + id + "` tells"));
}

TEST_F(BankctlTest, AnAnswerIsPrinted) {
  EXPECT_EQ(run({"account", "fund", "jane", "1"}), "0");
  EXPECT_EQ(out.str(), "account fund jane 1.00 EUR --id " + id + "\nreceipt\nseq: 7\n");
  out.str("");
  EXPECT_EQ(run({"account", "fund", "jane", "1", "--json"}), "0");
  EXPECT_EQ(out.str(),
            "{\"outcome\":\"receipt\",\"receipt\":{\"ledger_seq\":7,\"replayed\":false}}\n");
}

TEST_F(BankctlTest, ARefusalExitsOne) {
  bank.fund_response.mutable_refusal()->set_message("There is no such account.");
  EXPECT_EQ(run({"account", "fund", "jane", "1"}), "1 the bank said no: There is no such account.");
  EXPECT_EQ(out.str(), "account fund jane 1.00 EUR --id " + id + "\n");
  EXPECT_EQ(run({"account", "fund", "jane", "1", "--json"}).substr(0, 2), "1 ");
  EXPECT_THAT(out.str(), HasSubstr("{\"outcome\":\"refusal\",\"refusal\":{"));
}

TEST_F(BankctlTest, AnAnswerWithoutAnOutcomeIsNotTakenForAYes) {
  bank.fund_response.Clear();
  const std::string ran = run({"account", "fund", "jane", "1"});
  EXPECT_EQ(ran.substr(0, 2), "75");
  EXPECT_THAT(ran, HasSubstr("says neither yes nor no"));
  EXPECT_THAT(ran, HasSubstr("`bankctl resolve " + id + "`"));
  EXPECT_EQ(out.str(), "account fund jane 1.00 EUR --id " + id + "\n");
}

TEST_F(BankctlTest, AYesOfNoChangeOrInAnotherCurrencyIsNeitherYesNorNo) {
  for (const auto& [seq, currency] : {std::pair(0, "EUR"), std::pair(7, "USD"), std::pair(7, "")}) {
    bank.fund_response.mutable_receipt()->set_ledger_seq(static_cast<std::uint64_t>(seq));
    bank.fund_response.mutable_receipt()->mutable_balance()->mutable_balance()->set_currency(
        currency);
    const std::string ran = run({"account", "fund", "jane", "1"});
    EXPECT_THAT(ran, testing::StartsWith("75 ")) << seq << currency;
    EXPECT_THAT(ran, HasSubstr("what it says is no answer to this"));
    EXPECT_THAT(ran, HasSubstr("`bankctl resolve " + id + "`"));
    EXPECT_EQ(out.str(), "account fund jane 1.00 EUR --id " + id + "\n");
    out.str("");
  }
}

TEST_F(BankctlTest, SilenceIsUnknownAndSaysHowToLearnMore) {
  bank.is_silent = true;
  const std::string ran = run({"account", "fund", "jane", "1"});
  EXPECT_EQ(ran.substr(0, 2), "75");
  EXPECT_THAT(ran, HasSubstr("it may have been done, or may not. Ask with `bankctl resolve " + id +
                             "`, or repeat the command with --id " + id + "."));
  out.str("");
  run({"account", "fund", "jane", "1", "--json"});
  EXPECT_EQ(out.str(), "{\"outcome\":\"unknown\",\"id\":\"" + id + "\"}\n");
}

TEST_F(BankctlTest, WhoAsksWhatBecameOfAChangeInJsonIsToldItsIdAlsoWithoutAnAnswer) {
  bank.knows_nothing = true;
  bank.is_silent = true;
  const std::string own = "01939000-0000-7000-8000-000000000001";
  EXPECT_THAT(run({"resolve", own, "--json", "--yes"}), testing::StartsWith("75 "));
  EXPECT_EQ(out.str(), "{\"outcome\":\"unknown\",\"id\":\"" + own + "\"}\n");
}

TEST_F(BankctlTest, AnExceptionIsNamedBeforeItIsSettled) {
  bank.exception.set_account_id("jane");
  bank.exception.set_terminal_id("atm-1");
  bank.exception.mutable_amount()->set_minor_units(60'00);
  const std::vector<std::string> settle = {"exceptions", "resolve", "17", "--reason", "x", "--yes"};
  run(settle);
  EXPECT_THAT(out.str(), HasSubstr("(suspended hold, jane, atm-1, 60.00 EUR)\n"));
  bank.exception.set_hold_id(std::string(16, '\1'));
  bank.exception.clear_account_id();
  out.str("");
  run(settle);
  EXPECT_THAT(out.str(), HasSubstr("(suspended hold, atm-1, 60.00 EUR, "
                                   "01010101-0101-0101-0101-010101010101)\n"));
}

TEST_F(BankctlTest, AServerWithoutRoomHasAnsweredAndDoesNotContradictItself) {
  bank.status = rpc::StatusCode::resource_exhausted;
  EXPECT_EQ(run({"account", "fund", "jane", "1"}),
            "75 the bank says that it cannot do it now (RESOURCE_EXHAUSTED: This is why). Whether "
            "an earlier try was done is not known. Ask with `bankctl resolve " +
                id + "`, or repeat the command with --id " + id + ".");
}

TEST_F(BankctlTest, ABankWithoutRoomForAChangeThatItHasNotMadeSaysNo) {
  bank.status = rpc::StatusCode::failed_precondition;
  EXPECT_EQ(run({"account", "fund", "jane", "1"}), "1 the bank said no: This is why.");
  EXPECT_EQ(run({"account", "fund", "jane", "1", "--id", id}),
            "1 the bank said no: This is why. This try changed nothing; what an earlier one with "
            "this id did is still unknown");
}

TEST_F(BankctlTest, ARefusalOfWhatWasTypedIsTheCommandLinesMistake) {
  bank.fund_response.mutable_refusal()->set_code(bank::v1::REFUSAL_CODE_MALFORMED);
  bank.fund_response.mutable_refusal()->set_message("A card number is 8 to 19 digits.");
  EXPECT_EQ(run({"account", "fund", "jane", "1"}),
            "64 the bank cannot do what was typed: A card number is 8 to 19 digits.");
}

TEST_F(BankctlTest, AChangeThatTheBankHasNeverSeenIsANo) {
  bank.knows_nothing = true;
  EXPECT_EQ(run({"changes", "show", id}), "1 It was never seen.");
  EXPECT_EQ(out.str(), "");
  EXPECT_EQ(run({"--json", "changes", "show", id}), "1 It was never seen.");
  EXPECT_THAT(out.str(), HasSubstr("\"outcome\":\"never_seen\""));
}

TEST_F(BankctlTest, ATerminalThatStaysOutOfServiceIsANo) {
  EXPECT_EQ(run({"atm", "in-service"}), "0");
  bank.service = atm::v1::SERVICE_STATE_OUT_BY_OPERATOR;
  EXPECT_EQ(run({"atm", "in-service"}), "1 atm-1 stays out of service: The operator took it out.");
  bank.service = atm::v1::SERVICE_STATE_OUT_BY_STAFF;
  EXPECT_EQ(run({"atm", "out-of-service"}), "0");
}

TEST_F(BankctlTest, AnAnswerToAQuestionThatSaysNothingIsNotOfTheProtocol) {
  bank.mumbles = true;
  EXPECT_EQ(run({"account", "show", "jane"}),
            "76 the bank did not answer as one does: the server's bank.v1.GetAccountResponse says "
            "neither yes nor no");
}

TEST_F(BankctlTest, AQuestionWithoutAnAnswerChangedNothing) {
  bank.question_is_silent = true;
  EXPECT_EQ(run({"account", "show", "jane"}),
            "69 the bank does not answer: DEADLINE_EXCEEDED: no answer came in time");
  EXPECT_EQ(run({"account", "fund", "jane", "1"}),
            "69 the bank does not answer: DEADLINE_EXCEEDED: no answer came in time. Nothing was "
            "changed");
  EXPECT_THAT(bank.requests, testing::IsEmpty());
  bank.question_is_silent = false;
  bank.is_allowed = false;
  EXPECT_EQ(run({"account", "show", "jane"}),
            "77 the bank refused the call: PERMISSION_DENIED: not you");
}

TEST_F(BankctlTest, AServersNoIsNoFaultOfDataOrFiles) {
  using enum rpc::StatusCode;
  const std::map<rpc::StatusCode, std::string> ends = {
      {invalid_argument, "64 the bank cannot do what was typed: This is why."},
      {not_found, "1 the bank said no: This is why."},
      {failed_precondition, "1 the bank said no: This is why."},
      {unimplemented,
       "76 127.0.0.1:7001 has no method bank.v1.OperatorService/ListTransfers: is that the bank?"}};
  for (const auto& [status, end] : ends) {
    bank.status = status;
    EXPECT_EQ(run({"transfers", "list", "jane"}), end);
  }
}

TEST_F(BankctlTest, WithoutABankNothingWasDone) {
  server.reset();
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"account", "fund", "jane", "1"},
                                             {"account", "freeze", "jane", "--reason", "x"},
                                             {"terminal", "add", "atm-9"},
                                             {"reverse", "12", "--reason", "x", "--yes"}}) {
    const std::string ran = run(words);
    EXPECT_THAT(ran, testing::StartsWith("69 the bank does not answer: U")) << words.front();
    EXPECT_THAT(ran, testing::EndsWith(". Nothing was changed")) << words.front();
  }
  EXPECT_THAT(run({"account", "list"}), Not(HasSubstr("Nothing was changed")));
}

TEST_F(BankctlTest, ATryWithAnIdSaysNothingOfWhatAnEarlierOneDid) {
  const std::string own = "01939000-0000-7000-8000-000000000001";
  const std::string unknown =
      ". This try changed nothing; what an earlier one with this id did is still unknown";
  const std::string advice = ". Try again with the same id";
  const std::vector<std::string> fund = {"account", "fund", "jane", "1", "--id", own};
  bank.question_is_silent = true;
  EXPECT_EQ(run(fund), "69 the bank does not answer: DEADLINE_EXCEEDED: no answer came in time" +
                           unknown + advice);
  EXPECT_THAT(bank.requests, testing::IsEmpty());
  out.setstate(std::ios::badbit);
  EXPECT_THAT(run({"terminal", "add", "atm-9", "--id", own}), testing::EndsWith(unknown));
  out.clear();
  server.reset();
  for (const auto& words : std::vector<std::vector<std::string>>{
           fund,
           {"account", "freeze", "jane", "--reason", "x", "--id", own},
           {"terminal", "add", "atm-9", "--id", own},
           {"reverse", "12", "--reason", "x", "--yes", "--id", own},
           {"resolve", own, "--yes"}}) {
    const std::string ran = run(words);
    EXPECT_THAT(ran, testing::StartsWith("69 the bank does not answer: U")) << words.front();
    EXPECT_THAT(ran, testing::EndsWith(unknown + advice)) << words.front();
  }
}

TEST_F(BankctlTest, AnAmountThatHasNoCurrencyOfItsOwnIsInThatOfTheBooks) {
  bank.currency = "";
  bank.currency_of_books = "EUR";
  EXPECT_THAT(request_of({"exceptions", "resolve", "17", "--paid", "20", "--reason", "x", "--yes"}),
              HasSubstr("\"paid\":{\"minor_units\":2000,\"currency\":\"EUR\"}"));
  EXPECT_THAT(bank.questions, testing::ElementsAre("exception 17", "exception 17", "bank"));
  bank.currency_of_books = "";
  EXPECT_EQ(request_of({"exceptions", "resolve", "17", "--paid", "20", "--reason", "x", "--yes"}),
            "64 the bank has no one currency for this: say which, with --currency CODE");
}

TEST_F(BankctlTest, AListHoldsAllPagesUpToTheLimit) {
  EXPECT_EQ(run({"account", "list"}), "0");
  EXPECT_EQ(out.str(),
            "ACCOUNT ID    BALANCE  FROZEN  CLOSED\n"
            "account-0   -0.05 EUR  no      no\n"
            "account-1   -0.05 EUR  no      no\n"
            "account-2    0.95 EUR  no      no\n"
            "account-3    0.95 EUR  no      no\n"
            "account-4    1.95 EUR  no      no\n"
            "account-5    1.95 EUR  no      no\n");
  out.str("");
  EXPECT_EQ(run({"account", "list", "--limit", "3", "--json"}), "0");
  EXPECT_THAT(out.str(), HasSubstr("account-3"));
  EXPECT_THAT(out.str(), Not(HasSubstr("account-4")));
  EXPECT_THAT(out.str(), HasSubstr("\"next_page_token\":\"2\""));
}

TEST_F(BankctlTest, WatchPrintsALineEachUntilSomebodyHasSeenEnough) {
  EXPECT_EQ(run({"watch", "--from", "1", "--json"}), "0");
  EXPECT_EQ(std::ranges::count(out.str(), '\n'), 2);
  EXPECT_THAT(out.str(), HasSubstr("{\"transfer\":{\"ledger_seq\":1,"));
}

TEST_F(BankctlTest, AnAuditThatFindsADifferenceExits65) {
  EXPECT_EQ(run({"atm", "audit"}), "0");
  EXPECT_THAT(out.str(), HasSubstr("Nothing differs.\n"));
  bank.differences = {"20.00 EUR are missing", "and 5.00 EUR too many"};
  EXPECT_EQ(run({"atm", "audit"}), "65 It does not add up: 20.00 EUR are missing");
  EXPECT_THAT(out.str(), HasSubstr("difference: 20.00 EUR are missing\n"
                                   "difference: and 5.00 EUR too many\n"));
}

TEST_F(BankctlTest, EachExceptionOfAnAtmHasALine) {
  bank.differences = {"The first.", "The second."};
  EXPECT_EQ(run({"atm", "items"}), "0");
  EXPECT_EQ(out.str(),
            "No items.\n"
            "exception: The first.\n"
            "exception: The second.\n");
}

TEST_F(BankctlTest, AnAuditWithoutTheBankIsNotTakenForAWholeOne) {
  for (const bool knows_cash : {true, false}) {
    bank.knows_cash = knows_cash;
    bank.not_compared = "a note is in the air";
    EXPECT_EQ(
        run({"atm", "audit"}),
        "69 The ATM compared only its own books, not the bank's figure: a note is in the air. "
        "Ask again");
    EXPECT_THAT(out.str(), HasSubstr("Nothing differs inside the ATM.\n"));
    out.str("");
  }
  bank.not_compared = "the bank refuses: There is no such hold.";
  EXPECT_THAT(run({"atm", "audit"}), testing::EndsWith("There is no such hold. Ask again"))
      << "an ATM that ends its clause as a sentence";
  bank.not_compared = "";
  EXPECT_EQ(run({"atm", "audit"}).substr(0, 3), "69 ") << "an ATM that gives no reason";
  bank.differences = {"20.00 EUR are missing"};
  EXPECT_EQ(run({"atm", "audit"}), "65 It does not add up: 20.00 EUR are missing");
}

TEST_F(BankctlTest, WhatWasTypedActsOnNoTerminalWhenItIsShownAgain) {
  run({"account", "open", "tmp", "--name", "Evil\x1b[31m\r\nName", "--currency", "EUR"});
  EXPECT_THAT(out.str(), testing::StartsWith("account open tmp --name "));
  EXPECT_THAT(out.str(), testing::Not(testing::AnyOf(HasSubstr("\x1b"), HasSubstr("\r"))));
  EXPECT_THAT(out.str(), HasSubstr("Evil?[31m"));
}

TEST_F(BankctlTest, WhatOthersChoseStaysOnItsLine) {
  const auto printed = [this](const std::string& text) {
    out.str("");
    bank.word = text;
    bank.differences = {text, text};
    for (const char* json : {"--no-json", "--json"}) {
      run({json, "account", "list"});
      run({json, "atm", "audit"});
    }
    return out.str();
  };
  const std::string harmless = printed(std::string(ops::harmless_text));
  const std::string hostile = printed(std::string(ops::hostile_text));
  EXPECT_EQ(ops::line_count(harmless), 13);
  EXPECT_EQ(ops::line_count(hostile), ops::line_count(harmless)) << hostile;
  EXPECT_EQ(ops::fault_in(hostile), "") << hostile;
}

}  // namespace
}  // namespace bankctl
