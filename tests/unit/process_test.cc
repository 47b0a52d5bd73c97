#include "async/process.h"

#include <array>
#include <cerrno>
#include <csignal>

#include <gtest/gtest.h>

#include "async/datagram.h"

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

TEST(DatagramTest, BringsEachMessageWholeWithItsSender) {
  UvLoop loop;
  DatagramSocket server(loop, Endpoint::parse("127.0.0.1:0"));
  DatagramSocket client(loop, Endpoint::parse("127.0.0.1:0"));
  loop.run(client.send("one", server.local()));
  loop.run(client.send("", server.local()));
  loop.run(client.send("three", server.local()));
  const Datagram first = loop.run(server.receive());
  EXPECT_EQ(first.bytes, "one");
  EXPECT_EQ(first.sender, client.local());
  EXPECT_EQ(loop.run(server.receive()).bytes, "");
  EXPECT_EQ(loop.run(server.receive()).bytes, "three");
  loop.run(server.send("answer", first.sender));
  EXPECT_EQ(loop.run(client.receive()).bytes, "answer");
}

TEST(DatagramTest, RefusesAMessageThatIsTooLong) {
  UvLoop loop;
  DatagramSocket socket(loop, Endpoint::parse("127.0.0.1:0"));
  EXPECT_THROW(loop.run(socket.send(std::string(70'000, 'x'), socket.local())), IoError);
}

TEST(DatagramTest, SaysThatAnAddressIsTaken) {
  UvLoop loop;
  const DatagramSocket socket(loop, Endpoint::parse("127.0.0.1:0"));
  EXPECT_THROW(DatagramSocket(loop, socket.local()), IoError);
}

}  // namespace
}  // namespace async
