// The operator's amounts: the server says what they are in, and they are shown before they are sent.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <tuple>
#include <unistd.h>

#include <google/protobuf/descriptor.h>

#include "atm/v1/atm.pb.h"
#include "bank/v1/bank.pb.h"
#include "bankctl_fixture.h"
#include "temporary_directory.h"

namespace bankctl {
namespace {

using testing::HasSubstr;

// Whatever is signed and no time is an amount, and each is a Money, which names its currency.
TEST(Protocol, NoAmountTravelsWithoutItsCurrency) {
  using google::protobuf::FieldDescriptor;
  int amounts = 0;
  for (const auto* file :
       {bank::v1::SignOnRequest::descriptor()->file(), bank::v1::Refusal::descriptor()->file(),
        bank::v1::Money::descriptor()->file(), bank::v1::AdjustRequest::descriptor()->file(),
        atm::v1::Notes::descriptor()->file(), atm::v1::LoadRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) {
      const auto& message = *file->message_type(i);
      for (int j = 0; j < message.field_count(); ++j) {
        const FieldDescriptor& field = *message.field(j);
        const bool is_signed = field.cpp_type() == FieldDescriptor::CPPTYPE_INT64 ||
                               field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
        if (!is_signed || field.name().ends_with("_us")) continue;
        EXPECT_EQ(message.full_name(), "bank.v1.Money") << field.full_name();
        ++amounts;
      }
    }
  }
  EXPECT_EQ(amounts, 1);
}

struct PinFile {
  PinFile() {
    std::ofstream(path) << "1234\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  }
  testkit::TemporaryDirectory directory;
  std::string path = directory.file("pin");
};

// Every verb whose request has money, notes or a currency in it, with what it asks the server first.
TEST_F(BankctlTest, AmountsAreInTheCurrencyOfWhatTheyAreAbout) {
  bank.currency = "JPY";
  const PinFile pin;
  const std::string money = "{\"minor_units\":800,\"currency\":\"JPY\"}";
  const std::string code = "\"currency\":\"JPY\"";
  const std::vector<std::tuple<std::vector<std::string>, std::string, std::string>> cases = {
      {{"account", "open", "k", "--name", "K"}, "bank", code},
      {{"account", "open", "k", "--name", "K", "--overdraft", "800"}, "bank", money},
      {{"account", "fund", "kenji", "800"}, "account kenji", money},
      {{"account", "overdraft", "kenji", "800"}, "account kenji", money},
      {{"terminal", "add", "atm-1"}, "bank", code},
      {{"card", "limits", "4000000000000010", "--withdrawal-max", "800"},
       "card 4000000000000010",
       "\"withdrawal_max\":" + money},
      {{"card", "limits", "4000000000000010", "--daily-amount-max", "800"},
       "card 4000000000000010",
       "\"daily_amount_max\":" + money},
      {{"card", "issue", "4000000000000010", "kenji", "--withdrawal-max", "800", "--pin-file",
        pin.path},
       "account kenji",
       money},
      {{"adjust", "equity:jpy", "kenji", "800", "--reason", "x", "--yes"},
       "account equity:jpy",
       money},
      {{"exceptions", "resolve", "17", "--paid", "800", "--reason", "x", "--yes"},
       "exception 17",
       "\"paid\":" + money},
      {{"atm", "load", "1", "10x800"},
       "terminals",
       "\"notes\":{\"denomination\":" + money + ",\"count\":10}"},
  };
  for (const auto& [words, question, sent] : cases) {
    EXPECT_THAT(request_of(words), HasSubstr(sent));
    EXPECT_FALSE(bank.questions.empty());
    EXPECT_THAT(bank.questions, testing::Each(question)) << words[0] << " " << words[1];
  }
  for (const VerbTable* table : {&bank_verbs(), &atm_verbs()}) {
    for (const Verb& verb : table->verbs) {
      const auto needs = [](const Input& input) {
        return has_amount(input.kind) || input.kind == Kind::currency;
      };
      const bool has_currency = std::ranges::any_of(verb.inputs, needs);
      EXPECT_EQ(has_currency, verb.currency != nullptr) << verb.words;
    }
  }
}

TEST_F(BankctlTest, ACurrencyThatIsSaidIsNotAskedFor) {
  bank.currency = "JPY";
  EXPECT_THAT(request_of({"--currency", "USD", "account", "fund", "kenji", "8"}),
              HasSubstr("{\"minor_units\":800,\"currency\":\"USD\"}"));
  EXPECT_THAT(bank.questions, testing::IsEmpty());
}

TEST_F(BankctlTest, WhereTheServerHasNoOneCurrencyItMustBeSaid) {
  bank.currency = "";
  EXPECT_EQ(request_of({"account", "open", "k", "--name", "K"}),
            "64 the bank has no one currency for this: say which, with --currency CODE");
}

TEST_F(BankctlTest, AChangeOfWhatIsNotThereIsRefusedBeforeItIsSent) {
  EXPECT_EQ(run({"account", "fund", "nobody", "8"}),
            "1 the bank said no: There is no such account.");
  EXPECT_THAT(bank.requests, testing::IsEmpty());
}

TEST_F(BankctlTest, WhatIsAboutToBeDoneIsShownWithItsCurrency) {
  bank.currency = "JPY";
  request_of({"exceptions", "resolve", "17", "--paid", "800", "--reason", "seen by Jo", "--yes"});
  request_of({"atm", "load", "1", "10x1000"});
  request_of({"account", "open", "k", "--name", "K"});
  const std::string named = " --id " + id + "\n";
  EXPECT_EQ(out.str(), "exceptions resolve 17 --paid 800 JPY --reason \"seen by Jo\" --id " + id +
                           " (suspended hold, 0 JPY)\n" + "atm load 1 10x1000 JPY" + named +
                           "account open k --name K --currency JPY" + named);
  out.str("");
  request_of({"account", "freeze", "k", "--reason", "lost"});
  request_of({"reverse", "12", "--reason", "twice", "--yes"});
  EXPECT_EQ(out.str(), "account freeze k --reason lost" + named +
                           "reverse 13 --reason twice --id " + id + " (It was found.)\n");
  out.str("");
  request_of({"--json", "account", "fund", "k", "1"});
  EXPECT_EQ(out.str(), "");
}

// The words of a verb's example.
std::vector<std::string> words_of(const Verb& verb, const std::string& pin_file) {
  std::vector<std::string> words(1);
  bool is_quoted = false;
  for (const char letter : verb.example) {
    if (letter == '\'') is_quoted = !is_quoted;
    if (letter == ' ' && !is_quoted) words.emplace_back();
    if (letter != '\'' && (letter != ' ' || is_quoted)) words.back() += letter;
  }
  std::ranges::replace(words, "pin.txt", pin_file);
  return words;
}

TEST_F(BankctlTest, WithoutATerminalNothingIsDoneThatWouldBeAskedAbout) {
  const int input = ::dup(STDIN_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  const PinFile pin;
  for (const VerbTable* table : {&bank_verbs(), &atm_verbs()}) {
    for (const Verb& verb : table->verbs) {
      if (verb.question.empty()) continue;
      std::vector<std::string> words = words_of(verb, pin.path);
      last_request = "";
      EXPECT_THAT(request_of(words), testing::StartsWith("64 There is no terminal to ask"))
          << verb.words;
      EXPECT_EQ(last_request, "") << verb.words;
      words.emplace_back("--yes");
      EXPECT_THAT(request_of(words), testing::StartsWith("{")) << verb.words;
      settings.yes = false;
    }
  }
  ::dup2(input, STDIN_FILENO);
  ::close(input);
  ::close(nothing);
}

TEST_F(BankctlTest, ACardsNumberMayHaveSpaces) {
  EXPECT_THAT(request_of({"card", "block", "4000 0000 0000 0010", "--reason", "lost"}),
              HasSubstr("\"card_number\":\"4000000000000010\""));
}

TEST_F(BankctlTest, ACardsLimitsAloneAreShownAndThoseThatAreNotNamedAreNotSent) {
  EXPECT_EQ(request_of({"card", "limits", "4000000000000010"}),
            "{\"card_number\":\"4000000000000010\"}");
  EXPECT_EQ(last_method, "bank.v1.OperatorService/GetCard");
  EXPECT_EQ(request_of({"card", "limits", "4000000000000010", "--daily-amount-max", "none"}),
            "{\"id\":\"" + id +
                "\",\"card_number\":\"4000000000000010\",\"limits\":{\"daily_amount_max\":"
                "{\"minor_units\":0,\"currency\":\"EUR\"}}}");
  EXPECT_EQ(request_of({"card", "limits", "4000000000000010", "--daily-amount-max", "0"}),
            "64 --daily-amount-max must be more than 0; say none for no limit.");
}

TEST_F(BankctlTest, OfACardsLimitsTheCountAloneCanBeSet) {
  EXPECT_EQ(request_of({"card", "limits", "4000000000000010", "--daily-count-max", "none"}),
            "{\"id\":\"" + id +
                "\",\"card_number\":\"4000000000000010\",\"limits\":{\"daily_count_max\":0}}");
  EXPECT_EQ(
      request_of({"card", "limits", "4000000000000010", "--daily-count-max", "0"}),
      "64 --daily-count-max must be a whole number from 1 to 4294967295, or none for no limit, not "
      "\"0\".");
}

}  // namespace
}  // namespace bankctl
