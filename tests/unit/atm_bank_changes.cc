// What the tests' bank has under an id, or on a receipt.
#include "atm_bank.h"
#include "ops/log.h"

namespace atm {

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

}  // namespace atm
