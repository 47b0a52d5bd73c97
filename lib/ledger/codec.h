#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/record.h"

namespace ledger {

// The journal form of a record: numbers as varints, texts with their length, fields in the order in
// which each kind of change lists them. What a record says twice is written once: a text that is the principal's, a currency that
// came before. Each record has one form, and the form is for ever: kinds and fields are only appended.

// The records of one batch. Who decides appends them; nobody does once they are in the journal.
using BatchBytes = std::shared_ptr<std::string>;

// Appends the record to `out`.
void encode(const Record& record, std::string& out);

// Takes one record off the front of `bytes`. Returns nullopt, and leaves `bytes` unchanged, if what is
// there is no whole record, or none that this version can have written.
std::optional<Record> decode(std::string_view& bytes);

// A movement of money for memory alone, packed with the same means: what it has in common with `first`, which came before it, takes
// little room. Its number is kept elsewhere.
void pack(const Transfer& transfer, const Transfer& first, std::string& out);
// The one that begins here.
Transfer unpack(std::string_view packed, std::uint64_t ledger_seq, const Transfer& first);

}  // namespace ledger
