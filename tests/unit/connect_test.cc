// Connecting and listening: what can go wrong, and what is left behind.

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "async/stream.h"
#include "async/uv_socket.h"
#include "no_more_threads.h"
#include "stream_fixture.h"

namespace async {
namespace {

class ConnectTest : public LoopFixture<UvLoop> {
 protected:
  Listener listen(const std::string& endpoint) { return loop.listen(Endpoint::parse(endpoint)); }
  Stream connect(const Endpoint& endpoint) { return loop.run(loop.connect(endpoint)); }
  std::string connect_error(const std::string& endpoint) {
    return error_of([&] { connect(Endpoint::parse(endpoint)); });
  }
  std::string listen_error(const std::string& endpoint) {
    return error_of([&] { listen(endpoint); });
  }
  // An endpoint where nobody listens any more.
  Endpoint closed_port() { return listen("127.0.0.1:0").local(); }
};

bool exists(const std::string& path) {
  struct stat file{};
  return lstat(path.c_str(), &file) == 0;
}

// What a server that was killed leaves behind.
void leave_a_dead_socket(const std::string& path) {
  const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  close(dead);
}

TEST_F(ConnectTest, TellsThePortThatWasTaken) {
  const Endpoint local = listen("127.0.0.1:0").local();
  EXPECT_EQ(local.host, "127.0.0.1");
  EXPECT_NE(local.port, 0);
}

TEST_F(ConnectTest, FindsAServerByItsName) {
  Listener listener = listen("localhost:0");
  const Endpoint named =
      Endpoint{.kind = Endpoint::Kind::tcp, .host = "localhost", .port = listener.local().port};
  const Stream stream = connect(named);
  EXPECT_TRUE(stream.peer().ends_with(":" + std::to_string(named.port)));
}

TEST_F(ConnectTest, TellsThePeersAddress) {
  Listener listener = listen("127.0.0.1:0");
  const Ends ends = loop.run(connected(&loop, &listener));
  EXPECT_EQ(ends.near.peer(), listener.local().text());
  EXPECT_TRUE(ends.far.peer().starts_with("127.0.0.1:"));
}

TEST_F(ConnectTest, IsRefusedWhereNobodyListens) {
  EXPECT_EQ(connect_error(closed_port().text()), "ECONNREFUSED");
}

TEST_F(ConnectTest, SaysWhatWasTriedAndWhereAndWhyItFailed) {
  const std::string where = closed_port().text();
  try {
    connect(Endpoint::parse(where));
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(std::string(error.what()), "cannot connect to " + where + ": connection refused");
  }
}

TEST_F(ConnectTest, FailsForANameThatNobodyHas) {
  const std::string error = connect_error("no-such-host.invalid:1");
  EXPECT_TRUE(error == "ENOTFOUND" || error == "EAI_NONAME" || error == "EAI_AGAIN") << error;
}

TEST_F(ConnectTest, FailsForANameThatNoThreadCanLookUp) {
  const NoMoreThreads refused;
  EXPECT_EQ(connect_error("no-such-host.invalid:1"), "EAGAIN");
}

TEST_F(ConnectTest, FailsToListenOnANameThatNobodyHas) {
  const std::string error = listen_error("no-such-host.invalid:1");
  EXPECT_TRUE(error == "ENOTFOUND" || error == "EAI_NONAME" || error == "EAI_AGAIN") << error;
}

TEST_F(ConnectTest, FailsToListenOnAPortThatIsTaken) {
  const Listener first = listen("127.0.0.1:0");
  EXPECT_EQ(listen_error(first.local().text()), "EADDRINUSE");
}

TEST_F(ConnectTest, FailsToListenOnAnAddressOfAnother) {
  EXPECT_EQ(listen_error("192.0.2.1:0"), "EADDRNOTAVAIL");
}

TEST_F(ConnectTest, ListensAgainWhereAListenerWasClosed) {
  Endpoint local;
  {
    Listener first = listen("127.0.0.1:0");
    local = first.local();
    const Ends ends = loop.run(connected(&loop, &first));
  }
  turn();
  const Listener second = loop.listen(local);
  EXPECT_EQ(second.local(), local);
}

TEST_F(ConnectTest, MayBeCancelledWhileItConnects) {
  Listener listener = listen("127.0.0.1:0");
  auto connecting = start(loop.connect(listener.local()));
  connecting.cancel();
  turn();
}

TEST_F(ConnectTest, MayBeCancelledWhileItLooksUpAName) {
  auto connecting = start(loop.connect(Endpoint::parse("localhost:1")));
  connecting.cancel();
  turn();
}

TEST_F(ConnectTest, TakesConnectionsThatCameBeforeSomebodyAccepts) {
  Listener listener = listen("127.0.0.1:0");
  std::vector<Stream> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(connect(listener.local()));
  for (Stream& stream : streams) {
    Stream accepted = loop.run(listener.accept());
    loop.run(write_text(&accepted, "hello"));
    EXPECT_EQ(loop.run(read_text(&stream)), "hello");
  }
}

Task<> accept_all(Listener* listener, std::vector<Stream>* streams) {
  while (true) {
    Stream stream = co_await listener->accept();
    streams->push_back(std::move(stream));
  }
}

TEST_F(ConnectTest, TakesManyConnectionsAtOnce) {
  Listener listener = listen("127.0.0.1:0");
  std::vector<Stream> accepted;
  auto accepting = start(accept_all(&listener, &accepted));
  std::vector<Task<Stream>> connects;
  for (int i = 0; i < 100; ++i) connects.push_back(loop.connect(listener.local()));
  const std::vector<Stream> streams = loop.run(gather(std::move(connects)));
  while (accepted.size() < streams.size()) turn();
}

TEST_F(ConnectTest, MayCancelAnAcceptAndBeginAnother) {
  Listener listener = listen("127.0.0.1:0");
  auto first = start(listener.accept());
  EXPECT_TRUE(pending(first));
  first.cancel();
  const Stream stream = connect(listener.local());
  EXPECT_TRUE(loop.run(listener.accept()).is_open());
}

TEST_F(ConnectTest, ClosingAListenerEndsTheAcceptThatWaits) {
  Listener listener = listen("127.0.0.1:0");
  auto accepting = start(listener.accept());
  EXPECT_TRUE(pending(accepting));
  listener.close();
  EXPECT_EQ(error_of([&] { finish(accepting); }), "ECANCELED");
}

Task<> accept_and_close(std::unique_ptr<Listener> listener) {
  const Stream stream = co_await listener->accept();
  listener.reset();
}

TEST_F(ConnectTest, WhoAcceptsMayDestroyTheListener) {
  auto listener = std::make_unique<Listener>(listen("127.0.0.1:0"));
  const Endpoint local = listener->local();
  auto accepting = start(accept_and_close(std::move(listener)));
  const Stream first = connect(local);
  finish(accepting);
  EXPECT_EQ(connect_error(local.text()), "ECONNREFUSED");
}

TEST_F(ConnectTest, StopsTheProcessWhenTwoTasksAccept) {
  Listener listener = listen("127.0.0.1:0");
  auto accepting = start(listener.accept());
  EXPECT_DEATH(start(listener.accept()), "one task waits in a place");
}

TEST_F(ConnectTest, ARemovedListenerLeavesNoSocketFile) {
  const Endpoint endpoint = unix_endpoint();
  {
    const Listener listener = loop.listen(endpoint);
    EXPECT_TRUE(exists(endpoint.host));
    EXPECT_EQ(listener.local(), endpoint);
  }
  EXPECT_FALSE(exists(endpoint.host));
}

TEST_F(ConnectTest, TakesOverTheSocketFileOfAServerThatDied) {
  const Endpoint endpoint = unix_endpoint();
  leave_a_dead_socket(endpoint.host);
  EXPECT_EQ(connect_error(endpoint.text()), "ECONNREFUSED");
  Listener listener = loop.listen(endpoint);
  const Ends ends = loop.run(connected(&loop, &listener));
  EXPECT_TRUE(ends.near.peer().starts_with("unix#")) << ends.near.peer();
  EXPECT_NE(ends.near.peer(), ends.far.peer()) << "each connection has a name of its own";
}

TEST_F(ConnectTest, LeavesTheSocketFileOfAServerThatLives) {
  const Endpoint endpoint = unix_endpoint();
  Listener listener = loop.listen(endpoint);
  EXPECT_EQ(listen_error(endpoint.text()), "EADDRINUSE");
  const Ends ends = loop.run(connected(&loop, &listener));
}

TEST_F(ConnectTest, LeavesAFileThatIsNoSocket) {
  const std::string path = socket_path();
  std::ofstream(path) << "precious";
  EXPECT_EQ(listen_error("unix:" + path), "EADDRINUSE");
  EXPECT_TRUE(exists(path));
  std::remove(path.c_str());
}

TEST_F(ConnectTest, FailsWhereThereIsNoSocketFile) {
  EXPECT_EQ(connect_error("unix:" + socket_path()), "ENOENT");
}

TEST_F(ConnectTest, SaysThatASocketFileWouldBeInNoFolder) {
  const std::string folder = socket_path();
  const auto error_of_listening = [&](const std::string& path) {
    try {
      listen("unix:" + path);
    } catch (const SocketFileError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(error_of_listening(folder + "/bank.sock"),
            "cannot listen on unix:" + folder +
                "/bank.sock, whose folder does not exist: no such file or directory");
  std::ofstream(folder).close();
  for (const std::string rest : {"/bank.sock", "/more/bank.sock"}) {
    EXPECT_EQ(error_of_listening(folder + rest),
              "cannot listen on unix:" + folder + rest +
                  ", which would be in no folder: not a directory");
  }
  std::filesystem::remove(folder);
}

// Takes connections in as far as the system does it alone, and then swallows them.
class Swallower {
 public:
  Swallower() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    listening_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(listening_, reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listening_, 0), 0);
    EXPECT_EQ(::getsockname(listening_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    for (int& waiting : waiting_) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      ::connect(waiting, reinterpret_cast<const sockaddr*>(&address), size);
    }
  }
  Swallower(const Swallower&) = delete;
  Swallower& operator=(const Swallower&) = delete;
  ~Swallower() {
    for (const int waiting : waiting_) ::close(waiting);
    ::close(listening_);
  }

  Endpoint endpoint() const {
    return Endpoint{.kind = Endpoint::Kind::tcp, .host = "127.0.0.1", .port = port_};
  }

 private:
  int listening_ = -1;
  std::uint16_t port_ = 0;
  std::array<int, 4> waiting_{};
};

TEST_F(ConnectTest, TriesTheNextAddressBesideOneThatSwallowsConnections) {
  const Swallower swallower;
  Listener listener = listen("127.0.0.1:0");
  const Stream stream = loop.run(connect_to_any(loop, {swallower.endpoint(), listener.local()}));
  EXPECT_EQ(stream.peer(), listener.local().text());
}

TEST_F(ConnectTest, TriesTheNextAddressAtOnceWhereOneRefuses) {
  Listener listener = listen("127.0.0.1:0");
  const Endpoint refusing = closed_port();
  const Stream stream =
      loop.run(connect_to_any(loop, {refusing, refusing, listener.local(), refusing}));
  EXPECT_EQ(stream.peer(), listener.local().text());
}

TEST_F(ConnectTest, FailsWhenNoAddressAnswers) {
  const Endpoint refusing = closed_port();
  EXPECT_EQ(error_of([&] { loop.run(connect_to_any(loop, {refusing, refusing})); }),
            "ECONNREFUSED");
}

TEST_F(ConnectTest, MayBeCancelledWhileItTriesSeveralAddresses) {
  const Swallower first;
  const Swallower second;
  auto connecting = start(connect_to_any(loop, {first.endpoint(), second.endpoint()}));
  EXPECT_TRUE(pending(connecting));
  connecting.cancel();
  turn();
}

// The addresses of localhost that this machine has: not every container has that of IPv6.
std::vector<std::string> loopbacks() {
  std::vector<std::string> hosts = {"127.0.0.1"};
  const int probe = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = in6addr_loopback;
  if (::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    hosts.emplace_back("::1");
  }
  ::close(probe);
  return hosts;
}

std::vector<std::string> hosts_of(const std::vector<Listener>& listeners) {
  std::vector<std::string> hosts;
  for (const Listener& listener : listeners) hosts.push_back(listener.local().host);
  return hosts;
}

TEST_F(ConnectTest, ListensOnBothAddressesOfLocalhostAndOnOnePort) {
  std::vector<Listener> listeners = loop.listen_on_all(Endpoint::parse("localhost:0"));
  EXPECT_EQ(hosts_of(listeners), loopbacks());
  for (Listener& listener : listeners) {
    EXPECT_EQ(listener.local().port, listeners.front().local().port);
    const Ends ends = loop.run(connected(&loop, &listener));
    EXPECT_EQ(ends.near.peer(), listener.local().text());
  }
}

TEST_F(ConnectTest, FailsToListenOnANameWhenOneOfItsAddressesIsTaken) {
  const Endpoint last{.kind = Endpoint::Kind::tcp, .host = loopbacks().back(), .port = 0};
  const Listener taken = loop.listen(last);
  const std::string endpoint = "localhost:" + std::to_string(taken.local().port);
  EXPECT_EQ(error_of([&] { loop.listen_on_all(Endpoint::parse(endpoint)); }), "EADDRINUSE");
}

TEST_F(ConnectTest, FindsAServerThatListensOnTheLastAddressOfLocalhost) {
  const Endpoint last{.kind = Endpoint::Kind::tcp, .host = loopbacks().back(), .port = 0};
  Listener listener = loop.listen(last);
  const Stream stream =
      connect(Endpoint::parse("localhost:" + std::to_string(listener.local().port)));
  EXPECT_EQ(stream.peer(), listener.local().text());
}

TEST_F(ConnectTest, ListensOnEveryAddressOfBothFamiliesAtOnce) {
  const Listener first = listen("[::]:0");
  const Listener second = listen("0.0.0.0:" + std::to_string(first.local().port));
  EXPECT_EQ(second.local().port, first.local().port);
}

TEST_F(ConnectTest, RefusesAPathThatTheSystemWouldCut) {
  const Endpoint endpoint{
      .kind = Endpoint::Kind::unix_socket, .host = std::string(200, 'x'), .port = 0};
  EXPECT_EQ(error_of([&] { connect(endpoint); }), "ENAMETOOLONG");
  EXPECT_EQ(error_of([&] { loop.listen(endpoint); }), "ENAMETOOLONG");
}

// Leaves only so many file descriptors free for as long as it lives.
class FewDescriptors {
 public:
  explicit FewDescriptors(int left) {
    getrlimit(RLIMIT_NOFILE, &before_);
    std::vector<int> free;
    while (static_cast<int>(free.size()) <= left) free.push_back(dup(0));
    for (const int descriptor : free) close(descriptor);
    const rlimit few{.rlim_cur = static_cast<rlim_t>(free.back()), .rlim_max = before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(ConnectTest, ServesOnAfterItRanOutOfFileDescriptors) {
  Listener listener = listen("127.0.0.1:0");
  std::vector<Stream> accepted;
  auto accepting = start(accept_all(&listener, &accepted));
  {
    // UBSan opens a pipe to look at the first object of a type: let it see a connection, its end
    // and an error while there are descriptors for that.
    const Stream seen = connect(listener.local());
    while (accepted.empty()) turn();
    EXPECT_EQ(connect_error("unix:" + socket_path()), "ENOENT");
  }
  {
    const FewDescriptors few(2);
    Stream first = connect(listener.local());
    while (accepted.size() < 2) turn();
    EXPECT_EQ(connect_error(listener.local().text()), "EMFILE");
  }
  {
    const FewDescriptors few(1);
    Stream refused = connect(listener.local());  // libuv closes what it cannot take.
    const std::string error = error_of([&] { EXPECT_EQ(loop.run(read_text(&refused)), ""); });
    EXPECT_TRUE(error == "nothing" || error == "ECONNRESET") << error;
    EXPECT_EQ(accepted.size(), 2U);
  }
  Stream later = connect(listener.local());
  while (accepted.size() < 3) turn();
  loop.run(write_text(&accepted.back(), "hello"));
  EXPECT_EQ(loop.run(read_text(&later)), "hello");
}

}  // namespace
}  // namespace async
