#include "async/datagram.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "loop_fixture.h"

namespace async {
namespace {

const Endpoint any_port = Endpoint::parse("127.0.0.1:0");

class DatagramTest : public LoopFixture<UvLoop> {
 protected:
  void send(DatagramSocket& from, std::string text, const Endpoint& to) {
    loop.run(from.send(std::move(text), to));
  }
  std::string receive(DatagramSocket& socket) { return loop.run(socket.receive()).bytes; }
};

TEST_F(DatagramTest, BringsEachMessageWholeWithItsSender) {
  DatagramSocket server(loop, any_port);
  DatagramSocket client(loop, any_port);
  send(client, "one", server.local());
  send(client, "", server.local());
  send(client, "three", server.local());
  const Datagram first = loop.run(server.receive());
  EXPECT_EQ(first.bytes, "one");
  EXPECT_EQ(first.sender, client.local());
  EXPECT_EQ(receive(server), "");
  EXPECT_EQ(receive(server), "three");
  send(server, "answer", first.sender);
  EXPECT_EQ(receive(client), "answer");
}

TEST_F(DatagramTest, SpeaksIpVersion6) {
  DatagramSocket server(loop, Endpoint::parse("[::]:0"));
  Endpoint itself = server.local();
  itself.host = "::ffff:127.0.0.1";  // Not every machine has ::1.
  send(server, "to myself", itself);
  const Datagram message = loop.run(server.receive());
  EXPECT_EQ(message.bytes, "to myself");
  EXPECT_EQ(message.sender, itself);
}

TEST_F(DatagramTest, AReceiveWaitsForAMessage) {
  DatagramSocket server(loop, any_port);
  auto receiving = start(server.receive());
  EXPECT_TRUE(pending(receiving));
  send(server, "hello", server.local());
  EXPECT_EQ(finish(receiving).bytes, "hello");
}

TEST_F(DatagramTest, ACancelledReceiveLosesNothing) {
  DatagramSocket server(loop, any_port);
  auto receiving = start(server.receive());
  EXPECT_TRUE(pending(receiving));
  receiving.cancel();
  send(server, "hello", server.local());
  EXPECT_EQ(receive(server), "hello");
}

TEST_F(DatagramTest, AReceiveEndsWhenItsSocketIsClosed) {
  auto socket = std::make_unique<DatagramSocket>(loop, any_port);
  auto receiving = start(socket->receive());
  EXPECT_TRUE(pending(receiving));
  socket.reset();
  EXPECT_EQ(error_of([&] { finish(receiving); }), "ECANCELED");
}

TEST_F(DatagramTest, KeepsSoManyMessagesAndDropsTheRest) {
  DatagramSocket server(loop, any_port);
  DatagramSocket client(loop, any_port);
  // The system keeps fewer than we do: let the loop take each before the next is sent.
  for (std::size_t i = 0; i <= DatagramSocket::messages_kept_max; ++i) {
    send(client, std::to_string(i), server.local());
    turn();
  }
  for (std::size_t i = 0; i < DatagramSocket::messages_kept_max; ++i) {
    EXPECT_EQ(receive(server), std::to_string(i));
  }
  auto receiving = start(server.receive());
  EXPECT_TRUE(pending(receiving));
}

TEST_F(DatagramTest, WhatASocketSentBeforeItWasClosedArrives) {
  DatagramSocket server(loop, any_port);
  {
    DatagramSocket client(loop, any_port);
    send(client, "goodbye", server.local());
  }
  EXPECT_EQ(receive(server), "goodbye");
}

TEST_F(DatagramTest, MovesWithItsMessages) {
  DatagramSocket socket(loop, any_port);
  DatagramSocket client(loop, any_port);
  send(client, "hello", socket.local());
  turn();
  DatagramSocket moved = std::move(socket);
  EXPECT_EQ(receive(moved), "hello");
}

TEST_F(DatagramTest, RefusesAMessageThatIsTooLong) {
  DatagramSocket socket(loop, any_port);
  const std::string too_long(70'000, 'x');
  EXPECT_EQ(error_of([&] { send(socket, too_long, socket.local()); }), "EMSGSIZE");
}

TEST_F(DatagramTest, SendsToAddressesNotToNames) {
  DatagramSocket socket(loop, any_port);
  const Endpoint name = Endpoint::parse("localhost:7000");
  EXPECT_EQ(error_of([&] { send(socket, "hello", name); }), "EINVAL");
}

TEST_F(DatagramTest, SaysThatAnAddressIsTaken) {
  const DatagramSocket socket(loop, any_port);
  EXPECT_EQ(error_of([&] { const DatagramSocket second(loop, socket.local()); }), "EADDRINUSE");
}

}  // namespace
}  // namespace async
