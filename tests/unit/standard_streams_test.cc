// Standard input, output and errors that are closed, full, do not block, or that nobody reads.
#include "ops/standard_streams.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <iostream>
#include <string>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include <gtest/gtest.h>

#include "ops/failure.h"
#include "ops/log.h"
#include "ops/run_main.h"

namespace ops {
namespace {

// A standard descriptor is another one for as long as this lives.
class Replaced {
 public:
  Replaced(int standard, int by)
      : standard_(standard), before_(::fcntl(standard, F_DUPFD_CLOEXEC, 10)) {
    ::dup2(by, standard);
  }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;
  ~Replaced() {
    ::dup2(before_, standard_);
    ::close(before_);
  }

 private:
  int standard_;
  int before_;
};

class Pipe {
 public:
  explicit Pipe(int flags = 0) { EXPECT_EQ(::pipe2(ends_.data(), flags | O_CLOEXEC), 0); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_reader();
    close_writer();
  }

  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_reader() { ::close(std::exchange(ends_[0], -1)); }
  void close_writer() { ::close(std::exchange(ends_[1], -1)); }
  // Everything until the end.
  std::string read_all() const {
    std::string all;
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t count = ::read(ends_[0], buffer.data(), buffer.size());
      if (count <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  int unread() const {
    int bytes = 0;
    EXPECT_EQ(::ioctl(reader(), FIONREAD, &bytes), 0);
    return bytes;
  }
  void fill() const {
    const int flags = ::fcntl(writer(), F_GETFL);
    ::fcntl(writer(), F_SETFL, flags | O_NONBLOCK);
    const std::string page(4096, 'x');
    while (::write(writer(), page.data(), page.size()) > 0) {
    }
    ::fcntl(writer(), F_SETFL, flags);
  }

 private:
  std::array<int, 2> ends_{};
};

class File {
 public:
  File(const char* path, int flags) : descriptor(::open(path, flags | O_CLOEXEC)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor); }

  const int descriptor;
};

int print(const std::string& text) {
  return run_main("bankctl", [&text] {
    std::cout << text;
    return 0;
  });
}

TEST(StandardOutput, ThatIsFullIsAnError) {
  const File full("/dev/full", O_WRONLY);
  testing::internal::CaptureStderr();
  {
    const Replaced output(STDOUT_FILENO, full.descriptor);
    EXPECT_EQ(print("a line\n"), 74);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bankctl: Standard output cannot be written: No space left on device.\n");
}

TEST(StandardOutput, ThatNobodyReadsIsSeenByWhoeverPrintsForEver) {
  Pipe pipe;
  pipe.close_reader();
  testing::internal::CaptureStderr();
  {
    const Replaced output(STDOUT_FILENO, pipe.writer());
    const auto print_for_ever = []() -> int {
      while (std::cout << "a line" << std::endl) {
      }
      return 0;
    };
    EXPECT_EQ(run_main("bankctl", print_for_ever), 74);
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bankctl: Standard output cannot be written: Broken pipe.\n");
}

TEST(StandardOutput, ThatFailsDoesNotHideAnothersCode) {
  const File full("/dev/full", O_WRONLY);
  const Replaced output(STDOUT_FILENO, full.descriptor);
  const auto declined = [] {
    std::cout << "a line\n";
    return 1;
  };
  EXPECT_EQ(run_main("bankctl", declined), 1);
}

TEST(StandardOutput, ThatFailsDoesNotHideWhatIsSaidAfterIt) {
  const File full("/dev/full", O_WRONLY);
  for (const bool is_flushed : {false, true}) {
    const auto is_unknown = [is_flushed]() -> int {
      std::cout << "a line\n";
      if (is_flushed) std::cout << std::flush;
      throw Failure(ExitCode::unknown_outcome, "Ask what became of it");
    };
    testing::internal::CaptureStderr();
    {
      const Replaced output(STDOUT_FILENO, full.descriptor);
      EXPECT_EQ(run_main("bankctl", is_unknown), 75);
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "bankctl: Ask what became of it.\n");
  }
}

TEST(StandardOutput, ThatFailsIsToldWithWhatItMeans) {
  const File full("/dev/full", O_WRONLY);
  const Replaced output(STDOUT_FILENO, full.descriptor);
  testing::internal::CaptureStderr();
  const auto announces = [] {
    std::cout << "a line\n";
    require_written(std::cout, ExitCode::cannot_create, "Nothing was changed");
    return 0;
  };
  EXPECT_EQ(run_main("bankctl", announces), 73);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "bankctl: Standard output cannot be written: No space left on device. Nothing was "
            "changed.\n");
}

TEST(StandardOutput, ThatDoesNotBlockGetsEverything) {
  Pipe pipe(O_NONBLOCK);
  ::fcntl(pipe.reader(), F_SETFL, 0);
  const std::string text(1'000'000, 'x');
  std::string arrived;
  std::thread reading([&] { arrived = pipe.read_all(); });
  {
    const Replaced output(STDOUT_FILENO, pipe.writer());
    EXPECT_EQ(print(text), 0);
  }
  pipe.close_writer();
  reading.join();
  EXPECT_EQ(arrived, text);
}

TEST(StandardOutput, CanBeUsedAgainAfterItFailed) {
  {
    const File full("/dev/full", O_WRONLY);
    const Replaced output(STDOUT_FILENO, full.descriptor);
    EXPECT_EQ(print("a line\n"), 74);
  }
  testing::internal::CaptureStdout();
  EXPECT_EQ(print("a line\n"), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "a line\n");
}

TEST(StandardErrors, ThatNobodyReadsDoNotKeepAProgramFromEnding) {
  const Pipe pipe;
  pipe.fill();
  const Replaced errors(STDERR_FILENO, pipe.writer());
  const auto fails = []() -> int { throw Failure(ExitCode::config, "It is wrong"); };
  EXPECT_EQ(run_main("bankd", fails), 78);
}

TEST(LogToOutput, EndsAlsoWhenNobodyReadsIt) {
  const Pipe pipe;
  pipe.fill();
  const int before = pipe.unread();
  {
    const Replaced output(STDOUT_FILENO, pipe.writer());
    const Log log = Log::to_stdout("bankd", LogLevel::info, LogFormat::json);
    for (int i = 0; i < 5000; ++i) log.info("event", {{"number", i}});
  }
  EXPECT_EQ(pipe.unread(), before);
}

TEST(LogToOutput, IsCompleteWhereItsPipeDoesNotBlock) {
  Pipe pipe(O_NONBLOCK);
  ::fcntl(pipe.reader(), F_SETFL, 0);
  std::string arrived;
  std::thread reading([&] { arrived = pipe.read_all(); });
  {
    const Replaced output(STDOUT_FILENO, pipe.writer());
    const Log log = Log::to_stdout("bankd", LogLevel::info, LogFormat::json);
    const std::string text(1000, 'x');
    for (int i = 0; i < 500; ++i) log.info("event", {{"text", text}});
  }
  pipe.close_writer();
  reading.join();
  EXPECT_EQ(std::ranges::count(arrived, '\n'), 500);
  EXPECT_TRUE(arrived.ends_with("}\n"));
}

// In a process of its own, as it closes what the tests need.
TEST(StandardDescriptorsDeathTest, ThatAreClosedAreNobodyElses) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto open_one = [] {
    for (const int standard : {0, 1, 2}) ::close(standard);
    open_standard_descriptors();
    const File file("/dev/zero", O_RDONLY);
    char letter = 0;
    const bool input_fails = ::read(STDIN_FILENO, &letter, 1) < 0 && errno == EBADF;
    const bool output_fails = ::write(STDOUT_FILENO, &letter, 1) < 0 && errno == EBADF;
    std::_Exit(file.descriptor > STDERR_FILENO && input_fails && output_fails ? 7 : 8);
  };
  EXPECT_EXIT(open_one(), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace ops
