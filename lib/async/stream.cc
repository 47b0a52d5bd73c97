#include "async/stream.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace async {

Task<std::size_t> Stream::read(std::span<std::byte> buffer) {
  if (leftover_.empty()) {
    const std::span<const std::byte> arrived = co_await read_some();
    const std::size_t size = std::min(arrived.size(), buffer.size());
    if (size > 0) std::memcpy(buffer.data(), arrived.data(), size);
    leftover_.assign(text_of(arrived.subspan(size)));
    co_return size;
  }
  const std::size_t size = std::min(leftover_.size(), buffer.size());
  std::memcpy(buffer.data(), leftover_.data(), size);
  leftover_.erase(0, size);
  co_return size;
}

Task<std::string> Stream::read_all(std::size_t size_max) {
  std::string all = std::exchange(leftover_, {});
  while (true) {
    const std::span<const std::byte> arrived = co_await read_some();
    if (arrived.empty()) co_return all;
    if (all.size() + arrived.size() > size_max) throw IoError(-EMSGSIZE, "read until the end");
    all.append(text_of(arrived));
  }
}

Task<> Stream::write(std::string bytes) { return transport_->write(std::move(bytes)); }

Task<> Stream::write(std::span<const std::byte> bytes) {
  const std::size_t written = transport_->try_write(bytes);
  if (written == bytes.size()) co_return;
  std::string rest(text_of(bytes.subspan(written)));
  co_await transport_->write(std::move(rest));
}

}  // namespace async
