#include "async/endpoint.h"

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

namespace async {
namespace {

struct Good {
  std::string text;
  Endpoint::Kind kind;
  std::string host;
  std::uint16_t port;
};

void PrintTo(const Good& good, std::ostream* out) { *out << testing::PrintToString(good.text); }

class GoodEndpointTest : public testing::TestWithParam<Good> {};

TEST_P(GoodEndpointTest, IsReadAndWrittenAsPeopleWriteIt) {
  const Endpoint endpoint = Endpoint::parse(GetParam().text);
  EXPECT_EQ(endpoint.kind, GetParam().kind);
  EXPECT_EQ(endpoint.host, GetParam().host);
  EXPECT_EQ(endpoint.port, GetParam().port);
  EXPECT_EQ(endpoint.text(), GetParam().text);
  EXPECT_EQ(Endpoint::parse(endpoint.text()), endpoint);
}

constexpr Endpoint::Kind tcp = Endpoint::Kind::tcp;
constexpr Endpoint::Kind unix_socket = Endpoint::Kind::unix_socket;

INSTANTIATE_TEST_SUITE_P(
    Table, GoodEndpointTest,
    testing::Values(Good{"127.0.0.1:7001", tcp, "127.0.0.1", 7001},
                    Good{"bank:7001", tcp, "bank", 7001},
                    Good{"bank.example.com:65535", tcp, "bank.example.com", 65535},
                    Good{"localhost:0", tcp, "localhost", 0}, Good{"[::1]:7001", tcp, "::1", 7001},
                    Good{"[fe80::1%eth0]:1", tcp, "fe80::1%eth0", 1},
                    Good{"unix:/run/bank.sock", unix_socket, "/run/bank.sock", 0},
                    Good{"unix:bank.sock", unix_socket, "bank.sock", 0},
                    Good{"unix:/run/a:b", unix_socket, "/run/a:b", 0},
                    Good{"unix:/run/a b", unix_socket, "/run/a b", 0},
                    Good{"unix:" + std::string(107, 'x'), unix_socket, std::string(107, 'x'), 0}));

struct Bad {
  std::string text;
  std::string why;
};

void PrintTo(const Bad& bad, std::ostream* out) { *out << testing::PrintToString(bad.text); }

class BadEndpointTest : public testing::TestWithParam<Bad> {};

TEST_P(BadEndpointTest, IsRefusedInASentenceThatQuotesIt) {
  try {
    Endpoint::parse(GetParam().text);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()), "'" + GetParam().text +
                                             "' is not an address: " + GetParam().why +
                                             ". Write HOST:PORT, [IPv6]:PORT or unix:PATH");
  }
}

const std::string bad_port = "the port is not a number from 0 to 65535";
const std::string bad_brackets = "brackets are for an IPv6 address";
const std::string bad_character = "it holds a control character";
const std::string bad_space = "the host holds a space";

INSTANTIATE_TEST_SUITE_P(
    Table, BadEndpointTest,
    testing::Values(Bad{"", "the port is missing"}, Bad{"bank", "the port is missing"},
                    Bad{":7001", "the host is missing"}, Bad{"[]:7001", bad_brackets},
                    Bad{"bank:", bad_port}, Bad{"bank:-1", bad_port}, Bad{"bank:+1", bad_port},
                    Bad{"bank:65536", bad_port}, Bad{"bank:7001x", bad_port},
                    Bad{"bank:0x10", bad_port}, Bad{"bank:http", bad_port},
                    Bad{"::1:7001", "an IPv6 address is written in brackets"},
                    Bad{"[::1:7001", "an IPv6 address is written in brackets"},
                    Bad{"[bank]:7001", bad_brackets}, Bad{"[::1]", "the port is missing"},
                    Bad{"a bank:7001", bad_space}, Bad{" bank:7001", bad_space},
                    Bad{"bank\n:7001", bad_character}, Bad{"unix:/run/\x01", bad_character},
                    Bad{"unix:", "the path is empty"},
                    Bad{"unix:" + std::string(108, 'x'), "the path is longer than 107 bytes"}));

TEST(IoErrorTest, SaysWhatWasTriedAndHasANameAndACode) {
  const IoError error(-ECONNREFUSED, "connect to bank:7001");
  EXPECT_STREQ(error.what(), "cannot connect to bank:7001: connection refused");
  EXPECT_EQ(error.name(), "ECONNREFUSED");
  EXPECT_EQ(error.code(), -ECONNREFUSED);
}

}  // namespace
}  // namespace async
