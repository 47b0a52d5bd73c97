// A name server that does not answer, and a program that ends meanwhile.

#include <atomic>
#include <cstddef>
#include <dlfcn.h>
#include <exception>
#include <latch>
#include <netdb.h>
#include <string_view>

#include <gtest/gtest.h>

#include "async/scope.h"
#include "async/stream.h"
#include "async/thread_pool.h"
#include "async/uv_loop.h"

namespace async {
namespace {

constexpr std::ptrdiff_t at_once = ThreadPool::threads_max;

// Of "silent.test", as far as this process asks for it.
struct SilentNameServer {
  std::latch asked{at_once};
  std::latch answers{1};
  std::latch answered{at_once};
  std::atomic<std::ptrdiff_t> questions = 0;
};
std::atomic<SilentNameServer*> silent = nullptr;

}  // namespace
}  // namespace async

// In the place of the system's, for this program.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  async::SilentNameServer* const server = async::silent;
  if (server != nullptr && name != nullptr && std::string_view(name) == "silent.test") {
    ++server->questions;
    server->asked.count_down();
    server->answers.wait();
    server->answered.count_down();
    return EAI_AGAIN;
  }
  static const auto system =
      reinterpret_cast<decltype(&getaddrinfo)>(dlsym(RTLD_NEXT, "getaddrinfo"));
  return system(name, service, hints, found);
}

namespace async {
namespace {

Task<> connect_to(Loop* loop, Endpoint endpoint) {
  const Stream stream = co_await loop->connect(std::move(endpoint));
}

TEST(LookUpTest, ALoopEndsWhileItsLookUpsHangAndThoseThatWaitNeverRun) {
  static SilentNameServer server;  // The threads that ask it are left to themselves.
  silent = &server;
  {
    UvLoop loop;
    TaskScope scope(loop);
    for (std::size_t each = 0; each < ThreadPool::threads_max + 2; ++each) {
      scope.spawn(connect_to(&loop, Endpoint::parse("silent.test:1")));
    }
    server.asked.wait();
  }
  server.answers.count_down();
  server.answered.wait();
  EXPECT_EQ(server.questions, at_once);
  silent = nullptr;
}

}  // namespace
}  // namespace async
