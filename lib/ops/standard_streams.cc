#include "ops/standard_streams.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <poll.h>
#include <unistd.h>
#include <utility>

#include <climits>

#include "ops/failure.h"

namespace ops {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t waiting_max = 64 * 1024;
constexpr milliseconds errors_patience{2000};

// Whether it can be written to within this time; for ever without one. An error counts: the write
// tells which.
bool wait_for_room(int descriptor, std::optional<steady_clock::time_point> until) {
  while (true) {
    milliseconds left{-1};
    if (until)
      left =
          std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*until - steady_clock::now()));
    pollfd room{.fd = descriptor, .events = POLLOUT, .revents = 0};
    const int found = ::poll(&room, 1, static_cast<int>(left.count()));
    if (found >= 0 || errno != EINTR) return found != 0;
  }
}

}  // namespace

void open_standard_descriptors() {
  // The wrong way round, so that using them fails as it does where they are closed.
  const int wrong_way[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; ++wanted) {
    if (::fcntl(wanted, F_GETFD) >= 0) continue;
    ::open("/dev/null", wrong_way[wanted]);  // The lowest that is free: this one.
  }
}

int write_all(int descriptor, std::string_view text, std::optional<milliseconds> patience) {
  std::optional<steady_clock::time_point> until;
  if (patience) until = steady_clock::now() + *patience;
  while (!text.empty()) {
    // So much fits where there is room at all: such a write does not block.
    const std::string_view piece = patience ? text.substr(0, PIPE_BUF) : text;
    if (patience && !wait_for_room(descriptor, until)) return EAGAIN;
    const ssize_t count = ::write(descriptor, piece.data(), piece.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!wait_for_room(descriptor, until)) return EAGAIN;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

StandardStream::StandardStream(Output)
    : stream_(std::cout),
      descriptor_(STDOUT_FILENO),
      by_line_(::isatty(STDOUT_FILENO) == 1),
      before_(std::cout.rdbuf(this)) {}

StandardStream::StandardStream(Errors)
    : stream_(std::cerr),
      descriptor_(STDERR_FILENO),
      patience_(errors_patience),
      by_line_(true),
      before_(std::cerr.rdbuf(this)) {}

StandardStream::~StandardStream() {
  stream_.rdbuf(before_);  // Clears what happened, too.
}

std::string StandardStream::finish() {
  if (write_out()) return "";
  return std::string("Standard output cannot be written: ") + std::strerror(failure_);
}

StandardStream::int_type StandardStream::overflow(int_type letter) {
  const char one = traits_type::to_char_type(letter);
  if (traits_type::eq_int_type(letter, traits_type::eof())) return traits_type::not_eof(letter);
  return xsputn(&one, 1) == 1 ? letter : traits_type::eof();
}

std::streamsize StandardStream::xsputn(const char* text, std::streamsize size) {
  const std::string_view added(text, static_cast<std::size_t>(size));
  waiting_ += added;
  has_text_ = true;
  const bool is_due = waiting_.size() >= waiting_max || (by_line_ && added.contains('\n'));
  return is_due && !write_out() ? 0 : size;
}

int StandardStream::sync() { return write_out() ? 0 : -1; }

bool StandardStream::write_out() {
  const std::string text = std::exchange(waiting_, {});
  if (failure_ == 0) failure_ = write_all(descriptor_, text, patience_);
  return failure_ == 0;
}

std::string why_unwritten(std::ostream& out) {
  if (out.flush()) return "";
  auto* const stream = dynamic_cast<StandardStream*>(out.rdbuf());
  return stream == nullptr ? "The output cannot be written" : stream->finish();
}

bool has_text(const std::ostream& out) {
  const auto* const stream = dynamic_cast<const StandardStream*>(out.rdbuf());
  return stream != nullptr && stream->has_text();
}

void require_written(std::ostream& out, ExitCode code, const std::string& consequence) {
  const std::string why = why_unwritten(out);
  if (why.empty()) return;
  throw Failure(code, consequence.empty() ? why : why + ". " + consequence);
}

}  // namespace ops
