// Where an option's value comes from, and what each mistake is told.
#include "ops/options.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

#include <gtest/gtest.h>

#include "ops/files.h"
#include "temporary_directory.h"

namespace ops {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A program with an option of every type, and the four sources that a test can fill.
class OptionsTest : public testing::Test {
 protected:
  OptionsTest() {
    Command& serve = line.root().command("serve", "Serve until SIGTERM");
    serve.example("bankd serve --data bank.db");
    serve.option("data", data, "FILE", "The database").required();
    serve.option("listen", listen, "HOST:PORT", "Where to listen");
    serve.option("port", port, between<std::uint16_t>(1, 65535), "N", "A port");
    serve.option("drain-time", drain_time, between<async::Duration>(milliseconds(1), hours(24)),
                 "TIME", "How long to drain");
    serve.option("ready-file", ready_file, "FILE", "Written when ready");
    serve.option("name", name, "TEXT", "A name");
    serve.flag("durable", durable, "Whether to sync");
    serve.secret("pepper", pepper, "The pepper");
    serve.refuse("pin", "A PIN is asked for.");
    serve.run([this] { return ran = true, 0; });
    Command& pay = line.root().command("pay", "Pay somebody");
    pay.argument("AMOUNT", amount, "how much");
    pay.argument("TO", payees, "whom");
    pay.option("id", id, "ID", "Of the payment").flag_only();
    pay.run([this] { return ran = true, 0; });
    Command& account = line.root().command("account", "Accounts");
    account.command("open", "Open one").run([] { return 7; });
    Command& close = account.command("close", "Close one");
    close.argument("ACCOUNT", closed, "which");
    close.run([] { return 8; });
  }

  std::string write(const std::string& file, const std::string& text) {
    const std::string path = directory.file(file);
    write_file_atomically(path, text);
    return path;
  }
  void config(const std::string& text) { environment["BANKD_CONFIG"] = write("bankd.toml", text); }
  int run(std::vector<std::string> words) { return line.run(std::move(words), environment, out); }
  int serve(std::vector<std::string> words = {}) {
    words.insert(words.begin(), {"serve", "--data", "x"});
    return run(std::move(words));
  }
  // The sentence and the code of a run that fails.
  std::string failure_of(std::vector<std::string> words) {
    try {
      run(std::move(words));
    } catch (const Failure& failure) {
      return std::to_string(to_int(failure.code())) + " " + failure.what();
    }
    return "it did not fail";
  }

  std::string data;
  std::vector<async::Endpoint> listen = {async::Endpoint::parse("127.0.0.1:7001")};
  std::uint16_t port = 1;
  async::Duration drain_time = seconds(1);
  std::optional<std::filesystem::path> ready_file;
  std::string name = "builtin";
  bool durable = true;
  std::string pepper;
  std::string amount;
  std::string closed;
  std::vector<std::string> payees;
  std::optional<std::string> id;
  bool ran = false;

  const testkit::TemporaryDirectory directory;
  Environment environment;
  std::ostringstream out;
  CommandLine line{{.program = "bankd",
                    .summary = "The bank",
                    .prefix = "BANKD_",
                    .config_file_default = "",
                    .endings = {}}};
};

TEST_F(OptionsTest, WithoutASourceTheDefaultStays) {
  EXPECT_EQ(serve(), 0);
  EXPECT_TRUE(ran);
  EXPECT_EQ(port, 1);
  EXPECT_EQ(name, "builtin");
  EXPECT_EQ(listen.size(), 1U);
  EXPECT_FALSE(ready_file);
}

TEST_F(OptionsTest, TheFileBeatsTheDefaultForEveryType) {
  config(R"(# The bank's own.
name = "of # file"
port = 2
drain-time = "2s"
durable = false
ready-file = '/run/ready'
pepper = "salt"
listen = [
  "127.0.0.1:1",  # One,
  "[::1]:2",
]
)");
  serve();
  EXPECT_EQ(name, "of # file");
  EXPECT_EQ(port, 2);
  EXPECT_EQ(drain_time, seconds(2));
  EXPECT_FALSE(durable);
  EXPECT_EQ(ready_file, "/run/ready");
  EXPECT_EQ(pepper, "salt");
  ASSERT_EQ(listen.size(), 2U);
  EXPECT_EQ(listen[1].text(), "[::1]:2");
}

TEST_F(OptionsTest, TheEnvironmentBeatsTheFileForEveryType) {
  config(
      "name = 'file'\nport = 2\ndrain-time = '2s'\ndurable = false\nready-file = '/file'\n"
      "pepper = 'file'\nlisten = ['127.0.0.1:1']\n");
  environment.insert({{"BANKD_NAME", "environment"},
                      {"BANKD_PORT", "3"},
                      {"BANKD_DRAIN_TIME", "3m"},
                      {"BANKD_DURABLE", "true"},
                      {"BANKD_READY_FILE", "/environment"},
                      {"BANKD_PEPPER", "environment"},
                      {"BANKD_LISTEN", "127.0.0.1:3,127.0.0.1:4"}});
  serve();
  EXPECT_EQ(name, "environment");
  EXPECT_EQ(port, 3);
  EXPECT_EQ(drain_time, std::chrono::minutes(3));
  EXPECT_TRUE(durable);
  EXPECT_EQ(ready_file, "/environment");
  EXPECT_EQ(pepper, "environment");
  EXPECT_EQ(listen.size(), 2U);
}

TEST_F(OptionsTest, TheFlagBeatsTheEnvironmentForEveryType) {
  const std::string secret = write("pepper", "flag\n");
  environment.insert({{"BANKD_NAME", "environment"},
                      {"BANKD_PORT", "3"},
                      {"BANKD_DRAIN_TIME", "3m"},
                      {"BANKD_DURABLE", "true"},
                      {"BANKD_READY_FILE", "/environment"},
                      {"BANKD_PEPPER", "environment"},
                      {"BANKD_LISTEN", "127.0.0.1:3,127.0.0.1:4"}});
  serve({"--name", "flag", "--port=4", "--drain-time", "250ms", "--no-durable", "--ready-file",
         "/flag", "--pepper-file", secret, "--listen", "a:1", "--listen", "b:2", "--listen",
         "c:3"});
  EXPECT_EQ(name, "flag");
  EXPECT_EQ(port, 4);
  EXPECT_EQ(drain_time, std::chrono::milliseconds(250));
  EXPECT_FALSE(durable);
  EXPECT_EQ(ready_file, "/flag");
  EXPECT_EQ(pepper, "flag");
  EXPECT_EQ(listen.size(), 3U);
}

TEST_F(OptionsTest, AnEmptyVariableIsUnset) {
  config("name = 'file'\n");
  environment["BANKD_NAME"] = "";
  environment["BANKD_NONSENSE"] = "";
  serve();
  EXPECT_EQ(name, "file");
}

TEST_F(OptionsTest, AnEmptyFlagIsAValue) {
  environment["BANKD_NAME"] = "environment";
  serve({"--name", ""});
  EXPECT_EQ(name, "");
}

TEST_F(OptionsTest, AnOptionMayStandBeforeItsCommand) {
  EXPECT_EQ(run({"--config", write("other.toml", "name = 'other'"), "serve", "--data", "x"}), 0);
  EXPECT_EQ(name, "other");
}

TEST_F(OptionsTest, UnknownKeysAndVariablesAreErrors) {
  config("port = 2\nprot = 3\n");
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 " + environment["BANKD_CONFIG"] +
                " line 2 sets an unknown option 'prot'; did you mean port?");
  environment.clear();
  environment["BANKD_PROT"] = "3";
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 The environment variable BANKD_PROT is not an option of bankd; did you mean "
            "BANKD_PORT?");
}

TEST_F(OptionsTest, WhatAClusterSetsForAServiceOfTheSameNameIsIgnored) {
  environment.insert({{"BANKD_SERVICE_HOST", "10.0.0.1"},
                      {"BANKD_SERVICE_PORT_RPC", "7001"},
                      {"BANKD_PORT_7001_TCP_ADDR", "10.0.0.1"}});
  EXPECT_EQ(serve(), 0);
}

TEST_F(OptionsTest, ABadValueNamesItsSource) {
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--port", "70000"}),
            "64 --port must be a whole number from 1 to 65535, not \"70000\".");
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--port", "0"}),
            "64 --port must be a whole number from 1 to 65535, not \"0\".");
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--drain-time", "25h"}),
            "64 --drain-time must be from 1ms to 24h, not \"25h\".");
  environment["BANKD_DRAIN_TIME"] = "0s";
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 BANKD_DRAIN_TIME must be from 1ms to 24h, not \"0s\".");
  environment["BANKD_DRAIN_TIME"] = "soon";
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 BANKD_DRAIN_TIME must be a time such as 250ms, 4s, 15m or 2h, not \"soon\".");
  environment.clear();
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--listen", "127.0.0.1:99999"}),
            "64 --listen must have a port of at most 65535, not \"127.0.0.1:99999\".");
  config("\nlisten = ['nowhere']\n");
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 listen in " + environment["BANKD_CONFIG"] +
                " (line 2) must be HOST:PORT, [ADDRESS]:PORT or unix:PATH, not \"nowhere\".");
}

TEST_F(OptionsTest, APathThatIsTooLongForAUnixSocketIsToldAsThat) {
  const std::string longest = "unix:/" + std::string(106, 'x');
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--listen", longest}), "it did not fail");
  EXPECT_EQ(
      failure_of({"serve", "--data", "x", "--listen", longest + "x"}),
      "64 --listen must have a path of at most 107 bytes after unix:, not \"" + longest + "x\".");
}

TEST_F(OptionsTest, MistakesOnTheCommandLineGetOneSentence) {
  EXPECT_EQ(failure_of({"serve"}),
            "64 bankd serve needs --data FILE (or set BANKD_DATA): The database.");
  EXPECT_EQ(failure_of({"serve", "--prot", "1"}),
            "64 bankd serve has no option '--prot'; did you mean --port?");
  EXPECT_EQ(failure_of({"serve", "--xyzzy"}),
            "64 bankd serve has no option '--xyzzy'. See bankd serve --help.");
  EXPECT_EQ(failure_of({"--id", "12", "pay", "60", "jane"}),
            "64 --id is an option of 'bankd pay' and must stand behind that.");
  EXPECT_EQ(failure_of({"--id=12", "pay", "60", "jane"}),
            "64 --id is an option of 'bankd pay' and must stand behind that.");
  EXPECT_EQ(failure_of({"account", "open", "--id", "12"}),
            "64 --id is an option of 'bankd pay', not of 'bankd account open'.");
  EXPECT_EQ(failure_of({"serve", "--port"}), "64 --port needs a value: --port N.");
  EXPECT_EQ(failure_of({"srve"}), "64 bankd has no command 'srve'; did you mean serve?");
  EXPECT_EQ(failure_of({"account", "opne"}),
            "64 bankd account has no command 'opne'; did you mean open?");
  EXPECT_EQ(failure_of({"account", "xyzzy"}),
            "64 bankd account has no command 'xyzzy'; it has open, close.");
  EXPECT_EQ(failure_of({"account"}),
            "64 bankd account needs a command: open, close. See bankd account --help.");
  EXPECT_EQ(failure_of({"serve", "--data", "a", "--data", "b"}), "64 --data is given twice.");
  EXPECT_EQ(failure_of({"serve", "now"}),
            "64 bankd serve takes only options, not 'now'. See bankd serve --help.");
  EXPECT_EQ(failure_of({"account", "close", "jane", "john"}),
            "64 bankd account close takes no further 'john' after ACCOUNT (which). See bankd "
            "account close --help.");
  EXPECT_FALSE(ran);
}

TEST_F(OptionsTest, ArgumentsAreTakenInOrder) {
  EXPECT_EQ(run({"pay", "-1", "jane", "[john]", "--", "--anonymous"}), 0);
  EXPECT_EQ(amount, "-1");
  EXPECT_EQ(payees, (std::vector<std::string>{"jane", "[john]", "--anonymous"}));
  EXPECT_EQ(failure_of({"pay"}), "64 bankd pay needs AMOUNT: how much.");
}

TEST_F(OptionsTest, NestedCommandsRun) {
  EXPECT_EQ(run({"account", "open"}), 7);
  EXPECT_EQ(run({"account", "close", "jane"}), 8);
}

TEST_F(OptionsTest, WhatIsForOneCallIsNeverTakenFromElsewhere) {
  environment["BANKD_ID"] = "7";
  EXPECT_EQ(failure_of({"pay", "1"}).substr(0, 2), "78");
  environment.clear();
  run({"pay", "1", "--id", "7"});
  EXPECT_EQ(id, "7");
}

TEST_F(OptionsTest, ASecretComesFromAFileOrTheEnvironmentNeverFromTheCommandLine) {
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--pepper", "salt"}),
            "64 A secret on the command line can be read by every user of this machine; use "
            "--pepper-file FILE.");
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--pin", "1234"}), "64 A PIN is asked for.");
  environment["BANKD_PEPPER"] = "salt";
  environment["BANKD_PEPPER_FILE"] = write("pepper", "of file\n");
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "78 BANKD_PEPPER and BANKD_PEPPER_FILE are both set; set one of them.");
  environment.erase("BANKD_PEPPER");
  serve();
  EXPECT_EQ(pepper, "of file");
  environment["BANKD_PEPPER_FILE"] = "/nowhere/pepper";
  EXPECT_EQ(failure_of({"serve", "--data", "x"}),
            "66 The secret's file /nowhere/pepper cannot be read: No such file or directory.");
}

TEST_F(OptionsTest, WithoutACommandThereIsNothingToPrintOrToCheck) {
  for (const char* flag : {"--print-config", "--check-config"}) {
    EXPECT_EQ(failure_of({flag}).substr(0, 25), "64 bankd needs a command:") << flag;
  }
}

TEST_F(OptionsTest, WhatPrintConfigPrintsIsAConfigurationFileOfTheSameValues) {
  environment["BANKD_NAME"] = "a \"quoted\" one";
  serve({"--drain-time", "90s", "--port", "7", "--no-durable", "--print-config"});
  const std::string printed = out.str();
  environment.clear();
  config(printed);
  EXPECT_EQ(run({"serve"}), 0);
  EXPECT_EQ(data, "x");
  EXPECT_EQ(port, 7);
  EXPECT_EQ(drain_time, seconds(90));
  EXPECT_EQ(name, "a \"quoted\" one");
  EXPECT_FALSE(durable);
}

TEST_F(OptionsTest, TheHelpSaysWhatIsRequired) {
  run({"serve", "--help"});
  EXPECT_NE(out.str().find("The database [required; BANKD_DATA]"), std::string::npos) << out.str();
}

TEST_F(OptionsTest, PrintConfigTellsEachValueAndItsSourceAndNoSecret) {
  config("port = 2\npepper = 'salt'\n");
  environment["BANKD_NAME"] = "a \"quoted\" one";
  serve({"--drain-time", "90s", "--print-config"});
  EXPECT_FALSE(ran);
  const std::string path = environment["BANKD_CONFIG"];
  EXPECT_EQ(out.str(),
            "data = \"x\"  # --data\n"
            "listen = [\"127.0.0.1:7001\"]  # default\n"
            "port = 2  # port in " +
                path +
                " (line 1)\n"
                "drain-time = \"90s\"  # --drain-time\n"
                "# ready-file = \"\"  # default\n"
                "name = \"a \\\"quoted\\\" one\"  # BANKD_NAME\n"
                "durable = true  # default\n"
                "# pepper = \"(secret)\"  # pepper in " +
                path + " (line 2)\n");
}

TEST_F(OptionsTest, CheckConfigRunsNothing) {
  EXPECT_EQ(serve({"--check-config"}), 0);
  EXPECT_FALSE(ran);
  environment["BANKD_PORT"] = "x";
  EXPECT_EQ(failure_of({"serve", "--data", "x", "--check-config"}).substr(0, 2), "78");
}

// Two options that must not be equal, and one that must be there beside another.
class TogetherTest : public OptionsTest {
 protected:
  // A program of its own, as each start is.
  std::string ended(std::vector<std::string> words) {
    one = "a";
    other = "b";
    third.reset();
    together = std::make_unique<CommandLine>(CommandLine::Program{.program = "bankd",
                                                                  .summary = "",
                                                                  .prefix = "BANKD_",
                                                                  .config_file_default = "",
                                                                  .endings = {}});
    Command& serving = together->root().command("serve", "Serve");
    serving.option("one", one, "NAME", "One");
    serving.option("other", other, "NAME", "Another");
    serving.option("third", third, "NAME", "A third");
    serving.check([this] { return mistake(); });
    serving.run([this] {
      ++times_run;
      return 0;
    });
    words.insert(words.begin(), "serve");
    return told([&] { return std::to_string(together->run(words, environment, out)); });
  }
  std::string reread() {
    return told([this] { return std::to_string(together->reread({}, environment).size()); });
  }
  std::optional<Mistake> mistake() const {
    if (one == other) return Mistake{"other", "must not be as one"};
    if (one == "lone" && !third) return Mistake{"one", "must have a third"};
    return std::nullopt;
  }
  template <typename Action>
  static std::string told(Action action) {
    try {
      return action();
    } catch (const Failure& failure) {
      return std::to_string(to_int(failure.code())) + " " + failure.what();
    }
  }

  std::unique_ptr<CommandLine> together;
  std::string one;
  std::string other;
  std::optional<std::string> third;
  int times_run = 0;
};

TEST_F(TogetherTest, WhatCannotBeTogetherIsSaidOfWhereItIsFromBeforeAnythingRuns) {
  EXPECT_EQ(ended({"--one", "x", "--other", "x"}), "64 --other must not be as one.");
  EXPECT_EQ(ended({"--other", "a", "--check-config"}), "64 --other must not be as one.");
  EXPECT_EQ(ended({"--one", "b"}), "64 --other must not be as one.") << "its default";
  environment["BANKD_OTHER"] = "a";
  EXPECT_EQ(ended({"--check-config"}), "78 BANKD_OTHER must not be as one.");
  environment.erase("BANKD_OTHER");
  config("other = 'a'\n");
  EXPECT_EQ(ended({"--check-config"}),
            "78 other in " + environment["BANKD_CONFIG"] + " (line 1) must not be as one.");
  EXPECT_EQ(times_run, 0);
  EXPECT_EQ(ended({"--one", "c"}), "0");
  EXPECT_EQ(times_run, 1);
}

TEST_F(TogetherTest, RereadFindsItTooAndSetsNothing) {
  EXPECT_EQ(ended({}), "0");
  config("other = 'a'\n");
  EXPECT_EQ(reread().substr(0, 8), "78 other");
  config("one = 'lone'\n");
  EXPECT_EQ(reread().substr(0, 6), "78 one");
  EXPECT_EQ(one + other + third.value_or(""), "ab");
  config("one = 'lone'\nthird = 'there'\n");
  EXPECT_EQ(reread(), "2");
  EXPECT_EQ(one + other + third.value_or(""), "ab") << "the next start's";
}

TEST_F(OptionsTest, AFileThatIsNotThereIsAnError) {
  EXPECT_EQ(failure_of({"serve", "--config", "/nowhere.toml"}),
            "78 The configuration file /nowhere.toml cannot be read: No such file or directory.");
  EXPECT_EQ(failure_of({"serve", "--config", "/tmp"}),
            "78 The configuration file /tmp cannot be read: Is a directory.");
}

TEST_F(OptionsTest, HelpComesWithItsExamplesFirstWhateverElseIsWrong) {
  EXPECT_EQ(run({"serve", "--prot", "--help"}), 0);
  EXPECT_TRUE(
      out.str().starts_with("bankd serve: Serve until SIGTERM\n\nExamples:\n"
                            "  bankd serve --data bank.db\n\n"
                            "Usage: bankd serve --data FILE [OPTIONS]"))
      << out.str();
  EXPECT_NE(out.str().find("[from 1ms to 24h; default 1s; BANKD_DRAIN_TIME]"), std::string::npos)
      << out.str();
  std::ostringstream again;
  out.swap(again);
  EXPECT_EQ(run({"help", "account", "open"}), 0);
  EXPECT_TRUE(out.str().starts_with("bankd account open: Open one\n")) << out.str();
}

TEST_F(OptionsTest, VersionIsOneLine) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out.str(), std::string("bankd ") + TELLER_VERSION + "\n");
}

TEST_F(OptionsTest, RereadTellsWhatEnvironmentAndFileSayNow) {
  config("name = 'first'\n");
  serve();
  config("name = 'second'\n");
  const auto changes = line.reread({}, environment);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].option, "name");
  EXPECT_EQ(changes[0].texts, std::vector<std::string>{"second"});
}

}  // namespace
}  // namespace ops
