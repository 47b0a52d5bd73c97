// What the operator asks of the bank: bank.v1.OperatorService.
#include "bankctl/verb.h"

namespace bankctl {
namespace {

const Input account = {"ACCOUNT", "account_id", Kind::text, "the account, as jane"};
const Input card = {"CARD", "card_number", Kind::text, "the card's number"};
const Input terminal = {"TERMINAL", "terminal_id", Kind::text, "the terminal, as atm-1"};
const Input reason = {"--reason", "reason", Kind::text, "Why, for the books"};
const Input in_currency = {"", "currency", Kind::currency};

Input optional(Input input) {
  input.required = false;
  return input;
}

const Input withdrawal_max = {"--withdrawal-max", "limits.withdrawal_max", Kind::amount_or_zero,
                              "The largest withdrawal; 0 is no limit", false};
const Input daily_amount_max = {"--daily-amount-max", "limits.daily_amount_max",
                                Kind::amount_or_zero, "The most on one day; 0 is no limit", false};
const Input daily_count_max = {"--daily-count-max", "limits.daily_count_max", Kind::number,
                               "Withdrawals on one day; 0 is no limit", false};

const VerbTable verbs = {
    "bank.v1.OperatorService",
    {
        {"account open",
         "OpenAccount",
         "Open a customer's account",
         "account open jane --name 'Jane Doe'",
         {account,
          {"--name", "name", Kind::text, "The customer's name"},
          {"--overdraft", "overdraft", Kind::amount_or_zero, "How far it may fall below 0", false},
          in_currency}},
        {"account fund",
         "FundAccount",
         "Put money into an account, out of equity",
         "account fund jane 100.00",
         {account, {"AMOUNT", "amount", Kind::amount, "how much, as 100.00"}}},
        {"account freeze",
         "FreezeAccount",
         "Let nothing leave an account",
         "account freeze jane --reason 'card reported stolen'",
         {account, reason}},
        {"account unfreeze",
         "UnfreezeAccount",
         "Let money leave an account again",
         "account unfreeze jane --reason 'new card issued'",
         {account, reason}},
        {"account close",
         "CloseAccount",
         "Close an empty account for ever",
         "account close jane --reason 'asked for by the customer'",
         {account, reason},
         "A closed account cannot be opened again. Close it?"},
        {"account overdraft",
         "SetOverdraft",
         "Set how far an account may fall below 0",
         "account overdraft jane 50.00",
         {account, {"AMOUNT", "overdraft", Kind::amount_or_zero, "how far, as 50.00, or 0"}}},
        {"account show", "GetAccount", "Show an account", "account show jane", {account}},
        {"account list", "ListAccounts", "List the accounts", "account list"},

        {"terminal add",
         "AddTerminal",
         "Make a terminal and its cash account known",
         "terminal add atm-1",
         {terminal, in_currency}},
        {"terminal in-service",
         "SetTerminalService",
         "Let a terminal serve customers",
         "terminal in-service atm-1",
         {terminal, {"", "in_service", Kind::yes}}},
        {"terminal out-of-service",
         "SetTerminalService",
         "Take a terminal out of service",
         "terminal out-of-service atm-1",
         {terminal}},
        {"terminal list", "ListTerminals", "List the terminals", "terminal list"},

        {"card issue",
         "IssueCard",
         "Issue a card with its PIN for an account",
         "card issue 4000000000000002 jane --pin-file pin.txt",
         {card,
          account,
          {"--pin-file", "pin", Kind::pin},
          withdrawal_max,
          daily_amount_max,
          daily_count_max}},
        {"card block",
         "BlockCard",
         "Block a card",
         "card block 4000000000000002 --reason lost",
         {card, reason}},
        {"card unblock",
         "UnblockCard",
         "Unblock a card, and forget its wrong PINs",
         "card unblock 4000000000000002 --reason found",
         {card, reason}},
        {"card replace",
         "ReplaceCard",
         "Issue another card and block the old one for ever",
         "card replace 4000000000000002 4000000000000010 --reason stolen --pin-file pin.txt",
         {{"OLD", "old_card_number", Kind::text, "the old card's number"},
          {"NEW", "new_card_number", Kind::text, "the new card's number"},
          {"--pin-file", "pin", Kind::pin},
          reason},
         "The old card can never be used again. Replace it?"},
        {"card limits",
         "SetCardLimits",
         "Set all of a card's limits",
         "card limits 4000000000000002 --daily-amount-max 500",
         {card, withdrawal_max, daily_amount_max, daily_count_max}},
        {"card list", "ListCards", "List cards", "card list jane", {optional(account)}},

        {"adjust",
         "Adjust",
         "Move money between two accounts by hand",
         "adjust equity:eur jane 12.50 --reason 'fee charged twice'",
         {{"SOURCE", "source_account_id", Kind::text, "the account that pays"},
          {"TARGET", "target_account_id", Kind::text, "the account that gets it"},
          {"AMOUNT", "amount", Kind::amount, "how much"},
          reason},
         "This moves money. Do it?"},
        {"reverse",
         "Reverse",
         "Take a transfer back, whole",
         "reverse 1742 --reason 'wrong account'",
         {{"TRANSFER", "transfer_seq", Kind::number, "the transfer's number in the journal"},
          reason},
         "This moves money back. Do it?"},
        {"trial-balance", "GetTrialBalance", "Sum up the books: every sum must be 0",
         "trial-balance"},
        {"transfers list",
         "ListTransfers",
         "List transfers, newest first",
         "transfers list jane",
         {optional(account)}},
        {"transfers watch",
         "WatchTransfers",
         "Print each transfer as it is committed",
         "transfers watch --json",
         {{"--from", "from_ledger_seq", Kind::number, "Begin with this number of the journal",
           false}}},
        {"watch",
         "WatchTransfers",
         "The same as transfers watch",
         "watch",
         {{"--from", "from_ledger_seq", Kind::number, "Begin with this number of the journal",
           false}}},
        {"holds list", "ListHolds", "List holds that were neither captured nor voided",
         "holds list"},
        {"exceptions list",
         "ListExceptions",
         "List open exceptions",
         "exceptions list --all",
         {{"--all", "with_resolved", Kind::yes, "Those that are resolved, too", false}}},
        {"exceptions resolve",
         "ResolveException",
         "Settle an exception",
         "exceptions resolve 1742 --paid 60.00 --reason 'the camera shows it'",
         {{"EXCEPTION", "exception_seq", Kind::number, "its number, from exceptions list"},
          {"--paid", "paid_minor_units", Kind::minor_units,
           "Of a suspended hold: what the customer got, or 0", false},
          reason},
         "This cannot be taken back. Settle it?"},
        {"resolve",
         "ResolveChange",
         "Tell what became of a change; if nothing, forbid it",
         "resolve 0190b5c4-7a3e-7c1d-9f00-0123456789ab",
         {{"ID", "id", Kind::id, "the change's id"}}},
        {"backup",
         "Backup",
         "Copy the bank's database while it serves",
         "backup /var/backups/bank-2026-11-23.db",
         {{"PATH", "path", Kind::text, "a new file on the bank's machine"}}},
    }};

}  // namespace

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {"account", "Customers' accounts: open, fund, freeze, close, list"},
      {"terminal", "ATMs as the bank knows them: add, take in and out of service"},
      {"card", "Cards: issue, block, replace, limits"},
      {"transfers", "What was moved: list, watch"},
      {"holds", "What is reserved"},
      {"exceptions", "What the rules could not settle by themselves"},
      {"atm", "An ATM's cash and devices: load, count, audit, service"},
  };
  return all;
}

const VerbTable& bank_verbs() { return verbs; }

}  // namespace bankctl
