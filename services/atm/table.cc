#include "atm/table.h"

#include <array>
#include <cstring>

#include <sodium.h>

namespace atm {

namespace {

template <typename T>
bool decode(const Value& value, T& target, std::optional<T> (*read)(std::string_view)) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  std::optional<T> decoded = read(*text);
  if (!decoded) return false;
  target = *std::move(decoded);
  return true;
}

// As they lie in memory: the journal is for machines of one byte order.
std::string_view bytes_of(const auto& number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

void append(std::string& to, char type, std::string_view bytes) {
  const auto size = static_cast<std::uint64_t>(bytes.size());
  to += type;
  to += bytes_of(size);
  to += bytes;
}

}  // namespace

bool from_value(const Value& value, std::string& text) {
  const auto* stored = std::get_if<std::string>(&value);
  if (stored != nullptr) text = *stored;
  return stored != nullptr;
}

bool from_value(const Value& value, Blob& blob) {
  const auto* stored = std::get_if<Blob>(&value);
  if (stored != nullptr) blob = *stored;
  return stored != nullptr;
}

bool from_value(const Value& value, OperationId& id) {
  const auto* stored = std::get_if<Blob>(&value);
  if (stored == nullptr) return false;
  const std::optional<OperationId> read = OperationId::from_bytes(stored->bytes);
  if (read) id = *read;
  return read.has_value();
}

bool from_value(const Value& value, Cents& cents) { return from_value(value, cents.value); }

bool from_value(const Value& value, Notes& notes) { return decode(value, notes, &Notes::decode); }

bool from_value(const Value& value, Picks& picks) { return decode(value, picks, &decode_picks); }

std::int64_t check_value(std::string_view table, std::span<const Value> values) {
  // Not a secret: it finds what a disk or an editor changed, not who can compute it too.
  static constexpr std::array<unsigned char, crypto_shorthash_KEYBYTES> key{'t', 'e', 'l',
                                                                            'l', 'e', 'r'};
  std::string bytes;
  bytes.reserve(1024);  // Of the longest row that is common: allocated once.
  append(bytes, 'n', table);
  for (const Value& value : values) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      append(bytes, 'i', bytes_of(*integer));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      append(bytes, 't', *text);
    } else {
      append(bytes, 'b', std::get<Blob>(value).bytes);
    }
  }
  std::array<unsigned char, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                   key.data());
  std::int64_t check = 0;
  std::memcpy(&check, hash.data(), sizeof(check));
  return check;
}

ledger::Statement& Tables::query(const std::string& from) {
  const auto known = queries_.find(from);
  if (known != queries_.end()) return known->second;
  ledger::Statement statement = database_.prepare("SELECT * FROM " + from);
  return queries_.emplace(from, std::move(statement)).first->second;
}

void Tables::bind(ledger::Statement& statement, std::span<const Value> values) {
  int parameter = 0;
  for (const Value& value : values) {
    ++parameter;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      statement.bind(parameter, *integer);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      statement.bind_text(parameter, *text);
    } else {
      statement.bind_blob(parameter, std::get<Blob>(value).bytes);
    }
  }
}

std::string Tables::upsert_into(std::string_view table) {
  ledger::Statement described = database_.prepare("SELECT name, pk FROM pragma_table_info(?)");
  const ledger::Rows reset_at_the_end(described);
  described.bind_text(1, table);
  std::string places;
  std::string key;
  std::string changes;
  const auto list = [](std::string& names, const std::string& name) {
    names += (names.empty() ? "" : ", ") + name;
  };
  while (described.step()) {
    const std::string column(described.text(0));
    list(places, "?");
    if (described.integer(1) > 0) {
      list(key, column);
    } else {
      list(changes, column + " = excluded." + column);
    }
  }
  // Not REPLACE, which takes the old row out of its place and of every index.
  return "INSERT INTO " + std::string(table) + " VALUES (" + places + ") ON CONFLICT (" + key +
         ") DO UPDATE SET " + changes;
}

void Tables::write(const Row& row) {
  auto upsert = upserts_.find(row.table);
  if (upsert == upserts_.end()) {
    ledger::Statement statement = database_.prepare(upsert_into(row.table));
    upsert = upserts_.emplace(row.table, std::move(statement)).first;
  }
  const ledger::Rows reset_at_the_end(upsert->second);
  bind(upsert->second, row.values);
  upsert->second.run();
}

void fail_damaged(std::string_view table, std::string_view column, std::span<const Value> values) {
  std::string sentence = "a row of table " + std::string(table) + " is damaged: its ";
  sentence += column;
  sentence += " is not what was written";
  if (!values.empty()) {
    if (const auto* blob = std::get_if<Blob>(&values.front())) {
      const std::optional<OperationId> id = OperationId::from_bytes(blob->bytes);
      if (id) sentence += " (id " + id->text() + ")";
    }
  }
  throw ledger::StorageError(ledger::StorageError::Kind::bad_data, sentence);
}

void require_sound(ledger::Database& database, const std::string& written) {
  ledger::Statement statement = database.prepare("PRAGMA integrity_check(1)");
  const ledger::Rows reset_at_the_end(statement);
  const auto fail = [&](const std::string& what) {
    throw ledger::StorageError(ledger::StorageError::Kind::bad_data,
                               database.path() + " is damaged: " + what);
  };
  if (!statement.step() || statement.text(0) != "ok") fail(std::string(statement.text(0)));
  // The definitions are text in the file, kept as it was written.
  ledger::Statement definitions =
      database.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
  const ledger::Rows reset_these_too(definitions);
  while (definitions.step()) {
    if (written.contains(definitions.text(1))) continue;
    fail("the definition of " + std::string(definitions.text(0)) + " is not what was written");
  }
}

}  // namespace atm
