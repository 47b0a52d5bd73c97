#include "async/process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "loop_fixture.h"

namespace async {
namespace {

ProcessOptions shell(std::string script) {
  return ProcessOptions{.command = {"sh", "-c", std::move(script)}};
}

TEST(ProcessTest, GivesItsOutputAndItsExitCode) {
  UvLoop loop;
  Process process(loop, shell("echo hello; exit 3"));
  EXPECT_GT(process.pid(), 0);
  EXPECT_EQ(loop.run(process.output().read_all(100)), "hello\n");
  const ExitStatus status = loop.run(process.wait());
  EXPECT_EQ(status.code, 3);
  EXPECT_EQ(status.signal, 0);
  EXPECT_FALSE(status.success());
}

TEST(ProcessTest, ReadsWhatIsWrittenToItUntilItsInputIsClosed) {
  UvLoop loop;
  Process process(loop, ProcessOptions{.command = {"cat"}});
  loop.run(process.input().write(std::string("through the cat")));
  process.input().close();
  EXPECT_EQ(loop.run(process.output().read_all(100)), "through the cat");
  EXPECT_TRUE(loop.run(process.wait()).success());
  EXPECT_TRUE(loop.run(process.wait()).success());  // And again.
}

TEST(ProcessTest, CanBeTerminatedAndKilled) {
  UvLoop loop;
  Process polite(loop, ProcessOptions{.command = {"cat"}});
  polite.terminate();
  EXPECT_EQ(loop.run(polite.wait()).signal, SIGTERM);
  Process stubborn(loop, shell("trap '' TERM; echo ready; cat"));
  std::array<std::byte, 16> buffer{};
  EXPECT_EQ(loop.run(stubborn.output().read(buffer)), 6U);  // "ready\n": its trap is set.
  stubborn.terminate();
  stubborn.kill();
  EXPECT_EQ(loop.run(stubborn.wait()).signal, SIGKILL);
  stubborn.kill();  // Of one that has ended: nothing.
}

TEST(ProcessTest, IsKilledAndWaitedForWhenNobodyOwnsItAnyMore) {
  int pid = 0;
  {
    UvLoop loop;
    const Process process(loop, ProcessOptions{.command = {"cat"}});
    pid = process.pid();
  }
  EXPECT_EQ(::kill(pid, 0), -1);  // Not even a zombie.
  EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessTest, SeesTheEnvironmentAndTheDirectoryItIsGiven) {
  UvLoop loop;
  ProcessOptions options = shell("echo $GREETING in $(pwd)");
  options.environment = {"GREETING=hello", "PATH=/usr/bin:/bin"};
  options.directory = "/";
  Process process(loop, options);
  EXPECT_EQ(loop.run(process.output().read_all(100)), "hello in /\n");
}

TEST(ProcessTest, SaysWhichProgramItCannotStart) {
  UvLoop loop;
  try {
    const Process process(loop, ProcessOptions{.command = {"no-such-program"}});
    FAIL() << "it was started";
  } catch (const IoError& error) {
    EXPECT_EQ(error.name(), "ENOENT");
    EXPECT_NE(std::string(error.what()).find("no-such-program"), std::string::npos);
  }
}

TEST(ProcessTest, TwoOutputsAreTwoStreams) {
  UvLoop loop;
  ProcessOptions options = shell("echo good; echo bad >&2");
  options.pipe_errors = true;
  Process process(loop, options);
  EXPECT_EQ(loop.run(process.output().read_all(100)), "good\n");
  EXPECT_EQ(loop.run(process.errors().read_all(100)), "bad\n");
}

using ProcessCancelTest = LoopFixture<UvLoop>;

TEST_F(ProcessCancelTest, AWaitThatIsCancelledCanBeBegunAgain) {
  Process process(loop, ProcessOptions{.command = {"cat"}});
  auto waiting = start(process.wait());
  EXPECT_TRUE(pending(waiting));
  waiting.cancel();
  auto again = start(process.wait());
  process.input().close();
  EXPECT_TRUE(finish(again).success());
}

TEST_F(ProcessCancelTest, AWaitEndsWhenTheProcessIsGivenUp) {
  auto process =
      std::make_unique<Process>(loop, ProcessOptions{.command = {"cat"}, .pipe_output = false});
  auto waiting = start(process->wait());
  EXPECT_TRUE(pending(waiting));
  process.reset();
  EXPECT_EQ(error_of([&] { finish(waiting); }), "ECANCELED");
}

TEST_F(ProcessCancelTest, AWriteThatItNeverReadsEndsWithIt) {
  Process process(loop, ProcessOptions{.command = {"sleep", "1000"}});
  auto writing = start(process.input().write(std::string(24 * 1024 * 1024, '.')));
  EXPECT_TRUE(pending(writing));
  process.terminate();
  EXPECT_EQ(error_of([&] { finish(writing); }), "EPIPE");
  EXPECT_EQ(loop.run(process.wait()).signal, SIGTERM);
}

}  // namespace
}  // namespace async
