#include "atm/bank_words.h"

#include <cstdint>
#include <vector>

#include <google/protobuf/descriptor.h>

namespace atm {

namespace wire = ::bank::v1;

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Whose account it is may be one of another currency: it is shown, and nothing
// is counted from it.
bool shows_an_account(const Message& answer) {
  return answer.GetDescriptor() == wire::GetBalanceResponse::descriptor() ||
         answer.GetDescriptor() == wire::ListStatementResponse::descriptor();
}

// Of the first currency that is said, if any will do.
std::string wrong_currency(const wire::Money& money, std::string& currency) {
  if (currency.empty() && ledger::Currency::parse(money.currency())) currency = money.currency();
  if (!currency.empty() && money.currency() == currency) return {};
  return "it has an amount in '" + money.currency() + "'";
}

std::string wrong_amounts(const Message& message, std::string& currency) {
  if (message.GetDescriptor() == wire::Money::descriptor()) {
    return wrong_currency(static_cast<const wire::Money&>(message), currency);
  }
  if (message.GetDescriptor() == wire::Balance::descriptor()) {
    const auto& balance = static_cast<const wire::Balance&>(message);
    if (!balance.has_balance() || !balance.has_available()) return "a balance lacks an amount";
  }
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr) continue;
    const int count = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      const Message& inside = field->is_repeated()
                                  ? message.GetReflection()->GetRepeatedMessage(message, field, i)
                                  : message.GetReflection()->GetMessage(message, field);
      std::string wrong = wrong_amounts(inside, currency);
      if (!wrong.empty()) return wrong;
    }
  }
  return {};
}

// What stands in the bank's journal has a number there, a refusal has a reason, and a bank a name.
std::string wrong_outcome(const Message& answer) {
  std::vector<const FieldDescriptor*> fields;
  answer.GetReflection()->ListFields(answer, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->message_type() == nullptr || field->is_repeated()) continue;
    const Message& outcome = answer.GetReflection()->GetMessage(answer, field);
    const google::protobuf::Descriptor* const type = outcome.GetDescriptor();
    std::uint64_t number = 1;
    if (type == wire::Receipt::descriptor()) {
      number = static_cast<const wire::Receipt&>(outcome).ledger_seq();
    } else if (type == wire::PinChanged::descriptor()) {
      number = static_cast<const wire::PinChanged&>(outcome).ledger_seq();
    } else if (type == wire::Refusal::descriptor()) {
      const auto& refusal = static_cast<const wire::Refusal&>(outcome);
      if (refusal.code() == wire::REFUSAL_CODE_UNSPECIFIED) return "a refusal has no reason";
    } else if (type == wire::SignedOn::descriptor()) {
      const auto& signed_on = static_cast<const wire::SignedOn&>(outcome);
      if (signed_on.instance_id().empty()) return "the bank does not say which it is";
    }
    if (number == 0) return "it has no number in the bank's journal";
  }
  return {};
}

std::string wrong_hold(const wire::HoldView& hold) {
  const std::int64_t amount = hold.amount().minor_units();
  const std::int64_t captured = hold.captured().minor_units();
  if (!hold.has_amount() || amount < 1) return "a hold is of nothing";
  if (hold.state() != wire::HOLD_STATE_CAPTURED) {
    return captured == 0 ? "" : "of a hold that was not captured something was";
  }
  return captured >= 1 && captured <= amount ? "" : "a hold was captured, but not of its amount";
}

}  // namespace

std::string why_impossible(const Message& answer, ledger::Currency ours) {
  std::string currency = shows_an_account(answer) ? "" : ours.text();
  std::string wrong = wrong_amounts(answer, currency);
  if (wrong.empty()) wrong = wrong_outcome(answer);
  if (!wrong.empty() || answer.GetDescriptor() != wire::GetHoldResponse::descriptor()) return wrong;
  const auto& told = static_cast<const wire::GetHoldResponse&>(answer);
  return told.has_hold() ? wrong_hold(told.hold()) : "";
}

}  // namespace atm
