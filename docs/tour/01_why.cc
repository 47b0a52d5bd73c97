// How many instructions could this processor have run while it waited for a disk, or for an answer
// from the network?

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <iostream>
#include <locale>
#include <string>
#include <string_view>
#include <unistd.h>

#include "async/scope.h"
#include "async/stream.h"
#include "async/uv_loop.h"

using async::Endpoint;
using async::Listener;
using async::Stream;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

using Clock = std::chrono::steady_clock;
using Nanoseconds = std::chrono::duration<double, std::nano>;

// Each addition needs the one before: about one instruction a cycle, so the count is modest.
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

// Reads a block that this file system has surely not in memory.
Nanoseconds one_disk_read() {
  std::string name = "/var/tmp/tour-XXXXXX";
  const int file = ::mkstemp(name.data());
  ::unlink(name.c_str());
  std::string block(4096, '.');
  if (::write(file, block.data(), block.size()) < 0 || ::fdatasync(file) != 0) std::exit(1);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  const Clock::time_point begun = Clock::now();
  if (::pread(file, block.data(), block.size(), 0) < 0) std::exit(1);
  const Nanoseconds took = Clock::now() - begun;
  ::close(file);
  return took;
}

Task<> answer_once(Listener listener) {
  Stream stream = co_await listener.accept();
  const std::span<const std::byte> question = co_await stream.read_some();
  co_await stream.write(question);
}

// One question over TCP to this very machine. A real network is a hundred to a thousand times
// further away.
Task<Nanoseconds> one_network_answer(UvLoop* loop) {
  Listener listener = loop->listen(Endpoint::parse("127.0.0.1:0"));
  const Endpoint server = listener.local();
  TaskScope scope(*loop);
  scope.spawn(answer_once(std::move(listener)));
  Stream stream = co_await loop->connect(server);
  const Clock::time_point begun = Clock::now();
  co_await stream.write("?");
  co_await stream.read_some();
  co_return Clock::now() - begun;
}

// What a thread is for: nothing to wait for, much to compute. The loop goes on meanwhile.
Task<std::uint64_t> add_up(UvLoop* loop) {
  auto work = [] {
    std::uint64_t sum = 0;
    for (std::uint64_t i = 1; i <= 10'000'000; ++i) sum += i;
    return sum;
  };
  co_return co_await loop->offload(work);
}

struct Grouped : std::numpunct<char> {
  char do_thousands_sep() const override { return ','; }
  std::string do_grouping() const override { return "\3"; }
};

void print(std::string_view awaited, double instructions) {
  std::cout << awaited << static_cast<std::uint64_t>(instructions) << " instructions\n";
}

}  // namespace

int main() {
  std::cout.imbue(std::locale(std::locale(), new Grouped));
  UvLoop loop;
  const double rate = instructions_per_nanosecond();
  print("one block from the disk:  ", one_disk_read().count() * rate);
  print("one answer over TCP:      ", loop.run(one_network_answer(&loop)).count() * rate);
  std::cout << "on another thread:        1 + 2 + ... + 10,000,000 = " << loop.run(add_up(&loop))
            << '\n';
}
