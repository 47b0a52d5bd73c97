#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "ledger/inline_text.h"
#include "ledger/money.h"
#include "ledger/operation_id.h"
#include "ledger/time.h"

namespace ledger {

// What can be asked of the ledger, one struct a kind of change. Plain values, for any thread.
//
// Each struct lists its fields once, in `fields`: by that list it is journalled, read back and
// compared with the first use of its id. Names are the wire's, so that a refusal can name the field
// that differs. The order is part of the journal's format: append only. A field marked `carried` is
// journalled but not compared.
inline constexpr bool carried = false;

inline constexpr std::size_t card_digits_min = 8;
inline constexpr std::size_t card_digits_max = 19;
inline constexpr std::size_t identifier_size_max = 64;
// So that the terminal's account, "cash:<terminal>", is an identifier too.
inline constexpr std::size_t terminal_id_size_max = identifier_size_max - 5;
// The principal of the bank's operator; no terminal may have this id.
inline constexpr std::string_view operator_principal = "operator";
inline constexpr std::size_t name_size_max = 128;
inline constexpr std::size_t text_size_max = 1024;
inline constexpr std::chrono::milliseconds hold_time_to_live_max = std::chrono::hours(24 * 7);
inline constexpr std::uint32_t pin_tries_max = 3;

// A card's number, where every change of a customer's has one.
using CardDigits = InlineText<card_digits_max>;

// The id that whoever stands before the ATM has for a change, where the ATM made the change's own:
// what is on the receipt. It names nothing in the books, but a change can be found by it.
using ReceiptId = std::optional<OperationId>;

// Why money moved. The numbers are journalled.
enum class TransferKind : std::uint8_t {
  transfer = 1,
  deposit = 2,
  fund = 3,
  load_cash = 4,
  unload_cash = 5,
  // These are made by Capture, Adjust, Reverse and ResolveException, never asked for in a Post.
  withdrawal = 6,
  adjustment = 7,
  reversal = 8,
};
// "withdrawal", "deposit", "transfer", "fund", "load", "unload", "adjustment", "reversal".
std::string_view name(TransferKind kind);

// Move money now. What is given depends on the kind, the ledger finds the rest:
//   transfer     source or card; target      (a card must be active, and a terminal, if named, in
//   service) deposit      card, terminal              the terminal's cash account -> the card's
//   account fund         target                      equity -> target load_cash    terminal its
//   cash account -> equity unload_cash  terminal                    equity -> its cash account
struct Post {
  TransferKind kind = TransferKind::transfer;
  std::string source{};
  std::string target{};
  Cents amount{};
  Currency currency{};
  CardDigits card{};
  std::string terminal{};
  ReceiptId receipt{};
  // Of a deposit: its notes stay in the terminal whatever the answer is, so a refusal is an exception.
  bool kept = false;

  static constexpr std::string_view name = "post";
  static constexpr void fields(auto&& field) {
    field("kind", &Post::kind);
    field("source_account_id", &Post::source);
    field("target_account_id", &Post::target);
    field("amount", &Post::amount);
    field("currency", &Post::currency);
    field("card_number", &Post::card);
    field("terminal_id", &Post::terminal);
    field("receipt_id", &Post::receipt);
    field("kept", &Post::kept, carried);
  }
};

// Reserve money of the card's account for the terminal's cash account. The operation's id names the
// hold from then on. Refused if its receipt's id was fenced: somebody was told that it was not done.
struct Hold {
  CardDigits card{};
  std::string terminal{};
  Cents amount{};
  Currency currency{};
  std::chrono::milliseconds time_to_live{0};
  ReceiptId receipt{};

  static constexpr std::string_view name = "hold";
  static constexpr void fields(auto&& field) {
    field("card_number", &Hold::card);
    field("terminal_id", &Hold::terminal);
    field("amount", &Hold::amount);
    field("currency", &Hold::currency);
    field("time_to_live_ms", &Hold::time_to_live);
    field("receipt_id", &Hold::receipt);
  }
};

// Move all or part of a hold, release the rest. Ends the hold. What is carried says whose hold it was
// if the ledger has lost it; it is journalled with a refusal only.
struct Capture {
  OperationId hold{};
  std::string terminal{};
  Cents amount{};
  Currency currency{};
  CardDigits card{};
  ReceiptId receipt{};
  std::string evidence{};

  static constexpr std::string_view name = "capture";
  static constexpr void fields(auto&& field) {
    field("hold_id", &Capture::hold);
    field("terminal_id", &Capture::terminal);
    field("amount", &Capture::amount);
    field("currency", &Capture::currency);
    field("card_number", &Capture::card, carried);
    field("receipt_id", &Capture::receipt, carried);
    field("evidence", &Capture::evidence, carried);
  }
};

// Release a hold. Fences the hold's id if the ledger never saw it.
struct Void {
  OperationId hold{};
  std::string terminal{};

  static constexpr std::string_view name = "void";
  static constexpr void fields(auto&& field) {
    field("hold_id", &Void::hold);
    field("terminal_id", &Void::terminal);
  }
};

// The terminal does not know what it paid: no expiry any more, reserved until captured, voided or
// decided by the operator. Suspended again, the newest evidence is what the operator reads. Card,
// receipt and amount are as those of a Capture: they say what was held if the ledger has lost it.
struct Suspend {
  OperationId hold{};
  std::string terminal{};
  std::string evidence{};
  CardDigits card{};
  ReceiptId receipt{};
  // 0: not told.
  Cents amount{};
  // Of the amount and the planned notes, and the hold's.
  Currency currency{};
  // The notes in question (planned_notes.h): the operator decides for an amount that they make.
  // Empty: for any.
  std::string planned{};

  static constexpr std::string_view name = "suspend";
  static constexpr void fields(auto&& field) {
    field("hold_id", &Suspend::hold);
    field("terminal_id", &Suspend::terminal);
    field("evidence", &Suspend::evidence, carried);
    field("card_number", &Suspend::card, carried);
    field("receipt_id", &Suspend::receipt, carried);
    field("amount", &Suspend::amount, carried);
    field("currency", &Suspend::currency, carried);
    field("planned", &Suspend::planned, carried);
  }
};

// Asks what became of the operation's own id, and fences it if the ledger never saw it.
struct Resolve {
  static constexpr std::string_view name = "resolve";
  static constexpr void fields(auto&&) {}
};

// Opens a customer's account. The first account of a currency opens its equity account too,
// "equity:eur".
struct OpenAccount {
  std::string account{};
  std::string customer_name{};
  Currency currency{};
  Cents overdraft{};

  static constexpr std::string_view name = "open_account";
  static constexpr void fields(auto&& field) {
    field("account_id", &OpenAccount::account);
    field("name", &OpenAccount::customer_name);
    field("currency", &OpenAccount::currency);
    field("overdraft", &OpenAccount::overdraft);
  }
};

struct Freeze {
  std::string account{};
  std::string reason{};

  static constexpr std::string_view name = "freeze";
  static constexpr void fields(auto&& field) {
    field("account_id", &Freeze::account);
    field("reason", &Freeze::reason);
  }
};

struct Unfreeze {
  std::string account{};
  std::string reason{};

  static constexpr std::string_view name = "unfreeze";
  static constexpr void fields(auto&& field) {
    field("account_id", &Unfreeze::account);
    field("reason", &Unfreeze::reason);
  }
};

// For ever. Refused while the account has money or a hold that was neither captured nor voided.
struct Close {
  std::string account{};
  std::string reason{};

  static constexpr std::string_view name = "close";
  static constexpr void fields(auto&& field) {
    field("account_id", &Close::account);
    field("reason", &Close::reason);
  }
};

struct SetOverdraft {
  std::string account{};
  Cents overdraft{};
  // The account's, or not set.
  Currency currency{};

  static constexpr std::string_view name = "set_overdraft";
  static constexpr void fields(auto&& field) {
    field("account_id", &SetOverdraft::account);
    field("overdraft", &SetOverdraft::overdraft);
    field("currency", &SetOverdraft::currency);
  }
};

// Opens the terminal's cash account, "cash:<terminal>", too. It begins in service.
struct AddTerminal {
  std::string terminal{};
  Currency currency{};

  static constexpr std::string_view name = "add_terminal";
  static constexpr void fields(auto&& field) {
    field("terminal_id", &AddTerminal::terminal);
    field("currency", &AddTerminal::currency);
  }
};

struct SetTerminalService {
  std::string terminal{};
  bool in_service = false;

  static constexpr std::string_view name = "set_terminal_service";
  static constexpr void fields(auto&& field) {
    field("terminal_id", &SetTerminalService::terminal);
    field("in_service", &SetTerminalService::in_service);
  }
};

// 0: no limit. Amounts are of the account's currency.
struct CardLimits {
  Cents withdrawal_max{};
  Cents daily_amount_max{};
  std::uint32_t daily_count_max = 0;

  friend bool operator==(const CardLimits&, const CardLimits&) = default;
};

// A PIN's hash has another salt every time, so it is carried, not compared.
struct IssueCard {
  std::string card{};
  std::string account{};
  std::string pin_hash{};
  CardLimits limits{};
  // The account's, or not set.
  Currency currency{};

  static constexpr std::string_view name = "issue_card";
  static constexpr void fields(auto&& field) {
    field("card_number", &IssueCard::card);
    field("account_id", &IssueCard::account);
    field("pin", &IssueCard::pin_hash, carried);
    field("limits", &IssueCard::limits);
    field("currency", &IssueCard::currency);
  }
};

// The operator names a card by its number, by its id, or by its account and its last four digits
// (Books::find_named_card): here, and wherever one is unblocked, replaced or limited.
struct BlockCard {
  std::string card{};
  std::string reason{};

  static constexpr std::string_view name = "block_card";
  static constexpr void fields(auto&& field) {
    field("card_number", &BlockCard::card);
    field("reason", &BlockCard::reason);
  }
};

// Also forgets wrong PINs. A replaced card stays blocked for ever.
struct UnblockCard {
  std::string card{};
  std::string reason{};

  static constexpr std::string_view name = "unblock_card";
  static constexpr void fields(auto&& field) {
    field("card_number", &UnblockCard::card);
    field("reason", &UnblockCard::reason);
  }
};

// The new card has the old one's account, its limits, and what was taken of them today.
struct ReplaceCard {
  std::string old_card{};
  std::string new_card{};
  std::string pin_hash{};
  std::string reason{};

  static constexpr std::string_view name = "replace_card";
  static constexpr void fields(auto&& field) {
    field("old_card_number", &ReplaceCard::old_card);
    field("new_card_number", &ReplaceCard::new_card);
    field("pin", &ReplaceCard::pin_hash, carried);
    field("reason", &ReplaceCard::reason);
  }
};

// Limits that are not set stay as they are.
struct SetCardLimits {
  std::string card{};
  std::optional<Cents> withdrawal_max{};
  std::optional<Cents> daily_amount_max{};
  std::optional<std::uint32_t> daily_count_max{};
  // The account's, or not set.
  Currency currency{};

  static constexpr std::string_view name = "set_card_limits";
  static constexpr void fields(auto&& field) {
    field("card_number", &SetCardLimits::card);
    field("limits.withdrawal_max", &SetCardLimits::withdrawal_max);
    field("limits.daily_amount_max", &SetCardLimits::daily_amount_max);
    field("limits.daily_count_max", &SetCardLimits::daily_count_max);
    field("currency", &SetCardLimits::currency);
  }
};

// What became of the old PIN when a new one is set. The numbers are journalled.
enum class OldPin : std::uint8_t { right = 1, wrong = 2 };

// A new PIN. With a wrong old one it is refused as pin_wrong, pinned, and counts as a wrong try,
// once: the same id asked again gets that answer, and a change that succeeded gets its yes again
// although its old PIN is wrong by then.
struct SetPin {
  std::string card{};
  std::string terminal{};
  std::string pin_hash{};
  OldPin old_pin = OldPin::right;

  static constexpr std::string_view name = "set_pin";
  static constexpr void fields(auto&& field) {
    field("card_number", &SetPin::card);
    field("terminal_id", &SetPin::terminal);
    field("new_pin", &SetPin::pin_hash, carried);
    field("old_pin", &SetPin::old_pin, carried);
  }
};

// A PIN was tried. A wrong one is counted before anybody is told; the third locks the card. A right
// one forgets the wrong ones, and is refused as pin_tries_exceeded if the card is locked by then:
// so ask for this with every try, right or wrong, before answering. A right try that changes
// nothing is not journalled. Its refusals are not pinned.
struct RecordPinAttempt {
  std::string card{};
  bool right = false;

  static constexpr std::string_view name = "record_pin_attempt";
  static constexpr void fields(auto&& field) {
    field("card_number", &RecordPinAttempt::card);
    field("right", &RecordPinAttempt::right);
  }
};

// The operator moves money by hand, with a reason. Checked like a transfer.
struct Adjust {
  std::string source{};
  std::string target{};
  Cents amount{};
  Currency currency{};
  std::string reason{};

  static constexpr std::string_view name = "adjust";
  static constexpr void fields(auto&& field) {
    field("source_account_id", &Adjust::source);
    field("target_account_id", &Adjust::target);
    field("amount", &Adjust::amount);
    field("currency", &Adjust::currency);
    field("reason", &Adjust::reason);
  }
};

// Takes a movement of money back, whole and once. Checked like a transfer. The ledger looks the
// movement up and carries here what it found; callers leave it empty.
struct Reverse {
  std::uint64_t transfer_seq = 0;
  std::string reason{};
  std::string source{};
  std::string target{};
  Cents amount{};
  Currency currency{};

  static constexpr std::string_view name = "reverse";
  static constexpr void fields(auto&& field) {
    field("transfer_seq", &Reverse::transfer_seq);
    field("reason", &Reverse::reason);
    field("source_account_id", &Reverse::source, carried);
    field("target_account_id", &Reverse::target, carried);
    field("amount", &Reverse::amount, carried);
    field("currency", &Reverse::currency, carried);
  }
};

// `paid`: only, and always, for a suspended hold: what the customer got. 0 releases the hold, more
// captures that much.
struct ResolveException {
  std::uint64_t exception_seq = 0;
  std::optional<Cents> paid{};
  std::string reason{};
  // The hold's, or not set.
  Currency currency{};

  static constexpr std::string_view name = "resolve_exception";
  static constexpr void fields(auto&& field) {
    field("exception_seq", &ResolveException::exception_seq);
    field("paid", &ResolveException::paid);
    field("reason", &ResolveException::reason);
    field("currency", &ResolveException::currency);
  }
};

// Made by the store when a hold's time is over, never by a caller; its operation has no id.
struct ExpireHold {
  OperationId hold{};

  static constexpr std::string_view name = "expire_hold";
  static constexpr void fields(auto&& field) { field("hold_id", &ExpireHold::hold); }
};

// The alternative's place is journalled: append only.
using Change = std::variant<Post, Hold, Capture, Void, Suspend, Resolve, OpenAccount, Freeze,
                            Unfreeze, Close, SetOverdraft, AddTerminal, SetTerminalService,
                            IssueCard, BlockCard, UnblockCard, ReplaceCard, SetCardLimits, SetPin,
                            RecordPinAttempt, Adjust, Reverse, ResolveException, ExpireHold>;

// One change asked for: by whom, under which id. The deadline is neither journalled nor compared.
struct Operation {
  OperationId id{};
  // The caller. An id belongs to the principal that used it first.
  std::string principal{};
  Deadline deadline = Deadline::never();
  Change change{};
};

// "post", "hold", ...
std::string_view name(const Change& change);

// The receipt's id that a change was told with.
ReceiptId receipt_of(const Change& change);

// The first compared field in which two changes differ, by its name on the wire; "kind" when they
// are of different kinds; nothing when they are the same.
std::optional<std::string_view> first_difference(const Change& a, const Change& b);

}  // namespace ledger
