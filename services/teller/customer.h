// A customer at an ATM: the calls of atm.v1.AtmService, and rule 21 of the money rules.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "async/loop.h"
#include "async/random.h"
#include "async/task.h"
#include "async/time.h"
#include "atm/v1/atm.pb.h"
#include "ledger/money.h"
#include "rpc/client.h"
#include "teller/pending.h"

namespace teller {

struct CustomerOptions {
  std::string terminal;  // Empty: the ATM's only one.
  std::string card;
  async::Duration patience = std::chrono::seconds(30);  // For one answer, resending included.
};

// What a change came to, whichever call told it: the ATM's answer to Resolve has a case for each.
using Outcome = atm::v1::ResolveResponse;

// An answer, or why there is none. Of a change the status says no (nothing was done) or unknown.
template <typename Answer>
using Answered = std::expected<Answer, rpc::Status>;

// Before a card is there: why nobody is served. The status of a call without an answer, or NOT_FOUND
// where another server than an ATM answers; nullopt if an ATM does. The channel outlives the call.
async::Task<std::optional<rpc::Status>> why_no_atm(rpc::Channel& atm, rpc::Context context);

// Owned by main or a test; loop thread only; one call at a time. The client, the file and the
// random source outlive it.
//
// Invariant: a change is sent only while the pending file holds its id, and the file is cleared
// only when the change's outcome was told, or it was surely never sent.
class Customer {
 public:
  Customer(async::Loop& loop, rpc::Channel& atm, async::Random& random, PendingFiles& pending,
           CustomerOptions options)
      : loop_(loop),
        atm_(atm),
        random_(random),
        pending_(pending),
        options_(std::move(options)),
        trace_(rpc::Trace::make(random)) {}

  // A change that an earlier command left without an answer, if any. Settle it before anything
  // else, until there is none.
  std::optional<PendingChange> earlier() const;
  // What became of it. Asks until the ATM knows or the patience is at its end. CannotKnow: it was
  // asked of another ATM; it stays on the disk, and earlier() no longer returns it.
  async::Task<Answered<Outcome>> settle(PendingChange change);
  // The outcome of the last change was told to the customer: forget it.
  void told() { pending_.clear(last_.atm_id); }

  // The same as teller::why_no_atm(), of this customer's ATM.
  async::Task<std::optional<rpc::Status>> why_no_atm();
  // Begins a session. The PIN is kept, to begin another one when the connection is lost.
  async::Task<Answered<atm::v1::InsertCardResponse>> insert_card(std::string pin);
  async::Task<> end_session();
  const atm::v1::Session& session() const { return session_; }
  // What the session's amounts are in: the account's currency. Throws Failure(protocol) when the ATM
  // named none.
  ledger::Currency currency() const;
  // The notes that the ATM takes, smallest first, and their currency. An ATM that does not say has
  // the account's.
  ledger::Currency cash_currency() const;
  std::vector<ledger::Cents> denominations() const;
  // What a menu offers to withdraw, at most four amounts.
  std::vector<ledger::Cents> usual_amounts() const;

  async::Task<Answered<atm::v1::GetBalanceResponse>> balance();
  async::Task<Answered<atm::v1::ListStatementResponse>> statement(std::uint32_t entries);

  // Each stores a new id, then sends, and again after silence, until an answer or the end of the
  // patience. Then call told(), unless the outcome is unknown.
  async::Task<Answered<Outcome>> withdraw(bank::v1::Money amount);
  async::Task<Answered<Outcome>> deposit(std::vector<atm::v1::Notes> notes, std::string what);
  async::Task<Answered<Outcome>> transfer(bank::v1::Money amount, std::string target_account);
  async::Task<Answered<Outcome>> change_pin(std::string old_pin, std::string new_pin);

  // The id of the last change, for messages.
  const ledger::OperationId& last_id() const { return last_.id; }

 private:
  template <typename Request, typename Response>
  async::Task<Answered<Outcome>> change(const rpc::Method<Request, Response>& method,
                                        Request request, PendingChange pending);
  async::Task<Answered<Outcome>> resolve_until(async::Deadline until);
  async::Task<bool> begin_again(async::Deadline until);
  async::Task<bool> wait(int tries, async::Deadline until);

  async::Loop& loop_;
  rpc::Channel& atm_;
  async::Random& random_;
  PendingFiles& pending_;
  CustomerOptions options_;
  rpc::Trace trace_;  // All that this customer asks for is one trace, in the ATM and in the bank.
  std::string pin_;
  atm::v1::Session session_;
  PendingChange last_;                          // Which was asked for, or is being settled.
  std::vector<ledger::OperationId> elsewhere_;  // Changes that were asked of other ATMs.
};

}  // namespace teller
