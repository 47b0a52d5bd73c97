// Two ends of a connection of any kind, and what tests do with them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "async/stream.h"
#include "loop_fixture.h"
#include "temporary_directory.h"

namespace async {

struct Ends {
  Stream near;
  Stream far;
};

inline Task<Ends> connected(Loop* loop, Listener* listener) {
  const Endpoint local = listener->local();
  Task<Stream> connect = loop->connect(local);
  Task<Stream> accept = listener->accept();
  auto both = co_await gather(std::move(connect), std::move(accept));
  Ends ends{.near = std::move(std::get<0>(both)), .far = std::move(std::get<1>(both))};
  co_return ends;
}

// A path that no other test of this process or another uses.
inline std::string socket_path() {
  static const testkit::TemporaryDirectory directory;
  static int count = 0;
  return directory.file(std::to_string(++count));
}

inline Endpoint unix_endpoint() { return Endpoint::parse("unix:" + socket_path()); }

inline Task<std::string> read_text(Stream* stream) {
  const std::span<const std::byte> bytes = co_await stream->read_some();
  co_return std::string(text_of(bytes));
}

inline Task<std::string> read_until_end(Stream* stream) {
  co_return co_await stream->read_all(256 * 1024 * 1024);
}

inline Task<> write_text(Stream* stream, std::string text) {
  co_await stream->write(std::move(text));
}

// Bytes whose order shows.
inline std::string pattern(std::size_t size) {
  constexpr std::size_t period = 65'521;  // A prime: no buffer's size divides it.
  std::string text;
  text.reserve(size);
  for (std::size_t i = 0; i < std::min(size, period); ++i) {
    text += static_cast<char>('a' + (i + i / 251) % 26);
  }
  while (text.size() < size) text.append(text, 0, std::min(period, size - text.size()));
  return text;
}

// More than any socket's buffers take while nobody reads.
constexpr std::size_t more_than_fits = 24 * 1024 * 1024;

// What carries a stream.
enum class Carrier : std::uint8_t { memory, tcp, unix_socket };

inline std::string name_of(const testing::TestParamInfo<Carrier>& carrier) {
  if (carrier.param == Carrier::memory) return "Memory";
  return carrier.param == Carrier::tcp ? "Tcp" : "UnixSocket";
}
inline void PrintTo(Carrier carrier, std::ostream* out) {
  *out << name_of(testing::TestParamInfo<Carrier>(carrier, 0));
}

// `near` and `far` are the two ends of one connection.
class StreamFixture : public LoopFixture<UvLoop>, public testing::WithParamInterface<Carrier> {
 protected:
  StreamFixture() : ends(open()) {}

  void TearDown() override {
    near.close();
    far.close();
    LoopFixture::TearDown();
  }

  Ends open() {
    if (GetParam() == Carrier::memory) {
      auto [first, second] = memory_stream_pair(loop);
      return Ends{.near = std::move(first), .far = std::move(second)};
    }
    const bool is_tcp = GetParam() == Carrier::tcp;
    Listener listener = loop.listen(is_tcp ? Endpoint::parse("127.0.0.1:0") : unix_endpoint());
    return loop.run(connected(&loop, &listener));
  }

  void write(Stream& stream, std::string text) { loop.run(write_text(&stream, std::move(text))); }
  std::string read(Stream& stream) { return loop.run(read_text(&stream)); }
  std::string rest(Stream& stream) { return loop.run(read_until_end(&stream)); }
  // Exactly so many bytes, however they arrive.
  std::string read_exactly(Stream& stream, std::size_t size) {
    std::string all;
    while (all.size() < size) {
      const std::string more = read(stream);
      if (more.empty()) break;
      all += more;
    }
    return all;
  }

  Ends ends;
  Stream& near = ends.near;
  Stream& far = ends.far;
};

}  // namespace async
