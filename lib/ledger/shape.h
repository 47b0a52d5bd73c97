#pragma once

#include <optional>
#include <string_view>

#include "ledger/operation.h"
#include "ledger/refusal.h"

namespace ledger {

// Whether an operation makes sense by itself, whatever the books say: the first check of rule 7.
// Never pinned.
std::optional<Refusal> check_shape(const Operation& operation);

// What breaks the rule of an identifier, of a customer's account, of a terminal or of a card's number;
// `none` if nothing does. A terminal's is 1 to 59 of an identifier's letters, and not "operator".
ShapeFault why_not_identifier(std::string_view text);
ShapeFault why_not_customer_account_id(std::string_view text);
ShapeFault why_not_terminal_id(std::string_view text);
ShapeFault why_not_card_number(std::string_view text);

// 1 to 64 of a-z, 0-9, '-', '_', '.', ':'. What accounts and terminals are called.
bool is_identifier(std::string_view text);
// An identifier that a customer's account can have: not the bank's own "cash:..." or "equity:...".
bool is_customer_account_id(std::string_view text);
// card_digits_min to card_digits_max digits.
bool is_card_number(std::string_view text);

}  // namespace ledger
