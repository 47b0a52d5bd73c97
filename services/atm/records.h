// Records: what the journal keeps, one struct a table.
//
// The order of the fields is the journal's format: every change is a new schema version.
// `open` is what is_open() says, as the journal's queries and indexes spell it: without IN, of whose
// list SQLite would make a table for each row that is written.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "atm/notes.h"
#include "atm/table.h"
#include "ledger/operation_id.h"

namespace atm {

// Rule 13. SUSPENSE ends as SETTLED or VOIDED when the operator has decided. REQUESTED or HELD with
// an answer has been given up: its hold is being voided. An item with an exception has ended, and
// stays in the state in which that happened.
enum class WithdrawalState : std::uint8_t {
  requested,
  held,
  dispensing,
  dispensed,
  settled,
  declined,
  voided,
  suspense,
};
inline std::span<const std::string_view> names_of(WithdrawalState) {
  static constexpr std::array<std::string_view, 8> names = {
      "REQUESTED", "HELD", "DISPENSING", "DISPENSED", "SETTLED", "DECLINED", "VOIDED", "SUSPENSE"};
  return names;
}

struct Withdrawal {
  OperationId id = {};
  std::string terminal = {};
  std::string card = {};
  Cents amount = {};
  WithdrawalState state = WithdrawalState::requested;
  std::int64_t requested_at_us = 0;
  // Made before the first is sent, so that a retry of any of them is the same operation.
  OperationId hold_id = {};
  OperationId capture_id = {};
  OperationId void_id = {};
  OperationId suspend_id = {};
  std::int64_t time_to_live_ms = 0;
  Picks plan = {};
  // Of DISPENSED and what follows it.
  Picks presented = {};
  Picks rejected = {};
  // As the bank told them with the hold.
  bool balance_told = false;
  Cents balance = {};
  Cents available = {};
  // Of SUSPENSE: what the operator is told, and whether the bank has it.
  std::string evidence = {};
  bool told_bank = false;
  // The dispenser has said what it presented since, and the evidence says so too.
  bool dispenser_answered = false;
  OperationId late_suspend_id = {};
  // What the operator decided, of SUSPENSE that has ended.
  Notes decided = {};
  // The customer's first answer, a WithdrawResponse. Empty: not answered yet.
  Blob answer = {};
  // The number of what the bank answered last here, yes or no: of the capture, void or suspension.
  // 0: nothing. Such numbers count in one history of the bank, and `told_in` says in which (see
  // BankMemory).
  std::uint64_t ledger_seq = 0;
  // What happened that must not happen, such as a refused capture: a clause, for the operator.
  // Empty: nothing of the kind.
  std::string exception = {};
  std::uint32_t told_in = 0;
  // The number of the hold in the bank's journal, for the receipt. 0: the bank made none, or did not
  // say.
  std::uint64_t hold_seq = 0;
  // Of SUSPENSE: the dispenser had acted on this id before this withdrawal began, so the journal is
  // older than the dispenser. What it did then is not this customer's payment.
  bool dispensed_before = false;

  static constexpr std::string_view kind = "withdrawal";
  static constexpr std::string_view table = "withdrawal";
  static constexpr std::string_view open =
      "exception = '' AND state != 'SETTLED' AND state != 'DECLINED' AND state != 'VOIDED'";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &Withdrawal::id);
    field("terminal", &Withdrawal::terminal);
    field("card", &Withdrawal::card);
    field("amount", &Withdrawal::amount);
    field("state", &Withdrawal::state);
    field("requested_at_us", &Withdrawal::requested_at_us);
    field("hold_id", &Withdrawal::hold_id);
    field("capture_id", &Withdrawal::capture_id);
    field("void_id", &Withdrawal::void_id);
    field("suspend_id", &Withdrawal::suspend_id);
    field("time_to_live_ms", &Withdrawal::time_to_live_ms);
    field("plan", &Withdrawal::plan);
    field("presented", &Withdrawal::presented);
    field("rejected", &Withdrawal::rejected);
    field("balance_told", &Withdrawal::balance_told);
    field("balance", &Withdrawal::balance);
    field("available", &Withdrawal::available);
    field("evidence", &Withdrawal::evidence);
    field("told_bank", &Withdrawal::told_bank);
    field("dispenser_answered", &Withdrawal::dispenser_answered);
    field("late_suspend_id", &Withdrawal::late_suspend_id);
    field("decided", &Withdrawal::decided);
    field("answer", &Withdrawal::answer);
    field("ledger_seq", &Withdrawal::ledger_seq);
    field("exception", &Withdrawal::exception);
    field("told_in", &Withdrawal::told_in);
    field("hold_seq", &Withdrawal::hold_seq);
    field("dispensed_before", &Withdrawal::dispensed_before);
  }

  // Its notes may have left their cassettes, and the books do not show it: the dispenser has still to
  // say so. Of one that was begun and not answered it is asked after a restart.
  bool may_have_moved_notes() const {
    const bool may_have_begun =
        state == WithdrawalState::requested || state == WithdrawalState::held;
    return state == WithdrawalState::dispensing || (may_have_begun && answer.bytes.empty());
  }
  bool is_open() const {
    return exception.empty() && state != WithdrawalState::settled &&
           state != WithdrawalState::declined && state != WithdrawalState::voided;
  }
};

// Rule 19. POSTING whose customer was answered is "counted, not yet credited". CREDITED goes on to KEPT.
// One with an exception has ended for the bank. For the ATM it has when the acceptor has said where
// its notes are: `kept`, or not in it, and then it is RETURNED.
enum class DepositState : std::uint8_t { counted, posting, credited, kept, returned, suspense };
inline std::span<const std::string_view> names_of(DepositState) {
  static constexpr std::array<std::string_view, 6> names = {"COUNTED", "POSTING",  "CREDITED",
                                                            "KEPT",    "RETURNED", "SUSPENSE"};
  return names;
}

struct Deposit {
  OperationId id = {};
  std::string terminal = {};
  std::string card = {};
  // What the customer said, compared with a retry, and what the acceptor counted.
  Notes put_in = {};
  Notes counted = {};
  DepositState state = DepositState::counted;
  std::int64_t counted_at_us = 0;
  OperationId post_id = {};
  // For notes that were kept although the first posting was refused, or fenced by a Resolve of ours.
  OperationId second_post_id = {};
  // The acceptor has said that the notes are in the bin, and so they are in the stock.
  bool kept = false;
  // The bank has the money in its books.
  bool credited = false;
  bool balance_told = false;
  Cents balance = {};
  Cents available = {};
  std::string evidence = {};
  Blob answer = {};
  std::uint64_t ledger_seq = 0;
  std::string exception = {};
  std::uint32_t told_in = 0;

  static constexpr std::string_view kind = "deposit";
  static constexpr std::string_view table = "deposit";
  static constexpr std::string_view open =
      "state != 'RETURNED' AND (kept = 0 OR exception = '' AND state != 'KEPT')";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &Deposit::id);
    field("terminal", &Deposit::terminal);
    field("card", &Deposit::card);
    field("put_in", &Deposit::put_in);
    field("counted", &Deposit::counted);
    field("state", &Deposit::state);
    field("counted_at_us", &Deposit::counted_at_us);
    field("post_id", &Deposit::post_id);
    field("second_post_id", &Deposit::second_post_id);
    field("kept", &Deposit::kept);
    field("credited", &Deposit::credited);
    field("balance_told", &Deposit::balance_told);
    field("balance", &Deposit::balance);
    field("available", &Deposit::available);
    field("evidence", &Deposit::evidence);
    field("answer", &Deposit::answer);
    field("ledger_seq", &Deposit::ledger_seq);
    field("exception", &Deposit::exception);
    field("told_in", &Deposit::told_in);
  }

  bool is_open() const {
    if (state == DepositState::returned) return false;
    return !kept || (exception.empty() && state != DepositState::kept);
  }
};

// Staff move cash: REQUESTED, asked of the devices until they have done it, then MOVED, then SETTLED
// when the bank has it.
enum class MovementState : std::uint8_t { requested, moved, settled };
inline std::span<const std::string_view> names_of(MovementState) {
  static constexpr std::array<std::string_view, 3> names = {"REQUESTED", "MOVED", "SETTLED"};
  return names;
}
enum class MovementKind : std::uint8_t { load, unload };
inline std::span<const std::string_view> names_of(MovementKind) {
  static constexpr std::array<std::string_view, 2> names = {"load", "unload"};
  return names;
}

struct Movement {
  OperationId id = {};
  std::string terminal = {};
  MovementKind direction = MovementKind::load;
  std::uint32_t position = 0;  // Of a load.
  Notes notes = {};            // To be loaded, or found by the unload.
  MovementState state = MovementState::requested;
  std::int64_t requested_at_us = 0;
  OperationId bank_id = {};
  Blob answer = {};  // A LoadResponse or an UnloadResponse.
  std::uint64_t ledger_seq = 0;
  std::string exception = {};
  std::uint32_t told_in = 0;

  static constexpr std::string_view kind = "movement";
  static constexpr std::string_view table = "movement";
  static constexpr std::string_view open = "exception = '' AND state != 'SETTLED'";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &Movement::id);
    field("terminal", &Movement::terminal);
    field("direction", &Movement::direction);
    field("position", &Movement::position);
    field("notes", &Movement::notes);
    field("state", &Movement::state);
    field("requested_at_us", &Movement::requested_at_us);
    field("bank_id", &Movement::bank_id);
    field("answer", &Movement::answer);
    field("ledger_seq", &Movement::ledger_seq);
    field("exception", &Movement::exception);
    field("told_in", &Movement::told_in);
  }

  bool is_open() const { return exception.empty() && state != MovementState::settled; }
};

// A transfer or a change of PIN, passed through to the bank under the customer's own id. SENT: the
// bank may or may not have done it.
enum class RelayState : std::uint8_t { sent, done, declined };
inline std::span<const std::string_view> names_of(RelayState) {
  static constexpr std::array<std::string_view, 3> names = {"SENT", "DONE", "DECLINED"};
  return names;
}
enum class RelayKind : std::uint8_t { transfer, change_pin };
inline std::span<const std::string_view> names_of(RelayKind) {
  static constexpr std::array<std::string_view, 2> names = {"transfer", "change_pin"};
  return names;
}

struct Relay {
  OperationId id = {};
  std::string terminal = {};
  RelayKind of = RelayKind::transfer;
  std::string card = {};
  std::string target = {};
  Cents amount = {};
  RelayState state = RelayState::sent;
  std::int64_t sent_at_us = 0;
  Blob answer = {};  // A TransferResponse or a ChangePinResponse.
  std::uint64_t ledger_seq = 0;
  // In which of the bank's histories it ended: one that went back since may lack it (see BankMemory).
  std::uint32_t told_in = 0;

  static constexpr std::string_view kind = "relay";
  static constexpr std::string_view table = "relay";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &Relay::id);
    field("terminal", &Relay::terminal);
    field("kind", &Relay::of);
    field("card", &Relay::card);
    field("target", &Relay::target);
    field("amount", &Relay::amount);
    field("state", &Relay::state);
    field("sent_at_us", &Relay::sent_at_us);
    field("answer", &Relay::answer);
    field("ledger_seq", &Relay::ledger_seq);
    field("told_in", &Relay::told_in);
  }
};

// An id that the journal did not know when Resolve was asked about it: it can never begin here (rule
// 21).
struct Fence {
  OperationId id = {};
  std::string terminal = {};
  std::int64_t fenced_at_us = 0;
  Blob answer = {};  // A ResolveResponse: a no, or what the bank or a device knew of it.

  static constexpr std::string_view kind = "fence";
  static constexpr std::string_view table = "fence";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("id", &Fence::id);
    field("terminal", &Fence::terminal);
    field("fenced_at_us", &Fence::fenced_at_us);
    field("answer", &Fence::answer);
  }
};

// What a terminal did on one day of the ATM's own calendar.
struct DayTotals {
  std::string terminal = {};
  std::int32_t day = 0;
  std::uint32_t withdrawals = 0;
  Cents withdrawn = {};
  std::uint32_t deposits = 0;
  Cents deposited = {};
  std::uint32_t declined = 0;
  std::uint32_t suspense = 0;
  Cents loaded = {};
  Cents unloaded = {};

  static constexpr std::string_view table = "day_totals";
  static constexpr int key_columns = 2;
  static constexpr void fields(auto&& field) {
    field("terminal", &DayTotals::terminal);
    field("day", &DayTotals::day);
    field("withdrawals", &DayTotals::withdrawals);
    field("withdrawn", &DayTotals::withdrawn);
    field("deposits", &DayTotals::deposits);
    field("deposited", &DayTotals::deposited);
    field("declined", &DayTotals::declined);
    field("suspense", &DayTotals::suspense);
    field("loaded", &DayTotals::loaded);
    field("unloaded", &DayTotals::unloaded);
  }
};

// Why a terminal is out of service, beside what its bank and its devices say.
struct TerminalRow {
  std::string terminal = {};
  bool out_by_staff = false;
  // The withdrawal whose notes may still lie where the next customer takes his. Not set: of none.
  OperationId look_for = {};
  // What the dispenser and the deposit bin held beyond the books, or less than them, when staff had
  // looked at it: that keeps the terminal out of service no more.
  Notes dispenser_surplus = {};
  Notes bin_surplus = {};

  static constexpr std::string_view table = "terminal";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("terminal", &TerminalRow::terminal);
    field("out_by_staff", &TerminalRow::out_by_staff);
    field("look_for", &TerminalRow::look_for);
    field("dispenser_surplus", &TerminalRow::dispenser_surplus);
    field("bin_surplus", &TerminalRow::bin_surplus);
  }
};

// What the ATM remembers of its bank (rule 24). One row.
struct BankMemory {
  std::uint32_t number = 1;
  std::string currency = {};
  Blob instance_id = {};
  // Told together at a sign-on.
  std::uint64_t seen_seq = 0;
  Blob seen_head = {};
  // Of any answer.
  std::uint64_t highest_seq = 0;
  // Since that sign-on the bank has said no, too, without a number.
  bool unnumbered_no = false;
  // The bank's history went back, or another bank answered, and the operator has not agreed yet.
  bool history_broken = false;
  // How often the bank's history has gone back or was another bank's.
  std::uint32_t history = 0;
  // Up to here the bank's history is the one before it.
  std::uint64_t common_seq = 0;
  // The bank is being told again what came after common_seq in the history before.
  bool telling_again = false;
  // How many items it was told again in this history.
  std::uint32_t told_again = 0;
  // Which ATM this is, to its customers' clients: 16 bytes, made before the first of them is served.
  Blob atm_id = {};

  static constexpr std::string_view table = "bank";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("number", &BankMemory::number);
    field("currency", &BankMemory::currency);
    field("instance_id", &BankMemory::instance_id);
    field("seen_seq", &BankMemory::seen_seq);
    field("seen_head", &BankMemory::seen_head);
    field("highest_seq", &BankMemory::highest_seq);
    field("unnumbered_no", &BankMemory::unnumbered_no);
    field("history_broken", &BankMemory::history_broken);
    field("history", &BankMemory::history);
    field("common_seq", &BankMemory::common_seq);
    field("telling_again", &BankMemory::telling_again);
    field("told_again", &BankMemory::told_again);
    field("atm_id", &BankMemory::atm_id);
  }
};

// A number and a chain head that the bank told together. Those that are kept lie the further apart
// the older they are; the newest that a bank still has is where its history parted from ours.
struct BankHead {
  std::uint32_t slot = 0;
  std::uint64_t seq = 0;  // 0: the slot is empty.
  Blob head = {};

  static constexpr std::string_view table = "bank_head";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("slot", &BankHead::slot);
    field("seq", &BankHead::seq);
    field("head", &BankHead::head);
  }
};

// An attempt that this ATM declined by itself, so that the bank has nothing of it. A fixed number of
// slots: each new one takes the place of the oldest.
struct Declined {
  std::uint32_t slot = 0;
  // In the order in which they were declined, from 1.
  std::uint64_t number = 0;
  std::int64_t at_us = 0;
  std::string terminal = {};
  OperationId id = {};
  // "withdrawal", "deposit", "transfer", "change_pin".
  std::string kind = {};
  std::string card = {};
  // 0: none that could be read.
  Cents amount = {};
  // A DeclineCode, and the sentence that the customer was told.
  std::int32_t code = 0;
  std::string sentence = {};

  static constexpr std::string_view table = "declined";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("slot", &Declined::slot);
    field("number", &Declined::number);
    field("at_us", &Declined::at_us);
    field("terminal", &Declined::terminal);
    field("id", &Declined::id);
    field("kind", &Declined::kind);
    field("card", &Declined::card);
    field("amount", &Declined::amount);
    field("code", &Declined::code);
    field("sentence", &Declined::sentence);
  }
};

// The audit trail: one row for each transition, never changed. Each carries the check value of the
// one before it.
struct Event {
  std::uint64_t number = 0;
  std::int64_t previous = 0;
  std::int64_t at_us = 0;
  std::string terminal = {};
  OperationId id = {};
  std::string kind = {};
  std::string state = {};
  std::string detail = {};

  static constexpr std::string_view table = "event";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("number", &Event::number);
    field("previous", &Event::previous);
    field("at_us", &Event::at_us);
    field("terminal", &Event::terminal);
    field("id", &Event::id);
    field("kind", &Event::kind);
    field("state", &Event::state);
    field("detail", &Event::detail);
  }
};

}  // namespace atm
