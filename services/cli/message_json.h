// Protocol messages as JSON for programs: what --json prints.
//
// Field names are those of the .proto files. Amounts are {"minor_units":6000,"currency":"EUR"}; ids
// of 16 bytes are UUID texts and other bytes hexadecimal; a value of an enum is its name in lower
// case without the enum's own ("active"); 64-bit numbers are numbers. A message that is not set is
// left out, and so is an optional field; every other field is there. A oneof adds which of its
// fields is set: "outcome":"withdrawn".
#pragma once

#include <string>

#include <google/protobuf/message.h>

namespace cli {

// On one line, without the newline. Stateless; any thread.
std::string to_json(const google::protobuf::Message& message);

// A value of an enum for people and programs: "out_by_staff".
std::string short_name(const google::protobuf::EnumValueDescriptor& value);

// A UUID for 16 bytes, else hexadecimal digits.
std::string bytes_text(const std::string& bytes);

// Quoted and escaped.
std::string json_string(std::string_view text);

}  // namespace cli
