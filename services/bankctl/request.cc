#include "bankctl/request.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "async/check.h"
#include "atm/v1/staff.pb.h"
#include "bank/v1/operator.pb.h"
#include "cli/amount.h"
#include "cli/message_json.h"
#include "cli/terminal.h"
#include "ledger/operation_id.h"
#include "ops/failure.h"
#include "ops/suggest.h"
#include "ops/value.h"

namespace bankctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct Place {
  Message* message;
  const FieldDescriptor* field;
};

// Walks "limits.daily_amount_max", making the messages on the way.
Place find(Message& request, std::string_view path) {
  Message* message = &request;
  while (true) {
    const std::size_t dot = path.find('.');
    const std::string name(path.substr(0, dot));
    const FieldDescriptor* const field = message->GetDescriptor()->FindFieldByName(name);
    async::check(field != nullptr, "an input's field is one of the request");
    if (dot == std::string_view::npos) return {message, field};
    message = message->GetReflection()->MutableMessage(message, field);
    path.remove_prefix(dot + 1);
  }
}

[[noreturn]] void fail(const Input& input, const std::string& what) {
  const std::string end = what.ends_with('?') ? "" : ".";
  throw ops::Failure(ops::ExitCode::usage, std::string(input.name) + " " + what + end);
}

void set_message(const Place& place, const Message& value) {
  place.message->GetReflection()->MutableMessage(place.message, place.field)->CopyFrom(value);
}

template <typename T>
T number(const Input& input, const std::string& text) {
  const auto parsed = ops::Value<T>::parse(text);
  if (!parsed) fail(input, parsed.error() + ", not \"" + text + "\"");
  return *parsed;
}

constexpr std::uint64_t counts_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t cassettes_max = 8;  // Of a terminal, as atm/v1/staff.proto says.

void number_within(const Input& input, const std::string& text, std::uint64_t lowest,
                   std::uint64_t highest, const std::string& else_what = "") {
  const auto parsed = ops::Value<std::uint64_t>::parse(text);
  if (parsed && lowest <= *parsed && *parsed <= highest) return;
  fail(input, "must be a whole number from " + std::to_string(lowest) + " to " +
                  std::to_string(highest) + else_what + ", not \"" + text + "\"");
}

bool is_day(const std::string& text) {
  constexpr std::string_view pattern = "0000-00-00";
  const auto fits = [](char letter, char wanted) {
    return wanted == '-' ? letter == '-' : letter >= '0' && letter <= '9';
  };
  if (!std::ranges::equal(text, pattern, fits)) return false;
  const auto part = [&text](std::size_t at, std::size_t size) {
    return std::stoi(text.substr(at, size));
  };
  const std::chrono::year_month_day date{std::chrono::year(part(0, 4)),
                                         std::chrono::month(static_cast<unsigned>(part(5, 2))),
                                         std::chrono::day(static_cast<unsigned>(part(8, 2)))};
  return date.ok();
}

void set_number(const Place& place, const Input& input, const std::string& text) {
  const auto& reflection = *place.message->GetReflection();
  if (place.field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    reflection.SetUInt32(place.message, place.field, number<std::uint32_t>(input, text));
  } else {
    reflection.SetUInt64(place.message, place.field, number<std::uint64_t>(input, text));
  }
}

void set_choice(const Place& place, const Input& input, std::string text) {
  std::ranges::replace(text, '-', '_');
  const google::protobuf::EnumDescriptor& type = *place.field->enum_type();
  std::vector<std::string> names;
  for (int i = 1; i < type.value_count(); ++i) {
    std::string name = cli::short_name(*type.value(i));
    if (name == text) {
      place.message->GetReflection()->SetEnum(place.message, place.field, type.value(i));
      return;
    }
    std::ranges::replace(name, '_', '-');
    names.push_back(std::move(name));
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  std::ranges::replace(text, '_', '-');
  fail(input, "must be one of " + list + ", not \"" + text + "\"" + ops::did_you_mean(text, names));
}

}  // namespace

bool has_amount(Kind kind) {
  return kind == Kind::amount || kind == Kind::amount_or_zero || kind == Kind::limit ||
         kind == Kind::notes;
}

void check_input(const Input& input, const std::string& text) {
  switch (input.kind) {
    case Kind::amount:
      return cli::require_amount(text);
    case Kind::amount_or_zero:
      return cli::require_amount_or_zero(text);
    case Kind::limit:
      if (text == "0") fail(input, "must be more than 0; say none for no limit");
      if (text != "none") cli::require_amount(text);
      return;
    case Kind::count_limit:
      if (text != "none") number_within(input, text, 1, counts_max, ", or none for no limit");
      return;
    case Kind::cassette:
      number_within(input, text, 1, cassettes_max);
      return;
    case Kind::notes:
      return cli::require_notes(text);
    case Kind::day:
      if (!is_day(text)) fail(input, "must be a day, as 2026-11-23, not \"" + text + "\"");
      return;
    default:
      return;
  }
}

void set_input(Message& request, const Input& input, const std::string& text,
               ledger::Currency currency) {
  const Place place = find(request, input.field);
  const auto& reflection = *place.message->GetReflection();
  switch (input.kind) {
    case Kind::text:
      cli::require_text(input.name, text);
      [[fallthrough]];
    case Kind::day:
    case Kind::pin:
    case Kind::currency:
      return reflection.SetString(place.message, place.field, text);
    case Kind::card:
      return reflection.SetString(place.message, place.field, cli::card_number(text));
    case Kind::named:
      if (!ops::Value<std::uint64_t>::parse(text)) {
        fail(input, "must be a number of the journal or a UUID, not \"" + text + "\"");
      }
      [[fallthrough]];
    case Kind::ordinal:
      if (ops::Value<std::uint64_t>::parse(text).value_or(0) == 0) {
        fail(input, "must be a number of the journal, 1 or more, not \"" + text + "\"");
      }
      return set_number(place, input, text);
    case Kind::number:
    case Kind::cassette:
      return set_number(place, input, text);
    case Kind::id: {
      const auto id = ledger::OperationId::parse(text);
      if (!id && input.name == "ID" && ops::Value<std::uint64_t>::parse(text)) {
        fail(input, "must be a UUID. What the journal's number " + text +
                        " is about tells `bankctl changes show --seq " + text + "`");
      }
      if (!id) fail(input, "must be a UUID, as 0190b5c4-7a3e-7c1d-9f00-0123456789ab");
      return reflection.SetString(place.message, place.field, std::string(id->view()));
    }
    case Kind::amount:
      return set_message(place, cli::parse_amount(text, currency));
    case Kind::amount_or_zero:
      return set_message(place, cli::parse_amount_or_zero(text, currency));
    case Kind::limit:
      return set_message(place, text == "none" ? cli::parse_amount_or_zero("0", currency)
                                               : cli::parse_amount(text, currency));
    case Kind::count_limit:
      return set_number(place, input, text == "none" ? "0" : text);
    case Kind::notes:
      return set_message(place, cli::parse_notes(text, currency));
    case Kind::choice:
      return set_choice(place, input, text);
    case Kind::yes:
      return reflection.SetBool(place.message, place.field, true);
  }
}

void set_bytes(Message& request, std::string_view field, std::string_view bytes) {
  const Place place = find(request, field);
  place.message->GetReflection()->SetString(place.message, place.field, std::string(bytes));
}

void set_number(Message& request, std::string_view field, std::uint32_t number) {
  const Place place = find(request, field);
  place.message->GetReflection()->SetUInt32(place.message, place.field, number);
}

void copy_field(const Message& from, std::string_view field, Message& to, std::string_view as) {
  const FieldDescriptor* const source = from.GetDescriptor()->FindFieldByName(std::string(field));
  const Place place = find(to, as);
  async::check(source != nullptr && source->cpp_type() == place.field->cpp_type(),
               "a question names what its verb names");
  if (source->cpp_type() == FieldDescriptor::CPPTYPE_UINT64) {
    place.message->GetReflection()->SetUInt64(place.message, place.field,
                                              from.GetReflection()->GetUInt64(from, source));
  } else {
    place.message->GetReflection()->SetString(place.message, place.field,
                                              from.GetReflection()->GetString(from, source));
  }
}

std::string text_at(const Message& message, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto& reflection = *message.GetReflection();
  const FieldDescriptor* const field =
      message.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  async::check(field != nullptr, "an answer has the field that a verb looks up");
  if (dot == std::string_view::npos) return reflection.GetString(message, field);
  path.remove_prefix(dot + 1);
  if (!field->is_repeated()) return text_at(reflection.GetMessage(message, field), path);
  if (reflection.FieldSize(message, field) == 0) return "";
  return text_at(reflection.GetRepeatedMessage(message, field, 0), path);
}

std::vector<std::string> texts_in(const Message& message, std::string_view field) {
  const auto* const found = message.GetDescriptor()->FindFieldByName(std::string(field));
  std::vector<std::string> texts;
  const bool is_there = found != nullptr && found->is_repeated() &&
                        found->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  for (int i = 0; is_there && i < message.GetReflection()->FieldSize(message, found); ++i) {
    texts.push_back(message.GetReflection()->GetRepeatedString(message, found, i));
  }
  return texts;
}

std::uint64_t number_at(const Message& message, std::string_view field) {
  const auto* const found = message.GetDescriptor()->FindFieldByName(std::string(field));
  async::check(found != nullptr, "an answer has the field that a verb looks up");
  return message.GetReflection()->GetUInt64(message, found);
}

bool has_field(const Message& message, std::string_view field) {
  return message.GetDescriptor()->FindFieldByName(std::string(field)) != nullptr;
}

const google::protobuf::MethodDescriptor& method_of(std::string_view name) {
  // Naming one message of each file keeps the linker from leaving the file out.
  bank::v1::OpenAccountRequest::descriptor();
  atm::v1::LoadRequest::descriptor();
  std::string full(name);
  std::ranges::replace(full, '/', '.');
  const auto* const method =
      google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full);
  async::check(method != nullptr, "a verb's method is one of the protocol");
  return *method;
}

const FieldDescriptor* outcome_of(const Message& response) {
  const google::protobuf::Descriptor& type = *response.GetDescriptor();
  const auto* const oneof = type.FindOneofByName("outcome");
  if (oneof == nullptr) return nullptr;
  return response.GetReflection()->GetOneofFieldDescriptor(response, oneof);
}

}  // namespace bankctl
