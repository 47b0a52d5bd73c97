#include "cli/message_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "atm/v1/atm.pb.h"
#include "bank/v1/operator.pb.h"
#include "cli/message_json.h"
#include "cli/text_width.h"
#include "ledger/money.h"
#include "ops/calendar.h"
#include "ops/foreign_text.h"

namespace cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string words(std::string name) {
  std::ranges::replace(name, '_', ' ');
  return name;
}

// A field's name for people: "at" for at_us, "seq" for ledger_seq.
std::string label(const FieldDescriptor& field) {
  std::string name = field.name();
  if (name.ends_with("_us")) name.resize(name.size() - 3);
  return name == "ledger_seq" ? "seq" : words(std::move(name));
}

std::string amount_text(std::int64_t minor_units, const std::string& currency) {
  const auto known = ledger::Currency::parse(currency);
  if (!known) return std::to_string(minor_units) + " minor units";
  return ledger::major_units(ledger::Cents{minor_units}, *known);
}

// "3x50 EUR".
std::string notes_text(const atm::v1::Notes& notes) {
  const bank::v1::Money& denomination = notes.denomination();
  const std::array<ledger::Cents, 1> face = {ledger::Cents{denomination.minor_units()}};
  const auto currency = ledger::Currency::parse(denomination.currency());
  return std::to_string(notes.count()) + "x" +
         (currency ? ledger::to_text(face, *currency) : money_text(denomination));
}

bool is(const FieldDescriptor& field, const google::protobuf::Descriptor& type) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == type.full_name();
}

// What fits in one cell.
bool is_plain(const FieldDescriptor& field) {
  return field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
         is(field, *bank::v1::Money::descriptor()) || is(field, *atm::v1::Notes::descriptor());
}

std::string scalar_text(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64: {
      const std::int64_t value = reflection.GetInt64(message, &field);
      return field.name().ends_with("_us") ? time_text(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_UINT32:
      return std::to_string(reflection.GetUInt32(message, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return std::to_string(reflection.GetUInt64(message, &field));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.GetBool(message, &field) ? "yes" : "no";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& value = *reflection.GetEnum(message, &field);
      return value.number() == 0 ? "" : words(short_name(value));
    }
    default: {
      std::string value = reflection.GetString(message, &field);
      if (field.type() == FieldDescriptor::TYPE_BYTES) return bytes_text(value);
      // Words of the bank's own, as the names of values: "pin_wrong".
      const bool is_name = field.name() == "kind" || field.name() == "outcome";
      return is_name ? words(std::move(value)) : value;
    }
  }
}

std::string list_text(const Message& message, const FieldDescriptor& field) {
  std::string text;
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (!text.empty()) text += is(field, *atm::v1::Notes::descriptor()) ? ", " : " ";
    if (is(field, *atm::v1::Notes::descriptor())) {
      const Message& item = reflection.GetRepeatedMessage(message, &field, i);
      text += notes_text(static_cast<const atm::v1::Notes&>(item));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      text += reflection.GetRepeatedString(message, &field, i);
    }
  }
  return text;
}

// Fields that say something only when they are not what they mostly are.
std::string unusual(const Message& message, const FieldDescriptor& field, std::string text) {
  const bool is_limit = message.GetDescriptor() == bank::v1::CardLimits::descriptor();
  if (is_limit && !text.empty() && text.find_first_of("123456789") == std::string::npos) {
    return "none";
  }
  if (field.name() == "replayed" && text == "no") return "";
  if (field.name().ends_with("_left_out") && text == "0") return "";
  if (field.name().ends_with("_seq") && text == "0") return "";  // Of no change.
  return text;
}

std::string cell(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  if (field.is_repeated()) return list_text(message, field);
  if (field.has_presence() && !reflection.HasField(message, &field)) return "";
  if (is(field, *bank::v1::Money::descriptor())) {
    return money_text(static_cast<const bank::v1::Money&>(reflection.GetMessage(message, &field)));
  }
  if (is(field, *atm::v1::Notes::descriptor())) {
    return notes_text(static_cast<const atm::v1::Notes&>(reflection.GetMessage(message, &field)));
  }
  return scalar_text(message, field);
}

using Cells = std::vector<std::pair<std::string, std::string>>;

// Name and value of each field as they are shown, messages within the message flattened.
void collect(const Message& message, Cells& cells) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    // Said by whoever prints.
    const bool is_sentences = field.name() == "differences" || field.name() == "exceptions";
    if (field.name() == "next_page_token" || (is_sentences && is_plain(field))) continue;
    if (is_plain(field)) {
      const std::string text = unusual(message, field, cell(message, field));
      cells.emplace_back(label(field), ops::ForeignText(text).shown());
    } else if (!field.is_repeated() && reflection.HasField(message, &field)) {
      collect(reflection.GetMessage(message, &field), cells);
    }
  }
}

bool looks_like_number(const std::string& text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  return text.size() > first && std::isdigit(static_cast<unsigned char>(text[first])) != 0 &&
         text.find_first_of(":xabcdef") == std::string::npos;
}

std::string table_of(const Message& message, const FieldDescriptor& field) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  if (size == 0) return "No " + words(field.name()) + ".\n";
  std::vector<std::string> headings;
  for (int i = 0; i < size; ++i) {
    Cells cells;
    collect(reflection.GetRepeatedMessage(message, &field, i), cells);
    for (const auto& [name, value] : cells) {
      if (std::ranges::find(headings, name) == headings.end()) headings.push_back(name);
    }
  }
  Table table(headings);
  for (int i = 0; i < size; ++i) {
    Cells cells;
    collect(reflection.GetRepeatedMessage(message, &field, i), cells);
    std::vector<std::string> row(headings.size());
    for (const auto& [name, value] : cells) {
      row[static_cast<std::size_t>(std::ranges::find(headings, name) - headings.begin())] = value;
    }
    table.add(std::move(row));
  }
  return table.text();
}

std::string tables_of(const Message& message) {
  const google::protobuf::Descriptor& type = *message.GetDescriptor();
  const Reflection& reflection = *message.GetReflection();
  std::string text;
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.is_repeated() && !is_plain(field)) {
      text += table_of(message, field);
    } else if (!field.is_repeated() && !is_plain(field) && reflection.HasField(message, &field)) {
      text += tables_of(reflection.GetMessage(message, &field));
    }
  }
  return text;
}

}  // namespace

std::string money_text(const bank::v1::Money& money) {
  return amount_text(money.minor_units(), money.currency()) + " " +
         ops::ForeignText(money.currency()).shown();
}

std::string time_text(std::int64_t microseconds_since_1970) {
  if (microseconds_since_1970 == 0) return "";
  const async::WallTime time{std::chrono::microseconds(microseconds_since_1970)};
  std::string text = ops::utc_text(time);
  text[10] = ' ';
  return text.substr(0, 19) + "Z";
}

std::string to_text(const Message& message) {
  const std::string tables = tables_of(message);
  Cells cells;
  collect(message, cells);
  std::erase_if(cells, [&](const auto& named) {
    // Beside a table the journal number says little to people.
    return named.second.empty() || (!tables.empty() && named.first == "seq");
  });
  std::size_t widest = 0;
  for (const auto& [name, value] : cells) widest = std::max(widest, text_width(name));
  std::string text = tables;
  for (const auto& [name, value] : cells) {
    text += name + ":" + std::string(widest - text_width(name) + 1, ' ') + value + "\n";
  }
  return text;
}

std::string field_text(const Message& message, std::string_view path) {
  const std::size_t dot = path.find('.');
  const FieldDescriptor& field =
      *message.GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
  if (dot == std::string_view::npos) return unusual(message, field, cell(message, field));
  const Message& within = message.GetReflection()->GetMessage(message, &field);
  return field_text(within, path.substr(dot + 1));
}

std::string to_line(const Message& message) {
  Cells cells;
  collect(message, cells);
  std::string line;
  for (const auto& [name, value] : cells) {
    if (name == "id") continue;
    constexpr std::size_t column = 14;
    if (!line.empty()) line += "  ";
    const std::size_t gap = text_width(value) < column ? column - text_width(value) : 0;
    line += looks_like_number(value) && !value.ends_with('Z') ? std::string(gap, ' ') + value
                                                              : value + std::string(gap, ' ');
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = ops::ForeignText(cell).shown();
  rows_.push_back(std::move(row));
}

std::string Table::text() const {
  std::vector<std::size_t> widths(headings_.size(), 0);
  std::vector<bool> to_the_right(headings_.size(), true);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].empty()) continue;
      widths[i] = std::max({widths[i], text_width(row[i]), text_width(headings_[i])});
      if (!looks_like_number(row[i])) to_the_right[i] = false;
    }
  }
  std::string text;
  const auto line = [&](const std::vector<std::string>& row) {
    std::string written;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!written.empty()) written += "  ";
      const std::string gap(widths[i] - text_width(row[i]), ' ');
      written += to_the_right[i] ? gap + row[i] : row[i] + gap;
    }
    while (written.ends_with(' ')) written.pop_back();
    text += written + "\n";
  };
  std::vector<std::string> capitals = headings_;
  for (std::string& heading : capitals) {
    std::ranges::transform(heading, heading.begin(), [](unsigned char letter) {
      return static_cast<char>(std::toupper(letter));
    });
  }
  line(capitals);
  for (const auto& row : rows_) line(row);
  return text;
}

}  // namespace cli
