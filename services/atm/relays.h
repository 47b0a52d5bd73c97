// Relays: transfers and changes of PIN, passed through to the bank under the customer's own id.
#pragma once

#include <string>

#include "atm/items.h"
#include "atm/machinery.h"
#include "atm/terminal.h"
#include "atm/v1/atm.pb.h"

namespace atm {

using RelayItem = ItemPointer<Relay>;

// Remembers each before it is sent, so that Resolve can ask the bank what became of it, and each
// answer, so that a retry gets the first. Moves no cash. Owned by the Atm; loop thread only.
class Relays {
 public:
  Relays(Machinery& machinery, Items<Relay>& items) : machinery_(machinery), items_(items) {}

  // The item of this id: what it was before, or `relay` journalled as SENT.
  Task<RelayItem> remember(Terminal& terminal, Relay relay);

  // Sends it, again if need be, and remembers the answer. A token that the bank no longer knows is
  // declined with NO_SESSION. Throws rpc::Error when the bank gave no answer: the outcome is
  // unknown, and Resolve tells it later.
  Task<v1::TransferResponse> transfer(RelayItem item, std::string token, rpc::Context context);
  Task<v1::ChangePinResponse> change_pin(RelayItem item, ::bank::v1::ChangePinRequest request,
                                         rpc::Context context);

  // Asks the bank what became of it, which fences it there if it never arrived.
  Task<v1::ResolveResponse> resolve(RelayItem item, rpc::Context context);

 private:
  Task<bool> ask_bank(RelayItem item, rpc::Context context);
  Task<bool> only_ended_the_session(RelayItem item, rpc::Status status, rpc::Context context);
  void ended(const RelayItem& item, RelayState state, const google::protobuf::Message& answer,
             std::uint64_t ledger_seq);
  v1::ResolveResponse outcome(const Relay& relay) const;

  Machinery& machinery_;
  Items<Relay>& items_;
};

}  // namespace atm
