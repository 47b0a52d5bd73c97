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
// answer, so that a retry gets the first. A bank whose history went back since may have lost what it
// answered: it is asked again before anybody is told (rule 24). Moves no cash. Owned by the Atm;
// loop thread only.
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
  Task<bool> was_not_begun(RelayItem item, rpc::Status status, rpc::Context context);
  // Of one that has ended: what it ended with may be told, if need be once the bank has said so
  // again. Throws rpc::Error when it does not say.
  Task<> require_still_so(RelayItem item, rpc::Context context);
  bool is_still_so(const Relay& relay) const;
  // Before each sending: the history may have gone back while it was written down. Throws rpc::Error.
  void require_accepted_history() const;
  // What the bank's answer comes to, as the customer's response.
  Blob told_by(const Relay& relay, const ::bank::v1::ResolveResponse& bank) const;
  // The record has the answer that counts afterwards: another may have been told before this one.
  void ended(const RelayItem& item, RelayState state, Blob answer, std::uint64_t ledger_seq,
             std::uint32_t told_in);
  v1::ResolveResponse outcome(const Relay& relay) const;

  Machinery& machinery_;
  Items<Relay>& items_;
};

}  // namespace atm
