#include "async/random.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/random.h>

#include "async/check.h"

namespace async {

std::uint64_t Random::next() {
  std::uint64_t number = 0;
  fill(std::as_writable_bytes(std::span(&number, 1)));
  return number;
}

std::uint64_t Random::below(std::uint64_t bound) {
  check(bound > 0, "a random number below nothing");
  return next() % bound;  // The bias is bound / 2^64.
}

namespace {

void fill_from_system(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t taken = getrandom(bytes.data(), bytes.size(), 0);
    if (taken < 0 && errno == EINTR) continue;
    check(taken > 0, "the system gives no random numbers");
    bytes = bytes.subspan(static_cast<std::size_t>(taken));
  }
}

}  // namespace

void SystemRandom::fill(std::span<std::byte> bytes) {
  if (bytes.size() > in_hand_.size()) return fill_from_system(bytes);
  if (bytes.size() > left_) {
    fill_from_system(in_hand_);
    left_ = in_hand_.size();
  }
  const std::span<std::byte> given = std::span(in_hand_).last(left_).first(bytes.size());
  std::ranges::copy(given, bytes.begin());
  explicit_bzero(given.data(), given.size());
  left_ -= given.size();
}

void SeededRandom::fill(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    mixed ^= mixed >> 31;
    const std::size_t size = std::min(bytes.size(), sizeof mixed);
    std::memcpy(bytes.data(), &mixed, size);
    bytes = bytes.subspan(size);
  }
}

}  // namespace async
