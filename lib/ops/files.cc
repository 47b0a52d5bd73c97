#include "ops/files.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <span>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "ops/failure.h"

namespace ops {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& path) {
  throw std::system_error(errno, std::generic_category(), what + " " + path.string());
}

// An open file, closed at the end of its scope.
class File {
 public:
  File(const std::filesystem::path& path, int flags, unsigned mode = 0)
      : path_(path), descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {
    if (descriptor_ < 0) fail("cannot open", path);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { ::close(descriptor_); }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(descriptor_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot write", path_);
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  void set_mode(unsigned mode) const {
    if (::fchmod(descriptor_, mode) != 0) fail("cannot set the mode of", path_);
  }
  void sync() const {
    if (::fsync(descriptor_) != 0) fail("cannot sync", path_);
  }

 private:
  const std::filesystem::path& path_;
  int descriptor_;
};

// How long whoever has a FIFO open for writing may keep silent.
constexpr std::chrono::milliseconds pipe_silence_max{60'000};

// Waits until there is something to read, or the end of it.
bool is_readable_in_time(int descriptor) {
  pollfd input{.fd = descriptor, .events = POLLIN, .revents = 0};
  while (true) {
    const int ready = ::poll(&input, 1, static_cast<int>(pipe_silence_max.count()));
    if (ready >= 0 || errno != EINTR) return ready > 0;
  }
}

// Reads what is open without ever waiting in open() or read().
std::expected<std::string, std::string> read_all(int descriptor, bool regular_only) {
  struct stat found{};
  if (::fstat(descriptor, &found) != 0) return std::unexpected(std::strerror(errno));
  if (S_ISDIR(found.st_mode)) return std::unexpected(std::strerror(EISDIR));
  if (regular_only && !S_ISREG(found.st_mode)) return std::unexpected("it is no regular file");
  std::string content;
  std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t count = ::read(descriptor, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      if (is_readable_in_time(descriptor)) continue;
      return std::unexpected("nothing came from it for a minute");
    }
    if (count < 0) return std::unexpected(std::strerror(errno));
    if (count == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > file_bytes_max) return std::unexpected("it is larger than 1 MiB");
  }
  if (content.empty() && S_ISFIFO(found.st_mode)) {
    return std::unexpected("it is a FIFO that nobody writes into");
  }
  return content;
}

std::expected<std::string, std::string> read_opened(const std::filesystem::path& path,
                                                    bool regular_only) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (descriptor < 0) return std::unexpected(std::strerror(errno));
  std::expected<std::string, std::string> content = read_all(descriptor, regular_only);
  ::close(descriptor);
  return content;
}

void sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path directory = path.has_parent_path() ? path.parent_path() : ".";
  const File opened(directory, O_RDONLY | O_DIRECTORY);
  opened.sync();
}

// Where a link leads, also if there is nothing yet.
std::filesystem::path target_of(std::filesystem::path path) {
  constexpr int links_max = 40;  // As the system.
  for (int links = 0; links < links_max && std::filesystem::is_symlink(path); ++links) {
    path = path.parent_path() / std::filesystem::read_symlink(path);
  }
  return path;
}

}  // namespace

std::expected<std::string, std::string> read_file(const std::filesystem::path& path) {
  return read_opened(path, false);
}

std::expected<std::string, std::string> read_regular_file(const std::filesystem::path& path) {
  return read_opened(path, true);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view content,
                           unsigned mode) {
  std::filesystem::path draft = path;
  draft += "." + std::to_string(::getpid()) + ".new";
  try {
    const File file(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode);
    file.set_mode(mode);
    file.write(content);
    file.sync();
    if (::rename(draft.c_str(), path.c_str()) != 0) fail("cannot replace", path);
  } catch (...) {
    ::unlink(draft.c_str());
    throw;
  }
  sync_directory_of(path);
}

void remove_file_durably(const std::filesystem::path& path) {
  if (::unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail("cannot remove", path);
  }
  sync_directory_of(path);
}

std::string read_secret_file(const std::filesystem::path& path, std::string_view what) {
  std::expected<std::string, std::string> secret = read_file(path);
  if (!secret) {
    throw Failure(ExitCode::no_input, "The " + std::string(what) + " " + path.string() +
                                          " cannot be read: " + secret.error() + ".");
  }
  if (secret->ends_with('\n')) secret->pop_back();
  return *secret;
}

bool write_ready_file(const std::optional<std::filesystem::path>& path,
                      const std::vector<async::Endpoint>& listening) {
  if (!path) return true;
  std::string lines;
  for (const async::Endpoint& endpoint : listening) lines += endpoint.text() + "\n";
  try {
    const std::filesystem::file_status found = std::filesystem::status(*path);
    if (!std::filesystem::exists(found) || std::filesystem::is_regular_file(found)) {
      const bool is_link = std::filesystem::is_symlink(*path);
      write_file_atomically(is_link ? target_of(*path) : *path, lines);
      return true;
    }
    const File opened(*path, O_WRONLY | O_NONBLOCK);
    opened.write(lines);
    return true;
  } catch (const std::system_error& error) {
    if (error.code().value() == ENXIO) return false;
    throw Failure(ExitCode::cannot_create, "The ready file " + path->string() +
                                               " cannot be written: " + error.code().message());
  }
}

std::filesystem::path state_directory(std::string_view program) {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  std::filesystem::path directory;
  if (state != nullptr && state[0] == '/') {
    directory = state;
  } else if (home != nullptr && home[0] == '/') {
    directory = std::filesystem::path(home) / ".local" / "state";
  } else {
    throw Failure(ExitCode::cannot_create,
                  "There is no place to remember changes of money: set HOME or XDG_STATE_HOME.");
  }
  directory /= program;
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) {
    throw Failure(ExitCode::cannot_create,
                  "The directory " + directory.string() + " cannot be made: " + error.message() +
                      ". Set XDG_STATE_HOME to a place that you can write to.");
  }
  if (made) std::filesystem::permissions(directory, std::filesystem::perms::owner_all);
  return directory;
}

}  // namespace ops
