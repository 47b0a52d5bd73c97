#include "cli/message_json.h"

#include <algorithm>
#include <cctype>

#include <google/protobuf/descriptor.h>

#include "ledger/operation_id.h"
#include "ops/foreign_text.h"

namespace cli {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// One value of a field: of a repeated one the value at `index`, else index is -1.
std::string value_json(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const bool is_list = index >= 0;
  std::string scratch;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(is_list ? reflection.GetRepeatedInt32(message, &field, index)
                                    : reflection.GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(is_list ? reflection.GetRepeatedInt64(message, &field, index)
                                    : reflection.GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(is_list ? reflection.GetRepeatedUInt32(message, &field, index)
                                    : reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(is_list ? reflection.GetRepeatedUInt64(message, &field, index)
                                    : reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL: {
      const bool value = is_list ? reflection.GetRepeatedBool(message, &field, index)
                                 : reflection.GetBool(message, &field);
      return value ? "true" : "false";
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const EnumValueDescriptor* const value =
          is_list ? reflection.GetRepeatedEnum(message, &field, index)
                  : reflection.GetEnum(message, &field);
      return json_string(short_name(*value));
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string& value =
          is_list ? reflection.GetRepeatedStringReference(message, &field, index, &scratch)
                  : reflection.GetStringReference(message, &field, &scratch);
      return json_string(field.type() == FieldDescriptor::TYPE_BYTES ? bytes_text(value) : value);
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return to_json(is_list ? reflection.GetRepeatedMessage(message, &field, index)
                             : reflection.GetMessage(message, &field));
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;  // No amount, and nothing else of ours, is a fraction.
  }
  return "null";
}

std::string list_json(const Message& message, const FieldDescriptor& field) {
  std::string list = "[";
  const int size = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < size; ++i) {
    if (i > 0) list += ',';
    list += value_json(message, field, i);
  }
  return list + "]";
}

}  // namespace

std::string to_json(const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  std::string json = "{";
  const auto member = [&json](const std::string& name, const std::string& value) {
    if (json.size() > 1) json += ',';
    json += "\"" + name + "\":" + value;
  };
  for (int i = 0; i < type.real_oneof_decl_count(); ++i) {
    const auto& oneof = *type.oneof_decl(i);
    const FieldDescriptor* const set = reflection.GetOneofFieldDescriptor(message, &oneof);
    member(oneof.name(), set == nullptr ? "null" : json_string(set->name()));
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated()) {
      member(field.name(), list_json(message, field));
    } else if (!field.has_presence() || reflection.HasField(message, &field)) {
      member(field.name(), value_json(message, field, -1));
    }
  }
  return json + "}";
}

std::string short_name(const EnumValueDescriptor& value) {
  // SERVICE_STATE_ for ServiceState.
  std::string prefix;
  for (const char letter : value.type()->name()) {
    const bool begins_word = std::isupper(static_cast<unsigned char>(letter)) != 0;
    if (begins_word && !prefix.empty()) prefix += '_';
    prefix += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  prefix += '_';
  std::string name = value.name();
  if (name.starts_with(prefix)) name = name.substr(prefix.size());
  std::ranges::transform(name, name.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return name;
}

std::string bytes_text(const std::string& bytes) {
  if (const auto id = ledger::OperationId::from_bytes(bytes)) return id->text();
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::string json_string(std::string_view text) {
  return "\"" + ops::ForeignText(text).escaped() + "\"";
}

}  // namespace cli
