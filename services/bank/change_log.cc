#include "bank/change_log.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bank/messages.h"
#include "bank/operations.h"

namespace bank {
namespace {

bool is_of_pin(std::string_view field) { return field.find("pin") != std::string_view::npos; }
bool is_card_number(std::string_view field) { return field.ends_with("card_number"); }

// Collects fields. What they view is the operation's, or kept here.
class Event {
 public:
  void add(std::string_view key, std::string_view text) {
    if (!text.empty()) fields_.emplace_back(key, text);
  }
  void add_made(std::string_view key, std::string text) {
    add(key, *made_.emplace_back(std::make_unique<std::string>(std::move(text))));
  }
  template <typename Number>
  void add_number(std::string_view key, Number number) {
    fields_.emplace_back(key, number);
  }
  void write(const ops::Log& log, ops::LogLevel level, std::string_view message) const {
    log.write(level, message, fields_);
  }

 private:
  std::vector<ops::LogField> fields_;
  std::vector<std::unique_ptr<std::string>> made_;
};

template <typename Value>
void add_value(Event& event, std::string_view name, const Value& value) {
  if constexpr (std::is_convertible_v<const Value&, std::string_view>) {
    if (is_card_number(name)) {
      event.add_made(name, shown_card(value));
    } else {
      event.add(name, value);
    }
  } else if constexpr (std::is_same_v<Value, ledger::Cents>) {
    event.add_number(name, value.value);
  } else if constexpr (std::is_same_v<Value, std::optional<ledger::Cents>>) {
    if (value) event.add_number(name, value->value);
  } else if constexpr (std::is_same_v<Value, std::optional<std::uint32_t>>) {
    if (value) event.add_number(name, *value);
  } else if constexpr (std::is_same_v<Value, ledger::Currency> ||
                       std::is_same_v<Value, ledger::OperationId>) {
    event.add_made(name, value.text());
  } else if constexpr (std::is_same_v<Value, ledger::ReceiptId>) {
    if (value) event.add_made(name, value->text());
  } else if constexpr (std::is_same_v<Value, ledger::TransferKind>) {
    event.add(name, ledger::name(value));
  } else if constexpr (std::is_same_v<Value, std::chrono::milliseconds>) {
    event.add_number(name, value.count());
  } else if constexpr (std::is_integral_v<Value>) {
    event.add_number(name, value);
  } else if constexpr (std::is_same_v<Value, ledger::CardLimits>) {
    event.add_number("withdrawal_max", value.withdrawal_max.value);
    event.add_number("daily_amount_max", value.daily_amount_max.value);
    event.add_number("daily_count_max", value.daily_count_max);
  } else {
    static_assert(std::is_same_v<Value, ledger::OldPin>, "Say how the log shows this.");
    event.add(name, value == ledger::OldPin::right ? "right" : "wrong");
  }
}

void add_fields(Event& event, const ledger::Change& change) {
  std::visit(
      [&event](const auto& kind) {
        // How much a reversal moves is found when it is decided.
        const bool is_reversal = std::is_same_v<std::decay_t<decltype(kind)>, ledger::Reverse>;
        kind.fields([&](std::string_view name, auto member, auto...) {
          if (is_reversal && name == "amount") return;
          const auto& value = kind.*member;
          const bool is_text = std::is_same_v<std::decay_t<decltype(value)>, std::string>;
          if (is_text && is_of_pin(name)) return;  // A hash, but nothing for a log either.
          add_value(event, name, value);
        });
      },
      change);
}

void add_outcome(Event& event, const ledger::Outcome& outcome) {
  if (outcome) {
    event.add("outcome", "done");
    event.add_number("ledger_seq", outcome->ledger_seq);
    if (outcome->replayed) event.add_number("replayed", true);
    return;
  }
  event.add("outcome", ledger::name(outcome.error().code));
  event.add("field", outcome.error().field);
  if (outcome.error().ledger_seq != 0) event.add_number("ledger_seq", outcome.error().ledger_seq);
  if (outcome.error().replayed) event.add_number("replayed", true);
}

}  // namespace

ops::LogLevel level_of(const ledger::Operation& operation) {
  return operation.principal == operator_principal ? ops::LogLevel::info : ops::LogLevel::debug;
}

void log_change(const ops::Log& log, const ledger::Operation& operation,
                const ledger::Outcome& outcome) {
  Event event;
  event.add_made("id", operation.id.text());
  event.add("principal", operation.principal);
  add_fields(event, operation.change);
  add_outcome(event, outcome);
  event.write(log, level_of(operation), ledger::name(operation.change));
}

}  // namespace bank
