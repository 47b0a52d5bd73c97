// Records and rows: a struct that lists its fields once becomes a table, a row and back.
//
//   struct Fence {
//     OperationId id;
//     std::string terminal;
//
//     static constexpr std::string_view table = "fence";
//     static constexpr int key_columns = 1;  // The first so many fields.
//     static constexpr void fields(auto&& field) {
//       field("id", &Fence::id);
//       field("terminal", &Fence::terminal);
//     }
//   };
//
// Every row ends with a check value over its table's name and its columns, which from_row verifies:
// a flipped bit is found where it is read, not where it is believed.
#pragma once

#include <concepts>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "atm/notes.h"
#include "ledger/operation_id.h"
#include "ledger/sqlite.h"

namespace atm {

using ledger::OperationId;

struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};
// A column's value: INTEGER, TEXT or BLOB. Nothing is NULL.
using Value = std::variant<std::int64_t, std::string, Blob>;

// Where an enum's value is its place in a list of names, it is stored by name.
template <typename T>
concept Named = std::is_enum_v<T> && requires(T value) {
  { names_of(value) } -> std::convertible_to<std::span<const std::string_view>>;
};

template <Named T>
std::string_view name(T value) {
  return names_of(value)[static_cast<std::size_t>(value)];
}

inline Value to_value(const std::string& text) { return text; }
inline Value to_value(const Blob& blob) { return blob; }
inline Value to_value(const OperationId& id) { return Blob{std::string(id.view())}; }
inline Value to_value(Cents cents) { return cents.value; }
inline Value to_value(const Notes& notes) { return notes.encoded(); }
inline Value to_value(const Picks& picks) { return encoded(picks); }
template <std::integral T>
Value to_value(T number) {
  return static_cast<std::int64_t>(number);
}
template <Named T>
Value to_value(T value) {
  return std::string(name(value));
}

bool from_value(const Value& value, std::string& text);
bool from_value(const Value& value, Blob& blob);
bool from_value(const Value& value, OperationId& id);
bool from_value(const Value& value, Cents& cents);
bool from_value(const Value& value, Notes& notes);
bool from_value(const Value& value, Picks& picks);
template <std::integral T>
bool from_value(const Value& value, T& number) {
  const auto* stored = std::get_if<std::int64_t>(&value);
  if (stored == nullptr) return false;
  number = static_cast<T>(*stored);
  return static_cast<std::int64_t>(number) == *stored;
}
template <Named T>
bool from_value(const Value& value, T& named) {
  const auto* stored = std::get_if<std::string>(&value);
  if (stored == nullptr) return false;
  const std::span<const std::string_view> names = names_of(named);
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != *stored) continue;
    named = static_cast<T>(i);
    return true;
  }
  return false;
}

template <typename T>
std::string_view column_type() {
  if constexpr (std::same_as<T, Blob> || std::same_as<T, OperationId>) return "BLOB";
  if constexpr (std::integral<T> || std::same_as<T, Cents>) return "INTEGER";
  return "TEXT";
}

template <typename T>
concept Record = std::default_initializable<T> && requires {
  { T::table } -> std::convertible_to<std::string_view>;
  { T::key_columns } -> std::convertible_to<int>;
};

// The check value is one too.
template <Record T>
constexpr std::size_t column_count() {
  std::size_t count = 1;
  T::fields([&](std::string_view, auto) { ++count; });
  return count;
}

// What is written: replaces the row of the same key, or is added.
struct Row {
  std::string_view table;  // A literal.
  std::vector<Value> values;
};

std::int64_t check_value(std::string_view table, std::span<const Value> values);
[[noreturn]] void fail_damaged(std::string_view table, std::string_view column,
                               std::span<const Value> values);

template <Record T>
Row to_row(const T& record) {
  Row row{.table = T::table, .values = {}};
  row.values.reserve(column_count<T>());
  T::fields([&](std::string_view, auto member) { row.values.push_back(to_value(record.*member)); });
  row.values.emplace_back(check_value(row.table, row.values));
  return row;
}

// Throws StorageError(bad_data) when the row is not as it was written.
template <Record T>
T from_row(std::span<const Value> values) {
  const std::span<const Value> columns = values.first(values.size() - 1);
  if (values.back() != Value(check_value(T::table, columns))) {
    fail_damaged(T::table, "check_value", columns);
  }
  T record;
  std::size_t index = 0;
  T::fields([&](std::string_view column, auto member) {
    if (!from_value(columns[index++], record.*member)) fail_damaged(T::table, column, columns);
  });
  return record;
}

// CREATE TABLE ... STRICT.
template <Record T>
std::string schema_of() {
  std::string columns;
  std::string key;
  int count = 0;
  T::fields([&]<typename Field>(std::string_view column, Field T::*) {
    columns += std::string(column) + " " + std::string(column_type<Field>()) + " NOT NULL, ";
    if (count++ < T::key_columns) key += (key.empty() ? "" : ", ") + std::string(column);
  });
  return "CREATE TABLE " + std::string(T::table) + " (" + columns +
         "check_value INTEGER NOT NULL, PRIMARY KEY (" + key + ")) STRICT;\n";
}

// Reads and writes the records of one database, with its statements prepared once. One thread at a
// time, the connection's; dies before it.
class Tables {
 public:
  explicit Tables(ledger::Database& database) : database_(database) {}

  // Replaces the row of the same key, or adds one.
  void write(const Row& row);

  // Every row for which `condition` holds ("state = ?"), oldest first.
  template <Record T>
  std::vector<T> read(const std::string& condition = "1", std::span<const Value> values = {}) {
    return rows_of<T>(query(std::string(T::table) + " WHERE " + condition + " ORDER BY rowid"),
                      values);
  }

  // The first `count` of them in the order of `column`.
  template <Record T>
  std::vector<T> read_first(int count, const std::string& column, const std::string& condition,
                            std::span<const Value> values) {
    return rows_of<T>(query(std::string(T::table) + " WHERE " + condition + " ORDER BY " + column +
                            " LIMIT " + std::to_string(count)),
                      values);
  }

  // By its id, the table's key.
  template <Record T>
  std::optional<T> find(const OperationId& id) {
    const Value key = to_value(id);
    std::vector<T> rows =
        rows_of<T>(query(std::string(T::table) + " WHERE id = ?"), std::span(&key, 1));
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

 private:
  // SELECT * FROM what `from` says. Conditions are literals of the program, so there are few.
  ledger::Statement& query(const std::string& from);
  std::string upsert_into(std::string_view table);
  static void bind(ledger::Statement& statement, std::span<const Value> values);

  template <typename Field>
  static Value value_at(const ledger::Statement& statement, int column) {
    if (column_type<Field>() == "INTEGER") return statement.integer(column);
    if (column_type<Field>() == "TEXT") return std::string(statement.text(column));
    return Blob{std::string(statement.blob(column))};
  }

  template <Record T>
  static std::vector<T> rows_of(ledger::Statement& statement, std::span<const Value> values) {
    const ledger::Rows reset_at_the_end(statement);
    bind(statement, values);
    std::vector<T> records;
    std::vector<Value> row;
    while (statement.step()) {
      row.clear();
      int column = 0;
      T::fields([&]<typename Field>(std::string_view, Field T::*) {
        row.push_back(value_at<Field>(statement, column++));
      });
      row.emplace_back(statement.integer(column));
      records.push_back(from_row<T>(row));
    }
    return records;
  }

  ledger::Database& database_;
  std::map<std::string_view, ledger::Statement> upserts_;  // By table.
  std::map<std::string, ledger::Statement> queries_;
};

// What SQLite itself can tell of a file: pages, indexes, and that no row is hidden; and that its
// definitions are all of `written`, the text that made them. Reads the whole file; throws
// StorageError(bad_data).
void require_sound(ledger::Database& database, const std::string& written);

}  // namespace atm
