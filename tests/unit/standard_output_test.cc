#include "async/standard_output.h"

#include <array>
#include <cstdio>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "loop_fixture.h"

namespace async {
namespace {

// A descriptor is standard output for as long as a test runs.
class StandardOutputTest : public LoopFixture<UvLoop> {
 protected:
  StandardOutputTest() : before_(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10)) {}
  ~StandardOutputTest() override {
    std::fflush(stdout);
    ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }

  static void become_output(int descriptor) {
    std::fflush(stdout);
    ASSERT_GE(::dup2(descriptor, STDOUT_FILENO), 0);
    ::close(descriptor);
  }

 private:
  int before_;
};

TEST_F(StandardOutputTest, IsAbandonedWhenItsReaderGoes) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  become_output(pipe[1]);
  auto waiting = start(output_abandoned(loop));
  EXPECT_TRUE(pending(waiting));
  constexpr std::string_view text = "a line\n";
  EXPECT_EQ(::write(STDOUT_FILENO, text.data(), text.size()), std::ssize(text));
  EXPECT_TRUE(pending(waiting));
  ::close(pipe[0]);
  finish(waiting);
}

TEST_F(StandardOutputTest, StillBlocksForWhoeverSharesIt) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  become_output(pipe[1]);
  auto waiting = start(output_abandoned(loop));
  EXPECT_TRUE(pending(waiting));
  EXPECT_EQ(::fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
  waiting.cancel();
  ::close(pipe[0]);
}

TEST_F(StandardOutputTest, ThatIsAFileIsNeverAbandoned) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  become_output(::dup(::fileno(file)));
  std::fclose(file);
  auto waiting = start(output_abandoned(loop));
  EXPECT_TRUE(pending(waiting));
}

}  // namespace
}  // namespace async
