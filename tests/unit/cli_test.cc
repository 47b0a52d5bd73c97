// Amounts as people type them, and messages as people and programs read them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm/v1/staff.pb.h"
#include "bank/v1/operator.pb.h"
#include "cli/amount.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "cli/text_width.h"
#include "ops/failure.h"

namespace cli {
namespace {

const ledger::Currency eur = ledger::Currency::of("EUR");
const ledger::Currency jpy = ledger::Currency::of("JPY");
const std::vector<ledger::Cents> euro_notes = {ledger::Cents{5'00},   ledger::Cents{10'00},
                                               ledger::Cents{20'00},  ledger::Cents{50'00},
                                               ledger::Cents{100'00}, ledger::Cents{200'00}};

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const ops::Failure& failure) {
    EXPECT_EQ(failure.code(), ops::ExitCode::usage);
    return failure.what();
  }
  return "it did not fail";
}

bank::v1::Money money(std::int64_t minor_units) {
  bank::v1::Money money;
  money.set_minor_units(minor_units);
  money.set_currency("EUR");
  return money;
}

TEST(Amount, IsInMajorUnits) {
  EXPECT_EQ(parse_amount("60", eur).minor_units(), 6000);
  EXPECT_EQ(parse_amount("60.5", eur).minor_units(), 6050);
  EXPECT_EQ(parse_amount("0.01", eur).minor_units(), 1);
  EXPECT_EQ(parse_amount("92233720368547758.07", eur).minor_units(), INT64_MAX);
  EXPECT_EQ(parse_amount("60", ledger::Currency::of("JPY")).minor_units(), 60);
  EXPECT_EQ(parse_amount_or_zero("0", eur).minor_units(), 0);
}

TEST(Amount, EverythingElseIsOneSentence) {
  const auto error = [](const char* text) { return error_of([text] { parse_amount(text, eur); }); };
  EXPECT_EQ(error("0"), "An amount must be more than 0.");
  EXPECT_EQ(error("0.00"), "An amount must be more than 0.");
  EXPECT_EQ(error("-1"), "'-1' is not an amount: it must not be negative.");
  EXPECT_EQ(error("1000000000000000000"),
            "'1000000000000000000' is not an amount: it is too large.");
  EXPECT_EQ(error("92233720368547758.08"),
            "'92233720368547758.08' is not an amount: it is too large.");
  for (const char* text : {"", ".", "60.", "1e3", "0x10", "6 0", "60,00", "+5", "EUR", "6\n"}) {
    EXPECT_TRUE(error(text).ends_with(".")) << text;
    EXPECT_NE(error(text), "it did not fail") << text;
  }
}

TEST(Notes, AreCountedOrMadeOfAnAmount) {
  const auto worth = [](const std::vector<std::string>& words) {
    return sum_of(parse_note_list(words, eur, euro_notes), eur).minor_units();
  };
  EXPECT_EQ(worth({"2x50", "1x20"}), 12000);
  EXPECT_EQ(worth({"120"}), 12000);
}

std::string made_of(const std::string& amount, ledger::Currency currency,
                    const std::vector<ledger::Cents>& denominations) {
  std::string text;
  for (const auto& notes : parse_note_list({amount}, currency, denominations)) {
    text += notes_text(notes) + "; ";
  }
  return text;
}

TEST(Notes, ThatMakeAnAmountAreTheFewestOfTheAtms) {
  EXPECT_EQ(made_of("385", eur, euro_notes),
            "1 x 200.00 EUR; 1 x 100.00 EUR; 1 x 50.00 EUR; 1 x 20.00 EUR; 1 x 10.00 EUR; "
            "1 x 5.00 EUR; ");
  // The largest first would be stuck at 50.
  EXPECT_EQ(made_of("60", eur, {ledger::Cents{20'00}, ledger::Cents{50'00}}), "3 x 20.00 EUR; ");
  EXPECT_EQ(made_of("13000", jpy, {ledger::Cents{1000}, ledger::Cents{5000}, ledger::Cents{10000}}),
            "1 x 10000 JPY; 3 x 1000 JPY; ");
  EXPECT_EQ(made_of("40000", eur, euro_notes), "200 x 200.00 EUR; ");
}

TEST(Notes, ThatCannotBeAreOneSentence) {
  const auto error = [](const std::vector<std::string>& words) {
    return error_of([&words] { sum_of(parse_note_list(words, eur, euro_notes), eur); });
  };
  EXPECT_EQ(error({}), "Say which notes: 2x50 1x20, or an amount that notes make, 120.");
  EXPECT_EQ(error({"12"}), "No notes make 12: there are notes of 5, 10, 20, 50, 100 and 200 EUR.");
  EXPECT_EQ(error_of([] { parse_note_list({"120"}, eur, {}); }),
            "The ATM does not say which notes it takes: name them, as 2x50.");
  const std::string no_number =
      " has no whole number of notes before its x: write 2x50 for two notes of "
      "50.";
  EXPECT_EQ(error({"0x50"}), "'0x50'" + no_number);
  EXPECT_EQ(error({"-2x50"}), "'-2x50'" + no_number);
  EXPECT_EQ(error({"x50"}), "'x50'" + no_number);
  EXPECT_EQ(error({"2x50", "x20"}), "'x20'" + no_number);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"2x"}, {"2x", "1x20"}}) {
    EXPECT_EQ(error(words), "'2x' has no note behind its x: write 2x50 for two notes of 50.");
  }
  EXPECT_EQ(error({"1,000"}),
            "'1,000' is not an amount: only digits and one point, as in 60 or "
            "60.00.");
  EXPECT_EQ(error({"2x50", "20"}),
            "'20' is not a number of notes: write 2x50 for two notes of 50.");
  EXPECT_EQ(error({"1000000"}), "1000000 is more than fits into the slot at once.");
  EXPECT_EQ(error({"4000000000x90000000000000000"}), "So many notes do not fit into an ATM.");
}

TEST(Notes, MayBeWrittenAsPeopleWriteThem) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"2x50,1x20"},
                                                {"2x50,", "1x20"},
                                                {"2X50", "1X20"},
                                                {"2", "x", "50", "1", "x", "20"},
                                                {"2 x 50, 1 x 20"},
                                                {"2x", "50", "1", "x20"}}) {
    require_note_list(words);
    const std::vector<atm::v1::Notes> notes = parse_note_list(words, eur, euro_notes);
    ASSERT_EQ(notes.size(), 2);
    EXPECT_EQ(notes_text(notes[0]), "2 x 50.00 EUR");
    EXPECT_EQ(notes_text(notes[1]), "1 x 20.00 EUR");
  }
}

TEST(Notes, OfOneKindMayBeToo) {
  for (const char* text : {"2x50", "2X50", "2 x 50", "2x50,", " 2x 50"}) {
    require_notes(text);
    EXPECT_EQ(notes_text(parse_notes(text, eur)), "2 x 50.00 EUR") << text;
  }
  for (const char* text : {"1x20,2x50", "1x20 2x50", "1x20, 1x20"}) {
    EXPECT_EQ(
        error_of([text] { require_notes(text); }),
        "'" + std::string(text) +
            "' is more than one kind of notes: a cassette holds one, so load each into one of "
            "its own.");
  }
  EXPECT_EQ(error_of([] { require_notes("120"); }),
            "'120' is not a number of notes: write 2x50 for two notes of 50.");
  EXPECT_EQ(error_of([] { require_notes(""); }),
            "'' is not a number of notes: write 2x50 for two notes of 50.");
}

TEST(Notes, AndAmountsThatAreIllFormedAreSoInEveryCurrency) {
  EXPECT_EQ(error_of([] { require_amount("0.000"); }), "An amount must be more than 0.");
  EXPECT_EQ(error_of([] { require_amount("1e3"); }),
            "'1e3' is not an amount: only digits and one point, as in 60 or 60.00.");
  EXPECT_EQ(error_of([] { require_notes("2x-5"); }),
            "'-5' is not an amount: it must not be negative.");
  EXPECT_EQ(error_of([] { require_note_list({"2x50", "20"}); }),
            "'20' is not a number of notes: write 2x50 for two notes of 50.");
  // In dinars, yes.
  require_amount("12.345");
  require_note_list({"7x3.333"});
  require_amount_or_zero("0");
}

TEST(Currency, IsThreeCapitalLetters) {
  EXPECT_EQ(parse_currency("KWD").text(), "KWD");
  EXPECT_EQ(error_of([] { parse_currency("eur"); }),
            "A currency is three capital letters, as EUR, and not 'eur'.");
}

TEST(Json, KeepsTheProtocolsNames) {
  bank::v1::Card card;
  card.set_masked_number("****0010");
  card.set_state(bank::v1::CARD_STATE_PIN_LOCKED);
  *card.mutable_limits()->mutable_withdrawal_max() = money(5000);
  card.mutable_limits()->set_daily_count_max(0);
  EXPECT_EQ(
      to_json(card),
      "{\"masked_number\":\"****0010\",\"account_id\":\"\",\"state\":\"pin_locked\",\"limits\":"
      "{\"withdrawal_max\":{\"minor_units\":5000,\"currency\":\"EUR\"},\"daily_count_max\":0},"
      "\"pin_tries_left\":0,\"card_id\":\"\"}");
}

TEST(Json, NamesWhatIsSetAndLeavesOutWhatIsNot) {
  bank::v1::ResolveExceptionRequest request;
  EXPECT_EQ(to_json(request), "{\"id\":\"\",\"exception_seq\":0,\"reason\":\"\"}");
  *request.mutable_paid() = money(0);
  EXPECT_EQ(to_json(request),
            "{\"id\":\"\",\"exception_seq\":0,\"paid\":{\"minor_units\":0,\"currency\":\"EUR\"},"
            "\"reason\":\"\"}");
  bank::v1::GetAccountResponse response;
  EXPECT_EQ(to_json(response), "{\"outcome\":null,\"ledger_seq\":0}");
  response.mutable_refusal()->set_left_count(0);
  EXPECT_EQ(to_json(response),
            "{\"outcome\":\"refusal\",\"refusal\":{\"code\":\"unspecified\",\"message\":\"\","
            "\"field\":\"\",\"left_count\":0,\"ledger_seq\":0},\"ledger_seq\":0}");
}

TEST(Json, TextsAreEscapedAndBytesReadable) {
  bank::v1::TransferView transfer;
  transfer.set_reason("\"\n\x01\\");
  transfer.set_id(
      std::string("\x01\x90\xb5\xc4\x7a\x3e\x7c\x1d\x9f\x00\x01\x23\x45\x67\x89\xab", 16));
  transfer.set_at_us(-1);
  const std::string json = to_json(transfer);
  EXPECT_THAT(json, testing::HasSubstr("\"reason\":\"\\\"\\n\\u0001\\\\\""));
  EXPECT_THAT(json, testing::HasSubstr("\"id\":\"0190b5c4-7a3e-7c1d-9f00-0123456789ab\""));
  EXPECT_THAT(json, testing::HasSubstr("\"at_us\":-1,"));
  EXPECT_EQ(bytes_text("\xff\x01"), "ff01");
}

TEST(Text, IsAlignedByLettersNotBytes) {
  bank::v1::ListAccountsResponse response;
  for (const char* name : {"J\xc3\xbcrgen", "Jane"}) {
    bank::v1::Account& account = *response.add_accounts();
    account.set_account_id("a");
    account.set_kind(bank::v1::ACCOUNT_KIND_CUSTOMER);
    account.set_name(name);
    *account.mutable_balance() = money(account.name() == "Jane" ? 123456 : -5);
  }
  EXPECT_EQ(to_text(response),
            "ACCOUNT ID  KIND      NAME        BALANCE  FROZEN  CLOSED\n"
            "a           customer  J\xc3\xbcrgen    -0.05 EUR  no      no\n"
            "a           customer  Jane    1234.56 EUR  no      no\n");
}

TEST(Text, OfOneThingIsALineForEachOfItsValues) {
  atm::v1::ListCassettesResponse response;
  EXPECT_EQ(to_text(response), "No cassettes.\n");
  atm::v1::Cassette& cassette = *response.add_cassettes();
  cassette.set_position(1);
  cassette.mutable_notes()->set_count(3);
  *cassette.mutable_notes()->mutable_denomination() = money(5000);
  *response.add_reject_bin() = cassette.notes();
  atm::v1::Notes& yen = *response.add_reject_bin();
  yen.set_count(2);
  yen.mutable_denomination()->set_minor_units(1000);
  yen.mutable_denomination()->set_currency("JPY");
  EXPECT_EQ(to_text(response),
            "POSITION  NOTES\n"
            "       1  3x50 EUR\n"
            "reject bin: 3x50 EUR, 2x1000 JPY\n");
}

TEST(Text, MovesNobodysCursor) {
  bank::v1::Account account;
  account.set_name("\x1b[2Jevil\n");
  EXPECT_THAT(to_text(account), testing::HasSubstr("name:   ?[2Jevil \n"));
}

TEST(Text, WhatKindOfChangeItWasAndWhyItWasDeclinedIsInWords) {
  bank::v1::ListDeclinesResponse response;
  bank::v1::ChangeView& declined = *response.add_declines();
  declined.set_kind("record_pin_attempt");
  declined.set_outcome("pin_wrong");
  declined.set_account_id("an_account");
  const std::string text = to_text(response);
  EXPECT_THAT(text, testing::HasSubstr("record pin attempt"));
  EXPECT_THAT(text, testing::HasSubstr("pin wrong"));
  EXPECT_THAT(text, testing::HasSubstr("an_account"));
}

TEST(Text, TimesAreUtcAndALimitOfNothingIsNone) {
  bank::v1::TransferView transfer;
  transfer.set_at_us(1795399785565552);
  EXPECT_THAT(to_text(transfer), testing::HasSubstr("2026-11-23 02:09:45Z\n"));
  bank::v1::CardLimits limits;
  *limits.mutable_withdrawal_max() = money(0);
  limits.set_daily_count_max(0);
  EXPECT_EQ(to_text(limits), "withdrawal max:  none\ndaily count max: none\n");
  limits.mutable_withdrawal_max()->set_currency("JPY");
  EXPECT_THAT(to_text(limits), testing::HasSubstr("withdrawal max:  none\n"));
}

TEST(TextWidth, CountsColumnsAndNotBytesOrLetters) {
  EXPECT_EQ(text_width("Jane"), 4U);
  EXPECT_EQ(text_width("J\u00fcrgen"), 6U);
  EXPECT_EQ(text_width("Ju\u0308rgen"), 6U) << "The dots stand above the u.";
  EXPECT_EQ(text_width("\u5c71\u7530"), 4U) << "Two wide letters.";
  EXPECT_EQ(text_width("\ud55c"), 2U);
  EXPECT_EQ(text_width("\U0001f600"), 2U);
  EXPECT_EQ(text_width("\u2764\ufe0f"), 1U);
  EXPECT_EQ(text_width("\xff\xc3"), 2U) << "Bytes that are no text still stand somewhere.";
}

TEST(TextWidth, ATablesColumnsStandUnderEachOtherWhateverTheNames) {
  Table table({"name", "account"});
  table.add({"\u5c71\u7530", "a"});
  table.add({"Ju\u0308rgen", "b"});
  table.add({"Jane", "c"});
  EXPECT_EQ(table.text(), "NAME    ACCOUNT\n\u5c71\u7530    a\nJu\u0308rgen  b\nJane    c\n");
}

}  // namespace
}  // namespace cli
