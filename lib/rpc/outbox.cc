#include "rpc/outbox.h"

#include <coroutine>
#include <utility>

#include "async/endpoint.h"

namespace rpc::detail {

namespace {

constexpr std::size_t spare_buffers_max = 64;
constexpr std::size_t spare_buffer_size_max = 64 * 1024;
constexpr std::size_t spare_buffer_size_min = 512;

// The system is given this much at a time when it could not take everything at once: small enough
// to see that a slow reader does read, large enough to be worth a call.
constexpr std::size_t write_chunk_size = 64 * 1024;

}  // namespace

std::string BufferPool::take() {
  if (spare_.empty()) {
    std::string buffer;
    buffer.reserve(spare_buffer_size_min);
    return buffer;
  }
  std::string buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void BufferPool::give_back(std::string buffer) {
  if (spare_.size() >= spare_buffers_max || buffer.capacity() > spare_buffer_size_max) return;
  buffer.clear();
  spare_.push_back(std::move(buffer));
}

std::string& Outbox::buffer() {
  if (buffer_.capacity() < spare_buffer_size_min) buffer_ = buffers_.take();
  if (!writing_ && !stopped_ && !linked()) loop_.at_turn_end(*this);
  return buffer_;
}

void Outbox::flush() {
  unlink();
  if (writing_ || stopped_ || pending() == 0) return;
  try {
    const std::size_t size = stream_.try_write(async::bytes_of(buffer_).subspan(written_));
    written_ += size;
    if (pending() == 0) wrote_all();
    if (size > 0) progressed();
  } catch (const async::IoError& error) {
    fail(error.what());
    return;
  }
  if (pending() == 0 || writing_) return;
  writing_ = true;
  must_wait();
  writer_.emplace(write_rest());
  writer_->await_suspend(std::noop_coroutine());
}

async::Task<> Outbox::write_rest() {
  try {
    while (pending() > 0) {
      std::string chunk = buffer_.substr(written_, write_chunk_size);
      const std::size_t size = chunk.size();
      async::Task<> write = stream_.write(std::move(chunk));
      co_await write;
      written_ += size;
      if (written_ >= buffer_.size() / 2) {
        buffer_.erase(0, written_);
        written_ = 0;
      }
      progressed();
    }
    writing_ = false;
    wrote_all();
  } catch (const async::IoError& error) {
    fail(error.what());
  }
}

void Outbox::wrote_all() {
  written_ = 0;
  buffers_.give_back(std::move(buffer_));
  buffer_ = {};
}

void Outbox::stop() noexcept {
  stopped_ = true;
  unlink();
  writer_.reset();
  buffer_ = {};
  written_ = 0;
}

void Outbox::fail(std::string_view why) {
  if (stopped_) return;
  stopped_ = true;
  buffer_.clear();
  written_ = 0;
  broke(why);
}

}  // namespace rpc::detail
