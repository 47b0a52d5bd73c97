#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "ledger/sqlite.h"

// How rows are written, read and checked. A table is a type that names its columns once, in order, for a writer and a reader alike:
//
//   struct ReversalTable {
//     static constexpr const char* name = "reversal";
//     static void columns(auto& column, auto& row) {
//       column(row.transfer_seq);
//       column(row.reversing_seq);
//     }
//   };
//
// Its last column is a checksum of the others. A type that is none of the columns below gets a write_column(RowWriter&, value) and a
// read_column(reader, value&) beside it.
namespace ledger {

// A 64-bit hash without a key over a row's columns: detects a row that a disk or a hand has changed. It is no protection against
// those who can compute it too; the journal's chain is.
class RowChecksum {
 public:
  void add(std::int64_t value) {
    std::array<char, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    append({bytes.data(), bytes.size()});
  }
  void add(std::string_view value) {
    add(static_cast<std::int64_t>(value.size()));
    append(value);
  }
  std::int64_t value() const;

 private:
  void append(std::string_view bytes) {
    if (bytes.empty()) return;  // It may be nowhere: a damaged row has NULL where a text should be.
    if (!long_.empty() || bytes.size() > buffer_.size() - size_) return append_long(bytes);
    std::memcpy(buffer_.data() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void append_long(std::string_view bytes);

  // Most rows fit; a long text moves them all to the heap.
  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
  std::string long_;
};

// Points in time are stored as microseconds since 1970.
using Microseconds = std::chrono::sys_time<std::chrono::microseconds>;

// Binds a row's columns in turn, and at the end their checksum. Texts and blobs live until then.
class RowWriter {
 public:
  explicit RowWriter(Statement& statement) : statement_(statement) {}

  void operator()(std::int64_t value) {
    checksum_.add(value);
    statement_.bind(++parameter_, value);
  }
  void operator()(std::uint64_t value) { (*this)(static_cast<std::int64_t>(value)); }
  void operator()(std::uint32_t value) { (*this)(std::int64_t{value}); }
  void operator()(bool value) { (*this)(std::int64_t{value ? 1 : 0}); }
  void operator()(Microseconds value) { (*this)(std::int64_t{value.time_since_epoch().count()}); }
  void operator()(const std::string& value) { text(value); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum value) {
    (*this)(static_cast<std::int64_t>(value));
  }
  template <typename Enum>
  void operator()(const std::optional<Enum>& value) {
    (*this)(value.has_value() ? static_cast<std::int64_t>(*value) : std::int64_t{-1});
  }
  template <typename T>
    requires requires(RowWriter& column, const T& value) { write_column(column, value); }
  void operator()(const T& value) {
    write_column(*this, value);
  }

  void text(std::string_view value) {
    checksum_.add(value);
    statement_.bind_text(++parameter_, value);
  }
  // A text that lives nowhere else; one a row.
  void keep(std::string value) {
    kept_ = std::move(value);
    text(kept_);
  }
  // Not set: NULL, and the checksum has the bytes all the same.
  void blob(std::string_view value, bool is_set = true) {
    checksum_.add(value);
    if (is_set) {
      statement_.bind_blob(++parameter_, value);
    } else {
      statement_.bind_null(++parameter_);
    }
  }
  // A column that stays NULL.
  void skip() { statement_.bind_null(++parameter_); }

  void finish() {
    statement_.bind(++parameter_, checksum_.value());
    statement_.run();
  }

 private:
  Statement& statement_;
  RowChecksum checksum_;
  std::string kept_;
  int parameter_ = 0;
};

// Reads a row's columns in turn, from a Statement or from RowValues; `is_sound` then says whether they are what was written.
template <typename Source>
class RowReader {
 public:
  explicit RowReader(const Source& source) : source_(source) {}

  void operator()(std::int64_t& value) { value = integer(); }
  void operator()(std::uint64_t& value) { value = static_cast<std::uint64_t>(integer()); }
  void operator()(std::uint32_t& value) { value = static_cast<std::uint32_t>(integer()); }
  void operator()(bool& value) { value = integer() != 0; }
  void operator()(Microseconds& value) {
    value = Microseconds(std::chrono::microseconds(integer()));
  }
  void operator()(std::string& value) { value = text(); }
  template <typename Enum>
    requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    value = static_cast<Enum>(integer());
  }
  template <typename Enum>
  void operator()(std::optional<Enum>& value) {
    const std::int64_t number = integer();
    value = number < 0 ? std::nullopt : std::optional(static_cast<Enum>(number));
  }
  template <typename T>
    requires requires(RowReader& column, T& value) { read_column(column, value); }
  void operator()(T& value) {
    read_column(*this, value);
  }

  std::int64_t integer() {
    const std::int64_t value = source_.integer(column_++);
    checksum_.add(value);
    return value;
  }
  std::string_view text() {
    const std::string_view text = source_.text(column_++);
    checksum_.add(text);
    return text;
  }
  // Of which the caller says what it was read as.
  std::string_view unchecked_blob() { return source_.blob(column_++); }
  void add_to_checksum(std::string_view bytes) { checksum_.add(bytes); }

  bool is_null() const { return source_.is_null(column_); }
  void skip() { ++column_; }
  bool is_sound() const { return source_.integer(column_) == checksum_.value(); }

 private:
  const Source& source_;
  RowChecksum checksum_;
  int column_ = 0;
};

// Throws bad_data, naming the row.
[[noreturn]] void fail_row(const std::string& file, std::string_view table, std::int64_t key);

// Writes one row.
template <typename Table, typename Row>
void write_row(Statement& statement, const Row& row) {
  RowWriter column(statement);
  Table::columns(column, row);
  column.finish();
}

// Reads the row that a statement stands on, or that a function is given. Throws bad_data when it is not what was written.
template <typename Table, typename Row, typename Source>
Row read_row(const Source& source, const std::string& file) {
  Row row;
  RowReader column(source);
  Table::columns(column, row);
  if (!column.is_sound()) fail_row(file, Table::name, source.integer(0));
  return row;
}

}  // namespace ledger
