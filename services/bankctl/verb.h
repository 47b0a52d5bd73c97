// The operator's commands as a table: what is typed, which method it calls, and where each word
// goes in the request. Everything else follows from the .proto files: the id of a change, pages,
// how the answer is printed, and what counts as a no.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace bankctl {

// What a word on the command line must be.
enum class Kind : std::uint8_t {
  text,
  card,            // A card's number, with spaces or without.
  number,          // A whole number, 0 or more.
  cassette,        // A cassette's position, from 1.
  ordinal,         // The same, but 1 or more: a number of the journal.
  named,           // What the verb is about: a number of the journal, or an id (see Subject).
  id,              // A UUID.
  amount,          // In major units, more than 0.
  amount_or_zero,  // The same, or 0.
  limit,           // The same, or "none", which is 0.
  count_limit,     // A whole number, 1 or more, or "none", which is 0.
  notes,           // "100x50".
  choice,          // A value of an enum, by its short name.
  day,             // "2026-11-23".
  pin,             // Read from --pin-file or asked for; never a word.
  currency,        // The currency itself; never a word.
  yes,             // Always true; never a word.
};

// One thing that goes into the request.
struct Input {
  // "ACCOUNT" stands by itself, "--reason" is an option.
  std::string_view name;
  // Where it goes: "account_id", "limits.daily_amount_max".
  std::string_view field;
  Kind kind = Kind::text;
  std::string_view help = {};
  bool required = true;
};

// Where the currency of a verb's amounts is found, unless --currency says it: a question to the
// verb's own service, which knows.
struct CurrencySource {
  std::string_view method;      // "GetAccount"
  std::string_view named_by;    // The field of the verb's request that says of what, or "".
  std::string_view asked_with;  // The question's field for it.
  std::string_view answer;      // "account.balance.currency"; of a list, its first row is taken.
};

// What a change is about, where only a number or an id of it is typed: a question to the verb's own
// service. Its answer says it in these fields, and has the number that the change's request takes,
// unless that is what was typed.
struct Subject {
  std::string_view method;           // "FindChange"
  std::string_view asked_by_number;  // The question's fields.
  std::string_view asked_by_id;      // "": it has no ids.
  std::string_view number;  // 0: there is nothing that the change could be about. "": as typed.
  std::vector<std::string_view> summary;
};

struct Verb {
  std::string_view words;   // "account open"
  std::string_view method;  // "OpenAccount"
  std::string_view summary;
  std::string_view example;  // Without "bankctl".
  std::vector<Input> inputs = {};
  // Asked before it is done, unless --yes says so: what cannot be taken back.
  std::string_view question = {};
  // Of a verb with amounts, notes or a currency.
  const CurrencySource* currency = nullptr;
  // Called instead when none of the options is given: "GetCard".
  std::string_view method_without_options = {};
  // A method that takes the same request and changes nothing: it is asked first, and what it finds is the answer. Only when it
  // finds nothing, `method` is called.
  std::string_view look_up = {};
  const Subject* subject = nullptr;
  // Exactly one of the inputs must be given.
  bool takes_one = false;
};

struct VerbTable {
  std::string_view service;  // "bank.v1.OperatorService"
  std::vector<Verb> verbs;   // In the order of the help.
};
const VerbTable& bank_verbs();
const VerbTable& atm_verbs();
// The one currency of the bank's books, if they are in one.
const CurrencySource& of_bank();

// The first word of a group, and what it is about.
struct Group {
  std::string_view name;
  std::string_view summary;
};
const std::vector<Group>& groups();

}  // namespace bankctl
