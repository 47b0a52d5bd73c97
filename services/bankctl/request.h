// Puts what was typed into a request, by the field's path.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <google/protobuf/message.h>

#include "bankctl/verb.h"
#include "ledger/money.h"

namespace bankctl {

// Whether what is typed for it means something in some currency only.
bool has_amount(Kind kind);
// Throws Failure(usage) for what is ill-formed in every currency.
void check_input(const Input& input, const std::string& text);

// Sets the field at `input.field` from `text`. Throws Failure(usage) with a sentence that says what
// it must be.
void set_input(google::protobuf::Message& request, const Input& input, const std::string& text,
               ledger::Currency currency);

// The same field of another message, a text or a number: an account's name, an exception's number.
void copy_field(const google::protobuf::Message& from, std::string_view field,
                google::protobuf::Message& to, std::string_view as);
// The text at a path, "account.balance.currency", of which a list is its first row; "" where there is
// none.
std::string text_at(const google::protobuf::Message& message, std::string_view path);
// A list of texts in a message; empty where the message has no such field.
std::vector<std::string> texts_in(const google::protobuf::Message& message, std::string_view field);
std::uint64_t number_at(const google::protobuf::Message& message, std::string_view field);

// A plain field of the request itself: the change's id, the page.
void set_bytes(google::protobuf::Message& request, std::string_view field, std::string_view bytes);
void set_number(google::protobuf::Message& request, std::string_view field, std::uint32_t number);
bool has_field(const google::protobuf::Message& message, std::string_view field);

// Finds "bank.v1.OperatorService/OpenAccount" in the files that were compiled in.
const google::protobuf::MethodDescriptor& method_of(std::string_view name);

// The field of a oneof `outcome` that is set, or null.
const google::protobuf::FieldDescriptor* outcome_of(const google::protobuf::Message& response);

}  // namespace bankctl
