// SIGHUP: what reading the configuration again sets, and what it leaves as it is.
#include <array>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>

#include <gtest/gtest.h>

#include "ops/files.h"
#include "ops/options.h"
#include "temporary_directory.h"

namespace ops {

// A name as long as a list of them has it, as a time zone is one of those on the disk.
struct ListedName {
  std::string text;
  static inline std::set<std::string> listed;
};

template <>
struct Value<ListedName> {
  static Parsed<ListedName> parse(std::string_view text) {
    if (!ListedName::listed.contains(std::string(text))) return BadValue("must be on the list");
    return ListedName{std::string(text)};
  }
  static std::string text(const ListedName& value) { return value.text; }
};

namespace {

class RereadTest : public testing::Test {
 protected:
  // A program that runs, of a name that is on the list no more.
  RereadTest() {
    Command& serving = program.root().command("serve", "Serve");
    serving.option("file", file, "FILE", "A file").required();
    serving.option("listed-name", name, "NAME", "A name");
    serving.option("live", live, "WORD", "What a running program takes");
    serving.check([this] { return look(); });
    serving.run([] { return 0; });
    ListedName::listed = {"old", "new"};
    config("file = 'f'\nlisted-name = 'old'\n");
    std::ostringstream out;
    program.run({"serve"}, environment, out);
    ListedName::listed = {"new"};
  }

  void config(const std::string& text) {
    const std::string path = directory.file("bankd.toml");
    write_file_atomically(path, text);
    environment["BANKD_CONFIG"] = path;
  }
  std::size_t reread() {
    constexpr std::array<std::string_view, 1> now = {"live"};
    return program.reread(now, environment).size();
  }

  const testkit::TemporaryDirectory directory;
  Environment environment;
  std::filesystem::path file;
  ListedName name;
  std::string live = "before";
  std::function<std::optional<Mistake>()> look = [] { return std::nullopt; };
  CommandLine program{{.program = "bankd",
                       .summary = "",
                       .prefix = "BANKD_",
                       .config_file_default = "",
                       .endings = {}}};
};

TEST_F(RereadTest, AValueThatCouldNotBeReadAgainStaysAsItIs) {
  config("file = 'f'\nlisted-name = 'new'\nlive = 'after'\n");
  EXPECT_EQ(reread(), 2U);
  EXPECT_EQ(name.text, "old") << "the next start's";
  EXPECT_EQ(live, "after");
}

TEST_F(RereadTest, AValueThatIsGoneMeanwhileIsAMistake) {
  config("file = 'f'\nlisted-name = 'gone'\n");
  EXPECT_THROW(reread(), Failure);
  EXPECT_EQ(name.text, "old");
}

TEST_F(RereadTest, AnOptionThatAStartNeedsAndWouldNotFindIsAMistake) {
  config("listed-name = 'new'\nlive = 'after'\n");
  std::string why;
  try {
    reread();
  } catch (const Failure& failure) {
    why = failure.what();
  }
  EXPECT_EQ(why, "bankd serve needs --file FILE (or set BANKD_FILE): A file.");
  EXPECT_EQ(file, "f");
  EXPECT_EQ(live, "before");
}

TEST_F(RereadTest, HoweverACheckEndsEverythingStaysAsItWas) {
  config("file = 'g'\nlisted-name = 'new'\nlive = 'after'\n");
  look = []() -> std::optional<Mistake> { throw std::runtime_error("the world broke"); };
  EXPECT_THROW(reread(), std::runtime_error);
  EXPECT_EQ(file, "f");
  EXPECT_EQ(name.text, "old");
  EXPECT_EQ(live, "before");
}

}  // namespace
}  // namespace ops
