#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/money.h"
#include "ledger/operation.h"
#include "ledger/time.h"

// What the books consist of. Plain values.
namespace ledger {

// Dense numbers, in the order in which things were opened: the order in which lists are paged.
enum class AccountNumber : std::uint32_t {};
enum class CardNumber : std::uint32_t {};
enum class TerminalNumber : std::uint32_t {};

// The numbers are in the tables.
enum class AccountKind : std::uint8_t { customer = 1, cash = 2, equity = 3 };

// What an account is called. Never changes, so copies of the books share it.
struct AccountNames {
  std::string id;
  std::string customer_name;

  friend bool operator==(const AccountNames&, const AccountNames&) = default;
};

// Positive: the bank owes (rule 2). A terminal's cash account stands at minus the cash inside it.
//
// Invariants: balance + overdraft and balance - held fit into 64 bits, so `available` always does;
// overdraft and held are not negative; held is the sum of the account's holds that are held or
// suspended.
//
// One line of the processor's caches: all that a movement of money touches.
struct alignas(64) Account {
  AccountNumber number{};
  Currency currency{};
  Cents balance{};
  Cents held{};
  Cents overdraft{};
  // The journal number of its newest movement of money; 0: none.
  std::uint64_t last_transfer = 0;
  // Holds that were neither captured nor voided, expired ones included.
  std::uint32_t open_holds = 0;
  AccountKind kind = AccountKind::customer;
  bool frozen = false;
  bool closed = false;
  // Always set in the books.
  std::shared_ptr<const AccountNames> names{};

  const std::string& id() const { return names->id; }
  const std::string& customer_name() const { return names->customer_name; }
  // What can be spent (rule 3).
  Cents available() const { return balance - held + overdraft; }

  friend bool operator==(const Account& a, const Account& b) {
    return a.number == b.number && a.currency == b.currency && a.balance == b.balance &&
           a.held == b.held && a.overdraft == b.overdraft && a.last_transfer == b.last_transfer &&
           a.open_holds == b.open_holds && a.kind == b.kind && a.frozen == b.frozen &&
           a.closed == b.closed && *a.names == *b.names;
  }
};
static_assert(sizeof(Account) == 64);

enum class CardState : std::uint8_t { active = 1, blocked = 2, pin_locked = 3, replaced = 4 };

// What was taken of a card's daily limits. Only its newest day is kept.
struct CardUsage {
  BusinessDay day{};
  Cents amount{};
  std::uint32_t count = 0;

  friend bool operator==(const CardUsage&, const CardUsage&) = default;
};

// All that a payment by card asks is in one line of the processor's caches.
struct alignas(64) Card {
  CardNumber number{};
  AccountNumber account{};
  CardDigits card{};
  CardState state = CardState::active;
  std::uint32_t wrong_pins = 0;
  // Of a replaced card: the one after it.
  std::optional<CardNumber> replaced_by{};
  CardLimits limits{};
  CardUsage usage{};
  std::string pin_hash{};

  std::uint32_t pin_tries_left() const { return pin_tries_max - wrong_pins; }

  friend bool operator==(const Card&, const Card&) = default;
};
static_assert(sizeof(Card) == 128);

struct Terminal {
  TerminalNumber number{};
  std::string id{};
  AccountNumber cash_account{};
  Currency currency{};
  bool in_service = true;

  friend bool operator==(const Terminal&, const Terminal&) = default;
};

// The numbers are in the tables.
enum class HoldState : std::uint8_t {
  held = 1,
  expired = 2,
  suspended = 3,
  captured = 4,
  voided = 5,
};

struct HoldEntry {
  // The journal number of the hold.
  std::uint64_t ledger_seq = 0;
  OperationId id{};
  std::string principal{};
  AccountNumber account{};
  CardNumber card{};
  TerminalNumber terminal{};
  Cents amount{};
  Instant made_at{};
  Instant expires_at{};
  HoldState state = HoldState::held;
  // The day whose limits it was taken from.
  BusinessDay limit_day{};
  // The exception that says it is suspended; 0: none.
  std::uint64_t exception_seq = 0;
  // What was captured, and by which journal record it ended.
  Cents captured{};
  std::uint64_t ended_seq = 0;
  // Not set: none was told.
  OperationId receipt{};

  // Neither captured nor voided.
  bool is_open() const { return ended_seq == 0; }
  // Its money is reserved, and its limits are taken.
  bool is_reserved() const { return state == HoldState::held || state == HoldState::suspended; }

  friend bool operator==(const HoldEntry&, const HoldEntry&) = default;
};

// The numbers are in the tables.
enum class ExceptionKind : std::uint8_t {
  suspended_hold = 1,
  late_capture = 2,
  refused_cash = 3,
};

// What the rules could not settle by themselves.
struct ExceptionEntry {
  // The journal number of the record that raised it.
  std::uint64_t ledger_seq = 0;
  ExceptionKind kind = ExceptionKind::suspended_hold;
  Instant at{};
  // Ids as the operation had them: of refused cash they may name nothing that exists.
  std::string account{};
  std::string terminal{};
  OperationId hold{};
  Cents amount{};
  Currency currency{};
  std::string evidence{};
  bool resolved = false;
  std::string resolution{};
  // Of the change that it is about, as far as it was told.
  OperationId receipt{};
  // Of a suspended hold: the notes in question, as its Suspend carried them.
  std::string planned{};

  friend bool operator==(const ExceptionEntry&, const ExceptionEntry&) = default;
};

// A movement of money, with what it left behind on both sides. An account's transfers are chained
// by their numbers.
struct Transfer {
  std::uint64_t ledger_seq = 0;
  Instant at{};
  OperationId id{};
  TransferKind kind = TransferKind::transfer;
  AccountNumber source{};
  AccountNumber target{};
  Cents amount{};
  Currency currency{};
  Cents source_balance{};
  Cents target_balance{};
  // The account's transfer before this one; 0: this is its first.
  std::uint64_t source_previous = 0;
  std::uint64_t target_previous = 0;
  std::string terminal{};
  std::string reason{};
  // Not set: none was told.
  OperationId receipt{};
  // Of a reversal: the transfer that it took back.
  std::uint64_t reverses = 0;

  friend bool operator==(const Transfer&, const Transfer&) = default;
};

// The sums of one currency. customers + cash + equity is 0, always.
struct Totals {
  Currency currency{};
  AccountNumber equity_account{};
  Cents customers{};
  Cents cash{};
  Cents equity{};
  Cents held{};

  Cents& of(AccountKind kind) {
    if (kind == AccountKind::customer) return customers;
    return kind == AccountKind::cash ? cash : equity;
  }
  Cents of(AccountKind kind) const { return Totals(*this).of(kind); }

  friend bool operator==(const Totals&, const Totals&) = default;
};

// "card-17", as lists show it: its place among the cards, from 1. Never given to another.
std::string card_id(CardNumber number);
inline constexpr std::string_view card_id_prefix = "card-";
// So many digits name a card of an account that is known.
inline constexpr std::size_t card_ending_size = 4;

// "cash:<terminal>" and "equity:eur".
std::string cash_account_id(std::string_view terminal);
std::string equity_account_id(Currency currency);

}  // namespace ledger
