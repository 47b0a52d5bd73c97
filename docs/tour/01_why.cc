// How many instructions could this processor have run while it waited for a disk, or for an answer from the network?

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

// A chain of additions, each of which needs the one before: about one a cycle, so what it counts is modest.
double instructions_per_nanosecond() {
  constexpr std::uint64_t rounds = 50'000'000;
  volatile std::uint64_t seed = 1;
  std::uint64_t sum = seed;
  const Clock::time_point begun = Clock::now();
  for (std::uint64_t i = 0; i < rounds; ++i) sum += sum ^ i;
  const Nanoseconds took = Clock::now() - begun;
  seed = sum;
  return 3.0 * static_cast<double>(rounds) / took.count();  // The addition, the xor, the count.
}

// One write that is waited for until the disk has it.
Nanoseconds one_disk_write() {
  std::string name = "/var/tmp/tour-XXXXXX";
  const int file = ::mkstemp(name.data());
  ::unlink(name.c_str());
  const Clock::time_point begun = Clock::now();
  if (::write(file, "tour", 4) != 4 || ::fdatasync(file) != 0) std::exit(1);
  const Nanoseconds took = Clock::now() - begun;
  ::close(file);
  return took;
}

async::Task<> echo_once(async::Listener listener) {
  async::Stream stream = co_await listener.accept();
  const std::span<const std::byte> bytes = co_await stream.read_some();
  co_await stream.write(bytes);
}

// One question over TCP to this very machine. A real network is a hundred to a thousand times further away.
async::Task<Nanoseconds> one_round_trip(async::UvLoop* loop) {
  async::Listener listener = loop->listen(async::Endpoint::parse("127.0.0.1:0"));
  const async::Endpoint server = listener.local();
  async::TaskScope scope(*loop);
  scope.spawn(echo_once(std::move(listener)));
  async::Stream stream = co_await loop->connect(server);
  const Clock::time_point begun = Clock::now();
  co_await stream.write(std::string("?"));
  co_await stream.read_some();
  co_return Clock::now() - begun;
}

// The work that a thread is for: nothing to wait for, much to compute. The loop goes on meanwhile.
async::Task<std::uint64_t> add_up(async::UvLoop* loop) {
  auto work = [] {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 1; i <= 10'000'000; ++i) sum += i;
    return sum;
  };
  co_return co_await loop->offload(work);
}

}  // namespace

int main() {
  async::UvLoop loop;
  const double rate = instructions_per_nanosecond();
  const double disk = one_disk_write().count();
  const double network = loop.run(one_round_trip(&loop)).count();
  std::printf("one write to the disk:          time for %.0f instructions\n", disk * rate);
  std::printf("one answer from the next room:  time for %.0f instructions\n", network * rate);
  std::printf("added up on another thread:     %llu\n",
              static_cast<unsigned long long>(loop.run(add_up(&loop))));
}
