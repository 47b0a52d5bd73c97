// What the journal has of a change, for the operator: as the wire's messages, and in a sentence.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bank/messages.h"
#include "bank/v1/bank.pb.h"
#include "ledger/books.h"
#include "ledger/store.h"

namespace bank {

v1::ChangeView to_view(const ledger::FoundChange& change, const ledger::Books& books);

// What became of it all: "60.00 EUR was paid at atm-1 and taken from jane." Of nothing, that the bank has never seen it.
std::string summary_of(const std::vector<ledger::FoundChange>& found, const ledger::Books& books);

// Of one that was not done: why. Null for a yes; a PIN that was tried and was wrong is a no.
std::optional<ledger::Refusal> refusal_of(const ledger::FoundChange& change);

// The newest change that was done, else the newest that was refused, else the fence. Null: there is none of them.
const ledger::FoundChange* decisive(const std::vector<ledger::FoundChange>& found);
bool is_fence(const ledger::FoundChange& change);
// The number of the newest transfer that it came to: of a hold's that of what was paid. 0: no money moved.
std::uint64_t transfer_of(const std::vector<ledger::FoundChange>& found);

// The one that the others belong to: of the newest that was paid its hold, else the newest hold, else the decisive one. Null: there
// is none of them.
const ledger::FoundChange* main_change(const std::vector<ledger::FoundChange>& found);

// Sets the outcome; without a change none.
template <typename Response>
void fill_outcome(Response& response, const std::vector<ledger::FoundChange>& found) {
  const ledger::FoundChange* const told = decisive(found);
  if (told == nullptr) return;
  const ledger::Outcome& outcome = told->record.outcome;
  if (is_fence(*told)) {
    response.mutable_fenced()->set_ledger_seq(outcome->ledger_seq);
  } else if (const std::optional<ledger::Refusal> no = refusal_of(*told)) {
    *response.mutable_refused() = to_message(*no);
  } else {
    fill(*response.mutable_executed(), *outcome);
  }
}

// Sets the outcome, the changes and the summary of a FindChangeResponse or ResolveChangeResponse; without a change no outcome.
template <typename Response>
void fill_found(Response& response, const std::vector<ledger::FoundChange>& found,
                const ledger::Books& books) {
  for (const ledger::FoundChange& change : found) *response.add_changes() = to_view(change, books);
  response.set_summary(summary_of(found, books));
  response.set_transfer_seq(transfer_of(found));
  fill_outcome(response, found);
}

}  // namespace bank
