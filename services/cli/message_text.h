// Protocol messages for people: aligned tables and lists of names and values. Every text in them
// comes out as ops::ForeignText.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "bank/v1/money.pb.h"

namespace cli {

// "60.00 EUR".
std::string money_text(const bank::v1::Money& money);
// "2026-11-23 13:05:09Z".
std::string time_text(std::int64_t microseconds_since_1970);

// A whole message, ending in a newline: each field that has a value on a line, messages within it
// flattened, and each list of messages as a table.
std::string to_text(const google::protobuf::Message& message);

// The field at a path, "limits.daily_amount_max", as it is shown: "500.00 EUR". The path exists.
std::string field_text(const google::protobuf::Message& message, std::string_view path);

// One message on one line, the columns as wide as in every other line: for streams.
std::string to_line(const google::protobuf::Message& message);

// Rows as a table: numbers to the right, columns in which nobody has a value left out.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void add(std::vector<std::string> row);
  std::string text() const;

 private:
  std::vector<std::string> headings_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace cli
