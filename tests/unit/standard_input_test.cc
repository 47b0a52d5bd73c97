#include "async/standard_input.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "stream_fixture.h"

namespace async {
namespace {

// A descriptor that is standard input for as long as a test runs.
class StandardInputTest : public LoopFixture<UvLoop> {
 protected:
  StandardInputTest() : before_(::dup(STDIN_FILENO)) {}
  ~StandardInputTest() override {
    ::dup2(before_, STDIN_FILENO);
    ::close(before_);
  }

  static void become_input(int descriptor) {
    ASSERT_GE(::dup2(descriptor, STDIN_FILENO), 0);
    ::close(descriptor);
  }
  static void put(int descriptor, std::string_view text) {
    ASSERT_EQ(::write(descriptor, text.data(), text.size()), std::ssize(text));
  }
  std::string read(Stream& stream) { return loop.run(read_text(&stream)); }

 private:
  int before_;
};

TEST_F(StandardInputTest, IsReadFromAPipeAsItComes) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  become_input(pipe[0]);
  Stream input = standard_input(loop);
  auto reading = start(read_text(&input));
  EXPECT_TRUE(pending(reading));
  put(pipe[1], "hello\n");
  EXPECT_EQ(finish(reading), "hello\n");
  ::close(pipe[1]);
  EXPECT_EQ(read(input), "");
}

TEST_F(StandardInputTest, IsReadFromASocket) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  become_input(ends[0]);
  Stream input = standard_input(loop);
  put(ends[1], "hello\n");
  EXPECT_EQ(read(input), "hello\n");
  ::close(ends[1]);
  EXPECT_EQ(read(input), "");
}

TEST_F(StandardInputTest, IsReadFromATerminalLineByLine) {
  const int keyboard = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(keyboard, 0);
  ASSERT_EQ(::grantpt(keyboard), 0);
  ASSERT_EQ(::unlockpt(keyboard), 0);
  become_input(::open(::ptsname(keyboard), O_RDWR | O_NOCTTY));
  {
    Stream input = standard_input(loop);
    put(keyboard, "hel");
    auto reading = start(read_text(&input));
    EXPECT_TRUE(pending(reading));
    put(keyboard, "lo\n");
    EXPECT_EQ(finish(reading), "hello\n");
    put(keyboard, "\x04");  // Control-D: no more.
    EXPECT_EQ(read(input), "");
    // What shares the terminal still blocks when it reads: its descriptor was left as it was.
    EXPECT_EQ(::fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK, 0);
  }
  ::close(keyboard);
}

TEST_F(StandardInputTest, IsReadFromAFile) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const std::string text = pattern(100'000);
  ASSERT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
  std::rewind(file);
  become_input(::dup(::fileno(file)));
  std::fclose(file);
  Stream input = standard_input(loop);
  EXPECT_EQ(loop.run(read_until_end(&input)), text);
}

TEST_F(StandardInputTest, AReadThatIsCancelledLosesNothing) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  become_input(pipe[0]);
  Stream input = standard_input(loop);
  auto reading = start(read_text(&input));
  EXPECT_TRUE(pending(reading));
  reading.cancel();
  put(pipe[1], "hello\n");
  turn();
  EXPECT_EQ(read(input), "hello\n");
  ::close(pipe[1]);
}

TEST_F(StandardInputTest, CannotBeWrittenTo) {
  become_input(::open("/dev/null", O_RDONLY));
  Stream input = standard_input(loop);
  EXPECT_THROW(loop.run(write_text(&input, "hello")), IoError);
}

TEST_F(StandardInputTest, AReadOfAFileThatIsCancelledWhenReadingWasJustResumedLosesNothing) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  put(::fileno(file), "hello\n");
  ASSERT_EQ(::lseek(::fileno(file), 0, SEEK_SET), 0);
  become_input(::dup(::fileno(file)));
  std::fclose(file);
  Stream input = standard_input(loop);
  input.pause_reading();
  auto reading = start(read_text(&input));
  input.resume_reading();
  reading.cancel();
  EXPECT_EQ(read(input), "hello\n");
}

}  // namespace
}  // namespace async
