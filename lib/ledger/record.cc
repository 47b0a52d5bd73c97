#include "ledger/record.h"

#include <algorithm>
#include <variant>

namespace ledger {
namespace {

// Of what is done with a hold.
std::optional<OperationId> hold_of(const Change& change) {
  return std::visit(
      []<typename Kind>(const Kind& kind) {
        std::optional<OperationId> hold;
        if constexpr (requires { kind.hold; }) hold = kind.hold;
        return hold;
      },
      change);
}

}  // namespace

std::optional<RefusalCode> why_declined(const Record& record) {
  if (!record.outcome.has_value()) return record.outcome.error().code;
  const auto* const tried = std::get_if<RecordPinAttempt>(&record.operation.change);
  if (tried != nullptr && !tried->right) return RefusalCode::pin_wrong;
  return std::nullopt;
}

std::vector<OperationId> ids_in(const Record& record) {
  std::vector<OperationId> ids;
  const Change& change = record.operation.change;
  if (record.operation.id.is_set()) ids.push_back(record.operation.id);
  if (const ReceiptId receipt = receipt_of(change)) ids.push_back(*receipt);
  if (const std::optional<OperationId> hold = hold_of(change)) ids.push_back(*hold);
  return ids;
}

bool is_about(const Record& record, const OperationId& id) {
  const std::vector<OperationId> ids = ids_in(record);
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace ledger
