#include "rpc/status.h"

#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace rpc {
namespace {

Status with(StatusCode code) { return Status{.code = code, .message = {}}; }

TEST(StatusTest, TheCodesAreTheSeventeenOfGrpc) {
  EXPECT_EQ(name(StatusCode::ok), "OK");
  EXPECT_EQ(name(StatusCode::deadline_exceeded), "DEADLINE_EXCEEDED");
  EXPECT_EQ(name(StatusCode::unauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ(status_code(14), StatusCode::unavailable);
  EXPECT_EQ(status_code(16), StatusCode::unauthenticated);
  EXPECT_EQ(status_code(17), StatusCode::unknown);
  EXPECT_EQ(status_code(4'294'967'295), StatusCode::unknown);
}

TEST(StatusTest, AnAnswerIsNotKnownToBeNoUnlessTheCodeSaysSo) {
  EXPECT_EQ(with(StatusCode::ok).outcome(), Outcome::answered);
  for (const int number : {1, 2, 4, 8, 10, 13, 14, 15}) {
    EXPECT_EQ(with(static_cast<StatusCode>(number)).outcome(), Outcome::unknown) << number;
  }
  for (const int number : {3, 5, 6, 7, 9, 11, 12, 16}) {
    EXPECT_EQ(with(static_cast<StatusCode>(number)).outcome(), Outcome::no) << number;
  }
}

TEST(StatusTest, WhatWasNeverSentDidNotHappen) {
  for (std::uint32_t number = 1; number <= status_code_max; ++number) {
    const Status status{.code = status_code(number), .message = {}, .never_sent = true};
    EXPECT_EQ(status.outcome(), Outcome::no) << number;
    EXPECT_NE(exit_code(status), 75) << number;
  }
}

TEST(StatusTest, AnUnknownOutcomeExits75) {
  EXPECT_EQ(exit_code(with(StatusCode::ok)), 0);
  EXPECT_EQ(exit_code(with(StatusCode::unavailable)), 75);
  EXPECT_EQ(exit_code(with(StatusCode::deadline_exceeded)), 75);
  EXPECT_EQ(exit_code(with(StatusCode::internal)), 75);
  EXPECT_EQ(exit_code(with(StatusCode::invalid_argument)), 64);
  EXPECT_EQ(exit_code(with(StatusCode::failed_precondition)), 1);
  EXPECT_EQ(exit_code(with(StatusCode::unimplemented)), 76);
  EXPECT_EQ(exit_code(with(StatusCode::permission_denied)), 77);
  EXPECT_EQ(exit_code(Status{.code = StatusCode::unavailable, .message = {}, .never_sent = true}),
            69);
}

TEST(StatusTest, AStatusReadsAsASentence) {
  const Status status{.code = StatusCode::not_found, .message = "no such account"};
  EXPECT_EQ(status.text(), "NOT_FOUND: no such account");
  EXPECT_EQ(with(StatusCode::ok).text(), "OK");
  EXPECT_STREQ(Error(status).what(), "NOT_FOUND: no such account");
}

TEST(StatusTest, AnErrorKeepsItsStatusAndAnythingElseIsInternalAndKeepsItsWords) {
  const auto known = std::make_exception_ptr(Error(StatusCode::not_found, "no such account"));
  EXPECT_EQ(status_of(known).text(), "NOT_FOUND: no such account");
  const auto unknown = std::make_exception_ptr(std::runtime_error("password is 1234"));
  EXPECT_EQ(status_of(unknown).code, StatusCode::internal);
  EXPECT_EQ(status_of(unknown).message.find("1234"), std::string::npos);
}

}  // namespace
}  // namespace rpc
