// What the tests' bank has under an id, or on a receipt.
#include "atm_bank.h"
#include "ops/log.h"

namespace atm {

std::string AtmBank::sentence_of(wire::RefusalCode code) {
  switch (code) {
    case wire::REFUSAL_CODE_ID_FENCED:
      return "This id was settled as not done, and can never be done.";
    case wire::REFUSAL_CODE_ID_BELONGS_TO_ANOTHER:
      return "Another caller has used this id.";
    case wire::REFUSAL_CODE_ID_USED_WITH_OTHER_FIELDS:
      return "This id was used for a change with another amount.";
    case wire::REFUSAL_CODE_HOLD_NOT_FOUND:
      return "There is no such hold.";
    case wire::REFUSAL_CODE_HOLD_ALREADY_CAPTURED:
      return "The hold was captured already.";
    case wire::REFUSAL_CODE_HOLD_ALREADY_VOIDED:
      return "The hold was released already.";
    case wire::REFUSAL_CODE_CAPTURE_EXCEEDS_HOLD:
      return "That is more than was reserved.";
    case wire::REFUSAL_CODE_PIN_TRIES_EXCEEDED:
      return "The card is locked after too many wrong PINs.";
    case wire::REFUSAL_CODE_PIN_WRONG:
      return "The PIN is wrong.";
    case wire::REFUSAL_CODE_TERMINAL_NOT_FOUND:
      return "The bank does not know this terminal.";
    case wire::REFUSAL_CODE_CARD_NOT_FOUND:
      return "There is no such card.";
    case wire::REFUSAL_CODE_ACCOUNT_NOT_FOUND:
      return "There is no such account.";
    case wire::REFUSAL_CODE_ACCOUNTS_MUST_DIFFER:
      return "Source and target are the same account.";
    case wire::REFUSAL_CODE_INSUFFICIENT_FUNDS:
      return "There is not enough money in the account.";
    case wire::REFUSAL_CODE_TERMINAL_OUT_OF_SERVICE:
      return "The terminal is out of service.";
    default:
      return "The bank says: not today.";
  }
}

// The id of the change itself, or the one whose receipt it is.
std::string AtmBank::known_by(const std::string& id) const {
  if (state.answers.contains(id)) return id;
  for (const auto& [own, receipt] : state.receipts) {
    const auto known = state.answers.find(own);
    const bool is_begin = known != state.answers.end() && known->second.method != "Capture";
    if (receipt == id && is_begin && known->second.method != "Suspend") return own;
  }
  return id;
}

void AtmBank::describe(wire::ChangeView& change, const std::string& id) const {
  const Pinned& known = state.answers.at(id);
  change.set_id(id);
  wire::ChangePinRequest pin;
  if (known.method == "ChangePin") {
    change.set_kind("set_pin");
    pin.ParseFromString(known.fields);
    change.set_card(ops::mask_card(pin.card_number()));
  }
  if (known.method == "LoadCash") return change.set_kind("load");
  if (known.method == "UnloadCash") return change.set_kind("unload");
  if (known.method == "Capture") change.set_kind("capture");
  if (known.method == "Void") change.set_kind("void");
  if (known.method == "Suspend") change.set_kind("suspend");
  wire::TransferRequest moved;
  if (known.method == "Transfer") {
    change.set_kind("transfer");
    moved.ParseFromString(known.fields);
    *change.mutable_amount() = moved.amount();
    change.set_card(ops::mask_card(moved.card_number()));
    change.set_target_account_id(moved.target_account_id());
  }
  wire::DepositRequest put_in;
  if (known.method == "Deposit") {
    change.set_kind("deposit");
    put_in.ParseFromString(known.fields);
    *change.mutable_amount() = put_in.amount();
  }
  const auto hold = state.holds.find(id);
  if (hold == state.holds.end()) return;
  change.set_kind("hold");
  change.set_hold_state(hold->second.state);
  change.mutable_amount()->set_minor_units(hold->second.amount);
  change.mutable_amount()->set_currency("EUR");
  change.mutable_paid()->set_minor_units(hold->second.captured);
  change.mutable_paid()->set_currency("EUR");
}

void AtmBank::fence(const std::string& id, const std::string& terminal) {
  next_seq();
  state.fenced.insert(id);
  state.answers[id] = {.terminal = terminal, .seq = static_cast<std::uint64_t>(seq())};
}

void AtmBank::next_seq() {
  state.heads.push_back("head " + std::to_string(++heads_made_));  // Never the same again.
}

}  // namespace atm
