#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/record.h"

namespace ledger {

// The journal form of a record: numbers as varints, texts with their length, fields in the order in
// which each kind of change lists them. The form is for ever: kinds and fields are only appended.

// The records of one batch, for all who need a piece of them. Nobody changes them once they are in the journal.
using SharedBytes = std::shared_ptr<const std::string>;

// One record among those of its batch.
struct Encoded {
  SharedBytes batch;
  std::uint32_t position = 0;
  std::uint32_t size = 0;

  std::string_view view() const { return std::string_view(*batch).substr(position, size); }
};

// Appends the record to `out`.
void encode(const Record& record, std::string& out);

// Of a record that `encode` has written.
OperationId id_of(std::string_view encoded);

// Takes one record off the front of `bytes`. Nothing, with `bytes` unchanged, when what is there is
// no whole record, or none that this version can have written.
std::optional<Record> decode(std::string_view& bytes);

}  // namespace ledger
