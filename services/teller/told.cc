#include "teller/told.h"

#include "cli/amount.h"
#include "cli/caller.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "ops/foreign_text.h"
#include "ops/suggest.h"

namespace teller {
namespace {

using namespace atm::v1;

// The ATM says it better; this is for one that says nothing.
std::string plain_words(const Decline& decline) {
  switch (decline.code()) {
    case DECLINE_CODE_NO_SUCH_TERMINAL:
      return "The ATM has no such terminal";
    case DECLINE_CODE_TERMINAL_BUSY:
      return "Another customer stands before this ATM";
    case DECLINE_CODE_NO_SESSION:
      return "Your session is over";
    case DECLINE_CODE_OUT_OF_SERVICE:
      return "This ATM is out of service";
    case DECLINE_CODE_CANNOT_MAKE_AMOUNT:
      return "This ATM has no notes that make this amount";
    case DECLINE_CODE_BY_BANK:
      return "Your bank says no";
    case DECLINE_CODE_BANK_SILENT:
      return "Your bank does not answer; nothing was debited";
    case DECLINE_CODE_DISPENSER_FAULT:
      return "This ATM cannot pay; nothing was debited";
    case DECLINE_CODE_ID_FENCED:
      return "It was not done and never will be";
    case DECLINE_CODE_NOTES_RETURNED:
      return "Your notes were given back";
    default:
      return "The ATM says no";
  }
}

std::string words_of(const Decline& decline) {
  if (!decline.message().empty()) return ops::ForeignText(decline.message()).shown();
  const std::string& refusal = decline.refusal().message();
  return refusal.empty() ? plain_words(decline) : ops::ForeignText(refusal).shown();
}

std::string available(const bank::v1::Balance& balance) {
  return "Available: " + cli::money_text(balance.available()) + ".";
}

std::string paid(const Withdrawn& withdrawn, const PendingChange& asked) {
  std::string text = cli::money_text(withdrawn.amount()) + " paid";
  std::string notes;
  for (const Notes& kind : withdrawn.notes()) {
    notes += (notes.empty() ? "" : ", ") + cli::notes_text(kind);
  }
  if (!notes.empty()) text += ": " + notes;
  text += '.';
  if (!asked.what.empty() && asked.what != cli::money_text(withdrawn.amount())) {
    text += " You asked for " + ops::ForeignText(asked.what).shown() +
            "; only what was paid is debited.";
  }
  if (withdrawn.has_balance()) text += "\n" + available(withdrawn.balance());
  return text;
}

// The ATM had begun: the bank may have reserved the money, and finds that by the receipt's number.
bool was_given_up(const Outcome& outcome) {
  if (!outcome.has_declined()) return false;
  const DeclineCode code = outcome.declined().code();
  return code == DECLINE_CODE_CANCELLED || code == DECLINE_CODE_BANK_SILENT ||
         code == DECLINE_CODE_DISPENSER_FAULT;
}

// What a bank finds the change by. Empty: it is not said where the bank has it.
std::string receipt_line(const Outcome& outcome, const ledger::OperationId& id) {
  const BankEntry entry = bank_entry_of(outcome);
  // What is looked into has a number in any case.
  const bool has_number = outcome.has_suspense() || was_given_up(outcome);
  if (entry.ledger_seq() == 0) return has_number ? "Receipt " + id.text() + "." : "";
  std::string line = "Receipt " + id.text() + "; at the bank: entry ";
  line += std::to_string(entry.ledger_seq());
  const std::string own = cli::bytes_text(entry.id());
  if (own != id.text()) line += ", " + own;
  return line + ".";
}

std::string credited(const Deposited& deposited) {
  std::string handed_back;
  for (const Notes& kind : deposited.handed_back()) {
    handed_back += handed_back.empty() ? " Not accepted, and handed back: " : ", ";
    handed_back += cli::notes_text(kind);
  }
  if (!handed_back.empty()) handed_back += '.';
  std::string text = cli::money_text(deposited.amount());
  if (!deposited.credited()) {
    return text + " counted, not yet credited: the ATM keeps telling the bank until it is." +
           handed_back;
  }
  text += " credited." + handed_back;
  if (deposited.has_balance()) text += "\n" + available(deposited.balance());
  return text;
}

}  // namespace

std::string words_of(const rpc::Status& status) {
  if (status.code == rpc::StatusCode::deadline_exceeded) return "no answer came in time";
  // What went wrong in it its log says, and that is not the customer's.
  if (status.code == rpc::StatusCode::internal && !status.bad_answer)
    return "something failed there";
  std::string words = status.message;
  while (words.ends_with('.')) words.pop_back();
  return words.empty() ? "no answer came" : words;
}

ops::Failure no_answer(const rpc::Status& status) {
  if (status.code == rpc::StatusCode::unimplemented || status.code == rpc::StatusCode::not_found) {
    return {ops::ExitCode::protocol,
            "What answers there is no ATM. If the ATM is elsewhere, say --atm HOST:PORT"};
  }
  return cli::no_answer("the ATM", status, words_of(status));
}

std::string sentence(const Decline& decline) {
  std::string text = ops::as_sentence(words_of(decline));
  std::string nearest;
  for (const bank::v1::Money& amount : decline.nearest()) {
    const std::string written = cli::money_text(amount);
    if (text.find(written) != std::string::npos) continue;
    nearest += (nearest.empty() ? "" : " or ") + written;
  }
  if (!nearest.empty()) text += " It can pay " + nearest + ".";
  if (decline.code() == DECLINE_CODE_NO_SUCH_TERMINAL) text += " Say which with --terminal ID.";
  const std::string tries = std::to_string(decline.tries_left());
  if (decline.tries_left() > 0 && text.find(tries) == std::string::npos) {
    text += " Tries left: " + tries + ".";
  }
  return text;
}

namespace {

std::string words_of(const Outcome& outcome, const PendingChange& asked) {
  switch (outcome.outcome_case()) {
    case Outcome::kWithdrawn:
      return paid(outcome.withdrawn(), asked);
    case Outcome::kDeposited:
      return credited(outcome.deposited());
    case Outcome::kTransferred: {
      std::string text = cli::money_text(outcome.transferred().amount()) + " transferred.";
      if (outcome.transferred().has_balance()) {
        text += "\n" + available(outcome.transferred().balance());
      }
      return text;
    }
    case Outcome::kPinChanged:
      return "Your PIN was changed.";
    case Outcome::kDeclined:
      return sentence(outcome.declined());
    case Outcome::kSuspense: {
      const std::string& words = outcome.suspense().message();
      const std::string amount = cli::money_text(outcome.suspense().amount());
      return words.empty() ? "The ATM cannot tell what you got. " + amount +
                                 " stays reserved until your bank has looked into it."
                           : ops::as_sentence(ops::ForeignText(words).shown());
    }
    case Outcome::kCannotKnow:
      return "This ATM cannot know what became of it.";
    default:
      return "The ATM is still at it.";
  }
}

// A balance is that of the time of the change, and no longer what is available.
Outcome without_balance(Outcome outcome) {
  if (outcome.has_withdrawn()) outcome.mutable_withdrawn()->clear_balance();
  if (outcome.has_deposited()) outcome.mutable_deposited()->clear_balance();
  if (outcome.has_transferred()) outcome.mutable_transferred()->clear_balance();
  return outcome;
}

}  // namespace

std::string sentence(const Outcome& outcome, const PendingChange& asked) {
  const std::string receipt = receipt_line(outcome, asked.id);
  return words_of(outcome, asked) + (receipt.empty() ? "" : "\n" + receipt);
}

std::string sentence_of_earlier(const Outcome& outcome, const PendingChange& change) {
  const std::string intro = "Your earlier " + name_of(change);
  switch (outcome.outcome_case()) {
    case Outcome::kDeclined:
      if (outcome.declined().code() == DECLINE_CODE_ID_FENCED) {
        return intro + " was not done, and never will be.";
      }
      return intro + " was not done: " + sentence(outcome, change);
    case Outcome::kWithdrawn:
    case Outcome::kDeposited:
    case Outcome::kTransferred:
    case Outcome::kPinChanged:
      return intro + " was done: " + sentence(without_balance(outcome), change);
    case Outcome::kCannotKnow:
      return intro + " was begun at another ATM and has no answer yet; ask there.";
    default:
      return intro + " is not settled: " + sentence(outcome, change);
  }
}

std::string sentence_of_unknown(const PendingChange& change, const rpc::Status& status) {
  return "No answer from the ATM (" + ops::ForeignText(words_of(status)).shown() + "): your " +
         name_of(change) +
         " may have been done, or may not. Do not begin another: your next teller command, for "
         "instance `teller balance`, first asks what became of it";
}

BankEntry bank_entry_of(const Outcome& outcome) {
  if (outcome.has_withdrawn()) return outcome.withdrawn().bank();
  if (outcome.has_deposited()) return outcome.deposited().bank();
  if (outcome.has_transferred()) return outcome.transferred().bank();
  if (outcome.has_pin_changed()) return outcome.pin_changed().bank();
  return outcome.suspense().bank();
}

std::string name_of(const PendingChange& change) {
  const std::string name = change.what.empty() ? change.kind : change.kind + " of " + change.what;
  return ops::ForeignText(name).shown();
}

std::string balance_lines(const bank::v1::Balance& balance) {
  return "Balance:   " + cli::money_text(balance.balance()) +
         "\nAvailable: " + cli::money_text(balance.available()) + "\n";
}

std::string counted_out(const Withdrawn& withdrawn) {
  std::string text;
  std::uint32_t number = 0;
  for (const Notes& kind : withdrawn.notes()) {
    for (std::uint32_t i = 0; i < kind.count(); ++i) {
      text += "  " + std::to_string(++number) + ". " + cli::money_text(kind.denomination()) + "\n";
    }
  }
  return text;
}

std::string statement_table(const bank::v1::Statement& statement) {
  if (statement.entries().empty()) return "No entries.\n";
  cli::Table table({"time", "what", "with", "amount", "balance", "reason"});
  for (const bank::v1::StatementEntry& entry : statement.entries()) {
    table.add({cli::time_text(entry.at_us()), entry.kind(), entry.counterparty(),
               cli::money_text(entry.amount()), cli::money_text(entry.balance_after()),
               entry.reason()});
  }
  std::string text = table.text();
  if (!statement.next_page_token().empty()) text += "There are older entries.\n";
  return text;
}

}  // namespace teller
