// That no text of a peer's, a customer's or a file's gets out as anything but text: each table,
// sentence, JSON object and log line that our programs print.
#include <functional>
#include <memory>
#include <set>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include "atm/v1/atm.pb.h"
#include "atm/v1/staff.pb.h"
#include "bank/v1/bank.pb.h"
#include "bank/v1/operator.pb.h"
#include "cli/caller.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "hostile_text.h"
#include "ops/foreign_text.h"
#include "ops/log.h"
#include "ops/run_main.h"
#include "rpc/log_observer.h"
#include "teller/told.h"

namespace outlets {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using ops::fault_in;
using ops::line_count;

// Sets every field, and of each oneof the member that it is the turn of.
void fill(Message& message, const std::string& text, int turn) {
  const auto& type = *message.GetDescriptor();
  const auto& reflection = *message.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const auto* const oneof = field.real_containing_oneof();
    if (oneof != nullptr && oneof->field(turn % oneof->field_count()) != &field) continue;
    const bool is_list = field.is_repeated();
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        is_list ? reflection.AddString(&message, &field, text)
                : reflection.SetString(&message, &field, text);
        break;
      case FieldDescriptor::CPPTYPE_MESSAGE:
        fill(is_list ? *reflection.AddMessage(&message, &field)
                     : *reflection.MutableMessage(&message, &field),
             text, turn);
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        if (!is_list) reflection.SetEnumValue(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        reflection.SetBool(&message, &field, true);
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        reflection.SetInt64(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT64:
        reflection.SetUInt64(&message, &field, 1);
        break;
      case FieldDescriptor::CPPTYPE_UINT32:
        reflection.SetUInt32(&message, &field, 1);
        break;
      default:
        ADD_FAILURE() << field.full_name() << " is of a type that nothing prints";
    }
  }
}

// Every response that one of our servers can send, each oneof in each of its ways.
std::vector<std::unique_ptr<Message>> responses(const std::string& text) {
  std::vector<std::unique_ptr<Message>> all;
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  for (const auto* file :
       {atm::v1::Withdrawn::descriptor()->file(), atm::v1::LoadRequest::descriptor()->file(),
        bank::v1::HoldRequest::descriptor()->file(), bank::v1::Account::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        for (int turn = 0; turn < 6; ++turn) {
          const auto* const type = file->service(s)->method(m)->output_type();
          all.emplace_back(factory->GetPrototype(type)->New());
          fill(*all.back(), text, turn);
        }
      }
    }
  }
  return all;
}

// What is printed says as many lines with a hostile text as with a harmless one, and nothing in it
// acts on a terminal.
void expect_the_same_lines(const std::string& what, const std::string& hostile,
                           const std::string& harmless) {
  EXPECT_EQ(line_count(hostile), line_count(harmless)) << what << ":\n" << hostile;
  EXPECT_EQ(fault_in(hostile), "") << what << ":\n" << hostile;
}

TEST(Outlets, EveryAnswerOfAServerStaysOnItsLines) {
  const auto hostile = responses(ops::torn_text());
  const auto harmless = responses(std::string(ops::harmless_text));
  ASSERT_GT(hostile.size(), 200U);
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    const Message& bad = *hostile[i];
    const Message& good = *harmless[i];
    const std::string name = bad.GetDescriptor()->full_name();
    expect_the_same_lines(name + " as text", cli::to_text(bad), cli::to_text(good));
    expect_the_same_lines(name + " as a line", cli::to_line(bad), cli::to_line(good));
    expect_the_same_lines(name + " as JSON", cli::to_json(bad), cli::to_json(good));
    google::protobuf::Struct parsed;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(cli::to_json(bad), &parsed).ok());
  }
}

TEST(Outlets, JsonLosesNothing) {
  bank::v1::Account account;
  account.set_name(std::string(ops::hostile_text));
  google::protobuf::Struct parsed;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(cli::to_json(account), &parsed).ok());
  EXPECT_EQ(parsed.fields().at("name").string_value(), ops::hostile_text);
  // A library's JSON of the same text, which it does not escape to the end.
  const std::string of_library = "{\"name\":\"\xe2\x81\xa6\\\"\xc2\x9b\"}";
  EXPECT_EQ(ops::ForeignText(of_library).as_json(), "{\"name\":\"\\u2066\\\"\\u009b\"}");
}

std::vector<std::string> sentences(const std::string& text) {
  std::vector<std::string> all;
  const teller::PendingChange asked{.id = {}, .kind = text, .what = text};
  const rpc::Status status{.code = rpc::StatusCode::unavailable, .message = text};
  all.push_back(teller::name_of(asked));
  all.push_back(teller::sentence_of_unknown(asked, status));
  for (int turn = 0; turn < 8; ++turn) {
    teller::Outcome outcome;
    fill(outcome, text, turn);
    all.push_back(teller::sentence(outcome, asked));
    all.push_back(teller::sentence_of_earlier(outcome, asked));
  }
  atm::v1::Decline decline;
  fill(decline, text, 0);
  all.push_back(teller::sentence(decline));
  decline.clear_message();  // Then the bank's own words.
  all.push_back(teller::sentence(decline));
  bank::v1::Statement statement;
  fill(statement, text, 0);
  all.push_back(teller::statement_table(statement));
  bank::v1::Balance balance;
  fill(balance, text, 0);
  all.push_back(teller::balance_lines(balance));
  atm::v1::Withdrawn withdrawn;
  fill(withdrawn, text, 0);
  all.push_back(teller::counted_out(withdrawn));
  return all;
}

TEST(Outlets, EverySentenceToACustomerStaysOnItsLines) {
  const auto hostile = sentences(ops::torn_text());
  const auto harmless = sentences(std::string(ops::harmless_text));
  for (std::size_t i = 0; i < hostile.size(); ++i) {
    expect_the_same_lines("a sentence", hostile[i], harmless[i]);
  }
}

TEST(Outlets, WhateverEndsAProgramIsOneLine) {
  const std::string text = ops::torn_text();
  const std::vector<std::function<int()>> bodies = {
      [&]() -> int { throw ops::Failure(ops::ExitCode::declined, "the bank said no: " + text); },
      [&]() -> int { throw std::runtime_error(text); },
      [&]() -> int { throw rpc::Error(rpc::StatusCode::internal, text); }};
  for (const auto& body : bodies) {
    testing::internal::CaptureStderr();
    ops::run_main("bankctl", body, cli::rpc_endings);
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_EQ(line_count(said), 1) << said;
    EXPECT_EQ(fault_in(said), "") << said;
  }
}

// Every line that a server logs by itself, at each level.
std::string log_lines(ops::LogFormat format, std::string_view text) {
  std::string lines;
  {
    const ops::Log log = ops::Log::to_string("bankd", ops::LogLevel::debug, format, lines);
    rpc::LogObserver observer(log);
    rpc::CallRecord record;
    record.method = record.peer = record.message = record.error = text;
    for (const auto code :
         {rpc::StatusCode::ok, rpc::StatusCode::not_found, rpc::StatusCode::internal}) {
      record.code = code;
      observer.call_ended(record);
    }
    observer.handler_failed(record);
    observer.connection_closed(text, text);
    observer.accept_failed(text);
    for (const auto level :
         {ops::LogLevel::debug, ops::LogLevel::info, ops::LogLevel::warn, ops::LogLevel::error}) {
      log.write(level, text, {{"reason", text}});
    }
  }
  return lines;
}

std::set<std::string> keys_of(const std::string& json) {
  google::protobuf::Struct parsed;
  EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(json, &parsed).ok()) << json;
  std::set<std::string> keys;
  for (const auto& [key, value] : parsed.fields()) keys.insert(key);
  return keys;
}

TEST(Outlets, NoLogLineIsForgedAtAnyLevel) {
  const std::string torn = ops::torn_text();
  std::istringstream hostile(log_lines(ops::LogFormat::json, torn));
  std::istringstream harmless(log_lines(ops::LogFormat::json, ops::harmless_text));
  int lines = 0;
  std::string expected;
  for (std::string line; std::getline(hostile, line); ++lines) {
    ASSERT_TRUE(std::getline(harmless, expected)) << line;
    EXPECT_EQ(keys_of(line), keys_of(expected)) << line;
    EXPECT_EQ(fault_in(line), "") << line;
  }
  EXPECT_EQ(lines, 10);
}

// What stands outside of the quotes.
std::string unquoted(const std::string& line) {
  std::string rest;
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') is_quoted = !is_quoted;
    if (is_quoted && line[i] == '\\') ++i;
    if (!is_quoted && line[i] != '"') rest += line[i];
  }
  return rest;
}

TEST(Outlets, NoFieldIsForgedInALogForPeople) {
  std::string lines;
  const ops::Log log =
      ops::Log::to_string("bankd", ops::LogLevel::debug, ops::LogFormat::text, lines);
  rpc::LogObserver observer(log);
  rpc::CallRecord record;
  // The last is a wide blank, which a reader does not tell from ours.
  for (const std::string& text :
       {ops::torn_text(), std::string("a status=OK"), std::string("a\xe3\x80\x80status=OK"),
        std::string("a\\\" b=c")}) {
    lines.clear();
    record.method = record.peer = record.message = text;
    record.code = rpc::StatusCode::internal;
    observer.call_ended(record);
    EXPECT_EQ(line_count(lines), 1) << lines;
    EXPECT_EQ(fault_in(lines), "") << lines;
    const std::string structure = unquoted(lines);
    EXPECT_EQ(std::ranges::count(structure, '='), 7) << lines;
    EXPECT_THAT(structure, testing::HasSubstr("  status=INTERNAL  ")) << lines;
  }
}

}  // namespace
}  // namespace outlets
