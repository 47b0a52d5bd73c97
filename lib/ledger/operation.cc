#include "ledger/operation.h"

#include <variant>

namespace ledger {
namespace {

// Looks for the first compared field that differs.
template <typename Kind>
struct Comparison {
  const Kind& a;
  const Kind& b;
  std::optional<std::string_view> difference;

  template <typename Field>
  void operator()(std::string_view field_name, Field Kind::* member, bool compared = true) {
    if (!compared || difference.has_value() || a.*member == b.*member) return;
    difference = field_name;
  }
};

}  // namespace

std::string_view name(TransferKind kind) {
  switch (kind) {
    case TransferKind::transfer:
      return "transfer";
    case TransferKind::deposit:
      return "deposit";
    case TransferKind::fund:
      return "fund";
    case TransferKind::load_cash:
      return "load";
    case TransferKind::unload_cash:
      return "unload";
    case TransferKind::withdrawal:
      return "withdrawal";
    case TransferKind::adjustment:
      return "adjustment";
    case TransferKind::reversal:
      return "reversal";
  }
  return "unknown";
}

std::string_view name(const Change& change) {
  return std::visit([]<typename Kind>(const Kind&) { return Kind::name; }, change);
}

ReceiptId receipt_of(const Change& change) {
  return std::visit(
      []<typename Kind>(const Kind& kind) {
        if constexpr (requires { kind.receipt; }) return kind.receipt;
        return ReceiptId();
      },
      change);
}

std::optional<std::string_view> first_difference(const Change& a, const Change& b) {
  if (a.index() != b.index()) return "kind";
  return std::visit(
      [&b]<typename Kind>(const Kind& first) {
        Comparison<Kind> comparison{first, std::get<Kind>(b), std::nullopt};
        Kind::fields(comparison);
        return comparison.difference;
      },
      a);
}

}  // namespace ledger
