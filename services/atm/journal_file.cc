#include "atm/journal_file.h"

#include <utility>

namespace atm {

namespace {

constexpr std::int32_t schema_version = 2;
constexpr std::int32_t application = 0x4154'4d4a;  // "ATMJ", an ATM's journal.

// Every table of the journal.
template <typename Visit>
void for_each_table(Visit visit) {
  visit.template operator()<Withdrawal>();
  visit.template operator()<Deposit>();
  visit.template operator()<Movement>();
  visit.template operator()<Relay>();
  visit.template operator()<Fence>();
  visit.template operator()<StockRow>();
  visit.template operator()<DayTotals>();
  visit.template operator()<TerminalRow>();
  visit.template operator()<BankMemory>();
  visit.template operator()<BankHead>();
  visit.template operator()<Event>();
}

// What a start looks for, among years of what has ended, and what a bank that was restored from a
// backup may lack.
template <Record T>
std::string indexes_of() {
  const std::string table(T::table);
  return "CREATE INDEX open_" + table + " ON " + table + " (state) WHERE " + std::string(T::open) +
         ";\nCREATE INDEX refused_" + table + " ON " + table +
         " (terminal) WHERE exception != '';\n" + "CREATE INDEX told_" + table + " ON " + table +
         " (terminal, ledger_seq) WHERE ledger_seq > 0;\n";
}

std::string schema() {
  std::string schema;
  for_each_table([&]<Record T>() { schema += schema_of<T>(); });
  return schema + indexes_of<Withdrawal>() + indexes_of<Deposit>() + indexes_of<Movement>();
}

std::string file_in(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw ledger::StorageError(ledger::StorageError::Kind::cannot_create,
                               folder.string() + " cannot be made: " + error.message());
  }
  return (folder / journal_file_name).string();
}

const std::string& with_schema(ledger::Database& database, JournalFile::WhenEmpty when_empty) {
  const std::string tables = schema();
  const bool makes = when_empty == JournalFile::WhenEmpty::make;
  database.open_schema(application, schema_version, makes ? tables.c_str() : nullptr);
  return database.path();
}

}  // namespace

JournalFile::JournalFile(const std::filesystem::path& folder, WhenEmpty when_empty)
    : lock_(file_in(folder)),
      writer_(file_in(folder), ledger::Database::Access::read_write),
      writes_(writer_),
      reader_(with_schema(writer_, when_empty), ledger::Database::Access::read_only),
      reads_(reader_) {}

void JournalFile::write(std::span<const Row> rows) {
  if (is_full_of_changes()) writer_.checkpoint();
  ledger::Transaction transaction(writer_);
  for (const Row& row : rows) writes_.write(row);
  transaction.commit();
}

JournalFile::Tail JournalFile::tail() {
  const std::vector<Event> last = read<Event>("number = (SELECT max(number) FROM event)");
  if (last.empty()) return {};
  return {.number = last.front().number,
          .check = std::get<std::int64_t>(to_row(last.front()).values.back())};
}

void JournalFile::require_sound() {
  ledger::Statement statement = reader_.prepare("PRAGMA integrity_check(1)");
  const ledger::Rows reset_at_the_end(statement);
  const auto fail = [&](const std::string& what) {
    throw ledger::StorageError(ledger::StorageError::Kind::bad_data,
                               reader_.path() + " is damaged: " + what);
  };
  if (!statement.step() || statement.text(0) != "ok") fail(std::string(statement.text(0)));
  // The definitions are text in the file, kept as it was written.
  const std::string written = schema();
  ledger::Statement definitions =
      reader_.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
  const ledger::Rows reset_these_too(definitions);
  while (definitions.step()) {
    if (written.contains(definitions.text(1))) continue;
    fail("the definition of " + std::string(definitions.text(0)) + " is not what was written");
  }
}

}  // namespace atm
