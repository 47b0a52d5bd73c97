// Where programs touch the world: small files, secrets, the calendar, and how they end.
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "async/endpoint.h"
#include "ops/calendar.h"
#include "ops/config_file.h"
#include "ops/failure.h"
#include "ops/files.h"
#include "ops/limits.h"
#include "ops/run_main.h"
#include "ops/suggest.h"
#include "ops/time_zone.h"
#include "ops/value.h"
#include "temporary_directory.h"

namespace ops {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class FilesTest : public testing::Test {
 protected:
  const testkit::TemporaryDirectory kept;
  const std::filesystem::path directory = kept.path();
};

TEST_F(FilesTest, AFileIsReplacedWholeAndNothingIsLeftBeside) {
  const auto path = directory / "file";
  write_file_atomically(path, "first");
  write_file_atomically(path, std::string(10'000, 'x'), 0600);
  EXPECT_EQ(read_file(path), std::string(10'000, 'x'));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

unsigned mode_of(const std::filesystem::path& path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777U;
}

TEST_F(FilesTest, AFileIsItsOwnersAloneWhateverTheUmask) {
  for (const mode_t umask_of_others : {0000U, 0777U}) {
    const auto path = directory / std::to_string(umask_of_others);
    const mode_t before = ::umask(umask_of_others);
    write_file_atomically(path, "x");
    ::umask(before);
    EXPECT_EQ(mode_of(path), 0600U);
  }
}

class ReadyFileTest : public FilesTest {
 protected:
  bool write(const std::filesystem::path& path) const { return write_ready_file(path, listening); }

  const std::vector<async::Endpoint> listening = {async::Endpoint::parse("127.0.0.1:7001"),
                                                  async::Endpoint::parse("127.0.0.1:7002")};
  const std::string lines = "127.0.0.1:7001\n127.0.0.1:7002\n";
};

TEST_F(ReadyFileTest, IsReplacedWhole) {
  write_file_atomically(directory / "ready", "old");
  EXPECT_TRUE(write(directory / "ready"));
  EXPECT_EQ(read_file(directory / "ready"), lines);
}

TEST_F(ReadyFileTest, IsWrittenIntoAFifoAsSoonAsSomebodyReadsIt) {
  const auto path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(write(path));
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  EXPECT_TRUE(write(path));
  std::string read(100, '\0');
  const ssize_t count = ::read(reader, read.data(), read.size());
  ::close(reader);
  EXPECT_EQ(read.substr(0, static_cast<std::size_t>(count)), lines);
  EXPECT_TRUE(std::filesystem::is_fifo(path)) << "it was not replaced";
}

TEST_F(ReadyFileTest, IsWrittenWhereALinkLeads) {
  for (const bool is_there : {false, true}) {
    const auto target = directory / "target";
    const auto link = directory / (is_there ? "link" : "dangling link");
    if (is_there) write_file_atomically(target, "old");
    std::filesystem::create_symlink("target", link);
    EXPECT_TRUE(write(link));
    EXPECT_TRUE(std::filesystem::is_symlink(link));
    EXPECT_EQ(read_file(target), lines);
    std::filesystem::remove(target);
  }
}

TEST_F(ReadyFileTest, WithoutItsFolderCannotBeMade) {
  try {
    write(directory / "none" / "ready");
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), ExitCode::cannot_create);
    EXPECT_NE(std::string(failure.what()).find("none/ready"), std::string::npos);
  }
}

TEST_F(FilesTest, AFailedWriteLeavesTheOldContentAndNoDraft) {
  const auto path = directory / "file";
  std::filesystem::create_directory(path);
  EXPECT_THROW(write_file_atomically(path, "new"), std::system_error);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);
  EXPECT_THROW(write_file_atomically(directory / "none" / "file", "new"), std::system_error);
}

TEST_F(FilesTest, ARemovedFileIsGoneAndRemovingItAgainIsNoError) {
  const auto path = directory / "file";
  write_file_atomically(path, "x");
  remove_file_durably(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  remove_file_durably(path);
}

TEST_F(FilesTest, NobodyWaitsForAFifoThatNobodyWritesInto) {
  const auto path = directory / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(read_file(path).error(), "it is a FIFO that nobody writes into");
  EXPECT_EQ(read_regular_file(path).error(), "it is no regular file");
  EXPECT_THROW(read_secret_file(path), Failure);
  EXPECT_THROW(read_config_file(path), Failure);
}

// As `--pin-file <(pass show pin)`.
TEST_F(FilesTest, APipeIsReadToTheEndOfWhatItsWriterWrites) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const std::string path = "/proc/self/fd/" + std::to_string(ends[0]);
  std::thread writer([&] {
    for (const std::string_view part : {"12", "34\n"}) {
      EXPECT_EQ(::write(ends[1], part.data(), part.size()), static_cast<ssize_t>(part.size()));
      std::this_thread::yield();
    }
    ::close(ends[1]);
  });
  EXPECT_EQ(read_secret_file(path), "1234");
  writer.join();
  ::close(ends[0]);
}

TEST_F(FilesTest, WhatIsNoFileOrHasNoEndIsAnErrorAndAnEmptyDeviceIsEmpty) {
  EXPECT_EQ(read_file(directory).error(), "Is a directory");
  EXPECT_EQ(read_file(directory / "none").error(), "No such file or directory");
  EXPECT_EQ(read_file("/dev/zero").error(), "it is larger than 1 MiB");
  EXPECT_EQ(read_file("/dev/null"), "");
}

TEST_F(FilesTest, ASecretLosesOneNewlineOnly) {
  const auto path = directory / "secret";
  write_file_atomically(path, "salt \n\n");
  EXPECT_EQ(read_secret_file(path), "salt \n");
}

TEST_F(FilesTest, TheReadyFileHasALineForEachListener) {
  write_ready_file(directory / "ready", {async::Endpoint::parse("127.0.0.1:7001"),
                                         async::Endpoint::parse("[::1]:7002")});
  EXPECT_EQ(read_file(directory / "ready"), "127.0.0.1:7001\n[::1]:7002\n");
}

TEST_F(FilesTest, StateIsKeptForItsOwnerOnly) {
  ::setenv("XDG_STATE_HOME", (directory / "state").c_str(), 1);
  const auto state = state_directory("teller");
  EXPECT_EQ(state, directory / "state" / "teller");
  struct stat status{};
  ASSERT_EQ(::stat(state.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  ::unsetenv("XDG_STATE_HOME");
  ::setenv("HOME", directory.c_str(), 1);
  EXPECT_EQ(state_directory("teller"), directory / ".local" / "state" / "teller");
}

TEST(Calendar, ADayIsTheLocalOne) {
  const async::WallTime late{hours(24 * 365 * 56) + hours(23) + std::chrono::minutes(30)};
  const Calendar utc = Calendar::of_zone("UTC");
  const DayNumber day = utc.day_of(late);
  EXPECT_EQ(day, 365 * 56);
  EXPECT_EQ(day_text(day), "2025-12-18");
  EXPECT_EQ(utc.local_text(late), "2025-12-18 23:30:00");
  const Calendar vienna = Calendar::of_zone("Europe/Vienna");
  EXPECT_EQ(vienna.day_of(late), day + 1);
  EXPECT_EQ(vienna.local_text(late), "2025-12-19 00:30:00");
  Calendar::of_zone("UTC");
}

TEST(Calendar, AZoneThatNobodyKnowsIsAnErrorAndNotUtc) {
  EXPECT_THROW(Calendar::of_zone("Europe/Atlantis"), Failure);
  EXPECT_THROW(Calendar::of_zone("../../../etc/passwd"), Failure);
  EXPECT_THROW(Calendar::of_zone(""), Failure);
}

TEST(TimeZones, AreFilesOfRulesAndNothingElseInTheirFolder) {
  for (const char* zone : {"UTC", "Europe/Vienna", "Pacific/Apia", "Etc/UTC"}) {
    EXPECT_TRUE(Value<TimeZone>::parse(zone)) << zone;
  }
  for (const char* wrong :
       {"", "Europe", "leapseconds", "leap-seconds.list", "zone.tab", "tzdata.zi",
        "right/Europe/Vienna", "/etc/localtime", "Europe/../Europe/Vienna", "UTC "}) {
    EXPECT_FALSE(Value<TimeZone>::parse(wrong)) << wrong;
  }
}

TEST(Limits, TakeBothEndsAndNothingBeyond) {
  const Limits<async::Duration> limits = between<async::Duration>(seconds(1), hours(168));
  EXPECT_EQ(limits.must, "must be from 1s to 168h");
  EXPECT_TRUE(limits.allow(seconds(1)) && limits.allow(hours(168)));
  EXPECT_FALSE(limits.allow(seconds(0)));
  EXPECT_FALSE(limits.allow(hours(168) + std::chrono::nanoseconds(1)));
  EXPECT_FALSE(a_server().allow(async::Endpoint::parse("127.0.0.1:0")));
  EXPECT_TRUE(a_server().allow(async::Endpoint::parse("unix:/run/bank.sock")));
}

TEST(Calendar, MomentsBeforeTheEpochHaveADayToo) {
  const async::WallTime before{-seconds(1)};
  EXPECT_EQ(Calendar::of_zone("UTC").day_of(before), -1);
  EXPECT_EQ(utc_text(before), "1969-12-31T23:59:59.000000Z");
}

int code_of(const std::exception& error) { return to_int(ending_of(error).code); }

TEST(RunMain, EveryExceptionHasItsCode) {
  EXPECT_EQ(code_of(Failure(ExitCode::declined, "no")), 1);
  EXPECT_EQ(code_of(async::IoError(-EADDRINUSE, "listen")), 69);
  EXPECT_EQ(code_of(async::IoError(-ECONNREFUSED, "connect")), 69);
  EXPECT_EQ(code_of(async::IoError(-EACCES, "listen")), 77);
  EXPECT_EQ(code_of(async::IoError(-ENOENT, "connect")), 69);
  EXPECT_EQ(code_of(async::SocketFileError(-ENOENT, "listen")), 73);
  EXPECT_EQ(code_of(async::IoError(-EIO, "write")), 74);
  EXPECT_EQ(code_of(std::system_error(std::make_error_code(std::errc::no_such_file_or_directory))),
            66);
  EXPECT_EQ(code_of(std::system_error(std::make_error_code(std::errc::permission_denied))), 77);
  EXPECT_EQ(code_of(std::system_error(std::make_error_code(std::errc::is_a_directory))), 73);
  EXPECT_EQ(code_of(std::system_error(std::make_error_code(std::errc::no_space_on_device))), 74);
  EXPECT_EQ(code_of(std::logic_error("never")), 70);
}

TEST(RunMain, SaysOneSentenceAndGivesTheCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main("bankd", [] { return 3; }), 3);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  testing::internal::CaptureStderr();
  const auto fails = []() -> int { throw Failure(ExitCode::config, "It is wrong"); };
  EXPECT_EQ(run_main("bankd", fails), 78);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bankd: It is wrong.\n");
}

TEST(RunMain, PutsTheReasonIntoTheLogThatTheProgramKeeps) {
  std::string lines;
  const Log log = Log::to_string("bankd", LogLevel::error, LogFormat::text, lines);
  const auto fails = []() -> int { throw Failure(ExitCode::io_error, "The disk is gone"); };
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main("bankd", fails, {}, [&log] { return &log; }), 74);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bankd: The disk is gone.\n");
  EXPECT_NE(
      lines.find("error bankd  ended by an error  reason=\"The disk is gone.\"  exit_code=74\n"),
      std::string::npos)
      << lines;
  testing::internal::CaptureStderr();
  EXPECT_EQ(run_main("bankd", fails, {}, [] { return nullptr; }), 74) << "it failed before that";
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bankd: The disk is gone.\n");
}

// As some service managers set it. The signal would end the program without a word.
TEST(RunMain, AFileThatMayGrowNoLongerIsAFailedWrite) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit limit{.rlim_cur = 0, .rlim_max = 0};
    const auto fails = [&limit]() -> int {
      const int descriptor = ::memfd_create("long", 0);
      ::setrlimit(RLIMIT_FSIZE, &limit);
      if (::write(descriptor, "x", 1) == 1) return 0;
      throw std::system_error(errno, std::generic_category(), "cannot write");
    };
    ::_exit(run_main("bankd", fails));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 74);
}

TEST(RunMain, DoesNotSayItsNameTwice) {
  testing::internal::CaptureStderr();
  const auto fails = []() -> int { throw Failure(ExitCode::usage, "bankd serve needs --data"); };
  EXPECT_EQ(run_main("bankd", fails), 64);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "bankd serve needs --data.\n");
}

TEST(RunMain, AProgramKnowsItsOwnExceptions) {
  const Endings endings = [](const std::exception& error) -> std::optional<Ending> {
    if (dynamic_cast<const std::domain_error*>(&error) == nullptr) return std::nullopt;
    return Ending{ExitCode::io_error, "The disk is full."};
  };
  EXPECT_EQ(to_int(ending_of(std::domain_error("x"), endings).code), 74);
  EXPECT_EQ(to_int(ending_of(std::range_error("x"), endings).code), 70);
}

TEST(Suggest, CountsWhatFingersDo) {
  EXPECT_EQ(typing_distance("listen", "listen"), 0U);
  EXPECT_EQ(typing_distance("lisetn", "listen"), 1U);
  EXPECT_EQ(typing_distance("lsten", "listen"), 1U);
  EXPECT_EQ(typing_distance("", "abc"), 3U);
  EXPECT_EQ(typing_distance("balance", "blance"), 1U);
}

TEST(Suggest, FindsWhatWasMeantAndNothingFarAway) {
  const std::vector<std::string> commands = {"balance", "withdraw", "pin"};
  EXPECT_EQ(nearest("blance", commands), "balance");
  EXPECT_EQ(nearest("withdrwa", commands), "withdraw");
  EXPECT_EQ(nearest("pni", commands), "pin");
  EXPECT_EQ(nearest("xyz", commands), "");
}

TEST(Values, TimesHaveAUnit) {
  using Time = Value<async::Duration>;
  EXPECT_EQ(Time::parse("250ms"), std::chrono::milliseconds(250));
  EXPECT_EQ(Time::parse("2h"), hours(2));
  EXPECT_EQ(Time::parse("0s"), seconds(0));
  for (const char* wrong : {"", "4", "s", "-4s", "4 s", "4.5s", "4x", "9999999999999h"}) {
    EXPECT_FALSE(Time::parse(wrong)) << wrong;
  }
  EXPECT_EQ(Time::text(seconds(90)), "90s");
  EXPECT_EQ(Time::text(seconds(120)), "2m");
  EXPECT_EQ(Time::text(seconds(0)), "0s");
}

TEST(Values, NumbersAreWholeAndInRange) {
  EXPECT_EQ(Value<std::uint16_t>::parse("65535"), 65535);
  for (const char* wrong : {"", "65536", "-1", "1.5", "0x10", " 1", "1 ", "+1", "1e3"}) {
    EXPECT_FALSE(Value<std::uint16_t>::parse(wrong)) << wrong;
  }
  EXPECT_EQ(Value<std::int64_t>::parse("-9223372036854775808"), INT64_MIN);
  EXPECT_FALSE(Value<std::int64_t>::parse("9223372036854775808"));
}

}  // namespace
}  // namespace ops
