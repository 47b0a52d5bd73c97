#include "async/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace async {

StreamTransport::~StreamTransport() {
  if (waiting_ == nullptr) return;
  waiting_->transport = nullptr;
  waiting_->bytes = {};
  waiting_->error = std::make_exception_ptr(IoError(-ECANCELED, "read from the connection"));
  loop_.make_ready(waiting_->ready);
}

void StreamTransport::pause() {
  paused_ = true;
  // One that was filled already goes on with what it got.
  if (waiting_ == nullptr || parked_ || waiting_->ready.linked()) return;
  stop_reading();
  parked_ = true;
}

void StreamTransport::resume() {
  paused_ = false;
  if (!std::exchange(parked_, false)) return;
  if (read(*waiting_)) loop_.make_ready(waiting_->ready);
}

// What was taken stays where it is until more is asked for.
std::span<const std::byte> Stream::take_leftover(std::size_t size_max) noexcept {
  if (leftover_taken_ == leftover_.size()) {
    if (leftover_taken_ > 0) leftover_ = std::string();
    leftover_taken_ = 0;
    return {};
  }
  const std::span<const std::byte> left = bytes_of(leftover_).subspan(leftover_taken_);
  const std::span<const std::byte> taken = left.first(std::min(size_max, left.size()));
  leftover_taken_ += taken.size();
  return taken;
}

// The end of what was lent last: by the transport, or of what was left over before.
void Stream::put_back(std::span<const std::byte> rest) {
  if (leftover_taken_ > 0) {
    leftover_taken_ -= rest.size();
  } else {
    leftover_.assign(text_of(rest));
  }
}

std::string Stream::take_text(std::size_t size) {
  std::string text(leftover().substr(0, size));
  leftover_taken_ += size;
  return text;
}

// What a reader was given that goes before its task went on is kept for the next.
void Stream::stop_waiting(StreamReader& reader) noexcept {
  StreamTransport& transport = *reader.transport;
  transport.waiting_ = nullptr;
  if (std::exchange(transport.parked_, false)) return;
  if (reader.ready.linked()) {
    leftover_.append(text_of(reader.bytes));
  } else {
    transport.stop_reading();
  }
}

Task<std::size_t> Stream::read(std::span<std::byte> buffer) {
  check(!buffer.empty(), "a read has room for what arrives");
  std::span<const std::byte> taken = take_leftover(buffer.size());
  if (taken.empty()) {
    const std::span<const std::byte> arrived = co_await read_some();
    taken = arrived.first(std::min(arrived.size(), buffer.size()));
    put_back(arrived.subspan(taken.size()));
  }
  if (!taken.empty()) std::memcpy(buffer.data(), taken.data(), taken.size());
  co_return taken.size();
}

Task<std::string> Stream::read_line(std::size_t size_max) {
  std::size_t searched = 0;
  while (true) {
    const std::size_t end = leftover().find('\n', searched);
    searched = leftover().size();
    const bool is_whole = end != std::string_view::npos;
    const std::size_t size = is_whole ? end + 1 : searched;
    if (size > size_max) throw IoError(-EMSGSIZE, "read a line");
    if (is_whole) co_return take_text(size);
    MoreAwaiter more(*this);
    const std::span<const std::byte> arrived = co_await more;
    if (arrived.empty()) co_return take_text(searched);
    leftover_.append(text_of(arrived));
  }
}

Task<std::string> Stream::read_all(std::size_t size_max) {
  while (true) {
    if (leftover().size() > size_max) throw IoError(-EMSGSIZE, "read until the end");
    MoreAwaiter more(*this);
    const std::span<const std::byte> arrived = co_await more;
    if (arrived.empty()) co_return take_text(leftover().size());
    leftover_.append(text_of(arrived));
  }
}

Task<> Stream::write(std::span<const std::byte> bytes) {
  const std::size_t written = try_write(bytes);
  if (written == bytes.size()) co_return;
  std::string rest(text_of(bytes.subspan(written)));
  co_await transport().write(std::move(rest));
}

}  // namespace async
